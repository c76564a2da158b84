-- Some rows as 0006 makes them.

INSERT INTO device (id, person, endpoint, p256dh, auth, floor, agent, created_at, heard_at, pushed)
    VALUES ('d-1', 1, 'https://push.example.com/1',
        CAST('a point is 65 bytes long, and so is this text, which is none....!' AS {blob}), CAST('sealed' AS {blob}), 0,
        'Browser', 1700000000000, 1700000000000, 0);
INSERT INTO push_run (message, removes, lane, cursor, since, due, fence) VALUES (1, FALSE, 1, 0, 1700000000000, 0, 0);
INSERT INTO push (device, message, lane, removes, shown, since, attempts, due, fence)
    VALUES ('d-1', 1, 1, FALSE, FALSE, 1700000000000, 0, 0, 0);
INSERT INTO vapid (one, pair) VALUES (1, CAST('sealed' AS {blob}));
