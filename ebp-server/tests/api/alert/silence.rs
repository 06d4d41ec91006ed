//! A silence of a device keeps its trouble from being told, until it ends.

use ebp_core::{clock::Clock, contract::AlertKind, scope::Group};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{pass, paths, receiver::Receiver, watching};
use crate::harness::measurement;

#[tokio::test]
async fn of_a_silenced_device_nothing_is_told_until_its_silence_ends() {
    let receiver = Receiver::start().await;
    let server = watching(Some(&receiver), |_, _| {}).await;
    let (silenced, api) = server.consenting("silenced@example.org").await;
    let (other, beside) = server.consenting("other@example.org").await;
    for (made, api, number) in [(&silenced, &api, 1), (&other, &beside, 2)] {
        api.upload(&[measurement(number, made.meters[0], server.clock.now())]).ok().await;
    }
    let path = paths::DEVICE_SILENCE.replace("{uuid}", &silenced.measurement_device.to_string());
    let administrator = server.manager(Group::Administrators);
    let ends_at = server.clock.now() + jiff::SignedDuration::from_hours(6);
    let silence = json!({"reason": "The household is being renovated", "ends_at": ends_at});
    administrator.json(Method::POST, &path, &silence).expect(StatusCode::CREATED).await;

    pass(&server, 8).await;
    let got = receiver.wait(1).await;
    let notice = got[0].notice();
    assert_eq!((notice.began, notice.items.len()), (1, 1), "of the other device alone");
    assert_eq!(notice.items[0].device, other.measurement_device);
    let open = server.store.alert_counts().await.unwrap().open;
    assert!(open.contains(&(AlertKind::Silent, 1)), "{open:?}");

    // It has not recovered when the silence ends by itself.
    pass(&server, 6).await;
    let got = receiver.wait(2).await;
    let notice = got[1].notice();
    assert_eq!((notice.began, notice.items[0].device), (1, silenced.measurement_device));

    // What began is told of when it ends, though the device is silenced anew.
    let silence = json!({"reason": "The household is away", "until_recovery": true});
    administrator.json(Method::POST, &path, &silence).expect(StatusCode::CREATED).await;
    pass(&server, 2).await;
    let api = server.device("silenced@example.org", &silenced);
    api.upload(&[measurement(3, silenced.meters[0], server.clock.now())]).ok().await;
    server.clock.advance(60);
    let got = receiver.wait(3).await;
    let notice = got[2].notice();
    assert_eq!((notice.ended, notice.items[0].device), (1, silenced.measurement_device));
    server.stop().await;
}
