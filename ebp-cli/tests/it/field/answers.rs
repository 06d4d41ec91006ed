//! Servers of the worst kind: whatever they answer, nothing is lost and nothing doubled.

use std::{thread, time::Duration};

use super::{
    arrived, configure, daemon,
    interferer::{Interferer, Mood},
    pending,
};
use crate::support::{household::Household, meter::Meter, server::Server, wait_for};

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn json(body: &str) -> String {
    answer("200 OK", "content-type: application/json\r\n", body)
}

/// Every bad answer that the device is told of by a word in its complaint.
fn moods() -> Vec<(Mood, &'static str)> {
    let error = answer("500 Internal Server Error", "", "oh");
    let no_such = "00000000-0000-4000-8000-000000000000";
    vec![
        (Mood::Instead(error.clone()), "500"),
        // It has stored everything, and says that it has not.
        (Mood::DoneBut(error), "500"),
        (Mood::Instead(answer("503 Service Unavailable", "", "")), "503"),
        (Mood::Instead("\u{1}\u{2} no HTTP at all\r\n\r\n".into()), "cannot reach"),
        (Mood::DoneBut("".into()), "cannot reach"),
        (Mood::Instead(json("<html>a portal of a hotel</html>")), "no JSON"),
        (Mood::DoneBut(json("{\"items\": [")), "it breaks off"),
        (Mood::Instead(json("{\"items\": []}")), "says nothing of what was sent"),
        (
            Mood::Instead(json(&format!(
                "{{\"items\": [{{\"uuid\": \"{no_such}\", \"outcome\": \"accepted\"}}]}}"
            ))),
            "",
        ),
        (Mood::Half, "breaks off"),
        (Mood::Late(Duration::from_secs(3)), "cannot reach"),
    ]
}

struct Scene {
    server: Server,
    household: Household,
    between: Interferer,
    _meter: Meter,
}

impl Scene {
    fn set() -> Self {
        let server = Server::start();
        let household = Household::register(&server, "erika@example.org", &["MT175"], "1s");
        household.account(&server).grant();
        let between = Interferer::start(&server, &household);
        configure(&household, &server.url(), &between.url());
        configure(&household, "[cycle]", "timeout = \"1500ms\"\n[cycle]");
        let meter = Meter::quick(household.folder.path(), "MT175");
        Self { server, household, between, _meter: meter }
    }
}

#[test]
fn whatever_a_server_answers_nothing_is_lost_or_doubled() {
    let Scene { server, household, between, .. } = &Scene::set();
    let mut stored = pending(household);
    for (mood, word) in moods() {
        household.measure().done();
        let before = pending(household);
        stored.extend(before.iter().cloned());
        between.be([mood.clone()]);
        let run = household.transmit();
        assert_eq!(run.code, Some(1), "{mood:?}: {run:#?}");
        assert!(run.stderr.contains(word), "{mood:?}: {run:#?}");
        assert!(run.stderr.lines().count() == 1, "{mood:?}: {run:#?}");
        // Only what the server has confirmed has left.
        assert_eq!(pending(household), before, "{mood:?}");
        assert!(between.is_well());
    }
    household.transmit().done();
    assert!(pending(household).is_empty());
    assert_eq!(arrived(household, server), stored);
}

#[test]
fn a_server_that_asks_for_peace_is_left_in_peace() {
    let Scene { server, household, between, .. } = &Scene::set();
    household.measure().done();
    let stored = pending(household);
    let busy = answer("429 Too Many Requests", "retry-after: 4\r\n", "");
    between.be([Mood::Instead(busy)]);
    let sending = daemon("transmit", household);
    wait_for("the upload that is turned away", || between.is_well().then_some(()));
    // Neither the daemon nor a command calls before the time.
    household.transmit().refused(1, &["asked not to be called", "nothing is lost"]);
    thread::sleep(Duration::from_secs(3));
    assert_eq!(between.uploads(), 1, "{:#?}", sending.stderr());
    wait_for("the upload that is taken", || pending(household).is_empty().then_some(()));
    assert_eq!(between.uploads(), 2, "{:#?}", sending.stderr());
    assert_eq!(arrived(household, server), stored);
}
