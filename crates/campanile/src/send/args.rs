//! The flags of `campanile send`, and the draft that they make.

use std::io::Read;
use std::path::{Path, PathBuf};

use campanile_core::audience::Rule;
use campanile_core::message::draft::Draft;
use campanile_core::message::publish::IDEMPOTENCY_CHARS;
use campanile_core::message::target::Target;
use campanile_core::message::{Channel, Importance, TEXT_BYTES};
use campanile_core::time::Moment;
use clap::{ArgGroup, ValueEnum};

use super::posts::Posts;
use crate::exit::Failure;

const EXAMPLES: &str = "\
Examples:
  campanile send --role ADMIN --title \"Maintenance tonight\" --text \"From 22:00 UTC, about ten minutes.\"
  campanile send --api pets --application-role OWNER --title \"Pets v1 retires\" --text-file notice.md
  campanile send --customer 17 --with-sub-customers --title \"New contact\" --preview
  campanile send --everyone --channel portal --channel email --title \"Maintenance tonight\" --yes --wait
  campanile send --channel http --post-endpoint Pager --text-file alert.json --wait";

/// `campanile send`.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    override_usage = "campanile send --title <TITLE> [--text <TEXT>] <WHO GETS IT>... [OPTIONS]",
    after_long_help = EXAMPLES,
    group(ArgGroup::new("audience").required(true).multiple(true).args([
        "roles", "apis", "application_roles", "subscribers_of", "customers", "groups", "to_users", "everyone",
        "post_urls", "post_endpoints",
    ]))
)]
pub struct Args {
    /// Only count the audience and show a few of its people
    #[arg(long)]
    pub(super) preview: bool,
    /// Do not ask before sending
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Print what the server answers as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Wait until every mail and POST has left or failed, and say how many; exit 1 if one failed
    #[arg(long)]
    pub(super) wait: bool,
    #[command(flatten)]
    pub(super) server: Server,
    #[command(flatten)]
    pub(super) whom: Whom,
    #[command(flatten)]
    pub(super) what: What,
    #[command(flatten)]
    pub(super) posts: Posts,
}

const URL_HELP: &str = "The server [env: CAMPANILE_URL] [default: http://127.0.0.1:8480]";
const TOKEN_HELP: &str = "A personal token [env: CAMPANILE_TOKEN, or the name of a file: CAMPANILE_TOKEN_FILE]";
const USER_HELP: &str =
    "Sign in so instead, with the password in CAMPANILE_PASSWORD or in a file named by CAMPANILE_PASSWORD_FILE";

/// Where the server is and who asks.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Server")]
pub(super) struct Server {
    #[arg(long, value_name = "URL", help = URL_HELP)]
    pub(super) url: Option<String>,
    #[arg(long, help = TOKEN_HELP)]
    pub(super) token: Option<String>,
    #[arg(long, value_name = "LOGIN", conflicts_with = "token", help = USER_HELP)]
    pub(super) user: Option<String>,
}

/// Who gets it: the union of all that is named, each person once.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Who gets it (several add up)")]
pub(super) struct Whom {
    /// Who holds this role in the environment
    #[arg(long = "role", id = "roles", value_name = "ROLE")]
    pub(super) roles: Vec<String>,
    /// The environment of --role; the home of a message to groups and users [default: DEFAULT]
    #[arg(long, value_name = "ID")]
    pub(super) environment: Option<String>,
    /// With --application-role: in applications with a valid subscription to this API; the home of a message that is
    /// only posted
    #[arg(long = "api", id = "apis", value_name = "ID")]
    pub(super) apis: Vec<String>,
    /// With --api: who holds this role
    #[arg(long = "application-role", id = "application_roles", value_name = "ROLE")]
    pub(super) application_roles: Vec<String>,
    /// Who made a valid subscription to this API
    #[arg(long, value_name = "API")]
    pub(super) subscribers_of: Vec<String>,
    /// The users of this customer
    #[arg(long = "customer", id = "customers", value_name = "NUMBER")]
    pub(super) customers: Vec<i64>,
    /// With --customer: also those of the customers below
    #[arg(long, requires = "customers")]
    pub(super) with_sub_customers: bool,
    /// Who has a membership on this group
    #[arg(long = "group", id = "groups", value_name = "ID")]
    pub(super) groups: Vec<String>,
    /// The user with this login, or id
    #[arg(long = "to-user", id = "to_users", value_name = "LOGIN")]
    pub(super) to_users: Vec<String>,
    /// Every active user
    #[arg(long)]
    pub(super) everyone: bool,
}

