//! Tables, good and bad, through the masking of a made-up square region.

use super::*;
use crate::{
    RegionCode, Regions, ReleaseKey,
    geodata::{Geodata, Provenance, RegionData, Vertex},
    geodesic_m,
};

/// One square region from 50° N 8° E to 51° N 9° E.
fn regions() -> Regions {
    let corner = |x, y| Vertex { x: x * 10_000_000, y: y * 10_000_000 };
    Regions::new(Geodata {
        provenance: Provenance::default(),
        regions: vec![RegionData {
            code: RegionCode::new("XX001").unwrap(),
            name: "Square".to_owned(),
            density: 1365.0,
            shapes: vec![vec![vec![corner(8, 50), corner(9, 50), corner(9, 51), corner(8, 51)]]],
        }],
    })
    .unwrap()
}

fn run(input: &[u8], statistics: bool) -> Result<(String, String, BatchReport), BatchError> {
    let (regions, key) = (regions(), ReleaseKey::from_os().unwrap());
    let masker = Masker { regions: &regions, key: &key, least_persons: None };
    let (mut output, mut rejected) = (Vec::new(), Vec::new());
    let report = mask_table(&masker, statistics, input, &mut output, &mut rejected, |_, _| Ok(()))?;
    Ok((String::from_utf8(output).unwrap(), String::from_utf8(rejected).unwrap(), report))
}

#[test]
fn other_columns_pass_and_the_same_place_gets_the_same_point() {
    let input = "\u{feff}kind,id,latitude,longitude,note\r\nflat,1,50.5,8.5,\"a, b\"\r\nhouse,2,50.5,8.5,\r\n";
    let (output, rejected, report) = run(input.as_bytes(), false).unwrap();
    let mut reader = csv::Reader::from_reader(output.as_bytes());
    assert_eq!(
        reader.headers().unwrap(),
        vec!["kind", "id", "latitude", "longitude", "note", "nuts3", "density", "d_min", "d_max"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!((&rows[0][0], &rows[0][1], &rows[0][4]), ("flat", "1", "a, b"));
    assert_eq!(
        (&rows[0][5], &rows[0][6], &rows[0][7], &rows[0][8]),
        ("XX001", "1365", "2460.8", "6379.9")
    );
    assert_eq!((&rows[0][2], &rows[0][3]), (&rows[1][2], &rows[1][3]));
    let masked = Position::parse(&rows[0][2], &rows[0][3]).unwrap();
    let metres = geodesic_m(Position::new(50.5, 8.5).unwrap(), masked);
    assert!((2_460.0..6_380.0).contains(&metres), "{metres}");
    assert_eq!((report.masked, report.rejected, rejected.as_str()), (2, 0, "id,reason\n"));
}

#[test]
fn thousands_of_rows_keep_their_order() {
    let mut input = "id,latitude,longitude\n".to_owned();
    for id in 0..5_000 {
        let latitude = if id % 7 == 0 { "north" } else { "50.5" };
        input += &format!("{id},{latitude},8.5\n");
    }
    let (output, rejected, report) = run(input.as_bytes(), false).unwrap();
    let ids = |text: &str| -> Vec<u32> {
        let first = |line: &str| line.split(',').next().unwrap().parse().unwrap();
        text.lines().skip(1).map(first).collect()
    };
    assert!(ids(&output).into_iter().eq((0..5_000).filter(|id| id % 7 != 0)));
    assert!(ids(&rejected).into_iter().eq((0..5_000).step_by(7)));
    assert_eq!((report.masked, report.rejected), (4_285, 715));
}

#[test]
fn a_row_is_masked_or_rejected_and_never_told() {
    let input = "id,latitude,longitude\n1,50.123456,8.5\n2,49.987654,8.5\n3,50.123456\n4,50.123456,east\n\
        5,8.5,50.123456\n6,,\n\"7\",50.123456,8.5,more\n8,50.6,8.6\n";
    let (output, rejected, report) = run(input.as_bytes(), false).unwrap();
    assert_eq!((report.masked, report.rejected), (2, 6));
    assert_eq!(output.lines().count(), 3);
    assert_eq!(
        rejected,
        "id,reason\n2,the location lies outside of every region\n3,2 columns where the header has 3\n\
         4,the longitude is no number of degrees from -180 to 180\n\
         5,the location lies outside of every region\n\
         6,the latitude is no number of degrees from -90 to 90\n7,4 columns where the header has 3\n"
    );
    for text in [&output, &rejected] {
        assert!(!text.contains("123456") && !text.contains("987654"), "{text}");
    }
}

#[test]
fn statistics_are_columns_and_a_summary() {
    let mut input = "id,latitude,longitude\n".to_owned();
    for id in 0..50 {
        input.push_str(&format!("{id},50.5,8.{:03}\n", 400 + id));
    }
    let (output, _, report) = run(input.as_bytes(), true).unwrap();
    assert!(
        output.lines().next().unwrap().ends_with("k_homogeneous,persons_in_ring,persons_in_region")
    );
    let risk = report.risk.unwrap();
    assert_eq!((risk.released(), risk.left_region(), risk.left_country()), (50, 0.0, 0.0));
    // 1365 per km² times π (6.38² - 2.46²) km².
    let expected = 148_600.0;
    for part in [0.0, 0.5, 1.0] {
        assert!((risk.persons_in_region(part).unwrap() / expected - 1.0).abs() < 0.01);
    }
    assert!((2_460.0..6_400.0).contains(&risk.displacement_m(0.5).unwrap()));
    // One household's summary would tell how far it was moved.
    let (.., report) = run(b"id,latitude,longitude\n1,50.5,8.5\n", true).unwrap();
    assert_eq!(report.risk.unwrap().displacement_m(0.5), None);
}

#[test]
fn a_wrong_header_is_told() {
    for (header, told) in [
        ("id,lat,lon", "one column \"latitude\" and has 0"),
        ("latitude,longitude", "\"id\""),
        ("id,latitude,longitude,latitude", "has 2"),
        ("id,latitude,longitude,density", "\"density\" already"),
        ("", "\"id\""),
    ] {
        let error = run(header.as_bytes(), false).unwrap_err().to_string();
        assert!(error.contains(told), "{header}: {error}");
    }
    assert!(run(b"id,latitude,longitude,persons_in_ring\n", false).is_ok());
    assert!(run(b"id,latitude,longitude,persons_in_ring\n", true).is_err());
}

#[test]
fn telling_columns_are_found() {
    let found = telling_columns(&b"id,latitude,longitude,E-Mail,PLZ,kWp\n"[..]).unwrap();
    assert_eq!(found, ["e-mail", "plz"]);
}
