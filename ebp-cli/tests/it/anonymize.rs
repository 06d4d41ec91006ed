//! `ebp geodata` and `ebp anonymize` from outside, with a made-up region, with those that are built
//! in, and with the official files (`EBP_GEODATA`, or `../shared/geo` beside the repository).

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
};

use assert_cmd::Command;
use ebp_anon::{
    Position, RegionCode,
    geodata::{Geodata, Provenance, RegionData, Vertex},
    geodesic_m,
};
use ebp_needs::needs;

fn ebp(folder: &Path, arguments: &[&str]) -> Output {
    Command::cargo_bin("ebp").unwrap().current_dir(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with `square.ebpgeo`: 50° to 51° N, 8° to 9° E, so many persons per km².
fn square(density: f64) -> tempfile::TempDir {
    let corner = |x, y| Vertex { x: x * 10_000_000, y: y * 10_000_000 };
    let geodata = Geodata {
        provenance: Provenance { notices: vec!["© Nobody".to_owned()], ..Provenance::default() },
        regions: vec![RegionData {
            code: RegionCode::new("XX001").unwrap(),
            name: "Square".to_owned(),
            density,
            shapes: vec![vec![vec![corner(8, 50), corner(9, 50), corner(9, 51), corner(8, 51)]]],
        }],
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("square.ebpgeo"), geodata.to_compact()).unwrap();
    folder
}

/// The folder of the official files.
fn official() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/geo");
    let folder = env::var_os("EBP_GEODATA").map_or(beside, PathBuf::from);
    fs::canonicalize(folder).unwrap()
}

const TABLE: &str = "id,latitude,longitude,note\n1,50.512345,8.512345,\"a, b\"\n2,10,8.5,\n\
    3,50.512345,8.512345,same place\n4,fifty,8.5,\n";

#[test]
fn a_table_is_masked_and_rejected_rows_are_listed() {
    let folder = square(1365.0);
    let at = |name: &str| folder.path().join(name);
    fs::write(at("in.csv"), TABLE).unwrap();
    let arguments =
        ["anonymize", "--regions", "square.ebpgeo", "--input", "in.csv", "--output", "out.csv"];
    let output = ebp(folder.path(), &arguments);
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("2 rows masked, 2 rejected") && told.contains("© Nobody"), "{told}");
    assert!(output.stdout.is_empty());
    let masked = fs::read_to_string(at("out.csv")).unwrap();
    let rejected = fs::read_to_string(at("out.csv.rejected.csv")).unwrap();
    assert_eq!(
        rejected,
        "id,reason\n2,the location lies outside of every region\n\
         4,the latitude is no number of degrees from -90 to 90\n"
    );
    let rows: Vec<Vec<&str>> = masked.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["id", "latitude", "longitude", "note", "nuts3"]);
    assert_eq!(rows[2][4..], ["XX001"]);
    assert_eq!(rows[1][1..3], rows[2][1..3], "one place, one point");
    let metres = geodesic_m(
        Position::new(50.512_345, 8.512_345).unwrap(),
        Position::parse(rows[1][1], rows[1][2]).unwrap(),
    );
    assert!((2_460.835..=6_379.945).contains(&metres), "{metres}");
    for text in [&masked, &rejected, &told] {
        assert!(!text.contains("512345"), "{text}");
    }
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 4, "in, out, rejected, geodata: nothing partial");
}

