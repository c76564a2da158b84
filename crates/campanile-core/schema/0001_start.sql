-- The schema of Campanile, for SQLite and PostgreSQL alike ({id}, {blob}, {clustered} and {bytewise}, the order
-- of a text's bytes, are the words that differ).
--
-- Facts carry [since, until): revisions, the one total order of changes and publications. "until" of what still holds
-- is 9223372036854775807. Beside them stands the wall-clock time for people; it never runs against the revisions.
-- Times are whole milliseconds UTC. Ids are small integers taken from the table "tally" (never reused); "key" is the
-- name that a directory file gives a thing.

-- ---------------------------------------------------------------- people and things (names have no history)

CREATE TABLE person (
    id {id} PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    key TEXT {bytewise} NOT NULL UNIQUE,
    login TEXT NOT NULL,
    -- Lower-cased: nobody is told apart by case.
    login_key TEXT {bytewise} NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT {bytewise} NOT NULL,
    email TEXT,
    -- The normalised address: one mail per distinct one.
    email_key TEXT {bytewise},
    locale TEXT,
    zone TEXT,
    -- 0 User, 1 CustomerAdmin, 2 RootAdmin
    asm_role BIGINT NOT NULL CHECK (asm_role BETWEEN 0 AND 2),
    guid TEXT NOT NULL UNIQUE,
    -- PHC string; NULL: cannot sign in by password.
    password TEXT,
    -- The auth ticket is derived from the installation's secret, the person and this number; only its hash is stored.
    ticket_serial BIGINT NOT NULL,
    ticket_hash {blob},
    -- The last revision at which anything of this person changed: what is kept in memory is brought up to date by it.
    changed BIGINT NOT NULL,
    CHECK ((email IS NULL) = (email_key IS NULL))
);
CREATE INDEX person_name ON person (name_key);
CREATE INDEX person_email ON person (email_key) WHERE email_key IS NOT NULL;
CREATE UNIQUE INDEX person_ticket ON person (ticket_hash) WHERE ticket_hash IS NOT NULL;
CREATE INDEX person_changed ON person (changed);

CREATE TABLE customer (
    id {id} PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    name TEXT NOT NULL,
    name_key TEXT {bytewise} NOT NULL
);
CREATE INDEX customer_name ON customer (name_key);

CREATE TABLE environment (id {id} PRIMARY KEY, key TEXT {bytewise} NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE grp (
    id {id} PRIMARY KEY,
    key TEXT {bytewise} NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT {bytewise} NOT NULL
);
CREATE INDEX grp_name ON grp (name_key);
CREATE TABLE api (
    id {id} PRIMARY KEY,
    key TEXT {bytewise} NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT {bytewise} NOT NULL,
    environment BIGINT NOT NULL REFERENCES environment (id)
);
CREATE INDEX api_name ON api (name_key);
CREATE TABLE application (
    id {id} PRIMARY KEY,
    key TEXT {bytewise} NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT {bytewise} NOT NULL,
    environment BIGINT NOT NULL REFERENCES environment (id)
);
CREATE INDEX application_name ON application (name_key);
-- What an application has to an API; its changing side is in "term".
CREATE TABLE subscription (
    id {id} PRIMARY KEY,
    key TEXT {bytewise} NOT NULL UNIQUE,
    api BIGINT NOT NULL REFERENCES api (id),
    application BIGINT NOT NULL REFERENCES application (id)
);
CREATE INDEX subscription_api ON subscription (api, id);
CREATE INDEX subscription_application ON subscription (application, id);

CREATE TABLE role (
    id {id} PRIMARY KEY,
    -- 1 ORGANIZATION, 2 ENVIRONMENT, 3 API, 4 APPLICATION
    scope BIGINT NOT NULL CHECK (scope BETWEEN 1 AND 4),
    name TEXT {bytewise} NOT NULL,
    -- A system role cannot be changed or removed.
    system BOOLEAN NOT NULL,
    UNIQUE (scope, name)
);
CREATE TABLE role_permission (
    role BIGINT NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    permission TEXT NOT NULL,
    -- C 8, R 4, U 2, D 1
    letters BIGINT NOT NULL CHECK (letters BETWEEN 1 AND 15),
    PRIMARY KEY (role, permission)
) {clustered};

-- ---------------------------------------------------------------- facts

-- Whether a thing is there. kind: 1 person, 2 customer, 3 environment, 4 group, 5 API, 6 application, 7 subscription.
CREATE TABLE life (
    kind BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 7),
    object BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL CHECK (until > since),
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (kind, object, since)
) {clustered};
CREATE INDEX life_ended ON life (kind, until, object) WHERE until < 9223372036854775807;

-- A person holds a role somewhere. place: 1 organization, 2 environment, 3 API, 4 application,
-- 5 group (the role lends APPLICATION rights), 6 group (the role lends API rights).
CREATE TABLE membership (
    person BIGINT NOT NULL REFERENCES person (id),
    place BIGINT NOT NULL CHECK (place BETWEEN 1 AND 6),
    object BIGINT NOT NULL,
    -- One of "role": which stays while this does, by a rule. The constraint would read all of this to remove a role.
    role BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL CHECK (until > since),
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (person, place, object, role, since)
) {clustered};
CREATE INDEX membership_place ON membership (place, object, role, person, since, until);
-- Whether a role of one's own was ever held. Its id is above 1000, where the counter begins, so the roles of the
-- contract cost nothing here.
CREATE INDEX membership_own_role ON membership (role) WHERE role > 1000;
-- What has begun or ended since a revision: environment roles are kept in memory and brought up to date by these.
CREATE INDEX membership_begun ON membership (since);
-- The history of an API, application or group, the newest first; those of an environment are in the histories of people.
CREATE INDEX membership_history ON membership (place, object, since, role, person) WHERE place >= 3;
CREATE INDEX membership_ended ON membership (until) WHERE until < 9223372036854775807;

-- The customer of a person.
CREATE TABLE residence (
    person BIGINT NOT NULL REFERENCES person (id),
    customer BIGINT NOT NULL REFERENCES customer (id),
    since BIGINT NOT NULL,
    until BIGINT NOT NULL CHECK (until > since),
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (person, since)
) {clustered};
CREATE INDEX residence_customer ON residence (customer, person, since, until);

-- The parent of a customer; a root has none.
CREATE TABLE parentage (
    customer BIGINT NOT NULL REFERENCES customer (id),
    parent BIGINT NOT NULL REFERENCES customer (id) CHECK (parent <> customer),
    since BIGINT NOT NULL,
    until BIGINT NOT NULL CHECK (until > since),
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (customer, since)
) {clustered};
CREATE INDEX parentage_parent ON parentage (parent, customer, since, until);

-- Derived from parentage: every customer above another, itself included. The only derived table.
CREATE TABLE lineage (
    customer BIGINT NOT NULL REFERENCES customer (id),
    ancestor BIGINT NOT NULL REFERENCES customer (id),
    since BIGINT NOT NULL,
    until BIGINT NOT NULL CHECK (until > since),
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (customer, ancestor, since)
) {clustered};
CREATE INDEX lineage_ancestor ON lineage (ancestor, customer, since, until);

-- A group attached to an API (place 3) or application (place 4) lends its members' roles of that scope.
CREATE TABLE attachment (
    grp BIGINT NOT NULL REFERENCES grp (id),
    place BIGINT NOT NULL CHECK (place IN (3, 4)),
    object BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL CHECK (until > since),
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (grp, place, object, since)
) {clustered};
CREATE INDEX attachment_object ON attachment (place, object, grp, since, until);

-- The changing side of a subscription. Valid = status ACCEPTED and starts_at <= t < ends_at.
CREATE TABLE term (
    subscription BIGINT NOT NULL REFERENCES subscription (id),
    -- Both as in "subscription", which cannot change them: an audience is found without a join.
    api BIGINT NOT NULL,
    application BIGINT NOT NULL,
    -- 0 PENDING, 1 ACCEPTED, 2 REJECTED, 3 CLOSED, 4 PAUSED
    status BIGINT NOT NULL CHECK (status BETWEEN 0 AND 4),
    subscriber BIGINT REFERENCES person (id),
    -- 0 and 9223372036854775807 where there is no start or end.
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL CHECK (until > since),
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (subscription, since)
) {clustered};
CREATE INDEX term_application ON term (application, api, since, until) WHERE status = 1;
CREATE INDEX term_api ON term (api, application, since, until, starts_at, ends_at, subscriber) WHERE status = 1;
CREATE INDEX term_subscriber ON term (subscriber, api) WHERE status = 1;
-- Whatever somebody has to do with an API, valid or not: "why is someone missing?".
CREATE INDEX term_made ON term (subscriber, api, until) WHERE status <> 1;

-- ---------------------------------------------------------------- messages

CREATE TABLE message (
    id {id} PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    -- Of publication: the first instant at which it is enabled and inside its window. NULL: not yet, or missed.
    -- Unique by the way it is taken; an index would cost a page of the log a message.
    revision BIGINT,
    published_at BIGINT,
    -- 0 at_send, 1 while_active
    rule BIGINT NOT NULL CHECK (rule IN (0, 1)),
    environment BIGINT REFERENCES environment (id),
    api BIGINT REFERENCES api (id),
    -- The name at publication, shown before the title.
    api_name TEXT,
    -- 0 markdown, 1 style tags
    format BIGINT NOT NULL CHECK (format IN (0, 1)),
    sender_name TEXT NOT NULL,
    -- 0 low, 1 high, 2 critical
    importance BIGINT NOT NULL CHECK (importance BETWEEN 0 AND 2),
    -- 1 portal, 2 banner, 4 email, 8 http
    channels BIGINT NOT NULL CHECK (channels BETWEEN 1 AND 15),
    -- The activity window, whole seconds, both ends inside. 0 and 9223372036854775807 where there is none.
    opens_at BIGINT NOT NULL,
    closes_at BIGINT NOT NULL CHECK (closes_at >= opens_at),
    enabled BOOLEAN NOT NULL,
    -- A critical banner may be dismissed; others always may, but for what has to be acknowledged.
    dismissible BOOLEAN NOT NULL DEFAULT FALSE,
    -- Its banner stands until the person says "I have read this".
    must_acknowledge BOOLEAN NOT NULL DEFAULT FALSE,
    -- What the UI messages contract said of sub-customers where the audience is everyone: no effect, returned as sent.
    sub_customers BOOLEAN NOT NULL DEFAULT FALSE,
    -- A mail to those who had not acknowledged this other message; its people are those of its chunks.
    reminds BIGINT REFERENCES message (id),
    author BIGINT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    -- When it last came up for everybody: publication, enabling, ringing again. Marks of "all" are compared with it.
    arrival BIGINT NOT NULL,
    arrival_at BIGINT NOT NULL,
    -- When the bell last rang: publication or ringing again. Single reads are compared with it.
    ring BIGINT NOT NULL,
    -- 1, and one more with every correction of its content.
    edition BIGINT NOT NULL,
    edited_at BIGINT,
    recalled BIGINT,
    recalled_at BIGINT,
    -- The window passed before it was opened.
    missed BOOLEAN NOT NULL,
    -- Counted by a reader at the message's revision, then exact for ever; NULL until then.
    people BIGINT,
    without_email BIGINT,
    -- Last, because SQLite reads a row from its beginning: who judges messages does not read their texts.
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    CHECK ((revision IS NULL) = (published_at IS NULL)),
    CHECK ((recalled IS NULL) = (recalled_at IS NULL))
);
-- Those still to be opened.
CREATE INDEX message_waiting ON message (opens_at) WHERE revision IS NULL;
-- Those with a banner: the UI messages contract lists them by id.
CREATE INDEX message_banner ON message (id) WHERE channels & 2 <> 0;
CREATE INDEX message_reminds ON message (reminds) WHERE reminds IS NOT NULL;

-- The selectors of a message; role 0 where a kind has none. kind: 1 environment role, 2 API and application role,
-- 3 subscribers of an API, 4 customer, 5 customer with those below it, 6 everyone, 7 group, 8 person.
CREATE TABLE audience (
    message BIGINT NOT NULL REFERENCES message (id),
    kind BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 8),
    object BIGINT NOT NULL,
    role BIGINT NOT NULL,
    -- As for facts. Where late joiners count, a published message may get another audience: whoever only then came to
    -- match has not read it before. 0 for those that it was published with.
    since BIGINT NOT NULL DEFAULT 0,
    until BIGINT NOT NULL DEFAULT 9223372036854775807 CHECK (until > since),
    since_at BIGINT NOT NULL DEFAULT 0,
    until_at BIGINT NOT NULL DEFAULT 9223372036854775807,
    PRIMARY KEY (message, kind, object, role, since)
) {clustered};
-- As for memberships: whether a message names a role of one's own. Short enough to be looked through; by role it would
-- lead SQLite to worse plans elsewhere.
CREATE INDEX audience_own_role ON audience (message) WHERE role > 1000;

