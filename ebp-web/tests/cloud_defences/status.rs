//! Attacks on the administrators' pages.

use axum::{body::Body, http::Request};
use ebp_core::{clock::Clock, scope::Group};
use ebp_store::{NewTunnel, NewTunnelSession};
use ebp_web::kit::defence::{Defence, Defences};
use uuid::Uuid;

use super::{
    holds_by,
    world::{Browser, HOST, World},
};

const TUNNEL_SESSION: Uuid = Uuid::from_u128(4);

/// A survey with a device, to which somebody is connected, and an administrator who looks at it.
struct Case {
    world: World,
    device: Uuid,
    browser: Browser,
}

impl Case {
    async fn new(version: &str) -> Self {
        let world = World::on_sqlite().await;
        let device = world.register(1).await.measurement_device;
        let (store, now) = (world.store(), world.clock.now());
        let tunnel = NewTunnel {
            device,
            server: Uuid::from_u128(1),
            url: None,
            instance: Uuid::from_u128(2),
            version: version.to_owned(),
            ipv6: false,
        };
        store.take_tunnel(tunnel, now).await.unwrap();
        let (administrator, service) = ("max.admin".to_owned(), "ssh".to_owned());
        let session = NewTunnelSession { uuid: TUNNEL_SESSION, device, administrator, service };
        store.begin_tunnel_session(session, now).await.unwrap();
        let browser = world.signed_in(Group::Administrators).await;
        Self { world, device, browser }
    }

    fn page(&self) -> String {
        format!("/status/device/{}", self.device)
    }

    /// What somebody else's page sends with the administrator's cookie.
    async fn forge(&mut self, origin: &str) {
        let session = self.world.survey.web_sessions().await.unwrap()[0].uuid;
        let page = self.page();
        for (path, pair) in [
            (format!("{page}/silence"), ("reason", "forged")),
            (format!("{page}/token"), ("do", "it")),
            (format!("{page}/session/{TUNNEL_SESSION}/end"), ("do", "it")),
            ("/status/alerts/rules".to_owned(), ("version", "0")),
            (format!("/status/server/session/{session}"), ("do", "it")),
        ] {
            self.browser.send_from(origin, &path, &[("token", "planted"), pair]).await;
        }
    }

    /// How much of that was done.
    async fn done(&self) -> usize {
        let (survey, store) = (&self.world.survey, self.world.store());
        let silenced = survey.device_silence(self.device).await.is_ok();
        let ended = !store.sessions_to_end(vec![TUNNEL_SESSION]).await.unwrap().is_empty();
        let changed = !store.alert_rules(1).await.unwrap().is_empty();
        let signed_out = survey.web_sessions().await.unwrap().is_empty();
        [silenced, ended, changed, signed_out].into_iter().filter(|done| *done).count()
    }
}

/// 2: forms of another page are sent with an administrator's cookie.
#[tokio::test]
async fn forms_of_another_page() {
    holds_by(&[Defence::Origin, Defence::FormToken], async || {
        let mut case = Case::new("1.2.0").await;
        case.forge("https://evil.example").await;
        let done = case.done().await;
        assert!(done == 0 || done == 4, "{done} of four");
        done == 4
    })
    .await;
}

/// 2: each of the two locks holds alone.
#[tokio::test]
async fn one_lock_is_enough() {
    let all = Defences::take();
    for off in [Defence::Origin, Defence::FormToken] {
        all.switch_off(&[off]);
        let mut case = Case::new("1.2.0").await;
        case.forge("null").await;
        assert_eq!(case.done().await, 0, "{off:?}");
    }
}

/// 1: what a device says of itself is markup.
#[tokio::test]
async fn a_device_that_sends_markup() {
    holds_by(&[Defence::Escape], async || {
        let mut case = Case::new("<img src=x onerror=alert(1)>").await;
        let page = case.page();
        let shown = case.browser.get(&page).await;
        assert_eq!(shown.status, 200);
        shown.body.contains("<img src=x")
    })
    .await;
}

/// 3: an attacker's name leads to the server; its script would read the page.
#[tokio::test]
async fn a_foreign_host() {
    holds_by(&[Defence::Host], async || {
        let mut case = Case::new("1.2.0").await;
        let request = Request::get(case.page()).header("host", "evil.example");
        let answer = ask(&mut case, request, None).await;
        answer.contains("max.admin")
    })
    .await;
}

/// 4: a session is used after signing out.
#[tokio::test]
async fn a_session_after_its_end() {
    holds_by(&[Defence::SessionEnd], async || {
        let mut case = Case::new("1.2.0").await;
        let mut stolen = case.browser.clone();
        case.browser.submit("/status", "/sign-out", &[]).await;
        stolen.get("/status").await.status == 200
    })
    .await;
}

/// 4: a second cookie of the name, planted by a sibling host.
#[tokio::test]
async fn a_planted_cookie() {
    holds_by(&[Defence::SingleCookie], async || {
        let mut case = Case::new("1.2.0").await;
        let request = Request::get("/status").header("host", HOST);
        let planted = format!("__Host-ebp={}", "A".repeat(43));
        ask(&mut case, request, Some(planted)).await.contains("id=\"fleet\"")
    })
    .await;
}

/// 7: another site shows the page in a frame; 4: Back shows it after signing out.
#[tokio::test]
async fn a_frame_and_the_way_back() {
    for (defence, header) in
        [(Defence::Policy, "content-security-policy"), (Defence::NoStore, "cache-control")]
    {
        holds_by(&[defence], async || {
            let mut case = Case::new("1.2.0").await;
            let page = case.page();
            let answer = case.browser.get(&page).await;
            answer.headers.get(header).is_none_or(|value| {
                let value = value.to_str().unwrap();
                !value.contains("frame-ancestors 'none'") && value != "no-store"
            })
        })
        .await;
    }
}

/// A request with the administrator's cookies, and perhaps another one before them.
async fn ask(
    case: &mut Case,
    request: axum::http::request::Builder,
    planted: Option<String>,
) -> String {
    let own = case.browser.cookies.iter().map(|(name, value)| format!("{name}={value}"));
    let cookies: Vec<_> = planted.into_iter().chain(own).collect();
    let request = request.header("cookie", cookies.join("; ")).body(Body::empty()).unwrap();
    case.browser.ask(request).await.body
}
