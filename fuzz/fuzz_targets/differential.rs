//! What sml-rs reads without an error, we read alike, and both agree on the frame around it.

#![no_main]

use ebp_fuzz::{
    referee::{compare, mend_checksums},
    telegram::AnyTelegram,
};
use ebp_meter::sml::{
    encode::{encode_file, wrap},
    frame::{Frame, frames},
};
use libfuzzer_sys::{
    arbitrary::{Arbitrary, Unstructured},
    fuzz_target,
};

fuzz_target!(|input: &[u8]| {
    let [how, input @ ..] = input else { return };
    let mut data = match how % 4 {
        // Telegrams as they should be, and with a byte of damage.
        0 | 1 => {
            let mut unstructured = Unstructured::new(input);
            let Ok(telegram) = AnyTelegram::arbitrary(&mut unstructured) else { return };
            let Ok(mut data) = encode_file(&telegram.into()) else { return };
            if how % 4 == 1 {
                let at = usize::from(how / 4) * 7 % data.len();
                data[at] ^= 1 << (how / 4 % 8);
            }
            data
        }
        // Recordings and what the fuzzer makes of them.
        _ => input.to_vec(),
    };
    mend_checksums(&mut data);
    compare(&data);
    // An empty frame is none to sml-rs.
    if data.is_empty() || data.len() > 8000 {
        return;
    }
    let wire = wrap(&data);
    assert_eq!(sml_rs::transport::encode::<Vec<u8>>(&data), Ok(wire.clone()));
    let mut scratch = Vec::new();
    let mut found = frames(&wire);
    let payload = found.next().filter(Frame::is_whole).map(|f| f.payload(&mut scratch).to_vec());
    assert!(found.next().is_none());
    assert_eq!(payload.as_ref(), Some(&data));
    let theirs: Result<Vec<_>, _> = sml_rs::transport::decode(&wire).into_iter().collect();
    assert_eq!(theirs, Ok(payload.into_iter().collect()));
});
