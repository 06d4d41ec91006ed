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

const PLAIN: TableOptions =
    TableOptions { statistics: false, audit: false, spreadsheet_safe: false };
const AUDITED: TableOptions = TableOptions { audit: true, ..PLAIN };
const STATED: TableOptions = TableOptions { statistics: true, ..PLAIN };

fn run(input: &[u8], options: TableOptions) -> Result<(String, String, BatchReport), BatchError> {
    let (regions, key) = (regions(), ReleaseKey::from_os().unwrap());
    let masker = Masker { regions: &regions, key: &key, least_persons: None };
    let (mut output, mut rejected) = (Vec::new(), Vec::new());
    let report = mask_table(&masker, options, input, &mut output, &mut rejected, |_, _| Ok(()))?;
    Ok((String::from_utf8(output).unwrap(), String::from_utf8(rejected).unwrap(), report))
}

#[test]
fn other_columns_pass_and_the_same_place_gets_the_same_point() {
    let input = "\u{feff}kind,id,latitude,longitude,note\r\nflat,1,50.5,8.5,\"a, b\"\r\nhouse,2,50.5,8.5,\r\n";
    let (output, rejected, report) = run(input.as_bytes(), AUDITED).unwrap();
    let mut reader = csv::Reader::from_reader(output.as_bytes());
    assert_eq!(
        reader.headers().unwrap(),
        vec![
            "kind",
            "id",
            "latitude",
            "longitude",
            "note",
            "nuts3",
            "true_nuts3",
            "density",
            "d_min",
            "d_max"
        ]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!((&rows[0][0], &rows[0][1], &rows[0][4]), ("flat", "1", "a, b"));
    assert_eq!(
        (&rows[0][5], &rows[0][6], &rows[0][7], &rows[0][8], &rows[0][9]),
        ("XX001", "XX001", "1365", "2460.8", "6379.9")
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
    let (output, rejected, report) = run(input.as_bytes(), PLAIN).unwrap();
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
    let (output, rejected, report) = run(input.as_bytes(), PLAIN).unwrap();
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
    let (output, _, report) = run(input.as_bytes(), STATED).unwrap();
    assert_eq!(output.lines().next(), Some("id,latitude,longitude,nuts3,persons_possible"));
    let risk = report.risk.unwrap();
    assert_eq!(
        (risk.released(), risk.left_region(), risk.left_country()),
        (50, Some(0.0), Some(0.0))
    );
    // 1365 per km² times π (6.38² - 2.46²) km².
    let expected = 148_600.0;
    for part in [0.0, 0.5, 1.0] {
        assert!((risk.persons_in_region(part).unwrap() / expected - 1.0).abs() < 0.01);
        assert!((risk.persons_possible(part).unwrap() / expected - 1.0).abs() < 0.03);
    }
    assert!((2_460.0..6_400.0).contains(&risk.displacement_m(0.5).unwrap()));
    // One household's summary would tell how far it was moved.
    let (.., report) = run(b"id,latitude,longitude\n1,50.5,8.5\n", STATED).unwrap();
    let risk = report.risk.unwrap();
    assert_eq!((risk.displacement_m(0.5), risk.persons_in_region(0.5)), (None, None));
    assert_eq!((risk.left_region(), risk.left_country()), (None, None));
    assert!(risk.persons_possible(0.5).is_some());
    // The custodian has the region of each row anyway.
    let audited = TableOptions { audit: true, ..STATED };
    let (.., report) = run(b"id,latitude,longitude\n1,50.5,8.5\n", audited).unwrap();
    let risk = report.risk.unwrap();
    assert_eq!((risk.left_region(), risk.displacement_m(0.5)), (Some(0.0), None));
    assert!(risk.persons_in_region(0.5).is_some());
}

#[test]
fn a_wrong_header_is_told() {
    for (header, told) in [
        ("id,lat,lon", "one column \"latitude\" and has 0"),
        ("latitude,longitude", "\"id\""),
        ("id,latitude,longitude,latitude", "has 2"),
        ("id,latitude,longitude,nuts3", "\"nuts3\" already"),
        ("", "\"id\""),
    ] {
        let error = run(header.as_bytes(), PLAIN).unwrap_err().to_string();
        assert!(error.contains(told), "{header}: {error}");
    }
    let both = TableOptions { audit: true, ..STATED };
    for (column, taken) in [
        ("density", [false, false, true, true]),
        ("persons_possible", [false, true, false, true]),
        ("persons_in_ring", [false, false, false, true]),
    ] {
        let header = format!("id,latitude,longitude,{column}\n");
        let refused = [PLAIN, STATED, AUDITED, both].map(|it| run(header.as_bytes(), it).is_err());
        assert_eq!(refused, taken, "{column}");
    }
}

#[test]
fn telling_columns_are_found() {
    let found = |header: &str| run(header.as_bytes(), PLAIN).unwrap().2.telling;
    assert_eq!(found("id,latitude,longitude,E-Mail,PLZ,kWp\n"), ["e-mail", "plz"]);
    let telling = "lat,location,geo,coords,Hausnummer,IBAN,Zählernummer,geo_lon,Wohnort";
    let told = found(&format!("id,latitude,longitude,{telling}\n"));
    assert_eq!(told.join(","), telling.to_lowercase());
    assert!(found("id,latitude,longitude,flat,plate,report,support,population\n").is_empty());
}

#[test]
fn a_missing_quotation_mark_tells_no_location() {
    let table = |second: &str, fourth: &str| {
        format!(
            "id,latitude,longitude,note\n1,50.1826,8.24,{second}\n2,50.1901,8.2511,ok\n\
             3,50.1777,8.2222,{fourth}\n4,50.1801,8.2301,ok\n"
        )
    };
    let (stray, open) = (table("\"left", "\"right"), table("\"left", "right"));
    for (table, told) in [(stray, "in line 2 is closed"), (open, "in line 2 is never closed")] {
        let error = run(table.as_bytes(), PLAIN).unwrap_err();
        assert!(matches!(error, BatchError::Quotes(_)), "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
    // Marks that fit by chance: the row that was swallowed shows by its line break.
    let (output, rejected, report) = run(table("\"left", "right\"").as_bytes(), PLAIN).unwrap();
    assert_eq!((report.masked, report.rejected), (1, 1));
    assert_eq!(rejected, "id,reason\n1,a cell has a line break: a quotation mark may be missing\n");
    assert!(!output.contains("50.1901"), "{output}");
    let header = "id,latitude,longitude,\"note\n1,50.1826,8.24,left\"\n";
    assert!(matches!(run(header.as_bytes(), PLAIN), Err(BatchError::Header)));
}

#[test]
fn a_row_that_is_cut_wrongly_is_listed_without_what_is_in_place_of_its_id() {
    let input = "id,latitude,longitude\n\"1,50.123456,8.5\"\n2;50.123456;8.5\n50.123456,8.5\n\
        \"4\n5,50.123456,8.5\",50.5,8.5\n";
    let (_, rejected, _) = run(input.as_bytes(), PLAIN).unwrap();
    assert_eq!(
        rejected,
        "id,reason\n,row 1: 1 columns where the header has 3\n\
         ,row 2: 1 columns where the header has 3\n,row 3: 2 columns where the header has 3\n\
         ,row 4: a cell has a line break: a quotation mark may be missing\n"
    );
}

#[test]
fn a_copied_column_with_the_true_location_ends_it() {
    let input = "id,latitude,longitude,breite\n1,50.5826,8.24,\n2,50.5826,8.24,\"50,58260\"\n";
    let error = run(input.as_bytes(), PLAIN).unwrap_err();
    assert_eq!(error.to_string(), "the column \"breite\" has true locations");
    // A power that is the longitude by chance.
    assert_eq!(
        run(b"id,latitude,longitude,kWp\n1,50.5826,8.24,8.24\n", PLAIN).unwrap().2.masked,
        1
    );
}

#[test]
fn a_row_tells_the_released_points_region_and_nothing_of_the_true_one() {
    // At the square's edge: about half of the points lie outside of all regions.
    let rows: String = (0..200).map(|id| format!("{id},50.5,8.000{:03}\n", 1 + id)).collect();
    let input = format!("id,latitude,longitude\n{rows}");
    let (output, ..) = run(input.as_bytes(), PLAIN).unwrap();
    let mut outside = 0;
    for row in output.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let inside = cells[2].parse::<f64>().unwrap() >= 8.0;
        assert_eq!(cells[3], if inside { "XX001" } else { "" }, "{row}");
        assert_eq!(cells.len(), 4, "{row}");
        outside += usize::from(!inside);
    }
    assert!((60..140).contains(&outside), "{outside}");
}

#[test]
fn cells_are_harmless_to_spreadsheets_if_that_is_asked_for() {
    let input = "id,latitude,longitude,=note\n=1+1,50.5,8.5,\"a;=b\"\n=2+2,north,8.5,-3\n";
    let (output, rejected, _) = run(input.as_bytes(), PLAIN).unwrap();
    assert!(output.contains("\n=1+1,") && rejected.contains("\n=2+2,"));
    let safe = TableOptions { spreadsheet_safe: true, ..PLAIN };
    let (output, rejected, _) = run(input.as_bytes(), safe).unwrap();
    assert!(output.starts_with("id,latitude,longitude,'=note,nuts3\n'=1+1,"), "{output}");
    assert!(output.contains(",a;'=b,"), "{output}");
    assert!(rejected.contains("\n'=2+2,"), "{rejected}");
}
