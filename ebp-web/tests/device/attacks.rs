//! Attacks on a page in a home network. Each has to fail, and to be told plainly.

use axum::{body::Body, http::Request};

use super::world::{Browser, HOST, World};

const PAGES: [&str; 12] = [
    "/today",
    "/measurements",
    "/pending",
    "/live",
    "/live?read=1",
    "/registration",
    "/devices",
    "/consent",
    "/data",
    "/help",
    "/privacy",
    "/accessibility",
];
const POSTS: [&str; 8] = [
    "/sign-in",
    "/sign-out",
    "/registration",
    "/registration/check",
    "/consent/confirm",
    "/consent/grant",
    "/consent/revoke",
    "/nothing",
];

#[tokio::test]
async fn what_people_write_never_becomes_markup() {
    let long = "Ω".repeat(200);
    for text in [
        "\"><img src=x onerror=alert(1)>",
        "</script><script>x",
        "{{7*7}}",
        "\u{202e}x",
        "\0",
        &long,
    ] {
        let world = World::new();
        world.cloud.change(|server| server.text = text.to_owned());
        let mut browser = Browser::signed_in(&world).await;
        let page = browser.get("/registration").await;
        browser
            .submit(&page, "/registration", &[("about", "other"), ("text", &format!("a{text}"))])
            .await;
        for path in PAGES {
            let page = browser.get(path).await;
            assert_eq!(page.status, 200, "{path}");
            assert!(!page.body.contains("<img") && !page.body.contains("<script>x"), "{path}");
            assert!(!page.body.contains("49}}") && !page.body.contains(" style="), "{path}");
        }
        for path in
            ["/measurements?date=", "/measurements?period=", "/?next=", "/?lang=", "/nothing?"]
        {
            let page = browser.get(&format!("{path}{}", ebp_web::kit::page::encode(text))).await;
            assert!(!page.body.contains("<img") && !page.body.contains("<script>x"), "{path}");
        }
    }
}

#[tokio::test]
async fn no_other_page_changes_anything() {
    let world = World::new();
    let browser = Browser::signed_in(&world).await;
    let cookie = browser.cookie_header();
    world.cloud.change(|server| server.requests.clear());
    for path in POSTS {
        for origin in [
            None,
            Some("null"),
            Some("http://attacker.example"),
            Some("http://ebp-7k3f.local:8081"),
            Some("https://ebp-7k3f.local"),
            Some("http://nas.local"),
        ] {
            let mut request = Request::post(path).header("host", HOST).header("cookie", &cookie);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let answer =
                world.send(request.body(Body::from("code=K7QM2XTD&read=yes")).unwrap()).await;
            assert_eq!(answer.status, 403, "{path} from {origin:?}");
            assert!(answer.text().contains("nichts geändert"), "{}", answer.text());
        }
        // From our own address, but without the session's token, or not as a form.
        for media_type in ["application/x-www-form-urlencoded", "text/plain", "application/json"] {
            if path == "/nothing" || (path == "/sign-in" && media_type.ends_with("urlencoded")) {
                continue;
            }
            let request = Request::post(path)
                .header("host", HOST)
                .header("cookie", &cookie)
                .header("origin", format!("http://{HOST}"))
                .header("content-type", media_type)
                .body(Body::from("token=x&read=yes"))
                .unwrap();
            assert_eq!(world.send(request).await.status, 403, "{path} as {media_type}");
        }
        // And by GET.
        if path != "/registration" {
            let request = Request::get(path).header("host", HOST).header("cookie", &cookie);
            let status = world.send(request.body(Body::empty()).unwrap()).await.status;
            assert!(status == 405 || status == 404, "{path}: {status}");
        }
    }
    world.cloud.change(|server| {
        assert!(!server.requests.iter().any(|r| ["grant", "revoke", "write_message"].contains(r)))
    });
}