/// What they get.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "What they get")]
pub(super) struct What {
    /// One line; a message that is only posted needs none
    #[arg(long, required_unless_present_any = ["post_urls", "post_endpoints"])]
    pub(super) title: Option<String>,
    /// How they get it; several add up [default: portal]
    #[arg(long = "channel", id = "channels", value_name = "CHANNEL", value_enum)]
    pub(super) channels: Vec<Way>,
    /// Markdown: bold, italic, links, lists
    #[arg(long)]
    pub(super) text: Option<String>,
    /// A file that holds the text; "-" is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub(super) text_file: Option<PathBuf>,
    /// Who it says it is from [default: your name]
    #[arg(long, value_name = "NAME")]
    pub(super) sender: Option<String>,
    /// How much it matters
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Weight::Low)]
    pub(super) importance: Weight,
    /// Not shown before, such as 2027-01-31T08:00:00Z [default: at once]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) opens_at: Option<Moment>,
    /// Not shown after [default: never ends]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) closes_at: Option<Moment>,
    /// People have to say that they have read it; a banner stands until they do
    #[arg(long)]
    pub(super) must_acknowledge: bool,
    /// at-send: who matches when it is published, and nobody later; while-active: who matches while it is open
    /// [default: at-send, of a banner while-active]
    #[arg(long, value_name = "RULE", value_enum)]
    pub(super) late_joiners: Option<LateJoiners>,
    /// The same key is the same message, sent once [default: made up]
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub(super) idempotency_key: Option<String>,
}

/// [`Importance`] as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Weight {
    Low,
    High,
    Critical,
}

/// [`Channel`] as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Way {
    /// Bell and inbox
    Portal,
    /// At the top of every page
    Banner,
    /// A mail to everybody who has an address
    Email,
    /// A POST to --post-url or --post-endpoint
    Http,
}

/// [`Rule`] as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LateJoiners {
    AtSend,
    WhileActive,
}

fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse(text).ok_or_else(|| "must be a date and time of RFC 3339, such as 2027-01-31T08:00:00Z".into())
}

fn key(text: &str) -> Result<String, String> {
    if (1..=IDEMPOTENCY_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "must be 1 to {IDEMPOTENCY_CHARS} visible ASCII characters without spaces"
        ))
    }
}

impl Args {
    /// The message as the server takes it, but for saved endpoints; reads the files of text and secret.
    pub(super) fn draft(&self) -> Result<Draft, Failure> {
        let what = &self.what;
        let channels = self.channels()?;
        let is_post = channels == [Channel::Http] && self.whom.is_home();
        let mut audience = Vec::new();
        if !is_post {
            self.whom.check()?;
            audience = self.whom.targets();
            let missing = match (audience.is_empty(), &what.title) {
                (true, _) => Some("--channel portal and email need somebody who gets it, such as --role ADMIN"),
                (false, None) if channels != [Channel::Banner] => Some("--title is needed"),
                _ => None,
            };
            if let Some(missing) = missing {
                return Err(Failure::Usage(missing.into()));
            }
        }
        let text = match (&what.text, &what.text_file) {
            (Some(text), _) => text.clone(),
            (None, Some(path)) => read(path)?,
            (None, None) => String::new(),
        };
        Ok(Draft {
            sender_name: what.sender.clone(),
            importance: match what.importance {
                Weight::Low => Importance::Low,
                Weight::High => Importance::High,
                Weight::Critical => Importance::Critical,
            },
            channels,
            opens_at: what.opens_at,
            closes_at: what.closes_at,
            must_acknowledge: what.must_acknowledge,
            late_joiners: what.late_joiners.map(|rule| match rule {
                LateJoiners::AtSend => Rule::AtSend,
                LateJoiners::WhileActive => Rule::WhileActive,
            }),
            environment: self.whom.environment.clone(),
            api: self.whom.apis.first().filter(|_| is_post).cloned(),
            posts: self.posts.typed()?,
            ..Draft::new(what.title.clone().unwrap_or_default(), text, audience)
        })
    }
}

