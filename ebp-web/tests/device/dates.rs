//! Days that are none, or far away, in addresses and forms: a page or file of a sensible day, or one
//! that says that there is no such period.

use super::{
    reading::fields_of,
    world::{Browser, World},
};

const DAYS: [&str; 14] = [
    "0001-01-01",
    "0000-01-01",
    "-9999-01-01",
    "9999-12-31",
    "9999-01-01",
    "+262143-12-31",
    "-262144-01-01",
    "2026-02-30",
    "2026-13-01",
    "2026-06-15T00:00:00Z",
    "99999999999999999999",
    "1970-01-01",
    "",
    "x",
];

#[tokio::test]
async fn no_day_of_an_address_is_a_fault_of_the_server() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let mut refused = 0;
    for day in DAYS {
        let day = ebp_web::kit::page::encode(day);
        for kind in ["day", "week", "month", "year"] {
            for file in ["", ".csv", ".json"] {
                let path = format!("/measurements{file}?period={kind}&date={day}");
                let answer = browser.get_once(&path).await;
                assert!([200, 400].contains(&answer.status), "{path}: {}", answer.status);
                let is_said = answer.body.contains("Diesen Tag oder Zeitraum gibt es nicht");
                let is_refused = answer.status == 400 || is_said;
                assert_eq!(is_refused, !day.is_empty(), "{path}: {}", answer.text());
                refused += usize::from(is_refused);
            }
        }
        for name in ["date", "day", "from", "to", "until", "at"] {
            for path in
                ["/today", "/pending", "/live", "/devices", "/data", "/data.csv", "/consent"]
            {
                let path = format!("{path}?{name}={day}");
                let status = browser.get_once(&path).await.status;
                assert!([200, 404].contains(&status), "{path}: {status}");
            }
        }
        let page = browser.get("/remote-access").await;
        let mut fields = fields_of(&page.body, "switch-form");
        fields.retain(|(name, _)| name == "token");
        let token = fields[0].1.clone();
        let typed = DAYS.iter().find(|one| ebp_web::kit::page::encode(one) == day).unwrap();
        let pairs = [("token", &*token), ("choice", "until"), ("until", typed)];
        let answer = browser.post("/remote-access", &pairs).await;
        // Of what is longer than a day the day counts.
        let is_day = typed.starts_with("2026-06-15");
        assert_eq!(answer.status, if is_day { 200 } else { 422 }, "{day}: {}", answer.text());
    }
    assert!(refused > 100, "{refused}");
}
