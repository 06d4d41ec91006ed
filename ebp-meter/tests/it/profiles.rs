//! Profiles as files: all that are shipped, those of a folder, and what is refused with file and line.

use std::{fs, path::Path};

use ebp_core::{obis::ObisCode, quantity::Unit};
use proptest::prelude::*;

use ebp_meter::{
    port::LineSettings,
    profile::{
        Blocking, LockKind, Profile, ProfileError, Profiles, Quirk, RelockBehaviour, Transport,
        Wake,
    },
};

const MT631: &str = include_str!("../../profiles/mt631.toml");

/// What is said about each change of the shipped profile, one line each.
fn refusals(changes: &[(&str, &str)]) -> String {
    changes
        .iter()
        .map(|(from, to)| format!("{from:?} -> {to:?}\n    {}\n", refusal(&changed(from, to))))
        .collect()
}

/// The shipped profile with one piece replaced; the piece must be there.
fn changed(from: &str, to: &str) -> String {
    assert!(MT631.contains(from), "`{from}` is not in the profile");
    MT631.replacen(from, to, 1)
}

fn refusal(text: &str) -> String {
    Profile::parse("my.toml", text).expect_err("it must be refused").to_string()
}

#[test]
fn every_file_is_embedded_and_named_like_its_model() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, Profiles::embedded_files().collect::<Vec<_>>());
    assert_eq!(Profiles::embedded().iter().count(), files.len());
}

#[test]
fn the_models_of_the_survey_and_more_are_there() {
    let profiles = Profiles::embedded();
    for (name, flag) in
        [("MT681", "ISK"), ("MT175", "ISK"), ("EHZ", "EMH"), ("DD3", "EBZ"), ("EASY", "ESY")]
    {
        let profile = profiles.get(name).unwrap();
        assert_eq!(profile.flag.as_str(), flag);
        assert_eq!(profile.line.settings(), LineSettings::SML);
        assert_eq!(profile.pin.as_ref().unwrap().stop_at, 2);
        // Owners' experience of one of them says otherwise; of the others nobody says where InF is.
        let relock = profile.relock.as_ref().unwrap().behaviour;
        assert_eq!(relock == RelockBehaviour::Permanent, name != "EASY");
        assert_eq!(profile.keeps_unlocked(), Some(RelockBehaviour::KeepAlive));
        assert_eq!(profile.keep_alive_s(), 100);
        for energy in [ObisCode::POSITIVE_ENERGY, ObisCode::NEGATIVE_ENERGY] {
            assert!(profile.registers(false).iter().any(|r| r.obis == energy), "{name} {energy}");
        }
    }
    assert!(profiles.iter().count() >= 13);
    assert!(profiles.get("DVS74").unwrap().has(Quirk::DzgSign));
    assert!(profiles.get("ED300L").unwrap().has(Quirk::Ed300lDirection));
    assert_eq!(profiles.get("MT174").unwrap().line.protocol, Transport::D0Request);
    assert_eq!(profiles.get("Q3D").unwrap().line.settings(), LineSettings::D0_PUSH);
    assert_eq!(
        profiles.get("MB310").unwrap().pin.as_ref().unwrap().menu.as_ref().unwrap().inf_presses,
        13
    );
}

