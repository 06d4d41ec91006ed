//! Remedies for errors of the operating system, if there is no more specific one.
//!
//! Enters: a message that ends in the system's own words, `… (os error 28)`. Leaves: the remedy.
//! Absent: messages that know better, which bring their own.

use rustix::io::Errno;

/// The remedy for the last operating system error in the message, if there is one.
pub fn remedy(message: &str) -> Option<&'static str> {
    let (_, number) = message.rsplit_once("(os error ")?;
    let number: i32 = number.split(')').next()?.parse().ok()?;
    let is_serial = ["/dev/tty", "/dev/serial/"].iter().any(|place| message.contains(place));
    Some(match Errno::from_raw_os_error(number) {
        Errno::ACCESS | Errno::PERM if is_serial => {
            "serial devices belong to a group: `sudo usermod -aG dialout $USER`, then log in again"
        }
        Errno::ACCESS | Errno::PERM => {
            "let this user use it (`ls -ld` shows its owner), or run this as a user that may"
        }
        Errno::NOENT => "check the name and that its folder exists",
        Errno::EXIST => "choose another name, or remove what is there",
        Errno::NOTDIR => "a part of the path is a file where a folder is needed",
        Errno::ISDIR => "name a file: this is a folder",
        Errno::NOTEMPTY => "name an empty folder",
        Errno::LOOP => "symbolic links lead in a circle there",
        Errno::NAMETOOLONG => "choose a shorter name",
        Errno::BUSY | Errno::TXTBSY => "end the other program that uses it (`fuser -v` names it)",
        Errno::NOSPC => "make room on the disk (`df -h` shows which is full)",
        Errno::DQUOT => "make room: this user's share of the disk is used up (`quota`)",
        Errno::FBIG => "the file system takes no file as large as this: use another one",
        Errno::ROFS => "mount that file system for writing, or choose another folder",
        Errno::IO => "the disk or the device may be failing: `dmesg` says more",
        Errno::NODEV | Errno::NXIO => "the device is gone: plug it in again",
        Errno::MFILE | Errno::NFILE => {
            "raise the limit of open files (`ulimit -n`, in a unit LimitNOFILE=)"
        }
        Errno::NOMEM => "end other programs, or give the machine more memory",
        Errno::ADDRINUSE => {
            "another program listens there (`ss -ltnp` names it): end it or choose another port"
        }
        Errno::ADDRNOTAVAIL => "listen at an address of this machine (`ip address` lists them)",
        Errno::CONNREFUSED => {
            "nothing listens there: check that the server runs, and its address and port"
        }
        Errno::CONNRESET | Errno::PIPE | Errno::CONNABORTED => {
            "the other side closed the connection: try again, and look at its log if it persists"
        }
        Errno::TIMEDOUT => "check the network, and that the other side is up",
        Errno::NETUNREACH | Errno::HOSTUNREACH | Errno::NETDOWN => {
            "check this machine's network and the address"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::exit::Failure;

    #[test]
    fn the_systems_errors_have_remedies() {
        for (errno, says) in [
            (Errno::NOSPC, "make room on the disk"),
            (Errno::ACCESS, "let this user use it"),
            (Errno::ADDRINUSE, "another program listens there"),
            (Errno::CONNREFUSED, "nothing listens there"),
            (Errno::NOENT, "check the name"),
            (Errno::ROFS, "for writing"),
            (Errno::BUSY, "fuser"),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            let failure = Failure::failed(format!("cannot write /srv/a: {error}"));
            assert!(failure.to_string().contains(says), "{failure}");
        }
    }

    #[test]
    fn a_serial_device_has_a_group() {
        let error = io::Error::from_raw_os_error(Errno::ACCESS.raw_os_error());
        let failure = Failure::failed(format!("/dev/ttyUSB0: {error}"));
        assert!(failure.to_string().contains("dialout"), "{failure}");
    }

    #[test]
    fn whoever_knows_better_is_not_overruled() {
        let error = io::Error::from_raw_os_error(Errno::NOSPC.raw_os_error());
        let failure = Failure::failed(&error).remedy("use another card");
        assert!(failure.to_string().ends_with(": use another card"), "{failure}");
        assert_eq!(remedy("no port"), None);
        assert_eq!(remedy("odd (os error x)"), None);
        assert_eq!(remedy("odd (os error 4095)"), None);
    }
}
