//! Alerts over the Data API: a device that stops is told of once, in no quiet hour, to receivers of
//! every kind.

mod copied;
mod errors;
mod receiver;
mod rules;
mod silence;
mod tls;

use std::time::Duration;

use ebp_core::{
    clock::Clock,
    contract::{
        AlertChange, AlertChannel, AlertKind, AlertMessage, AlertMessageKind, AlertRules,
        DeliveryState, Listing, paths,
    },
    scope::Group,
};
use ebp_server::alert::{AlertSettings, MailSettings, MailTls, SecretUrl, WebhookSettings};
use ebp_store::QuietHours;
use jiff::{civil::time, tz::TimeZone};
use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use self::receiver::{ENDLESS, NOTHING, Receiver, SECRET, mail_server};
use crate::harness::{Engine, Server, URL, measurement};

/// A server that looks every few moments and posts to that receiver.
async fn watching(
    receiver: Option<&Receiver>,
    settle: impl FnOnce(&mut AlertSettings, jiff::Timestamp),
) -> Server {
    let dir = Server::prepare(crate::ENGINE).await;
    let secret = dir.path().join("webhook.secret");
    ebp_core::private_file::replace(&secret, &dir.path().join("new"), SECRET.as_bytes()).unwrap();
    Server::open_with(dir, |settings, clock| {
        let mut alerts = AlertSettings {
            allowed: vec!["127.0.0.1".parse().unwrap()],
            patience: Duration::from_millis(400),
            look: Duration::from_millis(30),
            ..AlertSettings::default()
        };
        alerts.webhook =
            receiver.map(|receiver| WebhookSettings { url: SecretUrl::new(&receiver.url), secret });
        alerts.policy.thresholds.late = None;
        settle(&mut alerts, clock.now());
        settings.alerts = Some(alerts);
    })
    .await
}

