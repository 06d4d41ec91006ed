//! Identities are gone from every recording that there is, its values are not, and each is known by
//! its maker.

use std::sync::LazyLock;

use ebp_core::{model::MeterType, quantity::Unit};
use ebp_meter::{
    d0,
    decoder::{Decode, Event},
    identify::identify,
    interface::Registry,
    lock::Lock,
    profile::{Profile, Profiles},
    readout::{Integrity, Protocol, Readout, Value},
    redact::{Extent, Rule, redact},
    sml::{
        self,
        encode::{EncodeEntry, EncodeInt, EncodeValue, Telegram, encode},
    },
    virtual_meter::{Energies, HouseholdOptions, MeterOptions, VirtualMeter},
};
use proptest::prelude::*;

const NUMBER: u32 = 47_118_159;

fn readouts(bytes: &[u8], protocol: Protocol) -> Vec<Readout> {
    let mut decoder: Box<dyn Decode> = match protocol {
        Protocol::Sml => Box::new(sml::Decoder::new()),
        Protocol::D0 => Box::new(d0::Decoder::new()),
        Protocol::Own => unreachable!("a driver's own language is not decoded here"),
    };
    decoder.push(bytes);
    decoder.finish();
    std::iter::from_fn(|| decoder.next_event())
        .filter_map(|event| match event {
            Event::Readout(readout) => Some(readout),
            Event::Noise(_) => None,
        })
        .collect()
}

fn virtual_meter(profile: &Profile, locked: bool) -> Vec<u8> {
    let options = MeterOptions {
        kind: MeterType::Electricity,
        number: NUMBER,
        household: HouseholdOptions { seed: 3, pv_peak_watts: 5_000, battery_watt_hours: 0 },
        locked,
        start: "2026-06-21T10:00:00Z".parse().unwrap(),
        energies: Energies::from_watt_hours(4_711_234, 2_345).unwrap(),
    };
    let mut meter = VirtualMeter::new(profile, options).unwrap();
    (0..3).flat_map(|_| meter.telegram().unwrap()).collect()
}

fn found(bytes: &[u8], piece: &[u8]) -> bool {
    bytes.windows(piece.len()).any(|window| window == piece)
}

#[test]
fn every_recording_keeps_its_values_and_loses_its_meter() {
    let mut telegrams = 0;
    for (name, bytes) in ebp_testkit::recordings::dumps() {
        let before = readouts(bytes, Protocol::Sml);
        let before: Vec<_> =
            before.iter().filter(|readout| readout.integrity == Integrity::Ok).collect();
        let redacted = redact(bytes, Protocol::Sml, Extent::default());
        let after = readouts(&redacted.bytes, Protocol::Sml);
        assert_eq!(after, redacted.readouts, "{name}");
        assert_eq!(before.len(), after.len(), "{name}");
        for (before, after) in before.into_iter().zip(&after) {
            telegrams += 1;
            assert_eq!(before.survey(), after.survey(), "{name}");
            assert_eq!(before.bytes, after.bytes, "{name}: zeros take the same room");
            let Some(id) = before.server_id.as_ref().filter(|id| id.0.len() > 4) else { continue };
            assert!(!found(&redacted.bytes, &id.0), "{name}");
            assert!(!found(&redacted.bytes, &id.0[id.0.len() - 4..]), "{name}");
            for entry in &before.entries {
                let Value::Octets(octets) = &entry.value else { continue };
                assert!(
                    octets.len() < 10 || !found(&redacted.bytes, octets),
                    "{name} {}",
                    entry.obis
                );
            }
        }
    }
    assert!(telegrams >= 227, "{telegrams}");
}

#[test]
fn every_model_keeps_its_values_and_loses_its_number() {
    for profile in Profiles::embedded().iter() {
        for locked in [true, false] {
            if locked && profile.locked.is_none() {
                continue;
            }
            let protocol = profile.line.protocol.protocol();
            let bytes = virtual_meter(profile, locked);
            let redacted = redact(&bytes, protocol, Extent::default());
            let name = &profile.name;
            let before = readouts(&bytes, protocol);
            assert_eq!((before.len(), redacted.left_out), (3, 0), "{name}");
            for (before, after) in before.iter().zip(&redacted.readouts) {
                assert_eq!(before.survey(), after.survey(), "{name}");
                assert_eq!(before.integrity, after.integrity, "{name}");
            }
            assert_eq!(bytes.len(), redacted.bytes.len(), "{name}");
            assert!(!found(&redacted.bytes, NUMBER.to_string().as_bytes()), "{name}");
            assert!(!found(&redacted.bytes, &NUMBER.to_be_bytes()), "{name}");
        }
    }
}

