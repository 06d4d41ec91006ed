//! Virtual meters of every model: what their telegrams say is what their registers hold.

use std::time::Duration;

use ebp_core::{model::MeterType, obis::ObisCode, quantity::Unit};
use ebp_meter::{
    Readout,
    canonical::KnownRegisters,
    d0,
    decoder::{Decode, Event},
    profile::{Content, Profile, Profiles, Quantity, Register, Transport},
    readout::{Correction, Integrity, MeterTime, Value},
    sml::Decoder,
    virtual_meter::{Energies, HouseholdOptions, MeterOptions, VirtualMeter},
};
use rust_decimal::Decimal;

/// In the night, a household draws; at noon in June, its roof feeds in.
const NIGHT: &str = "2026-01-15T02:00:00Z";
const NOON: &str = "2026-06-21T10:30:00Z";

fn meter(profile: &Profile, kind: MeterType, locked: bool, start: &str) -> VirtualMeter {
    let options = MeterOptions {
        kind,
        number: 79_811_299,
        household: HouseholdOptions { seed: 3, pv_peak_watts: 12_000, battery_watt_hours: 0 },
        locked,
        start: start.parse().expect("a timestamp"),
        energies: Energies::from_watt_hours(12_345_678, 2_345_678).expect("small numbers"),
    };
    VirtualMeter::new(profile, options).expect("the model can be so")
}

/// The one readout of a telegram.
fn decode(telegram: &[u8]) -> Readout {
    let mut decoder = Decoder::new();
    decoder.push(telegram);
    decoder.finish();
    let event = decoder.next_event();
    let Some(Event::Readout(readout)) = event else { panic!("no readout but {event:?}") };
    assert_eq!(decoder.next_event(), None);
    readout
}

/// The same of whichever language the model has.
fn readout(profile: &Profile, telegram: &[u8]) -> Readout {
    if profile.line.protocol == Transport::Sml {
        return decode(telegram);
    }
    let mut decoder = d0::Decoder::new();
    decoder.push(telegram);
    decoder.finish();
    match decoder.next_event() {
        Some(Event::Readout(readout)) => readout,
        event => panic!("no readout but {event:?}"),
    }
}

/// Cuts an exact value off behind the last digit that a register shows.
fn cut(value: Decimal, scaler: i8) -> Decimal {
    if scaler < 0 {
        value.trunc_with_scale(u32::from(scaler.unsigned_abs())).normalize()
    } else {
        let step = Decimal::from(10_u64.pow(u32::from(scaler.unsigned_abs())));
        ((value / step).trunc() * step).normalize()
    }
}

/// What a register must show, by the meter's own registers and not by its telegram.
fn expected(meter: &mut VirtualMeter, register: &Register) -> Option<Decimal> {
    let watt_hours =
        |microjoules: u64| Decimal::from(microjoules) / Decimal::from(3_600_000_000_u64);
    let watts = Decimal::from(meter.power()) / Decimal::from(1_000);
    let exact = match meter.profile().measures(register)? {
        Quantity::ImportEnergy { tariff: 0 | 1 } => watt_hours(meter.energies().import_microjoules),
        Quantity::ExportEnergy { tariff: 0 | 1 } => watt_hours(meter.energies().export_microjoules),
        Quantity::ImportEnergy { .. } | Quantity::ExportEnergy { .. } => Decimal::ZERO,
        Quantity::Power { phase: 0 } => watts,
        Quantity::ImportPower { phase: 0 } => watts.max(Decimal::ZERO),
        Quantity::AbsolutePower => watts.abs(),
        _ => return None,
    };
    Some(cut(exact, register.scaler.unwrap_or_default()))
}

