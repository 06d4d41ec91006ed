//! `ebp anonymize`: masked locations of one household or of a table of them.

mod key;
mod table;

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use ebp_anon::{
    LeastPersons, MaskError, Masker, Otherwise, Position, Region, Regions, Release, ReleaseKey,
    geodata::Provenance,
    map::{Map, MapFormat, View},
    risk,
};
use serde_json::json;

use super::{
    geodata,
    heading::{OUTPUT, REGIONS},
};
use crate::{
    exit::{Context, Failure, Outcome, chain},
    output::new_table,
    stdout::print,
    tell::tell,
};

/// The heading of the options about the map.
const MAP: &str = "The map";
/// The heading of the options about households among too few persons.
const RISK: &str = "Where few people live";

/// Move locations to random ones nearby, farther where fewer people live.
///
/// A location is moved once: several releases of one household give it away. The same place gets
/// the same point within one run; with --key-file in every run. Germany's regions and population
/// densities are built in; others are named. No file that is there is written over.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A shapefile of NUTS-3 regions from BKG or Eurostat, instead of those that are built in.
    #[arg(long, value_name = "SHP", requires = "density", help_heading = REGIONS)]
    nuts: Option<PathBuf>,

    /// Population densities: Destatis' 04-kreise.xlsx, Eurostat's demo_r_d3dens, or a CSV.
    #[arg(long, value_name = "CSV|XLSX|TSV", requires = "nuts", help_heading = REGIONS)]
    density: Option<PathBuf>,

    /// Only regions of this country, such as DE; can be given several times.
    #[arg(long, value_name = "CC", requires = "nuts", help_heading = REGIONS)]
    country: Vec<String>,

    /// A file of `ebp geodata import` instead of the two.
    #[arg(long, value_name = "FILE", conflicts_with = "nuts", help_heading = REGIONS)]
    regions: Option<PathBuf>,

    /// Degrees north (WGS 84). The shell's history keeps it: prefer a table for real households.
    #[arg(long, value_name = "DEGREES", requires = "lon", allow_negative_numbers = true)]
    lat: Option<String>,

    /// Degrees east (WGS 84).
    #[arg(long, value_name = "DEGREES", requires = "lat", allow_negative_numbers = true)]
    lon: Option<String>,

    /// A table with columns id, latitude, longitude and any others; `-` is standard input.
    #[arg(
        long,
        value_name = "CSV",
        requires = "output",
        required_unless_present = "lat",
        conflicts_with = "lat"
    )]
    input: Option<PathBuf>,

    /// The same table with masked locations, and nuts3, the region that the masked location lies in;
    /// rejected rows go to a file beside it, whose name is this one with `.rejected.csv` behind it
    /// (`out.csv` has `out.csv.rejected.csv`).
    #[arg(long, value_name = "CSV", requires = "input")]
    output: Option<PathBuf>,

    /// Draw regions and masked locations, as SVG or GeoJSON.
    #[arg(long, value_name = "FILE.svg|FILE.geojson", help_heading = MAP)]
    map: Option<PathBuf>,

    /// Draw the true locations and their rings, too: for internal use only.
    #[arg(long, requires = "map", help_heading = MAP)]
    origins: bool,

    /// Estimate the risk: persons among whom each household is, and a summary.
    #[arg(long, help_heading = OUTPUT)]
    stats: bool,

    /// Add the true region, its density and the bounds, and with --stats what follows from them: for
    /// internal use only, since they narrow down where a household is.
    #[arg(long, help_heading = OUTPUT)]
    audit: bool,

    /// Put an apostrophe before cells that a spreadsheet would run as formulas.
    #[arg(long, requires = "input", help_heading = OUTPUT)]
    spreadsheet_safe: bool,

    /// Expect at least so many persons where a household may be.
    #[arg(long, value_name = "PERSONS", help_heading = RISK)]
    min_k: Option<u32>,

    /// Move households farther, up to 20 km, until --min-k is reached.
    #[arg(long, requires = "min_k", conflicts_with = "withhold", help_heading = RISK)]
    widen: bool,

    /// Give nothing out of households below --min-k (the default).
    #[arg(long, requires = "min_k", help_heading = RISK)]
    withhold: bool,

    /// The secret that places' displacements follow from; made if it does not exist. Whoever has it
    /// can check guesses of true locations: keep it like them, and destroy it with them.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// How a single location is printed.
    #[arg(long, value_enum, default_value_t = Shape::Table, conflicts_with = "input", help_heading = OUTPUT)]
    format: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// A table for people.
    Table,
    /// A JSON object.
    Json,
}

