//! `ebp unlock` from outside: against `ebp simulate`, in real time, over a real pty.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
};

use crate::owner_support::{
    Meter, PIN, Person, Said, ebp, folder, interrupt, pin_file, quick_profile, run, unlock,
};

#[test]
fn the_right_pin_opens_a_meter_for_good() {
    let folder = folder();
    let folder = folder.path();
    let meter = Meter::locked(folder);
    let identify = ["meter", "identify", "--port", "meter", "--profiles", "profiles"];
    let locked = run(folder, &identify);
    assert!(locked.stdout.contains("locked: it sends whole kWh"), "{}", locked.stdout);
    assert!(locked.stdout.contains("ebp unlock --port meter --model"), "{}", locked.stdout);

    let pin = pin_file(folder, PIN);
    let said = Said::from(unlock(folder, &pin, &["--format", "json"]).output().unwrap());
    assert_eq!(said.code, 0, "{}", said.stderr);
    let json = said.json();
    assert_eq!((&json["unlocked"], &json["already"]), (&true.into(), &false.into()));
    assert_eq!(json["lock"], "open");
    assert_eq!((&json["lasting"], &json["keep"]), (&"permanent".into(), &"permanent".into()));
    let values = json["values"].as_array().unwrap();
    assert!(values.iter().any(|value| value.get("0100100700ff").is_some()), "{json}");
    for line in ["waking the display", "digit 2 of 4", "looking for details", "InF"] {
        assert!(said.stderr.contains(line), "{line}: {}", said.stderr);
    }

    let again = Said::from(unlock(folder, &pin, &[]).output().unwrap());
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.contains("showed its details already"), "{}", again.stdout);

    // Switched off and on again with its state, it is still open.
    meter.end();
    let _meter = Meter::locked(folder);
    let identity = run(folder, &[&identify[..], &["--format", "json"]].concat()).json();
    assert_eq!(identity["lock"], "open");
    assert_eq!(identity["maker"], "Iskraemeco");
}

#[test]
fn a_wrong_pin_is_counted_and_the_limit_holds_over_runs() {
    let folder = folder();
    let folder = folder.path();
    let _meter = Meter::locked(folder);
    let pin = pin_file(folder, "00001".get(1..).unwrap());

    let first = Said::from(unlock(folder, &pin, &[]).output().unwrap());
    assert_eq!(first.code, 1, "{}", first.stderr);
    assert!(first.stderr.contains("entered 2 times"), "{}", first.stderr);
    assert!(first.stderr.contains("1 more try before ebp stops"), "{}", first.stderr);
    assert!(first.stderr.contains("once more, slower"), "{}", first.stderr);

    // As if its owner had waited.
    let tries = folder.join("tries/unlock-tries.json");
    let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&tries).unwrap()).unwrap();
    for meter in state["meters"].as_object_mut().unwrap().values_mut() {
        assert_eq!(meter["wrong"], 2);
        meter["light_until"] = "2026-01-01T00:00:00Z".into();
    }
    fs::write(&tries, state.to_string()).unwrap();

    let second = Said::from(unlock(folder, &pin, &["--format", "json"]).output().unwrap());
    assert_eq!((second.code, &second.json()["unlocked"]), (1, &false.into()), "{}", second.stderr);
    assert_eq!(second.json()["lock"], "locked");
    assert!(second.json()["remedy"].as_str().unwrap().contains("nothing more is tried"));

    for pin in [&pin, &pin_file(folder, PIN)] {
        let third = Said::from(unlock(folder, pin, &[]).output().unwrap());
        assert_eq!(third.code, 1, "{}", third.stderr);
        assert!(third.stderr.contains("3 wrong tries on this meter"), "{}", third.stderr);
        assert!(third.stderr.contains("--reset-tries"), "{}", third.stderr);
        assert!(!third.stderr.contains("digit 1 of 4"), "{}", third.stderr);
    }
    let reset = run(folder, &["unlock", "--reset-tries", "--state", "tries"]);
    assert_eq!((reset.code, reset.stderr.contains("forgotten")), (0, true), "{}", reset.stderr);
    assert!(!fs::read_to_string(&tries).unwrap().contains("wrong"));
}

