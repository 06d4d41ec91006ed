//! Official files, and what happens with those that do not fit together.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod official;

use std::{fs, path::Path};

use ebp_anon::{
    Position, RegionCode, Regions,
    geodata::{self, Geodata, Provenance, density, shapefile},
};
use ebp_needs::needs;

fn join(
    folder: &Path,
    densities: &str,
) -> Result<Vec<geodata::RegionData>, geodata::VintageMismatch> {
    let borders = shapefile::read(&folder.join(official::BORDERS)).unwrap();
    geodata::join(borders, &density::read(&folder.join(densities), None).unwrap(), &[])
}

#[needs(geodata)]
#[test]
fn tables_of_one_vintage_agree() {
    let folder = official::folder();
    let workbook = density::read(&folder.join(official::DENSITIES), None).unwrap();
    let plain = density::read(&folder.join("de_nuts3_density_2018_nuts2021.csv"), None).unwrap();
    assert_eq!(workbook.by_region.len(), 401);
    assert_eq!(workbook.by_region, plain.by_region);
    assert_eq!(workbook.notice.as_deref(), Some("© Statistisches Bundesamt (Destatis), 2019"));
    assert!(workbook.description.contains("31.12.2018"), "{}", workbook.description);
    assert_eq!(join(&folder, official::DENSITIES).unwrap().len(), 401);
}

#[needs(geodata)]
#[test]
fn another_vintage_is_refused_and_its_regions_named() {
    let folder = official::folder();
    // 400 rows with old codes: Eisenach has become a part of Wartburgkreis.
    let error = join(&folder, "destatis/04-kreise_2023-12-31.xlsx").unwrap_err();
    assert_eq!(error.without_density, [RegionCode::new("DEG0N").unwrap()]);
    assert_eq!(error.without_borders, []);
    // Recoded to NUTS 2024.
    let error = join(&folder, "de_nuts3_density_2023_nuts2024.csv").unwrap_err();
    assert!(!error.without_density.is_empty() && !error.without_borders.is_empty());
    let text = error.to_string();
    for code in error.without_density.iter().chain(&error.without_borders) {
        assert!(text.contains(code.as_str()), "{code}: {text}");
    }
}

/// What `data/README.md` says of how the embedded file was made.
#[needs(geodata)]
#[test]
fn the_embedded_file_is_what_the_import_makes() {
    let made = join(&official::folder(), official::DENSITIES).unwrap();
    assert_eq!(made, official::regions().geodata().regions);
    let notices = include_str!("../data/README.md");
    for notice in &official::regions().provenance().notices {
        assert!(notices.contains(notice), "{notice}");
    }
}

#[test]
fn the_compact_file_answers_alike() {
    let regions = official::regions();
    let bytes = regions.geodata().to_compact();
    assert!(bytes.len() < 500_000, "{}", bytes.len());
    let read = Geodata::from_compact(&bytes).unwrap();
    assert_eq!(&read, regions.geodata());
    let again = Regions::new(read).unwrap();
    for step in 0..2_000_u32 {
        let latitude = 47.0 + f64::from(step % 50) * 0.17;
        let longitude = 5.5 + f64::from(step / 50) * 0.25;
        let place = Position::new(latitude, longitude).unwrap();
        assert_eq!(regions.at(place), again.at(place));
    }
}

/// A made-up shapefile of three records, with everything that can be odd about one.
struct Made {
    folder: tempfile::TempDir,
}

const UTM32: &str = r#"PROJCS["ETRS_1989_UTM_Zone_32N",GEOGCS["GCS_ETRS_1989",DATUM["D_ETRS_1989",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",9.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#;

impl Made {
    /// Squares of 100 km by 100 km side by side from 400 km E, 5,600 km N.
    fn new(code_field: &str, records: &[(&str, &str, f64)], name_bytes: &[u8]) -> Self {
        use ::shapefile::{
            Point, Polygon, PolygonRing,
            dbase::{Date, FieldName, FieldValue, Record, TableWriterBuilder},
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.shp");
        let field = |name: &str| FieldName::try_from(name).unwrap();
        let table = TableWriterBuilder::new()
            .add_character_field(field(code_field), 5)
            .add_character_field(field("GEN"), 30)
            .add_numeric_field(field("LEVL_CODE"), 2, 0)
            .add_date_field(field("WSK"));
        let mut writer = ::shapefile::Writer::from_path(&path, table).unwrap();
        for (index, (code, name, level)) in records.iter().enumerate() {
            let west = 400_000.0 + 100_000.0 * index as f64;
            let corner = |x: f64, y: f64| Point::new(west + x * 1e5, 5_600_000.0 + y * 1e5);
            let ring = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)];
            let shape = Polygon::new(PolygonRing::Outer(
                ring.into_iter().map(|(x, y)| corner(x, y)).collect(),
            ));
            let mut record = Record::default();
            record.insert(code_field.to_owned(), FieldValue::Character(Some((*code).to_owned())));
            record.insert("GEN".to_owned(), FieldValue::Character(Some((*name).to_owned())));
            record.insert("LEVL_CODE".to_owned(), FieldValue::Numeric(Some(*level)));
            record
                .insert("WSK".to_owned(), FieldValue::Date(Some(Date::new(31, 1, 2026).unwrap())));
            writer.write_shape_and_record(&shape, &record).unwrap();
        }
        drop(writer);
        fs::write(folder.path().join("made.prj"), UTM32).unwrap();
        // The name's placeholder becomes bytes of another character set.
        let dbf = folder.path().join("made.dbf");
        let mut bytes = fs::read(&dbf).unwrap();
        while let Some(at) = bytes.windows(6).position(|window| window == b"NAMENA") {
            bytes[at..at + 6].fill(b' ');
            bytes[at..at + name_bytes.len()].copy_from_slice(name_bytes);
        }
        // A date without a value, as pyshp writes it.
        while let Some(at) = bytes.windows(8).position(|window| window == b"20260131") {
            bytes[at..at + 8].fill(b'0');
        }
        fs::write(dbf, bytes).unwrap();
        Self { folder }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("made.shp")
    }
}

