//! The section `[tunnel]` of a device's configuration, every value parsed.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// The name of the first service.
const FIRST: &str = "ssh";
/// The most services a device has.
const MOST_SERVICES: usize = 16;
/// The longest name of a service, bytes.
const LONGEST_NAME: usize = 32;

/// What a device's tunnel is, and who may use it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct TunnelConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// What can be reached through it. Nothing else is ever dialled.
    pub allow: AllowList,
    /// How often the device proves that it is there.
    pub heartbeat: Heartbeat,
    /// The HTTP proxy by which the server is reached, if it is not reached directly.
    pub proxy: Option<ProxyAddress>,
    /// Whether the household lets administrators in.
    pub access: TunnelAccess,
    /// The socket at which the device's page asks.
    pub socket: Option<PathBuf>,
    /// The folder with the public keys of the sshd.
    pub host_keys: PathBuf,
}

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    enabled: bool,
    allow: Vec<String>,
    allow_lan: bool,
    heartbeat: String,
    proxy: Option<String>,
    access: TunnelAccess,
    socket: Option<PathBuf>,
    host_keys: PathBuf,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            enabled: true,
            allow: vec!["127.0.0.1:22".to_owned()],
            allow_lan: false,
            heartbeat: "30s".to_owned(),
            proxy: None,
            access: TunnelAccess::default(),
            socket: None,
            host_keys: PathBuf::from("/etc/ssh"),
        }
    }
}

impl TryFrom<Written> for TunnelConfig {
    type Error = ConfigError;
    fn try_from(written: Written) -> Result<Self, ConfigError> {
        Ok(Self {
            enabled: written.enabled,
            allow: AllowList::parse(&written.allow, written.allow_lan)?,
            heartbeat: written.heartbeat.parse()?,
            proxy: written.proxy.as_deref().map(str::parse).transpose()?,
            access: written.access,
            socket: written.socket,
            host_keys: written.host_keys,
        })
    }
}

/// Whether administrators may connect, as the device's owner has set it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TunnelAccess {
    /// Unless the household has switched it off.
    #[default]
    Always,
    /// While the household has switched it on.
    UntilSwitchedOn,
    /// Never.
    Never,
}

/// Why a value cannot be used; each says what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// An entry of the list is no address with a port.
    #[error(
        "`{0}` is no service: write an address with its port such as 127.0.0.1:22, with a name as web=127.0.0.1:80"
    )]
    Service(String),
    /// The address stands for all or cannot be dialled.
    #[error("{0} cannot be allowed: write the address of one service, such as 127.0.0.1:22")]
    Unspecified(SocketAddr),
    /// The address is another machine's.
    #[error(
        "{0} is another machine: write allow_lan = true if it may be reached through this device"
    )]
    Lan(SocketAddr),
    /// Two services have one name.
    #[error("two services are named `{0}`")]
    NameTwice(String),
    /// There is none, or there are too many.
    #[error("allow has {0} services: write 1 to {MOST_SERVICES}")]
    Count(usize),
    /// The heartbeat is out of its range.
    #[error("`{0}` is no heartbeat: write 10s to 5m")]
    Heartbeat(String),
    /// The proxy's address cannot be used. It may hold a password, which is not repeated here.
    #[error(
        "the proxy's address cannot be used: write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT"
    )]
    Proxy,
}

/// The services that can be reached, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList(Vec<Service>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What administrators call it.
    pub name: String,
    /// Where it is.
    pub address: ServiceAddress,
}

/// The address of a service.
pub type ServiceAddress = SocketAddr;

impl AllowList {
    /// Parses entries `[NAME=]ADDRESS:PORT`. The first is named `ssh`, others by their address, unless
    /// they say otherwise. Addresses of other machines need `lan`.
    ///
    /// # Errors
    /// [`ConfigError`] for an entry that is no address, is not one machine's, or has a name twice.
    pub fn parse(entries: &[String], lan: bool) -> Result<Self, ConfigError> {
        if entries.is_empty() || entries.len() > MOST_SERVICES {
            return Err(ConfigError::Count(entries.len()));
        }
        let mut services: Vec<Service> = Vec::with_capacity(entries.len());
        for entry in entries {
            let wrong = || ConfigError::Service(entry.clone());
            let (name, address) = match entry.split_once('=') {
                Some((name, address)) if is_name(name) => (Some(name), address),
                Some(_) => return Err(wrong()),
                None => (None, entry.as_str()),
            };
            let address: SocketAddr = address.parse().map_err(|_| wrong())?;
            require_one_machine(address, lan)?;
            let name = match name {
                Some(name) => name.to_owned(),
                None if services.is_empty() => FIRST.to_owned(),
                None => address.to_string(),
            };
            if services.iter().any(|service| service.name == name) {
                return Err(ConfigError::NameTwice(name));
            }
            services.push(Service { name, address });
        }
        Ok(Self(services))
    }

    /// The service of exactly that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Service> {
        self.0.iter().find(|service| service.name == name)
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.0.iter()
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_plain)
}

