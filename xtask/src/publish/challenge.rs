//! How a registry asks for a login (`WWW-Authenticate`).

use anyhow::{Context, Result, bail};

/// What it asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Challenge {
    /// User and password.
    Basic,
    /// A token, which is had at `realm`.
    Bearer { realm: String, service: String },
}

impl Challenge {
    /// Reads the header.
    ///
    /// # Errors
    /// When it asks for something else.
    pub fn parse(header: &str) -> Result<Self> {
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            bail!("the registry asks for a login of an unknown kind, `{scheme}`");
        }
        let (mut realm, mut service) = (None, String::new());
        let mut rest = rest.trim_start();
        while let Some((name, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"').context("a text without an end")?;
            match name.trim() {
                "realm" => realm = Some(value.to_owned()),
                "service" => value.clone_into(&mut service),
                _ => {}
            }
            rest = after.trim_start_matches([',', ' ']);
        }
        let realm = realm.context("the registry does not say where a token is had")?;
        Ok(Self::Bearer { realm, service })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read() {
        assert_eq!(Challenge::parse("Basic realm=\"a\"").unwrap(), Challenge::Basic);
        let header = "Bearer realm=\"https://auth.example.org/token\",service=\"registry\",\
                      scope=\"repository:a:pull,push\"";
        assert_eq!(
            Challenge::parse(header).unwrap(),
            Challenge::Bearer {
                realm: "https://auth.example.org/token".to_owned(),
                service: "registry".to_owned()
            }
        );
        assert!(Challenge::parse("Negotiate").is_err());
        assert!(Challenge::parse("Bearer service=\"a\"").is_err());
    }
}
