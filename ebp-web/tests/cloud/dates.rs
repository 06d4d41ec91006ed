//! Days and places of lists that are none, or far away, in addresses and forms of the cloud's pages.

use ebp_core::scope::Group;

use crate::{status::consenting, world::World};

const DAYS: [&str; 8] = [
    "0001-01-01",
    "9999-12-31",
    "+262143-12-31",
    "-262144-01-01",
    "2026-02-30",
    "99999999999999999999",
    "",
    "x",
];

/// Places in lists: the earliest and the latest that can be written, and what is none.
fn places() -> Vec<String> {
    let uuid = "00000000000000000000000000000000";
    let hexadecimal = ["7fffffffffffffff", "8000000000000000", "ffffffffffffffff"];
    let mut places: Vec<String> = hexadecimal.iter().map(|at| format!("{at}{uuid}")).collect();
    for at in ["9223372036854775807", "1", "253402300800000000", "99999999999999999999"] {
        places.push(format!("{at}-{uuid}"));
        places.push(format!("-{at}-{uuid}"));
    }
    places.extend(DAYS.map(str::to_owned));
    places
}

async fn no_date_is_a_fault_of_the_server(world: &World) {
    let made = consenting(world, 1).await;
    let of = format!("/registration/household/{}", made.household);
    let device = format!("/status/device/{}", made.measurement_device);
    let mut tried = 0;
    for (group, paths) in [
        (
            Group::Researchers,
            vec![
                "/registration",
                "/registration/households.csv",
                "/registration/messages",
                "/registration/consents",
                &*of,
            ],
        ),
        (
            Group::Administrators,
            vec!["/status", "/status/alerts", "/status/server", "/status/rollout", &*device],
        ),
    ] {
        let mut browser = world.signed_in(group).await;
        for path in paths {
            for place in places() {
                let place = ebp_web::kit::page::encode(&place);
                for name in ["after", "until", "from", "to", "date", "day", "cursor"] {
                    let address = format!("{path}?{name}={place}");
                    let answer = browser.get(&address).await;
                    let is_sensible = [200, 303, 400, 404, 422].contains(&answer.status);
                    assert!(is_sensible, "{address}: {}, {}", answer.status, answer.body);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
    // Forms with a day: the withdrawal's, a photovoltaic system's, a silence's.
    let mut researcher = world.signed_in(Group::Researchers).await;
    let mut administrator = world.signed_in(Group::Administrators).await;
    for day in DAYS {
        let path = format!("{of}/withdrawal");
        let pairs = [("received_on", day), ("channel", "letter"), ("do", "record")];
        let answer = researcher.submit(&path, &path, &pairs).await;
        assert_eq!(answer.status, 422, "{day}: {}", answer.body);
        let path = format!("{of}/system/new");
        let version = researcher.get(&path).await.input("version");
        let pairs = [
            ("version", &*version),
            ("power", "5"),
            ("azimuth", "180"),
            ("tilt", "30"),
            ("installed", day),
            ("do", "save"),
        ];
        let status = researcher.submit(&path, &path, &pairs).await.status;
        assert!([303, 422].contains(&status), "{day}: {status}");
        let path = format!("{device}/silence");
        let pairs = [("reason", "x"), ("until", day), ("holds", "yes")];
        let answer = administrator.submit(&device, &path, &pairs).await;
        assert_eq!(answer.status, 422, "{day}: {}", answer.body);
        // What was stored is shown.
        assert_eq!(researcher.get(&of).await.status, 200, "{day}");
        let file = researcher.get("/registration/households.csv").await;
        assert_eq!(file.status, 200, "{day}");
    }
}

#[tokio::test]
async fn no_date_is_a_fault_of_the_server_on_sqlite() {
    no_date_is_a_fault_of_the_server(&World::on_sqlite().await).await;
}

#[tokio::test]
async fn no_date_is_a_fault_of_the_server_on_postgresql() {
    no_date_is_a_fault_of_the_server(&World::on_postgresql().await).await;
}
