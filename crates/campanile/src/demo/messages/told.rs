//! The stories themselves.

use campanile_core::inbox::act::Action;
use campanile_core::message::Importance;
use campanile_core::message::target::Target;
use campanile_core::time::Moment;

use super::{DAY, HOUR, MINUTE, Story, below, correction, date, message, owners, role};

/// What the administrator tells everybody.
pub(super) fn of_the_platform(now: Moment) -> [Story; 4] {
    let welcome = "Good to have you here. Three things to do first:\n\n\
        1. look through your **profile**, above all the email address;\n\
        2. open the [catalogue](https://portal.platform.example/catalogue) and try an API;\n\
        3. tell your team where the *bell* is.\n\n\
        Questions? Write to [support](https://portal.platform.example/support).";
    let reset = "The test environment is reset on Friday at 06:00 UTC. Applications and subscriptions stay; \
        **all test data goes**. Save what you need before.";
    let draft = "Prices for next year, for review by finance. Not to be shown before the board has agreed.";
    let manager = "From this month **Ngozi Okafor** looks after everything that concerns Aurelia on the platform:\n\n\
        - contracts and invoices,\n- quotas,\n- anything that does not move.\n\nShe answers within a working day.";
    let test = Target::EnvironmentRole {
        environment: "TEST".into(),
        role: "USER".into(),
    };
    [
        Story::new(
            now,
            28 * DAY,
            "admin",
            message("Welcome to the platform", welcome, Target::Everyone),
        )
        .read_by(82)
        .act("una", 2 * HOUR, Action::Read)
        .act("carol", 3 * HOUR, Action::Read)
        .act("carol", 3 * HOUR + MINUTE, Action::Archive)
        .act("paul", 5 * HOUR, Action::Read)
        .act("ada", 6 * HOUR, Action::Archive),
        Story::new(
            now,
            11 * DAY,
            "admin",
            message("Test environment is reset on Friday", reset, test),
        )
        .closes(now.plus_ms(-6 * DAY))
        .read_by(55),
        Story::new(
            now,
            5 * DAY,
            "admin",
            message("Your contact at the platform", manager, below(2)),
        )
        .from("Customer care")
        .read_by(38),
        Story::new(
            now,
            3 * DAY,
            "admin",
            message("Price list of next year", draft, Target::Everyone),
        )
        .from("Finance")
        .disabled(),
    ]
}

/// What the environment's administrator tells those who work in it, of limits and dates.
pub(super) fn of_limits_and_dates(now: Moment) -> [Story; 4] {
    let hours = "Every Thursday, 14:00 to 15:00 UTC, somebody of the platform team answers what you ask. \
        Bring your questions about *OAuth scopes*.";
    let limits = "Every application may now make 1,000 calls a day. Nothing to do for you.";
    let right = "Every application may now make **10,000** calls a day. Nothing to do for you.";
    let certificates = format!(
        "The old chain ends on **{}**. Clients that pin it will be refused from that day on.\n\n\
         - Fetch the [new chain](https://portal.platform.example/certificates).\n\
         - Restart what reads it only at its start.\n\
         - Tell your consumers, if they pin it too.",
        date(now.plus_ms(6 * DAY))
    );
    let mistake = "Orders answers 503 on Saturday from 08:00 to 12:00 UTC.";
    let renewal = message("Gateway certificates must be renewed", &certificates, role("ADMIN"));
    [
        Story::new(
            now,
            24 * DAY,
            "ada",
            message("Office hours on Thursdays", hours, role("USER")),
        )
        .closes(now.plus_ms(-3 * DAY))
        .read_by(41)
        .act("una", HOUR, Action::Read),
        Story::new(now, 18 * DAY, "ada", message("Higher limits", limits, role("USER")))
            .read_by(64)
            .correct(2 * HOUR, correction("Higher limits: 10,000 calls a day", right, false))
            .act("una", 4 * HOUR, Action::Read)
            .act("una", 5 * DAY, Action::Archive),
        Story::new(now, 14 * DAY, "ada", renewal)
            .also(role("API_PUBLISHER"))
            .from("Platform security")
            .of(Importance::Critical)
            .read_by(60)
            .act("paul", 20 * MINUTE, Action::Read)
            .act("ada", 30 * MINUTE, Action::Read)
            .act("paul", 3 * DAY, Action::Unread),
        Story::new(
            now,
            9 * DAY,
            "ada",
            message("Orders: downtime on Saturday", mistake, role("USER")),
        )
        .of(Importance::High)
        .read_by(12)
        .act("carol", 10 * MINUTE, Action::Read)
        .recall(25 * MINUTE),
    ]
}

/// What the environment's administrator tells those who work in it, of how to do things.
pub(super) fn of_how_to(now: Moment) -> [Story; 3] {
    let style = "The [style guide](https://portal.platform.example/style) has three new rules:\n\n\
        1. dates are RFC 3339;\n2. errors are problem details:\n   - `title` never changes,\n   - `detail` may;\n\
        3. every list has a limit.";
    let incident = "Something is broken, or looks like an attack? **Do not write a mail.**\n\n\
        - By day: the [status page](https://status.platform.example) has a button.\n\
        - By night: the number stands there too.\n\nIt is never wrong to ask.";
    let review = "On the second Tuesday of the month we read one another's clients. Bring one file.";
    let group = Target::Group { group: "g-1".into() };
    [
        Story::new(
            now,
            8 * DAY,
            "ada",
            message("How to report an incident", incident, role("USER")),
        )
        .from("Platform security")
        .for_late_joiners()
        .read_by(33)
        .act("carol", 2 * HOUR, Action::Read),
        Story::new(now, 7 * DAY, "ada", message("Code review day", review, group)).read_by(50),
        Story::new(
            now,
            3 * DAY + HOUR,
            "ada",
            message("How to describe an API", style, role("API_PUBLISHER")),
        )
        .read_by(70)
        .act("paul", DAY, Action::Read),
    ]
}

