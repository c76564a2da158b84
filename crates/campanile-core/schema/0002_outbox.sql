-- The outbox: what leaves the house by email and HTTP POST, born in the transaction that publishes a message.
--
-- A million mails are a thousand rows of "chunk"; "delivery" has rows for exceptions (to be tried again, failed,
-- suppressed, in doubt) and one for every POST. A lease says who works on a row and until when: "lease_by" is the run
-- of a server (0 nobody), and "fence" grows with every lease, so that who lost it can write nothing back.

-- One message on its way by one channel.
CREATE TABLE run (
    message BIGINT NOT NULL REFERENCES message (id),
    -- As in "message": 4 email, 8 http.
    channel BIGINT NOT NULL CHECK (channel IN (4, 8)),
    -- 0 critical, 1 normal, 2 bulk
    lane BIGINT NOT NULL CHECK (lane BETWEEN 0 AND 2),
    -- Whose it is, for fairness: an API or environment, a customer with a minus, 0 the whole installation.
    tenant BIGINT NOT NULL,
    -- 0 its audience is being listed, 1 under way, 2 ended, 3 being cancelled, 4 cancelled
    state BIGINT NOT NULL CHECK (state BETWEEN 0 AND 4),
    -- The message is switched off: nothing leaves until it is on again.
    held BOOLEAN NOT NULL,
    -- The last person who was listed.
    cursor BIGINT NOT NULL,
    born_at BIGINT NOT NULL,
    -- From here the time counts after which no more is tried: birth, or when the failed were sent again.
    tried_from BIGINT NOT NULL,
    ended_at BIGINT,
    -- As listed so far. The others add up to it when the run has ended, but for "doubtful": tries of which nobody knows
    -- whether they arrived, made once more.
    recipients BIGINT NOT NULL,
    sent BIGINT NOT NULL CHECK (sent >= 0),
    failed BIGINT NOT NULL CHECK (failed >= 0),
    suppressed BIGINT NOT NULL CHECK (suppressed >= 0),
    -- Those who were deactivated, or had no address any more, before it left.
    gone BIGINT NOT NULL CHECK (gone >= 0),
    cancelled BIGINT NOT NULL CHECK (cancelled >= 0),
    doubtful BIGINT NOT NULL,
    lease_by BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    PRIMARY KEY (message, channel)
) {clustered};
-- What has to be listed or swept.
CREATE INDEX run_todo ON run (state, lane, message) WHERE state IN (0, 3);

-- Up to 1,000 people of a mail run.
CREATE TABLE chunk (
    message BIGINT NOT NULL REFERENCES message (id),
    -- The least and the greatest id in it.
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    lane BIGINT NOT NULL,
    tenant BIGINT NOT NULL,
    -- A serialised bitmap of ids.
    people {blob} NOT NULL,
    size BIGINT NOT NULL CHECK (size BETWEEN 1 AND 1000),
    -- One bit a person, in the order of their ids: there is an outcome, or a row in "delivery".
    done {blob} NOT NULL,
    -- So many of them, from the first, may have been begun: written ahead. After a crash what is begun and not done is
    -- in doubt, and the rest was certainly not sent.
    begun BIGINT NOT NULL,
    -- 0 open, 1 ended
    state BIGINT NOT NULL CHECK (state IN (0, 1)),
    begun_at BIGINT,
    ended_at BIGINT,
    lease_by BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    PRIMARY KEY (message, first),
    CHECK (first <= last),
    CHECK (begun <= size)
) {clustered};
CREATE INDEX chunk_open ON chunk (lane, tenant, message, first) WHERE state = 0;

