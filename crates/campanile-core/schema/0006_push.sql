-- Web Push: browsers that want to hear of what rings their person's bell while no page is open, and what is on its way
-- to them. Nothing is kept of what has left: a row of "push" is work, and goes when it is done.

-- A browser's subscription (RFC 8030).
CREATE TABLE device (
    id TEXT NOT NULL PRIMARY KEY,
    person BIGINT NOT NULL REFERENCES person (id),
    -- Where its messages are posted to; known to the browser and to us alone.
    endpoint TEXT NOT NULL UNIQUE,
    -- Its public key, an uncompressed point of P-256.
    p256dh {blob} NOT NULL CHECK (LENGTH(p256dh) = 65),
    -- Its secret, sealed for the endpoint.
    auth {blob} NOT NULL,
    -- What is less important than this is not pushed; as in "message".
    floor BIGINT NOT NULL CHECK (floor BETWEEN 0 AND 2),
    -- What its browser calls itself.
    agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Its browser was last here.
    heard_at BIGINT NOT NULL,
    -- As the browser says.
    expires_at BIGINT,
    -- Messages that its push service has taken since it was last heard of.
    pushed BIGINT NOT NULL,
    pushed_at BIGINT,
    -- The last failure since the last success.
    failed_at BIGINT,
    failed_code BIGINT
);
CREATE INDEX device_person ON device (person);
CREATE INDEX device_heard ON device (heard_at);

-- A message whose devices are being listed.
CREATE TABLE push_run (
    message {id} PRIMARY KEY REFERENCES message (id),
    -- Taken back: what was shown goes away.
    removes BOOLEAN NOT NULL,
    -- As in "run".
    lane BIGINT NOT NULL CHECK (lane BETWEEN 0 AND 2),
    -- From this person on.
    cursor BIGINT NOT NULL,
    since BIGINT NOT NULL,
    -- It may be taken from then on; whoever takes it, or another listing, moves both.
    due BIGINT NOT NULL,
    fence BIGINT NOT NULL
);

-- What is to be posted to a device.
CREATE TABLE push (
    device TEXT NOT NULL,
    message BIGINT NOT NULL,
    lane BIGINT NOT NULL CHECK (lane BETWEEN 0 AND 2),
    removes BOOLEAN NOT NULL,
    -- Of one that removes: the device may show the message.
    shown BOOLEAN NOT NULL,
    since BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- As in "push_run": what is in somebody's hands is due again when their time is over.
    due BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    PRIMARY KEY (device, message)
) {clustered};
CREATE INDEX push_due ON push (lane, due);

-- The key pair by which push services know this installation (RFC 8292): PKCS#8, sealed.
CREATE TABLE vapid (
    one {id} PRIMARY KEY CHECK (one = 1),
    pair {blob} NOT NULL
);