/// Which models a long press is sent to without a word of their owner, and who says that it may.
#[test]
fn the_place_of_inf_is_sourced_where_a_long_press_is_sent() {
    let sourced: Vec<_> = Profiles::embedded()
        .iter()
        .filter_map(|profile| {
            let pin = profile.pin.as_ref()?;
            let presses = pin.sourced_inf_presses()?;
            Some(format!("{} {presses}: {}", profile.name, pin.menu.as_ref()?.source))
        })
        .collect();
    insta::assert_snapshot!(sourced.join("\n"), @r"
    MB310 13: tasmota/docs, KAIFA MB310H4BDE: 13 presses to InF
    SGM-C4 7: github.com/home-assistant/home-assistant.io/pull/21702 (integration edl21, EFR SGM-C4): 7 presses to InF behind the PIN
    ");
}

#[test]
fn what_the_sources_say_of_waking_pausing_and_wrong_pins() {
    let profiles = Profiles::embedded();
    let pin = |model: &str| profiles.get(model).unwrap().pin.as_ref().unwrap();
    for (model, presses, wake) in [
        ("DVS74", 2, Wake::Short),
        ("DWSB20", 2, Wake::Short),
        ("DWS76", 2, Wake::Short),
        ("ED300L", 2, Wake::Short),
        ("Picus", 1, Wake::Short),
        ("Siconia", 1, Wake::Long),
        ("Siconia-100A", 2, Wake::Short),
        ("SGM-C4", 3, Wake::Short),
    ] {
        assert_eq!((pin(model).wake_presses, pin(model).wake), (presses, wake), "{model}");
    }
    assert!(pin("Picus").after_wake.accept_ms[1] >= 4000);
    assert_eq!(pin("EASY").between_wake().send_ms, 1000);
    assert_eq!(pin("EASY").next_digit.send_ms, 4100);
    assert_eq!(pin("MB310").next_digit.accept_ms, [2000, 5900]);
    for model in ["MT681", "MT175", "EHZ", "DD3", "EASY", "MT631", "MT691", "OpenWay", "ED300L"] {
        assert!(pin(model).tries_are_assumed(), "{model}");
        assert_eq!(pin(model).blocks, Blocking::Unknown);
    }
    assert!(pin("ED300L").menu.is_none());
    for model in ["DVS74", "DWSB20", "Picus", "Siconia"] {
        assert_eq!(pin(model).blocks, Blocking::Never);
    }
    assert_eq!(pin("mMe4.0").blocks, Blocking::Yes);
}

/// Models whose lock is known and its PIN entry is not, and old ones without a lock.
#[test]
fn locks_of_which_no_source_says_more() {
    let profiles = Profiles::embedded();
    for model in ["E320", "E220", "LK13BE", "GH305", "Q3C", "SGM-D4", "SGM-2T"] {
        let profile = profiles.get(model).unwrap();
        assert!(profile.has_lock() && profile.pin.is_none() && profile.locked.is_some());
        assert_eq!(profile.lock.as_ref().unwrap().kind, LockKind::PinOfUnknownTiming);
        assert!(profile.how_to_unlock()[0].contains("no source says"), "{model}");
    }
    for model in ["AS1440", "AS2018", "12EC3", "MT174", "DTZ541-ZDBA"] {
        assert!(!profiles.get(model).unwrap().has_lock(), "{model}");
    }
}

#[test]
fn locked_sets_are_coarse_and_silent_about_power() {
    for profile in Profiles::embedded().iter() {
        let Some(locked) = &profile.locked else { continue };
        for register in &locked.registers {
            // Logarex sends four decimals without its PIN, and no power.
            if register.unit == Some(Unit::WATT_HOUR) && profile.name != "LK13BE" {
                assert_eq!(register.scaler, Some(3), "{} {}", profile.name, register.obis);
            }
            assert_ne!(register.unit, Some(Unit::WATT), "{} {}", profile.name, register.obis);
        }
    }
}

#[test]
fn names_are_found_whatever_their_case_and_near_ones_are_told() {
    let profiles = Profiles::embedded();
    assert_eq!(profiles.get("mt175").unwrap().name, "MT175");
    assert_eq!(profiles.get(" iskra MT175 ").unwrap().name, "MT175");
    assert_eq!(profiles.get("q3a").unwrap().name, "EASY");
    let error = profiles.get("MT 176").unwrap_err();
    insta::assert_snapshot!(error, @"no model is called `MT 176`: do you mean MT174 or MT175?");
    insta::assert_snapshot!(profiles.get("toaster").unwrap_err(), @"no model is called `toaster`");
    assert!(profiles.get("").unwrap_err().near.is_empty());
}

#[test]
fn a_folder_adds_and_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let own = changed("push_interval_ms = 1000", "push_interval_ms = 4000");
    fs::write(folder.path().join("mine.toml"), own).unwrap();
    let new = changed("name = \"MT631\"", "name = \"MT999\"").replacen(
        "aliases = [\"ISKRA MT631\", \"Iskraemeco MT631\"]",
        "aliases = []",
        1,
    );
    fs::write(folder.path().join("new.toml"), new).unwrap();
    fs::write(folder.path().join("README"), "not a profile").unwrap();

    let mut profiles = Profiles::embedded();
    let before = profiles.iter().count();
    profiles.load_folder(folder.path()).unwrap();
    assert_eq!(profiles.iter().count(), before + 1);
    assert_eq!(profiles.get("MT631").unwrap().line.push_interval_ms, Some(4000));
    assert_eq!(profiles.get("mt999").unwrap().line.push_interval_ms, Some(1000));

    fs::write(folder.path().join("other.toml"), changed("\"ISKRA MT631\"", "\"mt999\"")).unwrap();
    let mut untouched = Profiles::embedded();
    let error = untouched.load_folder(folder.path()).unwrap_err();
    assert!(matches!(error, ProfileError::Invalid { .. }), "{error}");
    assert_eq!(untouched.iter().count(), before, "nothing of a faulty folder is added");
    assert!(matches!(
        untouched.load_folder(&folder.path().join("none")),
        Err(ProfileError::Unreadable { .. })
    ));
}

