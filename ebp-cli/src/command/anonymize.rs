//! `ebp anonymize`: masked locations of one household or of a table of them.
//!
//! Enters: locations, regions, a key. Leaves: masked locations, a map, the risk. Absent: the masking,
//! which `ebp-anon` does.

mod arguments;
mod key;
mod output;
mod table;

use std::path::Path;

use ebp_anon::{
    LeastPersons, MaskError, Masker, Otherwise, Position, Region, Regions, ReleaseKey,
    geodata::Provenance, map::MapFormat, risk,
};
use serde_json::json;

pub use arguments::Arguments;
use output::begin_map;

use super::geodata;
use crate::{
    exit::{CommandResult, Context, Failure, chain},
    output::{TableFormat, new_table},
    stdout::print,
    tell::tell,
};

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    let map_format = arguments.map.as_deref().map(map_format).transpose()?;
    output::refuse_same(arguments)?;
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

fn one(
    arguments: &Arguments,
    masker: &Masker<'_>,
    origin: Position,
    map_format: Option<MapFormat>,
) -> CommandResult {
    let release = masker.release(origin).map_err(|error| {
        let failure = Failure::failed(error);
        match error {
            MaskError::OutsideEveryRegion => {
                failure.remedy("check that latitude and longitude are not swapped")
            }
            _ => failure,
        }
    })?;
    if let Some((mut map, file)) = begin_map(arguments, masker.regions, map_format, Some(&release))?
    {
        map.add(origin, &release).and_then(|()| map.end()).or_failed("the map")?;
        file.finish()?;
    }
    let risk = arguments.stats.then(|| risk::assess(masker.regions, &release));
    let position = release.position();
    let landed = masker.regions.at(position.position());
    let bounds = release.bounds();
    let text = match arguments.format {
        TableFormat::Json => {
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
        TableFormat::Table => {
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
