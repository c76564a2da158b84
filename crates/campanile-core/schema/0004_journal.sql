-- The journal: who did what, acting for whom, from where, with what was there before and after.
--
-- What was done to a message stands with the message: its birth in its own row, each change in "edition", which has who,
-- when and the state before already. So a publication writes no row more and no page of the log more. All else has a
-- row in "journal", written in the transaction that it tells of. What was written before this has no origin.

-- Where a message came from. via: 1 session, 2 personal token, 3 login and password, 4 ticket, 5 shell.
ALTER TABLE message ADD COLUMN from_via BIGINT;
ALTER TABLE message ADD COLUMN from_address TEXT;
-- The beginning of the public name of a personal token.
ALTER TABLE message ADD COLUMN from_token TEXT;
-- The person in whose name the author did it.
ALTER TABLE message ADD COLUMN acting_for BIGINT;

ALTER TABLE edition ADD COLUMN from_via BIGINT;
ALTER TABLE edition ADD COLUMN from_address TEXT;
ALTER TABLE edition ADD COLUMN from_token TEXT;
ALTER TABLE edition ADD COLUMN acting_for BIGINT;
-- Where the audience was changed: the selectors before, as JSON.
ALTER TABLE edition ADD COLUMN audience TEXT;

-- Rows come and never go or change, but that of an import while it lasts: one for all of it.
CREATE TABLE journal (
    id {serial} PRIMARY KEY,
    at BIGINT NOT NULL,
    -- NULL: the server itself, or who has its shell.
    actor BIGINT REFERENCES person (id),
    acting_for BIGINT REFERENCES person (id),
    from_via BIGINT,
    from_address TEXT,
    from_token TEXT,
    -- The codes of journal::Action and journal::Kind.
    action BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    -- Its id outside; of what belongs to a person alone, that person's.
    object TEXT {bytewise} NOT NULL,
    -- Where it took one: the last of the operation.
    revision BIGINT,
    -- JSON, with secrets masked.
    before TEXT,
    after TEXT
);
CREATE INDEX journal_actor ON journal (actor, id);
CREATE INDEX journal_object ON journal (kind, object, id);
