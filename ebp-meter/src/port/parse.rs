//! A port's name as people type it.

use std::{path::PathBuf, str::FromStr};

use super::{PortError, PortName};

impl FromStr for PortName {
    type Err = PortError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        if s == "-" {
            return Ok(Self::StandardInput);
        }
        if let Some(address) = s.strip_prefix("tcp://") {
            let address = address.strip_suffix('/').unwrap_or(address);
            let valid = address.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|p| p > 0)
            });
            return if valid {
                Ok(Self::Tcp(address.to_owned()))
            } else {
                Err(PortError::InvalidName(s.to_owned()))
            };
        }
        if let Some(host) = web_host(s) {
            return Err(PortError::WebAddress(host.to_owned()));
        }
        if s.is_empty() || s.contains("://") {
            return Err(PortError::InvalidName(s.to_owned()));
        }
        Ok(Self::Path(PathBuf::from(s)))
    }
}

/// The host of a web server's address: without a password that may stand before it, and without a
/// path.
fn web_host(name: &str) -> Option<&str> {
    let (scheme, rest) = name.split_once("://")?;
    if !["http", "https", "ws", "wss"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Some(authority.rsplit('@').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_servers_address_is_told_without_its_password() {
        for name in ["http://admin:secret@pulse.local/data.json?node_id=1", "HTTPS://pulse.local"] {
            let error = name.parse::<PortName>().unwrap_err();
            assert!(
                matches!(&error, PortError::WebAddress(host) if host == "pulse.local"),
                "{error}"
            );
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn names() {
        assert_eq!("-".parse::<PortName>().unwrap(), PortName::StandardInput);
        assert_eq!(
            "tcp://meter.local:3333".parse::<PortName>().unwrap().to_string(),
            "tcp://meter.local:3333"
        );
        assert_eq!(
            "tcp://[::1]:3333/".parse::<PortName>().unwrap(),
            PortName::Tcp("[::1]:3333".to_owned())
        );
        assert_eq!("/dev/ttyUSB0".parse::<PortName>().unwrap().to_string(), "/dev/ttyUSB0");
        for bad in [
            "",
            "tcp://",
            "tcp://host",
            "tcp://:1",
            "tcp://host:0",
            "tcp://host:99999",
            "tcp://host:1//",
            "tcp://host:1/path",
            "rfc2217://x:1",
        ] {
            assert!(matches!(bad.parse::<PortName>(), Err(PortError::InvalidName(_))), "{bad}");
        }
    }
}
