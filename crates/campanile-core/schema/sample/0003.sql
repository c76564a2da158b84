-- Some rows of each table as 0003 makes them: somebody who is locked out, a customer with a subscription.

INSERT INTO portal_user (person, phone, mobile, approved, locked_out, roles)
    VALUES (2, '+420 1', NULL, TRUE, TRUE, 'ReportUser,');
INSERT INTO portal_customer (customer, contact_email, country_code, enabled, subscription_type, subscription_enabled,
        period_from, period_to, global_check_quota, alert_sms_quota, alert_email_quota)
    VALUES (1, 'ops@example.com', 'CZ', TRUE, 3, TRUE, 1700000000000, NULL, 100, NULL, 0);