/// Waits until all devices were looked at by the clock as it is now.
async fn looked(server: &Server) {
    let now = server.clock.now();
    for _ in 0..1500 {
        let state = server.store.alert_state(now).await.unwrap();
        if state.watching.is_some_and(|watching| watching.looked_at > now) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody looks");
}

/// Lets so many half hours pass while the server looks.
async fn pass(server: &Server, half_hours: usize) {
    for _ in 0..half_hours {
        server.clock.advance(1800);
        looked(server).await;
    }
}

async fn listed(server: &Server) -> Vec<AlertMessage> {
    let answer = server.manager(Group::Administrators).get(paths::MANAGEMENT_ALERT).ok().await;
    serde_json::from_value::<Listing<AlertMessage>>(answer).unwrap().items
}

/// The message once none of its deliveries waits.
async fn sent(server: &Server, message: Uuid) -> AlertMessage {
    let path = paths::MANAGED_ALERT.replace("{uuid}", &message.to_string());
    for _ in 0..500 {
        let shown = server.manager(Group::Administrators).get(&path).ok().await;
        let shown: AlertMessage = serde_json::from_value(shown).unwrap();
        if shown.deliveries.iter().all(|delivery| delivery.state != DeliveryState::Pending) {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("message {message} is not sent");
}

async fn test(server: &Server) -> AlertMessage {
    let call = server.manager(Group::Administrators).post(paths::ALERT_TEST);
    let made: AlertMessage =
        serde_json::from_value(call.expect(StatusCode::ACCEPTED).await).unwrap();
    sent(server, made.uuid).await
}

#[tokio::test]
async fn a_device_that_stops_is_told_of_once_and_so_is_its_return() {
    let receiver = Receiver::start().await;
    let (address, mails) = mail_server().await;
    let server = watching(Some(&receiver), |alerts, _| {
        alerts.mail = Some(MailSettings {
            server: address,
            tls: MailTls::None,
            user: None,
            password: None,
            from: "ebp@example.org".into(),
            to: vec!["first@example.org".into(), "second@example.org".into()],
            pages: Some("https://survey.example.org".into()),
        });
    })
    .await;
    let (made, _) = server.consenting("erika@example.org").await;
    // Certificates of tests are valid for an hour.
    let device = || server.device("erika@example.org", &made);
    let report = async |number| {
        device().upload(&[measurement(number, made.meters[0], server.clock.now())]).ok().await;
    };
    pass(&server, 6).await;
    assert_eq!(receiver.count(), 0, "it never spoke");
    server.clock.advance(1);
    report(1).await;
    let reported = server.clock.now();
    pass(&server, 4).await;
    assert_eq!(receiver.count(), 0, "two report cycles are not over");
    server.clock.advance(60);
    let [got] = &receiver.wait(1).await[..] else { panic!() };
    got.assert_signed();
    let notice = got.notice();
    assert_eq!((notice.kind, notice.began, notice.ended), (AlertMessageKind::Changes, 1, 0));
    let item = &notice.items[0];
    assert_eq!((item.device, item.kind), (made.measurement_device, AlertKind::Silent));
    assert!(item.at.duration_since(reported).abs() < jiff::SignedDuration::from_secs(5));
    // That it asks for consent shows no life.
    device().get(paths::CONSENT).ok().await;
    pass(&server, 3).await;
    receiver.wait(1).await;

    report(2).await;
    let got = receiver.wait(2).await;
    let ended = got[1].notice();
    assert_eq!((ended.began, ended.ended, ended.items[0].change), (0, 1, AlertChange::Ended));
    assert_eq!(ended.items[0].episode, item.episode);

    let all = listed(&server).await;
    assert_eq!(all.len(), 2);
    for message in &all {
        let message = sent(&server, message.uuid).await;
        let channels: Vec<_> = message.deliveries.iter().map(|d| d.channel).collect();
        assert_eq!(channels, [AlertChannel::Webhook, AlertChannel::Mail]);
        assert!(message.deliveries.iter().all(|d| d.attempts == 1), "{message:?}");
    }
    let mails = mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 2);
    assert!(mails[0].contains(&format!("Message-ID: <{}@example.org>", all[0].uuid)), "{mails:?}");
    assert!(mails[0].contains(&made.measurement_device.to_string()) && mails[1].contains("again"));
    let link = format!("https://survey.example.org/status/device/{}", made.measurement_device);
    // Mail breaks its long lines, which whoever reads it joins.
    let read = mails[0].replace("=\r\n", "").replace("=\n", "");
    assert!(read.contains(&link), "a link to the device's page: {}", mails[0]);
    // Neither persons nor places.
    let text = format!("{mails:?}{:?}", String::from_utf8_lossy(&got[0].body));
    for word in ["erika", "Heide", "K\u{f6}ln", &made.household.to_string()] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    let metrics = server.manager(Group::Administrators).get(paths::METRICS).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for line in [
        "ebp_alert_episodes{kind=\"silent\"} 0\n",
        "ebp_alert_attempts_total{channel=\"webhook\",outcome=\"accepted\"} 2\n",
        "ebp_alert_attempts_total{channel=\"mail\",outcome=\"accepted\"} 2\n",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
    server.stop().await;
}

#[tokio::test]
async fn in_quiet_hours_nothing_is_sent_and_then_one_digest() {
    let receiver = Receiver::start().await;
    let mut quiet_until = None;
    let server = watching(Some(&receiver), |alerts, now| {
        // They begin in an hour and last for six.
        let hour = |hours: i8| {
            let now = TimeZone::UTC.to_datetime(now).hour();
            time((now + hours) % 24, 0, 0, 0)
        };
        let quiet = QuietHours::new(hour(1), hour(7), None, TimeZone::UTC).unwrap();
        quiet_until = Some(quiet.clone());
        alerts.policy.messages.quiet = Some(quiet);
    })
    .await;
    let quiet = quiet_until.unwrap();
    let mut devices = Vec::new();
    for number in 0..3_u128 {
        let (made, api) = server.consenting(&format!("p{number}@example.org")).await;
        let item = measurement(number, made.meters[0], server.clock.now());
        api.upload(&[item]).ok().await;
        devices.push(made);
    }
    while !quiet.is_quiet(server.clock.now()) {
        pass(&server, 1).await;
    }
    pass(&server, 6).await;
    assert!(quiet.is_quiet(server.clock.now()));
    // One comes back in the night.
    let item = measurement(9, devices[0].meters[0], server.clock.now());
    server.device("p0@example.org", &devices[0]).upload(&[item]).ok().await;
    pass(&server, 1).await;
    assert_eq!((receiver.count(), listed(&server).await.len()), (0, 0));
    // A test is sent nevertheless.
    assert_eq!(test(&server).await.deliveries[0].state, DeliveryState::Sent);
    while quiet.is_quiet(server.clock.now()) {
        assert_eq!(receiver.count(), 1);
        pass(&server, 1).await;
    }
    let digest = receiver.wait(2).await[1].notice();
    assert_eq!(digest.kind, AlertMessageKind::Digest);
    assert!(digest.began >= 3 && digest.ended >= 1, "{digest:?}");
    server.stop().await;
}

#[tokio::test]
async fn receivers_of_every_kind() {
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let server = watching(Some(&receiver), |_, _| {}).await;
    let rules = server.manager(Group::Administrators).get(paths::ALERT_RULE).ok().await;
    let rules: AlertRules = serde_json::from_value(rules).unwrap();
    assert_eq!((rules.enabled, rules.silent, rules.late), (true, Some(7230), None));
    assert_eq!(rules.channels, [AlertChannel::Webhook]);

    let redirect = format!("HTTP/1.1 307 Elsewhere\r\nlocation: {}\r\n\r\n", elsewhere.url);
    for (answer, state, error) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", DeliveryState::Sent, None),
        (ENDLESS, DeliveryState::Sent, None),
        (&*redirect, DeliveryState::GivenUp, Some("redirections are not followed")),
        ("HTTP/1.1 500 Oh\r\n\r\n", DeliveryState::GivenUp, Some("the answer is 500")),
        ("HTTP/1.1 410 Gone\r\n\r\n", DeliveryState::GivenUp, Some("410")),
        (NOTHING, DeliveryState::GivenUp, Some("does not answer in time")),
        ("no HTTP", DeliveryState::GivenUp, Some("error")),
    ] {
        receiver.answers(answer);
        let delivery = test(&server).await.deliveries.remove(0);
        assert_eq!(delivery.state, state, "{answer}: {delivery:?}");
        let said = delivery.error.unwrap_or_default();
        assert!(said.contains(error.unwrap_or_default()), "{answer}: {said}");
        assert!(!said.contains("127.0.0.1") && !said.contains("secret-path"), "{said}");
    }
    assert_eq!(elsewhere.count(), 0);

    // What is not a test is tried again, when the receiver wants it and with the same key.
    receiver.answers("HTTP/1.1 429 Slowly\r\nretry-after: 700\r\n\r\n");
    let before = receiver.count();
    let (made, api) = server.consenting("erika@example.org").await;
    api.upload(&[measurement(1, made.meters[0], server.clock.now())]).ok().await;
    pass(&server, 5).await;
    let first = receiver.wait(before + 1).await.pop().unwrap();
    server.clock.advance(600);
    looked(&server).await;
    assert_eq!(receiver.count(), before + 1);
    receiver.answers("HTTP/1.1 204 Good\r\n\r\n");
    server.clock.advance(120);
    let second = receiver.wait(before + 2).await.pop().unwrap();
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, second.body);
    second.assert_signed();
    let message: Uuid = second.header("webhook-id").parse().unwrap();
    let delivery = sent(&server, message).await.deliveries.remove(0);
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Sent, 2));

    // With a revocation goes what the log has of the device.
    server.device("erika@example.org", &made).delete(paths::CONSENT).ok().await;
    let message = sent(&server, message).await;
    assert_eq!((message.began, message.items.len()), (1, 0));
    server.stop().await;
}

