//! Another implementation as referee: on every well-formed telegram sml-rs and we must agree.

#![allow(clippy::unwrap_used, reason = "a test")]

mod sml_support;

use ebp_meter::{
    readout::MeterTime,
    sml::{
        encode::encode,
        frame::frames,
        list::{ListResponse, RawEntry, RawValue},
        message::messages,
    },
};
use proptest::prelude::*;
use sml_rs::parser::{
    common::{ListEntry, ListType, Status, Time, Value},
    complete::{GetListResponse, MessageBody, parse},
};
use sml_support::{any::telegram, recordings::dumps};

fn same_time(theirs: &Option<Time>, ours: Option<MeterTime>) {
    let theirs = theirs.as_ref().map(|Time::SecIndex(seconds)| MeterTime::SecIndex(*seconds));
    assert_eq!(theirs, ours);
}

fn same_entry(theirs: &ListEntry<'_>, ours: &RawEntry<'_>) {
    assert_eq!(theirs.obj_name, ours.obis.0);
    let status = theirs.status.as_ref().map(|status| match *status {
        Status::Status8(status) => status.into(),
        Status::Status16(status) => status.into(),
        Status::Status32(status) => status.into(),
        Status::Status64(status) => status,
    });
    assert_eq!(status, ours.status);
    same_time(&theirs.val_time, ours.time);
    assert_eq!(theirs.unit, ours.unit.map(|unit| unit.0));
    assert_eq!(theirs.scaler.unwrap_or(0), ours.scaler);
    let number: i128 = match (&theirs.value, ours.value) {
        (Value::Bytes([]), RawValue::Absent) => return,
        (Value::Bytes(theirs), RawValue::Octets(ours)) => return assert_eq!(*theirs, ours),
        (Value::Bool(theirs), RawValue::Bool(ours)) => return assert_eq!(*theirs, ours),
        (Value::List(ListType::Time(theirs)), RawValue::Time(ours)) => {
            return same_time(&Some(theirs.clone()), Some(ours));
        }
        (Value::I8(i), _) => (*i).into(),
        (Value::I16(i), _) => (*i).into(),
        (Value::I32(i), _) => (*i).into(),
        (Value::I64(i), _) => (*i).into(),
        (Value::U8(i), _) => (*i).into(),
        (Value::U16(i), _) => (*i).into(),
        (Value::U32(i), _) => (*i).into(),
        (Value::U64(i), _) => (*i).into(),
        (theirs, ours) => panic!("{theirs:?}, {ours:?}"),
    };
    let RawValue::Int(int) = ours.value else { panic!("{number}, {:?}", ours.value) };
    assert_eq!(number, int.value());
}

fn same_list(theirs: &GetListResponse<'_>, ours: &ListResponse<'_>) {
    assert_eq!(theirs.server_id, ours.server_id);
    assert_eq!(theirs.list_name.unwrap_or_default(), ours.list_name);
    same_time(&theirs.act_sensor_time, ours.sensor_time);
    let entries: Vec<_> = ours.entries().map(Result::unwrap).collect();
    assert_eq!(theirs.val_list.len(), entries.len());
    theirs.val_list.iter().zip(&entries).for_each(|(theirs, ours)| same_entry(theirs, ours));
}

/// Compares the lists of values in a stream; returns how many there were.
fn compare(bytes: &[u8]) -> usize {
    let mut lists = 0;
    let mut scratch = Vec::new();
    let theirs: Vec<_> = sml_rs::transport::decode(bytes).into_iter().flatten().collect();
    let mut ours = frames(bytes).filter(|frame| frame.is_whole());
    for data in &theirs {
        let payload = ours.next().unwrap().payload(&mut scratch);
        assert_eq!(data, payload);
        let file = parse(data).unwrap();
        let mut messages = messages(payload).map(Result::unwrap);
        for theirs in &file.messages {
            let message = messages.next().unwrap();
            let first = ebp_meter::sml::crc::Checksum::X25;
            assert_eq!(message.end().unwrap().checked(first), Some(first));
            if let MessageBody::GetListResponse(list) = &theirs.message_body {
                same_list(list, &message.list_response().unwrap().unwrap());
                lists += 1;
            }
        }
        assert!(messages.next().is_none());
    }
    assert!(ours.next().is_none());
    lists
}

#[test]
fn on_every_recording() {
    let lists: usize = dumps().iter().map(|(_, bytes)| compare(bytes)).sum();
    assert_eq!(lists, 227);
}

proptest! {
    #[test]
    fn on_every_telegram_that_can_be_encoded(
        telegrams in prop::collection::vec(telegram(), 1..4),
    ) {
        let bytes: Vec<u8> = telegrams.iter().flat_map(|t| encode(t).unwrap()).collect();
        prop_assert_eq!(compare(&bytes), telegrams.len());
    }
}