fn check(profile: &Profile, kind: MeterType, locked: bool, start: &str) {
    let mut meter = meter(profile, kind, locked, start);
    meter.advance(Duration::from_millis(3_723_456));
    let telegram = meter.telegram().expect("the values fit");
    let readout = decode(&telegram);
    let what = format!("{} {kind:?} locked: {locked} {start}", profile.name);

    assert_eq!(readout.bytes, telegram.len(), "{what}");
    assert_eq!(readout.integrity, Integrity::Ok, "{what}");
    assert_eq!(readout.server_id, Some(meter.server_id()), "{what}");
    assert_eq!(readout.manufacturer.as_deref(), Some(profile.flag.as_str()), "{what}");
    let time =
        MeterTime::SecIndex(u32::try_from(meter.state().operating_ms / 1_000).expect("small"));
    assert_eq!(readout.meter_time, profile.telegram.time.then_some(time), "{what}");

    let registers = profile.registers(locked);
    assert_eq!(readout.entries.len(), registers.len(), "{what}");
    for (entry, register) in readout.entries.iter().zip(registers) {
        let what = format!("{what} {}", register.obis);
        assert_eq!(entry.obis, register.obis, "{what}");
        assert_eq!(entry.unit, register.unit, "{what}");
        assert_eq!(entry.scaler, register.scaler.unwrap_or_default(), "{what}");
        assert_eq!(entry.time, register.time.then_some(time), "{what}");
        let exporting = meter.power() < 0;
        let status = register.status.map(|s| s.export.filter(|_| exporting).unwrap_or(s.import));
        assert_eq!(entry.status, status, "{what}");
        match (&entry.value, register.content) {
            (Value::Absent, Some(Content::Absent)) => {}
            (Value::Octets(octets), Some(Content::Maker)) => {
                assert_eq!(octets[..], *profile.flag.as_bytes(), "{what}");
            }
            (Value::Octets(octets), Some(Content::ServerId)) => {
                assert_eq!(*octets, meter.server_id().0, "{what}");
            }
            (Value::Octets(octets), Some(Content::PublicKey)) => assert_eq!(octets.len(), 48),
            (Value::Octets(octets), Some(Content::IdentityText)) => {
                assert!(octets.ends_with(b"79811299"), "{what}");
            }
            (Value::Octets(octets), None) => {
                assert_eq!(Some(&octets[..]), register.octets.as_deref())
            }
            (Value::Integer(integer), None) => {
                if let Some(constant) = register.integer {
                    assert_eq!(*integer, i128::from(constant), "{what}");
                }
                if let Some(mut value) = expected(&mut meter, register) {
                    if entry.corrected == Some(Correction::Ed300lDirection) {
                        value = -value;
                    }
                    assert_eq!(entry.exact(), Some(value), "{what}");
                }
            }
            (value, content) => panic!("{what}: {value:?} for {content:?}"),
        }
    }
    assert_eq!(readout.is_detailed(), shows_power(registers), "{what}");
}

fn shows_power(registers: &[Register]) -> bool {
    let is_power = |quantity: Quantity| quantity.unit() == Unit::WATT;
    registers.iter().any(|register| register.quantity().is_some_and(is_power))
}

#[test]
fn every_model_sends_exactly_its_registers() {
    let profiles = Profiles::embedded();
    let mut models = 0;
    for profile in profiles.iter().filter(|p| p.line.protocol == Transport::Sml) {
        for kind in [MeterType::Electricity, MeterType::PvGeneration] {
            for start in [NIGHT, NOON] {
                check(profile, kind, false, start);
                if profile.locked.is_some() {
                    check(profile, kind, true, start);
                }
            }
        }
        models += 1;
    }
    assert!(models >= 13, "{models}");
}

#[test]
fn directions_are_shown_as_the_models_show_them() {
    let profiles = Profiles::embedded();
    let power = |model: &str, start: &str| {
        let mut meter = meter(profiles.get(model).unwrap(), MeterType::Electricity, false, start);
        let readout = decode(&meter.telegram().unwrap());
        let code = if model == "ED300L" { ObisCode::ABSOLUTE_POWER } else { ObisCode::SUM_POWER };
        let entry = readout.entry(code).unwrap().clone();
        (entry.exact().unwrap() > Decimal::ZERO, entry.corrected)
    };
    for model in ["MT175", "EASY", "DWSB20", "DVS74"] {
        assert!(power(model, NIGHT).0, "{model} draws at night");
        assert_eq!(power(model, NOON), (false, None), "{model} feeds in at noon");
    }
    assert_eq!(power("ED300L", NIGHT), (true, None));
    assert_eq!(power("ED300L", NOON), (false, Some(Correction::Ed300lDirection)));
}

