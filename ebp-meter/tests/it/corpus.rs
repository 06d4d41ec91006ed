//! Every entry of every recording against values that two other decoders agree on
//! (`corpus/README.md` says how they were established).

use std::{fmt::Write as _, path::Path};

use crate::sml_support::decode;
use ebp_core::obis::ObisCode;
use ebp_meter::{
    Readout,
    readout::{Correction, Entry, Integrity, MeterTime, Value},
};
use ebp_testkit::recordings::dumps;

/// FNV-1a, 32 bits: enough to compare octets, without the identities that they are.
fn digest(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    format!("#{}:{hash:08x}", bytes.len())
}

fn time(time: Option<MeterTime>) -> String {
    match time {
        None => String::new(),
        Some(MeterTime::SecIndex(seconds)) => format!("s{seconds}"),
        Some(MeterTime::Timestamp(seconds)) => format!("t{seconds}"),
        Some(MeterTime::Local { .. }) => panic!("no recording has one"),
    }
}

/// The value as it was on the wire: corrections are taken back.
fn value(entry: &Entry) -> String {
    let is_maker = [ObisCode::MANUFACTURER, ObisCode::MANUFACTURER_OLD].contains(&entry.obis);
    match (&entry.value, entry.corrected) {
        (Value::Absent, _) => String::new(),
        (Value::Integer(i), None) => i.to_string(),
        (Value::Integer(i), Some(Correction::DzgSign)) => (i - 0x1_0000).to_string(),
        (Value::Integer(i), Some(Correction::Ed300lDirection)) => (-i).to_string(),
        (Value::Octets(bytes), _) if is_maker => format!("={}", String::from_utf8_lossy(bytes)),
        (Value::Octets(bytes), _) => digest(bytes),
        (other, _) => panic!("no recording has {other:?}"),
    }
}

/// The lines of the expected files.
fn lines(readouts: &[Readout]) -> String {
    let mut out = String::new();
    for (n, readout) in (1..).zip(readouts) {
        let id = readout.server_id.as_ref().map(|id| digest(&id.0)).unwrap_or_default();
        let integrity = readout.integrity.name();
        let time_of_meter = time(readout.meter_time);
        writeln!(out, "{n}\t{integrity}\t{}\t{id}\t{time_of_meter}", readout.bytes).unwrap();
        for entry in &readout.entries {
            // A scaler that is absent and one that is 0 are the same.
            writeln!(
                out,
                "{n}\t{}\t{}\t{}\t{}\t{}\t{}",
                entry.obis.hex(),
                value(entry),
                entry.scaler,
                entry.unit.map(|unit| unit.0.to_string()).unwrap_or_default(),
                entry.status.map(|status| format!("{status:x}")).unwrap_or_default(),
                time(entry.time),
            )
            .unwrap();
        }
    }
    out
}

#[test]
fn every_entry_of_every_recording() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let (mut good, mut entries, mut salvaged) = (0, 0, 0);
    let mut expected_files = 0;
    for (name, bytes) in dumps() {
        let file = folder.join(format!("{name}.tsv"));
        let expected =
            std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        expected_files += 1;
        let (readouts, _) = decode(bytes);
        let found = lines(&readouts);
        for (line, (found, expected)) in (1..).zip(found.lines().zip(expected.lines())) {
            assert_eq!(found, expected, "{name}, line {line}");
        }
        assert_eq!(found, expected, "{name}");
        for readout in readouts {
            match readout.integrity {
                Integrity::Ok => {
                    good += 1;
                    entries += readout.entries.len();
                }
                Integrity::Salvaged => salvaged += 1,
                Integrity::Unchecked => panic!("SML has checksums"),
            }
        }
    }
    assert_eq!(expected_files, 37);
    assert_eq!((good, entries, salvaged), (227, 1590, 6));
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(files, 37 + 1, "expected values without a recording, besides the README");
}

fn readouts_of(name: &str) -> Vec<Readout> {
    let (_, bytes) = dumps().iter().find(|(dump, _)| dump == name).unwrap();
    decode(bytes).0
}

fn power(readout: &Readout, obis: ObisCode) -> (String, Option<Correction>) {
    let entry = readout.entry(obis).unwrap();
    (entry.exact().unwrap().to_string(), entry.corrected)
}

#[test]
fn dzg_imports_what_it_claims_to_export() {
    let readouts = readouts_of("DZG_DVS-7412.2_jmberg");
    let expected = ("356.24".to_owned(), Some(Correction::DzgSign));
    assert_eq!(power(&readouts[0], ObisCode::SUM_POWER), expected);
}

#[test]
fn genuine_exports_of_dzg_stay_negative() {
    for name in ["DZG_DVS-7420.2V.G2_mtr2_neg", "dzg_dwsb20_2th_2byte", "dzg_dwsb20_2th_3byte"] {
        for readout in readouts_of(name) {
            let (value, corrected) = power(&readout, ObisCode::SUM_POWER);
            assert!(value.starts_with('-'), "{name}: {value}");
            assert_eq!(corrected, None);
        }
    }
}

#[test]
fn ed300l_exports_negatively() {
    for readout in readouts_of("EMH-ED300L_delivery") {
        let (value, corrected) = power(&readout, ObisCode::ABSOLUTE_POWER);
        assert!(value.starts_with('-'), "{value}");
        assert_eq!(corrected, Some(Correction::Ed300lDirection));
    }
    for readout in readouts_of("EMH-ED300L_consumption") {
        let (value, corrected) = power(&readout, ObisCode::ABSOLUTE_POWER);
        assert_eq!((value.as_str(), corrected), ("137.1", None));
    }
}

/// Which values are corrected in the whole corpus, so that a quirk cannot spread unseen.
#[test]
fn corrections_in_all_recordings() {
    let mut corrected = Vec::new();
    for (name, bytes) in dumps() {
        let (readouts, _) = decode(bytes);
        let count = readouts.iter().flat_map(|r| &r.entries).filter(|e| e.corrected.is_some());
        match count.count() {
            0 => {}
            count => corrected.push((name.as_str(), count)),
        }
    }
    let expected = [("DZG_DVS-7412.2_jmberg", 1), ("EMH-ED300L_delivery", 2)];
    assert_eq!(corrected, expected);
}

#[test]
fn makers() {
    let maker = |name: &str| readouts_of(name)[0].manufacturer;
    for (name, expected) in [
        ("DZG_DVS-7412.2_jmberg", Some("DZG")),
        ("DrNeuhaus_SMARTY_ix-130", Some("DNT")),
        ("EMH-ED300L_delivery", Some("EMH")),
        ("EMH_eHZ-GW8E2A500AK2", Some("EMH")),
        ("EMH_mME40-AE6AKF0K0", Some("EMH")),
        ("HOLLEY_DTZ541-ZDBA", Some("HLY")),
        ("ISKRA_MT175_D1A52-V22-K0t", Some("ISK")),
        ("ITRON_OpenWay-3.HZ", Some("ITR")),
        ("eBZ_DD3_DD32R06DTA-SMZ1", Some("EBZ")),
        // It calls itself HAGER, which is no FLAG id.
        ("EMH_eHZ361L5R", None),
    ] {
        assert_eq!(maker(name).as_deref(), expected, "{name}");
    }
}
