//! The table `[alerts]` of the configuration.
//!
//! Enters: TOML. Leaves: [`AlertSettings`], or which key cannot be used. Absent: reading the files of
//! secrets, which a server does at its start.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use ebp_store::{AlertThresholds, MessagePolicy, QuietHours};
use ebp_survey::AlertPolicy;
use jiff::{SignedDuration, Span, SpanRelativeTo, civil::Time, tz::TimeZone};
use serde::{Deserialize, Deserializer, de};

use super::{ConfigError, environment};
use crate::alert::{AlertSettings, MailSettings, MailTls, Network, SecretUrl, WebhookSettings};

/// What a report may take beyond two cycles, at most.
const GRACE: Duration = Duration::from_secs(30);

/// How devices are watched and administrators are told; nothing is done without this table. `Debug`
/// shows no address.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertsConfig {
    /// How often devices report.
    pub report_cycle: Option<Length>,
    /// The age of a device's last report from which on it is silent.
    pub silent: Option<Limit>,
    /// The age of a meter's last measurement from which on its device is late.
    pub late: Option<Limit>,
    /// The age from which on an open incident counts.
    pub incident: Option<Limit>,
    /// How long before its end a certificate counts.
    pub certificate: Option<Limit>,
    /// The share of damaged telegrams that counts, percent; 0 is never.
    pub damaged_percent: Option<u8>,
    /// How often all devices are looked at.
    pub look: Option<Length>,
    /// How many messages an hour are sent as soon as something changes.
    pub messages_at_once: Option<usize>,
    /// How far apart further ones are.
    pub messages_apart: Option<Length>,
    /// Where messages are posted to.
    pub webhook: Option<SecretUrl>,
    /// The file of the secret that they are signed with.
    pub webhook_secret: Option<PathBuf>,
    /// Networks that receivers may be in though they are not public.
    pub allow: Vec<Network>,
    /// The authority (PEM) that receivers are trusted by.
    pub ca: Option<PathBuf>,
    /// The mail server.
    pub mail_server: Option<String>,
    /// How the connection to it is encrypted.
    pub mail_tls: Option<MailTls>,
    /// As whom to sign in there.
    pub mail_user: Option<String>,
    /// The file of the password.
    pub mail_password: Option<PathBuf>,
    /// The sender.
    pub mail_from: Option<String>,
    /// The receivers.
    pub mail_to: Vec<String>,
    /// When quiet hours begin.
    pub quiet_from: Option<TimeOfDay>,
    /// When they end.
    pub quiet_to: Option<TimeOfDay>,
    /// When what changed in them is told.
    pub digest: Option<TimeOfDay>,
    /// The zone of these times.
    pub zone: Option<String>,
    /// Where the administrators' pages are, for links in mails.
    pub pages: Option<String>,
    /// What is called as long as devices are watched.
    pub heartbeat: Option<SecretUrl>,
    /// How often it is called.
    pub heartbeat_every: Option<Length>,
}

impl fmt::Debug for AlertsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertsConfig").finish_non_exhaustive()
    }
}

/// A time span as its text, such as `2h`, `21d` or `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length(pub Duration);

/// The longest one: a year.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

impl Length {
    fn parse(text: &str) -> Option<Self> {
        let span: Span = text.parse().ok()?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        let is_some = SignedDuration::ZERO < length && length.unsigned_abs() <= LONGEST;
        is_some.then(|| Self(length.unsigned_abs()))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom("it is no time span such as 20s, 2h or 21d"))
    }
}

/// A time span, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<Duration>);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "off" {
            return Ok(Self(None));
        }
        let length = Length::parse(&text);
        let length = length
            .ok_or_else(|| de::Error::custom("it is neither a time span such as 2h nor off"))?;
        Ok(Self(Some(length.0)))
    }
}

/// A time of day, such as `22:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay(pub Time);

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = Time::strptime("%H:%M", &text);
        time.map(Self).map_err(|_| de::Error::custom("it is no time of day such as 22:00"))
    }
}

/// A key that cannot be used.
pub struct AlertsFault {
    /// The key.
    pub key: &'static str,
    /// Why; none if it is missing.
    pub reason: Option<String>,
}