/// The fault of DZG's DVS74 appears, and is put right to the very watt.
#[test]
fn the_virtual_dvs74_has_the_fault_of_the_real_one() {
    let profiles = Profiles::embedded();
    let mut meter = meter(profiles.get("DVS74").unwrap(), MeterType::Electricity, false, NIGHT);
    let mut corrected = 0;
    for _ in 0..2_000 {
        meter.advance(Duration::from_secs(61));
        let readout = decode(&meter.telegram().unwrap());
        let entry = readout.entry(ObisCode::SUM_POWER).unwrap();
        let watts = Decimal::from(meter.power()) / Decimal::from(1_000);
        assert_eq!(entry.exact(), Some(cut(watts, -2)));
        corrected += usize::from(entry.corrected == Some(Correction::DzgSign));
    }
    assert!(corrected > 100, "{corrected} of 2000");
}

/// A meter with one phase has all its power there, and no 16.7.0.
#[test]
fn the_power_of_one_phase_is_all_of_it() {
    let profiles = Profiles::embedded();
    let profile = profiles.get("DWS7412").unwrap();
    for start in [NIGHT, NOON] {
        let mut meter = meter(profile, MeterType::Electricity, false, start);
        let readout = decode(&meter.telegram().unwrap());
        let watts = Decimal::from(meter.power()) / Decimal::from(1_000);
        let phase = readout.entry("1-0:36.7.0*255".parse().unwrap()).unwrap();
        assert_eq!(phase.exact(), Some(cut(watts, -2)));
        assert!(readout.entry(ObisCode::SUM_POWER).is_none());
        assert!(ebp_meter::unlock::is_detailed(profile, &readout));
    }
}

/// Sources differ in the scaler of a DD3's tariffs: whichever the meter sends is read.
#[test]
fn tariffs_of_a_dd3_are_read_in_either_scaler() {
    let text = include_str!("../../profiles/dd3.toml");
    let other = text.replace(
        "1.8.1*255\", unit = \"Wh\", scaler = 0,",
        "1.8.1*255\", unit = \"Wh\", scaler = -5,",
    );
    assert_ne!(text, other);
    for (text, scaler) in [(text, 0), (&other, -5)] {
        let profile = Profile::parse("dd3.toml", text).unwrap();
        check(&profile, MeterType::Electricity, false, NOON);
        let entry = |r: &&Register| r.obis == "1-0:1.8.1*255".parse().unwrap();
        assert_eq!(profile.registers(false).iter().find(entry).unwrap().scaler, Some(scaler));
    }
}

/// Models of which the status says while power is fed in, and EasyMeter Q3C and Q3D, which say it by a
/// sign in 1.7.0.
#[test]
fn feeding_in_is_shown_as_the_sources_have_it() {
    let profiles = Profiles::embedded();
    let telegram = |model: &str, start: &str| {
        let profile = profiles.get(model).unwrap();
        decode(&meter(profile, MeterType::Electricity, false, start).telegram().unwrap())
    };
    let status = |model: &str, start: &str| {
        telegram(model, start).entry(ObisCode::POSITIVE_ENERGY).unwrap().status
    };
    assert_eq!((status("MT175", NIGHT), status("MT175", NOON)), (Some(0x182), Some(0x1a2)));
    let power = |start: &str| {
        let readout = telegram("Q3C", start);
        assert!(readout.entry("1-1:1.8.0*255".parse().unwrap()).is_some());
        readout.entry(ObisCode::POSITIVE_POWER).unwrap().exact().unwrap()
    };
    assert!(power(NIGHT) > Decimal::ZERO && power(NOON) < Decimal::ZERO);
    for model in ["Q3C", "Q3D"] {
        let profile = profiles.get(model).unwrap();
        let figures = |start: &str| {
            let mut meter = meter(profile, MeterType::Electricity, false, start);
            let readout = readout(profile, &meter.telegram().unwrap());
            KnownRegisters::default().figures(&readout, &profile.counts)
        };
        for (start, draws) in [(NIGHT, true), (NOON, false)] {
            let figures = figures(start);
            let of = |code| figures.iter().find(|f| f.obis == code).map(|f| f.value);
            let power = of(ObisCode::SUM_POWER).unwrap();
            assert_eq!(power > Decimal::ZERO, draws, "{model} {start}");
            let drawn = of(ObisCode::POSITIVE_POWER);
            assert_eq!(drawn, draws.then_some(power), "{model} {start}");
        }
    }
}