-- A saved destination of messages by HTTP POST.
CREATE TABLE endpoint (
    id {id} PRIMARY KEY,
    name TEXT NOT NULL,
    -- Where it belongs: messages of this environment, or of this API alone, may be posted to it.
    environment BIGINT NOT NULL REFERENCES environment (id),
    api BIGINT REFERENCES api (id),
    url TEXT NOT NULL,
    -- Sealed for the URL.
    headers {blob} NOT NULL,
    -- NULL: as the server has it.
    proxy BOOLEAN,
    -- Sealed; NULL: posts are not signed.
    secret {blob},
    -- The secret before, good until then.
    old_secret {blob},
    old_until BIGINT,
    -- 0 active, 1 paused by hand, 2 switched off because it answered 410, or failed for too long
    state BIGINT NOT NULL CHECK (state BETWEEN 0 AND 2),
    created_at BIGINT NOT NULL,
    -- Its health: the last success; the last failure and why; since when every attempt failed.
    succeeded_at BIGINT,
    failed_at BIGINT,
    failed_code BIGINT,
    failed_reason TEXT,
    failing_since BIGINT,
    removed_at BIGINT,
    CHECK ((old_secret IS NULL) = (old_until IS NULL))
);
CREATE INDEX endpoint_environment ON endpoint (environment, id) WHERE removed_at IS NULL;

-- Where a message is posted to: a saved destination, or a URL for this message alone.
CREATE TABLE post (
    message BIGINT NOT NULL REFERENCES message (id),
    -- From 1.
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 100),
    endpoint BIGINT REFERENCES endpoint (id),
    url TEXT,
    headers {blob},
    proxy BOOLEAN,
    secret {blob},
    -- Who shares a target: posts to one are sent few at a time.
    share BIGINT NOT NULL,
    PRIMARY KEY (message, number),
    CHECK ((endpoint IS NULL) = (url IS NOT NULL)),
    CHECK ((url IS NULL) = (headers IS NULL))
) {clustered};

-- A recipient with an own row: an exception of a mail run, or a POST.
CREATE TABLE delivery (
    message BIGINT NOT NULL,
    channel BIGINT NOT NULL,
    -- The person, or the number in "post".
    target BIGINT NOT NULL,
    lane BIGINT NOT NULL CHECK (lane BETWEEN 0 AND 2),
    -- Who waits for whom: the tenant of a mail, the target of a POST.
    share BIGINT NOT NULL,
    -- 0 waits, 1 being sent, 2 sent, 3 failed, 4 suppressed, 5 gone, 6 cancelled
    state BIGINT NOT NULL CHECK (state BETWEEN 0 AND 6),
    due BIGINT NOT NULL,
    -- Tries that count towards the last one, and all of them.
    attempts BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    -- Tries of which nobody knows whether they arrived.
    doubtful BIGINT NOT NULL,
    -- Of a mail: the last address it was for.
    address TEXT,
    -- Of the last try: the reply's code, and why it was no success.
    code BIGINT,
    reason TEXT,
    changed_at BIGINT NOT NULL,
    lease_by BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    PRIMARY KEY (message, channel, target),
    FOREIGN KEY (message, channel) REFERENCES run (message, channel)
) {clustered};
CREATE INDEX delivery_due ON delivery (channel, lane, share, due) WHERE state = 0;
CREATE INDEX delivery_claimed ON delivery (lease_until) WHERE state = 1;

-- What happened at a try. A plain first success has no row: the delivery, or the chunk, says when.
CREATE TABLE attempt (
    message BIGINT NOT NULL,
    channel BIGINT NOT NULL,
    target BIGINT NOT NULL,
    -- From 1.
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    -- 1 sent, 2 to be tried again, 3 failed, 4 in doubt, 5 trouble of our own or the relay's, 6 came back
    outcome BIGINT NOT NULL CHECK (outcome BETWEEN 1 AND 6),
    code BIGINT,
    reason TEXT,
    PRIMARY KEY (message, channel, target, number)
) {clustered};

-- Addresses that get no mail.
CREATE TABLE suppression (
    -- Normalised, as "person.email_key".
    address TEXT {bytewise} NOT NULL,
    -- 1 came back, 2 complained, 3 by hand, 4 unsubscribed. Critical mail goes to those who only unsubscribed.
    source BIGINT NOT NULL CHECK (source BETWEEN 1 AND 4),
    reason TEXT NOT NULL,
    since BIGINT NOT NULL,
    -- 9223372036854775807: for good.
    until BIGINT NOT NULL,
    -- Who put it there by hand; the message whose mail came back or was unsubscribed by.
    author BIGINT REFERENCES person (id),
    message BIGINT,
    PRIMARY KEY (address, source)
) {clustered};
CREATE INDEX suppression_since ON suppression (since, address);
