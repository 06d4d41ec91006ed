//! The server's configuration by environment variables.
//!
//! Enters: variables, the table of the configuration file. Leaves: the table with what the
//! variables say in its place. Absent: what a key means; reading the process's environment.
//!
//! `EBP_SERVER_` and a key in capitals is that key, with two underscores for the point of
//! `limits.connections`. With `_FILE` behind it the value is the content of that file, as secrets
//! are handed to containers. Lists are written with commas. An empty variable is none.

use std::{collections::BTreeMap, io, path::PathBuf};

use ebp_core::private_file;

use toml::{Table, Value};

use super::{ConfigError, EXAMPLE};
use ebp_store::DatabaseUrl;

/// What every variable of the server begins with.
pub const PREFIX: &str = "EBP_SERVER_";
/// Names the configuration file itself: the command line's.
pub const CONFIG_FILE: &str = "EBP_SERVER_CONFIG";

/// A key of the configuration: its table, if any, its name, and a value of its type.
struct Key {
    table: Option<String>,
    name: String,
    like: Value,
}

/// Every key by its variable. The commented example has them all, with values of their types.
fn keys() -> BTreeMap<String, Key> {
    let example: Table = uncommented().parse().unwrap_or_default();
    let mut keys = BTreeMap::new();
    for (name, value) in example {
        match value {
            Value::Table(table) => {
                for (inner, like) in table {
                    let key = Key { table: Some(name.clone()), name: inner, like };
                    keys.insert(variable(&format!("{name}.{}", key.name)), key);
                }
            }
            like => {
                keys.insert(variable(&name), Key { table: None, name, like });
            }
        }
    }
    keys
}

/// The variable of a key such as `limits.connections`.
pub fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").to_ascii_uppercase())
}

