//! Mails to administrators.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use ebp_core::private_file;
use ebp_store::{Attempted, DueDelivery};
use jiff::Timestamp;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use uuid::Uuid;

use super::{
    AlertError, MailSettings, MailTls,
    text::{body, subject},
};

/// How long a mail may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends messages as mails.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    pages: Option<String>,
}

impl Mail {
    /// As the settings say; reads the password.
    ///
    /// # Errors
    /// [`AlertError`] if a setting or the password's file cannot be used.
    pub fn open(settings: &MailSettings, ca: Option<&Path>) -> Result<Self, AlertError> {
        let mailbox = |key, text: &str| {
            text.parse::<Mailbox>().map_err(|_| AlertError::setting(key, "it is no e-mail address"))
        };
        let from = mailbox("mail_from", &settings.from)?;
        let to: Vec<Mailbox> =
            settings.to.iter().map(|text| mailbox("mail_to", text)).collect::<Result<_, _>>()?;
        if to.is_empty() {
            return Err(AlertError::setting("mail_to", "nobody is named"));
        }
        let (host, port) = server(&settings.server, settings.tls)?;
        let tls = match settings.tls {
            MailTls::None if !is_here(&host) => {
                let reason = "a mail server on another machine needs TLS";
                return Err(AlertError::setting("mail_tls", reason));
            }
            MailTls::None => Tls::None,
            MailTls::Implicit => Tls::Wrapper(parameters(&host, ca)?),
            MailTls::StartTls => Tls::Required(parameters(&host, ca)?),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
            .port(port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some(user) = &settings.user {
            let key = "mail_password";
            let path = settings.password.as_deref();
            let path = path.ok_or_else(|| AlertError::setting(key, "it is missing"))?;
            let password = private_file::read_to_string(path)
                .map_err(|source| AlertError::Secret { key, source })?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self { transport: transport.build(), from, to, pages: settings.pages.clone() })
    }

    /// Sends a message.
    pub async fn send(&self, due: &DueDelivery, now: Timestamp) -> Attempted {
        let failed = |error: &str| Attempted::Failed { error: error.to_owned(), pause: None };
        let Ok(message) = self.write(due, now) else {
            return failed("the mail cannot be written");
        };
        match tokio::time::timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Attempted::Accepted,
            Ok(Err(error)) => failed(&describe(&error)),
            Err(_) => failed("the mail server is too slow"),
        }
    }

    fn write(&self, due: &DueDelivery, now: Timestamp) -> Result<Message, lettre::error::Error> {
        let since_epoch = Duration::from_secs(now.as_second().max(0).unsigned_abs());
        let mut message = Message::builder()
            .from(self.from.clone())
            // The same on every attempt: mail servers drop a second one.
            .message_id(Some(message_id(due.message, self.from.email.domain())))
            .date(SystemTime::UNIX_EPOCH + since_epoch)
            .subject(subject(due));
        for to in &self.to {
            message = message.to(to.clone());
        }
        message.header(ContentType::TEXT_PLAIN).body(body(due, self.pages.as_deref()))
    }
}

fn message_id(message: Uuid, domain: &str) -> String {
    format!("<{message}@{domain}>")
}

/// Host and port.
fn server(text: &str, tls: MailTls) -> Result<(String, u16), AlertError> {
    let wrong = || AlertError::setting("mail_server", "it is no host, or host and port");
    let usual = match tls {
        MailTls::Implicit => 465,
        MailTls::StartTls => 587,
        MailTls::None => 25,
    };
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse().map_err(|_| wrong())?)
        }
        _ => (text, usual),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_host = !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'));
    if is_host { Ok((host.to_owned(), port)) } else { Err(wrong()) }
}

/// Whether the host is this machine.
fn is_here(host: &str) -> bool {
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn parameters(host: &str, ca: Option<&Path>) -> Result<TlsParameters, AlertError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = ca {
        let wrong = |reason: String| AlertError::setting("ca", reason);
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|_| wrong("it is no certificate".to_owned()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|_| AlertError::setting("mail_tls", "TLS cannot be set up"))
}

/// A failure in words. What the server said may contain addresses: its code is enough.
fn describe(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answers {code}"),
        None if error.is_timeout() => "the mail server is too slow".to_owned(),
        None if error.is_tls() => "TLS with the mail server fails".to_owned(),
        None if error.is_response() => "the mail server's answer is not understood".to_owned(),
        None if error.is_client() => "the mail server offers no way to sign in".to_owned(),
        None => "the mail server cannot be reached".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_usual_ports() {
        let of = |text, tls| server(text, tls).ok();
        let host = |name: &str, port| Some((name.to_owned(), port));
        assert_eq!(of("mail.example.org", MailTls::Implicit), host("mail.example.org", 465));
        assert_eq!(of("mail.example.org", MailTls::StartTls), host("mail.example.org", 587));
        assert_eq!(of("mail.example.org:2525", MailTls::StartTls), host("mail.example.org", 2525));
        assert_eq!(of("[::1]:25", MailTls::None), host("::1", 25));
        assert_eq!(of("::1", MailTls::None), host("::1", 25));
        for wrong in ["", "mail:port", "a b", "mail/x", "mail\r\nRCPT"] {
            assert_eq!(of(wrong, MailTls::None), None, "{wrong:?}");
        }
    }

    #[test]
    fn without_tls_only_this_machine_is_spoken_to() {
        let settings = MailSettings {
            server: "mail.example.org".into(),
            tls: MailTls::None,
            user: None,
            password: None,
            from: "ebp@example.org".into(),
            to: vec!["admin@example.org".into()],
            pages: None,
        };
        let error = Mail::open(&settings, None).err().unwrap().to_string();
        assert!(error.contains("needs TLS"), "{error}");
        let here = MailSettings { server: "127.0.0.1".into(), ..settings.clone() };
        assert!(Mail::open(&here, None).is_ok());
        for (from, to) in [("nobody", "a@example.org"), ("a@example.org", "b@c\r\nBcc: d@e")] {
            let wrong = MailSettings { from: from.into(), to: vec![to.into()], ..here.clone() };
            let error = Mail::open(&wrong, None).err().unwrap().to_string();
            assert!(error.contains("no e-mail address") && !error.contains("Bcc"), "{error}");
        }
        assert!(!format!("{settings:?}").contains("admin@"), "{settings:?}");
    }
}
