//! Whatever the short way reads of data points, serde reads alike, and it is written as it stood.

#![no_main]

use ebp_core::model::{MeasurementData, read_data, write_data};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let by_serde: Option<MeasurementData> = serde_json::from_str(text).ok();
    let Some(read) = read_data(text) else { return };
    assert_eq!(Some(&read), by_serde.as_ref());
    let mut written = String::new();
    write_data(&read, &mut written).unwrap();
    // Codes are written in small letters; nothing else has any.
    assert_eq!(written, text.to_ascii_lowercase());
});
