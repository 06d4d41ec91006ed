//! The secret that opens a meter.
//!
//! Enters: digits from a file, the environment or a terminal. Leaves: [`Pin`]. Absent: the command
//! line as a source (every user of the machine can read it), and any way to print a PIN.

use std::{
    fmt,
    hint::black_box,
    io::{self, Read},
    path::{Path, PathBuf},
    str::FromStr,
};

use ebp_core::private_file::{self, Exposed};

use crate::file::open_regular;

/// The longest PIN that any profile may ask for.
pub const MAX_DIGITS: usize = 8;

/// A meter's PIN, 1 to 8 digits. It has no `Display`, its `Debug` tells nothing, and its memory is
/// wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin {
    digits: [u8; MAX_DIGITS],
    count: usize,
}

impl Pin {
    /// Reads the PIN from the first line of a file which nobody but its owner may read.
    ///
    /// # Errors
    /// [`PinError::Exposed`] when group or others may read or write the file, `Unreadable` when it
    /// cannot be read or is no regular file, and those of [`Pin::from_str`].
    pub fn from_file(path: &Path) -> Result<Self, PinError> {
        let unreadable = |source| PinError::Unreadable { path: path.to_owned(), source };
        let file = open_regular(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        private_file::check(path, &metadata)?;
        let mut text = String::new();
        file.take(64).read_to_string(&mut text).map_err(unreadable)?;
        let pin = text.parse();
        wipe(text.into_bytes());
        pin
    }

    /// How many digits it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Never: a PIN has at least one digit.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The digits, 0 to 9, for a driver that enters them; they belong into no log and no error.
    #[must_use]
    pub fn digits(&self) -> &[u8] {
        &self.digits[..self.count]
    }

    /// Whether these are its digits.
    #[must_use]
    pub fn is(&self, digits: &[u8]) -> bool {
        self.digits() == digits
    }
}

/// From what was typed or stands in the environment; space around it does not count.
impl FromStr for Pin {
    type Err = PinError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PinError::Empty);
        }
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PinError::NotDigits);
        }
        if text.len() > MAX_DIGITS {
            return Err(PinError::TooLong);
        }
        let mut digits = [0; MAX_DIGITS];
        for (place, byte) in digits.iter_mut().zip(text.bytes()) {
            *place = byte - b'0';
        }
        Ok(Self { digits, count: text.len() })
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(redacted)")
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.digits.fill(0);
        // Without a look at them the compiler may leave the zeros out.
        black_box(&self.digits);
    }
}

fn wipe(mut bytes: Vec<u8>) {
    bytes.fill(0);
    black_box(&bytes);
}

/// Why a text or a file holds no PIN. None of them repeats what was given.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// There is nothing.
    #[error("the PIN is empty")]
    Empty,
    /// There is something other than digits.
    #[error("a PIN has digits only")]
    NotDigits,
    /// There are too many digits.
    #[error("a PIN has at most 8 digits")]
    TooLong,
    /// Others may read the file.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// The file cannot be read.
    #[error("cannot read the PIN from {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn digits_and_nothing_else() {
        let pin: Pin = " 0912\n".parse().unwrap();
        assert_eq!(pin.digits(), [0, 9, 1, 2]);
        assert!(pin.is(&[0, 9, 1, 2]) && !pin.is(&[0, 9, 1]));
        assert_eq!(format!("{pin:?}"), "Pin(redacted)");
        for (bad, message) in [
            ("", "the PIN is empty"),
            (" \n", "the PIN is empty"),
            ("12a4", "a PIN has digits only"),
            ("12 34", "a PIN has digits only"),
            ("-123", "a PIN has digits only"),
            ("١٢٣٤", "a PIN has digits only"),
            ("123456789", "a PIN has at most 8 digits"),
        ] {
            assert_eq!(bad.parse::<Pin>().unwrap_err().to_string(), message, "{bad:?}");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin");
        fs::write(&path, "4711\n").unwrap();
        for mode in [0o640, 0o604, 0o644, 0o620, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Pin::from_file(&path).unwrap_err();
            assert!(matches!(&error, PinError::Exposed(found) if found.mode == mode), "{error}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
            assert!(!error.to_string().contains("4711"));
        }
        for mode in [0o600, 0o400] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(Pin::from_file(&path).unwrap().is(&[4, 7, 1, 1]));
        }
    }

    #[test]
    fn what_is_no_file_of_a_pin() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Pin::from_file(&folder.path().join("none")).unwrap_err();
        assert!(matches!(missing, PinError::Unreadable { .. }), "{missing}");
        assert!(matches!(Pin::from_file(folder.path()), Err(PinError::Unreadable { .. })));
        let path = folder.path().join("long");
        fs::write(&path, "1".repeat(1000)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(Pin::from_file(&path), Err(PinError::TooLong)));
    }
}