#[tokio::test]
async fn rebound_names_get_nothing() {
    let world = World::new();
    let style = ebp_web::kit::file::path("style.css");
    for path in ["/", "/today", style.as_str()] {
        for host in [
            "attacker.example",
            "ebp-7k3f.attacker.example",
            "ebp-7k3f.local.",
            "ebp-7k3f.local:8080:1",
        ] {
            let request = Request::get(path).header("host", host).body(Body::empty()).unwrap();
            let answer = world.send(request).await;
            assert_eq!(answer.status, 421, "{path} at {host}");
            assert!(answer.body.contains("ebp-7k3f.local"), "the right names are told");
        }
        for host in ["EBP-7K3F.LOCAL", "ebp-7k3f.local:8080", "192.168.178.20"] {
            let request = Request::get(path).header("host", host).body(Body::empty()).unwrap();
            assert_ne!(world.send(request).await.status, 421, "{path} at {host}");
        }
    }
}

#[tokio::test]
async fn sessions_cannot_be_planted() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    let planted = "A".repeat(43);
    browser.cookies.push(("ebp_session_80".into(), planted.clone()));
    browser.post("/sign-in", &[("code", super::world::CODE)]).await;
    let own = browser.cookies.iter().find(|(name, _)| name == "ebp_session_80").unwrap().1.clone();
    assert_ne!(own, planted, "a new token at sign-in");
    // Two cookies of one name: one of them was planted by another port.
    browser.cookies.push(("ebp_session_80".into(), planted));
    assert_eq!(browser.get_once("/today").await.status, 303);
    browser.cookies.pop();
    let page = browser.get("/today").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains(&own), "the token is in no page");
}

#[tokio::test]
async fn nobody_is_led_away() {
    let world = World::new();
    for next in ["//evil", "/\\evil", "http:evil", "https://evil", "/..//evil"] {
        let mut browser = Browser::new(&world);
        let page = browser.get(&format!("/?next={}", ebp_web::kit::page::encode(next))).await;
        let page = browser.submit(&page, "/sign-in", &[("code", super::world::CODE)]).await;
        assert!(page.text().contains("Alles in Ordnung"), "{next}");
    }
}

#[tokio::test]
async fn bodies_are_bounded_and_pages_are_not_kept() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/registration").await;
    let refused = browser.submit(&page, "/registration", &[("text", &"x".repeat(64 * 1024))]).await;
    assert_eq!(refused.status, 413);
    let many: Vec<_> = (0..10_000).map(|_| ("a", "1")).collect();
    assert_eq!(browser.post("/registration", &many).await.status, 403);
    for path in PAGES {
        let page = browser.get(path).await;
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
        assert!(
            page.header("content-security-policy").contains("frame-ancestors 'none'"),
            "{path}"
        );
    }
    for path in ["/static/../Cargo.toml", "/static/..%2f..%2fCargo.toml", "/static/"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
}

/// What an address or a header says is in no other header, and a GET stays a GET.
#[tokio::test]
async fn headers_cannot_be_written_from_outside() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let hostile = "day%0d%0aX-Own:%201%22";
    let page = browser.get(&format!("/measurements.csv?period={hostile}&date={hostile}")).await;
    assert_eq!(page.status, 400);
    assert_eq!(page.header("content-disposition"), "");
    assert_eq!(page.header("x-own"), "");
    let request = Request::get("/")
        .header("host", HOST)
        .header("x-forwarded-host", "attacker.example")
        .header("x-original-url", "/attacker");
    let page = world.send(request.body(Body::empty()).unwrap()).await;
    assert!(page.status == 200 && !page.body.contains("attacker"), "{}", page.body);
    for header in ["x-http-method-override", "x-method-override", "x-http-method"] {
        let request = Request::get("/consent/revoke?_method=post&read=yes")
            .header("host", HOST)
            .header("cookie", browser.cookie_header())
            .header(header, "POST");
        assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 405);
    }
    assert_eq!(world.cloud.consent(), ebp_core::model::ConsentState::Granted);
}

/// A page that renews itself does not keep a session open.
#[tokio::test]
async fn a_region_does_not_count_as_use() {
    let world = World::new();
    let browser = Browser::signed_in(&world).await;
    let cookie = browser.cookie_header();
    for _ in 0..3 {
        world.clock.advance(std::time::Duration::from_secs(9 * 60));
        let request = Request::get("/today")
            .header("host", HOST)
            .header("cookie", &cookie)
            .header("x-ebp-region", "1");
        assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 200);
    }
    world.clock.advance(std::time::Duration::from_secs(4 * 60));
    let request = Request::get("/today").header("host", HOST).header("cookie", &cookie);
    assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 303);
}
