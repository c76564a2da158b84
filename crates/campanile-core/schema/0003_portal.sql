-- What the UI messages contract says of people and customers beyond the directory: a row for each of whom anything was
-- said there. None of it has history.

CREATE TABLE portal_user (
    person {id} PRIMARY KEY REFERENCES person (id),
    phone TEXT CHECK (phone <> ''),
    mobile TEXT CHECK (mobile <> ''),
    -- Who is not approved, or is locked out, is let in nowhere. They stay in every audience.
    approved BOOLEAN NOT NULL,
    locked_out BOOLEAN NOT NULL,
    -- Names of the contract beside the one that "person.asm_role" says, each followed by a comma. They decide nothing.
    roles TEXT NOT NULL
);

CREATE TABLE portal_customer (
    customer {id} PRIMARY KEY REFERENCES customer (id),
    contact_email TEXT,
    country_code TEXT CHECK (LENGTH(country_code) = 2),
    enabled BOOLEAN NOT NULL,
    -- The subscription. 0 Standard, 1 PoC, 2 Evaluation, 3 Trial
    subscription_type BIGINT NOT NULL CHECK (subscription_type BETWEEN 0 AND 3),
    subscription_enabled BOOLEAN NOT NULL,
    -- Milliseconds, whole seconds.
    period_from BIGINT,
    period_to BIGINT,
    global_check_quota BIGINT CHECK (global_check_quota BETWEEN 0 AND 2147483647),
    alert_sms_quota BIGINT CHECK (alert_sms_quota BETWEEN 0 AND 2147483647),
    alert_email_quota BIGINT CHECK (alert_email_quota BETWEEN 0 AND 2147483647),
    CHECK (period_to >= period_from)
);