/// Does as the arguments say.
pub fn run(arguments: &Arguments) -> Outcome {
    let map_format = arguments.map.as_deref().map(map_format).transpose()?;
    let own = own_regions(arguments)?;
    let regions = match &own {
        Some(regions) => regions,
        None => {
            let regions = geodata::embedded()?;
            let Provenance { borders, densities, .. } = regions.provenance();
            tell!("regions: built in, {borders}, {densities}");
            regions
        }
    };
    if arguments.key_file.is_none() {
        tell!(
            "this is a release of its own: another run moves the same households elsewhere, and \
             both together tell more; --key-file FILE makes it repeatable"
        );
    }
    let key = match &arguments.key_file {
        Some(file) => key::load_or_make_key(file)?,
        None => ReleaseKey::from_os().map_err(Failure::failed)?,
    };
    let otherwise = if arguments.widen { Otherwise::Widen } else { Otherwise::Withhold };
    let least_persons =
        arguments.min_k.map(|persons| LeastPersons { persons: persons.into(), otherwise });
    let masker = Masker { regions, key: &key, least_persons };
    match (&arguments.lat, &arguments.lon, &arguments.input, &arguments.output) {
        (Some(latitude), Some(longitude), ..) => {
            let origin = Position::parse(latitude, longitude).map_err(Failure::usage)?;
            one(arguments, &masker, origin, map_format)
        }
        (.., Some(input), Some(output)) => {
            table::mask(arguments, &masker, input, output, map_format)
        }
        _ => Err(Failure::usage("give --lat and --lon, or --input and --output")),
    }
}

/// The regions that the arguments name, if they name any.
fn own_regions(arguments: &Arguments) -> Result<Option<Regions>, Failure> {
    match (&arguments.regions, &arguments.nuts, &arguments.density) {
        (Some(file), ..) => geodata::load(file).map(Some),
        (None, Some(nuts), Some(density)) => {
            let sources = geodata::Sources {
                nuts: nuts.clone(),
                density: density.clone(),
                year: None,
                country: arguments.country.clone(),
                notice: Vec::new(),
            };
            Regions::new(geodata::import(&sources)?)
                .map(Some)
                .map_err(|error| Failure::failed(chain(&error)))
        }
        _ => Ok(None),
    }
}

fn map_format(file: &Path) -> Result<MapFormat, Failure> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => Ok(MapFormat::Svg),
        Some("geojson" | "json") => Ok(MapFormat::GeoJson),
        _ => Err(Failure::usage(format!("{}: a map is .svg or .geojson", file.display()))),
    }
}

/// Nothing that is there is written over, be it the input under another name or a link.
fn refuse_existing(file: &Path) -> Outcome {
    match file.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).or_failed(file.display()),
        Ok(_) => Err(exists_already(file)),
    }
}

fn exists_already(file: &Path) -> Failure {
    Failure::failed(format!("{} exists already", file.display()))
        .remedy("choose another name, or move it away")
}

