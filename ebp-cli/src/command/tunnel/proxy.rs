//! The HTTP proxy that the environment names, as other programs use it.

use ebp_fleet::tunnel::ProxyAddress;

use crate::exit::Failure;

/// The variables, the first of which that is set counts.
const VARIABLES: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];

/// The proxy of `HTTPS_PROXY`, if it is set.
pub fn from_environment() -> Result<Option<ProxyAddress>, Failure> {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(value) = VARIABLES.iter().find_map(set) else { return Ok(None) };
    // Without a scheme an HTTP proxy is meant.
    let address = if value.contains("://") { value } else { format!("http://{value}") };
    let proxy = address.parse();
    proxy.map(Some).map_err(|error| Failure::usage(format!("HTTPS_PROXY: {error}")))
}