#[test]
fn a_meter_is_known_by_its_registers_and_its_lock_is_seen() {
    let profiles = Profiles::embedded();
    let registry = Registry::from_profiles(&profiles);
    for profile in profiles.iter() {
        let protocol = profile.line.protocol.protocol();
        let open =
            identify(&registry, &readouts(&virtual_meter(profile, false), protocol)).unwrap();
        assert_eq!(open.flag.map(|flag| flag.to_uppercase()), Some(profile.flag.to_string()));
        let best = open.models[0].fit;
        let own = open.models.iter().find(|model| model.model == profile.name).unwrap();
        assert!(own.fit == best && best >= 90, "{}: {:?}", profile.name, open.models);
        // A Pafal has no power to send.
        let unlocked = if profile.name == "12EC3" { Lock::NoPowerByDesign } else { Lock::Open };
        assert_eq!(open.lock, unlocked, "{}", profile.name);
        if profile.locked.is_some() {
            let bytes = virtual_meter(profile, true);
            let locked = identify(&registry, &readouts(&bytes, protocol)).unwrap();
            // A Logarex sends decimals without its PIN.
            let held = if profile.name == "LK13BE" { Lock::ExtendedDataOff } else { Lock::Locked };
            assert_eq!(locked.lock, held, "{}", profile.name);
        }
    }
    assert_eq!(identify(&registry, &[]), None);
}

#[test]
fn what_is_in_no_whole_telegram_is_left_out() {
    let profile = Profiles::embedded().get("MT175").unwrap().clone();
    let bytes = virtual_meter(&profile, false);
    let noisy = [b"1ISK0047118159", &bytes[..70], &bytes[..], &bytes[..90]].concat();
    let redacted = redact(&noisy, Protocol::Sml, Extent::default());
    assert_eq!((redacted.readouts.len(), redacted.left_out), (3, 14 + 70 + 90));
    assert!(!found(&redacted.bytes, b"47118159"));
    assert!(redact(&[], Protocol::Sml, Extent::default()).bytes.is_empty());
}

/// A maker's letters as a register, a day's number that looks like the meter's, registers without a
/// code: nothing of that costs the telegram.
#[test]
fn no_telegram_of_the_field_is_lost() {
    for (file, protocol) in [
        ("d20_lgz_zmd310.raw", Protocol::D0),
        ("d22_elster_as2018.raw", Protocol::D0),
        ("d24_pafal_ec3gr.raw", Protocol::D0),
        ("d25_zmd405_parity_bits.raw", Protocol::D0),
        ("d26_logarex_inf_off.raw", Protocol::D0),
        ("d29_q3d_name_twice.raw", Protocol::D0),
        ("hly_export.bin", Protocol::Sml),
        ("s01_lgz_e320.raw", Protocol::Sml),
        ("s05_easymeter_q3c.raw", Protocol::Sml),
    ] {
        let path = format!("{}/tests/field/{file}", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).unwrap();
        let before = readouts(&bytes, protocol);
        for blur in [false, true] {
            let redacted = redact(&bytes, protocol, Extent { blur });
            assert_eq!(redacted.readouts.len(), before.len(), "{file}: {:?}", redacted.dropped);
            assert!(!found(&redacted.bytes, b"12345678"), "{file}");
            assert!(!found(&redacted.bytes, &12_345_678_u32.to_be_bytes()), "{file}");
            for (before, after) in before.iter().zip(&redacted.readouts) {
                let (before, after) = (before.survey(), after.survey());
                assert_eq!(before.len(), after.len(), "{file}");
                for (before, after) in before.iter().zip(&after) {
                    let is_blurred = blur && before.obis.0[3] == 8;
                    assert_eq!(after.value.is_zero() && is_blurred, is_blurred, "{file}");
                    assert!(is_blurred || before == after, "{file}");
                }
            }
            let rules: Vec<_> = redacted.removed.keys().collect();
            assert!(rules.contains(&&Rule::Identifies), "{file}: {rules:?}");
        }
    }
}

