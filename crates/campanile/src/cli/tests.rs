//! What can be typed, and what is told of it.

use clap::error::ErrorKind;

use super::*;

fn parsed(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn refusal(line: &str) -> ErrorKind {
    parsed(line).map(|_| ()).unwrap_err().kind()
}

#[test]
fn the_command_line_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn help() {
    // Not as wide as the terminal of whoever runs this.
    let mut command = Cli::command().term_width(100);
    command.build();
    insta::assert_snapshot!("campanile", command.render_help());
    for one in command.get_subcommands_mut() {
        let name = one.get_name().to_owned();
        insta::assert_snapshot!(name, one.render_long_help());
    }
}

#[test]
fn settings_may_stand_before_and_after_the_command() {
    for line in [
        "campanile --listen :0 serve --database sqlite://x.db --log-format json",
        "campanile serve --database sqlite://x.db --log-format json --listen :0",
    ] {
        let flags = parsed(line).unwrap().settings;
        let settings = config::Settings::from_sources(None, &|_| None, flags).unwrap();
        assert_eq!(settings.listen.port(), 0);
        assert_eq!(settings.database.expose(), "sqlite://x.db");
        assert_eq!(settings.log_format, config::LogFormat::Json);
    }
}

#[test]
fn a_token_has_a_name_or_is_the_ticket() {
    let token = |line: &str| match parsed(line).unwrap().command {
        Command::Token(token) => token,
        other => panic!("{other:?}"),
    };
    let named = token("campanile token ci --user admin --expires 90d");
    assert_eq!((named.name.as_deref(), named.ticket), (Some("ci"), false));
    assert_eq!(named.expires, Some(Duration::from_hours(90 * 24)));
    assert!(token("campanile token --user ann --ticket").name.is_none());
    assert_eq!(
        refusal("campanile token --user ann"),
        ErrorKind::MissingRequiredArgument
    );
    assert_eq!(refusal("campanile token ci"), ErrorKind::MissingRequiredArgument);
    assert_eq!(
        refusal("campanile token ci --user ann --ticket"),
        ErrorKind::ArgumentConflict
    );
    assert_eq!(
        refusal("campanile token ci --user ann --expires soon"),
        ErrorKind::ValueValidation
    );
}

#[test]
fn tokens_are_listed_and_revoked_by_user() {
    let token = |line: &str| match parsed(line).unwrap().command {
        Command::Token(token) => token.existing,
        other => panic!("{other:?}"),
    };
    let list = token("campanile token list --user ann --json");
    assert!(matches!(list, Some(Existing::List { user, json: true }) if user == "ann"));
    let revoke = token("campanile token revoke ci --user ann --database sqlite://x.db");
    assert!(matches!(revoke, Some(Existing::Revoke { which, user }) if which == "ci" && user == "ann"));
    for line in [
        "campanile token list",
        "campanile token revoke --user ann",
        "campanile token revoke ci",
    ] {
        assert_eq!(refusal(line), ErrorKind::MissingRequiredArgument, "{line}");
    }
}

#[test]
fn what_does_not_exist_is_refused() {
    assert_eq!(refusal("campanile ring"), ErrorKind::InvalidSubcommand);
    assert_eq!(refusal("campanile serve --port 80"), ErrorKind::UnknownArgument);
    assert_eq!(refusal("campanile import"), ErrorKind::MissingRequiredArgument);
    assert_eq!(refusal("campanile completions tcsh"), ErrorKind::InvalidValue);
}

#[test]
fn completions_know_the_commands() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "campanile", &mut script);
        let script = String::from_utf8(script).unwrap();
        for word in ["serve", "import", "subscribers-of", "with-sub-customers"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}
