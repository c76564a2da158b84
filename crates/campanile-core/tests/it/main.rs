//! Messages and inbox against both databases, through the crate's public surface: one binary, one behaviour a test.

mod act;
mod announced;
mod banner;
mod change;
mod emptied;
mod funnel;
mod inbox;
mod kept;
mod lenient;
mod mark;
mod migrations;
mod moving;
mod outbox;
mod paging;
mod preview;
mod publish;
mod random;
mod restored;
mod retention;
mod schedule;
mod subscription;
mod timeline;
mod visible;
mod world;