/// What the owner of two APIs tells their consumers.
pub(super) fn of_apis(now: Moment) -> [Story; 4] {
    let end = date(now.plus_ms(200 * DAY));
    let retires = format!(
        "Version 1 of the *Payments* API answers until **{end}, 12:00 UTC**. Please move to version 2 before then:\n\n\
         1. subscribe to Payments v2;\n\
         2. change the address and the name of two fields, see [how](https://portal.platform.example/payments/v2);\n\
         3. end the old subscription.\n\nMost applications need about an hour."
    );
    let refunds = "Refunds take an `Idempotency-Key` now: the same key is the same refund, however often it is sent.";
    let cards = "The test cards that begin with 4000 are refused from now on. \
        [The new ones](https://portal.platform.example/payments/cards) work in both versions.";
    let reminder = format!("This is a reminder: **{end}** is the last day. Your application still calls version 1.");
    let subscribers = |api: &str| Target::Subscribers {
        api: api.into(),
        any_status: false,
    };
    [
        Story::new(
            now,
            21 * DAY,
            "paul",
            message("Refunds without doubles", refunds, subscribers("payments-v2")),
        )
        .from("Payments team")
        .read_by(48),
        Story::new(
            now,
            15 * DAY,
            "paul",
            message(
                &format!("Version 1 retires on {end}"),
                &retires,
                owners("PRIMARY_OWNER"),
            ),
        )
        .also(owners("OWNER"))
        .from("Payments team")
        .of(Importance::High)
        .read_by(75)
        .act("una", DAY, Action::Read),
        Story::new(
            now,
            4 * DAY,
            "paul",
            message("Other test cards", cards, subscribers("payments-v1")),
        )
        .also(subscribers("payments-v2"))
        .from("Payments team")
        .read_by(20),
        Story::new(
            now,
            DAY,
            "paul",
            message(
                &format!("Reminder: version 1 retires on {end}"),
                &reminder,
                owners("PRIMARY_OWNER"),
            ),
        )
        .also(owners("OWNER"))
        .from("Payments team")
        .of(Importance::High)
        .read_by(15),
    ]
}

/// What a customer's administrator tells the people of the customer.
pub(super) fn of_customers(now: Moment) -> [Story; 3] {
    let login = "From Monday you sign in with your Norrsken account. Your password here ends then.\n\n\
        - *At work* nothing changes.\n- *At home* you need the app.";
    let turbines = "The [readings of last month](https://data.norrsken.example/readings) are complete. \
        Turbine 14 was measured by hand.";
    let report = "The report that you asked for is in your folder. It holds all sub-customers.";
    let carol = Target::User { user: "u-carol".into() };
    [
        Story::new(
            now,
            12 * DAY,
            "carol",
            message("One account for everything", login, below(17)),
        )
        .from("Norrsken IT")
        .of(Importance::High)
        .read_by(67)
        .act("una", 3 * HOUR, Action::Read)
        .act("una", 2 * DAY, Action::Archive),
        Story::new(
            now,
            8 * DAY + 2 * HOUR,
            "carol",
            message(
                "Readings are complete",
                turbines,
                Target::Customer {
                    customer: 18,
                    include_sub_customers: false,
                },
            ),
        )
        .from("Norrsken IT")
        .read_by(44),
        Story::new(now, 2 * DAY, "ada", message("Your report", report, carol)).from("Reporting"),
    ]
}

/// What is going on.
pub(super) fn of_today(now: Moment) -> [Story; 3] {
    let maintenance = "Tonight from 22:00 to 23:30 UTC the databases move. **The portal stays readable**; \
        new subscriptions wait until it is done.";
    let errors = "One call in fifty fails since this morning. We are looking for the cause.";
    let mended = "One call in fifty failed this morning. A pool of connections was too small; it is mended.";
    let holidays = "From 24 December to 1 January support answers only what is *critical*. Everything else waits.";
    let shipping = Target::Subscribers {
        api: "shipping".into(),
        any_status: false,
    };
    [
        Story::new(
            now,
            3 * HOUR,
            "ada",
            message("Maintenance tonight", maintenance, role("USER")),
        )
        .from("Operations")
        .of(Importance::High)
        .with_banner()
        .closes(now.plus_ms(14 * HOUR))
        .read_by(18)
        .act("ada", 5 * MINUTE, Action::Read),
        Story::new(
            now,
            HOUR,
            "ada",
            message("Support over the holidays", holidays, role("USER")),
        )
        .from("Support")
        .opens(now.plus_ms(2 * DAY)),
        Story::new(
            now,
            50 * MINUTE,
            "admin",
            message("More errors than usual", errors, shipping),
        )
        .from("Operations")
        .of(Importance::Critical)
        .read_by(25)
        .correct(40 * MINUTE, correction("Mended: more errors than usual", mended, true)),
    ]
}
