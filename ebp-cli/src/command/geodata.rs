//! `ebp geodata`: converts official geodata to one compact file, and shows such a file's
//! provenance.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use ebp_anon::{
    Regions,
    geodata::{self, Geodata, Provenance, density, shapefile},
};
use ebp_core::clock::{Clock, SystemClock};
use jiff::tz::TimeZone;

use crate::{
    exit::{CommandResult, Context, Failure, chain},
    file::write_whole,
    output::{new_table, phrase::counted},
    stdout::print,
    tell::tell,
};

/// Prepare and show the geodata that anonymization needs.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Turn a shapefile of NUTS-3 regions and a table of densities into one compact file.
    Import {
        #[command(flatten)]
        sources: Sources,

        /// The compact file to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Show the sources of a compact file, and the notices to publish with it.
    Show {
        /// The compact file; by default the embedded geodata.
        file: Option<PathBuf>,
    },
}

/// Official files.
#[derive(Debug, clap::Args)]
pub struct Sources {
    /// A shapefile of NUTS-3 regions from BKG (NUTS5000, NUTS250, VG250…) or Eurostat; its .dbf and
    /// .prj must be beside it.
    #[arg(long, value_name = "SHP")]
    pub nuts: PathBuf,

    /// Population densities: Destatis' 04-kreise.xlsx, Eurostat's demo_r_d3dens, or a CSV with
    /// columns nuts3_code and density.
    #[arg(long, value_name = "CSV|XLSX|TSV")]
    pub density: PathBuf,

    /// The year to take from a table of several; the latest by default.
    #[arg(long)]
    pub year: Option<i16>,

    /// Only regions of this country, such as DE; can be given several times.
    #[arg(long, value_name = "CC")]
    pub country: Vec<String>,

    /// A notice to show with everything derived from these data, instead of those known for their
    /// kind; can be given several times.
    #[arg(long, value_name = "TEXT")]
    pub notice: Vec<String>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::Import { sources, output } => {
            let geodata = import(sources)?;
            let count = geodata.regions.len();
            // Built once, so that a file that cannot be used is never written.
            let regions = Regions::new(geodata).map_err(|error| Failure::failed(chain(&error)))?;
            let bytes = regions.geodata().to_compact();
            write_whole(output, &bytes)?;
            let count = counted(count, "region");
            tell!("{}: {count}, {} kB", output.display(), bytes.len() / 1000);
            for notice in &regions.provenance().notices {
                tell!("show with everything derived from it: {notice}");
            }
            Ok(())
        }
        Action::Show { file: Some(file) } => show(&load(file)?),
        Action::Show { file: None } => show(embedded()?),
    }
}

/// Reads official files.
pub fn import(sources: &Sources) -> Result<Geodata, Failure> {
    let borders = shapefile::read(&sources.nuts).map_err(|error| {
        let failure = Failure::failed(chain(&error));
        match error {
            shapefile::ShapefileError::File { .. } => failure
                .remedy("a shapefile is several files; put .shp, .dbf and .prj into one folder"),
            _ => failure,
        }
    })?;
    let densities = density::read(&sources.density, sources.year)
        .map_err(|error| Failure::failed(chain(&error)))?;
    let projection = borders.projection.clone();
    let today = TimeZone::UTC.to_datetime(SystemClock.now()).date();
    let notices = if sources.notice.is_empty() {
        let borders = match borders.publisher {
            shapefile::Publisher::Bkg => {
                Some(format!("© GeoBasis-DE / BKG ({}), dl-de/by-2-0, data changed", today.year()))
            }
            shapefile::Publisher::Gisco => {
                Some("© EuroGeographics for the administrative boundaries".to_owned())
            }
            shapefile::Publisher::Unknown => None,
        };
        borders.into_iter().chain(densities.notice.clone()).collect()
    } else {
        sources.notice.clone()
    };
    let regions = geodata::join(borders, &densities, &sources.country).map_err(|error| {
        Failure::failed(error).remedy(
            "take borders and densities of the same NUTS version (2016, 2021, 2024); \
             --year and --country choose from tables that have several",
        )
    })?;
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let provenance = Provenance {
        imported: today.to_string(),
        borders: name(&sources.nuts),
        projection,
        densities: format!("{}: {}", name(&sources.density), densities.description),
        notices,
    };
    Ok(Geodata { provenance, regions })
}

/// Loads a compact file.
pub fn load(file: &Path) -> Result<Regions, Failure> {
    let bytes = fs::read(file).or_failed(file.display())?;
    let failed = |error: &dyn std::error::Error| {
        Failure::failed(format!("{}: {}", file.display(), chain(error)))
            .remedy("create it again with `ebp geodata import`")
    };
    let geodata = Geodata::from_compact(&bytes).map_err(|error| failed(&error))?;
    Regions::new(geodata).map_err(|error| failed(&error))
}

/// The geodata that the program carries.
pub fn embedded() -> Result<&'static Regions, Failure> {
    ebp_anon::embedded().ok_or_else(|| {
        Failure::usage("this program was built without geodata")
            .remedy("name a file of `ebp geodata import`, or build it with feature `germany`")
    })
}

/// What a server does with households that revoke, by regions of that file or of the program.
pub fn masks(file: Option<&Path>) -> String {
    match (file, ebp_anon::embedded()) {
        (Some(file), _) => format!("masked by the regions of {}", file.display()),
        (None, Some(regions)) => {
            let Provenance { borders, densities, .. } = regions.provenance();
            format!("masked by the regions that are built in: {borders}, {densities}")
        }
        (None, None) => "withheld: no regions are configured".to_owned(),
    }
}

fn show(regions: &Regions) -> CommandResult {
    let provenance = regions.provenance();
    let mut table = new_table();
    table.add_row(["regions", &regions.iter().count().to_string()]);
    table.add_row(["borders", &provenance.borders]);
    table.add_row(["projection", &provenance.projection]);
    table.add_row(["densities", &provenance.densities]);
    table.add_row(["imported", &provenance.imported]);
    for notice in &provenance.notices {
        table.add_row(["notice", notice]);
    }
    print(format!("{table}\n"))
}
