//! What households are masked by when they revoke their consent: the regions.
//!
//! Enters: the compact file of regions or those that the program carries, true locations of households that revoke. Leaves: masked
//! locations, each drawn once with the operating system's randomness; fingerprints by which servers
//! of one database agree on the regions. Absent: the database, which keeps what was drawn; the
//! network.
//!
//! There is no key and no memory of addresses: whoever registers a guess and revokes it learns
//! nothing of another household, were it in the same house.

mod error;

use std::{fs, io, path::Path, sync::LazyLock};

use ebp_anon::{
    OsRandomness, Position, RegionCode, Regions,
    geocode::PostalCodes,
    geodata::{Geodata, Provenance},
};
use ebp_core::model::{Address, Location, Masked};
use ring::digest;

pub use error::{MaskingError, MaskingMismatch, Unmasked};

/// By what regions are told from others: borders and densities, not when and from which file they
/// were imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionsMark {
    /// SHA-256.
    pub digest: [u8; 32],
    /// What they say of themselves, for people.
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

/// The fingerprint of the regions that the program carries; none if it was built without them.
#[must_use]
pub fn embedded_mark() -> Option<&'static RegionsMark> {
    static MARK: LazyLock<Option<RegionsMark>> =
        LazyLock::new(|| ebp_anon::embedded().map(RegionsMark::from_regions));
    MARK.as_ref()
}

/// What regions are kept after these were given; nothing changes if they are the same.
///
/// # Errors
/// [`MaskingMismatch`] for other regions unless they may `change`.
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

/// Everything that masking a household takes.
#[derive(Debug)]
pub struct Masking {
    regions: Option<Regions>,
    /// Those that the program carries, where there are no others.
    embedded: Option<&'static Regions>,
    postal_codes: Option<PostalCodes>,
}

/// Reads a compact file of regions.
///
/// # Errors
/// [`MaskingError`] names the file.
pub fn load_regions(path: &Path) -> Result<Regions, MaskingError> {
    let bytes =
        fs::read(path).map_err(|source| MaskingError::File { path: path.to_owned(), source })?;
    let geodata = Geodata::from_compact(&bytes)
        .map_err(|source| MaskingError::Compact { path: path.to_owned(), source })?;
    Regions::new(geodata).map_err(|source| MaskingError::Regions { path: path.to_owned(), source })
}

/// Reads a table of postal codes.
///
/// # Errors
/// [`MaskingError`] names the file and the line.
pub fn load_postal_codes(path: &Path) -> Result<PostalCodes, MaskingError> {
    let file = fs::File::open(path)
        .map_err(|source| MaskingError::File { path: path.to_owned(), source })?;
    PostalCodes::read(io::BufReader::new(file))
        .map_err(|source| MaskingError::PostalCodes { path: path.to_owned(), source })
}

impl Masking {
    /// Masks by those regions, if there are any. `postal_codes` stand in for locations that nobody
    /// knows.
    #[must_use]
    pub const fn new(regions: Option<Regions>, postal_codes: Option<PostalCodes>) -> Self {
        Self { regions, embedded: None, postal_codes }
    }

    /// Masks by the regions that the program carries, if it was built with them.
    #[must_use]
    pub fn by_embedded(postal_codes: Option<PostalCodes>) -> Self {
        Self { regions: None, embedded: ebp_anon::embedded(), postal_codes }
    }

    fn regions(&self) -> Option<&Regions> {
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

    /// Where a household is that revokes: where it is known to be, otherwise roughly where its
    /// postal code is.
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

    /// Draws a masked location, with the region that *it* lies in. Drawn again it is another one,
    /// and several of one household narrow down where it is: it is drawn once and kept.
    ///
    /// # Errors
    /// [`Unmasked`]; it says nothing of the position.
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
