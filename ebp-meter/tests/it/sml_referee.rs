//! Another implementation as referee: on every well-formed telegram sml-rs and we must agree.

use crate::sml_support::any::telegram;
use ebp_meter::sml::{encode::encode, frame::frames, list::ListResponse, message::messages};
use ebp_testkit::{
    recordings::dumps,
    referee::{same_entry, same_time},
};
use proptest::prelude::*;
use sml_rs::parser::complete::{GetListResponse, MessageBody, parse};

fn same_list(theirs: &GetListResponse<'_>, ours: &ListResponse<'_>) {
    assert_eq!(theirs.server_id, ours.server_id);
    assert_eq!(theirs.list_name.unwrap_or_default(), ours.list_name);
    same_time(theirs.act_sensor_time.as_ref(), ours.sensor_time);
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
