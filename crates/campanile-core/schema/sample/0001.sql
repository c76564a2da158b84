-- Some rows of each table as 0001 makes them: a customer tree, an API with a subscriber, a message that was corrected and
-- read. Later migrations run over it. Statements end with a semicolon at the end of a line.

INSERT INTO person (id, key, login, login_key, name, name_key, email, email_key, locale, zone, asm_role, guid, password,
        ticket_serial, ticket_hash, changed) VALUES
    (1, 'u-ann', 'Ann', 'ann', 'Ann Archer', 'ann archer', 'Ann@Example.com', 'ann@example.com', 'en', 'Europe/Berlin', 2,
        '00000000-0000-4000-8000-000000000001', '$argon2id$v=19$none', 1, CAST('a ticket' AS {blob}), 1),
    (2, 'u-bob', 'bob', 'bob', 'Bob', 'bob', NULL, NULL, NULL, NULL, 0,
        '00000000-0000-4000-8000-000000000002', NULL, 0, NULL, 5);
INSERT INTO customer (id, name, name_key) VALUES (1, 'Acme', 'acme'), (2, 'Acme North', 'acme north');
INSERT INTO grp (id, key, name, name_key) VALUES (1001, 'team', 'Team', 'team');
INSERT INTO api (id, key, name, name_key, environment) VALUES (1002, 'pets', 'Pets', 'pets', 1);
INSERT INTO application (id, key, name, name_key, environment) VALUES (1003, 'shop', 'Shop', 'shop', 1);
INSERT INTO subscription (id, key, api, application) VALUES (1004, 'shop-pets', 1002, 1003);
INSERT INTO role (id, scope, name, system) VALUES (1005, 2, 'RINGER', FALSE);
INSERT INTO role_permission (role, permission, letters) VALUES (1005, 'MESSAGE', 12);

INSERT INTO life (kind, object, since, until, since_at, until_at) VALUES
    (1, 1, 1, 9223372036854775807, 1700000000000, 9223372036854775807),
    (1, 2, 2, 9, 1700000001000, 1700000008000),
    (2, 1, 3, 9223372036854775807, 1700000002000, 9223372036854775807),
    (2, 2, 3, 9223372036854775807, 1700000002000, 9223372036854775807),
    (4, 1001, 4, 9223372036854775807, 1700000003000, 9223372036854775807),
    (5, 1002, 4, 9223372036854775807, 1700000003000, 9223372036854775807),
    (6, 1003, 4, 9223372036854775807, 1700000003000, 9223372036854775807),
    (7, 1004, 4, 9223372036854775807, 1700000003000, 9223372036854775807);
INSERT INTO membership (person, place, object, role, since, until, since_at, until_at) VALUES
    (1, 1, 1, 1, 1, 9223372036854775807, 1700000000000, 9223372036854775807),
    (1, 2, 1, 1005, 5, 9223372036854775807, 1700000004000, 9223372036854775807),
    (2, 4, 1003, 11, 5, 9, 1700000004000, 1700000008000);
INSERT INTO residence (person, customer, since, until, since_at, until_at)
    VALUES (2, 2, 5, 9, 1700000004000, 1700000008000);
INSERT INTO parentage (customer, parent, since, until, since_at, until_at)
    VALUES (2, 1, 3, 9223372036854775807, 1700000002000, 9223372036854775807);
INSERT INTO lineage (customer, ancestor, since, until, since_at, until_at) VALUES
    (1, 1, 3, 9223372036854775807, 1700000002000, 9223372036854775807),
    (2, 2, 3, 9223372036854775807, 1700000002000, 9223372036854775807),
    (2, 1, 3, 9223372036854775807, 1700000002000, 9223372036854775807);
INSERT INTO attachment (grp, place, object, since, until, since_at, until_at)
    VALUES (1001, 4, 1003, 4, 9223372036854775807, 1700000003000, 9223372036854775807);
INSERT INTO term (subscription, api, application, status, subscriber, starts_at, ends_at, since, until, since_at, until_at)
    VALUES (1004, 1002, 1003, 1, 1, 0, 9223372036854775807, 4, 9223372036854775807, 1700000003000, 9223372036854775807);

INSERT INTO message (id, revision, published_at, rule, environment, api, api_name, title, body, format, sender_name,
        importance, channels, opens_at, closes_at, enabled, author, created_at, arrival, arrival_at, ring, edition,
        edited_at, recalled, recalled_at, missed, people, without_email) VALUES
    (1, 6, 1700000005000, 0, 1, 1002, 'Pets', 'Tonight', 'From *22:00*.', 0, 'Ann', 1, 1, 0, 9223372036854775807, TRUE, 1,
        1700000005000, 6, 1700000005000, 6, 2, 1700000006000, NULL, NULL, FALSE, 1, 0),
    (2, NULL, NULL, 1, NULL, NULL, NULL, 'Later', '', 0, 'Ann', 0, 3, 1900000000000, 9223372036854775807, TRUE, 1,
        1700000007000, 0, 0, 0, 1, NULL, NULL, NULL, FALSE, NULL, NULL);
INSERT INTO audience (message, kind, object, role) VALUES (1, 3, 1002, 0), (2, 6, 0, 0);
INSERT INTO edition (revision, message, at, author, change, rang, title, body, sender_name, importance, opens_at, closes_at,
        enabled, api_name)
    VALUES (7, 1, 1700000006000, 1, 1, FALSE, 'Tonigth', 'From *22:00*.', 'Ann', 1, 0, 9223372036854775807, TRUE, 'Pets');
INSERT INTO idempotency (author, key, fingerprint, message, at)
    VALUES (1, 'key-1', CAST('a fingerprint' AS {blob}), 1, 1700000005000);
INSERT INTO engagement (person, message, seen_at, read_at, read_revision, written)
    VALUES (1, 1, 1700000006500, 1700000006500, 7, 1);
INSERT INTO mark (person, kind, at, revision, clock, written) VALUES (1, 1, 1700000006400, 7, 1700000006400, 1);
INSERT INTO session (id, person, hash, created_at, used_at, expires_at, agent, address)
    VALUES ('s-1', 1, CAST('a session' AS {blob}), 1700000000000, 1700000000000, 1900000000000, 'curl', '127.0.0.1');
INSERT INTO token (id, person, name, hash, created_at, used_at, expires_at)
    VALUES ('t-1', 1, 'ci', CAST('a token' AS {blob}), 1700000000000, NULL, NULL);
UPDATE tally SET value = CASE name WHEN 'customer' THEN 2 WHEN 'directory' THEN 9 WHEN 'message' THEN 2
    WHEN 'messages' THEN 8 WHEN 'person' THEN 2 WHEN 'revision' THEN 9 WHEN 'revision_at' THEN 1700000008000
    ELSE 1005 END;
