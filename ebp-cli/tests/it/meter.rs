//! `ebp meter` from outside: models, the meter at hand, and a bundle that tells not whose it is.

use std::{collections::BTreeMap, fs, path::Path};

use crate::owner_support::{Meter, Person, folder, quick_profile, run};
use ebp_core::model::MeterType;
use ebp_meter::{
    profile::Profiles,
    virtual_meter::{Energies, HouseholdOptions, MeterOptions, VirtualMeter},
};
use ebp_needs::needs;

const NUMBER: u32 = 47_118_159;

/// A recording of a meter with that number, after some noise with it.
fn recording(model: &str, locked: bool) -> (Vec<u8>, Vec<u8>) {
    let options = MeterOptions {
        kind: MeterType::Electricity,
        number: NUMBER,
        household: HouseholdOptions { seed: 3, pv_peak_watts: 5_000, battery_watt_hours: 0 },
        locked,
        start: "2026-06-21T10:00:00Z".parse().unwrap(),
        energies: Energies::from_watt_hours(4_711_234, 2_345).unwrap(),
    };
    let profiles = Profiles::embedded();
    let mut meter = VirtualMeter::new(profiles.get(model).unwrap(), options).unwrap();
    let id = meter.server_id().0;
    let mut bytes = [&id[..], NUMBER.to_string().as_bytes(), b"\r\n"].concat();
    for _ in 0..3 {
        bytes.extend(meter.telegram().unwrap());
    }
    (bytes, id.to_vec())
}

#[test]
fn the_table_in_the_book_is_the_programs() {
    let folder = folder();
    let list = run(folder.path(), &["meter", "list"]);
    assert_eq!(list.code, 0, "{}", list.stderr);
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/meters.md");
    let text = fs::read_to_string(book).unwrap();
    let listed = text.split("$ ebp meter list\n").nth(1);
    let table = listed.and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(table, list.stdout, "put what `ebp meter list` prints into docs/src/meters.md");
}

#[test]
fn lists_for_scripts_and_further_models_of_a_folder() {
    let folder = folder();
    let folder = folder.path();
    let json = run(folder, &["meter", "list", "--format", "json", "--profiles", "profiles"]);
    let rows: Vec<serde_json::Value> =
        json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), Profiles::embedded().iter().count() + 1);
    let quick = rows.iter().find(|row| row["model"] == "QUICK").unwrap();
    assert_eq!((&quick["flag"], &quick["lock"]), (&"ISK".into(), &"permanent".into()));
    let lock_of = |model: &str| {
        rows.iter().find(|row| row["model"] == model).unwrap()["lock"].as_str().unwrap().to_owned()
    };
    for (model, lock) in [
        ("EASY", "keep-alive"),
        ("MT175", "keep-alive"),
        ("MB310", "permanent"),
        ("ED300L", "keep-alive"),
        ("E320", "unknown"),
        ("MT174", "none"),
        ("12EC3", "none"),
    ] {
        assert_eq!(lock_of(model), lock, "{model}");
    }
    for row in &rows {
        let model = &row["model"];
        assert!(!row["codes"].as_array().unwrap().is_empty(), "{model}");
        assert!(!row["sources"].as_array().unwrap().is_empty(), "{model}");
        match (row["lock"].as_str().unwrap(), row.get("pin_timing")) {
            ("none", None) => {}
            ("unknown", Some(timing)) => assert_eq!(timing, "unknown", "{model}"),
            (_, Some(timing)) => assert!(timing["wake_presses"].is_u64(), "{model}"),
            other => panic!("{model}: {other:?}"),
        }
    }
    let csv = run(folder, &["meter", "list", "--format", "csv"]);
    assert_eq!(csv.stdout.lines().count(), rows.len());
    assert!(csv.stdout.starts_with("model,aliases,maker,flag,protocol,line,lock,about\n"));

    let wrong = quick_profile().replace("stop_at = 3", "stop_at = 9");
    let line = wrong.lines().position(|line| line.starts_with("stop_at")).unwrap() + 1;
    fs::write(folder.join("profiles/wrong.toml"), wrong.replace("QUICK", "WRONG")).unwrap();
    for command in [&["meter", "list"][..], &["meter", "show", "MT175"]] {
        let said = run(folder, &[command, &["--profiles", "profiles"]].concat());
        assert_eq!((said.code, said.stdout.as_str()), (2, ""));
        assert!(said.stderr.contains(&format!("profiles/wrong.toml:{line}: ")), "{}", said.stderr);
    }
}