-- What a message was before each change: "what could be seen at that time" is answered from here.
CREATE TABLE edition (
    revision BIGINT NOT NULL PRIMARY KEY,
    message BIGINT NOT NULL REFERENCES message (id),
    at BIGINT NOT NULL,
    -- NULL: the server itself (a window that opened).
    author BIGINT REFERENCES person (id),
    -- 1 corrected, 2 recalled, 3 opened, 4 missed, 5 enabled, 6 disabled, 7 audience changed
    change BIGINT NOT NULL CHECK (change BETWEEN 1 AND 7),
    rang BOOLEAN NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    importance BIGINT NOT NULL,
    opens_at BIGINT NOT NULL,
    closes_at BIGINT NOT NULL,
    enabled BOOLEAN NOT NULL,
    dismissible BOOLEAN NOT NULL DEFAULT FALSE,
    must_acknowledge BOOLEAN NOT NULL DEFAULT FALSE,
    -- The name of its API that was shown with the title.
    api_name TEXT
) {clustered};
CREATE INDEX edition_message ON edition (message, revision);

-- A sender's own key for a request, so that a repeat does not send twice.
CREATE TABLE idempotency (
    author BIGINT NOT NULL REFERENCES person (id),
    key TEXT NOT NULL,
    fingerprint {blob} NOT NULL,
    message BIGINT NOT NULL REFERENCES message (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (author, key)
) {clustered};
CREATE INDEX idempotency_at ON idempotency (at);

-- ---------------------------------------------------------------- what a person did

CREATE TABLE engagement (
    person BIGINT NOT NULL REFERENCES person (id),
    message BIGINT NOT NULL REFERENCES message (id),
    -- The first that they did with it; nothing that they do later takes it away.
    seen_at BIGINT NOT NULL,
    -- First read since the bell last rang.
    read_at BIGINT,
    read_revision BIGINT,
    -- Explicitly unread; it overrides marks made before.
    unread_at BIGINT,
    archived_at BIGINT,
    -- With a minus: restored at that time; it overrides marks made before.
    deleted_at BIGINT,
    dismissed_at BIGINT,
    dismissed_edition BIGINT,
    acknowledged_at BIGINT,
    -- As in "mark", of those with the same message: when one of the four columns of the index below was last written.
    written BIGINT NOT NULL,
    PRIMARY KEY (person, message),
    CHECK ((read_at IS NULL) = (read_revision IS NULL)),
    CHECK (read_at IS NULL OR unread_at IS NULL)
) {clustered};
-- With all that a sender's numbers are told by, so that a message that very many opened costs no search each; the
-- last written stand last, which is where the numbers of before are brought up to date from.
CREATE INDEX engagement_message ON engagement (message, written, person, seen_at, read_at, read_revision, unread_at);
CREATE INDEX engagement_acknowledged ON engagement (message, person, acknowledged_at)
    WHERE acknowledged_at IS NOT NULL;

-- "All of it": one row, whatever the number of messages. kind: 1 seen, 2 read, 3 deleted. It covers what had come up
-- for the person up to a revision and, where the clock alone decides, up to a time. Kept in order, so that "seen when?"
-- has an answer.
CREATE TABLE mark (
    person BIGINT NOT NULL REFERENCES person (id),
    kind BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 3),
    at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    clock BIGINT NOT NULL,
    -- Who has not seen a row yet finds it above where they stopped: one more than the last on SQLite, whose writers
    -- take turns; on PostgreSQL the number of the transaction, and they stop at the first that was still under way.
    written BIGINT NOT NULL,
    PRIMARY KEY (person, kind, at)
) {clustered};
-- All of a mark, so that looking through them costs no search each. In the order in which they are written, so that
-- those of a group of commits share a page.
CREATE INDEX mark_revision ON mark (kind, revision, written, person, at, clock);
CREATE INDEX mark_written ON mark (written);

