//! Masking of households that revoke their consent, with regions.
//!
//! Enters: the compact file of regions or the embedded ones, true locations of households that
//! revoke. Leaves: masked locations, each drawn once with the operating system's randomness;
//! fingerprints by which servers of one database agree on the regions. Absent: the database, which
//! stores the result; the network.
//!
//! There is no key and no memory of addresses: an attacker who registers a guessed address and
//! revokes learns nothing about another household, even in the same house.

mod error;

use std::{
    fs, io,
    path::Path,
    sync::{Arc, LazyLock},
};

use ebp_anon::{
    OsRandomness, Position, RegionCode, Regions,
    geocode::PostalCodes,
    geodata::{Geodata, Provenance},
};
use ebp_core::model::{Address, Location, Masked};
use ring::digest;

pub use error::{MaskingError, MaskingMismatch, Unmasked};

/// A fingerprint of regions, computed from borders and densities, not from the time and file of
/// their import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionsMark {
    /// SHA-256.
    pub digest: [u8; 32],
    /// Their description, for people.
    pub description: String,
}

impl RegionsMark {
    fn from_regions(regions: &Regions) -> Self {
        let Provenance { borders, densities, imported, .. } = regions.provenance();
        let description = format!("{borders}, {densities} (imported {imported})");
        let content = Geodata {
            provenance: Provenance::default(),
            regions: regions.geodata().regions.clone(),
        };
        let mut digest = [0; 32];
        digest.copy_from_slice(digest::digest(&digest::SHA256, &content.to_compact()).as_ref());
        Self { digest, description }
    }
}

/// The fingerprint of the embedded regions; `None` if the program was built without them.
#[must_use]
pub fn embedded_mark() -> Option<&'static RegionsMark> {
    static MARK: LazyLock<Option<RegionsMark>> =
        LazyLock::new(|| ebp_anon::embedded().map(RegionsMark::from_regions));
    MARK.as_ref()
}

/// The fingerprint to store when these regions are configured; `None` if they are the same as
/// before.
///
/// # Errors
/// Returns [`MaskingMismatch`] for other regions unless they may `change`.
pub fn agree(
    kept: Option<RegionsMark>,
    given: Option<&RegionsMark>,
    change: bool,
) -> Result<Option<RegionsMark>, MaskingMismatch> {
    match (kept, given) {
        (Some(kept), Some(given)) if kept.digest != given.digest && !change => {
            Err(MaskingMismatch::Regions {
                kept: kept.description,
                given: given.description.clone(),
            })
        }
        (Some(kept), Some(given)) if kept.digest == given.digest => Ok(Some(kept)),
        (kept, given) => Ok(given.cloned().or(kept)),
    }
}

/// Everything that is needed to mask a household.
#[derive(Debug)]
pub struct Masking {
    regions: Option<Regions>,
    /// The embedded ones, if no others are configured.
    embedded: Option<&'static Regions>,
    postal_codes: Option<PostalCodes>,
}

/// Reads a compact file of regions.
///
/// # Errors
/// Returns [`MaskingError`], which names the file.
pub fn load_regions(path: &Path) -> Result<Regions, MaskingError> {
    let bytes = fs::read(path)
        .map_err(|source| MaskingError::File { path: path.to_owned(), source: Arc::new(source) })?;
    let geodata = Geodata::from_compact(&bytes)
        .map_err(|source| MaskingError::Compact { path: path.to_owned(), source })?;
    Regions::new(geodata)
        .map_err(|source| MaskingError::Regions { path: path.to_owned(), source: Arc::new(source) })
}

/// Reads a table of postal codes.
///
/// # Errors
/// Returns [`MaskingError`], which names the file and the line.
pub fn load_postal_codes(path: &Path) -> Result<PostalCodes, MaskingError> {
    let file = fs::File::open(path)
        .map_err(|source| MaskingError::File { path: path.to_owned(), source: Arc::new(source) })?;
    PostalCodes::read(io::BufReader::new(file)).map_err(|source| MaskingError::PostalCodes {
        path: path.to_owned(),
        source: Arc::new(source),
    })
}

impl Masking {
    /// Masks by those regions, if there are any. `postal_codes` are used for unknown locations.
    #[must_use]
    pub const fn new(regions: Option<Regions>, postal_codes: Option<PostalCodes>) -> Self {
        Self { regions, embedded: None, postal_codes }
    }

    /// Masks by the embedded regions, if the program was built with them.
    #[must_use]
    pub fn by_embedded(postal_codes: Option<PostalCodes>) -> Self {
        Self { regions: None, embedded: ebp_anon::embedded(), postal_codes }
    }

    /// The regions, if there are any.
    #[must_use]
    pub fn regions(&self) -> Option<&Regions> {
        self.regions.as_ref().or(self.embedded)
    }

    /// The regions' fingerprint.
    #[must_use]
    pub fn mark(&self) -> Option<RegionsMark> {
        match &self.regions {
            Some(regions) => Some(RegionsMark::from_regions(regions)),
            None => self.embedded.and_then(|_| embedded_mark().cloned()),
        }
    }

    /// The location of a household that revokes: the known one, otherwise the centre of its postal
    /// code area.
    #[must_use]
    pub fn origin(
        &self,
        location: Option<&Location>,
        address: Option<&Address>,
    ) -> Option<Position> {
        location
            .and_then(|location| Position::new(location.latitude, location.longitude).ok())
            .or_else(|| {
                let address = address.filter(|address| address.country == "DE")?;
                Some(self.postal_codes.as_ref()?.find(&address.postal_code)?.position)
            })
    }

    /// Draws a masked location, with the region that *it* lies in. Each draw yields another one,
    /// and several for one household narrow down its location: it is drawn once and stored.
    ///
    /// # Errors
    /// Returns [`Unmasked`] if the location cannot be masked. The error does not contain the
    /// position.
    pub fn draw(&self, origin: Option<Position>) -> Result<Location, Unmasked> {
        let regions = self.regions().ok_or(Unmasked::NoRegions)?;
        let origin = origin.ok_or(Unmasked::NoLocation)?;
        let released = ebp_anon::mask(regions, origin, &mut OsRandomness::new())?.position();
        let landed = regions.at(released.position()).map(|region| region.code());
        Ok(Location {
            latitude: released.latitude(),
            longitude: released.longitude(),
            precision: None,
            masked: Some(Masked { nuts3: landed.map(|code: RegionCode| code.as_str().to_owned()) }),
        })
    }
}
