-- Some rows as 0004 makes them.

INSERT INTO journal (at, actor, acting_for, from_via, from_address, from_token, action, kind, object, revision, before, after)
    VALUES (1700000008500, 1, NULL, 2, '192.0.2.1', 'ab12cd34', 2, 4, 'team', 9, '{"name":"Teem"}', '{"name":"Team"}'),
    (1700000008600, NULL, 2, 5, NULL, NULL, 1, 13, 'u-bob', NULL, NULL, '{"name":"ci"}');
UPDATE message SET from_via = 1, from_address = '192.0.2.1' WHERE id = 1;
