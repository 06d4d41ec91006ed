//! Sessions: in the database, so that any server answers them, and over when they should be.

use ebp_core::scope::Group;
use ebp_needs::needs;
use jiff::SignedDuration;

use crate::world::{Browser, HOST, World};

async fn lives(world: World) {
    let mut browser = world.signed_in(Group::Researchers).await;
    assert_eq!(browser.get("/registration").await.status, 200);
    let mut elsewhere = browser.at(world.other_server().await);
    assert_eq!(elsewhere.get("/registration").await.status, 200, "any server answers");

    // What a region asks by itself does not keep it open.
    let mut region = browser.clone();
    region.headers.push(("x-ebp-region".into(), "1".into()));
    world.clock.advance(SignedDuration::from_mins(29));
    assert_eq!(region.get("/registration").await.status, 200);
    world.clock.advance(SignedDuration::from_mins(2));
    let ended = browser.get("/registration?q=a").await;
    assert_eq!(ended.status, 303);
    assert_eq!(ended.location(), "/sign-in?group=researchers&next=%2Fregistration%3Fq%3Da&ended=1");

    let mut browser = world.signed_in(Group::Researchers).await;
    for _ in 0..29 {
        world.clock.advance(SignedDuration::from_mins(20));
        assert_eq!(browser.get("/registration").await.status, 200);
    }
    world.clock.advance(SignedDuration::from_mins(21));
    assert_eq!(browser.get("/registration").await.status, 303, "after ten hours");

    // Signed out at one server, it is over at all.
    let mut browser = world.signed_in(Group::Researchers).await;
    let mut stolen = browser.at(world.other_server().await);
    let out = browser.submit("/registration", "/sign-out", &[]).await;
    assert_eq!((out.status, out.location()), (303, "/sign-in?out=1"));
    assert!(browser.cookies.is_empty());
    assert_eq!(stolen.get("/registration").await.status, 303);

    // Another secret of the group ends its sessions.
    let store = world.store().clone();
    store.set_group_hash(Group::Researchers, "a".into()).await.unwrap();
    let mut browser = world.signed_in(Group::Researchers).await;
    let mut administrator = world.signed_in(Group::Administrators).await;
    store.set_group_hash(Group::Researchers, "b".into()).await.unwrap();
    assert_eq!(browser.get("/registration").await.status, 303);
    assert_eq!(administrator.get("/").await.location(), "/status");

    // An ended one is over at once.
    let session = store.web_sessions(world.survey.clock().now()).await.unwrap().remove(0);
    assert_eq!((session.group, session.label.as_deref()), (Group::Administrators, Some("EM")));
    world.survey.end_web_session(session.uuid).await.unwrap();
    assert_eq!(administrator.get("/").await.location(), "/sign-in");
}

#[tokio::test]
async fn on_sqlite() {
    lives(World::on_sqlite().await).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn on_postgresql() {
    lives(World::on_postgresql().await).await;
}

#[tokio::test]
async fn the_cookie_is_of_this_host_alone() {
    let world = World::on_sqlite().await;
    let mut browser = world.browser();
    let pairs = [("group", "researchers"), ("secret", crate::world::RESEARCHERS)];
    let answer = browser.send("/sign-in", &pairs).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    let (pair, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " HttpOnly; SameSite=Strict; Secure; Path=/");
    let (name, token) = pair.split_once('=').unwrap();
    assert_eq!((name, token.len()), ("__Host-ebp", 43));
    // Neither the page nor the database has it.
    let page = browser.get("/registration").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains(token));
    assert_eq!(page.headers["cache-control"], "no-store");

    // On this machine without TLS browsers keep no such cookie.
    let world = World::on_loopback().await;
    let mut browser = Browser::new(world.router.clone(), "http");
    let answer = browser.send("/sign-in", &pairs).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("ebp=") && !cookie.contains("Secure"), "{cookie}");
    assert_eq!(browser.get("/registration").await.status, 200);
}

#[tokio::test]
async fn two_cookies_of_one_name_are_none() {
    let world = World::on_sqlite().await;
    let browser = world.signed_in(Group::Researchers).await;
    let token = &browser.cookies["__Host-ebp"];
    let planted = format!("__Host-ebp={token}; __Host-ebp={}", "A".repeat(43));
    let request = axum::http::Request::builder()
        .uri("/registration")
        .header("host", HOST)
        .header("cookie", planted)
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(browser.clone().ask(request).await.status, 303);
}
