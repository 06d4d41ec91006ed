//! Addresses of brokers and databases. A password in one would show in the list of processes and in
//! logs: it is refused, and no error repeats the address.

use std::{fmt, path::PathBuf, str::FromStr};

use url::Url;

/// Why an address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It has a password.
    #[error(
        "an address must not have a password, which other users of the machine would see: write it into a file of mode 0600"
    )]
    Password,
    /// It is no broker's.
    #[error("no address of a broker: write mqtt://HOST[:PORT] or mqtts://HOST[:PORT]")]
    Broker,
    /// It is no server's.
    #[error("no address to write to: write such as http://HOST:8086/write?db=NAME")]
    Server,
}

/// A broker's address: `mqtt://[user@]host[:port]`, or `mqtts` for TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the connection has TLS.
    pub is_encrypted: bool,
    /// The user, if it names one.
    pub user: Option<String>,
}

impl FromStr for BrokerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError::Broker)?;
        if url.password().is_some() {
            return Err(AddressError::Password);
        }
        let (is_encrypted, port) = match url.scheme() {
            "mqtt" => (false, 1883),
            "mqtts" => (true, 8883),
            _ => return Err(AddressError::Broker),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(AddressError::Broker)?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Broker);
        }
        let user = Some(url.username()).filter(|user| !user.is_empty()).map(str::to_owned);
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(port),
            is_encrypted,
            user,
        })
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Where lines of InfluxDB go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InfluxTarget {
    /// Standard output.
    StandardOutput,
    /// A file, at whose end they are written.
    File(PathBuf),
    /// A server's address to write to.
    Server(Url),
}

impl InfluxTarget {
    /// The file's path, if it is one.
    pub const fn file_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::StandardOutput | Self::Server(_) => None,
        }
    }
}

impl FromStr for InfluxTarget {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text == "-" {
            return Ok(Self::StandardOutput);
        }
        if !text.contains("://") {
            return if text.is_empty() {
                Err(AddressError::Server)
            } else {
                Ok(Self::File(text.into()))
            };
        }
        let url = Url::parse(text).map_err(|_| AddressError::Server)?;
        let has_secret = url.query_pairs().any(|(name, _)| matches!(&*name, "p" | "u" | "token"));
        if url.password().is_some() || !url.username().is_empty() || has_secret {
            return Err(AddressError::Password);
        }
        match url.scheme() {
            "http" | "https" if url.host_str().is_some() && url.path().len() > 1 => {
                Ok(Self::Server(url))
            }
            _ => Err(AddressError::Server),
        }
    }
}

/// Host and port of a server, without what else the address has.
#[cfg(feature = "influx")]
pub(crate) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
