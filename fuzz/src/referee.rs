//! sml-rs as referee: what it reads without an error, we read alike.
//!
//! Enters: the data of a frame. Leaves: a panic where the two disagree. Absent: an opinion on data
//! that sml-rs refuses; there we are meant to be more tolerant.

use ebp_meter::sml::{
    crc::Checksum,
    cursor::{Cursor, Element},
    list::Entries,
    message::{Message, messages},
};
use ebp_testkit::referee::{same_entry, same_time};
use sml_rs::parser::streaming::{MessageBody, ParseEvent, Parser};

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