/// The second opinion of an independent decoder.
#[test]
fn sml_rs_reads_them_too() {
    use sml_rs::parser::complete::{MessageBody, parse};
    let profiles = Profiles::embedded();
    for profile in profiles.iter().filter(|p| p.line.protocol == Transport::Sml) {
        let telegram = meter(profile, MeterType::Electricity, false, NOON).telegram().unwrap();
        let decoded = sml_rs::transport::decode(&telegram);
        let [Ok(file)] = decoded.as_slice() else { panic!("{}: {decoded:?}", profile.name) };
        let file = parse(file).unwrap_or_else(|error| panic!("{}: {error:?}", profile.name));
        let list = file.messages.iter().find_map(|message| match &message.message_body {
            MessageBody::GetListResponse(list) => Some(list),
            _ => None,
        });
        let codes: Vec<_> = list.unwrap().val_list.iter().map(|entry| entry.obj_name).collect();
        let own: Vec<_> = profile.registers(false).iter().map(|r| r.obis.0.to_vec()).collect();
        assert_eq!(codes, own, "{}", profile.name);
    }
}

#[test]
fn server_ids_are_built_as_real_ones_are() {
    // From the dumps: maker, block and number give the very bytes.
    for (model, number, bytes) in [
        ("MT631", 0x047a_5544, "0a0149534b00047a5544"),
        ("MT175", 0x0403_df63, "090149534b000403df63"),
        ("EASY", 62_232_997, "09014553591103b599a5"),
        ("EHZ", 0x0071_56cd, "06454d480100007156cd"),
        ("DTZ541", 0x000d_6be6, "0a01484c5902000d6be6"),
    ] {
        let profiles = Profiles::embedded();
        let options = MeterOptions {
            kind: MeterType::Electricity,
            number,
            household: HouseholdOptions { seed: 0, pv_peak_watts: 0, battery_watt_hours: 0 },
            locked: false,
            start: NIGHT.parse().unwrap(),
            energies: Energies::default(),
        };
        let meter = VirtualMeter::new(profiles.get(model).unwrap(), options).unwrap();
        assert_eq!(meter.server_id().hex(), bytes, "{model}");
    }
}

#[test]
fn ascii_telegrams_look_like_real_ones() {
    let profiles = Profiles::embedded();
    let mut text = String::new();
    for (model, locked) in [("DD3-OD", true), ("DD3-OD", false), ("Q3D", false), ("MT174", false)] {
        let mut meter = meter(profiles.get(model).unwrap(), MeterType::Electricity, locked, NOON);
        meter.advance(Duration::from_secs(60));
        let telegram = meter.telegram().unwrap();
        assert!(telegram.is_ascii(), "seven bits carry it");
        if model == "MT174" {
            let start = telegram.iter().position(|&byte| byte == 2).unwrap() + 1;
            let (block, check) = telegram.split_at(telegram.len() - 1);
            assert_eq!(block[start..].iter().fold(0, |sum, byte| sum ^ byte), check[0]);
        }
        text.push_str(&telegram.escape_ascii().to_string().replace("\\n", "\\n\n"));
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}

#[test]
fn units_of_ascii_registers_agree_with_their_codes() {
    for profile in Profiles::embedded().iter().filter(|p| p.line.protocol != Transport::Sml) {
        for register in &profile.unlocked.registers {
            if let Some(quantity) = register.quantity() {
                assert_eq!(register.unit, Some(quantity.unit()));
                assert_ne!(register.unit, Some(Unit::COUNT));
            }
        }
    }
}
