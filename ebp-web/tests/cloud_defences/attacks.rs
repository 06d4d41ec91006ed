//! Attacks by requests alone.

use axum::{body::Body, http::Request};
use ebp_core::scope::Group;
use ebp_store::HouseholdId;
use ebp_web::kit::defence::{Defence, Defences};

use super::{
    holds_by,
    world::{Browser, HOST, RESEARCHERS, World},
};

/// A household with a meter more than before: what the attacks on forms try to add.
async fn has_grown(world: &World, household: uuid::Uuid) -> bool {
    world.store().registration(HouseholdId(household)).await.unwrap().meters.len() > 2
}

async fn add_meter(
    world: &World,
    browser: &mut Browser,
    household: uuid::Uuid,
    origin: &str,
    token: &str,
) -> u16 {
    let stored = world.store().registration(HouseholdId(household)).await.unwrap();
    let version = ebp_store::HouseholdVersion::from_household(&stored).unwrap().to_string();
    let path = format!("/registration/household/{household}/meter/new");
    let pairs = [
        ("token", token),
        ("version", version.as_str()),
        ("do", "save"),
        ("type", "ELECTRICITY"),
        ("model", "MT175"),
    ];
    browser.send_from(origin, &path, &pairs).await.status
}

/// 2: a form of another page is sent with a researcher's cookie.
#[tokio::test]
async fn a_form_of_another_page() {
    holds_by(&[Defence::Origin, Defence::FormToken], async || {
        let world = World::on_sqlite().await;
        let household = world.register(1).await.household;
        let mut browser = world.signed_in(Group::Researchers).await;
        add_meter(&world, &mut browser, household, "https://evil.example", "planted").await;
        has_grown(&world, household).await
    })
    .await;
}

/// 2: each of the two locks holds alone.
#[tokio::test]
async fn one_lock_is_enough() {
    let all = Defences::take();
    for off in [Defence::Origin, Defence::FormToken] {
        all.switch_off(&[off]);
        let world = World::on_sqlite().await;
        let household = world.register(1).await.household;
        let mut browser = world.signed_in(Group::Researchers).await;
        let status = add_meter(&world, &mut browser, household, "null", "planted").await;
        assert_eq!(status, 403, "{off:?}");
        assert!(!has_grown(&world, household).await);
    }
}

/// 3: an attacker's name leads to the server; its script would read the page.
#[tokio::test]
async fn a_foreign_host() {
    holds_by(&[Defence::Host], async || {
        let world = World::on_sqlite().await;
        world.register(1).await;
        let mut browser = world.signed_in(Group::Researchers).await;
        let cookies: Vec<_> = browser.cookies.iter().map(|(a, b)| format!("{a}={b}")).collect();
        let request = Request::get("/registration")
            .header("host", "evil.example")
            .header("cookie", cookies.join("; "))
            .body(Body::empty())
            .unwrap();
        browser.ask(request).await.body.contains("erika1@example.org")
    })
    .await;
}

/// 4: a session is used after signing out.
#[tokio::test]
async fn a_session_after_its_end() {
    holds_by(&[Defence::SessionEnd], async || {
        let world = World::on_sqlite().await;
        let mut browser = world.signed_in(Group::Researchers).await;
        let mut stolen = browser.clone();
        browser.submit("/registration", "/sign-out", &[]).await;
        stolen.get("/registration").await.status == 200
    })
    .await;
}

/// 4: a second cookie of the name, planted by a sibling host.
#[tokio::test]
async fn a_planted_cookie() {
    holds_by(&[Defence::SingleCookie], async || {
        let world = World::on_sqlite().await;
        let mut browser = world.signed_in(Group::Researchers).await;
        let token = browser.cookies["__Host-ebp"].clone();
        let request = Request::get("/registration")
            .header("host", HOST)
            .header("cookie", format!("__Host-ebp={}; __Host-ebp={token}", "A".repeat(43)))
            .body(Body::empty())
            .unwrap();
        browser.ask(request).await.status == 200
    })
    .await;
}

/// 7: signing in leads to another site.
#[tokio::test]
async fn an_open_redirect() {
    holds_by(&[Defence::OwnTargets], async || {
        let world = World::on_sqlite().await;
        let mut browser = world.browser();
        let pairs = [("group", "researchers"), ("secret", RESEARCHERS)];
        browser.send("/sign-in", &pairs).await;
        browser.get("/signed-in?next=https%3A%2F%2Fevil.example").await.location().contains("evil")
    })
    .await;
}

/// 7: another site shows the page in a frame.
#[tokio::test]
async fn a_frame_around_the_page() {
    holds_by(&[Defence::Policy], async || {
        let world = World::on_sqlite().await;
        let mut browser = world.signed_in(Group::Researchers).await;
        let answer = browser.get("/registration").await;
        !answer.headers.contains_key("x-frame-options")
            && !answer.headers.contains_key("content-security-policy")
    })
    .await;
}

/// 8: a body of any length is taken into memory.
#[tokio::test]
async fn an_endless_body() {
    holds_by(&[Defence::BodyLimit], async || {
        let world = World::on_sqlite().await;
        let mut browser = world.signed_in(Group::Researchers).await;
        let long = "x".repeat(1 << 20);
        browser.submit("/registration/new", "/registration/new", &[("name", &long)]).await.status
            != 413
    })
    .await;
}

/// 4: Back shows households after signing out.
#[tokio::test]
async fn back_after_signing_out() {
    holds_by(&[Defence::NoStore], async || {
        let world = World::on_sqlite().await;
        let mut browser = world.signed_in(Group::Researchers).await;
        let answer = browser.get("/registration").await;
        answer.headers.get("cache-control").is_none_or(|kept| kept != "no-store")
    })
    .await;
}
