//! What a configuration says, and what is refused.

use ebp_core::clock::SystemClock;

use super::*;

fn config(text: &str) -> Result<ServerConfig, String> {
    ServerConfig::assemble(text, Path::new("/etc/ebp/server.toml"), &[], None)
        .map_err(|error| error.to_string())
}

#[test]
fn paths_are_relative_to_the_file() {
    let config = config("data = \"state\"\n[limits]\nconnections = 5").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8443");
    let settings = config.settings(Arc::new(SystemClock));
    assert_eq!(settings.database, Database::Sqlite("/etc/ebp/state/ebp.sqlite".into()));
    assert_eq!(settings.authority, Path::new("/etc/ebp/state/authority"));
    assert_eq!(settings.limits.connections, 5);
    assert_eq!(settings.limits.body, Limits::default().body);
}

#[test]
fn the_url_chooses_the_database() {
    let config = config(
        "data = \"state\"\ndatabase_url = \"postgres://ebp:hunter2@db/ebp\"\n\
         database_ca = \"db.pem\"",
    )
    .unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let expected = PostgresSettings {
        authority: Some("/etc/ebp/db.pem".into()),
        ..PostgresSettings::new("postgres://ebp:hunter2@db/ebp")
    };
    let settings = config.settings(Arc::new(SystemClock));
    assert_eq!(settings.database, Database::Postgres(expected));
}

#[test]
fn the_example_is_true() {
    let path = Path::new("server.toml");
    let plain = ServerConfig::assemble(EXAMPLE, path, &[], None).unwrap();
    assert_eq!(plain, ServerConfig::in_folder(Path::new("ebp-data")));
    // Each line that is a setting, though it is commented out.
    let whole = ServerConfig::assemble(&environment::uncommented(), path, &[], None).unwrap();
    let (listen, hostnames) = (plain.listen, plain.hostnames.clone());
    assert_eq!((whole.listen, &whole.hostnames), (listen, &hostnames));
    assert_eq!(whole.tokens.as_ref().unwrap().keys, "keys.json");
    let clock = || Arc::new(SystemClock);
    let (plain, whole) = (plain.settings(clock()), whole.settings(clock()));
    assert_eq!((plain.authority, plain.secrets), (whole.authority, whole.secrets));
    assert!(whole.masking.regions.is_some() && whole.geocoding.unwrap().url.is_some());
    assert_eq!(format!("{:?}", plain.limits), format!("{:?}", whole.limits));
}

#[test]
fn unknown_keys_are_refused_with_their_line() {
    let error = config("data = \"/d\"\nlisten = \"[::]:1\"\nhostname = \"a\"\n").unwrap_err();
    assert!(error.contains("/etc/ebp/server.toml") && error.contains("line 3"), "{error}");
    assert!(error.contains("hostname"), "{error}");
    let error = config("data = \"/d\"\n\n[limits]\nconnexions = 5\n").unwrap_err();
    assert!(error.contains("line 4"), "{error}");
    let error = config("listen = \"[::]:1\"").unwrap_err();
    assert!(error.contains("`data`") && error.contains("EBP_SERVER_DATA"), "{error}");
    let error = config("data = \"d\"\n[tokens]\nkeys = \"k\"").unwrap_err();
    assert!(error.contains("EBP_SERVER_TOKENS__AUDIENCE"), "{error}");
}
#[test]
fn variables_complete_the_file_and_beat_it() {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let path = Path::new("/etc/ebp/server.toml");
    let text = "listen = \"[::]:1\"\n[tokens]\nkeys = \"keys.json\"\n";
    let variables = [
        set("EBP_SERVER_DATA", "state"),
        set("EBP_SERVER_LISTEN", "[::]:2"),
        set("EBP_SERVER_TOKENS__AUDIENCE", "us"),
        set("EBP_SERVER_LIMITS__REQUESTS_PER_SECOND", "0"),
        set("EBP_SERVER_LOG", "json"),
    ];
    let config = ServerConfig::assemble(text, path, &variables, None).unwrap();
    assert_eq!((config.listen.port(), config.log), (2, LogFormat::Json));
    assert_eq!(config.data, Path::new("/etc/ebp/state"));
    assert_eq!(config.tokens.as_ref().unwrap().keys, "/etc/ebp/keys.json");
    assert_eq!(config.settings(Arc::new(SystemClock)).limits.rate, None);

    let wrong = [set("EBP_SERVER_DATA", "d"), set("EBP_SERVER_LISTEN", "everywhere")];
    let error = ServerConfig::assemble("", path, &wrong, None).unwrap_err().to_string();
    assert!(error.starts_with("EBP_SERVER_LISTEN cannot be used"), "{error}");
    let alone = ServerConfig::load(None, &[set("EBP_SERVER_LOG", "text")], None).unwrap();
    assert_eq!(alone, ServerConfig::in_folder(Path::new("ebp-data")));
}
