//! The pages of researchers and administrators in `ebp demo`: every trouble of the neighbours is there,
//! as their simulated past has brought it about.

use rustix::process::Signal;

use crate::{
    demo_page::past_is_made,
    operate::page::Browser,
    support::{ebp, process::Running},
};

/// Address and secret of a line.
fn read_origin_and_secret(line: &str) -> (String, String) {
    let address = line.split(' ').find(|word| word.starts_with("http://localhost:")).unwrap();
    let origin = address.rsplit_once('/').unwrap().0.to_owned();
    let secret = line.split("(secret ").nth(1).unwrap().trim_end_matches(')').to_owned();
    (origin, secret)
}

#[test]
fn every_trouble_of_the_neighbours_is_on_the_administrators_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = ebp();
    command.current_dir(folder.path()).args(["demo", "--cycle", "1s", "--past", "7d"]);
    let mut demo = Running::start(command);
    past_is_made(&demo);
    let (origin, secret) =
        read_origin_and_secret(&demo.wait_for("The pages of the administrators:"));
    let mut browser = Browser::at(origin);
    browser.sign_in_as("administrators", &secret);
    let shown = |state: &str| {
        let (status, text) = browser.get(&format!("/status?state={state}"));
        assert_eq!(status, 200, "{text}");
        let rows = text.split("<tbody>").nth(1).unwrap_or_default();
        (rows.matches("<tr><th scope=\"row\">").count(), rows.to_owned())
    };
    for (state, name) in [
        ("silent", "Stefan Still"),
        ("late", "Vera Verspätet"),
        ("incident", "Sven Störung"),
        ("never-spoke", "Nina Niegemeldet"),
    ] {
        let (count, rows) = shown(state);
        // The household that leaves in the demo has not spoken either.
        let others = usize::from(rows.contains("Lea Beispiel"));
        assert!(count == 1 + others && rows.contains(name), "{state}: {rows}");
    }
    // Whoever revoked has no name any more.
    let (count, rows) = shown("revoked");
    assert!((1..=2).contains(&count) && !rows.contains("Rita"), "{rows}");

    // The researchers have the same households.
    let (origin, secret) = read_origin_and_secret(&demo.wait_for("The pages of the researchers:"));
    let mut browser = Browser::at(origin);
    browser.sign_in_as("researchers", &secret);
    let (status, text) = browser.get("/registration");
    assert!(status == 200 && text.contains("Nina Niegemeldet"), "{status} {text}");
    assert!(!text.contains("Rita"), "{text}");
    demo.signal(Signal::INT);
    demo.end().done();
}
