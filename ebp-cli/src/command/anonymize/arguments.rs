//! The arguments of `ebp anonymize`.

use std::path::PathBuf;

use crate::{
    command::heading::{OUTPUT, REGIONS},
    output::TableFormat,
};

/// The heading of the options about the map.
const MAP: &str = "The map";
/// The heading of the options about households among too few persons.
const RISK: &str = "Where few people live";

/// Mask locations: replace them by random ones nearby, farther away where fewer people live.
///
/// Mask a location only once: several masked locations of one household reveal the true one. Within
/// one run the same location gets the same masked one; with --key-file in every run. Germany's
/// regions and population densities are built in; name the files of others. Existing files are
/// never overwritten.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A shapefile of NUTS-3 regions from BKG or Eurostat, instead of those that are built in.
    #[arg(long, value_name = "SHP", requires = "density", help_heading = REGIONS)]
    pub(super) nuts: Option<PathBuf>,

    /// Population densities: Destatis' 04-kreise.xlsx, Eurostat's demo_r_d3dens, or a CSV.
    #[arg(long, value_name = "CSV|XLSX|TSV", requires = "nuts", help_heading = REGIONS)]
    pub(super) density: Option<PathBuf>,

    /// Only regions of this country, such as DE; can be given several times.
    #[arg(long, value_name = "CC", requires = "nuts", help_heading = REGIONS)]
    pub(super) country: Vec<String>,

    /// A file of `ebp geodata import`, instead of --nuts and --density.
    #[arg(long, value_name = "FILE", conflicts_with = "nuts", help_heading = REGIONS)]
    pub(super) regions: Option<PathBuf>,

    /// Degrees north (WGS 84). The shell's history stores it: use a table for real households.
    #[arg(long, value_name = "DEGREES", requires = "lon", allow_negative_numbers = true)]
    pub(super) lat: Option<String>,

    /// Degrees east (WGS 84).
    #[arg(long, value_name = "DEGREES", requires = "lat", allow_negative_numbers = true)]
    pub(super) lon: Option<String>,

    /// A table with columns id, latitude, longitude and any others; `-` is standard input.
    #[arg(
        long,
        value_name = "CSV",
        requires = "output",
        required_unless_present = "lat",
        conflicts_with = "lat"
    )]
    pub(super) input: Option<PathBuf>,

    /// The same table with masked locations, and nuts3, the region that the masked location lies
    /// in; rejected rows go to a file beside it, whose name is this one with `.rejected.csv`
    /// appended (`out.csv.rejected.csv` for `out.csv`).
    #[arg(long, value_name = "CSV", requires = "input")]
    pub(super) output: Option<PathBuf>,

    /// Draw regions and masked locations, as SVG or GeoJSON.
    #[arg(long, value_name = "FILE.svg|FILE.geojson", help_heading = MAP)]
    pub(super) map: Option<PathBuf>,

    /// Draw the true locations and their rings, too: for internal use only.
    #[arg(long, requires = "map", help_heading = MAP)]
    pub(super) origins: bool,

    /// Estimate the risk: the number of persons among whom each household is hidden, and a summary.
    #[arg(long, help_heading = OUTPUT)]
    pub(super) stats: bool,

    /// Add the true region, its density and the bounds, and with --stats the figures computed from
    /// them: for internal use only, since they narrow down a household's location.
    #[arg(long, help_heading = OUTPUT)]
    pub(super) audit: bool,

    /// Put an apostrophe before cells that a spreadsheet would run as formulas.
    #[arg(long, requires = "input", help_heading = OUTPUT)]
    pub(super) spreadsheet_safe: bool,

    /// Require at least this many persons in the area where a household may be.
    #[arg(long, value_name = "PERSONS", help_heading = RISK)]
    pub(super) min_k: Option<u32>,

    /// Move households farther, up to 20 km, until --min-k is reached.
    #[arg(long, requires = "min_k", conflicts_with = "withhold", help_heading = RISK)]
    pub(super) widen: bool,

    /// Release nothing of households below --min-k (the default).
    #[arg(long, requires = "min_k", help_heading = RISK)]
    pub(super) withhold: bool,

    /// The secret from which displacements are computed; created if it does not exist. Anyone who
    /// has it can test guesses of true locations: protect it like them, and destroy it with them.
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Option<PathBuf>,

    /// How a single location is printed.
    #[arg(long, value_enum, default_value_t = TableFormat::Table, conflicts_with = "input", help_heading = OUTPUT)]
    pub(super) format: TableFormat,
}
