//! The geodata of a country: its regions, their borders and densities, and their provenance.

use crate::RegionCode;

/// A corner of a border, steps of 1e-7°.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vertex {
    /// East.
    pub x: i32,
    /// North.
    pub y: i32,
}

/// A closed line; the first corner is not repeated at the end. Holes are rings like others.
pub type Ring = Vec<Vertex>;

/// The rings of one record of a shapefile: a point is in it if it is in an odd number of them.
pub type Polygon = Vec<Ring>;

/// A region as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionData {
    /// NUTS-3 code.
    pub code: RegionCode,
    /// Name.
    pub name: String,
    /// Persons per km².
    pub density: f64,
    /// Its area; several polygons if water and land are separate.
    pub shapes: Vec<Polygon>,
}

/// The provenance of geodata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// The day of the import, `YYYY-MM-DD`.
    pub imported: String,
    /// The borders' file.
    pub borders: String,
    /// Its projection, as its .prj names it.
    pub projection: String,
    /// The densities' file, and the description in the table.
    pub densities: String,
    /// The notices that must be shown wherever anything derived from these data is published.
    pub notices: Vec<String>,
}

/// Everything about a country that masking needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Geodata {
    /// Where it is from.
    pub provenance: Provenance,
    /// Its regions, in the order of their codes.
    pub regions: Vec<RegionData>,
}