-- ---------------------------------------------------------------- who is signed in

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    person BIGINT NOT NULL REFERENCES person (id),
    -- SHA-256 of the cookie's value.
    hash {blob} NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    agent TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX session_person ON session (person);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE token (
    id TEXT NOT NULL PRIMARY KEY,
    person BIGINT NOT NULL REFERENCES person (id),
    name TEXT NOT NULL,
    -- SHA-256 of the token.
    hash {blob} NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    expires_at BIGINT,
    UNIQUE (person, name)
);

-- ---------------------------------------------------------------- what is there from the start

INSERT INTO environment (id, key, name) VALUES (1, 'DEFAULT', 'Default');
INSERT INTO life (kind, object, since, until, since_at, until_at)
    VALUES (3, 1, 0, 9223372036854775807, 0, 9223372036854775807);
INSERT INTO role (id, scope, name, system) VALUES
    (1, 1, 'ADMIN', TRUE), (2, 1, 'USER', TRUE),
    (3, 2, 'ADMIN', TRUE), (4, 2, 'API_PUBLISHER', TRUE), (5, 2, 'USER', TRUE),
    (6, 3, 'PRIMARY_OWNER', TRUE), (7, 3, 'OWNER', TRUE), (8, 3, 'REVIEWER', TRUE), (9, 3, 'USER', TRUE),
    (10, 4, 'PRIMARY_OWNER', TRUE), (11, 4, 'OWNER', TRUE), (12, 4, 'USER', TRUE);
