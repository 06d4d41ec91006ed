//! The tables are made up, in the manner of the files that Eurostat and others publish.

use super::*;

fn parse(text: &str, year: Option<i16>) -> Result<Densities, TableError> {
    table::read(text.as_bytes(), year)
}

fn pairs(densities: &Densities) -> Vec<(&str, f64)> {
    densities.by_region.iter().map(|(code, density)| (code.as_str(), *density)).collect()
}

const TSV: &str = "freq,unit,geo\\TIME_PERIOD\t2018 \t2019 \nA,PER_KM2,DE\t237.3 \t237.8 \n\
    A,PER_KM2,DE714\t1369.8 \t1370.1 e\nA,PER_KM2,DE715\t: \t166.9 bp\nA,PER_KM2,FR101\t20709.6 \t: z\n";

const SDMX: &str = "DATAFLOW,LAST UPDATE,freq,unit,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG\n\
    ESTAT:DEMO_R_D3DENS(1.0),01/02/26 11:00:00,A,PER_KM2,DE714,2018,1369.8,\n\
    ESTAT:DEMO_R_D3DENS(1.0),01/02/26 11:00:00,A,PER_KM2,DE714,2019,1370.1,e\n\
    ESTAT:DEMO_R_D3DENS(1.0),01/02/26 11:00:00,A,PER_KM2,DE71,2019,999.1,\n\
    ESTAT:DEMO_R_D3DENS(1.0),01/02/26 11:00:00,A,PER_KM2,DE715,2019,,\n";

#[test]
fn eurostats_columns_of_years() {
    let latest = parse(TSV, None).unwrap();
    assert_eq!(pairs(&latest), [("DE714", 1370.1), ("DE715", 166.9)]);
    assert!(latest.description.contains("2019"), "{}", latest.description);
    assert_eq!(pairs(&parse(TSV, Some(2018)).unwrap()), [("DE714", 1369.8), ("FR101", 20_709.6)]);
    assert!(matches!(parse(TSV, Some(1990)), Err(TableError::NoYear(1990))));
}

#[test]
fn eurostats_rows_of_years() {
    assert_eq!(pairs(&parse(SDMX, None).unwrap()), [("DE714", 1370.1)]);
    assert_eq!(pairs(&parse(SDMX, Some(2018)).unwrap()), [("DE714", 1369.8)]);
    assert!(matches!(parse(SDMX, Some(1990)), Err(TableError::NoYear(1990))));
}

/// A year's column comes before its figures do.
#[test]
fn a_newest_year_without_figures_is_named() {
    let columns = TSV
        .replace("2019 \n", "2019 \t2020 \n")
        .replace("166.9 bp\n", "166.9 bp\t: \n")
        .replace("1370.1 e\n", "1370.1 e\t:\n");
    let rows = format!("{SDMX}ESTAT:DEMO_R_D3DENS(1.0),01/02/26,A,PER_KM2,DE714,2020,,\n");
    for (text, regions) in [(columns, 2), (rows, 1)] {
        let densities = parse(&text, None).unwrap();
        assert_eq!(densities.by_region.len(), regions);
        let said = &densities.description;
        assert!(said.contains("2019, per land area (2020 has no densities yet)"), "{said}");
        assert!(densities.notice.unwrap().ends_with("2019"));
        // Who asks for that year gets it.
        assert!(parse(&text, Some(2020)).unwrap().by_region.is_empty());
    }
}

#[test]
fn plain_tables() {
    for text in [
        "nuts3_code,name,density,reference_year\nDE714,\"Wiesbaden, Stadt\",1365,2018\n",
        "\u{feff}NUTS_ID;Density\r\nDE714;1365\r\n",
        "code\tdensity\nDE714\t1365.0\nDE714\t1365\n",
    ] {
        assert_eq!(pairs(&parse(text, None).unwrap()), [("DE714", 1365.0)]);
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (text, named) in [
        ("nuts3_code,density\nDE714,many\n", "line 2, region DE714"),
        ("nuts3_code,density\nDE714,-1\n", "DE714"),
        ("nuts3_code,density\nDE714,NaN\n", "DE714"),
        ("nuts3_code,density\nDE714\n", "DE714"),
        ("nuts3_code,density\nDE714,1\nDE714,2\n", "line 3: region DE714 is there twice"),
        ("nuts3_code,people\nDE714,1\n", "no column density"),
        ("a,b\n", "no column nuts3_code"),
        ("", "no column"),
    ] {
        let error = parse(text, None).unwrap_err().to_string();
        assert!(error.contains(named), "{text:?}: {error}");
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("density.csv");
    for (bytes, named) in [
        (&b"PK\x03\x04 and no more"[..], "density.csv"),
        (b"nuts3_code,density\nDE,1\n", "no NUTS-3 region"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = read(&path, None).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}
