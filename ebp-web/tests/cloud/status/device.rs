//! A device's page: what it shows in each state, and what can be changed there.

use ebp_core::{
    clock::Clock,
    contract::TunnelSessionEnd,
    model::IncidentType,
    scope::{Group, Scopes},
};
use ebp_needs::needs;
use ebp_store::{CertificateKind, HouseholdId, NewTunnel, NewTunnelSession, RegisterEntry, Serial};
use jiff::SignedDuration;
use uuid::Uuid;

use super::{consenting, page, report};
use crate::world::World;

async fn shows_a_device(world: World) {
    let household = consenting(&world, 1).await;
    let mut browser = world.signed_in(Group::Administrators).await;
    let never = browser.get(&format!("{}?lang=en", page(&household))).await;
    assert_eq!(never.status, 200, "{}", never.body);
    assert!(never.body.contains("This device never sent a report."), "{}", never.body);
    assert!(never.body.contains("The device sent no status yet."));

    report(&world, &household, "1.2.0").await;
    let (id, meter) = (HouseholdId(household.household), household.meters[0]);
    let kind = IncidentType::ObisCodesUnavailable;
    world.store().report_incident(id, meter, kind, world.clock.now()).await.unwrap();
    world.clock.advance(SignedDuration::from_mins(20));
    world.store().resolve_incident(id, meter, kind, world.clock.now()).await.unwrap();
    tunnel(&world, household.measurement_device).await;
    let shown = browser.get(&page(&household)).await.body;
    assert!(shown.contains("Healthy"), "{shown}");
    assert_eq!(shown.matches("<svg class=\"chart\"").count(), 2, "a picture for each meter");
    assert!(shown.contains("<path class=\"measured\""));
    assert!(shown.contains("Values missing, perhaps locked"), "an incident with its history");
    assert!(shown.contains("<bdi>1.2.0</bdi>") && shown.contains("82"), "version and spool");
    assert!(shown.contains("<bdi>erika.admin</bdi>") && shown.contains("closed"), "a session");
    for other in ["example.org", "Heidestra", "12345"] {
        assert!(!shown.contains(other), "{other}");
    }

    // Removed, and never there.
    for path in [format!("/status/device/{}", Uuid::from_u128(7)), "/status/device/x".to_owned()] {
        assert_eq!(browser.get(&path).await.status, 404, "{path}");
    }
    world.store().revoke_consent(id, world.clock.now()).await.unwrap();
    let revoked = browser.get(&page(&household)).await;
    assert_eq!(revoked.status, 200, "{}", revoked.body);
    assert!(revoked.body.contains("Its household revoked its consent."));
    assert!(!revoked.body.contains("Mustermann") && !revoked.body.contains("erika.admin"));
    assert!(!revoked.body.contains("/token\""));
}

async fn tunnel(world: &World, device: Uuid) {
    let (store, now) = (world.store(), world.clock.now());
    let new = NewTunnel {
        device,
        server: Uuid::from_u128(1),
        url: None,
        instance: Uuid::from_u128(2),
        version: "1.2.0".to_owned(),
        ipv6: false,
    };
    store.take_tunnel(new, now).await.unwrap();
    let uuid = Uuid::from_u128(3);
    let (administrator, service) = ("erika.admin".to_owned(), "ssh".to_owned());
    let session = NewTunnelSession { uuid, device, administrator, service };
    store.begin_tunnel_session(session, now).await.unwrap();
    store.end_tunnel_session(uuid, now, [1_000, 5_000], TunnelSessionEnd::Closed).await.unwrap();
}

