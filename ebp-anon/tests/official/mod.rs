//! Where the real geodata are: in `EBP_GEODATA`, or in `../shared/geo` beside the repository.

use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use ebp_anon::{
    Regions,
    geodata::{self, Geodata, Provenance, density, shapefile},
};

/// The folder, or a line on standard error (which the test harness does not swallow) that the test
/// was skipped.
pub fn folder(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/geo");
    let folder = env::var_os("EBP_GEODATA").map_or(beside, PathBuf::from);
    if folder.join(BORDERS).is_file() {
        return Some(folder);
    }
    let line = format!("SKIPPED {test}: no geodata in {} (set EBP_GEODATA)\n", folder.display());
    io::stderr().write_all(line.as_bytes()).unwrap();
    None
}

/// BKG's polygons, NUTS 2021, 401 regions.
pub const BORDERS: &str = "bkg_nuts5000_n3/NUTS5000_N3.shp";
/// Destatis' densities of the same vintage.
pub const DENSITIES: &str = "destatis/04-kreise_2018-12-31.xlsx";

/// All 401 regions with Destatis' densities of 2018.
pub fn regions(test: &str) -> Option<&'static Regions> {
    static REGIONS: OnceLock<Option<Regions>> = OnceLock::new();
    let load = || {
        let folder = folder(test)?;
        let borders = shapefile::read(&folder.join(BORDERS)).unwrap();
        let densities = density::read(&folder.join(DENSITIES), None).unwrap();
        let regions = geodata::join(borders, &densities, &[]).unwrap();
        Some(Regions::new(Geodata { provenance: Provenance::default(), regions }).unwrap())
    };
    let loaded = REGIONS.get_or_init(load).as_ref();
    if loaded.is_none() {
        folder(test);
    }
    loaded
}
