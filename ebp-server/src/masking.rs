//! What households are masked by when they revoke their consent: regions and release key.
//!
//! Enters: the compact file of regions, the release key, true locations of households that revoke.
//! Leaves: [`Release`]s, each made once; fingerprints by which servers of one database agree.
//! Absent: the database, which keeps the releases; the network.
//!
//! The release key determines where every place is moved to, and an address is remembered by its
//! hash under that key ([`Place`]), so that two flats in one house are moved alike even if a
//! geocoder gave them different coordinates, years apart.

mod key;
mod place;
mod start;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use ebp_anon::{
    MaskError, Masker, Position, Regions, Release, ReleaseKey, UnusableGeodata,
    geocode::{PostalCodes, PostalCodesError},
    geodata::{CompactError, Geodata, Provenance},
};
use ebp_core::model::{Address, Location};
use ring::digest;

pub use key::{KeyFileError, KeyMark, load_key, load_or_make_key, make_key};
pub use place::Place;
pub(crate) use place::normalised;
pub use start::{MaskingFiles, mask_by, mask_pending_soon};

/// Why the files of a masking cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaskingError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no compact file, or damaged.
    #[error("the regions {}: {source}", path.display())]
    Compact {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CompactError,
    },
    /// No lookup can be built from it.
    #[error("the regions {} cannot be used", path.display())]
    Regions {
        /// The file.
        path: PathBuf,
        /// Why.
        source: UnusableGeodata,
    },
    /// The table of postal codes cannot be used.
    #[error("the postal codes {}: {source}", path.display())]
    PostalCodes {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PostalCodesError,
    },
    /// The release key's file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

/// The database's households are masked by something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MaskingMismatch {
    /// Another release key.
    #[error(
        "this is another release key than the one that households of this database are masked \
         by: its fingerprint is {given} and should be {kept}"
    )]
    Key {
        /// The key's that is wanted.
        kept: KeyMark,
        /// The key's that was given.
        given: KeyMark,
    },
    /// There is no release key, and it must not be made anew.
    #[error(
        "there is no release key {}, and households of this database are masked by the one with \
         fingerprint {kept}", path.display()
    )]
    NoKey {
        /// Where it is looked for.
        path: PathBuf,
        /// The key's that is wanted.
        kept: KeyMark,
    },
    /// Other borders or densities.
    #[error(
        "these regions are of another vintage than those that households of this database are \
         masked by: they are {given}, and until now {kept}"
    )]
    Regions {
        /// What the regions of before say of themselves.
        kept: String,
        /// What these say.
        given: String,
    },
}

/// What a database keeps of the files by which its households are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// The release key's fingerprint.
    pub key: KeyMark,
    /// The regions', once there were any.
    pub regions: Option<RegionsMark>,
}

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
    fn of(regions: &Regions) -> Self {
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

/// What marks are kept after these were given; nothing changes if they are the same.
///
/// # Errors
/// [`MaskingMismatch`] for another key, and for other regions unless they may `change`.
pub fn agree(kept: Option<Marks>, given: &Marks, change: bool) -> Result<Marks, MaskingMismatch> {
    let Some(kept) = kept else { return Ok(given.clone()) };
    if kept.key != given.key {
        return Err(MaskingMismatch::Key { kept: kept.key, given: given.key });
    }
    match (kept.regions, &given.regions) {
        (Some(kept), Some(given)) if kept.digest != given.digest && !change => {
            Err(MaskingMismatch::Regions {
                kept: kept.description,
                given: given.description.clone(),
            })
        }
        (Some(regions), Some(given)) if regions.digest == given.digest => {
            Ok(Marks { key: kept.key, regions: Some(regions) })
        }
        (regions, given) => Ok(Marks { key: kept.key, regions: given.clone().or(regions) }),
    }
}

/// Why a household is not masked yet. It says nothing of where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unmasked {
    /// No regions are configured.
    #[error("no regions are configured")]
    NoRegions,
    /// Nobody knows where it is.
    #[error("its location is not known")]
    NoLocation,
    /// It cannot be masked by these regions.
    #[error(transparent)]
    Mask(#[from] MaskError),
}

/// Everything that masking a household takes. `Debug` shows none of it.
pub struct Masking {
    key: ReleaseKey,
    hash: ring::hmac::Key,
    regions: Option<Regions>,
    postal_codes: Option<PostalCodes>,
}

impl fmt::Debug for Masking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masking").field("regions", &self.regions).finish_non_exhaustive()
    }
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
    /// Masks by that key and, if there are any, those regions. `postal_codes` stand in for
    /// locations that nobody knows.
    #[must_use]
    pub fn new(
        key: ReleaseKey,
        regions: Option<Regions>,
        postal_codes: Option<PostalCodes>,
    ) -> Self {
        let hash = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key.hash_key());
        Self { key, hash, regions, postal_codes }
    }

    /// The fingerprints.
    #[must_use]
    pub fn marks(&self) -> Marks {
        Marks { key: KeyMark::of(&self.key), regions: self.regions.as_ref().map(RegionsMark::of) }
    }

    /// What an address is remembered by.
    #[must_use]
    pub fn place(&self, address: &Address) -> Place {
        Place::of(&self.hash, address)
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

    /// The one release of a place: the kept one if there is one, otherwise that of the position.
    ///
    /// # Errors
    /// [`Unmasked`]; it says nothing of the position.
    pub fn release(
        &self,
        kept: Option<Release>,
        origin: Option<Position>,
    ) -> Result<Release, Unmasked> {
        // A neighbour's release needs neither regions nor a location.
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let regions = self.regions.as_ref().ok_or(Unmasked::NoRegions)?;
        let origin = origin.ok_or(Unmasked::NoLocation)?;
        let masker = Masker { regions, key: &self.key, least_persons: None };
        Ok(masker.release(origin)?)
    }
}
