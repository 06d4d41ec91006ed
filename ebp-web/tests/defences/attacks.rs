//! Attacks by requests alone.

use std::{os::unix::fs::PermissionsExt, time::Duration};

use axum::{body::Body, http::Request};
use ebp_core::model::ConsentState;
use ebp_web::kit::{
    defence::Defence,
    listener::{Limits, serve},
    page::encode,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    holds_by,
    world::{Browser, CODE, HOST, World},
};

const HOSTILE: &str = "\"><img src=x onerror=alert(1)>";

/// 1: what the survey, or whoever writes its texts, says becomes markup.
#[tokio::test]
async fn markup_in_texts() {
    holds_by(&[Defence::Escape], async || {
        let world = World::new();
        world.cloud.change(|server| server.survey_text = HOSTILE.to_owned());
        let page = Browser::signed_in(&world).await.get("/consent").await;
        page.body.contains("<img src=x")
    })
    .await;
}

/// 2: a form of another page is sent with the household's cookie, as every port and sibling name of
/// the home network does.
#[tokio::test]
async fn a_form_of_another_page() {
    holds_by(&[Defence::Origin, Defence::FormToken], async || {
        let world = World::new();
        let browser = Browser::signed_in(&world).await;
        let request = Request::post("/consent/revoke")
            .header("host", HOST)
            .header("origin", "http://ebp-7k3f.local:8081")
            .header("cookie", browser.cookie_header())
            .header("content-type", "application/x-www-form-urlencoded");
        world.send(request.body(Body::from("read=yes")).unwrap()).await;
        world.cloud.consent() == ConsentState::Revoked
    })
    .await;
}

/// 2: each of the two locks holds alone.
#[tokio::test]
async fn one_lock_is_enough() {
    let all = ebp_web::kit::defence::Defences::take();
    for off in [Defence::Origin, Defence::FormToken] {
        all.switch_off(&[off]);
        let world = World::new();
        let browser = Browser::signed_in(&world).await;
        let request = Request::post("/consent/revoke")
            .header("host", HOST)
            .header("origin", "null")
            .header("cookie", browser.cookie_header())
            .header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 403, "{off:?}");
        assert_eq!(world.cloud.consent(), ConsentState::Granted);
    }
}

/// 3: an attacker's name resolves to the device; its script reads the page.
#[tokio::test]
async fn a_rebound_name() {
    holds_by(&[Defence::Host], async || {
        let world = World::new();
        let browser = Browser::signed_in(&world).await;
        let request = Request::get("/today")
            .header("host", "ebp-7k3f.attacker.example")
            .header("cookie", browser.cookie_header());
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        answer.status == 200 && answer.body.contains("Heute bisher")
    })
    .await;
}

/// 4: another port plants a second cookie of the session's name, of a session of its own.
#[tokio::test]
async fn a_planted_session() {
    holds_by(&[Defence::SingleCookie], async || {
        let world = World::new();
        let attacker = Browser::signed_in(&world).await;
        let mut victim = Browser::signed_in(&world).await;
        victim.cookies.extend(attacker.cookies.iter().cloned());
        victim.get_once("/today").await.status == 200
    })
    .await;
}

/// 4: a token that was copied opens the page after its owner signed out.
#[tokio::test]
async fn a_copied_token_after_sign_out() {
    holds_by(&[Defence::SessionEnd], async || {
        let world = World::new();
        let mut browser = Browser::signed_in(&world).await;
        let copied = browser.cookies.clone();
        let page = browser.get("/today").await;
        browser.submit(&page, "/sign-out", &[]).await;
        browser.cookies = copied;
        browser.get_once("/today").await.status == 200
    })
    .await;
}

