use super::*;

const KEY: &str = "3q2+7wABAgMEBQYHCAkKCwwNDg8QESIzRFVmd4iZqrs=";

fn load(file: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let mut environment = vec![("INTEGRATOR_VAULT__KEY".to_owned(), KEY.to_owned())];
    environment.extend(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    Config::from_parts(file, environment).map_err(|error| error.mistakes)
}

fn check_refused(file: &str, variables: &[(&str, &str)], expected: &str) {
    let mistakes = load(file, variables).expect_err("must be refused");
    assert!(
        mistakes.iter().any(|text| text.contains(expected)),
        "{expected:?} not in {mistakes:?}"
    );
}

#[test]
fn defaults_need_only_a_key() {
    let config = load("", &[]).unwrap();
    assert_eq!(config.server.port, 8080);
    assert!(config.demo.is_none());
    check_refused("", &[("INTEGRATOR_VAULT__KEY", "")], "openssl rand -base64 32");
}

#[test]
fn every_default_has_a_comment_before_it() {
    let mut commented = false;
    for line in DEFAULTS.lines() {
        if line.starts_with('#') {
            commented = true;
        } else if line.trim().is_empty() || line.starts_with('[') {
            commented = false;
        } else {
            let same_group = line.starts_with("lptracker_") || commented;
            assert!(same_group, "{line:?} has no comment");
        }
    }
}

#[test]
fn environment_is_stronger_than_the_file() {
    let config = load("[server]\nport = 1000", &[("INTEGRATOR_SERVER__PORT", "2000")]).unwrap();
    assert_eq!(config.server.port, 2000);
    let config = load("[server]\nport = 1000", &[]).unwrap();
    assert_eq!(config.server.port, 1000);
}

#[test]
fn unknown_names_stop_the_start_and_name_the_nearest() {
    check_refused("[server]\nprot = 1", &[], "server.port");
    check_refused("[sever]\nport = 1", &[], "server.port");
    check_refused("", &[("INTEGRATOR_SERVER__PROT", "1")], "INTEGRATOR_SERVER__PORT");
    check_refused("", &[("INTEGRATOR_PORT", "1")], "INTEGRATOR_SERVER__PORT");
    load("", &[("INTEGRATOR_TEST_POSTGRES", "postgres://"), ("HOME", "/")]).unwrap();
}

#[test]
fn values_are_checked_before_anything_binds() {
    check_refused("[server]\nport = 70000", &[], "от 0 до 65535");
    check_refused("[server]\nport = \"80\"", &[], "целое число");
    check_refused("", &[("INTEGRATOR_SERVER__PORT", "many")], "целое число");
    check_refused("[server]\nhost = \"localhost\"", &[], "не IP-адрес");
    check_refused(
        "[server]\npublic_url = \"hub.example.ru\"",
        &[],
        "https://hub.example.ru",
    );
    check_refused(
        "[server]\npublic_url = \"https://hub.example.ru/x\"",
        &[],
        "без пути",
    );
    check_refused("[server]\nstatic_dir = \"/nowhere\"", &[], "index.html");
    check_refused("[database]\nurl = \"mysql://x\"", &[], "postgres://");
    check_refused("[metrics]\ntoken = \"short\"", &[], "openssl rand -hex 32");
    check_refused("[session]\nsecure = \"yes\"", &[], "auto, always или never");
    check_refused("[log]\nformat = \"xml\"", &[], "text или json");
    check_refused(
        "[demo]\namocrm_url = \"http://127.0.0.1:1\"",
        &[],
        "demo.lptracker_url",
    );
    check_refused("not toml", &[], "не разобран");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let mistakes = load("[server]\nhost = \"x\"\nport = -1\n[log]\nformat = \"x\"", &[]).unwrap_err();
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
}

#[test]
fn a_public_address_loses_its_slash() {
    let config = load("[server]\npublic_url = \"https://Hub.Example.ru/\"", &[]).unwrap();
    assert_eq!(
        config.server.public_url.as_deref(),
        Some("https://hub.example.ru")
    );
}

#[test]
fn secrets_are_not_shown() {
    let config = load("", &[("INTEGRATOR_DATABASE__URL", "postgres://u:hunter2@h/d")]).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2") && !shown.contains(KEY), "{shown}");
}