#[test]
fn a_meter_whose_operator_switched_power_off_is_told_from_a_wrong_pin() {
    let folder = folder();
    let folder = folder.path();
    let _meter = Meter::start(folder, &["--locked", "--pin", PIN, "--operator-off"]);
    let pin = pin_file(folder, PIN);
    let said = Said::from(unlock(folder, &pin, &["--format", "json"]).output().unwrap());
    assert_eq!(said.code, 1, "{}", said.stderr);
    let json = said.json();
    assert_eq!((&json["unlocked"], &json["lock"]), (&false.into(), &"operator-off".into()));
    assert!(json["error"].as_str().unwrap().contains("the PIN is right"), "{json}");
    assert!(json["remedy"].as_str().unwrap().contains("ask your metering point operator"));
    assert!(!said.stderr.contains("once more, slower"), "{}", said.stderr);
    let tries = fs::read_to_string(folder.join("tries/unlock-tries.json")).unwrap();
    assert!(tries.contains("\"wrong\": 0"), "a right PIN is no wrong try: {tries}");
}

#[test]
fn ctrl_c_in_the_midst_switches_the_light_off_and_says_what_the_meter_needs() {
    let folder = folder();
    let folder = folder.path();
    let _meter = Meter::locked(folder);
    let mut child = unlock(folder, &pin_file(folder, PIN), &[])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("digit 2 of 4")));
    interrupt(&child);
    let rest: Vec<_> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let last = rest.last().unwrap();
    assert!(
        last.contains("the light is off") && last.contains("leave the meter alone for 15 s"),
        "{last}"
    );
    let tries = fs::read_to_string(folder.join("tries/unlock-tries.json")).unwrap();
    assert!(tries.contains("\"wrong\": 1"), "a PIN that is half entered is a wrong one: {tries}");
}

#[test]
fn a_pin_is_asked_for_without_being_shown() {
    let folder = folder();
    let folder = folder.path();
    // Without a lock of its own it shows its details at once.
    let _meter = Meter::start(folder, &[]);
    let mut person = Person::new();
    let arguments = [
        "unlock",
        "--port",
        "meter",
        "--model",
        "quick",
        "--profiles",
        "profiles",
        "--state",
        "tries",
    ];
    let child = person.starts(&mut ebp(folder, &arguments));
    person.reads("PIN of the meter");
    assert!(!person.is_shown());
    person.types("0942\n");
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.code, 0, "{}", person.saw());
    assert!(said.stdout.contains("showed its details already"), "{}", said.stdout);
    assert!(person.is_shown());
    assert!(!person.saw().contains(PIN), "{}", person.saw());

    let child = person.starts(&mut ebp(folder, &arguments));
    crate::owner_support::wait_for("the question", || !person.is_shown());
    person.types("09");
    interrupt(&child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
    assert!(person.is_shown(), "the terminal is as it was");
    person.reads("stopped before any light");
}

#[test]
fn calibrating_needs_somebody_who_may_give_up() {
    let folder = folder();
    let folder = folder.path();
    let _meter = Meter::start(folder, &["--locked"]);
    let arguments = [
        "unlock",
        "--calibrate",
        "--port",
        "meter",
        "--model",
        "NEW",
        "--output",
        "new.toml",
        "--state",
        "tries",
    ];
    let nobody = run(folder, &arguments);
    assert_eq!(nobody.code, 2, "{}", nobody.stderr);
    assert!(nobody.stderr.contains("calibrating needs a terminal"), "{}", nobody.stderr);

    let mut person = Person::new();
    let child = person.starts(&mut ebp(folder, &arguments));
    person.reads("Does the meter show its normal display");
    person.types("y\n");
    person.reads("one wrong try");
    person.types("q\n");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
    person.reads("calibration was given up");
    assert!(!folder.join("new.toml").exists());
    assert!(!folder.join("tries/unlock-tries.json").exists(), "nothing was spent");
}

/// The quick meter, of whose list no source says where InF stands.
fn of_unknown_list(folder: &Path) {
    let text = quick_profile().replacen("pin_presses = 9\nsource = \"test\"", ASSUMED, 1);
    assert!(text.contains(ASSUMED));
    fs::write(folder.join("profiles/quick.toml"), text).unwrap();
}

const ASSUMED: &str = "pin_presses = 9\nsource = \"assumed\"";
/// InF is one item earlier than assumed, and PIN stands where InF is assumed to be.
const SHIFTED: &str = "P,E,1d,7d,30d,365d,HIS,InF,PIN";

fn with_list(items: &str) -> [&str; 7] {
    ["--locked", "--pin", PIN, "--state", "meter.json", "--menu", items]
}

fn lock(folder: &Path) -> serde_json::Value {
    let state = fs::read(folder.join("meter.json")).unwrap();
    serde_json::from_slice::<serde_json::Value>(&state).unwrap()["lock"].take()
}

