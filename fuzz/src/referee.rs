//! sml-rs as referee: what it reads without an error, we read alike.
//!
//! Enters: the data of a frame. Leaves: a panic where the two disagree. Absent: an opinion on data
//! that sml-rs refuses; there we are meant to be more tolerant.

use ebp_meter::{
    readout::MeterTime,
    sml::{
        crc::Checksum,
        cursor::{Cursor, Element},
        list::{Entries, RawEntry, RawValue},
        message::{Message, messages},
    },
};
use sml_rs::parser::{
    common::{ListEntry, ListType, Status, Time, Value},
    streaming::{MessageBody, ParseEvent, Parser},
};

/// Puts the right checksum at the end of every message that has a place for one, so that made-up
/// messages get past that wall.
pub fn mend_checksums(data: &mut [u8]) {
    let mut at = 0;
    while let Some((covered, behind)) = covered(&data[at..]) {
        let sum = Checksum::X25.on_wire(&data[at..at + covered]);
        if let [0x63, first, second, ..] = &mut data[at + covered..] {
            [*first, *second] = sum;
        }
        at += behind;
    }
}

/// How many of the first message's bytes its checksum covers, and where the next one begins.
fn covered(data: &[u8]) -> Option<(usize, usize)> {
    let mut cursor = Cursor::new(data);
    let Ok(Element::List(6)) = cursor.element() else { return None };
    cursor.skip_elements(4).ok()?;
    let covered = data.len() - cursor.rest().len();
    cursor.skip().ok()?;
    cursor.skip_zeros();
    Some((covered, data.len() - cursor.rest().len()))
}

/// Compares the two readings of `data`, unless sml-rs finds an error in it.
pub fn compare(data: &[u8]) {
    // Its streaming parser allocates nothing; the complete one believes every count.
    let Ok(events) = Parser::new(data).collect::<Result<Vec<_>, _>>() else { return };
    let mut ours = messages(data);
    let mut list: Option<Entries<'_>> = None;
    for event in events {
        match event {
            ParseEvent::MessageStart(start) => {
                let message = ours.next().expect("a message more").expect("a readable message");
                let end = message.end().expect("a message with an end");
                assert_eq!(end.checked(Checksum::X25), Some(Checksum::X25));
                list = same_message(&start.message_body, &message);
            }
            ParseEvent::ListEntry(theirs) => {
                let entries = list.as_mut().expect("a list");
                match entries.next().expect("an entry more") {
                    Ok(ours) => same_entry(&theirs, &ours),
                    // A name of another length is no OBIS code. The entry is passed over, and those
                    // behind it are read.
                    Err(_) => assert_ne!(theirs.obj_name.len(), 6),
                }
            }
            ParseEvent::GetListResponseEnd(_) => {
                let mut entries = list.take().expect("a list");
                assert!(entries.next().is_none(), "an entry too many");
                // One walk ends where two do.
                ours.resume(&entries.end().expect("a list with an end"));
            }
        }
    }
    assert!(ours.next().is_none(), "a message too many");
}

fn same_message<'a>(theirs: &MessageBody<'_>, ours: &Message<'a>) -> Option<Entries<'a>> {
    let MessageBody::GetListResponse(theirs) = theirs else {
        assert!(ours.list_response().is_none());
        return None;
    };
    let ours = ours.list_response().expect("a list").expect("a readable list");
    assert_eq!(theirs.server_id, ours.server_id);
    assert_eq!(theirs.list_name.unwrap_or_default(), ours.list_name);
    same_time(theirs.act_sensor_time.as_ref(), ours.sensor_time);
    assert_eq!(theirs.num_vals as usize, ours.count);
    Some(ours.entries())
}

fn same_time(theirs: Option<&Time>, ours: Option<MeterTime>) {
    let theirs = theirs.map(|Time::SecIndex(seconds)| MeterTime::SecIndex(*seconds));
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
