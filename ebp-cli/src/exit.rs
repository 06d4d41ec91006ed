//! Exit codes, and failures with their message and remedy.
//!
//! Enters: errors of the crates. Leaves: one line for people and a code for scripts. Absent:
//! handling errors; the code where they occur does that.

pub mod device;
#[cfg(feature = "export")]
pub mod export;
pub mod file;
pub mod publish;
#[cfg(feature = "server")]
pub mod release;
#[cfg(feature = "server")]
pub mod server;
mod system;
mod unlock;
pub mod update;

use std::{error::Error, fmt, io, panic::Location};

use ebp_errors::error_types;
use ebp_meter::port::{PortError, PortName};

/// What a command's end means to a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// There is nothing to report.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// Wrong usage (clap exits with the same code).
    Usage = 2,
    /// Nothing was read in time.
    NothingRead = 3,
    /// The participant has not granted consent, or has revoked it.
    NoConsent = 4,
    /// The server does not accept who is asking.
    NotAuthorized = 5,
}

/// Why a command ends without success.
#[derive(Debug)]
pub struct Failure {
    /// For scripts.
    pub code: Code,
    /// What went wrong, naming the thing.
    pub message: String,
    /// What the reader can do about it.
    pub remedy: Option<String>,
    /// The types of the error that it was made of, and of its causes; none where it is of a text.
    pub types: Vec<String>,
    /// Where it was made.
    pub place: &'static Location<'static>,
}

/// What every command returns.
pub type CommandResult = Result<(), Failure>;

impl Failure {
    /// Whoever was reading our output has seen enough: the command ends, and that is no failure. It
    /// takes a failure's way out, past everything that there still was to do.
    pub fn closed_pipe() -> Self {
        Self::new(Code::Done, "")
    }

    /// A failure of that code.
    #[track_caller]
    pub fn new<M: fmt::Display>(code: Code, message: M) -> Self {
        let types = ebp_errors::type_name::<M>().into_iter().collect();
        let place = Location::caller();
        Self { code, message: message.to_string(), remedy: None, types, place }
    }

    /// A failure of that code, of an error and its causes.
    #[track_caller]
    pub fn caused_by<E: Error + ?Sized>(code: Code, error: &E) -> Self {
        Self::new(code, chain(error)).typed(error)
    }

    /// Names the types of that error and its causes in reports.
    #[must_use]
    pub fn typed<E: Error + ?Sized>(mut self, error: &E) -> Self {
        self.types = error_types(error);
        self
    }

    /// A plain failure, code 1.
    #[track_caller]
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::new(Code::Failed, message)
    }

    /// Wrong usage, code 2.
    #[track_caller]
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Code::Usage, message)
    }

    /// Adds what the reader can do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl fmt::Display) -> Self {
        self.remedy = Some(remedy.to_string());
        self
    }
}

/// One line: the message, then the remedy; of an error of the operating system that has none the
/// usual one.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_line = |text: &str| text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
        f.write_str(&one_line(&self.message))?;
        match self.remedy.as_deref().or_else(|| system::remedy(&self.message)) {
            Some(remedy) => write!(f, ": {}", one_line(remedy)),
            None => Ok(()),
        }
    }
}

/// Adds the context to an error that lacks it.
pub trait Context<T> {
    /// Turns the error into a failure that begins with `what`.
    #[track_caller]
    fn or_failed(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: Error> Context<T> for Result<T, E> {
    fn or_failed(self, what: impl fmt::Display) -> Result<T, Failure> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(Failure::failed(format!("{what}: {}", chain(&error))).typed(&error)),
        }
    }
}

/// An error and its causes, without causes that the message contains already.
pub fn chain<E: Error + ?Sized>(error: &E) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let code = match error {
            PortError::InvalidName(_) | PortError::WebAddress(_) => Code::Usage,
            _ => Code::Failed,
        };
        let remedy = match &error {
            PortError::InvalidName(_) | PortError::WebAddress(_) => None,
            PortError::NotFound { port: PortName::Path(path) }
                if format!("tcp://{}", path.display()).parse::<PortName>().is_ok() =>
            {
                Some(format!("a bridge is named `tcp://{}`", path.display()))
            }
            PortError::NotFound { port: PortName::Path(path) } if !path.starts_with("/dev") => {
                Some("check the name; a reading head is a device such as /dev/ttyUSB0".to_owned())
            }
            PortError::NotFound { .. } => Some(
                "plug the reading head in; `ebp read` without --port lists the ports there are"
                    .to_owned(),
            ),
            PortError::PermissionDenied { group: Some(group), .. } => Some(format!(
                "add yourself to it with `sudo usermod -aG {group} $USER` and log in again"
            )),
            PortError::PermissionDenied { group: None, .. } => {
                Some("ask its owner for permission to read it, or run as that user".to_owned())
            }
            PortError::Busy { port } => {
                Some(format!("end the other reader (`fuser -v {port}` names it)"))
            }
            PortError::WrongKind { .. } => {
                Some("give a device such as /dev/ttyUSB0, tcp://host:port, a file, or -".to_owned())
            }
            PortError::Unreachable { .. } => Some(
                "check that the bridge is switched on and that address and port are right"
                    .to_owned(),
            ),
            PortError::Vanished { .. } => Some(
                "check the cable, then start again; with --watch ebp waits for it to come back"
                    .to_owned(),
            ),
            PortError::ReadOnly { .. } => {
                Some("give the serial device of the reading head".to_owned())
            }
            PortError::Line { .. } => Some("choose another speed with --baud".to_owned()),
            PortError::Io { .. } => None,
        };
        Self { remedy, ..Self::caused_by(code, &error) }
    }
}

/// Of anything but ports and printing, which have failures of their own.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line() {
        let failure = Failure::failed("a\n  b").remedy("do\nthis");
        assert_eq!(failure.to_string(), "a b: do this");
    }

    #[test]
    fn an_address_without_its_scheme_is_told_how_to_name_it() {
        let remedy = |name: &str| {
            let port: PortName = name.parse().unwrap();
            Failure::from(PortError::NotFound { port }).remedy.unwrap()
        };
        assert!(remedy("192.168.1.5:7331").contains("`tcp://192.168.1.5:7331`"));
        for name in ["letter.txt", "no:port", "/dev/serial/by-path/usb-0:1.2:1.0-port0"] {
            assert!(!remedy(name).contains("tcp://"), "{name}");
        }
    }

    #[test]
    fn every_port_error_names_the_port_and_most_a_remedy() {
        let port: PortName = "/dev/ttyUSB7".parse().unwrap();
        let group = Some("dialout".to_owned());
        for error in [
            PortError::NotFound { port: port.clone() },
            PortError::PermissionDenied { port: port.clone(), group },
            PortError::Busy { port: port.clone() },
            PortError::Vanished { port },
        ] {
            let failure = Failure::from(error);
            assert!(failure.to_string().contains("/dev/ttyUSB7"), "{failure}");
            assert!(failure.remedy.is_some(), "{failure}");
        }
    }
}
