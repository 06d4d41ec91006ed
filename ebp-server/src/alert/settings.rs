//! How devices are watched and administrators are told.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use ebp_core::contract::{AlertChannel, AlertQuietHours, AlertRules};
use ebp_store::JobPolicy;
use ebp_survey::AlertPolicy;
use serde::Deserialize;

use super::{Network, SecretUrl, names::SystemNames, target::Reach};

/// How devices are watched and administrators are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// By which rules.
    pub policy: AlertPolicy,
    /// Where messages are posted to.
    pub webhook: Option<WebhookSettings>,
    /// How mails are sent.
    pub mail: Option<MailSettings>,
    /// What is called as long as devices are watched.
    pub heartbeat: Option<SecretUrl>,
    /// How often it is called.
    pub heartbeat_every: Duration,
    /// Networks that webhook and heartbeat may be in though they are not public.
    pub allowed: Vec<Network>,
    /// The authority (PEM) that receivers are trusted by, if not the machine's own.
    pub ca: Option<PathBuf>,
    /// How long a receiver may take.
    pub patience: Duration,
    /// How often all devices are looked at.
    pub look: Duration,
}

/// Where messages are posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// The address.
    pub url: SecretUrl,
    /// The file of the secret that messages are signed with.
    pub secret: PathBuf,
}

/// How mails are sent. `Debug` shows no address.
#[derive(Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// The mail server's host, with its port if it is not the usual one.
    pub server: String,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// As whom to sign in, if at all.
    pub user: Option<String>,
    /// The file of the password.
    pub password: Option<PathBuf>,
    /// The sender.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
    /// Where the administrators' pages are, for links.
    pub pages: Option<String>,
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSettings").field("tls", &self.tls).finish_non_exhaustive()
    }
}

/// How the connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// From its beginning (port 465).
    #[default]
    Implicit,
    /// After STARTTLS, which the server has to offer (port 587).
    StartTls,
    /// Not at all; for a mail server on this machine alone.
    None,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            policy: AlertPolicy::default(),
            webhook: None,
            mail: None,
            heartbeat: None,
            heartbeat_every: Duration::from_secs(60),
            allowed: Vec::new(),
            ca: None,
            patience: Duration::from_secs(10),
            look: Duration::from_secs(20),
        }
    }
}

impl AlertSettings {
    /// The channels that are configured.
    #[must_use]
    pub fn channels(&self) -> Vec<AlertChannel> {
        let webhook = self.webhook.as_ref().map(|_| AlertChannel::Webhook);
        let mail = self.mail.as_ref().map(|_| AlertChannel::Mail);
        webhook.into_iter().chain(mail).collect()
    }

    /// How receivers are reached.
    pub(super) fn reach(&self) -> Reach {
        let Self { allowed, ca, patience, .. } = self;
        Reach {
            allowed: allowed.clone(),
            ca: ca.clone(),
            patience: *patience,
            names: Arc::new(SystemNames),
        }
    }

    /// How the lease of watching lasts: three looks, and half of one until another server takes it.
    #[must_use]
    pub fn lease(&self) -> JobPolicy {
        JobPolicy { lease: self.look * 3, allowance: self.look / 2, ..JobPolicy::default() }
    }

    /// The rules as they are shown.
    #[must_use]
    pub fn rules(&self) -> AlertRules {
        let AlertPolicy { thresholds, messages, .. } = &self.policy;
        let seconds = |limit: Option<Duration>| limit.map(|limit| limit.as_secs());
        let quiet_hours = messages.quiet.as_ref().map(|quiet| AlertQuietHours {
            from: quiet.from().strftime("%H:%M").to_string(),
            to: quiet.to().strftime("%H:%M").to_string(),
            digest: quiet.digest().strftime("%H:%M").to_string(),
            zone: quiet.zone().iana_name().unwrap_or("UTC").to_owned(),
        });
        AlertRules {
            enabled: true,
            silent: seconds(thresholds.silent),
            late: seconds(thresholds.late),
            incident: seconds(thresholds.incident),
            certificate: seconds(thresholds.certificate),
            damaged_percent: thresholds.damaged_percent,
            quiet_hours,
            channels: self.channels(),
            heartbeat: self.heartbeat.is_some(),
            version: 0,
            changed_at: None,
        }
    }
}