/// Runs the program, which must end by itself.
fn run_soon(folder: &Path, arguments: &[&str]) -> crate::owner_support::Said {
    let mut program = crate::owner_support::ebp(folder, arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let ended = (0..2_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        program.try_wait().unwrap().is_some()
    });
    if !ended {
        program.kill().unwrap();
        program.wait().unwrap();
        panic!("it waits for ever: {arguments:?}");
    }
    run(folder, arguments)
}

/// What is no regular file is told, not waited for, whatever its name.
#[test]
fn a_folder_of_models_holds_regular_files() {
    let folder = folder();
    let folder = folder.path();
    let odd = folder.join("profiles/odd.toml");
    let make = |made: std::io::Result<std::process::ExitStatus>| assert!(made.unwrap().success());
    let mkfifo = || make(std::process::Command::new("mkfifo").arg(&odd).status());
    let link = || std::os::unix::fs::symlink("/dev/zero", &odd).unwrap();
    let sub = || fs::create_dir(&odd).unwrap();
    let long = || fs::write(&odd, vec![b'#'; 2 << 20]).unwrap();
    for (make, what) in [
        (&mkfifo as &dyn Fn(), "no regular file"),
        (&link, "no regular file"),
        (&sub, "no regular file"),
        (&long, "longer than 1048576 bytes"),
    ] {
        make();
        for command in [&["meter", "list"][..], &["meter", "show", "MT175"]] {
            let said = run_soon(folder, &[command, &["--profiles", "profiles"]].concat());
            assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{}", said.stderr);
            assert!(said.stderr.contains("profiles/odd.toml: "), "{}", said.stderr);
            assert!(said.stderr.contains(what), "{}", said.stderr);
        }
        if odd.is_dir() { fs::remove_dir(&odd).unwrap() } else { fs::remove_file(&odd).unwrap() }
    }
    // Nor is one played back.
    make(std::process::Command::new("mkfifo").arg(&odd).status());
    let said = run_soon(folder, &["simulate", "--replay", "profiles/odd.toml"]);
    assert!(said.code != 0 && said.stderr.contains("no regular file"), "{}", said.stderr);
}

