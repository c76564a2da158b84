-- Some rows as 0008 makes them.

INSERT INTO forgotten (message, revision) VALUES (900, 8);
