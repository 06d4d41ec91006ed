//! A service that is away, that is busy, and that refuses.

use std::time::Duration;

use ebp_errors::{Admission, Folder, MOST_FILES, Step};
use ebp_testkit::receiver::{Answers, Receiver};
use jiff::SignedDuration;

use super::{at, event, lines, release, report, transmission};

/// Steps in simulated time until then, and returns what was done.
fn run(transmission: &mut ebp_errors::Transmission, from: i64, to: i64) -> Vec<Step> {
    let (mut now, mut steps) = (at(from), Vec::new());
    while now < at(to) {
        let step = transmission.step(now);
        now += SignedDuration::try_from(step.wait()).unwrap();
        steps.push(step);
    }
    steps
}

#[test]
fn after_a_day_without_the_service_the_newest_events_arrive_in_order() {
    const DAY: i64 = 24 * 3600;
    let folder = tempfile::tempdir().unwrap();
    let own = Folder::new(folder.path().to_owned());
    let receiver = Receiver::start();
    receiver.answer_with(Answers::Closed);
    let mut sending = transmission(&receiver, folder.path());
    let mut failed = 0;
    // Every twelve minutes an error of a place of its own.
    for line in 0..120 {
        let second = i64::from(line) * 720;
        let admission = own.admit(&report(line), &release(), true, at(second)).unwrap();
        assert_eq!(admission, Admission::Queued);
        let steps = run(&mut sending, second, second + 720);
        failed += steps.iter().filter(|step| matches!(step, Step::Failed { .. })).count();
        assert!(own.waiting() <= MOST_FILES);
    }
    assert!(receiver.received().is_empty());
    // Half a minute, doubled to an hour: thirty calls a day, not one a second.
    assert!((25..=35).contains(&failed), "{failed}");
    assert!(receiver.connections() <= 2 * failed, "{}", receiver.connections());
    assert_eq!(own.ledger().unwrap().dropped, 120 - MOST_FILES as u64);

    receiver.answer_with(Answers::Status(200, Vec::new()));
    let steps = run(&mut sending, DAY, DAY + 2 * 3600);
    let newest: Vec<u32> = (120 - MOST_FILES as u32..120).collect();
    assert_eq!(lines(&receiver), newest);
    assert_eq!(own.waiting(), 0);
    assert_eq!(own.ledger().unwrap().sent, MOST_FILES as u64);
    // A backlog is no burst.
    let pauses = steps.iter().filter(|step| **step == Step::Sent).map(Step::wait);
    assert!(pauses.eq(std::iter::repeat_n(Duration::from_millis(100), MOST_FILES)));
    // What was lost is said.
    let last = event(receiver.received().last().unwrap());
    assert_eq!(last["extra"]["dropped"], "55", "{last}");
    let first = event(&receiver.received()[0]);
    assert_eq!(first["timestamp"], at(720 * i64::from(newest[0])).to_string());
    assert_eq!(first["release"], "ebp@1.2.3");
}

#[test]
fn ten_an_hour_of_a_group_are_sent_and_the_next_one_counts_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let own = Folder::new(folder.path().to_owned());
    let receiver = Receiver::start();
    let mut sending = transmission(&receiver, folder.path());
    for second in 0..1000 {
        own.admit(&report(1), &release(), true, at(second)).unwrap();
    }
    run(&mut sending, 1000, 1100);
    assert_eq!(receiver.received().len(), 10);
    own.admit(&report(1), &release(), true, at(3600)).unwrap();
    run(&mut sending, 3600, 3700);
    let received = receiver.received();
    assert_eq!(received.len(), 11);
    assert_eq!(event(&received[10])["extra"]["left_out"], "990");
    assert_eq!(event(&received[10])["fingerprint"], event(&received[0])["fingerprint"]);
    assert_ne!(event(&received[10])["event_id"], event(&received[0])["event_id"]);
}

#[test]
fn limits_are_obeyed_by_the_next_process_too() {
    let folder = tempfile::tempdir().unwrap();
    let own = Folder::new(folder.path().to_owned());
    let receiver = Receiver::start();
    for line in 0..3 {
        own.admit(&report(line), &release(), true, at(0)).unwrap();
    }
    receiver.answer_with(Answers::Status(429, vec!["Retry-After: 120".to_owned()]));
    let mut sending = transmission(&receiver, folder.path());
    assert_eq!(sending.step(at(0)), Step::Waiting { wait: Duration::from_secs(120) });
    drop(sending);
    receiver.answer_with(Answers::Status(
        200,
        vec!["X-Sentry-Rate-Limits: 60:transaction, 300:error;default:organization".to_owned()],
    ));
    // As after a restart.
    let mut sending = transmission(&receiver, folder.path());
    run(&mut sending, 1, 119);
    assert_eq!(receiver.received().len(), 1);
    run(&mut sending, 120, 419);
    assert_eq!(receiver.received().len(), 2, "an answer of 200 has limits, too");
    receiver
        .answer_with(Answers::Status(200, vec!["X-Sentry-Rate-Limits: 900:session".to_owned()]));
    run(&mut sending, 420, 430);
    // What was limited is sent again, in its place.
    assert_eq!(lines(&receiver), [0, 0, 1, 2]);
    assert_eq!(own.waiting(), 0);
}

#[test]
fn what_is_refused_does_not_hold_up_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let own = Folder::new(folder.path().to_owned());
    let receiver = Receiver::start();
    for line in 0..2 {
        own.admit(&report(line), &release(), true, at(0)).unwrap();
    }
    let mut sending = transmission(&receiver, folder.path());
    receiver.answer_with(Answers::Status(400, Vec::new()));
    assert_eq!(sending.step(at(0)), Step::Refused { status: 400 });
    drop(sending);
    // A wrong key or project may be corrected: nothing is lost by it.
    for status in [401, 403, 404, 500, 302] {
        receiver.answer_with(Answers::Status(status, Vec::new()));
        let mut sending = transmission(&receiver, folder.path());
        assert!(matches!(sending.step(at(1)), Step::Failed { .. }), "{status}");
    }
    receiver.answer_with(Answers::Status(200, Vec::new()));
    let mut sending = transmission(&receiver, folder.path());
    assert_eq!(sending.step(at(2)), Step::Sent);
    assert_eq!(sending.step(at(3)), Step::Idle);
    assert_eq!(own.ledger().unwrap().refused, 1);
}

#[test]
fn one_process_of_a_folder_sends_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let own = Folder::new(folder.path().to_owned());
    let receiver = Receiver::start();
    for line in 0..2 {
        own.admit(&report(line), &release(), true, at(0)).unwrap();
    }
    let (mut first, mut second) =
        (transmission(&receiver, folder.path()), transmission(&receiver, folder.path()));
    assert_eq!(first.step(at(0)), Step::Sent);
    assert!(matches!(second.step(at(0)), Step::Waiting { .. }));
    assert_eq!(first.step(at(1)), Step::Sent);
    assert_eq!(first.step(at(2)), Step::Idle);
    own.admit(&report(3), &release(), true, at(3)).unwrap();
    assert_eq!(second.step(at(3)), Step::Sent);
    assert_eq!(lines(&receiver), [0, 1, 3]);
}