/// A number of the meter in a field that would otherwise stay.
#[test]
fn a_number_of_the_meter_goes_wherever_it_stands() {
    let lines = "/ISk5MT174-0001\r\n0.0.0(47118159)\r\nC.5.0(47118159)\r\n1.8.0(1*kWh)\r\n\
                 47118159.1(5)\r\n2.8.0(47118159*kWh)\r\n!\r\n";
    let redacted = redact(lines.as_bytes(), Protocol::D0, Extent::default());
    let text = String::from_utf8(redacted.bytes).unwrap();
    let expected = "/ISk5MT174-0001\r\n0.0.0(00000000)\r\nC.5.0(00000000)\r\n1.8.0(1*kWh)\r\n\
                    0000000000(0)\r\n2.8.0(47118159*kWh)\r\n!\r\n";
    assert_eq!(text, expected);
    let codes = &redacted.removed[&Rule::Identifies];
    assert_eq!(codes.iter().map(|code| code.short()).collect::<Vec<_>>(), ["0.0.0"]);
}

/// Nobody knows what free text says: of it only what is known stays.
#[test]
fn ascii_text_that_is_not_known_goes() {
    let told = |lines: &str| {
        let redacted = redact(lines.as_bytes(), Protocol::D0, Extent::default());
        assert_eq!(redacted.readouts.len(), 1, "{lines}");
        String::from_utf8(redacted.bytes).unwrap()
    };
    let text = told(
        "/XMX5KarlsFlat4711\r\n\r\n0-0:96.1.1(4530303331)\r\n1-0:0.2.0(Berta 5. OG)\r\n\
         0-0:96.13.1(Caesar)\r\n0-0:42.0.0(ERN47118)\r\nDoras.Weg.1(1)\r\nEmil Mustermann\r\n\
         1-0:1.8.0*255(00012345.678*kWh)\r\n1-0:2.8.0*255(00000002*Frida)\r\n\
         1-0:97.97.0(Gustav)\r\n1-0:96.5.5(Heinz)\r\n0-0:94.1.0(47118159)\r\n9.9.9(47 118 159)\r\n\
         1-0:16.7.0(000123.4*W)Ida\r\n!Jona\r\n",
    );
    let secrets = [
        "Karl", "Flat", "4711", "45303", "Berta", "OG", "Caesar", "ERN", "Dora", "Weg", "Emil",
        "Muster", "47 1", "Frida", "Gustav", "Heinz", "Ida", "Jona",
    ];
    let left: Vec<_> = secrets.into_iter().filter(|secret| text.contains(secret)).collect();
    assert!(left.is_empty(), "{left:?}: {text}");
    assert!(text.starts_with("/XMX5"), "{text}");
    assert!(text.contains("1-0:1.8.0*255(00012345.678*kWh)\r\n"), "{text}");
    assert!(text.contains("1-0:2.8.0*255(00000002*"), "{text}");
    assert!(text.contains("1-0:16.7.0(000123.4*W)"), "{text}");
    // What is known: models' own names, versions, words of status.
    let known =
        "/ISk5MT174-0001\r\n0.2.0(1.03)\r\nF.F(00000000)\r\nC.5.0(00A0)\r\n1.8.0(1*kWh)\r\n!\r\n";
    assert_eq!(told(known), known);
    let alike = told("/ESY5Q3DA1004 V3.04\r\n0.2.0(471 18 1)\r\n1.8.0(1*kWh)\r\n!\r\n");
    assert_eq!(alike, "/ESY5Q0DA0000 V0.00\r\n0.2.0(000 00 0)\r\n1.8.0(1*kWh)\r\n!\r\n");
}

