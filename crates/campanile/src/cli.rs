//! The command line: what can be asked of the binary, and how it ends.

mod backup;
mod importing;
mod moving;
mod progress;
pub(crate) mod serving;
mod token;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use campanile_core::secret::hex;
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::api::docs::Docs;
use crate::chance::Chance;
use crate::config::{self, Flags, Settings, value};
use crate::exit::Failure;
use crate::{api, demo, doctor, send};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the work failed: bad lines in a file, a request that was refused
  2  wrong usage: a flag, a setting, a value
  3  the server or the database cannot be reached

Every setting can stand in a file (--config), in the environment (CAMPANILE_…) or, some, in a flag; the later wins.";

const SERVE: &str = "\
Run the server

The first start creates the database and the user admin, with the password in CAMPANILE_ADMIN_PASSWORD or one that is \
printed once. SIGTERM and Ctrl-C let requests in progress finish.";

/// Tell the people of a platform what they must know, and know who heard.
#[derive(Debug, Parser)]
#[command(name = "campanile", version, after_help = EXIT_CODES, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten, next_help_heading = "Settings")]
    settings: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    #[command(long_about = SERVE)]
    Serve,
    /// Run a server with a filled sample platform, in a temporary folder
    ///
    /// Prints its address, accounts and commands to try. Ctrl-C ends it and removes the folder.
    Demo,
    /// Import a directory file: who is who
    ///
    /// One JSON object a line; a line refers only to what stands above it or exists already; the same id again is an
    /// update. Good lines are kept, bad ones reported with their number, field and reason. Works beside a running
    /// server.
    Import(Import),
    /// Send a message through a running server
    ///
    /// At a terminal it shows how many people it would reach, and asks. What is sent carries a key, so that an attempt
    /// whose answer got lost is repeated without sending twice.
    Send(Box<send::Args>),
    /// Print a new personal token of a user, or the user's ticket; list and revoke tokens
    ///
    /// The value stands alone on standard output, and works at once, also beside a running server.
    #[command(override_usage = "campanile token <NAME> --user <LOGIN> [--expires <TIME>]\n       \
            campanile token --ticket --user <LOGIN>\n       \
            campanile token list --user <LOGIN>\n       \
            campanile token revoke <NAME OR ID> --user <LOGIN>")]
    Token(Token),
    /// Copy a whole database into another: SQLite to PostgreSQL, and back
    ///
    /// The target holds nothing yet, or an unfinished copy of the same source, which goes on where it stopped. Then
    /// every row is read from both and compared; a difference ends it with 1. No server may run on the target; stop the
    /// one on the source before you move, as what it writes meanwhile is not copied. docs/backup.md tells it step by
    /// step.
    CopyDatabase(CopyDatabase),
    /// Write a consistent copy of the embedded database, also beside a running server
    ///
    /// The file is a whole database, with the key of the installation beside it (FILE.key): who has both has
    /// everything.
    Backup(Backup),
    /// Put a backup in the place of the embedded database
    ///
    /// No server may run on it. The database that was there is kept beside it (.before-restore). Mails and posts that
    /// were under way when the backup was made may have left since: they are on hold until --release.
    #[command(override_usage = "campanile restore [--force] <FILE>\n       \
            campanile restore --release\n       campanile restore --hold")]
    Restore(Restore),
    /// Check configuration, database, mail relay and DNS records, and say what to mend
    ///
    /// Nothing is changed and no mail is sent. Each line is ok, a warning or a fault; a fault ends it with 1.
    Doctor(Doctor),
    /// Print the OpenAPI document of the HTTP interface
    Openapi,
    /// Print a completion script for a shell
    #[command(after_help = "For example: campanile completions bash > /etc/bash_completion.d/campanile")]
    Completions {
        /// Its name
        #[arg(value_enum)]
        shell: Named,
    },
}