/// Water and land of one region, another level, and names in Windows' characters without a .cpg.
#[test]
fn several_records_levels_and_character_sets() {
    let records = [("DE714", "NAMENA", 3.0), ("DE714", "NAMENA", 3.0), ("DE71", "x", 2.0)];
    for field in ["NUTS_CODE", "NUTS", "NUTS_ID"] {
        for (name, cpg) in [
            (&b"K\xf6ln"[..], None),
            (b"K\xf6ln", Some("1252")),
            (b"K\xf6ln", Some("ANSI 1252")),
            (b"K\xf6ln", Some("ISO-8859-1")),
            (b"K\xc3\xb6ln", None),
            (b"K\xc3\xb6ln", Some("UTF-8\r\n")),
        ] {
            let made = Made::new(field, &records, name);
            if let Some(cpg) = cpg {
                fs::write(made.folder.path().join("made.cpg"), cpg).unwrap();
            }
            let borders = shapefile::read(&made.path()).unwrap();
            assert_eq!(borders.regions.len(), 1);
            let (name, shapes) = &borders.regions[&RegionCode::new("DE714").unwrap()];
            assert_eq!((name.as_str(), shapes.len()), ("Köln", 2), "{cpg:?}");
        }
    }
}

/// A straight line of 100 km in UTM bends by 200 m in degrees; the border follows it.
#[test]
fn long_sides_stay_where_the_projection_has_them() {
    let made = Made::new("NUTS_CODE", &[("DE714", "a", 3.0), ("DE715", "b", 3.0)], b"");
    let borders = shapefile::read(&made.path()).unwrap();
    let table = made.folder.path().join("density.csv");
    fs::write(&table, "nuts3_code,density\nDE714,1\nDE715,2\nFR101,3\n").unwrap();
    let densities = density::read(&table, None).unwrap();
    let regions = geodata::join(borders, &densities, &[]).unwrap();
    let regions = Regions::new(Geodata { provenance: Provenance::default(), regions }).unwrap();
    let at = |latitude: f64, longitude: f64| {
        let place = Position::new(latitude, longitude).unwrap();
        regions.at(place).map(|region| region.code().to_string())
    };
    // 450 km E, 5,600 km N (pyproj), 3 m north and south of it; 5 m west and east of 500 km E.
    let (latitude, longitude) = (50.549_793_87, 8.294_245_11);
    assert_eq!(at(latitude + 3e-5, longitude).as_deref(), Some("DE714"));
    assert_eq!(at(latitude - 3e-5, longitude), None);
    assert_eq!(at(51.0, 9.0 - 7e-5).as_deref(), Some("DE714"));
    assert_eq!(at(51.0, 9.0 + 7e-5).as_deref(), Some("DE715"));
}

#[test]
fn countries_are_chosen() {
    let made = Made::new("NUTS_ID", &[("DE714", "a", 3.0), ("FR101", "b", 3.0)], b"");
    let table = made.folder.path().join("density.csv");
    fs::write(&table, "nuts3_code,density\nDE714,1\nNL111,3\n").unwrap();
    let densities = density::read(&table, None).unwrap();
    let borders = shapefile::read(&made.path()).unwrap();
    let error = geodata::join(borders.clone(), &densities, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "borders and densities are not of the same vintage: no density for FR101"
    );
    let regions = geodata::join(borders.clone(), &densities, &["DE".to_owned()]).unwrap();
    assert_eq!(regions.len(), 1);
    assert!(geodata::join(borders, &densities, &["AT".to_owned()]).is_err());
}

#[test]
fn what_is_wrong_with_a_shapefile_is_named() {
    let records = [("DE714", "a", 3.0)];
    let spoil = |spoil: &dyn Fn(&Path)| {
        let made = Made::new("NUTS_CODE", &records, b"");
        spoil(made.folder.path());
        shapefile::read(&made.path()).unwrap_err().to_string()
    };
    for (error, named) in [
        (spoil(&|folder| fs::remove_file(folder.join("made.prj")).unwrap()), "made.prj"),
        (spoil(&|folder| fs::remove_file(folder.join("made.dbf")).unwrap()), "made.dbf"),
        (spoil(&|folder| fs::write(folder.join("made.prj"), "?").unwrap()), "made.prj"),
        (spoil(&|folder| fs::write(folder.join("made.cpg"), "klingon").unwrap()), "klingon"),
        (spoil(&|folder| fs::write(folder.join("made.shp"), "PK").unwrap()), "made.shp"),
        (spoil(&|folder| fs::write(folder.join("made.dbf"), "").unwrap()), "made.dbf"),
        (
            shapefile::read(&Made::new("CODE", &records, b"").path()).unwrap_err().to_string(),
            "NUTS_CODE, NUTS_ID, NUTS; there are CODE, GEN",
        ),
        (
            shapefile::read(&Made::new("NUTS", &[("06414", "a", 3.0)], b"").path())
                .unwrap_err()
                .to_string(),
            "record 1 (\"06414\" is no NUTS code",
        ),
        (
            shapefile::read(&Made::new("NUTS", &[("DE7", "a", 1.0)], b"").path())
                .unwrap_err()
                .to_string(),
            "no region of NUTS level 3",
        ),
    ] {
        assert!(error.contains(named), "{named}: {error}");
    }
}
