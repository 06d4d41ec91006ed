//! Codes of regions: NUTS, the European nomenclature.

use std::fmt;

/// A NUTS code such as `DE714`: two letters of the country, then up to six of any kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode([u8; 8]);

/// A text that is no NUTS code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no NUTS code, which is two letters and up to six letters or digits")]
pub struct InvalidRegionCode(String);

impl RegionCode {
    /// Parses a code.
    ///
    /// # Errors
    /// Returns [`InvalidRegionCode`] for any other text.
    pub fn new(text: &str) -> Result<Self, InvalidRegionCode> {
        let invalid = || InvalidRegionCode(text.chars().take(20).collect());
        let bytes = text.as_bytes();
        let right = (3..=8).contains(&bytes.len())
            && bytes[..2].iter().all(u8::is_ascii_uppercase)
            && bytes[2..].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !right {
            return Err(invalid());
        }
        let mut code = [0; 8];
        code[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(code))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|&byte| byte == 0).unwrap_or(8);
        // Letters and digits of ASCII: `new` accepts nothing else.
        std::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }

    /// The two letters of the country.
    #[must_use]
    pub fn country(&self) -> &str {
        &self.as_str()[..2]
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        let code = RegionCode::new("DE714").unwrap();
        assert_eq!((code.to_string().as_str(), code.country()), ("DE714", "DE"));
        for wrong in ["", "D", "DE", "de714", "DE71400000", "06414", "DE 14", "DEÄ1"] {
            assert!(RegionCode::new(wrong).is_err(), "{wrong}");
        }
    }
}
