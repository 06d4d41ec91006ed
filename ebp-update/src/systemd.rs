//! Services of systemd.

use std::{collections::BTreeMap, process::Command};

use crate::services::{ServiceState, Services, ServicesError};

/// The services of a device, as the package's units name them.
pub const UNITS: [&str; 4] =
    ["ebp-read.service", "ebp-transmit.service", "ebp-tunnel.service", "ebp-page.service"];

/// Services that systemd manages.
#[derive(Debug)]
pub struct Systemd {
    units: Vec<String>,
}

impl Systemd {
    /// Those units.
    #[must_use]
    pub const fn new(units: Vec<String>) -> Self {
        Self { units }
    }

    fn systemctl(&self, arguments: &[&str]) -> Result<String, ServicesError> {
        let fault = |reason: String| ServicesError {
            command: format!("systemctl {}", arguments.join(" ")),
            reason,
        };
        let mut command = Command::new("systemctl");
        let output = command.args(arguments).args(&self.units).output();
        let output = output.map_err(|error| fault(error.to_string()))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            let last = errors.lines().next_back().map(str::to_owned);
            return Err(fault(last.unwrap_or_else(|| output.status.to_string())));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Services for Systemd {
    /// A unit that does not run stays as it is: it was switched off, or consent is revoked. It is not
    /// waited for, since a service that never says that it is ready would hold up its own judge.
    fn restart(&mut self) -> Result<(), ServicesError> {
        self.systemctl(&["--no-block", "try-restart"]).map(drop)
    }

    fn states(&mut self) -> Result<BTreeMap<String, ServiceState>, ServicesError> {
        let shown = self.systemctl(&["show", "--property=Id,ActiveState,NRestarts"])?;
        Ok(shown.split("\n\n").filter_map(state).collect())
    }
}

/// A unit's properties, a line each.
fn state(text: &str) -> Option<(String, ServiceState)> {
    let value = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=').map(str::trim))
    };
    let active = matches!(value("ActiveState")?, "active" | "activating" | "reloading");
    let restarts = value("NRestarts").and_then(|text| text.parse().ok()).unwrap_or(0);
    Some((value("Id")?.to_owned(), ServiceState { active, restarts }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed by systemd 252 for two units, of which the second does not exist.
    #[test]
    fn what_systemctl_shows() {
        let text = "NRestarts=3\nId=ebp-read.service\nActiveState=activating\n\nNRestarts=0\n\
                    Id=ebp-tunnel.service\nActiveState=inactive\n";
        let states: BTreeMap<_, _> = text.split("\n\n").filter_map(state).collect();
        let shown =
            |name| states.get(name).map(|state: &ServiceState| (state.active, state.restarts));
        assert_eq!(shown("ebp-read.service"), Some((true, 3)));
        assert_eq!(shown("ebp-tunnel.service"), Some((false, 0)));
        assert!("".split("\n\n").find_map(state).is_none());
    }
}