#[test]
fn a_model_is_shown_with_all_that_its_profile_says() {
    let folder = folder();
    let folder = folder.path();
    for profile in Profiles::embedded().iter() {
        let page = run(folder, &["meter", "show", &profile.name]);
        assert_eq!(page.code, 0, "{}", page.stderr);
        for source in [&profile.line.source, &profile.telegram.source, &profile.unlocked.source] {
            assert!(page.stdout.contains(source.as_str()), "{}: {source}", profile.name);
        }
        for register in &profile.unlocked.registers {
            assert!(page.stdout.contains(&register.obis.to_string()), "{}", profile.name);
        }
        for quirk in &profile.quirks {
            assert!(page.stdout.contains(&quirk.source), "{}", profile.name);
        }
        let json = run(folder, &["meter", "show", &profile.name, "--format", "json"]).json();
        assert_eq!(json["name"], profile.name.as_str());
        assert_eq!(json.get("pin").is_some(), profile.pin.is_some());
        assert!(!json["how_to_unlock"].as_array().unwrap().is_empty());
    }
    // What nobody says is not told as if somebody did.
    let page = run(folder, &["meter", "show", "mt175"]).stdout;
    for text in [
        "wrong PINs                  3 block it, ebp stops after 2 [assumed: no source gives a number]",
        "presses to InF              8, not used [assumed",
        "a press every 100 s",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    let page = run(folder, &["meter", "show", "mt174"]);
    insta::assert_snapshot!(page.stdout, @r"
    model        MT174
    also called  ISKRA MT174
                 Iskraemeco MT174
    maker        Iskraemeco (ISK)
    about        Older three-phase meter that answers requests in ASCII
    line         d0-request at 300 7E1, answering at 9600 [wiki.volkszaehler.org/hardware/channels/meters/power/edl-ehz/iskraemeco_mt174 (MT174-D2A52-G22-M3K0)]
    telegram     begins with /ISk5MT174-0001, identity din43863-5-early, with a block check character [wiki.volkszaehler.org/hardware/channels/meters/power/edl-ehz/iskraemeco_mt174 (MT174-D2A52-G22-M3K0)]

    how to unlock
      This model has no lock: it always sends every value.

    sent
      1-0:0.0.0*255   the meter's number
      1-0:1.7.0*255   positive active instantaneous power, in 10^0 W
      1-0:1.8.0*255   positive active energy, total, in 10^0 Wh
      1-0:2.7.0*255   negative active instantaneous power, in 10^0 W
      1-0:2.8.0*255   negative active energy, total, in 10^0 Wh
      1-0:31.7.0*255  current, L1, in 10^-2 A
      1-0:51.7.0*255  current, L2, in 10^-2 A
      1-0:71.7.0*255  current, L3, in 10^-2 A
      1-0:32.7.0*255  voltage, L1, in 10^-1 V
      1-0:52.7.0*255  voltage, L2, in 10^-1 V
      1-0:72.7.0*255  voltage, L3, in 10^-1 V
      source          wiki.volkszaehler.org/hardware/channels/meters/power/edl-ehz/iskraemeco_mt174 (MT174-D2A52-G22-M3K0)
    ");
    let unknown = run(folder, &["meter", "show", "toaster"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("`ebp meter list`"), "{}", unknown.stderr);
}

#[test]
fn the_meter_at_hand_is_identified_with_what_to_do() {
    let folder = folder();
    let folder = folder.path();
    for (model, locked) in [("EHZ", true), ("DD3-OD", true), ("MT681", false), ("Q3D", false)] {
        fs::write(folder.join("telegrams"), recording(model, locked).0).unwrap();
        let identify = ["meter", "identify", "--port", "telegrams"];
        let json = run(folder, &[&identify[..], &["--format", "json"]].concat()).json();
        assert_eq!(json["lock"], if locked { "locked" } else { "open" }, "{json}");
        let models = json["models"].as_array().unwrap();
        assert!(models.iter().any(|found| found["model"] == model), "{json}");
        let next = json["next"].as_str().unwrap();
        assert!(next.contains(if locked { "ebp unlock" } else { "ebp read" }), "{next}");
        let table = run(folder, &identify);
        assert!(!table.stdout.contains(&NUMBER.to_string()), "{}", table.stdout);
        if model == "EHZ" {
            insta::assert_snapshot!(table.stdout, @r"
            maker   EMH metering (EMH)
            model   EHZ (100 % of the registers fit)
                    ED300L (66 % of the registers fit)
                    mMe4.0 (9 % of the registers fit)
            speaks  sml
            lock    locked: it sends whole kWh and no power
            next    get the PIN from your metering point operator, then `ebp unlock --port telegrams --model EHZ`; compare the model with the meter's face first
            ");
        }
    }
    let _meter = Meter::start(folder, &[]);
    let live = run(folder, &["meter", "identify", "--port", "meter", "--format", "json"]).json();
    assert_eq!((&live["line"], &live["protocol"]), (&"9600 8N1".into(), &"sml".into()));

    let quiet = Person::new();
    let port = rustix::termios::ttyname(&quiet.terminal, Vec::new()).unwrap();
    let silent =
        run(folder, &["meter", "identify", "--port", port.to_str().unwrap(), "--timeout", "1s"]);
    assert_eq!(silent.code, 3, "{}", silent.stderr);
    assert!(silent.stderr.contains("was silent"), "{}", silent.stderr);
}

/// Every form in which the identity could stand somewhere.
fn traces(id: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = id.iter().map(|b| format!("{b:02x}")).collect();
    let mut traces: Vec<Vec<u8>> = id.windows(4).map(<[u8]>::to_vec).collect();
    // The maker's letters alone are no number; they stand elsewhere, too.
    traces.retain(|window| !window.starts_with(b"ISK") && !window.iter().all(|&b| b == 0));
    traces.extend([hex.to_uppercase(), hex, NUMBER.to_string()].map(String::into_bytes));
    traces.extend([id, &NUMBER.to_be_bytes(), &NUMBER.to_le_bytes()].map(<[u8]>::to_vec));
    traces
}

fn survey(folder: &Path, file: &str) -> Vec<serde_json::Value> {
    let said = run(folder, &["read", file, "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    said.stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["values"].take())
        .collect()
}

#[test]
fn a_bundle_has_the_values_and_not_the_meter() {
    for (model, locked) in [("MT175", false), ("DTZ541", false), ("DVS74", true), ("DD3-OD", false)]
    {
        let folder = folder();
        let folder = folder.path();
        let (bytes, id) = recording(model, locked);
        fs::write(folder.join("telegrams"), bytes).unwrap();
        let bundle = ["meter", "bundle", "--port", "telegrams", "--output"];
        let said = run(folder, &[&bundle[..], &["bundle"]].concat());
        assert_eq!(said.code, 0, "{}", said.stderr);
        let tar = run(folder, &[&bundle[..], &["bundle.tar"]].concat());
        assert_eq!(tar.code, 0, "{}", tar.stderr);

        let files: BTreeMap<String, Vec<u8>> = fs::read_dir(folder.join("bundle"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap()))
            .chain([("bundle.tar".to_owned(), fs::read(folder.join("bundle.tar")).unwrap())])
            .collect();
        assert_eq!(files.len(), 5);
        for (name, bytes) in &files {
            for trace in traces(&id) {
                let found = bytes.windows(trace.len()).any(|window| window == trace);
                assert!(!found, "{model}: {name} holds {trace:02x?}");
            }
        }
        assert_eq!(survey(folder, "telegrams"), survey(folder, "bundle/telegrams.raw"), "{model}");
        let about: serde_json::Value = serde_json::from_slice(&files["about.json"]).unwrap();
        assert_eq!((&about["telegrams"], &about["port"]), (&3.into(), &"file".into()));
        assert_eq!(about["meter"]["lock"], if locked { "locked" } else { "open" });

        let again = run(folder, &[&bundle[..], &["bundle.tar"]].concat());
        assert_eq!(again.code, 1, "a bundle is never overwritten");
    }
}

/// Models of a folder are called as somebody likes.
#[test]
fn a_bundle_names_no_model_but_the_programs_own() {
    let folder = folder();
    let folder = folder.path();
    let profile = quick_profile().replace("QUICK", "Erna-5OG");
    fs::write(folder.join("profiles/quick.toml"), profile).unwrap();
    fs::write(folder.join("telegrams"), recording("MT175", false).0).unwrap();
    let bundle = ["meter", "bundle", "--port", "telegrams", "--profiles", "profiles"];
    let said = run(folder, &[&bundle[..], &["--output", "bundle"]].concat());
    assert_eq!(said.code, 0, "{}", said.stderr);
    let about = fs::read_to_string(folder.join("bundle/about.json")).unwrap();
    assert!(about.contains("MT175") && !about.contains("Erna"), "{about}");
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    let os = about["os"].as_str().unwrap();
    assert!(!os.contains('"') && os.len() < 40, "{os}");
}

#[needs(tar)]
#[test]
fn tar_can_unpack_a_bundle() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("telegrams"), recording("MT175", false).0).unwrap();
    let said = run(folder, &["meter", "bundle", "--port", "telegrams", "--output", "bundle.tar"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let mut tar = std::process::Command::new("tar");
    let listed = tar.args(["-tf", "bundle.tar"]).current_dir(folder).output().unwrap();
    assert!(listed.status.success());
    let names = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(names, "README.txt\nabout.json\ntelegrams.raw\ndecoded.jsonl\n");
}