/// Neither all addresses nor link-local or multicast ones, which mean another machine on each link.
fn require_one_machine(address: SocketAddr, lan: bool) -> Result<(), ConfigError> {
    let ip = address.ip().to_canonical();
    let is_link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    if ip.is_unspecified() || ip.is_multicast() || is_link_local || address.port() == 0 {
        return Err(ConfigError::Unspecified(address));
    }
    if !ip.is_loopback() && !lan {
        return Err(ConfigError::Lan(address));
    }
    Ok(())
}

/// How often a device proves that it is there: 10 s to 5 minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat(Duration);

impl Heartbeat {
    /// The shortest and the longest.
    const RANGE: std::ops::RangeInclusive<Duration> =
        Duration::from_secs(10)..=Duration::from_secs(300);

    /// Its length.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// That many seconds, if it is within the range.
    #[must_use]
    pub fn from_secs(seconds: u64) -> Option<Self> {
        let length = Duration::from_secs(seconds);
        Self::RANGE.contains(&length).then_some(Self(length))
    }
}

impl FromStr for Heartbeat {
    type Err = ConfigError;
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let length = humantime::parse_duration(text).ok();
        length
            .and_then(|length| Self::from_secs(length.as_secs()))
            .ok_or_else(|| ConfigError::Heartbeat(text.to_owned()))
    }
}

/// An HTTP proxy that passes connections on (`CONNECT`). `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress {
    /// Host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `USER:PASSWORD`, if it wants one.
    pub credentials: Option<String>,
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyAddress({}:{})", self.host, self.port)
    }
}

impl FromStr for ProxyAddress {
    type Err = ConfigError;
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let rest = text.strip_prefix("http://").ok_or(ConfigError::Proxy)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, authority) = match rest.rsplit_once('@') {
            Some((credentials, authority)) => (Some(credentials.to_owned()), authority),
            None => (None, rest),
        };
        let (host, port) = authority.rsplit_once(':').ok_or(ConfigError::Proxy)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(ConfigError::Proxy)?;
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_host = !host.is_empty() && !host.contains(['/', '?', '#']) && is_plain(host);
        if !is_host
            || credentials.as_deref().is_some_and(|text| !text.contains(':') || !is_plain(text))
        {
            return Err(ConfigError::Proxy);
        }
        Ok(Self { host: host.to_owned(), port, credentials })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(entries: &[&str], lan: bool) -> Result<AllowList, ConfigError> {
        let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
        AllowList::parse(&entries, lan)
    }

    #[test]
    fn services_have_names_and_nothing_else_is_found() {
        let list = allow(&["127.0.0.1:22", "[::1]:80", "web=127.0.0.1:8080"], false).unwrap();
        let names: Vec<&str> = list.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["ssh", "[::1]:80", "web"]);
        assert_eq!(list.find("web").unwrap().address, "127.0.0.1:8080".parse().unwrap());
        for other in ["", "SSH", "ssh ", "127.0.0.1:22", "127.0.0.1:8080", "web2"] {
            assert_eq!(list.find(other), None, "{other}");
        }
    }

    #[test]
    fn addresses_of_all_and_of_others_are_refused() {
        for unspecified in [
            "0.0.0.0:22",
            "[::]:22",
            "169.254.1.1:22",
            "[fe80::1]:22",
            "224.0.0.1:22",
            "127.0.0.1:0",
            "[::ffff:0.0.0.0]:22",
        ] {
            let error = allow(&[unspecified], true).unwrap_err();
            assert!(matches!(error, ConfigError::Unspecified(_)), "{unspecified}: {error}");
        }
        for other in ["192.168.1.2:22", "[2001:db8::1]:22", "[::ffff:10.0.0.1]:22"] {
            assert!(matches!(allow(&[other], false), Err(ConfigError::Lan(_))), "{other}");
            assert!(allow(&[other], true).is_ok(), "{other}");
        }
        for wrong in ["22", "localhost:22", "A=127.0.0.1:22", "=127.0.0.1:22", "a b=127.0.0.1:1"] {
            assert!(matches!(allow(&[wrong], false), Err(ConfigError::Service(_))), "{wrong}");
        }
        assert_eq!(allow(&[], false), Err(ConfigError::Count(0)));
        let twice = allow(&["ssh=127.0.0.1:1", "ssh=127.0.0.1:2"], false);
        assert_eq!(twice, Err(ConfigError::NameTwice("ssh".into())));
    }

    #[test]
    fn heartbeats_and_proxies() {
        assert_eq!("30s".parse::<Heartbeat>().unwrap().get(), Duration::from_secs(30));
        for wrong in ["9s", "301s", "", "fast"] {
            assert!(wrong.parse::<Heartbeat>().is_err(), "{wrong}");
        }
        let proxy: ProxyAddress = "http://user:p@ss@proxy.example:3128/".parse().unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.example", 3128));
        assert_eq!(proxy.credentials.as_deref(), Some("user:p@ss"));
        assert!(!format!("{proxy:?}").contains("p@ss"));
        for wrong in
            ["https://proxy:1", "http://proxy", "http://:1", "http://a/b:1", "http://u@h:1"]
        {
            assert_eq!(wrong.parse::<ProxyAddress>(), Err(ConfigError::Proxy), "{wrong}");
        }
    }
}
