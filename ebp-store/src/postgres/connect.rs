//! Connections to PostgreSQL: where to, how many, with which settings, and encrypted unless the URL
//! says otherwise.

use std::{fmt, path::PathBuf, time::Duration};

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};
use tokio_postgres::{
    Config, NoTls,
    config::{Host, SslMode, TargetSessionAttrs},
};

use super::{
    PostgresError,
    error::{NO_ANSWER, chain},
    history::Histories,
    patience::{Connections, Distrust},
    tls::Tls,
};
use crate::StoreError;

/// How long to wait for a connection that is in use, and for a new one.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a new connection may take to accept its settings.
const SETTLE: Duration = Duration::from_secs(3);

/// The settings of each connection, whatever the database's defaults: an acknowledged write is on
/// disk, and every query and lock has a timeout.
const SESSION: &str = "
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off';
    SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '50s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SET jit = off";

/// A database's URL; it may contain a password and is never shown.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// From its text, such as `postgres://ebp@db.example.org/ebp`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it contains a password. A text that is no URL may contain one.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.0.parse().map_or(true, |config: Config| config.get_password().is_some())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(redacted)")
    }
}

/// Which PostgreSQL database, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// Its URL, `postgres://user@host/database`, or `key=value` pairs (libpq's).
    pub url: DatabaseUrl,
    /// The certificate authority of its server (PEM file). Required if the connection uses a
    /// network, unless the URL says `sslmode=disable`.
    pub authority: Option<PathBuf>,
    /// Connections at most, of this process.
    pub connections: usize,
}

impl PostgresSettings {
    /// Connections of a process by default: as many as PostgreSQL's default of 100 allows for a
    /// dozen servers.
    pub const CONNECTIONS: usize = 8;

    /// With that URL and everything else by default.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: DatabaseUrl::new(url), authority: None, connections: Self::CONNECTIONS }
    }
}

/// A pool of connections; none is opened yet.
pub fn pool(settings: &PostgresSettings) -> Result<Connections, StoreError> {
    let url = |why: String| PostgresError::Url(why);
    let mut config: Config = settings.url.0.parse().map_err(|error| url(chain(&error)))?;
    if config.get_hosts().is_empty() {
        return Err(url("it names no host".into()).into());
    }
    if config.get_application_name().is_none() {
        config.application_name("ebp");
    }
    // A peer that vanished is noticed after 10 + 3 * 3 seconds.
    config
        .connect_timeout(PATIENCE)
        .tcp_user_timeout(Duration::from_secs(15))
        .keepalives_idle(Duration::from_secs(10))
        .keepalives_interval(Duration::from_secs(3))
        .keepalives_retries(3);
    // A standby answers, but cannot store: of several hosts the primary is chosen, and a server
    // does not start with only a standby.
    if config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    let manage = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let tcp = config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(_)));
    let manager = match &settings.authority {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| {
                PostgresError::Authority(format!("{}: {error}", path.display()))
            })?;
            config.ssl_mode(SslMode::Require);
            Manager::from_config(config, Tls::new(&pem)?, manage)
        }
        None if tcp && config.get_ssl_mode() != SslMode::Disable => {
            return Err(url("over a network the authority of the server's certificate has to be \
                            named (database_ca); a network that is safe by itself is told by \
                            `sslmode=disable` in the URL"
                .into())
            .into());
        }
        None => Manager::from_config(config, NoTls, manage),
    };
    let histories = Histories::default();
    let judge = histories.clone();
    // The pool's own limits do not cover its hooks.
    let settle = Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let histories = judge.clone();
        Box::pin(async move {
            let asked = async {
                // Sent at once, answered one after the other.
                tokio::try_join!(client.batch_execute(SESSION), histories.ask(client))
            };
            match tokio::time::timeout(SETTLE, asked).await {
                Ok(Ok(((), history))) => histories.admit(history).map_err(HookError::message),
                Ok(Err(error)) => Err(HookError::Backend(error)),
                Err(_) => Err(HookError::message(NO_ANSWER)),
            }
        })
    });
    let distrust = Distrust::default();
    let judged = distrust.clone();
    let trusted = Hook::sync_fn(move |_, metrics| {
        if judged.covers(metrics.created) {
            return Err(HookError::message("it was made before a connection fell silent"));
        }
        Ok(())
    });
    let pool = Pool::builder(manager)
        .max_size(settings.connections.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE))
        .pre_recycle(trusted)
        .post_create(settle)
        .build()
        .map_err(|error| PostgresError::Protocol(error.to_string()))?;
    Ok(Connections::new(pool, distrust, histories))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(settings: &PostgresSettings) -> String {
        pool(settings).expect_err("refused").to_string()
    }

    #[test]
    fn nothing_goes_over_a_network_in_the_clear_unasked() {
        let remote = "postgres://ebp:secret@db.example.org/ebp";
        let error = refused(&PostgresSettings::new(remote));
        assert!(error.contains("database_ca") && !error.contains("secret"), "{error}");
        let error = refused(&PostgresSettings::new(format!("{remote}?sslmode=require")));
        assert!(error.contains("database_ca"), "{error}");
        pool(&PostgresSettings::new(format!("{remote}?sslmode=disable"))).unwrap();
        pool(&PostgresSettings::new("host=/run/postgresql user=ebp")).unwrap();
    }

    #[test]
    fn a_wrong_url_or_authority_is_named_and_no_secret() {
        for url in ["postgres://ebp:secret@h/x?sslmode=perhaps", "user=ebp password=secret", "x"] {
            let error = refused(&PostgresSettings::new(url));
            assert!(error.contains("database_url") && !error.contains("secret"), "{error}");
        }
        let dir = tempfile::tempdir().unwrap();
        let mut settings = PostgresSettings::new("postgres://ebp@db.example.org/ebp");
        settings.authority = Some(dir.path().join("ca.pem"));
        assert!(refused(&settings).contains("ca.pem"));
        std::fs::write(dir.path().join("ca.pem"), "no certificate").unwrap();
        assert!(refused(&settings).contains("database_ca"));
        assert!(!format!("{settings:?}").contains("example.org"));
    }
}
