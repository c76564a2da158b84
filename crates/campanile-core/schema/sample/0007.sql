-- Some rows as 0007 makes them.

INSERT INTO site (id, name, name_key, customer, author, created_at) VALUES ('s-1', 'Shop', 'shop', NULL, 1, 1700000000000);
INSERT INTO site (id, name, name_key, author, created_at, ended_at)
    VALUES ('s-2', 'Shop', 'shop', 1, 1700000000000, 1700000000001);
INSERT INTO site_origin (site, origin) VALUES ('s-1', 'https://shop.example.com');
INSERT INTO site_key (id, site, algorithm, secret, author, created_at)
    VALUES ('k-1', 's-1', 1, CAST('sealed' AS {blob}), 1, 1700000000000);
INSERT INTO site_key (id, site, algorithm, point, created_at, used_at, ended_at)
    VALUES ('k-2', 's-1', 2, CAST('a point is 65 bytes long, and so is this text, which is none....!' AS {blob}),
        1700000000000, 1700000000000, 1700000000001);