#[tokio::test]
async fn private_addresses_are_asked_nothing() {
    let receiver = Receiver::start().await;
    let port = receiver.url.split(':').nth(2).unwrap().split('/').next().unwrap().to_owned();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0"]
    {
        let url = format!("http://{host}:{port}/hook");
        let server = watching(Some(&Receiver { url, ..receiver.clone() }), |alerts, _| {
            alerts.allowed = Vec::new();
        })
        .await;
        let delivery = test(&server).await.deliveries.remove(0);
        assert_eq!(delivery.state, DeliveryState::GivenUp);
        assert!(delivery.error.unwrap().contains("not public"), "{host}");
        server.stop().await;
    }
    assert_eq!(receiver.count(), 0);
}

#[tokio::test]
async fn ten_thousand_devices_are_one_message_and_a_clock_that_jumps_is_none() {
    const DEVICES: u64 = 10_000;
    let receiver = Receiver::start().await;
    let server = watching(Some(&receiver), |alerts, _| {
        // So many devices take longer than a look does otherwise.
        alerts.look = Duration::from_millis(500);
    })
    .await;
    let (made, _) = server.consenting("many@example.org").await;
    many_devices(&server, made.household, DEVICES).await;
    looked(&server).await;
    // Forward by a day: nobody could have reported in it.
    server.clock.advance(86_400);
    looked(&server).await;
    pass(&server, 3).await;
    assert_eq!(listed(&server).await.len(), 0);
    pass(&server, 2).await;
    let got = receiver.wait(1).await.remove(0);
    let notice = got.notice();
    assert_eq!((notice.began, notice.omitted, notice.items.len() as u64), (DEVICES, 0, DEVICES));
    let all = listed(&server).await;
    assert_eq!((all.len(), all[0].began, all[0].items.len()), (1, DEVICES, 10));
    // Back by two days: no episode ends or begins by that.
    server.clock.advance(-2 * 86_400);
    looked(&server).await;
    pass(&server, 6).await;
    assert_eq!(receiver.count(), 1);
    server.stop().await;
}

