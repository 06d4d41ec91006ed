//! `--address` as it was typed: not shown in `Debug` nor in the error for an invalid one, since it
//! identifies the meter.

use std::{convert::Infallible, fmt, str::FromStr};

use ebp_meter::{d0::Address, session::ReadOptions};

use crate::exit::Failure;

/// The value of `--address`.
#[derive(Clone)]
pub struct AddressText(String);

impl FromStr for AddressText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for AddressText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressText(…)")
    }
}

impl AddressText {
    /// How a meter is read of which nothing but its address is known, if that.
    ///
    /// # Errors
    /// Returns a failure with exit code 2 (wrong usage) if the text is invalid.
    pub fn read_options(text: Option<&Self>) -> Result<ReadOptions, Failure> {
        let address = text.map(Self::parse).transpose()?;
        Ok(ReadOptions { address, ..ReadOptions::default() })
    }

    /// The address.
    ///
    /// # Errors
    /// Returns a failure with exit code 2 (wrong usage) if the text is invalid.
    pub fn parse(&self) -> Result<Address, Failure> {
        self.0.parse().map_err(|error| {
            Failure::usage(format!("--address: {error}")).remedy("it is printed on the meter")
        })
    }
}
