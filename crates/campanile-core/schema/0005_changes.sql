-- What a change of a message says beyond 0001 and 0004.

-- Whether those below the customer were included, before: of the UI messages contract, kept where the audience is everyone.
ALTER TABLE edition ADD COLUMN sub_customers BOOLEAN NOT NULL DEFAULT FALSE;
-- Switched on (5) or off (6) by the same change, where that was of another sort.
ALTER TABLE edition ADD COLUMN switched BIGINT;
