//! Determines whose clock is wrong if the server rejects a valid certificate as expired.
//!
//! TLS reports a certificate that is not valid yet as "expired", too. The server's time can be
//! requested without a certificate.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::ClientConfig;
use serde::Deserialize;

use crate::{ClientError, TlsRefusal, validity::Validity};
use ebp_core::{clock::Clock, contract::paths};

/// How long the server's time is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests the server's time, without a certificate.
#[derive(Clone)]
pub(super) struct ServerClock {
    tls: ClientConfig,
    validity: Validity,
}

/// The body of `/healthz`.
#[derive(Deserialize)]
struct Health {
    time: Timestamp,
}

impl ServerClock {
    /// For a client whose certificate is valid then; `tls` shows none.
    pub fn new(tls: ClientConfig, validity: Validity) -> Self {
        Self { tls, validity }
    }

    /// Returns the error itself, or that the server's clock is slow if that is the cause.
    pub fn explain(&self, server: &str, clock: &dyn Clock, error: ClientError) -> ClientError {
        let ClientError::Tls { refusal: TlsRefusal::OursExpired, .. } = error else { return error };
        let now = clock.now();
        if now < self.validity.not_before || now > self.validity.not_after {
            return error;
        }
        match self.ask(server) {
            Some(time) if time < self.validity.not_before => ClientError::ServerClockBehind {
                server: server.to_owned(),
                time,
                behind: SignedDuration::from_secs(now.duration_since(time).as_secs()),
            },
            _ => error,
        }
    }

    fn ask(&self, server: &str) -> Option<Timestamp> {
        let http = reqwest::blocking::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .ok()?;
        let answer = http.get(format!("{server}{}", paths::HEALTHZ)).send().ok()?;
        Some(answer.json::<Health>().ok()?.time)
    }
}