/// Devices of a household that reported just now.
async fn many_devices(server: &Server, household: Uuid, count: u64) {
    let now = server.clock.now().as_microsecond();
    match crate::ENGINE {
        Engine::Sqlite => {
            let db = rusqlite::Connection::open(server.database().unwrap()).unwrap();
            db.busy_timeout(Duration::from_secs(20)).unwrap();
            db.execute_batch(&format!(
                "BEGIN IMMEDIATE;
                 WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})
                 INSERT INTO measurement_device (uuid, household)
                     SELECT randomblob(16), X'{}' FROM number;
                 INSERT INTO measurement_device_status (device, reported_at, notices)
                     SELECT uuid, {now}, 0 FROM measurement_device ORDER BY uuid LIMIT {count};
                 COMMIT",
                household.simple()
            ))
            .unwrap();
        }
        Engine::Postgres => {
            let url = std::fs::read_to_string(server.data().join(URL)).unwrap();
            let (db, connection) =
                tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            db.batch_execute(&format!(
                "INSERT INTO measurement_device (uuid, household)
                     SELECT gen_random_uuid(), '{household}' FROM generate_series(1, {count});
                 INSERT INTO measurement_device_status (device, reported_at, notices)
                     SELECT uuid, to_timestamp({now} / 1e6), 0 FROM measurement_device LIMIT {count}"
            ))
            .await
            .unwrap();
        }
    }
}

#[tokio::test]
async fn the_watchdog_is_called_while_devices_are_watched() {
    let (watchdog, receiver) = (Receiver::start().await, Receiver::start().await);
    let every = Duration::from_millis(100);
    let server = watching(Some(&receiver), |alerts, _| {
        alerts.heartbeat = Some(SecretUrl::new(&watchdog.url));
        alerts.heartbeat_every = every;
    })
    .await;
    while watchdog.count() < 3 {
        tokio::time::sleep(every).await;
    }
    assert!(watchdog.got.lock().unwrap()[0].head.starts_with("GET /hook/a-secret-path "));
    // A receiver that fails for long is what the watchdog has to tell of.
    receiver.answers("HTTP/1.1 500 Oh\r\n\r\n");
    let (made, api) = server.consenting("erika@example.org").await;
    api.upload(&[measurement(1, made.meters[0], server.clock.now())]).ok().await;
    pass(&server, 5).await;
    for attempts in 1..=6 {
        receiver.wait(attempts).await;
        while server.store.alert_counts().await.unwrap().attempts < u32::try_from(attempts).unwrap()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server.clock.advance(330);
    }
    looked(&server).await;
    looked(&server).await;
    let called = watchdog.count();
    tokio::time::sleep(every * 5).await;
    assert!(watchdog.count() <= called + 1, "{} and {called}", watchdog.count());
    server.stop().await;
}

/// A server without rules watches nothing, and says so.
#[tokio::test]
async fn without_configuration_nothing_is_watched() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let rules = administrator.get(paths::ALERT_RULE).ok().await;
    assert_eq!((rules["enabled"].clone(), rules["channels"].clone()), (json!(false), json!([])));
    let test = administrator.post(paths::ALERT_TEST).expect(StatusCode::ACCEPTED).await;
    assert_eq!(test["deliveries"], json!([]));
    assert_eq!(server.store.alert_state(server.clock.now()).await.unwrap().watching, None);
    server.stop().await;
}

/// Two servers over one database: one watches, and the other one does when it has ended.
#[tokio::test]
async fn another_server_watches_when_one_ends() {
    let receiver = Receiver::start().await;
    let first = watching(Some(&receiver), |_, _| {}).await;
    looked(&first).await;
    let worker = Uuid::new_v4();
    let policy = AlertSettings::default().lease();
    assert_eq!(first.store.watch_alerts(worker, policy).await.unwrap(), None);
    let dir = first.stop().await;
    let second = Server::open_with(dir, |_, _| {}).await;
    // It was given back: nobody waits for its end.
    assert!(second.store.watch_alerts(worker, policy).await.unwrap().is_some());
    second.stop().await;
}
