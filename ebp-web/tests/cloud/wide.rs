//! Names, addresses and reasons without a space stay in their boxes on the narrowest telephone.

use std::sync::Arc;

use ebp_core::{
    clock::Clock,
    contract::{MessageAbout, NewMessage},
    scope::Group,
};
use ebp_needs::needs;
use ebp_store::{HouseholdId, JobEnd, JobOrder, JobPolicy, JobResult};
use ebp_testkit::browser::{Browser, key};
use uuid::Uuid;

use crate::{
    browser::Site,
    world::{ADMINISTRATORS, registration},
};

/// Households, a message and a failed job with words as long as they may be.
async fn fill(site: &Site) -> (Uuid, Uuid) {
    let (store, now) = (site.world.store(), site.world.clock.now());
    let mut long = registration(1);
    let word = |letter: &str, count| letter.repeat(count);
    long.participant.name = word("M", 200);
    let labels = [word("b", 63), word("c", 63), word("d", 55)].join(".");
    long.participant.email =
        format!("{}@{labels}.example", word("a", 60)).chars().take(254).collect();
    long.address.street = word("S", 100);
    long.address.city = word("O", 60);
    long.meters[0].model = word("Z", 40);
    let made = store.register(long, now).await.unwrap();
    let id = HouseholdId(made.household);
    store.grant_consent(id, now).await.unwrap();
    let message = NewMessage { about: MessageAbout::Meter, text: word("w", 1_000).into() };
    store.add_message(id, message, now).await.unwrap();
    let order = JobOrder {
        kind: "risk-report".to_owned(),
        input: b"{}".to_vec(),
        subjects: Vec::new(),
        created_by: Group::Administrators,
        key: None,
        trace_id: None,
    };
    store.add_job(order).await.unwrap();
    let policy = JobPolicy::default();
    let claimed = store.claim_job(Uuid::from_u128(1), vec!["risk-report"], policy).await.unwrap();
    let end =
        JobEnd::Failed { error: word("f", 200), temporary: false, result: JobResult::default() };
    store.record_job(claimed.unwrap().lease, Arc::new(end), policy, now).await.unwrap();
    (made.household, made.measurement_device)
}

/// Boxes whose content is wider than they are, but for those that scroll.
const TOO_WIDE: &str = "
    const wide = [];
    const page = document.documentElement;
    if (page.scrollWidth > page.clientWidth) wide.push('the page: ' + page.scrollWidth);
    for (const box of document.querySelectorAll('header, main, footer, section, .panel, .note, dl, dd, form, h1, p, li')) {
        if (box.closest('.scroll') || getComputedStyle(box).overflowX !== 'visible') continue;
        const style = getComputedStyle(box);
        if (style.display === 'inline' || box.clientWidth === 0) continue;
        if (box.scrollWidth > box.clientWidth + 1) wide.push(box.outerHTML.slice(0, 120));
    }
    return wide;";

#[needs(chromium)]
#[test]
fn long_words_stay_in_their_boxes() {
    let site = Site::start();
    let (household, device) = site.runtime.block_on(fill(&site));
    let of = format!("/registration/household/{household}");
    let researcher = site.browse(320, "de", true);
    site.sign_in(&researcher);
    let administrator = site.browse(320, "de", true);
    administrator
        .open_address(&format!("{}/sign-in?group=administrators&next=%2Fstatus", site.address));
    administrator.fill_in("[name=secret]", ADMINISTRATORS);
    administrator.press([key::ENTER]);
    administrator.wait_for("#fleet");
    let mut wide = Vec::new();
    let mut look = |browser: &Browser, path: &str| {
        browser.open_address(&format!("{}{path}", site.address));
        let found: Vec<String> = serde_json::from_value(browser.run(TOO_WIDE)).unwrap();
        wide.extend(found.into_iter().map(|found| format!("{path}: {found}")));
        // A list stays one that can be read: no cell is wider than the screen.
        let cells = "return [...document.querySelectorAll('td bdi, th bdi')]
            .filter(cell => cell.getBoundingClientRect().width > 320).length";
        assert_eq!(browser.run(cells), 0, "{path} has cells wider than the screen");
    };
    for path in ["", "/edit", "/withdrawal", "/remove"] {
        look(&researcher, &format!("{of}{path}"));
    }
    for path in ["/registration", "/registration/messages", "/registration/consents"] {
        look(&researcher, path);
    }
    for path in ["/status", "/status/alerts", "/status/server", "/status/rollout"] {
        look(&administrator, path);
    }
    look(&administrator, &format!("/status/device/{device}"));
    assert!(wide.is_empty(), "{wide:#?}");
}
