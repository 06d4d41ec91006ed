//! Finds the NUTS-3 region of a position, with its population density.
//!
//! Enters: [`Geodata`] and positions. Leaves: [`Region`]. Absent: files, projections, masking.
//!
//! Borders are kept in whole steps of 1e-7° (11 mm) and positions rounded to them, so that the
//! lookup is exact integer arithmetic: a position on a border that two regions share lies in
//! exactly one of them, always in the same one, and in a hole it lies in none of its surroundings.

mod code;
mod index;

use std::{collections::HashMap, fmt};

use crate::{
    DistanceBounds, InvalidDensity, Position,
    geodata::{Geodata, Provenance},
};
pub use code::{InvalidRegionCode, RegionCode};
use index::Index;

/// A region and what a masking needs to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    code: RegionCode,
    name: String,
    density: f64,
    bounds: DistanceBounds,
}

impl Region {
    /// NUTS-3 code.
    #[must_use]
    pub const fn code(&self) -> RegionCode {
        self.code
    }

    /// Its name, in its own language.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Persons per km².
    #[must_use]
    pub const fn density(&self) -> f64 {
        self.density
    }

    /// How far a household in it is moved.
    #[must_use]
    pub const fn bounds(&self) -> DistanceBounds {
        self.bounds
    }
}

/// All regions, ready to be asked.
pub struct Regions {
    regions: Vec<Region>,
    index: Index,
    geodata: Geodata,
}

/// Geodata that no lookup can be built from.
#[derive(Debug, thiserror::Error)]
pub enum UnusableGeodata {
    /// A region's density is none.
    #[error("region {code}")]
    Density {
        /// The region.
        code: RegionCode,
        /// What is wrong.
        source: InvalidDensity,
    },
    /// Two regions with one code.
    #[error("region {0} is there twice")]
    Twice(RegionCode),
    /// No region at all, or too many.
    #[error("there are {0} regions: more than 0 and fewer than 65,535 are needed")]
    Number(usize),
}

impl Regions {
    /// Builds the index.
    ///
    /// # Errors
    /// Returns [`UnusableGeodata`], which names the region that is wrong.
    pub fn new(geodata: Geodata) -> Result<Self, UnusableGeodata> {
        if geodata.regions.is_empty() || geodata.regions.len() >= usize::from(u16::MAX) {
            return Err(UnusableGeodata::Number(geodata.regions.len()));
        }
        let mut seen = HashMap::new();
        let mut regions = Vec::with_capacity(geodata.regions.len());
        for region in &geodata.regions {
            if seen.insert(region.code, ()).is_some() {
                return Err(UnusableGeodata::Twice(region.code));
            }
            let bounds = DistanceBounds::of_density(region.density)
                .map_err(|source| UnusableGeodata::Density { code: region.code, source })?;
            regions.push(Region {
                code: region.code,
                name: region.name.clone(),
                density: region.density,
                bounds,
            });
        }
        // Where regions overlap, against all rules, the less populated one gives the wider ring.
        let mut order: Vec<usize> = (0..regions.len()).collect();
        order.sort_by(|&a, &b| {
            regions[a]
                .density
                .total_cmp(&regions[b].density)
                .then(regions[a].code.cmp(&regions[b].code))
        });
        let index = Index::new(order.iter().flat_map(|&region| {
            geodata.regions[region].shapes.iter().map(move |shape| (region as u16, &shape[..]))
        }));
        Ok(Self { regions, index, geodata })
    }

    /// The region that a position lies in; none outside of all of them.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<&Region> {
        let vertex = geodata_vertex(position);
        self.index.find(vertex.0, vertex.1).map(|region| &self.regions[usize::from(region)])
    }

    /// Every region.
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        self.regions.iter()
    }

    /// Where the data are from and whom to name.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.geodata.provenance
    }

    /// What the lookup was built from.
    #[must_use]
    pub fn geodata(&self) -> &Geodata {
        &self.geodata
    }
}

impl fmt::Debug for Regions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regions({})", self.regions.len())
    }
}

/// East and north in steps of 1e-7°.
pub(crate) fn geodata_vertex(position: Position) -> (i32, i32) {
    let step = |degrees: f64| (degrees * 1e7).round() as i32;
    (step(position.longitude()), step(position.latitude()))
}
