//! The machine's serial ports that a reading head may be at.
//!
//! Enters: the folders `/dev` and `/sys`. Leaves: [`PortInfo`] by stable names. Absent: opening
//! any of them, so nothing is disturbed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::PortName;

/// A serial port worth trying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    /// The name to use: the stable one (`/dev/serial/by-id/…`, `/dev/serial0`) where there is one.
    pub name: PortName,
    /// The kernel's device, which may change with the order of plugging in: `/dev/ttyUSB0`.
    pub device: PathBuf,
    /// What the adapter says that it is.
    pub description: Option<String>,
    /// The adapter's serial number (not the meter's).
    pub serial: Option<String>,
}

/// The machine's serial ports: USB adapters first, then UARTs that are really there.
#[must_use]
pub fn list() -> Vec<PortInfo> {
    list_in(Path::new("/dev"), Path::new("/sys"))
}

/// The same under other roots.
///
/// Left out: consoles of the kernel, whose login would be disturbed, and the many `ttyS` without a
/// UART behind them (`type` 0 in sysfs).
#[must_use]
pub fn list_in(dev: &Path, sys: &Path) -> Vec<PortInfo> {
    let stable = stable_names(dev);
    let consoles = fs::read_to_string(sys.join("class/tty/console/active")).unwrap_or_default();
    let mut devices: Vec<(usize, u32, String)> = names_in(dev)
        .into_iter()
        .filter_map(|name| {
            let (rank, number) = rank(&name)?;
            let is_console = consoles.split_whitespace().any(|console| console == name);
            let is_there = !name.starts_with("ttyS") || has_uart(sys, &name);
            (is_there && !is_console).then_some((rank, number, name))
        })
        .collect();
    devices.sort();
    devices
        .into_iter()
        .map(|(_, _, name)| {
            let device = dev.join(&name);
            let by_name = stable.iter().find(|(target, _)| *target == name);
            let path = by_name.map_or_else(|| device.clone(), |(_, path)| path.clone());
            let (description, serial) = describe(sys, &name);
            PortInfo { name: PortName::Path(path), device, description, serial }
        })
        .collect()
}

/// The kinds of device in the order of trying, and the number behind the kind.
fn rank(name: &str) -> Option<(usize, u32)> {
    ["ttyUSB", "ttyACM", "ttyAMA", "ttyS"].iter().enumerate().find_map(|(rank, kind)| {
        let number = name.strip_prefix(kind)?.parse().ok()?;
        Some((rank, number))
    })
}

/// Stable names and the devices that they stand for: `by-id` links, then the Raspberry Pi's
/// `serial0`, which points at whichever UART is on the pins.
fn stable_names(dev: &Path) -> Vec<(String, PathBuf)> {
    let by_id = dev.join("serial/by-id");
    let mut links: Vec<PathBuf> =
        names_in(&by_id).into_iter().map(|name| by_id.join(name)).collect();
    links.sort();
    links.push(dev.join("serial0"));
    links
        .into_iter()
        .filter_map(|link| {
            let target = fs::canonicalize(&link).ok()?;
            Some((target.file_name()?.to_str()?.to_owned(), link))
        })
        .collect()
}

fn has_uart(sys: &Path, name: &str) -> bool {
    fs::read_to_string(sys.join("class/tty").join(name).join("type"))
        .is_ok_and(|kind| kind.trim() != "0")
}

/// Product and serial number from the USB device above the terminal in sysfs' tree.
fn describe(sys: &Path, name: &str) -> (Option<String>, Option<String>) {
    let Ok(device) = fs::canonicalize(sys.join("class/tty").join(name).join("device")) else {
        return (None, None);
    };
    let text = |folder: &Path, file: &str| {
        let text = fs::read_to_string(folder.join(file)).ok()?;
        let text: String = text.trim().chars().filter(|c| !c.is_control()).collect();
        (!text.is_empty()).then_some(text)
    };
    // ttyUSB lies two levels below its USB device, ttyACM one.
    for folder in device.ancestors().take(4) {
        if let Some(product) = text(folder, "product") {
            let description = match text(folder, "manufacturer") {
                Some(maker) if !product.starts_with(&maker) => format!("{maker} {product}"),
                _ => product,
            };
            return (Some(description), text(folder, "serial"));
        }
    }
    (None, None)
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_made_up_machine() {
        let root = tempfile::tempdir().unwrap();
        let (dev, sys) = (root.path().join("dev"), root.path().join("sys"));
        for device in
            ["ttyUSB10", "ttyUSB2", "ttyACM0", "ttyAMA0", "ttyS0", "ttyS1", "ttyS2", "tty1", "null"]
        {
            write(dev.join(device), "");
        }
        write(sys.join("class/tty/ttyS0/type"), "0\n");
        write(sys.join("class/tty/ttyS1/type"), "4\n");
        write(sys.join("class/tty/ttyS2/type"), "4\n");
        write(sys.join("class/tty/console/active"), "tty0 ttyS2\n");
        let by_id = dev.join("serial/by-id");
        fs::create_dir_all(&by_id).unwrap();
        let link = "usb-Silicon_Labs_CP2104_USB_to_UART_0001-if00-port0";
        symlink("../../ttyUSB2", by_id.join(link)).unwrap();
        symlink("../../ttyUSB7", by_id.join("usb-unplugged-if00-port0")).unwrap();
        symlink("ttyAMA0", dev.join("serial0")).unwrap();
        let usb = sys.join("devices/usb1/1-1");
        write(usb.join("product"), "CP2104 USB to UART\n");
        write(usb.join("manufacturer"), "Silicon Labs\n");
        write(usb.join("serial"), "0001\n");
        fs::create_dir_all(usb.join("1-1:1.0/ttyUSB2")).unwrap();
        fs::create_dir_all(sys.join("class/tty/ttyUSB2")).unwrap();
        symlink(usb.join("1-1:1.0/ttyUSB2"), sys.join("class/tty/ttyUSB2/device")).unwrap();

        let found = list_in(&dev, &sys);
        let names: Vec<String> = found
            .iter()
            .map(|port| port.name.to_string().replace(&format!("{}/", dev.display()), ""))
            .collect();
        let by_id = format!("serial/by-id/{link}");
        assert_eq!(names, [by_id.as_str(), "ttyUSB10", "ttyACM0", "serial0", "ttyS1"]);
        assert_eq!(found[0].device, dev.join("ttyUSB2"));
        assert_eq!(found[0].description.as_deref(), Some("Silicon Labs CP2104 USB to UART"));
        assert_eq!(found[0].serial.as_deref(), Some("0001"));
        assert_eq!(found[1].description, None);
        assert_eq!(found[3].device, dev.join("ttyAMA0"));
    }

    #[test]
    fn a_machine_without_any() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(list_in(&root.path().join("dev"), &root.path().join("sys")), []);
    }
}
