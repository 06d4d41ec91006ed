//! Geodata: regions' borders and densities, from official files or from one compact file.
//!
//! Enters: shapefiles and density tables (feature `import`), or a compact file. Leaves:
//! [`Geodata`]. Absent: lookups, masking; files of other kinds.

mod compact;
mod country;
#[cfg(feature = "import")]
pub mod density;
#[cfg(feature = "import")]
mod join;
#[cfg(feature = "import")]
mod projection;
#[cfg(feature = "import")]
pub mod shapefile;

pub use compact::CompactError;
pub use country::{Geodata, Polygon, Provenance, RegionData, Ring, Vertex};
#[cfg(feature = "import")]
pub use join::{VintageMismatch, join};
