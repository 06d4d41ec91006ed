//! Any text is read as a profile or refused, without a panic; what is read can be used.

#![no_main]

use ebp_meter::profile::Profile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Profile::parse("fuzzed.toml", text) {
        Ok(profile) => {
            let _ = (profile.registers(true), profile.registers(false), format!("{profile:?}"));
        }
        Err(error) => {
            let _ = error.to_string();
        }
    }
});