#[test]
fn a_key_file_makes_runs_agree_and_is_for_its_owner_only() {
    let folder = square(1365.0);
    let run = |key: &[&str]| {
        let base = ["anonymize", "--regions", "square.ebpgeo", "--lat", "50.5", "--lon", "8.5"];
        let output = ebp(folder.path(), &[&base[..], &["--format", "json"], key].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert_ne!(run(&[]), run(&[]));
    assert_eq!(run(&["--key-file", "key"]), run(&["--key-file", "key"]));
    let mode = fs::metadata(folder.path().join("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::write(folder.path().join("key"), "1234").unwrap();
    let arguments = ["anonymize", "--regions", "square.ebpgeo", "--lat", "50.5", "--lon", "8.5"];
    let output = ebp(folder.path(), &[&arguments[..], &["--key-file", "key"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(!text(&output.stderr).contains("1234"), "{}", text(&output.stderr));
}

#[test]
fn true_locations_are_on_a_map_only_if_asked_for() {
    let folder = square(1365.0);
    fs::write(folder.path().join("in.csv"), TABLE).unwrap();
    for (map, origins) in
        [("map.svg", false), ("map.geojson", false), ("all.svg", true), ("all.geojson", true)]
    {
        let output = format!("{map}.csv");
        let mut arguments = vec!["anonymize", "--regions", "square.ebpgeo", "--input", "in.csv"];
        arguments.extend(["--output", &output, "--map", map]);
        arguments.extend(origins.then_some("--origins"));
        let output = ebp(folder.path(), &arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let drawn = fs::read_to_string(folder.path().join(map)).unwrap();
        assert_eq!(drawn.contains("\"origin\""), origins, "{map}");
        assert!(drawn.contains("© Nobody"), "{map}");
        if map.ends_with("geojson") {
            let parsed: serde_json::Value = serde_json::from_str(&drawn).unwrap();
            let features = parsed["features"].as_array().unwrap();
            assert_eq!(features.len(), 1 + 2 * if origins { 3 } else { 1 });
            assert_eq!(drawn.contains("d_min"), origins, "a ring's width tells the region");
            assert_eq!(drawn.contains("8.512345,50.512345"), origins);
        } else {
            assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
            // Two released positions, drawn over each other.
            assert_eq!(drawn.matches("class=\"released\"").count(), 2);
        }
    }
    let arguments = ["anonymize", "--regions", "square.ebpgeo", "--lat", "50.5", "--lon", "8.5"];
    let output = ebp(folder.path(), &[&arguments[..], &["--map", "map.png"]].concat());
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn statistics_and_the_least_number_of_persons() {
    // 36 persons per km²: 10,440 in a ring of 4,216 to 10,509 m.
    let folder = square(36.0);
    let mut table = "id,latitude,longitude\n".to_owned();
    for id in 0..30 {
        table.push_str(&format!("{id},50.5,8.{}\n", 450 + id));
    }
    fs::write(folder.path().join("in.csv"), table).unwrap();
    let run = |more: &[&str]| {
        let mut arguments = vec!["anonymize", "--regions", "square.ebpgeo", "--input", "in.csv"];
        arguments.extend(["--output", "out.csv"]);
        arguments.extend(more);
        let output = ebp(folder.path(), &arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let take = |name: &str| {
            let taken = fs::read_to_string(folder.path().join(name)).unwrap();
            fs::remove_file(folder.path().join(name)).unwrap();
            taken
        };
        (text(&output.stdout), take("out.csv"), take("out.csv.rejected.csv"))
    };
    let (summary, masked, _) = run(&["--stats"]);
    assert!(summary.contains("estimate") && summary.contains("0.0 % outside"), "{summary}");
    let header = "id,latitude,longitude,nuts3,persons_possible";
    assert_eq!(masked.lines().next(), Some(header));
    let (_, audited, _) = run(&["--stats", "--audit"]);
    let more = ",true_nuts3,density,d_min,d_max,k_homogeneous,persons_in_ring,persons_in_region";
    assert_eq!(audited.lines().next(), Some(format!("{header}{more}").as_str()));
    assert!(audited.contains(",XX001,36,4216.4,10509.1,10480,"), "{audited}");
    let (_, withheld, rejected) = run(&["--min-k", "12000"]);
    assert_eq!(withheld.lines().count(), 1);
    assert_eq!(rejected.matches("fewer than the wanted number of persons").count(), 30);
    let (_, widened, _) = run(&["--min-k", "12000", "--widen", "--audit"]);
    assert_eq!(widened.lines().count(), 31);
    assert!(widened.lines().nth(1).unwrap().ends_with(",36,4216.4,12611.0"), "{widened}");
}

#[test]
fn what_is_wrong_is_told_with_its_remedy() {
    let folder = square(1365.0);
    fs::write(folder.path().join("wrong.csv"), "id;latitude;longitude\n1;50.5;8.5\n").unwrap();
    fs::write(folder.path().join("masked.csv"), "id,latitude,longitude,nuts3\n").unwrap();
    let regions = ["anonymize", "--regions", "square.ebpgeo"];
    for (arguments, code, told) in [
        (vec!["--input", "wrong.csv", "--output", "out.csv"], 1, "separated by commas"),
        (vec!["--input", "masked.csv", "--output", "out.csv"], 1, "is the table masked already?"),
        (vec!["--input", "none.csv", "--output", "out.csv"], 1, "none.csv"),
        (vec!["--input", "wrong.csv"], 2, "--output"),
        (vec!["--lat", "50.5"], 2, "--lon"),
        (vec!["--lat", "8.5", "--lon", "50.5"], 1, "swapped"),
        (vec!["--lat", "here", "--lon", "50.5"], 2, "latitude"),
        (vec![], 2, "--input"),
    ] {
        let output = ebp(folder.path(), &[&regions[..], &arguments].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
        assert!(!folder.path().join("out.csv").exists());
        assert!(!folder.path().join("out.csv.partial").exists());
    }
    fs::write(folder.path().join("broken.ebpgeo"), "EBPGEO").unwrap();
    let output = ebp(folder.path(), &["geodata", "show", "broken.ebpgeo"]);
    assert!(text(&output.stderr).contains("ebp geodata import"), "{}", text(&output.stderr));
}

#[test]
fn no_file_that_is_there_is_written_over() {
    let folder = square(1365.0);
    let at = |name: &str| folder.path().join(name);
    fs::write(at("in.csv"), TABLE).unwrap();
    fs::write(at("other.csv"), "kept").unwrap();
    fs::write(at("b.csv.rejected.csv"), "kept").unwrap();
    fs::write(at("c.csv.partial"), "kept").unwrap();
    fs::write(at("map.svg"), "kept").unwrap();
    fs::create_dir(at("folder")).unwrap();
    std::os::unix::fs::symlink("in.csv", at("link.csv")).unwrap();
    std::os::unix::fs::symlink("nothing.csv", at("dangling.csv")).unwrap();
    fs::hard_link(at("in.csv"), at("hard.csv")).unwrap();
    let whole = at("in.csv").to_str().unwrap().to_owned();
    let before = fs::read_dir(folder.path()).unwrap().count();
    let run = |more: &[&str]| {
        let arguments = ["anonymize", "--regions", "square.ebpgeo", "--input", "in.csv"];
        ebp(folder.path(), &[&arguments[..], more].concat())
    };
    for output in [
        "in.csv",
        "./in.csv",
        "folder/../in.csv",
        &whole,
        "link.csv",
        "hard.csv",
        "dangling.csv",
        "other.csv",
        "b.csv",
        "c.csv",
        "folder",
    ] {
        let refused = run(&["--output", output]);
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{output}: {told}");
        assert!(told.contains("exists already") && told.contains("another name"), "{told}");
    }
    for map in ["map.svg", "in.geojson"] {
        std::os::unix::fs::symlink("in.csv", at("in.geojson")).unwrap_or_default();
        let refused = run(&["--output", "out.csv", "--map", map]);
        assert_eq!(refused.status.code(), Some(1), "{map}");
        assert!(text(&refused.stderr).contains("exists already"), "{}", text(&refused.stderr));
    }
    for (name, kept) in
        [("in.csv", TABLE), ("other.csv", "kept"), ("map.svg", "kept"), ("c.csv.partial", "kept")]
    {
        assert_eq!(fs::read_to_string(at(name)).unwrap(), kept, "{name}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before + 1, "nothing partial");
}

#[test]
fn cells_that_a_spreadsheet_would_run_are_quoted_if_that_is_asked_for() {
    let folder = square(1365.0);
    let at = |name: &str| folder.path().join(name);
    let table = "id,latitude,longitude,note\n=1+1,50.5,8.5,\"a;=b\"\n@x,north,8.5,－1+1\n";
    fs::write(at("in.csv"), table).unwrap();
    for (name, more) in [("plain.csv", None), ("safe.csv", Some("--spreadsheet-safe"))] {
        let mut arguments = vec!["anonymize", "--regions", "square.ebpgeo", "--input", "in.csv"];
        arguments.extend(["--output", name]);
        arguments.extend(more);
        let output = ebp(folder.path(), &arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let masked = fs::read_to_string(at(name)).unwrap();
        let rejected = fs::read_to_string(at(&format!("{name}.rejected.csv"))).unwrap();
        let quote = if more.is_some() { "'" } else { "" };
        assert!(masked.contains(&format!("\n{quote}=1+1,")), "{masked}");
        assert!(masked.contains(&format!(",a;{quote}=b,XX001")), "{masked}");
        assert!(rejected.contains(&format!("\n{quote}@x,")), "{rejected}");
    }
}

#[test]
fn columns_that_tell_are_warned_of() {
    let folder = square(1365.0);
    fs::write(folder.path().join("in.csv"), "id,latitude,longitude,Street\n").unwrap();
    let arguments =
        ["anonymize", "--regions", "square.ebpgeo", "--input", "in.csv", "--output", "out.csv"];
    let output = ebp(folder.path(), &arguments);
    assert!(text(&output.stderr).contains("street"), "{}", text(&output.stderr));
    let piped = Command::cargo_bin("ebp")
        .unwrap()
        .current_dir(folder.path())
        .args(["anonymize", "--regions", "square.ebpgeo", "--input", "-", "--output", "piped.csv"])
        .write_stdin("id,latitude,longitude,lat\n")
        .output()
        .unwrap();
    assert!(text(&piped.stderr).contains("also lat"), "{}", text(&piped.stderr));
}

#[test]
fn a_run_that_fails_leaves_nothing_and_outputs_are_different_files() {
    let folder = square(1365.0);
    let run = |more: &[&str]| {
        let arguments = ["anonymize", "--regions", "square.ebpgeo", "--input", "in.csv"];
        ebp(folder.path(), &[&arguments[..], more].concat())
    };
    let left = || fs::read_dir(folder.path()).unwrap().count();
    for (table, told) in [
        ("id,lat,longitude\n", "latitude"),
        ("id,latitude,longitude,note\n1,50.5,8.5,\"a\n", "quotation mark"),
        ("id,latitude,longitude,breite\n1,50.5123,8.5,50.5123\n", "breite"),
    ] {
        fs::write(folder.path().join("in.csv"), table).unwrap();
        let failed = run(&["--output", "out.csv", "--map", "x.svg"]);
        let stderr = text(&failed.stderr);
        assert_eq!(failed.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(told) && !stderr.contains("50.5"), "{stderr}");
        assert_eq!(left(), 2, "{told}");
    }
    fs::write(folder.path().join("in.csv"), TABLE).unwrap();
    for pair in [
        ["--output", "y.svg", "--map", "./y.svg"],
        ["--output", "y.csv", "--key-file", "y.csv.rejected.csv"],
        ["--output", "y.svg.partial", "--map", "y.svg"],
    ] {
        let refused =
            run(&[&pair[..], &["--map", "z.svg"][..usize::from(pair[2] != "--map") * 2]].concat());
        let stderr = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("would be written twice"), "{stderr}");
        assert_eq!(left(), 2, "{pair:?}");
    }
}

#[test]
fn a_summary_of_few_rows_tells_no_true_region() {
    let folder = square(1365.0);
    fs::write(folder.path().join("in.csv"), TABLE).unwrap();
    for (output, audit) in [("plain.csv", None), ("audit.csv", Some("--audit"))] {
        let mut arguments = vec!["anonymize", "--regions", "square.ebpgeo", "--input", "in.csv"];
        arguments.extend(["--output", output, "--stats"]);
        arguments.extend(audit);
        let told = text(&ebp(folder.path(), &arguments).stdout);
        assert_eq!(told.contains("another region"), audit.is_some(), "{told}");
        assert_eq!(told.contains("from 20 rows on"), audit.is_none(), "{told}");
    }
}

/// Nothing has to be imported first.
#[test]
fn the_regions_that_are_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let wiesbaden = ["anonymize", "--lat", "50.0782", "--lon", "8.2398", "--audit"];
    let masked = ebp(folder.path(), &[&wiesbaden[..], &["--format", "json"]].concat());
    let (stdout, told) = (text(&masked.stdout), text(&masked.stderr));
    assert!(masked.status.success(), "{told}");
    let masked: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&masked["true_nuts3"], &masked["density"]), (&"DE714".into(), &1365.0.into()));
    assert!(told.contains("regions: built in, NUTS5000_N3.shp"), "{told}");
    assert!(told.contains("a release of its own") && told.contains("--key-file"), "{told}");

    // Others that are named win, and a run with a key says nothing of a release of its own.
    fs::copy(square(36.0).path().join("square.ebpgeo"), folder.path().join("own.ebpgeo")).unwrap();
    let own = ["--regions", "own.ebpgeo", "--lat", "50.5", "--key-file", "key"];
    let named = ebp(folder.path(), &[&wiesbaden[..1], &own[..], &wiesbaden[3..]].concat());
    assert!(text(&named.stdout).contains("XX001"), "{named:?}");
    assert_eq!(text(&named.stderr), "");

    fs::write(folder.path().join("in.csv"), "id,latitude,longitude\n1,48.1374,11.5755\n").unwrap();
    let table = ["anonymize", "--input", "in.csv", "--output", "out.csv"];
    let told = text(&ebp(folder.path(), &table).stderr);
    for word in ["1 row masked", "© GeoBasis-DE / BKG (2024)", "dl-de/by-2-0", "Destatis"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let shown = text(&ebp(folder.path(), &["geodata", "show"]).stdout);
    assert!(shown.contains("401") && shown.contains("status 2022-12-31"), "{shown}");
}

#[needs(geodata)]
#[test]
fn official_files_become_one_and_another_vintage_does_not() {
    let real = official();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| real.join(name).to_str().unwrap().to_owned();
    let import = |densities: &str, output: &str| {
        let nuts = path("bkg_nuts5000_n3/NUTS5000_N3.shp");
        let arguments = ["geodata", "import", "--nuts", &nuts, "--density", &path(densities)];
        ebp(folder.path(), &[&arguments[..], &["--output", output]].concat())
    };
    let made = import("destatis/04-kreise_2018-12-31.xlsx", "regions.ebpgeo");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let shown = text(&ebp(folder.path(), &["geodata", "show", "regions.ebpgeo"]).stdout);
    for told in ["401", "ETRS_1989_UTM_Zone_32N", "31.12.2018", "© GeoBasis-DE / BKG", "Destatis"]
    {
        assert!(shown.contains(told), "{shown}");
    }
    let masked =
        ["anonymize", "--regions", "regions.ebpgeo", "--lat", "50.0782", "--lon", "8.2398"];
    let audited = ebp(folder.path(), &[&masked[..], &["--audit"]].concat());
    assert!(text(&audited.stdout).contains("DE714 Wiesbaden"), "{}", text(&audited.stdout));
    let masked = ebp(folder.path(), &masked);
    assert!(text(&masked.stdout).contains("lies in"), "{}", text(&masked.stdout));
    assert!(!text(&masked.stdout).contains("persons per"), "{}", text(&masked.stdout));
    for (densities, code) in [
        ("destatis/04-kreise_2023-12-31.xlsx", "DEG0N"),
        ("de_nuts3_density_2023_nuts2024.csv", "DEG0Q"),
    ] {
        let refused = import(densities, "other.ebpgeo");
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains(code), "{}", text(&refused.stderr));
        assert!(!folder.path().join("other.ebpgeo").exists());
    }
}
