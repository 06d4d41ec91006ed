//! The region lookup against an independent one: plain ray casting in floating-point numbers over
//! every corner of every region, without grid, rows or integers.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod official;

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    sync::OnceLock,
};

use ebp_anon::{
    Position, Regions,
    geocode::PostalCodes,
    geodata::{Geodata, Provenance, RegionData, Ring, Vertex, shapefile},
};
use ebp_needs::needs;
use proptest::prelude::*;

/// A ring in degrees, with its southern and northern ends.
type PlainRing = (f64, f64, Vec<(f64, f64)>);
/// A region's code and its shapes.
type Plain = (String, Vec<Vec<PlainRing>>);

fn plain(region: &RegionData) -> Plain {
    let ring = |ring: &Ring| {
        let corners: Vec<(f64, f64)> =
            ring.iter().map(|at| (f64::from(at.x) / 1e7, f64::from(at.y) / 1e7)).collect();
        let ends = |of: fn(f64, f64) -> f64, from| corners.iter().map(|at| at.1).fold(from, of);
        (ends(f64::min, f64::MAX), ends(f64::max, f64::MIN), corners)
    };
    let shapes = region.shapes.iter().map(|rings| rings.iter().map(ring).collect()).collect();
    (region.code.to_string(), shapes)
}

/// All regions that hold a point, by the textbook.
fn by_the_textbook(regions: &Regions, longitude: f64, latitude: f64) -> Vec<&'static str> {
    static PLAIN: OnceLock<Vec<Plain>> = OnceLock::new();
    let regions = PLAIN.get_or_init(|| regions.geodata().regions.iter().map(plain).collect());
    let crossings = |corners: &[(f64, f64)]| {
        let sides = corners.iter().zip(corners.iter().cycle().skip(1));
        let crossed = sides.filter(|((ax, ay), (bx, by))| {
            (*ay > latitude) != (*by > latitude)
                && longitude < (bx - ax) * (latitude - ay) / (by - ay) + ax
        });
        crossed.count()
    };
    let holds = |rings: &Vec<PlainRing>| {
        let near = rings.iter().filter(|ring| ring.0 <= latitude && latitude <= ring.1);
        near.map(|ring| crossings(&ring.2)).sum::<usize>() % 2 == 1
    };
    let holding = regions.iter().filter(|region| region.1.iter().any(holds));
    holding.map(|region| region.0.as_str()).collect()
}

fn code(regions: &Regions, latitude: f64, longitude: f64) -> Option<&str> {
    let position = Position::new(latitude, longitude).unwrap();
    regions
        .at(position)
        .map(|region| regions.iter().find(|other| other.code() == region.code()).unwrap().name())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Everywhere in and around Germany; a point lies in one region or in none.
    #[test]
    fn anywhere(latitude in 47.0_f64..55.3, longitude in 5.5_f64..15.4) {
        let regions = official::regions();
        let expected = by_the_textbook(regions, longitude, latitude);
        prop_assert!(expected.len() <= 1, "{:?}", expected);
        let position = Position::new(latitude, longitude).unwrap();
        let found = regions.at(position).map(|region| region.code());
        prop_assert_eq!(found.as_ref().map(ebp_anon::RegionCode::as_str), expected.first().copied());
    }

    /// Two centimetres and more from a corner of a border, where cells and rows are many.
    #[test]
    fn beside_borders(pick: u32, north in -40_i32..40, east in -40_i32..40) {
        let regions = official::regions();
        static CORNERS: OnceLock<Vec<Vertex>> = OnceLock::new();
        let corners = CORNERS.get_or_init(|| regions.geodata().regions.iter()
            .flat_map(|region| region.shapes.iter().flatten().flatten().copied()).collect());
        let corner = corners[pick as usize % corners.len()];
        // Half a step beside the whole ones, so that rounding differently does not matter.
        let x = f64::from(corner.x + 30 * east) + if east % 2 == 0 { 0.0 } else { 0.25 };
        let y = f64::from(corner.y + 30 * north) + 0.25;
        let expected = by_the_textbook(regions, x.round() / 1e7, y.round() / 1e7);
        let position = Position::new(y / 1e7, x / 1e7).unwrap();
        let found = regions.at(position).map(|region| region.code().to_string());
        // Exactly on a line floating-point numbers may see it on either side.
        if north != 0 && east != 0 {
            prop_assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
        }
    }
}

/// Every corner of every border, and the middle of every side: never in two regions, and inside of
/// Germany never in none.
#[test]
fn borders_belong_to_one_region() {
    let regions = official::regions();
    let mut sides: HashMap<[i32; 4], u32> = HashMap::new();
    for region in &regions.geodata().regions {
        for ring in region.shapes.iter().flatten() {
            for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                let (a, b) = if (a.x, a.y) < (b.x, b.y) { (a, b) } else { (b, a) };
                *sides.entry([a.x, a.y, b.x, b.y]).or_default() += 1;
            }
        }
    }
    let mut shared = 0;
    for ([ax, ay, bx, by], count) in sides {
        assert!(count <= 2, "a side of {count} regions");
        if count == 2 {
            shared += 1;
            let middle = (f64::from(ax) + f64::from(bx), f64::from(ay) + f64::from(by));
            let found = code(regions, middle.1 / 2e7, middle.0 / 2e7);
            assert!(found.is_some(), "a border between two regions lies in none");
        }
    }
    assert!(shared > 10_000, "{shared}");
}

