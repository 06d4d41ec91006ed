//! How many households a second one core looks up and masks, over the postal codes' points of
//! Germany: `EBP_GEODATA=FOLDER cargo bench -p ebp-anon`.
//!
//! Enters: the real geodata. Leaves: households per second, and how long the compact file takes to
//! load. Absent: a rival; `docs/src/anonymization.md` names what others reach.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::{
    env,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use divan::{Bencher, black_box, counter::ItemsCount};
use ebp_anon::{
    Masker, OsRandomness, Position, Regions, ReleaseKey,
    batch::{TableOptions, mask_table},
    geocode::PostalCodes,
    geodata,
    geodata::Geodata,
    mask, risk,
};

fn main() {
    if folder().is_none() {
        eprintln!("SKIPPED: no geodata in ../shared/geo; set EBP_GEODATA");
        return;
    }
    divan::main();
}

fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/geo");
    let folder = env::var_os("EBP_GEODATA").map_or(beside, PathBuf::from);
    folder.join("bkg_nuts5000_n3/NUTS5000_N3.shp").is_file().then_some(folder)
}

fn geodata() -> Geodata {
    let folder = folder().unwrap();
    let borders =
        geodata::shapefile::read(&folder.join("bkg_nuts5000_n3/NUTS5000_N3.shp")).unwrap();
    let densities = folder.join("destatis/04-kreise_2018-12-31.xlsx");
    let densities = geodata::density::read(&densities, None).unwrap();
    let regions = geodata::join(borders, &densities, &[]).unwrap();
    Geodata { provenance: geodata::Provenance::default(), regions }
}

/// Postal codes' points within the regions, in an order without rhyme, as households come.
fn households(regions: &Regions) -> Vec<Position> {
    let file = File::open(folder().unwrap().join("de_plz_centroids_geonames.csv")).unwrap();
    let codes = PostalCodes::read(file).unwrap();
    codes.iter().map(|(_, place)| place).filter(|place| regions.at(*place).is_some()).collect()
}

fn over_households(bencher: Bencher<'_, '_>, mut each: impl FnMut(&Regions, Position)) {
    let regions = Regions::new(geodata()).unwrap();
    let households = households(&regions);
    bencher.counter(ItemsCount::new(households.len())).bench_local(|| {
        for &household in &households {
            each(&regions, black_box(household));
        }
    });
}

/// The region of a position, and its density.
#[divan::bench]
fn lookup(bencher: Bencher<'_, '_>) {
    over_households(bencher, |regions, household| {
        black_box(regions.at(household).unwrap().density());
    });
}

/// Lookup, density, bounds and a geodesic masking, with the system's randomness.
#[divan::bench]
fn lookup_and_mask(bencher: Bencher<'_, '_>) {
    let mut randomness = OsRandomness::new();
    over_households(bencher, |regions, household| {
        black_box(mask(regions, household, &mut randomness).unwrap());
    });
}

/// The same with the key of the place, as `ebp anonymize` does it.
#[divan::bench]
fn lookup_and_mask_by_key(bencher: Bencher<'_, '_>) {
    let key = ReleaseKey::from_os().unwrap();
    over_households(bencher, |regions, household| {
        let masker = Masker { regions, key: &key, least_persons: None };
        black_box(masker.release(household).unwrap());
    });
}

/// A table of a million rows from file to file, as `ebp anonymize` does it, and (below) only copied
/// by the CSV reader and writer.
#[divan::bench(sample_count = 3)]
fn a_million_rows(bencher: Bencher<'_, '_>) {
    let (regions, key) = (Regions::new(geodata()).unwrap(), ReleaseKey::from_os().unwrap());
    let table = table(&regions);
    let masker = Masker { regions: &regions, key: &key, least_persons: None };
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let input = File::open(table.path().join("in.csv")).unwrap();
        let output = File::create(table.path().join("out.csv")).unwrap();
        let options = TableOptions::default();
        let report =
            mask_table(&masker, options, input, output, io::sink(), |_, _| Ok(())).unwrap();
        assert_eq!(report.rejected, 0);
    });
}

/// What reading and writing alone takes.
#[divan::bench(sample_count = 3)]
fn a_million_rows_copied(bencher: Bencher<'_, '_>) {
    let table = table(&Regions::new(geodata()).unwrap());
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let input = File::open(table.path().join("in.csv")).unwrap();
        let output = File::create(table.path().join("out.csv")).unwrap();
        let mut reader = csv::Reader::from_reader(input);
        let mut writer = csv::Writer::from_writer(output);
        let mut row = csv::ByteRecord::new();
        while reader.read_byte_record(&mut row).unwrap() {
            writer.write_byte_record(&row).unwrap();
        }
        writer.flush().unwrap();
    });
}

const ROWS: usize = 1_000_000;

/// A folder with a table of a million households.
fn table(regions: &Regions) -> tempfile::TempDir {
    let households = households(regions);
    let folder = tempfile::tempdir().unwrap();
    let mut file = BufWriter::new(File::create(folder.path().join("in.csv")).unwrap());
    writeln!(file, "id,latitude,longitude,kwp,meters").unwrap();
    for (id, place) in (0..ROWS).zip(households.iter().cycle()) {
        let (latitude, longitude) = (place.latitude(), place.longitude());
        writeln!(file, "{id},{latitude:.6},{longitude:.6},12,2").unwrap();
    }
    file.flush().unwrap();
    folder
}

/// The estimate of a release's risk.
#[divan::bench(sample_count = 20)]
fn assess_risk(bencher: Bencher<'_, '_>) {
    let mut randomness = OsRandomness::new();
    over_households(bencher, |regions, household| {
        let release = mask(regions, household, &mut randomness).unwrap();
        black_box(risk::assess(regions, &release));
    });
}

/// From the compact file's bytes to the first lookup.
#[divan::bench]
fn load(bencher: Bencher<'_, '_>) {
    let bytes = geodata().to_compact();
    bencher
        .bench_local(|| Regions::new(Geodata::from_compact(black_box(&bytes)).unwrap()).unwrap());
}

/// The first half of it.
#[divan::bench]
fn load_without_index(bencher: Bencher<'_, '_>) {
    let bytes = geodata().to_compact();
    bencher.bench_local(|| Geodata::from_compact(black_box(&bytes)).unwrap());
}