/// A customer interface's checksum (DSMR P1) is right again behind what was taken out.
#[test]
fn ascii_with_a_checksum_behind_its_end() {
    let lines = "/ISk5\\2MT382-1003\r\n\r\n0-0:96.1.1(3149534B30303739383131323939)\r\n\
                 1-0:1.8.1(000512.345*kWh)\r\n!C1E2\r\n";
    assert_eq!(readouts(lines.as_bytes(), Protocol::D0)[0].integrity, Integrity::Ok);
    let redacted = redact(lines.as_bytes(), Protocol::D0, Extent::default());
    assert_eq!(redacted.readouts.len(), 1, "{redacted:?}");
    assert_eq!(redacted.readouts[0].integrity, Integrity::Ok);
    assert!(!found(&redacted.bytes, b"3149534B"), "{redacted:?}");
    assert!(!found(&redacted.bytes, b"C1E2") && found(&redacted.bytes, b"(000512.345*kWh)"));
}

#[test]
fn ascii_with_block_check_and_parity() {
    let lines = "/ESY5Q3DA1004 V3.04\r\n\x021-0:0.0.0*255(47118159)\r\n1-0:96.1.255*255(1ESY1047118159)\r\n\
                 0.9.1(120000)\r\n1-0:1.8.0*255(00012345.6789*kWh)\r\nF.F(00000000)\r\n1-0:1.7.255*255(000123.45*W)\r\n!\r\n\x03";
    let check = lines.bytes().skip(lines.find('\x02').unwrap() + 1).fold(0, |check, b| check ^ b);
    let mut bytes = lines.as_bytes().to_vec();
    bytes.push(check);
    for parity in [false, true] {
        if parity {
            bytes.iter_mut().for_each(|b| *b |= ((b.count_ones() % 2) as u8) << 7);
        }
        let redacted = redact(&bytes, Protocol::D0, Extent::default());
        assert_eq!(redacted.readouts.len(), 1);
        assert_eq!(redacted.readouts[0].integrity, Integrity::Ok);
        let text: Vec<u8> = redacted.bytes.iter().map(|b| b & 0x7f).collect();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("47118159") && text.contains("(00012345.6789*kWh)"), "{text}");
        assert!(text.contains("1-0:0.0.0*255(00000000)"), "{text}");
    }
}

/// Some meters leave the unit of energy out in SML, too.
#[test]
fn energy_without_a_unit_is_blurred_by_its_code() {
    let entry = |code: &str, unit| EncodeEntry {
        obis: code.parse().unwrap(),
        status: None,
        sec_index: None,
        unit,
        scaler: Some(-1),
        value: EncodeValue::Int(EncodeInt::unsigned(1_234_567, 4)),
    };
    let bytes = encode(&Telegram {
        server_id: vec![0x0a, 1, b'K', b'F', b'M', 0, 0, 0xbc, 0x61, 0x4e],
        file_id: 1,
        sec_index: Some(7),
        list_name: None,
        entries: vec![
            entry("1-0:1.8.0*255", None),
            entry("1-0:2.8.1*255", Some(Unit::WATT_HOUR)),
            entry("1-0:16.7.0*255", Some(Unit::WATT)),
        ],
    })
    .unwrap();
    let integers = |blur| {
        let redacted = redact(&bytes, Protocol::Sml, Extent { blur });
        let entries = redacted.readouts[0].entries.clone();
        entries.into_iter().map(|entry| entry.value).collect::<Vec<_>>()
    };
    let [hidden, shown] = [0, 1_234_567].map(Value::Integer);
    assert_eq!(integers(true), [hidden.clone(), hidden, shown.clone()]);
    assert_eq!(integers(false), [shown.clone(), shown.clone(), shown]);
}

/// What a meter that sends ASCII and one that sends SML say: made once.
static TELEGRAMS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let profiles = Profiles::embedded();
    ["DD3-OD", "MT175"].map(|model| virtual_meter(profiles.get(model).unwrap(), false))
});

proptest! {
    #[test]
    fn whatever_comes_nothing_breaks(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        at in 0_usize..300,
        sml in any::<bool>(),
    ) {
        let protocol = if sml { Protocol::Sml } else { Protocol::D0 };
        let mut telegrams = TELEGRAMS[usize::from(sml)].clone();
        let at = at.min(telegrams.len());
        telegrams.splice(at..at, bytes);
        let redacted = redact(&telegrams, protocol, Extent::default());
        prop_assert!(redacted.left_out <= telegrams.len());
        prop_assert!(!found(&redacted.bytes, &NUMBER.to_be_bytes()));
        prop_assert!(!found(&redacted.bytes, NUMBER.to_string().as_bytes()));
    }
}