/// The example with each setting that is commented out.
pub fn uncommented() -> String {
    EXAMPLE
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .filter(|line| line.starts_with('[') || line.contains(" = "))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Puts what the variables say in the place of what the table says, and returns which keys those
/// are, with their variables.
///
/// # Errors
/// Names a variable that begins like ours and is none, or whose value cannot be used.
pub fn apply(
    table: &mut Table,
    variables: &[(String, String)],
) -> Result<BTreeMap<String, String>, ConfigError> {
    let keys = keys();
    let mut applied = BTreeMap::new();
    for (variable, value) in variables {
        if !variable.starts_with(PREFIX) || variable == CONFIG_FILE || value.is_empty() {
            continue;
        }
        let (key, text) = match keys.get(variable) {
            Some(key) => (key, value.clone()),
            None => {
                let key = variable.strip_suffix("_FILE").and_then(|name| keys.get(name));
                let unknown = || ConfigError::UnknownVariable {
                    variable: variable.clone(),
                    near: near(variable, &keys),
                };
                (key.ok_or_else(unknown)?, content(variable, value)?)
            }
        };
        let path = match &key.table {
            Some(table) => format!("{table}.{}", key.name),
            None => key.name.clone(),
        };
        if let Some(other) = applied.insert(path, variable.clone()) {
            let reason = format!("{other} says the same: give one of them");
            return Err(ConfigError::Variable { variable: variable.clone(), reason });
        }
        let value = typed(&text, &key.like).ok_or_else(|| ConfigError::Variable {
            variable: variable.clone(),
            reason: format!("it must be of the kind of `{} = {}`", key.name, key.like),
        })?;
        match &key.table {
            None => table.insert(key.name.clone(), value),
            Some(name) => match table.entry(name.clone()).or_insert(Value::Table(Table::new())) {
                Value::Table(inner) => inner.insert(key.name.clone(), value),
                _ => None,
            },
        };
    }
    Ok(applied)
}

/// A file's content without the line's end that editors put behind it.
fn content(variable: &str, path: &str) -> Result<String, ConfigError> {
    let path = PathBuf::from(path);
    let failed = |error: io::Error| ConfigError::Variable {
        variable: variable.to_owned(),
        reason: format!("cannot read {}: {error}", path.display()),
    };
    let (text, exposed) = private_file::read_anyway(&path).map_err(failed)?;
    let text = String::from_utf8(text)
        .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    match exposed {
        Some(exposed) if DatabaseUrl::new(&*text).has_password() => Err(exposed.into()),
        _ => Ok(text),
    }
}

/// The text as a value of the other one's type.
fn typed(text: &str, like: &Value) -> Option<Value> {
    match like {
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        _ => Some(Value::String(text.to_owned())),
    }
}

/// The variable that may have been meant.
fn near(variable: &str, keys: &BTreeMap<String, Key>) -> Option<String> {
    // One underscore where two belong is the likeliest; otherwise what begins alike the longest.
    let plain = |name: &str| name.replace('_', "");
    let alike = |name: &&String| {
        name.bytes().zip(variable.bytes()).take_while(|(ours, theirs)| ours == theirs).count()
    };
    keys.keys()
        .find(|name| plain(name) == plain(variable))
        .or_else(|| keys.keys().max_by_key(alike).filter(|name| alike(name) > PREFIX.len() + 2))
        .cloned()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn given(variables: &[(&str, &str)]) -> Result<Table, String> {
        let mut table = "listen = \"[::]:1\"\n[limits]\nconnections = 5".parse().unwrap();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        apply(&mut table, &variables).map(|_| table).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_beat_the_file_and_have_its_types() {
        let table = given(&[
            ("EBP_SERVER_LISTEN", "127.0.0.1:9"),
            ("EBP_SERVER_LIMITS__BODY_SECONDS", "7"),
            ("EBP_SERVER_TUNNEL__SHARED_SECRET", "true"),
            ("EBP_SERVER_HOSTNAMES", "a.example, b.example"),
            ("EBP_SERVER_TOKENS__AUDIENCE", "us"),
            ("EBP_SERVER_DATABASE_CA", ""),
            ("EBP_SERVER_CONFIG", "server.toml"),
            ("EBP_LOG", "warn"),
        ])
        .unwrap();
        let expected: Table =
            "listen = \"127.0.0.1:9\"\nhostnames = [\"a.example\", \"b.example\"]\n\
             [limits]\nconnections = 5\nbody_seconds = 7\n[tokens]\naudience = \"us\"\n\
             [tunnel]\nshared_secret = true"
                .parse()
                .unwrap();
        assert_eq!(table, expected);
    }

    #[test]
    fn a_secret_may_be_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("url");
        fs::write(&path, "postgres://ebp:hunter2@db/ebp\n").unwrap();
        let file = path.to_str().unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = given(&[("EBP_SERVER_DATABASE_URL_FILE", file)]).unwrap_err();
        assert!(error.ends_with(&format!("chmod 600 {file}")), "{error}");
        // Without a password it is no secret.
        fs::write(&path, "postgres://ebp@db/ebp").unwrap();
        given(&[("EBP_SERVER_DATABASE_URL_FILE", file)]).unwrap();
        fs::write(&path, "postgres://ebp:hunter2@db/ebp\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let table = given(&[("EBP_SERVER_DATABASE_URL_FILE", file)]).unwrap();
        assert_eq!(table["database_url"].as_str(), Some("postgres://ebp:hunter2@db/ebp"));
        let both = [("EBP_SERVER_DATABASE_URL", "x"), ("EBP_SERVER_DATABASE_URL_FILE", file)];
        let error = given(&both).unwrap_err();
        assert!(error.contains("EBP_SERVER_DATABASE_URL says the same"), "{error}");
        let error = given(&[("EBP_SERVER_DATABASE_URL_FILE", "/nowhere")]).unwrap_err();
        assert!(error.contains("EBP_SERVER_DATABASE_URL_FILE") && error.contains("/nowhere"));
    }

    #[test]
    fn what_is_no_key_is_named_with_what_may_be_meant() {
        for (wrong, meant) in [
            ("EBP_SERVER_HOSTNAME", "EBP_SERVER_HOSTNAMES"),
            ("EBP_SERVER_LIMITS_CONNECTIONS", "EBP_SERVER_LIMITS__CONNECTIONS"),
            ("EBP_SERVER_DATABASEURL_FILE", "EBP_SERVER_DATABASE_"),
        ] {
            let error = given(&[(wrong, "1")]).unwrap_err();
            assert!(error.starts_with(wrong) && error.contains(meant), "{error}");
        }
        let error = given(&[("EBP_SERVER_LIMITS__CONNECTIONS", "many")]).unwrap_err();
        assert!(error.contains("EBP_SERVER_LIMITS__CONNECTIONS") && !error.contains("many"));
    }
}
