//! The error tracking service: an envelope is posted, and its answer read.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    blocking::Client,
    header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;

use ebp_core::retry_after;
use jiff::Timestamp;

use crate::{dsn::Dsn, limit::rate_limit};

/// How long the service is waited for.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The header that says which project an envelope is for.
const AUTHENTICATION: &str = "X-Sentry-Auth";
/// The header that says what is not wanted for a while.
const LIMITS: &str = "X-Sentry-Rate-Limits";

/// The project at the service, and a connection to it.
#[derive(Debug)]
pub struct Service {
    client: Client,
    dsn: Dsn,
    authentication: HeaderValue,
}

/// Why the service cannot be used. None of them shows the DSN.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The file of the authority cannot be read, or has no certificate.
    #[error("{}: {reason}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The machine's authorities cannot be read, or the client cannot be made.
    #[error("no connection to the error tracking service can be made: {0}")]
    Client(String),
}

/// What the service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has the event. Whether it keeps it only its own page shows.
    Taken {
        /// For how long it wants no more.
        limit: Option<Duration>,
    },
    /// It does not want the event now.
    Limited {
        /// For how long.
        wait: Duration,
    },
    /// It will never take this event.
    Refused {
        /// The status of HTTP.
        status: u16,
    },
    /// It was not reached, or has a fault of its own, or does not know the project or the key.
    Failed {
        /// Why, without an address.
        reason: String,
    },
}

impl Service {
    /// The project of that DSN. Its certificate is trusted by that authority, or by those of the
    /// machine.
    ///
    /// # Errors
    /// Returns [`ServiceError`] when the authority's file cannot be used, or the machine has none.
    pub fn new(dsn: Dsn, authority: Option<&Path>) -> Result<Self, ServiceError> {
        let fault = |error: &dyn std::fmt::Display| ServiceError::Client(error.to_string());
        let agent = concat!("ebp-errors/", env!("CARGO_PKG_VERSION"));
        let text =
            format!("Sentry sentry_version=7, sentry_key={}, sentry_client={agent}", dsn.key());
        let mut authentication = HeaderValue::try_from(text).map_err(|error| fault(&error))?;
        authentication.set_sensitive(true);
        let client = Client::builder()
            .timeout(TIMEOUT)
            .user_agent(agent)
            .redirect(Policy::none())
            .tls_backend_preconfigured(trust(authority)?)
            .build()
            .map_err(|error| fault(&error))?;
        Ok(Self { client, dsn, authentication })
    }

    /// Posts an envelope. `now` is when, for an answer that names an instant.
    #[must_use]
    pub fn post(&self, envelope: Vec<u8>, now: Timestamp) -> Answer {
        let request = self
            .client
            .post(self.dsn.endpoint().clone())
            .header(CONTENT_TYPE, "application/x-sentry-envelope")
            .header(AUTHENTICATION, self.authentication.clone())
            .body(envelope);
        match request.send() {
            Ok(answer) => judge(answer.status().as_u16(), answer.headers(), now),
            Err(error) => Answer::Failed { reason: innermost(&error.without_url()) },
        }
    }
}

fn judge(status: u16, headers: &HeaderMap, now: Timestamp) -> Answer {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let asked = (header(RETRY_AFTER.as_str()), header(DATE.as_str()));
    let limit = rate_limit(status, header(LIMITS), asked, now);
    match (status, limit) {
        (200..300, limit) => Answer::Taken { limit },
        (status, Some(wait)) if retry_after::is_passing(status) => Answer::Limited { wait },
        // What is wrong with the event, not with the project, the key or the service.
        (400 | 413 | 415 | 422, _) => Answer::Refused { status },
        _ => Answer::Failed { reason: format!("it answers {status}") },
    }
}

fn trust(authority: Option<&Path>) -> Result<ClientConfig, ServiceError> {
    let fault = |error: rustls::Error| ServiceError::Client(error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(fault)?;
    let Some(path) = authority else {
        return Ok(builder.with_platform_verifier().map_err(fault)?.with_no_client_auth());
    };
    let wrong = |reason: String| ServiceError::Authority { path: path.to_owned(), reason };
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("no certificate in PEM".to_owned()));
    }
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The cause that says most: an error of the client hides it in causes of causes.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_shown_nowhere() {
        let dsn: Dsn = "https://hunter2@errors.example.org/1".parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let error = Service::new(dsn.clone(), Some(&path)).unwrap_err().to_string();
        assert!(error.contains("ca.pem") && !error.contains("hunter2"), "{error}");
        std::fs::write(&path, "nothing").unwrap();
        let error = Service::new(dsn, Some(&path)).unwrap_err().to_string();
        assert!(error.ends_with("no certificate in PEM"), "{error}");
        let dsn: Dsn = "http://hunter2@127.0.0.1:1/1".parse().unwrap();
        if let Ok(service) = Service::new(dsn, None) {
            let shown =
                format!("{service:?} {:?}", service.post(Vec::new(), Timestamp::UNIX_EPOCH));
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