/// Begins the map, if one is wanted.
fn begin_map(
    arguments: &Arguments,
    regions: &Regions,
    format: Option<MapFormat>,
    around: Option<&Release>,
) -> Result<Option<Map<BufWriter<File>>>, Failure> {
    let (Some(file), Some(format)) = (&arguments.map, format) else { return Ok(None) };
    let view = if arguments.origins { View::Custodian } else { View::Public };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if arguments.origins {
        // True locations are for who made the map.
        options.mode(0o600);
    }
    refuse_existing(file)?;
    let writer = options.open(file).map(BufWriter::new);
    let map = writer.and_then(|writer| Map::begin(writer, format, view, regions, around));
    map.map(Some).or_failed(file.display())
}

fn one(
    arguments: &Arguments,
    masker: &Masker<'_>,
    origin: Position,
    map_format: Option<MapFormat>,
) -> Outcome {
    let release = masker.release(origin).map_err(|error| {
        let failure = Failure::failed(error);
        match error {
            MaskError::OutsideEveryRegion => {
                failure.remedy("check that latitude and longitude are not swapped")
            }
            _ => failure,
        }
    })?;
    if let Some(mut map) = begin_map(arguments, masker.regions, map_format, Some(&release))? {
        map.add(origin, &release).and_then(|()| map.end()).or_failed("the map")?;
    }
    let risk = arguments.stats.then(|| risk::assess(masker.regions, &release));
    let position = release.position();
    let landed = masker.regions.at(position.position());
    let bounds = release.bounds();
    let text = match arguments.format {
        Shape::Json => {
            let mut object = json!({
                "latitude": position.latitude(),
                "longitude": position.longitude(),
                "nuts3": landed.map(|region| region.code().as_str().to_owned()),
            });
            let mut add = |name: &str, value: serde_json::Value| object[name] = value;
            if let Some(risk) = risk {
                add("persons_possible", json!(risk.persons_possible.round()));
            }
            if arguments.audit {
                add("true_nuts3", json!(release.region().as_str()));
                add("density", json!(release.density()));
                add("d_min", json!(round(bounds.min_m())));
                add("d_max", json!(round(bounds.max_m())));
            }
            if let Some(risk) = risk.filter(|_| arguments.audit) {
                add("k_homogeneous", json!(risk.k_homogeneous.round()));
                add("persons_in_ring", json!(risk.persons_in_ring.round()));
                add("persons_in_region", json!(risk.persons_in_region.round()));
            }
            format!("{object}\n")
        }
        Shape::Table => {
            let mut table = new_table();
            let [latitude, longitude] = position.decimals();
            table.add_row(["latitude".to_owned(), latitude.to_string()]);
            table.add_row(["longitude".to_owned(), longitude.to_string()]);
            let region = landed.map_or("none".to_owned(), title);
            table.add_row(["lies in".to_owned(), region]);
            if let Some(risk) = risk {
                let persons = format!("{:.0}", risk.persons_possible);
                table.add_row(["persons that it may be (estimate)".to_owned(), persons]);
            }
            if arguments.audit {
                let known = masker.regions.iter().find(|region| region.code() == release.region());
                table.add_row(["true region".to_owned(), known.map_or("".to_owned(), title)]);
                let density = format!("{} persons per km²", release.density());
                table.add_row(["density".to_owned(), density]);
                let (min, max) = (bounds.min_m(), bounds.max_m());
                table.add_row(["moved by".to_owned(), format!("{min:.0} m to {max:.0} m")]);
            }
            if let Some(risk) = risk.filter(|_| arguments.audit) {
                for (what, persons) in [
                    ("persons, were the ring like the region (estimate)", risk.k_homogeneous),
                    ("persons in the ring (estimate)", risk.persons_in_ring),
                    ("persons in the ring and the region (estimate)", risk.persons_in_region),
                ] {
                    table.add_row([what.to_owned(), format!("{persons:.0}")]);
                }
            }
            format!("{table}\n")
        }
    };
    print(&text)
}

/// A region's code and name.
fn title(region: &Region) -> String {
    format!("{} {}", region.code(), region.name())
}

/// Metres to a tenth, as the table has them.
fn round(metres: f64) -> f64 {
    (metres * 10.0).round() / 10.0
}
