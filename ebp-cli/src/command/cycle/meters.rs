//! Warnings for the configured meters, and the file with the attempts to unlock them.

use std::{fs, path::Path};

use ebp_device::config::{DeviceConfig, MeterEntry};
use ebp_meter::{
    port::{self, PortInfo, PortName},
    profile::{Profile, Profiles},
    readout::Protocol,
    unlock::{Pin, Tries},
};

use crate::{state, tell::tell};

/// Where tries to unlock are remembered: where `ebp unlock` does, so that both count together.
pub fn tries(config: &DeviceConfig) -> Tries {
    let folder = state::folder(config.state.as_deref());
    Tries::in_folder(&folder.unwrap_or_else(|_| config.spool.clone()))
}

/// Tells of what will be trouble later: a name that another head may have after the next start, a
/// PIN that cannot be used, an unknown model, a setting that does not apply to its model.
pub fn warn_of_names_and_pins(config: &DeviceConfig) {
    let (ports, profiles) = (port::list(), Profiles::embedded());
    for meter in &config.meters {
        if let Some(stable) = stable_name(&meter.port, &ports) {
            tell!(
                "ebp: {} may be another reading head after the next start: write port = \"{stable}\"",
                meter.port
            );
        }
        if let Err(error) = meter.pin_file.as_deref().map(Pin::from_file).transpose() {
            tell!("ebp: meter {} cannot be unlocked: {error}", meter.uuid);
        }
        match profiles.get(&meter.model) {
            Ok(profile) => warn_of_useless(meter, profile),
            Err(error) => {
                tracing::warn!(meter = %meter.uuid, %error, "read without a profile");
            }
        }
    }
}

/// What a model has no use for.
fn warn_of_useless(meter: &MeterEntry, profile: &Profile) {
    let (uuid, model) = (meter.uuid, &profile.name);
    if meter.address.is_some() && !profile.line.is_asked() && meter.protocol != Some(Protocol::D0) {
        tell!("ebp: meter {uuid}: {model} sends unasked, so that its address is not used");
    }
    if meter.inf_presses.is_some() && profile.pin.is_none() {
        tell!(
            "ebp: meter {uuid}: how the PIN of {model} is entered by light is not known, so that its \
             inf_presses are not used"
        );
    }
}

/// The stable name of a port that is configured by a changing one.
fn stable_name(port: &PortName, ports: &[PortInfo]) -> Option<PortName> {
    let PortName::Path(path) = port else { return None };
    // A link was made as a stable name.
    if !path.starts_with("/dev") || fs::symlink_metadata(path).ok()?.is_symlink() {
        return None;
    }
    ports
        .iter()
        .find(|info| info.device == *path && info.name != *port)
        .map(|info| info.name.clone())
        .filter(|name| matches!(name, PortName::Path(path) if path.starts_with(Path::new("/dev/serial"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_changes_is_told_with_the_one_that_does_not() {
        let name = |text: &str| text.parse::<PortName>().unwrap();
        let stable = name("/dev/serial/by-id/usb-Silicon_Labs_CP2104-if00-port0");
        // Any existing device that is no link.
        let info = PortInfo {
            name: stable.clone(),
            device: "/dev/null".into(),
            description: None,
            serial: None,
        };
        assert_eq!(
            stable_name(&name("/dev/null"), std::slice::from_ref(&info)),
            Some(stable.clone())
        );
        for other in ["/dev/zero", "tcp://a:1", "/nonexistent/ttyUSB0"] {
            assert_eq!(stable_name(&name(other), std::slice::from_ref(&info)), None, "{other}");
        }
        assert_eq!(stable_name(&stable, &[info]), None);
    }
}
