//! The length of the demo households' past.

use std::str::FromStr;

/// Days of a past, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length(u16);

/// A past to be made.
#[derive(Debug, Clone, Copy)]
pub struct Past {
    /// How many days it has.
    pub days: u16,
    /// The same seed is the same past.
    pub seed: u64,
}

/// Certificates are then still valid for long enough.
const MOST: u16 = 90;

impl Length {
    /// How many days, if any.
    pub fn days(self) -> Option<u16> {
        (self.0 > 0).then_some(self.0)
    }
}

impl Default for Length {
    fn default() -> Self {
        Self(30)
    }
}

impl FromStr for Length {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
        match days {
            Some(days) if days <= MOST && !text.starts_with('+') => Ok(Self(days)),
            _ => Err(format!("write whole days from 0d, which is none, to {MOST}d")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!("30d".parse(), Ok(Length::default()));
        assert_eq!("0d".parse::<Length>().map(Length::days), Ok(None));
        assert_eq!("90d".parse::<Length>().map(Length::days), Ok(Some(90)));
        for text in ["", "d", "30", "91d", "-1d", "+1d", "1h", "1.5d", "65536d"] {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
    }
}