#[test]
fn what_cannot_be_read_is_named_with_file_and_line() {
    let refused = refusals(&[
        ("maker =", "made_by ="),
        ("baud = 9600\n", ""),
        ("\"8N1\"", "\"8E2\""),
        ("\"ISK\"", "\"isk\""),
        ("1-0:96.50.1*1", "1-0:96"),
        ("unit = \"Wh\"", "unit = \"kWh\""),
        ("width = 4, compact", "breadth = 4, compact"),
        ("width = 4, compact", "width = 400, compact"),
        ("tries = 3", "tries = \"three\""),
    ]);
    insta::assert_snapshot!(refused);
}

#[test]
fn contradictions_are_named_with_file_and_line() {
    let refused = refusals(&[
        ("aliases = [\"ISKRA MT631\"", "aliases = [\"mt631\""),
        ("name = \"MT631\"", "name = \"\""),
        ("baud = 9600", "baud = 9"),
        ("push_interval_ms = 1000\n", ""),
        ("\"sml\"", "\"d0-push\""),
        ("width = 4, compact", "width = 0, compact"),
        ("width = 4, compact", "width = 9, compact"),
        ("scaler = -1", "scaler = -19"),
        ("signed = true, ", ""),
        ("unit = \"W\"", "unit = \"V\""),
        ("1-0:16.7.0*255", "1-0:3.7.0*255"),
        ("1-0:16.7.0*255", "1-0:36.7.0*255"),
        ("1-0:2.8.0*255", "1-0:1.8.0*255"),
        ("import = 0x100104", "import = 0x100100104"),
        ("send_ms = 400", "send_ms = 4000"),
        ("accept_ms = [100, 2000]", "accept_ms = [100, 6000]"),
        ("accept_ms = [100, 2900]", "accept_ms = [100, 3100]"),
        ("slower_ms = 4200", "slower_ms = 3100"),
        ("tries = 3", "tries = 0"),
        ("stop_at = 2", "stop_at = 3"),
        ("return_to_normal_s = 120", "return_to_normal_s = 4"),
        ("\"permanent\"", "\"keep_alive\""),
        ("behaviour = \"permanent\"", "behaviour = \"keep_alive\"\nkeep_alive_s = 120"),
        ("inf_presses = 8", "inf_presses = 9"),
        (
            "source = \"dump ISKRA_MT631-D1A52-K0z-H01_without_PIN in the tests of sml-rs 0.4.0\"",
            "source = \" \"",
        ),
    ]);
    insta::assert_snapshot!(refused);
}

#[test]
fn half_a_profile_is_refused() {
    assert_eq!(refusal(""), "my.toml:1: missing field `name`");
    assert!(refusal("name = ").starts_with("my.toml:1: "));
    let without_pin = &MT631[..MT631.find("[pin]").unwrap()];
    assert_eq!(refusal(without_pin), "my.toml:19: a model that can be locked needs [pin]");
}

proptest! {
    /// Whatever stands in a file, the answer is a profile or a place in that file.
    #[test]
    fn no_text_is_too_odd(
        at in 0..MT631.len(), length in 0_usize..60, put in "[\\[\\]{}=\"#., a-z0-9\n-]{0,12}",
    ) {
        let end = (at + length).min(MT631.len());
        let text = [&MT631[..at], &put, &MT631[end..]].concat();
        match Profile::parse("my.toml", &text) {
            Ok(profile) => prop_assert!(!profile.name.is_empty()),
            Err(ProfileError::Invalid { file, line, reason }) => {
                prop_assert_eq!(file, "my.toml");
                prop_assert!((1..=text.lines().count().max(1) + 1).contains(&line));
                prop_assert!(!reason.is_empty());
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