/// Cities within districts, islands, a lake's far shore, neighbours abroad.
#[test]
fn known_places() {
    let regions = official::regions();
    for (latitude, longitude, expected) in [
        (50.0782, 8.2398, Some("Wiesbaden")),
        (48.1374, 11.5755, Some("München, Landeshauptstadt")),
        (48.2500, 11.6500, Some("München, Landkreis")),
        (48.7665, 11.4258, Some("Ingolstadt")),
        (49.4447, 7.7689, Some("Kaiserslautern, Kreisfreie Stadt")),
        (54.9079, 8.3100, Some("Nordfriesland")),
        (54.1809, 7.8860, Some("Pinneberg")),
        (54.4200, 13.4300, Some("Vorpommern-Rügen")),
        (47.5596, 7.5886, None),
        (48.5734, 7.7521, None),
        (54.6000, 7.0000, None),
        (0.0, 0.0, None),
        (90.0, 180.0, None),
        (-90.0, -180.0, None),
    ] {
        let found = code(regions, latitude, longitude);
        let fits = match (found, expected) {
            (Some(found), Some(expected)) => found.starts_with(expected.split(',').next().unwrap()),
            (found, expected) => found.is_none() && expected.is_none(),
        };
        assert!(fits, "{latitude} {longitude}: {found:?} instead of {expected:?}");
    }
}

/// 10,814 postal codes' points and the districts that they are said to lie in: 99.8 % agree (the
/// rest lies at borders that a map 1:5,000,000 draws roughly).
#[needs(geodata, postal_codes)]
#[test]
fn postal_codes_lie_where_they_belong() {
    let folder = official::folder();
    let regions = official::regions();
    let districts: BTreeMap<String, String> =
        csv::Reader::from_path(folder.join("de_ags_nuts3_2018.csv"))
            .unwrap()
            .records()
            .map(|row| row.map(|row| (row[0].to_owned(), row[1].to_owned())).unwrap())
            .collect();
    let file = folder.join("de_plz_centroids_geonames.csv");
    let codes = PostalCodes::read(File::open(&file).unwrap()).unwrap();
    assert_eq!(codes.len(), 10_814);
    let (mut right, mut wrong, mut outside) = (0, 0, 0);
    for row in csv::Reader::from_path(file).unwrap().records() {
        let row = row.unwrap();
        let Some(district) = districts.get(&row[5]) else { continue };
        let position = codes.find(&row[0]).unwrap().position;
        let textbook = by_the_textbook(regions, position.longitude(), position.latitude());
        let found = regions.at(position).map(|region| region.code().to_string());
        assert_eq!(found.as_deref(), textbook.first().copied(), "{}", &row[0]);
        match found {
            Some(found) if found == *district => right += 1,
            Some(_) => wrong += 1,
            None => outside += 1,
        }
    }
    let all = right + wrong + outside;
    assert!(all > 10_500, "{all}");
    assert!(wrong + outside < all / 50, "{right} {wrong} {outside}");
}

/// Without any file: a square with a hole, an island in the hole, a second record of the same
/// region, and a neighbour within the hole.
#[test]
fn holes_islands_and_several_records() {
    let square = |west: i32, south: i32, side: i32| -> Ring {
        let corner = |x: i32, y: i32| Vertex { x: x * 1_000_000, y: y * 1_000_000 };
        vec![
            corner(west, south),
            corner(west + side, south),
            corner(west + side, south + side),
            corner(west, south + side),
        ]
    };
    let region = |code: &str, density, shapes| RegionData {
        code: ebp_anon::RegionCode::new(code).unwrap(),
        name: code.to_owned(),
        density,
        shapes,
    };
    let regions = Regions::new(Geodata {
        provenance: Provenance::default(),
        regions: vec![
            // 0 to 100 without 20 to 80, with 40 to 60 again; water from 100 to 120, twice.
            region(
                "XX001",
                10.0,
                vec![
                    vec![square(0, 0, 100), square(20, 20, 60), square(40, 40, 20)],
                    vec![square(100, 0, 20)],
                    vec![square(100, 0, 20)],
                ],
            ),
            region("XX002", 900.0, vec![vec![square(20, 20, 60), square(40, 40, 20)]]),
            // Overlaps the first one, against all rules: the less populated one is taken.
            region("XX003", 20.0, vec![vec![square(0, 0, 10)]]),
        ],
    })
    .unwrap();
    for (x, y, expected) in [
        (50.0, 10.0, Some("XX001")),
        (50.0, 30.0, Some("XX002")),
        (50.0, 50.0, Some("XX001")),
        (110.0, 10.0, Some("XX001")),
        (5.0, 5.0, Some("XX001")),
        (110.0, 30.0, None),
        (-0.1, 50.0, None),
        (120.1, 10.0, None),
    ] {
        assert_eq!(code(&regions, y / 10.0, x / 10.0), expected, "{x} {y}");
    }
}

/// Points that are written down in the file's own projection, so that neither the projection nor
/// the further corners of long sides are taken on trust: see `shapefile::read`.
#[needs(geodata)]
#[test]
fn every_region_is_read_with_its_name() {
    let folder = official::folder();
    let borders = shapefile::read(&folder.join(official::BORDERS)).unwrap();
    assert_eq!(borders.regions.len(), 401);
    assert_eq!(borders.projection, "ETRS_1989_UTM_Zone_32N");
    assert_eq!(borders.publisher, shapefile::Publisher::Bkg);
    let names: Vec<&str> = borders.regions.values().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"Böblingen"), "{names:?}");
}