#[test]
fn where_no_source_names_inf_no_long_press_is_sent() {
    let folder = folder();
    let folder = folder.path();
    of_unknown_list(folder);
    let meter = Meter::start(folder, &with_list(SHIFTED));
    let pin = pin_file(folder, PIN);
    let said = Said::from(unlock(folder, &pin, &["--format", "json"]).output().unwrap());
    assert_eq!(said.code, 0, "{}", said.stderr);
    let json = said.json();
    assert_eq!((&json["lasting"], &json["keep"]), (&"while-open".into(), &"press".into()));
    assert!(json["seen_s"].as_u64().unwrap() < 10 && json.get("inf").is_none(), "{json}");
    assert!(!said.stderr.contains("InF"), "{}", said.stderr);
    meter.end();
    let lock = lock(folder);
    assert_eq!((&lock["asks_pin"], &lock["inf"]), (&true.into(), &false.into()));
    assert!(lock.get("harm").is_none(), "{lock}");
}

#[test]
fn a_long_press_without_effect_is_told_with_where_to_look() {
    let folder = folder();
    let folder = folder.path();
    of_unknown_list(folder);
    let meter = Meter::start(folder, &with_list(SHIFTED));
    let pin = pin_file(folder, PIN);
    // Its owner has counted wrong.
    let said = Said::from(unlock(folder, &pin, &["--inf-presses", "8"]).output().unwrap());
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(said.stdout.contains("it showed its details, and does no longer"), "{}", said.stdout);
    for part in ["another item of the menu may have been changed", "look at the display", "--step"]
    {
        assert!(said.stderr.contains(part), "{part}: {}", said.stderr);
    }
    // And the next run finds out what has happened.
    let again = Said::from(unlock(folder, &pin, &[]).output().unwrap());
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stderr.contains("its PIN query is off"), "{}", again.stderr);
    meter.end();
    let lock = lock(folder);
    assert_eq!((&lock["asks_pin"], &lock["harm"]["pin_query_off"]), (&false.into(), &1.into()));
}

#[test]
fn step_by_step_the_long_press_waits_for_a_yes() {
    for (answer, is_on) in [("y", false), ("yes", true)] {
        let folder = folder();
        let folder = folder.path();
        of_unknown_list(folder);
        let meter = Meter::start(folder, &with_list("P,E CLR,InF,PIN"));
        let pin = pin_file(folder, PIN);
        let nobody = Said::from(unlock(folder, &pin, &["--step"]).output().unwrap());
        assert_eq!(nobody.code, 2, "{}", nobody.stderr);
        assert!(nobody.stderr.contains("--step needs a terminal"), "{}", nobody.stderr);

        let mut person = Person::new();
        let child = person.starts(&mut unlock(folder, &pin, &["--step"]));
        person.reads("digit 2 of 4");
        for (place, shown) in [
            ("after the PIN: what does", "P"),
            ("1 press after the PIN", "E CLR"),
            ("2 presses after the PIN", "InF OFF"),
            ("Send it?", answer),
        ] {
            person.reads(place);
            person.types(&format!("{shown}\n"));
        }
        let said = Said::from(child.wait_with_output().unwrap());
        assert_eq!(said.code, 0, "{}", person.saw());
        assert_eq!(said.stdout.contains("InF is on"), is_on, "{}", said.stdout);
        let told = if is_on { "--inf-presses 2" } else { "nothing was switched" };
        assert!(person.saw().contains(told), "{}", person.saw());
        assert!(person.saw().contains("the display showed P, E CLR, InF OFF"), "{}", person.saw());
        meter.end();
        let lock = lock(folder);
        assert_eq!((&lock["asks_pin"], &lock["inf"]), (&true.into(), &is_on.into()));
        assert!(lock.get("harm").is_none(), "{lock}");
    }
}

