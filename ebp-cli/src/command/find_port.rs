//! Which port a meter is at, where nobody named one.
//!
//! Enters: the machine's serial ports. Leaves: the one that a meter speaks at, or what was found at
//! each. Absent: listening, which [`ebp_meter::scan`] does.

use std::time::Duration;

use ebp_meter::{
    interface::{self, Driver, Environment, Site},
    port::{self, PortInfo, PortName},
    scan::{self, Finding, Scan},
    session::{Progress, ReadOptions},
};

use super::waiting;
use crate::{
    exit::{Code, Failure},
    output::phrase::counted,
    tell::tell,
};

/// How long each port is listened to. Meters speak every one to four seconds; finding out how one
/// speaks takes some more.
const WAIT: Duration = Duration::from_secs(15);

/// The machine's serial ports, of which there is one at least.
pub fn all() -> Result<Vec<PortInfo>, Failure> {
    let ports = port::list();
    if ports.is_empty() {
        return Err(Failure::failed("this machine has no serial port").remedy(
            "plug the reading head in, or name a port with --port (a device, tcp://host:port, a file, -)",
        ));
    }
    Ok(ports)
}

/// Listens to all of the machine's serial ports until a meter speaks at one.
pub fn scan(open: scan::Open<'_>, wait: Duration) -> Result<Scan, Failure> {
    Ok(scan::scan(all()?, open, wait, &tell_progress))
}

fn tell_progress(port: &PortInfo, progress: Progress) {
    waiting::tell_progress(&port.name, progress);
}

/// The port that was named, else the only one at which a meter speaks, of that driver's model where one
/// is known: light that is meant for one meter must not fall on another.
pub fn named_or_only(
    named: Option<&PortName>,
    driver: Option<&dyn Driver>,
    options: ReadOptions,
) -> Result<PortName, Failure> {
    match named {
        Some(port) => Ok(port.clone()),
        None => {
            let environment = Environment::for_reading();
            let open = |port: &PortName| {
                interface::open(driver, &Site::new(port.clone(), options), &environment)
            };
            let port = only(scan::listen_to_all(all()?, &open, WAIT, &tell_progress))?;
            tell!("ebp: the meter is at {port}");
            Ok(port)
        }
    }
}

fn only(heard: Vec<(PortInfo, Finding)>) -> Result<PortName, Failure> {
    let (speak, others): (Vec<_>, Vec<_>) =
        heard.into_iter().partition(|(_, finding)| matches!(finding, Finding::Telegram));
    match &speak[..] {
        [] => Err(nothing_speaks(&others)),
        [(port, _)] => Ok(port.name.clone()),
        several => {
            let names: Vec<String> =
                several.iter().map(|(port, _)| port.name.to_string()).collect();
            Err(Failure::usage(format!("meters speak at {}", names.join(", ")))
                .remedy("name the one that is meant with --port"))
        }
    }
}

/// Says what was found at each port.
pub fn nothing_speaks(tried: &[(PortInfo, Finding)]) -> Failure {
    for (port, finding) in tried {
        tell!("ebp: {}: {}", port.name, describe(finding));
    }
    Failure::new(Code::NothingRead, "no meter speaks on any of this machine's serial ports")
        .remedy("check the reading head, or name its port with --port")
}

fn describe(finding: &Finding) -> String {
    match finding {
        Finding::Silent => "silent".to_owned(),
        Finding::Unintelligible { bytes, cause } => {
            let bytes = counted(*bytes, "byte");
            match cause {
                Some(cause) => format!("{bytes}, but no telegram; {cause}"),
                None => format!("{bytes}, but no telegram"),
            }
        }
        Finding::Failed(error) => crate::exit::chain(error),
        Finding::Telegram => "a meter".to_owned(),
        Finding::GivenUp => "not listened to for long enough".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(findings: Vec<Finding>) -> Result<PortName, Failure> {
        let port = |number| PortInfo {
            name: format!("/dev/ttyUSB{number}").parse().unwrap(),
            device: format!("/dev/ttyUSB{number}").into(),
            description: None,
            serial: None,
        };
        only(findings.into_iter().enumerate().map(|(at, finding)| (port(at), finding)).collect())
    }

    #[test]
    fn the_one_that_speaks_is_taken() {
        let port = heard(vec![Finding::Silent, Finding::Telegram]).unwrap();
        assert_eq!(port.to_string(), "/dev/ttyUSB1");
    }

    #[test]
    fn of_two_that_speak_none_is_taken() {
        let failure =
            heard(vec![Finding::Telegram, Finding::Silent, Finding::Telegram]).unwrap_err();
        let text = failure.to_string();
        assert!(text.contains("/dev/ttyUSB0, /dev/ttyUSB2"), "{text}");
        assert!(!text.contains("ttyUSB1"), "{text}");
    }

    #[test]
    fn silence_and_noise_are_no_meter() {
        let failure =
            heard(vec![Finding::Silent, Finding::Unintelligible { bytes: 7, cause: None }])
                .unwrap_err();
        assert_eq!(failure.code, Code::NothingRead);
    }
}
