//! Trouble with meters: told once, in order, across restarts.

use proptest::prelude::*;

use super::*;
use IncidentChange::{Reported, Resolved};
use ebp_core::model::{Failures, Incident, IncidentType};

const KIND: IncidentType = IncidentType::SerialPortUnavailable;

fn when(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn changes(spool: &Spool) -> Vec<IncidentChange> {
    spool.incidents_to_tell().unwrap().iter().map(|news| news.change).collect()
}

fn tell_all(spool: &Spool) {
    for news in spool.incidents_to_tell().unwrap() {
        spool.incident_told(&news).unwrap();
    }
}

fn held(open: bool) -> Incident {
    Incident { kind: KIND, reported_at: when(0), resolved_at: (!open).then_some(when(1)) }
}

#[test]
fn each_change_is_told_once() {
    let (dir, mut spool) = spool();
    let mut note = |present, second, changed, expected: &[IncidentChange]| {
        assert_eq!(spool.note_incident(METER, KIND, present, when(second)).unwrap(), changed);
        assert_eq!(changes(&spool), expected, "at {second}");
        spool = Spool::open(dir.path()).unwrap();
        assert_eq!(changes(&spool), expected, "at {second} after a restart");
        tell_all(&spool);
        assert!(changes(&spool).is_empty());
    };
    note(false, 1, false, &[]);
    note(true, 2, true, &[Reported]);
    note(true, 3, false, &[]);
    note(false, 4, true, &[Resolved]);
    note(false, 5, false, &[]);
    note(true, 6, true, &[Reported]);
}

#[test]
fn what_happened_unheard_is_told_in_short() {
    for (heard, then, expected) in [
        (false, &[true, false][..], &[Reported, Resolved][..]),
        (false, &[true, false, true], &[Reported]),
        (false, &[true, false, true, false], &[Reported, Resolved]),
        (true, &[false, true], &[]),
        (true, &[false, true, false], &[Resolved]),
    ] {
        let (_dir, spool) = spool();
        if heard {
            spool.note_incident(METER, KIND, true, when(0)).unwrap();
            tell_all(&spool);
        }
        for (present, second) in then.iter().zip(1..) {
            spool.note_incident(METER, KIND, *present, when(second)).unwrap();
        }
        assert_eq!(changes(&spool), expected, "{heard} {then:?}");
        tell_all(&spool);
        assert!(changes(&spool).is_empty());
    }
}

#[test]
fn what_the_server_holds_is_neither_repeated_nor_forgotten() {
    // A new spool: the server has it open, the device sees it still, or no more.
    let (_dir, fresh) = spool();
    fresh.learn_incidents(METER, &[held(true)], when(9)).unwrap();
    assert!(changes(&fresh).is_empty());
    fresh.note_incident(METER, KIND, true, when(10)).unwrap();
    assert!(changes(&fresh).is_empty());
    fresh.note_incident(METER, KIND, false, when(11)).unwrap();
    assert_eq!(changes(&fresh), [Resolved]);
    let (_dir, gone) = spool();
    gone.learn_incidents(METER, &[held(true)], when(9)).unwrap();
    gone.note_incident(METER, KIND, false, when(10)).unwrap();
    assert_eq!(changes(&gone), [Resolved]);
    // The answer to an earlier report got lost.
    let (_dir, lost) = spool();
    lost.note_incident(METER, KIND, true, when(1)).unwrap();
    lost.note_incident(METER, KIND, false, when(2)).unwrap();
    lost.learn_incidents(METER, &[held(true)], when(3)).unwrap();
    assert_eq!(changes(&lost), [Resolved]);
    // It has ended, or never was: what the device sees is news.
    for server in [vec![held(false)], vec![]] {
        let (_dir, spool) = spool();
        spool.note_incident(METER, KIND, true, when(1)).unwrap();
        spool.learn_incidents(METER, &server, when(2)).unwrap();
        assert_eq!(changes(&spool), [Reported]);
        assert!(spool.has_incident(METER, KIND).unwrap());
    }
}

#[test]
fn news_come_in_the_order_in_which_it_happened() {
    let (_dir, spool) = spool();
    let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
    spool.note_incident(b, IncidentType::ObisCodesUnavailable, true, when(1)).unwrap();
    spool.note_incident(a, KIND, true, when(2)).unwrap();
    spool.note_incident(b, KIND, true, when(3)).unwrap();
    let order: Vec<_> =
        spool.incidents_to_tell().unwrap().iter().map(|n| (n.meter, n.kind, n.since)).collect();
    assert_eq!(
        order,
        [(b, IncidentType::ObisCodesUnavailable, when(1)), (a, KIND, when(2)), (b, KIND, when(3))]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// The server opens what is reported and ends what is resolved. However requests and answers get
    /// lost: once all is told, it holds what the device sees.
    #[test]
    fn in_the_end_the_server_holds_what_the_device_sees(
        steps in prop::collection::vec((any::<bool>(), 0..3_u8), 1..40)
    ) {
        let (_dir, spool) = spool();
        let mut open = None;
        let mut present = false;
        for ((now, answer), second) in steps.into_iter().zip(1..) {
            present = now;
            spool.note_incident(METER, KIND, now, when(second))?;
            for news in spool.incidents_to_tell()? {
                spool.incident_telling(&news)?;
                if answer > 0 {
                    open = Some(news.change == Reported);
                }
                if answer > 1 {
                    spool.incident_told(&news)?;
                } else {
                    break;
                }
            }
        }
        for news in spool.incidents_to_tell()? {
            open = Some(news.change == Reported);
            spool.incident_told(&news)?;
        }
        prop_assert_eq!(open.unwrap_or(false), present);
        prop_assert!(spool.incidents_to_tell()?.is_empty());
    }
}

#[test]
fn a_trouble_lasts_from_its_first_to_its_last_failure_however_late_the_server_hears() {
    let (_dir, spool) = spool();
    let note = |present, first, last, slots| {
        let failures = Failures { first: Some(when(first)), last: Some(when(last)), slots };
        spool.note_incident_with(METER, KIND, present, when(last + 5), failures).unwrap();
        let news = spool.incidents_to_tell().unwrap();
        news.iter().map(|n| (n.change, n.at.unwrap().as_second())).collect::<Vec<_>>()
    };
    assert_eq!(note(true, 10, 20, 2), [(Reported, 10)]);
    assert_eq!(note(false, 10, 90, 9), [(Reported, 10), (Resolved, 90)]);
    // It comes again before it was reported: it has simply lasted.
    assert_eq!(note(true, 110, 120, 2), [(Reported, 10)]);
    tell_all(&spool);
    assert_eq!(note(false, 110, 190, 9), [(Resolved, 190)]);
    let failures = Failures { first: Some(when(10)), last: Some(when(190)), slots: 18 };
    assert_eq!(spool.incident_failures(METER, KIND).unwrap(), failures);
    // Once the server knows that it is over, the next one is another.
    tell_all(&spool);
    assert_eq!(note(true, 300, 310, 2), [(Reported, 300)]);
    assert_eq!(note(false, 300, 320, 3), [(Reported, 300), (Resolved, 320)]);
    assert_eq!(spool.incident_failures(METER, KIND).unwrap().slots, 3);
}
