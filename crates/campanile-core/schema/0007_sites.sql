-- Sites: applications that show bell, inbox and banners in pages of their own, and sign in their people with tokens
-- that they sign. They come and go by an operator's hand, 100 at a time at most; of what has ended a row stays, so that
-- a token of it can be told so.

CREATE TABLE site (
    id TEXT {bytewise} NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- Folded, as names of the directory are: no two sites have one name.
    name_key TEXT {bytewise} NOT NULL,
    -- Only people of this customer, and of those below it, come by its tokens; NULL: everybody.
    customer BIGINT REFERENCES customer (id),
    author BIGINT REFERENCES person (id),
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX site_name ON site (name_key) WHERE ended_at IS NULL;

-- The origins (RFC 6454) of its pages, as browsers write them. A site that has ended has none.
CREATE TABLE site_origin (
    site TEXT {bytewise} NOT NULL REFERENCES site (id),
    origin TEXT {bytewise} NOT NULL CHECK (origin LIKE 'http%://_%' AND origin NOT LIKE '%*%'),
    PRIMARY KEY (origin, site)
) {clustered};
CREATE INDEX site_origin_site ON site_origin (site);

-- What a site's tokens are signed with; several at once, so that one can take the place of another.
CREATE TABLE site_key (
    -- The "kid" of a token.
    id TEXT {bytewise} NOT NULL PRIMARY KEY,
    site TEXT {bytewise} NOT NULL REFERENCES site (id),
    -- 1 HS256, 2 ES256
    algorithm BIGINT NOT NULL CHECK (algorithm BETWEEN 1 AND 2),
    -- Of HS256, sealed for the key's id; gone when the key has ended.
    secret {blob},
    -- Of ES256: an uncompressed point of P-256.
    point {blob} CHECK (LENGTH(point) = 65),
    author BIGINT REFERENCES person (id),
    created_at BIGINT NOT NULL,
    -- To the minute.
    used_at BIGINT,
    ended_at BIGINT,
    CHECK ((algorithm = 1) = (point IS NULL)),
    CHECK ((algorithm = 1 AND ended_at IS NULL) = (secret IS NOT NULL))
);
CREATE INDEX site_key_site ON site_key (site, created_at);