#[test]
fn a_dry_run_needs_no_meter_and_masks_the_pin() {
    let folder = folder();
    let folder = folder.path();
    let masked = run(folder, &["unlock", "--model", "MT175", "--dry-run"]);
    insta::assert_snapshot!(masked.stdout, @r"
    enter the PIN: at most 42.8 s
      waking the display: 2 presses of 0.4 s
      digit 1 of 4: 0 to 9 presses of 0.4 s
      digit 2 of 4: 0 to 9 presses of 0.4 s
      digit 3 of 4: 0 to 9 presses of 0.4 s
      digit 4 of 4: 0 to 9 presses of 0.4 s
    if no details appear, slower: enter the PIN: at most 60.1 s
      waking the display: 2 presses of 0.6 s
      digit 1 of 4: 0 to 9 presses of 0.6 s
      digit 2 of 4: 0 to 9 presses of 0.6 s
      digit 3 of 4: 0 to 9 presses of 0.6 s
      digit 4 of 4: 0 to 9 presses of 0.6 s
    InF: no source names its position in the menu of MT175, so no long press is sent; `ebp unlock --step` switches it on together with you; a press every 100 s keeps the details (`ebp read --every`)
    ");
    // A long press only where its place is known.
    for (arguments, presses) in [
        (&["MT175"][..], serde_json::Value::Null),
        (&["MB310"], 13.into()),
        (&["SGM-C4"], 7.into()),
        (&["MT175", "--inf-presses", "5"], 5.into()),
    ] {
        let dry = ["unlock", "--dry-run", "--format", "json", "--model"];
        let json = run(folder, &[&dry[..], arguments].concat()).json();
        assert_eq!(json["inf_presses"], presses, "{arguments:?}");
        let holds = json.to_string().contains("switching InF");
        assert_eq!(holds, !presses.is_null(), "{arguments:?}");
    }
    let pin = pin_file(folder, PIN);
    let pin = pin.to_str().unwrap();
    let of_pin = run(folder, &["unlock", "--model", "MT175", "--dry-run", "--pin-file", pin]);
    assert_eq!(of_pin.stdout, masked.stdout, "a masked plan is the same for every PIN");
    let reveal = ["unlock", "--model", "MT175", "--dry-run", "--pin-file", pin, "--reveal"];
    let revealed = run(folder, &[&reveal[..], &["--format", "json"]].concat()).json();
    let steps = revealed["plans"][0]["steps"].as_array().unwrap();
    let presses = |digit: &str| {
        let digit = format!("digit {digit} of 4");
        steps.iter().filter(|step| step["phase"] == digit.as_str() && step["light"] == true).count()
    };
    assert_eq!(["1", "2", "3", "4"].map(presses), [0, 9, 4, 2]);
}

#[test]
fn what_is_refused_before_any_light() {
    let folder = folder();
    let folder = folder.path();
    let pin = pin_file(folder, PIN);
    let pin = pin.to_str().unwrap();
    let open = folder.join("open");
    fs::write(&open, PIN).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let dry = ["unlock", "--dry-run", "--model"];
    for (arguments, code, expected) in [
        (&["MT175", "--pin-file", "open"][..], 1, "chmod 600 open"),
        (&["MT175", "--pin-file", "none"], 1, "cannot read the PIN from none"),
        (&["MT175", "--reveal"], 2, "no PIN, and no terminal to ask for it"),
        (&["MT17"], 2, "do you mean MT174 or MT175?"),
        (&["MT174"], 2, "MT174 has no PIN"),
        (&["E320"], 2, "how the PIN of E320 is entered by light is not known"),
        (&["MT175", "--step"], 2, "cannot be used with"),
        (&["MT175", "--pin", PIN.trim_matches('0')], 2, "unexpected argument '--pin'"),
        (&["MT175", "--calibrate", "--output", "x"], 2, "cannot be used with"),
    ] {
        let said = run(folder, &[&dry[..], arguments].concat());
        assert_eq!(said.code, code, "{arguments:?}: {}", said.stderr);
        assert!(said.stderr.contains(expected), "{arguments:?}: {}", said.stderr);
    }
    for (value, expected) in [
        ("", "the PIN is empty"),
        ("12x4", "digits only"),
        ("123", "has 4 digits, the given one has 3"),
    ] {
        let said = ebp(folder, &[&dry[..], &["MT175"]].concat()).env("EBP_PIN", value).output();
        let said = Said::from(said.unwrap());
        assert_eq!(said.code, 2, "{value}");
        assert!(said.stderr.contains(expected), "{value}: {}", said.stderr);
    }
    let quiet = Person::new();
    let port = rustix::termios::ttyname(&quiet.terminal, Vec::new()).unwrap();
    let port = port.to_str().unwrap();
    let silent = run(
        folder,
        &[
            "unlock",
            "--port",
            port,
            "--model",
            "MT175",
            "--pin-file",
            pin,
            "--state",
            "t",
            "--timeout",
            "1s",
        ],
    );
    assert_eq!(silent.code, 3, "{}", silent.stderr);
    assert!(silent.stderr.contains("nothing was tried"), "{}", silent.stderr);
    let file = run(folder, &["unlock", "--port", "open", "--model", "MT175", "--pin-file", pin]);
    assert_eq!(file.code, 2, "{}", file.stderr);
}
