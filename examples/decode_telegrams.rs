//! Finds telegrams in a stream of bytes, without any port.
//!
//! `cargo run -p ebp-meter --example decode_telegrams` decodes what a virtual meter sends, with
//! noise before it; give it a recording's path to decode that instead.

use std::{env, error::Error, fs};

use ebp_core::model::MeterType;
use ebp_meter::{
    decoder::{Decode, Event},
    profile::Profiles,
    sml,
    virtual_meter::{Energies, HouseholdOptions, MeterOptions, VirtualMeter},
};

fn main() -> Result<(), Box<dyn Error>> {
    let bytes = match env::args().nth(1) {
        Some(path) => fs::read(path)?,
        None => noisy_telegram()?,
    };
    let mut decoder = sml::Decoder::new();
    for piece in bytes.chunks(64) {
        decoder.push(piece);
        while let Some(event) = decoder.next_event() {
            show(event);
        }
    }
    decoder.finish();
    while let Some(event) = decoder.next_event() {
        show(event);
    }
    Ok(())
}

fn show(event: Event) {
    match event {
        Event::Readout(readout) => {
            for point in readout.survey() {
                println!("{} {}", point.obis, point.value);
            }
        }
        Event::Noise(noise) => println!("passed over: {noise:?}"),
    }
}

fn noisy_telegram() -> Result<Vec<u8>, Box<dyn Error>> {
    let profiles = Profiles::embedded();
    let options = MeterOptions {
        kind: MeterType::Electricity,
        number: 4_711,
        household: HouseholdOptions { seed: 1, pv_peak_watts: 8_000, battery_watt_hours: 0 },
        locked: false,
        start: "2026-06-21T10:00:00Z".parse()?,
        energies: Energies::from_watt_hours(12_345_678, 4_711_081).unwrap_or_default(),
    };
    let mut bytes = b"noise on the line".to_vec();
    bytes.extend(VirtualMeter::new(profiles.get("MT175")?, options)?.telegram()?);
    Ok(bytes)
}
