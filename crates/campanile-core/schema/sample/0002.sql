-- Some rows of each table as 0002 makes them: a mail that has half gone, posts to a saved destination and to a URL.

INSERT INTO run (message, channel, lane, tenant, state, held, cursor, born_at, tried_from, ended_at, recipients, sent,
        failed, suppressed, gone, cancelled, doubtful, lease_by, lease_until, fence) VALUES
    (1, 4, 1, 1002, 1, FALSE, 2, 1700000005000, 1700000005000, NULL, 2, 1, 0, 0, 0, 0, 1, 0, 0, 3),
    (1, 8, 1, 1002, 2, FALSE, 0, 1700000005000, 1700000005000, 1700000006000, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO chunk (message, first, last, lane, tenant, people, size, done, begun, state, begun_at, ended_at, lease_by,
        lease_until, fence)
    VALUES (1, 1, 2, 1, 1002, CAST('two people' AS {blob}), 2, CAST('one' AS {blob}), 2, 0, 1700000005500, NULL, 7,
        1700000035500, 2);
INSERT INTO endpoint (id, name, environment, api, url, headers, proxy, secret, old_secret, old_until, state, created_at,
        succeeded_at, failed_at, failed_code, failed_reason, failing_since, removed_at)
    VALUES (1006, 'Status page', 1, NULL, 'https://hooks.example.com/in', CAST('sealed' AS {blob}), NULL,
        CAST('sealed' AS {blob}), NULL, NULL, 0, 1700000003000, 1700000005100, NULL, NULL, NULL, NULL, NULL);
INSERT INTO post (message, number, endpoint, url, headers, proxy, secret, share) VALUES
    (1, 1, 1006, NULL, NULL, NULL, NULL, 1006),
    (1, 2, NULL, 'https://hooks.example.com/other', CAST('sealed' AS {blob}), FALSE, NULL, -5);
INSERT INTO delivery (message, channel, target, lane, share, state, due, attempts, tries, doubtful, address, code, reason,
        changed_at, lease_by, lease_until, fence) VALUES
    (1, 4, 1, 1, 1002, 0, 1700000065000, 1, 1, 1, 'ann@example.com', 451, 'greylisted', 1700000005900, 0, 0, 1),
    (1, 8, 1, 1, 1006, 2, 1700000005000, 1, 1, 0, NULL, 204, NULL, 1700000005100, 0, 0, 1),
    (1, 8, 2, 1, -5, 3, 1700000005000, 1, 1, 0, NULL, 410, 'gone', 1700000005200, 0, 0, 1);
INSERT INTO attempt (message, channel, target, number, at, took_ms, outcome, code, reason) VALUES
    (1, 4, 1, 1, 1700000005900, 120, 2, 451, 'greylisted'),
    (1, 8, 2, 1, 1700000005200, 30, 3, 410, 'gone');
INSERT INTO suppression (address, source, reason, since, until, author, message) VALUES
    ('bob@example.com', 3, 'asked for it', 1700000004000, 9223372036854775807, 1, NULL),
    ('ann@example.com', 1, '5.1.1', 1700000006500, 1700000007000, NULL, 1);