fn missing(key: &'static str) -> AlertsFault {
    AlertsFault { key, reason: None }
}

fn wrong(key: &'static str, reason: impl ToString) -> AlertsFault {
    AlertsFault { key, reason: Some(reason.to_string()) }
}

impl AlertsConfig {
    /// Makes paths relative to that folder absolute.
    pub(super) fn relative_to(&mut self, folder: &Path) {
        for path in [&mut self.webhook_secret, &mut self.ca, &mut self.mail_password] {
            *path = path.take().map(|path| folder.join(path));
        }
    }

    /// Checks that the settings can be used.
    ///
    /// # Errors
    /// [`ConfigError`] names the key that is missing or cannot be used.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.settings().map(drop).map_err(|fault| {
            let (key, variable) = (fault.key, environment::variable(fault.key));
            match fault.reason {
                None => ConfigError::Missing { key, variable },
                Some(reason) => ConfigError::Setting { key, reason },
            }
        })
    }

    /// The settings.
    ///
    /// # Errors
    /// Names the key that is missing or cannot be used.
    pub(super) fn settings(&self) -> Result<AlertSettings, AlertsFault> {
        let default = AlertSettings::default();
        let messages = MessagePolicy::default();
        let length = |given: Option<Length>, default| given.map_or(default, |given| given.0);
        let settings = AlertSettings {
            policy: AlertPolicy {
                thresholds: self.thresholds()?,
                messages: MessagePolicy {
                    quiet: self.quiet()?,
                    at_once: self.messages_at_once.unwrap_or(messages.at_once),
                    apart: length(self.messages_apart, messages.apart),
                },
                channels: Vec::new(),
            },
            webhook: self.webhook()?,
            mail: self.mail()?,
            heartbeat: self.heartbeat.clone(),
            heartbeat_every: length(self.heartbeat_every, default.heartbeat_every),
            allowed: self.allow.clone(),
            ca: self.ca.clone(),
            patience: default.patience,
            look: length(self.look, default.look),
        };
        Ok(settings)
    }

    fn thresholds(&self) -> Result<AlertThresholds, AlertsFault> {
        let default = AlertThresholds::default();
        let cycle = self.report_cycle.map_or(default.longest_gap, |cycle| cycle.0);
        let limit = |given: Option<Limit>, default| given.map_or(Some(default), |given| given.0);
        let damaged = self.damaged_percent.unwrap_or(20);
        if damaged > 100 {
            return Err(wrong("alerts.damaged_percent", "it is more than 100"));
        }
        Ok(AlertThresholds {
            silent: limit(self.silent, cycle * 2 + (cycle / 10).min(GRACE)),
            late: limit(self.late, cycle * 3),
            incident: limit(self.incident, cycle),
            certificate: match self.certificate {
                Some(given) => given.0,
                None => default.certificate,
            },
            damaged_percent: (damaged > 0).then_some(damaged),
            longest_gap: cycle,
        })
    }

    fn quiet(&self) -> Result<Option<QuietHours>, AlertsFault> {
        let (from, to) = match (self.quiet_from, self.quiet_to) {
            (None, None) if self.digest.is_some() => return Err(missing("alerts.quiet_from")),
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(missing("alerts.quiet_to")),
            (None, Some(_)) => return Err(missing("alerts.quiet_from")),
            (Some(from), Some(to)) => (from.0, to.0),
        };
        let zone = TimeZone::get(self.zone.as_deref().unwrap_or("Europe/Berlin"))
            .map_err(|_| wrong("alerts.zone", "this machine knows no such time zone"))?;
        let digest = self.digest.map(|digest| digest.0);
        let quiet = QuietHours::new(from, to, digest, zone);
        quiet.map(Some).map_err(|error| wrong("alerts.quiet_from", error))
    }

    fn webhook(&self) -> Result<Option<WebhookSettings>, AlertsFault> {
        let Some(url) = self.webhook.clone() else { return Ok(None) };
        let secret = self.webhook_secret.clone().ok_or(missing("alerts.webhook_secret"))?;
        Ok(Some(WebhookSettings { url, secret }))
    }

    fn mail(&self) -> Result<Option<MailSettings>, AlertsFault> {
        let Some(server) = self.mail_server.clone() else { return Ok(None) };
        let from = self.mail_from.clone().ok_or(missing("alerts.mail_from"))?;
        if self.mail_to.is_empty() {
            return Err(missing("alerts.mail_to"));
        }
        if self.mail_user.is_some() && self.mail_password.is_none() {
            return Err(missing("alerts.mail_password"));
        }
        let is_address = |pages: &String| {
            let is_web = pages.starts_with("https://") || pages.starts_with("http://");
            is_web && !pages.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        };
        if self.pages.as_ref().is_some_and(|pages| !is_address(pages)) {
            return Err(wrong(
                "alerts.pages",
                "it is no address such as https://survey.example.org",
            ));
        }
        let pages = self.pages.as_ref().map(|pages| pages.trim_end_matches('/').to_owned());
        Ok(Some(MailSettings {
            pages,
            server,
            tls: self.mail_tls.unwrap_or_default(),
            user: self.mail_user.clone(),
            password: self.mail_password.clone(),
            from,
            to: self.mail_to.clone(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<AlertSettings, String> {
        let config: AlertsConfig = toml::from_str(text).map_err(|error| error.to_string())?;
        config.settings().map_err(|fault| format!("{}: {:?}", fault.key, fault.reason))
    }

    #[test]
    fn without_keys_the_defaults_are_the_rules() {
        assert_eq!(settings("").unwrap(), AlertSettings::default());
        let short = settings("report_cycle = \"10s\"").unwrap().policy.thresholds;
        assert_eq!(short.silent, Some(Duration::from_secs(21)));
        assert_eq!(
            (short.late, short.longest_gap),
            (Some(short.longest_gap * 3), Duration::from_secs(10))
        );
    }

    #[test]
    fn rules_can_be_off() {
        let off = "silent = \"off\"\nlate = \"off\"\nincident = \"off\"\ncertificate = \"off\"\n\
                   damaged_percent = 0";
        let off = settings(off).unwrap().policy.thresholds;
        assert_eq!((off.silent, off.late, off.incident), (None, None, None));
        assert_eq!((off.certificate, off.damaged_percent), (None, None));
        let some = settings("certificate = \"14d\"\nlate = \"1h 30m\"").unwrap().policy.thresholds;
        assert_eq!(some.certificate, Some(Duration::from_secs(14 * 86_400)));
        assert_eq!(some.late, Some(Duration::from_secs(5400)));
    }

    #[test]
    fn what_cannot_be_used_is_named_without_its_value() {
        for (text, named) in [
            ("webhook = \"https://secret.example.org/\"", "webhook_secret"),
            ("mail_server = \"localhost\"", "mail_from"),
            ("mail_server = \"localhost\"\nmail_from = \"a@example.org\"", "mail_to"),
            (
                "mail_server = \"localhost\"\nmail_from = \"a@example.org\"\n\
                 mail_to = [\"a@example.org\"]\nmail_user = \"a\"",
                "mail_password",
            ),
            ("quiet_from = \"22:00\"", "quiet_to"),
            ("quiet_to = \"07:00\"", "quiet_from"),
            ("digest = \"07:00\"", "quiet_from"),
            ("quiet_from = \"22:00\"\nquiet_to = \"07:00\"\ndigest = \"06:00\"", "digest"),
            ("quiet_from = \"22:00\"\nquiet_to = \"07:00\"\nzone = \"Mars/Base\"", "zone"),
            ("quiet_from = \"25:00\"", "22:00"),
            ("silent = \"0s\"", "neither"),
            ("silent = \"-2h\"", "neither"),
            ("silent = \"2000d\"", "neither"),
            ("look = \"soon\"", "20s"),
            ("damaged_percent = 101", "damaged_percent"),
            ("allow = [\"10.0.0.0/33\"]", "no network"),
            ("mail_tls = \"ssl\"", "mail_tls"),
            ("webhok = \"x\"", "webhok"),
        ] {
            let error = settings(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
            assert!(!error.contains("secret.example.org"), "{error}");
        }
        let config: AlertsConfig =
            toml::from_str("webhook = \"https://secret.example.org/\"").unwrap();
        assert!(!format!("{config:?} {:?}", config.webhook).contains("secret.example"));
    }
}
