//! The official geodata: those that the crate embeds, and the folder of the original files, which
//! is `EBP_GEODATA`, or `../shared/geo` beside the repository.

#![allow(dead_code, reason = "not every test program reads the original files")]

use std::{
    env,
    path::{Path, PathBuf},
};

use ebp_anon::Regions;

/// BKG's polygons, NUTS 2021, 401 regions.
pub const BORDERS: &str = "bkg_nuts5000_n3/NUTS5000_N3.shp";
/// Destatis' densities of the same vintage.
pub const DENSITIES: &str = "destatis/04-kreise_2018-12-31.xlsx";

/// The folder of the original files. A test that asks for it is marked with `needs(geodata)`.
pub fn folder() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/geo");
    let folder = env::var_os("EBP_GEODATA").map_or(beside, PathBuf::from);
    assert!(folder.is_dir(), "no geodata in {} (set EBP_GEODATA)", folder.display());
    folder
}

/// All 401 regions with Destatis' densities of 2018.
pub fn regions() -> &'static Regions {
    ebp_anon::embedded().unwrap()
}
