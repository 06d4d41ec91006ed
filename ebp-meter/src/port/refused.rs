//! Errors of opening a path, in terms of the reader.
//!
//! Enters: the system's error. Leaves: a [`PortError`] that names the port and what is in the way,
//! such as the group to join. Absent: errors of an open port.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

use rustix::io::Errno;

use super::{PortError, PortName};

/// The error for a path that could not be opened.
pub(super) fn refused(name: &PortName, path: &Path, error: io::Error) -> PortError {
    let port = name.clone();
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        // A device file whose device is not there answers ENXIO or ENODEV.
        Some(Errno::NOENT | Errno::NOTDIR | Errno::NXIO | Errno::NODEV) => {
            PortError::NotFound { port }
        }
        Some(Errno::ACCESS | Errno::PERM) => {
            PortError::PermissionDenied { port, group: owning_group(path, Path::new("/etc/group")) }
        }
        Some(Errno::BUSY) => PortError::Busy { port },
        _ => PortError::Io { port, source: error },
    }
}

/// The name of the group that the device belongs to (`dialout` on Debian), where joining it helps:
/// none for root's own group, nor where the group may not read either.
fn owning_group(path: &Path, groups: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    let gid = metadata.gid();
    if gid == 0 || metadata.mode() & 0o040 == 0 {
        return None;
    }
    let name = fs::read_to_string(groups).ok().and_then(|text| group_name(&text, gid));
    Some(name.unwrap_or_else(|| gid.to_string()))
}

/// Looks a group up in the text of `/etc/group` (`name:password:gid:members`).
fn group_name(groups: &str, gid: u32) -> Option<String> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_by_number() {
        let groups = "root:x:0:\n# broken\ndialout:x:20:pi,anna\nuucp:x:10:\n";
        assert_eq!(group_name(groups, 20).as_deref(), Some("dialout"));
        assert_eq!(group_name(groups, 21), None);
    }

    #[test]
    fn a_device_of_a_group_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let (device, groups) = (dir.path().join("ttyUSB0"), dir.path().join("group"));
        fs::write(&device, "").unwrap();
        let own = fs::metadata(&device).unwrap().gid();
        fs::write(&groups, format!("meter:x:{own}:\n")).unwrap();
        let expected = (own != 0).then(|| "meter".to_owned());
        assert_eq!(owning_group(&device, &groups), expected);
    }

    #[test]
    fn errors_are_told_in_the_readers_terms() {
        let path = Path::new("/nonexistent/ttyUSB0");
        let name = PortName::Path(path.to_owned());
        for (errno, text) in [
            (Errno::ACCESS, "no permission to open /nonexistent/ttyUSB0"),
            (Errno::BUSY, "/nonexistent/ttyUSB0 is in use by another process"),
            (Errno::NODEV, "/nonexistent/ttyUSB0 does not exist"),
        ] {
            assert_eq!(refused(&name, path, errno.into()).to_string(), text);
        }
        let group = Some("dialout".to_owned());
        let denied = PortError::PermissionDenied { port: name, group };
        assert!(denied.to_string().ends_with(" (it belongs to the group dialout)"));
    }
}