/// `campanile import`.
#[derive(Debug, Clone, clap::Args)]
pub struct Import {
    /// The file, one JSON object a line; "-" is standard input
    pub file: PathBuf,
    /// Only report what would be wrong
    #[arg(long)]
    pub dry_run: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// `campanile copy-database`.
#[derive(Debug, Clone, clap::Args)]
pub struct CopyDatabase {
    /// The source, as the setting `database` is written
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// The target, likewise
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// Only compare the two, row by row
    #[arg(long)]
    pub verify_only: bool,
    /// Throw away an unfinished copy in the target, of whatever source
    #[arg(long, conflicts_with = "verify_only")]
    pub anew: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// `campanile backup`.
#[derive(Debug, Clone, clap::Args)]
pub struct Backup {
    /// The file to write
    pub file: PathBuf,
    /// Overwrite it where it is there
    #[arg(long)]
    pub force: bool,
}

/// `campanile restore`.
#[derive(Debug, Clone, clap::Args)]
pub struct Restore {
    /// What `campanile backup` wrote
    #[arg(required_unless_present_any = ["release", "hold"], conflicts_with = "release")]
    pub file: Option<PathBuf>,
    /// Overwrite the .before-restore of an earlier time
    #[arg(long, conflicts_with = "release")]
    pub force: bool,
    /// Send what is on hold since a restore
    #[arg(long)]
    pub release: bool,
    /// Put on hold what may have left already: for a database that was brought back by other tools, before its server
    /// starts
    #[arg(long, conflicts_with_all = ["file", "release", "force"])]
    pub hold: bool,
}

/// `campanile doctor`.
#[derive(Debug, Clone, clap::Args)]
pub struct Doctor {
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// `campanile token`.
#[derive(Debug, Clone, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Token {
    #[command(subcommand)]
    existing: Option<Existing>,
    /// What to call it; the user has no other token of this name
    #[arg(required_unless_present = "ticket", conflicts_with = "ticket")]
    pub name: Option<String>,
    /// The user's login
    #[arg(long, value_name = "LOGIN", required = true)]
    pub user: Option<String>,
    /// The user's auth ticket instead, for clients of the UI messages contract
    #[arg(long)]
    pub ticket: bool,
    /// When it ends, such as 90d or 12h [default: never]
    #[arg(long, value_name = "TIME", value_parser = value::span, conflicts_with = "ticket")]
    pub expires: Option<Duration>,
}

/// What can be done with the tokens that there are.
#[derive(Debug, Clone, Subcommand)]
enum Existing {
    /// List the personal tokens of a user
    List {
        /// The user's login
        #[arg(long, value_name = "LOGIN")]
        user: String,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a personal token: nobody gets in with it from now on
    Revoke {
        /// Its name, or its id as `token list` shows it
        #[arg(value_name = "NAME OR ID")]
        which: String,
        /// The user's login
        #[arg(long, value_name = "LOGIN")]
        user: String,
    },
}

/// The shells that the releases are tried with.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Named {
    Bash,
    Zsh,
    Fish,
}

impl From<Named> for Shell {
    fn from(named: Named) -> Self {
        match named {
            Named::Bash => Self::Bash,
            Named::Zsh => Self::Zsh,
            Named::Fish => Self::Fish,
        }
    }
}

/// The whole program: reads the command line, does it, says what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    // Clap itself ends with 2, and with 0 for help and version.
    let cli = Cli::parse();
    for line in config::unknown_variables() {
        let _closed = writeln!(std::io::stderr(), "campanile: {line}");
    }
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to say it with where standard error is closed.
            let _closed = writeln!(std::io::stderr(), "campanile: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve => serving::serve(cli.settings),
        Command::Send(args) => send_from_here(&args),
        Command::Doctor(args) => doctor::run(cli.settings, args.json),
        Command::Token(args) => token::run(cli.settings, &args),
        Command::Openapi => openapi(),
        Command::Completions { shell } => completions(shell.into()),
        Command::Import(args) => importing::run(cli.settings, &args),
        Command::CopyDatabase(args) => moving::run(cli.settings, &args),
        Command::Backup(args) => backup::back_up(cli.settings, &args),
        Command::Restore(args) => backup::restore(cli.settings, &args),
        Command::Demo => demo::run(cli.settings),
    }
}

/// A runtime for a command that waits for one thing at a time.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work)
}

fn send_from_here(args: &send::Args) -> Result<(), Failure> {
    let stdin = std::io::stdin();
    let mut answers = stdin.is_terminal().then(|| stdin.lock());
    block_on(send::run(
        args,
        &mut send::Around {
            env: &config::variable,
            key: hex(&Chance::system().bytes()),
            out: &mut std::io::stdout(),
            notes: &mut std::io::stderr(),
            answers: answers.as_mut().map(|lock| lock as &mut dyn std::io::BufRead),
            pauses: send::Around::usual_pauses(),
            look: send::LOOK,
        },
    ))
}

/// Whether the settings name an embedded database that is not there.
pub(crate) fn embedded_is_missing(settings: &Settings) -> bool {
    let path = settings.database.expose().strip_prefix("sqlite://");
    path.is_some_and(|path| !Path::new(path).exists())
}

fn openapi() -> Result<(), Failure> {
    let docs = Docs::new(&api::document())?;
    let mut out = std::io::stdout();
    out.write_all(docs.document().trim_ascii_end())?;
    Ok(writeln!(out)?)
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "campanile", &mut script);
    Ok(std::io::stdout().write_all(&script)?)
}

#[cfg(test)]
mod tests;
