-- What is kept no longer.

-- When everything that told who a person was went away. What they held, and what they saw, stays in the numbers.
ALTER TABLE person ADD COLUMN erased_at BIGINT;
-- The outcomes of single recipients are kept no longer; the numbers of the run are.
ALTER TABLE run ADD COLUMN forgotten_at BIGINT;

-- Messages that are gone, and at which revision they went: who holds a list of messages in memory drops them.
CREATE TABLE forgotten (
    message {id} PRIMARY KEY,
    revision BIGINT NOT NULL
);
CREATE INDEX forgotten_revision ON forgotten (revision);