INSERT INTO role_permission (role, permission, letters) VALUES
    (1, 'ROLE', 15), (1, 'USER', 15), (1, 'ENVIRONMENT', 15),
    (3, 'MESSAGE', 15), (3, 'API', 15), (3, 'APPLICATION', 15), (3, 'GROUP', 15),
    (4, 'API', 12), (4, 'APPLICATION', 15),
    (5, 'API', 4), (5, 'APPLICATION', 15),
    (6, 'MESSAGE', 15), (6, 'DEFINITION', 15), (6, 'MEMBER', 15), (6, 'SUBSCRIPTION', 15),
    (7, 'DEFINITION', 15), (7, 'MEMBER', 15), (7, 'SUBSCRIPTION', 15),
    (8, 'DEFINITION', 4), (9, 'DEFINITION', 4),
    (10, 'DEFINITION', 15), (10, 'MEMBER', 15), (10, 'SUBSCRIPTION', 15),
    (11, 'DEFINITION', 15), (11, 'MEMBER', 15), (11, 'SUBSCRIPTION', 15),
    (12, 'DEFINITION', 4);
INSERT INTO tally (name, value) VALUES
    ('customer', 0), ('directory', 0), ('message', 0), ('messages', 0), ('person', 0), ('revision', 0),
    ('revision_at', 0), ('thing', 1000);
