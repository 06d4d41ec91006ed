//! sml-rs as referee: the parts of a list of values, read by both, must be the same.
//!
//! Enters: what either found. Leaves: a panic where the two disagree. Absent: the walk through a
//! telegram, and an opinion on data that sml-rs refuses; there we are meant to be more tolerant.

use ebp_meter::{
    readout::MeterTime,
    sml::list::{RawEntry, RawValue},
};
use sml_rs::parser::common::{ListEntry, ListType, Status, Time, Value};

/// Asserts that both read the same time.
pub fn same_time(theirs: Option<&Time>, ours: Option<MeterTime>) {
    let theirs = theirs.map(|Time::SecIndex(seconds)| MeterTime::SecIndex(*seconds));
    assert_eq!(theirs, ours);
}

/// Asserts that both read the same entry.
pub fn same_entry(theirs: &ListEntry<'_>, ours: &RawEntry<'_>) {
    assert_eq!(theirs.obj_name, ours.obis.0);
    let status = theirs.status.as_ref().map(|status| match *status {
        Status::Status8(status) => status.into(),
        Status::Status16(status) => status.into(),
        Status::Status32(status) => status.into(),
        Status::Status64(status) => status,
    });
    assert_eq!(status, ours.status);
    same_time(theirs.val_time.as_ref(), ours.time);
    assert_eq!(theirs.unit, ours.unit.map(|unit| unit.0));
    assert_eq!(theirs.scaler.unwrap_or(0), ours.scaler);
    let number: i128 = match (&theirs.value, ours.value) {
        (Value::Bytes([]), RawValue::Absent) => return,
        (Value::Bytes(theirs), RawValue::Octets(ours)) => return assert_eq!(*theirs, ours),
        (Value::Bool(theirs), RawValue::Bool(ours)) => return assert_eq!(*theirs, ours),
        (Value::List(ListType::Time(theirs)), RawValue::Time(ours)) => {
            return same_time(Some(theirs), Some(ours));
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