/// 4: nobody stays signed in by a code that was replaced, or by what is stored of a session.
#[tokio::test]
async fn a_replaced_code_and_the_stored_file() {
    let _all = ebp_web::kit::defence::Defences::take();
    let mut world = World::new();
    let mut browser = Browser::new(&world);
    browser.post("/sign-in", &[("code", CODE), ("stay", "yes")]).await;
    let cookies = browser.cookies.clone();
    let file = world.folder.path().join("sessions.json");
    let stored = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let token = &cookies.iter().find(|(name, _)| name == "ebp_session_80").unwrap().1;
    assert!(!stored.contains(token.as_str()), "the token itself is not stored");
    world.restart();
    let mut browser = Browser::new(&world);
    browser.cookies = cookies;
    assert_eq!(browser.get_once("/today").await.status, 200, "it survives a restart");
    let page = browser.get("/consent").await;
    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    assert!(page.body.contains("name=\"code\""), "to decide, the code is asked for");
    // What stands in the file is no token.
    let hash = stored.split("\"hash\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut thief = Browser::new(&world);
    thief.cookies.push(("ebp_session_80".into(), hash));
    assert_eq!(thief.get_once("/today").await.status, 303);
    // The code is replaced from afar.
    world.replace_code();
    assert_eq!(browser.get_once("/today").await.status, 303, "the old code's sessions are over");
    assert!(!file.exists());
}

/// 5: codes are guessed without end. A session that is open goes on meanwhile.
#[tokio::test]
async fn guesses_without_end() {
    holds_by(&[Defence::GuessWait], async || {
        let world = World::new();
        let mut owner = Browser::signed_in(&world).await;
        let mut guesser = Browser::new(&world);
        for _ in 0..100 {
            guesser.post("/sign-in", &[("code", "AAAA-AAAA")]).await;
        }
        assert_eq!(owner.get_once("/today").await.status, 200);
        guesser.post("/sign-in", &[("code", CODE)]).await.status == 200
    })
    .await;
}

/// 6: the identifier of another household's meter in an address.
#[tokio::test]
async fn another_households_meter() {
    holds_by(&[Defence::OwnThings], async || {
        let world = World::new();
        let mut browser = Browser::signed_in(&world).await;
        let there = browser.get("/data.csv?meter=00000000-0000-0000-0000-0000000000ff").await;
        let nowhere = browser.get("/data.csv?meter=x").await;
        assert_eq!(nowhere.status, 404);
        there.status == 200
    })
    .await;
}

/// 7: after signing in people are led to another page.
#[tokio::test]
async fn an_open_redirect() {
    holds_by(&[Defence::OwnTargets], async || {
        let world = World::new();
        let mut browser = Browser::new(&world);
        browser.post("/sign-in", &[("code", CODE)]).await;
        let arrived =
            browser.get_once(&format!("/signed-in?next={}", encode("//evil.example"))).await;
        arrived.header("location") == "//evil.example"
    })
    .await;
}

/// 8: a body of a megabyte is read into memory.
#[tokio::test]
async fn a_long_body() {
    holds_by(&[Defence::BodyLimit], async || {
        let world = World::new();
        let mut browser = Browser::new(&world);
        let answer = browser.post("/sign-in", &[("code", &"A".repeat(1 << 20))]).await;
        answer.status == 422
    })
    .await;
}

/// 8: a few connections that say nothing shut out everybody else.
#[tokio::test]
async fn connections_that_say_nothing() {
    holds_by(&[Defence::HeaderTime], async || {
        let world = World::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits =
            Limits { connections: 2, headers: Duration::from_millis(200), ..Limits::default() };
        tokio::spawn(serve(listener, world.router.clone(), limits, std::future::pending()));
        let mut silent = Vec::new();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            silent.push(stream);
        }
        let mut other = TcpStream::connect(address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
        other.write_all(request.as_bytes()).await.unwrap();
        let mut text = Vec::new();
        let read = other.read_to_end(&mut text);
        tokio::time::timeout(Duration::from_secs(2), read).await.is_err()
    })
    .await;
}

/// 9: the server dies between the request and its answer; nothing was carried out, and the page says
/// that it was.
#[tokio::test]
async fn a_server_that_dies() {
    holds_by(&[Defence::AskAgain], async || {
        let world = World::new();
        let mut browser = Browser::signed_in(&world).await;
        let page = browser.get("/consent").await;
        let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
        world.cloud.change(|server| server.away = true);
        let answer = browser.submit(&page, "/consent/revoke", &[]).await;
        assert_eq!(world.cloud.consent(), ConsentState::Granted);
        answer.text().contains("Dieses Gerät misst nicht mehr")
    })
    .await;
}

/// 11: after a hundred page views and a revocation no byte of the household is in any file of this
/// process. That the search finds such a byte is seen by a file that has one.
#[tokio::test]
async fn nothing_of_the_household_is_stored() {
    let _all = ebp_web::kit::defence::Defences::take();
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.post("/sign-in", &[("code", CODE), ("stay", "yes")]).await;
    for turn in 0..13 {
        for path in [
            "/today",
            "/measurements?import_price=31.7&export_price=8.03",
            "/pending",
            "/live?read=1",
            "/registration",
            "/devices",
            "/consent",
            "/data.json",
        ] {
            assert_eq!(browser.get(path).await.status, 200, "{path} {turn}");
        }
    }
    let found = || {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(world.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            for secret in
                ["Erika", "erika@", "Heidestra", "51147", "1234.5678", "12345.6789", "31.7"]
            {
                if text.contains(secret) {
                    found.push((path.clone(), secret));
                }
            }
        }
        found
    };
    assert_eq!(found(), []);
    let page = browser.get("/consent").await;
    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    assert_eq!(browser.submit(&page, "/consent/revoke", &[]).await.status, 410);
    assert_eq!(found(), []);
    assert!(!world.folder.path().join("sessions.json").exists(), "nor who was signed in");
    std::fs::write(world.folder.path().join("x"), "…12345.6789…").unwrap();
    assert_eq!(found().len(), 1, "the search finds what is there");
}
