//! What is encoded is decoded, exactly.

#![no_main]

use ebp_fuzz::{events, telegram::AnyTelegram};
use ebp_meter::{
    decoder::Event,
    readout::{Integrity, MeterTime, Value},
    sml::{
        Decoder,
        encode::{EncodeValue, Telegram, encode},
    },
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|telegram: AnyTelegram| {
    let telegram = Telegram::from(telegram);
    let Ok(bytes) = encode(&telegram) else { return };
    // A frame that is too long is given up.
    if bytes.len() > ebp_meter::sml::frame::LONGEST {
        return;
    }
    let events = events(Decoder::new(), [bytes.as_slice()]);
    let [Event::Readout(readout)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(readout.integrity, Integrity::Ok);
    assert_eq!(readout.bytes, bytes.len());
    assert_eq!(readout.meter_time, telegram.sec_index.map(MeterTime::SecIndex));
    if !telegram.server_id.is_empty() {
        assert!(readout.server_id.as_ref().is_some_and(|id| id.0[..] == telegram.server_id[..]));
    }
    assert_eq!(readout.entries.len(), telegram.entries.len());
    for (found, sent) in readout.entries.iter().zip(&telegram.entries) {
        assert_eq!(found.obis, sent.obis);
        assert_eq!(found.unit, sent.unit);
        assert_eq!(found.scaler, sent.scaler.unwrap_or(0));
        assert_eq!(found.status.map(i128::from), sent.status.map(|status| status.value));
        assert_eq!(found.time, sent.sec_index.map(MeterTime::SecIndex));
        let value = match &sent.value {
            EncodeValue::Int(int) => Value::Integer(int.value),
            EncodeValue::Octets(octets) if !octets.is_empty() => Value::Octets(octets.as_slice().into()),
            EncodeValue::Octets(_) | EncodeValue::Absent => Value::Absent,
        };
        assert!(found.value == value || found.corrected.is_some());
    }
});
