//! Telegrams of public reports (`field/README.md`): which values count, and what is said of the
//! lock.

use ebp_meter::{
    d0,
    decoder::{Decode, Event},
    identify::identify,
    interface::Registry,
    lock::Lock,
    readout::{Readout, Value},
    sml,
};

fn readouts(file: &str) -> Vec<Readout> {
    let path = format!("{}/tests/field/{file}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let decoders: [Box<dyn Decode>; 2] =
        [Box::new(sml::Decoder::new()), Box::new(d0::Decoder::new())];
    decoders
        .into_iter()
        .map(|mut decoder| {
            decoder.push(&bytes);
            decoder.finish();
            std::iter::from_fn(move || decoder.next_event())
                .filter_map(|event| match event {
                    Event::Readout(readout) => Some(readout),
                    Event::Noise(_) => None,
                })
                .collect::<Vec<_>>()
        })
        .max_by_key(Vec::len)
        .unwrap()
}

/// `1.8.0 734.9456`, with ` < ` and where it is from.
fn figures(readout: &Readout) -> Vec<String> {
    readout
        .figures()
        .iter()
        .map(|figure| {
            let from = match &figure.source {
                ebp_meter::canonical::Source::Own => String::new(),
                ebp_meter::canonical::Source::Register(code) => format!(" < {code}"),
                sum => format!(" < {}", sum.derivation().unwrap()),
            };
            let corrected = figure.corrected.map_or("", |correction| correction.name());
            format!("{} {}{from} {corrected}", figure.obis.short(), figure.value.normalize())
                .trim_end()
                .to_owned()
        })
        .collect()
}

#[test]
fn the_right_registers_count() {
    for (file, expected) in [
        ("s01_lgz_e320.raw", vec!["1.8.0 734.9456", "2.8.0 1.2137", "16.7.0 0.004"]),
        ("s03_emh_two_tariff.raw", vec!["1.8.0 5046.2753", "2.8.0 7997.8995", "16.7.0 -0.001"]),
        (
            "s05_easymeter_q3c.raw",
            vec![
                "1.8.0 40053.6743401 < 1-1:1.8.0*255",
                "2.8.0 24788.5712345 < 1-2:2.8.0*255",
                "16.7.0 -2.1527 < 1-0:1.7.0*255",
            ],
        ),
        ("s08_lgz_bit_lost.raw", vec!["1.8.0 734.9456", "2.8.0 1.2137", "16.7.0 0.004"]),
        ("s09_emh_cr_in_value.raw", vec!["1.8.0 23149.125", "2.8.0 7997.8995", "16.7.0 -0.001"]),
        (
            "d20_lgz_zmd310.raw",
            vec![
                "1.8.0 94.5 < 1-1:1.8.0*255",
                "2.8.0 293.9 < 1-1:2.8.0*255",
                "16.7.0 0.03 < 1-1:16.7.0*255",
            ],
        ),
        (
            "d22_elster_as2018.raw",
            vec!["1.8.0 5974.001", "2.8.0 113.121", "1.7.0 0.412", "2.7.0 0"],
        ),
        (
            "d24_pafal_ec3gr.raw",
            vec!["1.8.0 19446.38 < 1-0:1.8.0*0", "2.8.0 23813.75 < 1-0:2.8.0*0"],
        ),
        ("d25_zmd405_parity_bits.raw", vec!["1.8.0 302.826", "2.8.0 0"]),
        ("d26_logarex_inf_off.raw", vec!["1.8.0 2195.9138", "2.8.0 0"]),
        ("d29_q3d_name_twice.raw", vec!["1.8.0 14869.2594317", "2.8.0 4711.0815", "1.7.0 0.10108"]),
        ("hly_export.bin", vec!["1.8.0 83.735", "16.7.0 -0.425 holley-direction"]),
    ] {
        let readouts = readouts(file);
        assert!(!readouts.is_empty(), "{file}");
        for readout in &readouts {
            assert_eq!(figures(readout), expected, "{file}");
        }
    }
}

#[test]
fn damaged_ones_give_nothing() {
    for file in ["s06_q3c_buffer_overrun.raw", "s08b_lgz_bit_lost_only.raw", "s09b_emh_icrnl.raw"] {
        assert_eq!(readouts(file), [], "{file}");
    }
}

#[test]
fn the_lock_is_judged_by_decimals_and_power() {
    for (file, lock) in [
        ("s01_lgz_e320.raw", Lock::Open),
        ("s05_easymeter_q3c.raw", Lock::Open),
        ("d20_lgz_zmd310.raw", Lock::Open),
        ("d22_elster_as2018.raw", Lock::Open),
        ("d24_pafal_ec3gr.raw", Lock::NoPowerByDesign),
        ("d25_zmd405_parity_bits.raw", Lock::NoPowerByDesign),
        ("d26_logarex_inf_off.raw", Lock::ExtendedDataOff),
        ("d29_q3d_name_twice.raw", Lock::Open),
        ("hly_export.bin", Lock::Open),
    ] {
        let identity = identify(&Registry::embedded(), &readouts(file)).unwrap();
        assert_eq!(identity.lock, lock, "{file}: {identity:?}");
    }
}

#[test]
fn texts_are_texts_and_identities_are_one() {
    let text = |file: &str, code: &str| {
        let readouts = readouts(file);
        let entry = readouts[0].entry(code.parse().unwrap()).unwrap();
        let Value::Octets(text) = &entry.value else { panic!("{code}") };
        String::from_utf8(text.to_vec()).unwrap()
    };
    assert_eq!(text("d22_elster_as2018.raw", "0.9.5"), "3");
    assert_eq!(text("d20_lgz_zmd310.raw", "1-1:0.1.0"), "01");
    assert_eq!(text("d25_zmd405_parity_bits.raw", "0.1.0*12"), "21-01-01 00:00");
    // Landis+Gyr 12345678, as its SML meters say it.
    for file in ["d20_lgz_zmd310.raw", "s01_lgz_e320.raw"] {
        assert_eq!(readouts(file)[0].server_id.as_ref().unwrap().hex(), "0a014c475a0000bc614e");
    }
    let unaddressed = &readouts("d20_lgz_zmd310.raw")[0].unaddressed;
    let shown: Vec<_> = unaddressed.iter().map(|r| (r.address.as_str(), r.text.as_str())).collect();
    assert!(shown.contains(&("1-1:0.5.1.2", "80.000*kW")), "{shown:?}");
}