impl Args {
    /// The channels, the portal where none is named; those that need more than was said are refused.
    fn channels(&self) -> Result<Vec<Channel>, Failure> {
        let mut channels: Vec<Channel> = self
            .what
            .channels
            .iter()
            .map(|way| match way {
                Way::Portal => Channel::Portal,
                Way::Banner => Channel::Banner,
                Way::Email => Channel::Email,
                Way::Http => Channel::Http,
            })
            .collect();
        if channels.is_empty() {
            channels.push(Channel::Portal);
        }
        let posts = channels.contains(&Channel::Http);
        let wrong = match (posts, self.posts.is_empty()) {
            (true, true) => Some("--channel http needs --post-url or --post-endpoint"),
            (false, false) => Some("--post-url and --post-endpoint need --channel http"),
            _ if self.wait && !channels.iter().any(|one| matches!(one, Channel::Email | Channel::Http)) => {
                Some("--wait is for --channel email and http: portal and banner are there at once")
            }
            _ => None,
        };
        match wrong {
            Some(wrong) => Err(Failure::Usage(wrong.into())),
            None => Ok(channels),
        }
    }
}

impl Whom {
    /// Whether nobody is named: at most the home of a message that is only posted.
    fn is_home(&self) -> bool {
        let no_people = self.roles.is_empty()
            && self.application_roles.is_empty()
            && self.subscribers_of.is_empty()
            && self.customers.is_empty()
            && self.groups.is_empty()
            && self.to_users.is_empty();
        no_people && !self.everyone && self.apis.len() <= 1
    }

    /// An API and an application role name an audience only together: says what is left out.
    fn check(&self) -> Result<(), Failure> {
        let needed = match (self.apis.first(), self.application_roles.first()) {
            (Some(api), None) => format!(
                "--api {api} needs --application-role too: who holds which role in the applications that subscribe to \
                 it, such as --application-role PRIMARY_OWNER; for those who made the subscriptions, take \
                 --subscribers-of {api} instead"
            ),
            (None, Some(role)) => format!(
                "--application-role {role} needs --api too: to which API the applications subscribe; for a role in an \
                 environment, take --role instead"
            ),
            _ => return Ok(()),
        };
        Err(Failure::Usage(needed))
    }

    /// The parts of the audience; every API with every application role.
    fn targets(&self) -> Vec<Target> {
        let environment = self.environment.as_deref().unwrap_or("DEFAULT");
        let roles = self.roles.iter().map(|role| Target::EnvironmentRole {
            environment: environment.to_owned(),
            role: role.clone(),
        });
        let api_roles = self.apis.iter().flat_map(|api| {
            self.application_roles.iter().map(|role| Target::ApiRole {
                api: api.clone(),
                role: role.clone(),
            })
        });
        let subscribers = self
            .subscribers_of
            .iter()
            .cloned()
            .map(|api| Target::Subscribers { api, any_status: false });
        let customers = self.customers.iter().map(|customer| Target::Customer {
            customer: *customer,
            include_sub_customers: self.with_sub_customers,
        });
        let groups = self.groups.iter().cloned().map(|group| Target::Group { group });
        let users = self.to_users.iter().cloned().map(|user| Target::User { user });
        let everyone = self.everyone.then_some(Target::Everyone);
        roles
            .chain(api_roles)
            .chain(subscribers)
            .chain(customers)
            .chain(groups)
            .chain(users)
            .chain(everyone)
            .collect()
    }
}

/// The text in a file, without the line break at its end. More than a message takes is not read.
fn read(path: &Path) -> Result<String, Failure> {
    let wrong = |reason: String| Failure::Usage(format!("--text-file {}: {reason}", path.display()));
    let mut text = String::new();
    let limit = TEXT_BYTES as u64 + 2;
    let done = if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text))
    };
    done.map_err(|error| wrong(error.to_string()))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.len() > TEXT_BYTES {
        return Err(wrong(format!("is longer than {TEXT_BYTES} bytes")));
    }
    Ok(text.to_owned())
}
