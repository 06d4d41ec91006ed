//! Virtual meters beside recordings of real ones: the same entries in the same form.

use std::{
    io::Read,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use ebp_core::model::MeterType;
use ebp_meter::{
    profile::Profiles,
    sml::{frame::frames, list::RawValue, message::messages},
    virtual_meter::{
        Energies, HouseholdOptions, MeterOptions, Replay, Source, Tempo, VirtualMeter, run,
    },
};

/// The form of a telegram: of each entry its code, whether it has a status and a time, unit, scaler
/// and the type of its value.
fn shape(bytes: &[u8]) -> Option<Vec<String>> {
    let mut scratch = Vec::new();
    for frame in frames(bytes).filter(|frame| frame.is_whole()) {
        for message in messages(frame.payload(&mut scratch)).flatten() {
            let Some(Ok(list)) = message.list_response() else { continue };
            let head = format!(
                "identity {} bytes beginning {:02x?}, list {:02x?}, time {}",
                list.server_id.len(),
                list.server_id.first(),
                list.list_name,
                list.sensor_time.is_some()
            );
            let entries = list.entries().flatten().map(|entry| {
                let value = match entry.value {
                    RawValue::Int(int) => {
                        format!("{}{}", if int.signed { "signed " } else { "unsigned " }, int.width)
                    }
                    RawValue::Octets(octets) => format!("{} octets", octets.len()),
                    RawValue::Absent => "absent".to_owned(),
                    other => format!("{other:?}"),
                };
                format!(
                    "{} status {} unit {:?} scaler {} {value}",
                    entry.obis,
                    entry.status.is_some(),
                    entry.unit.map(|unit| unit.0).filter(|&unit| unit != 0),
                    entry.scaler
                )
            });
            return Some(std::iter::once(head).chain(entries).collect());
        }
    }
    None
}

/// Leaves out of a shape the width of a number that real meters send as short as it is.
fn without_widths(shape: Vec<String>) -> Vec<String> {
    let cut = |line: String| match line.rsplit_once("signed ") {
        Some((before, _)) => before.to_owned(),
        None => line,
    };
    shape.into_iter().map(cut).collect()
}

fn telegram(model: &str, locked: bool) -> Vec<u8> {
    let options = MeterOptions {
        kind: MeterType::Electricity,
        number: 4_711,
        household: HouseholdOptions { seed: 2, pv_peak_watts: 0, battery_watt_hours: 0 },
        locked,
        start: "2026-01-15T02:00:00Z".parse().expect("a timestamp"),
        energies: Energies::from_watt_hours(2_355_929, 1_000_000).expect("small numbers"),
    };
    let profiles = Profiles::embedded();
    let profile = profiles.get(model).expect("an embedded model");
    VirtualMeter::new(profile, options).expect("a meter").telegram().expect("a telegram")
}

fn recording(name: &str) -> &'static [u8] {
    let found = ebp_testkit::recordings::dumps().iter().find(|(own, _)| own == name);
    &found.unwrap_or_else(|| panic!("no recording {name}")).1
}

#[test]
fn telegrams_have_the_form_of_recorded_ones() {
    for (model, locked, name) in [
        ("MT175", false, "ISKRA_MT175_D1A52-V22-K0t"),
        ("MT631", false, "ISKRA_MT631-D1A52-K0z-H01_with_PIN"),
        ("MT631", true, "ISKRA_MT631-D1A52-K0z-H01_without_PIN"),
        ("MT691", false, "ISKRA_MT691_eHZ-MS2020"),
        ("mMe4.0", false, "EMH_mME40-AE6AKF0K0"),
        ("ED300L", false, "EMH-ED300L_consumption"),
        ("DVS74", false, "DZG_DVS-7412.2_jmberg"),
        ("DWSB20", false, "dzg_dwsb20_2th_3byte"),
        ("DTZ541", false, "HOLLEY_DTZ541-BDBA_with_PIN"),
        ("DTZ541", true, "HOLLEY_DTZ541-BDBA_without_PIN"),
        ("OpenWay", false, "ITRON_OpenWay-3.HZ_with_PIN"),
        ("OpenWay", true, "ITRON_OpenWay-3.HZ_without_PIN"),
        ("EASY", false, "EasyMeter_Q3A_A1064V1009"),
        ("SMARTY", false, "DrNeuhaus_SMARTY_ix-130"),
    ] {
        let own = shape(&telegram(model, locked)).unwrap();
        let real = shape(recording(name)).unwrap();
        let profiles = Profiles::embedded();
        let registers = profiles.get(model).unwrap().registers(locked);
        let compact = registers.iter().any(|register| register.compact);
        if compact {
            assert_eq!(without_widths(own), without_widths(real), "{model} beside {name}");
        } else if model == "MT175" {
            // The identity of that very unit is of the form before 09 01.
            assert_eq!(own[1..], real[1..], "{model} beside {name}");
        } else {
            assert_eq!(own, real, "{model} beside {name}");
        }
    }
}

#[test]
fn a_real_recording_passes_a_pseudoterminal_byte_for_byte() {
    let bytes = recording("ISKRA_MT175_eHZ");
    let stop = AtomicBool::new(false);
    let (ready, path) = mpsc::channel();
    thread::scope(|scope| {
        let stop = &stop;
        scope.spawn(move || {
            let mut replay = Replay::from_bytes(bytes.to_vec());
            replay.baud = 38_400;
            replay.looped = true;
            let mut source = Source::Replay(replay);
            let on_ready = |path: &std::path::Path| ready.send(path.to_owned()).unwrap();
            run(&mut source, None, None, Tempo::default(), stop, on_ready).unwrap();
        });
        let path = path.recv_timeout(Duration::from_secs(10)).unwrap();
        let mut port = serialport::new(path.to_string_lossy(), 9_600)
            .timeout(Duration::from_secs(10))
            .open()
            .unwrap();
        let mut read = vec![0; bytes.len()];
        port.read_exact(&mut read).unwrap();
        stop.store(true, Ordering::Relaxed);
        let twice = [bytes, bytes].concat();
        assert!(twice.windows(read.len()).any(|window| window == read));
    });
}
