//! InfluxDB's line protocol: at the end of a file, on standard output, or to a server.
//!
//! Enters: readings. Leaves: lines. Absent: a backlog: while a server is gone only the newest reading
//! of each meter is kept.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{
    blocking::Client,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use url::Url;

use crate::{
    config::{InfluxConfig, InfluxTarget, host_and_port},
    error::PublishError,
    mailbox::{Post, Taken, Work},
    notice::{Hear, Teller},
    output::Output,
    secret::Secret,
    trust,
};

/// How long a server is waited for.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long is waited before the next try.
const PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether the program ends.
const LOOK: Duration = Duration::from_secs(3600);
/// How much of a server's refusal is shown, bytes.
const LONGEST_REASON: usize = 200;

/// A line: `ebp,meter=UUID import_kwh=12345.6789,power_kw=0.015 1769860801500000000`.
pub(crate) fn line((meter, reading): &Post) -> String {
    let values: Vec<String> =
        reading.values().map(|(name, value)| format!("{name}={value}")).collect();
    let at = reading.read_at.as_nanosecond();
    format!("ebp,meter={} {} {at}\n", meter.uuid, values.join(","))
}

/// Where lines go.
enum Target {
    StandardOutput,
    File(std::path::PathBuf),
    Server { client: Box<Client>, url: Url, authorization: Option<HeaderValue> },
}

/// Starts the output.
pub(crate) fn start(config: &InfluxConfig, hear: &Hear) -> Result<Work, PublishError> {
    let target = match &config.to {
        InfluxTarget::StandardOutput => Target::StandardOutput,
        InfluxTarget::File(path) => Target::File(path.clone()),
        InfluxTarget::Server(url) => server(config, url)?,
    };
    let mut teller = Teller::new(Output::Influx, Arc::clone(hear));
    Ok(Box::new(move |mailbox| {
        loop {
            let posts = match mailbox.take(LOOK) {
                Taken::Posts(posts) => posts,
                Taken::Nothing => continue,
                Taken::Closed => return,
            };
            let text: String = posts.iter().map(line).collect();
            match target.write(&text) {
                Ok(()) => teller.works(),
                Err(error) => {
                    teller.failed(error);
                    mailbox.put_back(posts);
                    mailbox.rest(PAUSE);
                }
            }
        }
    }))
}

fn server(config: &InfluxConfig, url: &Url) -> Result<Target, PublishError> {
    let password = match (&config.password_file, &config.password) {
        (Some(path), _) => Some(
            Secret::from_file(path)
                .map_err(|source| PublishError::Secret { path: path.clone(), source })?,
        ),
        (None, password) => password.clone(),
    };
    let fault = |reason: &dyn std::fmt::Display| PublishError::Unreachable {
        at: host_and_port(url),
        reason: reason.to_string(),
    };
    let authorization = password.map(|password| {
        let text = match &config.user {
            Some(user) => {
                format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{}", password.expose())))
            }
            None => format!("Token {}", password.expose()),
        };
        HeaderValue::try_from(text).map(|mut value| {
            value.set_sensitive(true);
            value
        })
    });
    let client = Client::builder()
        .timeout(TIMEOUT)
        .tls_backend_preconfigured(trust::client_config(config.ca.as_deref())?)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| fault(&error))?;
    Ok(Target::Server {
        client: Box::new(client),
        url: url.clone(),
        authorization: authorization.transpose().map_err(|error| fault(&error))?,
    })
}

impl Target {
    fn write(&self, text: &str) -> Result<(), PublishError> {
        match self {
            Self::StandardOutput => {
                let mut out = io::stdout().lock();
                out.write_all(text.as_bytes())
                    .and_then(|()| out.flush())
                    .map_err(PublishError::StandardOutput)
            }
            Self::File(path) => append(path, text)
                .map_err(|source| PublishError::File { path: path.clone(), source }),
            Self::Server { client, url, authorization } => {
                let mut request = client
                    .post(url.clone())
                    .header(CONTENT_TYPE, "text/plain; charset=utf-8")
                    .body(text.to_owned());
                if let Some(authorization) = authorization {
                    request = request.header(AUTHORIZATION, authorization.clone());
                }
                let at = host_and_port(url);
                let answer = request.send().map_err(|error| PublishError::Unreachable {
                    at: at.clone(),
                    reason: innermost(&error.without_url()),
                })?;
                match answer.status().as_u16() {
                    200..300 => Ok(()),
                    401 | 403 => Err(PublishError::Refused { at }),
                    status => {
                        let mut reason = answer.text().unwrap_or_default().replace('\n', " ");
                        let end = reason.floor_char_boundary(LONGEST_REASON);
                        reason.truncate(end);
                        Err(PublishError::Rejected { at, status, reason })
                    }
                }
            }
        }
    }
}

/// The cause that says most: an error of the client hides it in causes of causes.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Meter, Reading};

    #[test]
    fn lines_have_every_digit_and_nanoseconds() {
        let meter = Meter::new(
            "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002".parse().unwrap(),
            Some("MT 175".into()),
        );
        let reading = Reading {
            import_kwh: Some("12345.67890".parse().unwrap()),
            power_kw: Some("-0.015".parse().unwrap()),
            ..Reading::new("2026-01-31T12:00:01.5Z".parse().unwrap())
        };
        assert_eq!(
            line(&(meter, reading)),
            "ebp,meter=6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002 import_kwh=12345.67890,power_kw=-0.015 \
             1769860801500000000\n"
        );
    }

    #[test]
    fn a_file_grows_at_its_end_and_is_its_owner_s() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let target = Target::File(path.clone());
        target.write("a\n").unwrap();
        target.write("b\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\nb\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