#[tokio::test]
async fn on_sqlite() {
    shows_a_device(World::on_sqlite().await).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn on_postgresql() {
    shows_a_device(World::on_postgresql().await).await;
}

#[tokio::test]
async fn a_device_is_silenced_until_it_recovers() {
    let world = World::on_sqlite().await;
    let household = consenting(&world, 1).await;
    let mut browser = world.signed_in(Group::Administrators).await;
    let (page, path) = (page(&household), format!("{}/silence", page(&household)));
    browser.get(&format!("{page}?lang=en")).await;
    for (pairs, said) in [
        (vec![("reason", "  ")], "Say why the device is silenced"),
        (vec![("reason", "a"), ("until", "2020-01-01")], "Name a day from today on"),
        (vec![("reason", "a"), ("until", "2030-01-01")], "Name a day from today on"),
        (vec![("reason", "a"), ("until", "soon")], "Name a day from today on"),
        (vec![("reason", "<b>kept"), ("holds", "yes")], "Name a day from today on"),
    ] {
        let answer = browser.submit(&page, &path, &pairs).await;
        assert_eq!(answer.status, 422, "{pairs:?}");
        assert!(answer.body.contains(said), "{pairs:?}: {}", answer.body);
        let reason = pairs[0].1.trim();
        assert_eq!(answer.input("reason"), reason, "what was typed stays");
    }
    let long = "ä".repeat(201);
    assert_eq!(browser.submit(&page, &path, &[("reason", &long)]).await.status, 422);

    let reason = "Renovation \"<script>\"";
    let pairs = [("reason", reason), ("until", "2026-03-09")];
    let answer = browser.submit(&page, &path, &pairs).await;
    assert_eq!((answer.status, answer.location()), (303, format!("{page}?done=silenced").as_str()));
    let shown = browser.get(&format!("{page}?done=silenced")).await.body;
    assert!(shown.contains("The device is silenced.") && !shown.contains("<script>\""), "{shown}");
    assert!(shown.contains("until the device recovers"), "{shown}");
    assert!(browser.get("/status").await.body.contains("silenced"));
    let end = format!("{path}/end");
    let answer = browser.submit(&page, &end, &[]).await;
    assert_eq!(answer.location(), format!("{page}?done=ended"));
    // A second tab that has the form still.
    let answer = browser.submit(&page, &end, &[]).await;
    assert_eq!(answer.location(), format!("{page}?done=gone"));
}

#[tokio::test]
async fn a_token_is_shown_once() {
    let world = World::on_sqlite().await;
    let household = consenting(&world, 1).await;
    let mut browser = world.signed_in(Group::Administrators).await;
    let (page, path) = (page(&household), format!("{}/token", page(&household)));
    let answer = browser.submit(&page, &path, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let secret = answer.body.split("<code class=\"secret\">").nth(1).unwrap();
    let secret = secret.split('<').next().unwrap().to_owned();
    assert_eq!(secret.len(), 43, "{secret}");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(!browser.get(&page).await.body.contains(&secret));
    assert_eq!(browser.get(&path).await.status, 405, "looking makes none");
}

fn entry(device: Uuid, number: u8) -> RegisterEntry {
    RegisterEntry {
        serial: Serial::from_octets(&[number; 16]).unwrap(),
        kind: CertificateKind::Client,
        device: Some(device),
        scopes: Scopes::of_a_device(),
        not_before: crate::world::NOW.parse().unwrap(),
        not_after: "2026-06-01T00:00:00Z".parse().unwrap(),
        revoked_at: None,
        holder: None,
        administrator: None,
    }
}

#[tokio::test]
async fn certificates_are_revoked_after_a_question() {
    let world = World::on_sqlite().await;
    let household = consenting(&world, 1).await;
    let device = household.measurement_device;
    let entries = vec![entry(device, 1), entry(device, 2), entry(device, 3)];
    world.store().add_to_register(entries).await.unwrap();
    let mut browser = world.signed_in(Group::Administrators).await;
    let page = page(&household);
    let shown = browser.get(&format!("{page}?lang=en")).await.body;
    let path = format!("{page}/certificate/{}", "01".repeat(16));
    assert_eq!(shown.matches(">Revoke</a>").count(), 3, "{shown}");

    let question = browser.get(&path).await;
    assert!(question.body.contains("This cannot be undone."), "{}", question.body);
    let certificates = async |world: &World| {
        let query = ebp_store::ListQuery { after: None, limit: 9 };
        let page = world.survey.device_certificates_page(device, query).await.unwrap();
        page.items.iter().filter(|entry| entry.revoked_at.is_none()).count()
    };
    assert_eq!(certificates(&world).await, 3, "a question changes nothing");
    let answer = browser.submit(&path, &path, &[]).await;
    assert_eq!(answer.location(), format!("{page}?done=revoked"), "{}", answer.body);
    assert_eq!(certificates(&world).await, 2);
    assert_eq!(browser.get(&path).await.status, 404, "it is revoked already");

    let all = format!("{page}/certificate/all");
    let answer = browser.submit(&all, &all, &[]).await;
    assert_eq!(answer.location(), format!("{page}?done=revoked-2"));
    let shown = browser.get(answer.location()).await.body;
    assert!(shown.contains("2 certificates are revoked.") && !shown.contains(">Revoke</a>"));
    assert_eq!(certificates(&world).await, 0);
    // Another household's certificate is not this device's.
    let other = consenting(&world, 2).await;
    let foreign = format!("{}/certificate/{}", super::page(&other), "01".repeat(16));
    assert_eq!(browser.get(&foreign).await.status, 404);
}

#[tokio::test]
async fn a_session_with_a_device_is_ended() {
    let world = World::on_sqlite().await;
    let household = consenting(&world, 1).await;
    let other = consenting(&world, 2).await;
    tunnel(&world, household.measurement_device).await;
    let open = Uuid::from_u128(4);
    let (device, now) = (household.measurement_device, world.clock.now());
    let (administrator, service) = ("max.admin".to_owned(), "ssh".to_owned());
    let session = NewTunnelSession { uuid: open, device, administrator, service };
    world.store().begin_tunnel_session(session, now).await.unwrap();
    let mut browser = world.signed_in(Group::Administrators).await;
    let shown = browser.get(&format!("{}?lang=en", page(&household))).await.body;
    let path = format!("{}/session/{open}/end", page(&household));
    assert_eq!(shown.matches("/end\"").count(), 1, "one of both is open: {shown}");
    assert!(shown.contains(&path));

    // Of another device, and of none.
    let foreign = format!("{}/session/{open}/end", page(&other));
    assert_eq!(browser.submit(&page(&household), &foreign, &[]).await.status, 404);
    let unknown = format!("{}/session/{}/end", page(&household), Uuid::from_u128(5));
    assert_eq!(browser.submit(&page(&household), &unknown, &[]).await.status, 404);
    let to_end = async || world.store().sessions_to_end(vec![open]).await.unwrap();
    assert_eq!(to_end().await, Vec::<Uuid>::new());

    let answer = browser.submit(&page(&household), &path, &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let said = browser.get(answer.location()).await.body;
    assert!(said.contains("The session is being ended"), "{said}");
    assert_eq!(to_end().await, [open], "the server that carries it finds it");
}
