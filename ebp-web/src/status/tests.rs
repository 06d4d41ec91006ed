//! Pages of made-up answers: what each state shows, in both languages, and how long it is.

use askama::Template;
use axum::http::HeaderMap;
use ebp_core::{
    contract::{
        AlertChannel, AlertDelivery, AlertKind, AlertMessage, AlertMessageKind, AlertRules,
        ClockState, DeliveryState, FleetCount, FleetDevice, FleetMeter, FleetPage, FleetState,
        FleetVersion, Job, JobKind, Silence,
    },
    model::{ConsentState, IncidentType, MeterType},
};
use ebp_survey::{AlertCounts, BackupState, Fleet, FleetCursor, SurveyFigures};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    alerts::{AlertFacts, AlertsPage, RuleDraft, RulesPage},
    device::{DeviceFacts, DevicePage, SilenceDraft},
    filter::Filter,
    kept::KeptFleets,
    overview::{Overview, Stale},
    reason,
    server::{Readiness, ServerFacts, ServerPage},
};
use crate::{
    cloud::STATUS,
    kit::{
        frame::Frame,
        language::Language,
        moment::{Moments, time_zone},
        page::Preferences,
    },
};

fn now() -> Timestamp {
    "2026-12-01T09:07:00Z".parse().unwrap()
}

fn frame(language: Language) -> Frame {
    let mut headers = HeaderMap::new();
    headers.insert("accept-language", language.code().parse().unwrap());
    let preferences = Preferences::from_request(&headers, "/status", None);
    let moments = Moments { zone: time_zone("Europe/Berlin").unwrap(), language };
    Frame::new(&STATUS, "Title".to_owned(), preferences, moments, now(), Some("t".repeat(43)))
}

/// A device as long in the table as one may well be.
fn device(number: u128, state: FleetState) -> FleetDevice {
    let at = |minutes: i64| now() - SignedDuration::from_mins(minutes);
    let meter = |kind, incidents| FleetMeter {
        uuid: Uuid::from_u128(number << 8),
        kind,
        last_measurement: Some(at(4_000)),
        another_meter: false,
        incidents,
    };
    FleetDevice {
        uuid: Uuid::from_u128(number * 0x0123_4567_89ab_cdef_0123),
        household: Some(Uuid::from_u128(number)),
        participant: Some("Annegret Müller-Lüdenscheidt".to_owned()),
        consent: ConsentState::Granted,
        state,
        reasons: vec![state, FleetState::Certificate],
        version: Some("1.24.3".to_owned()),
        last_report: Some(at(3_000)),
        meters: vec![
            meter(MeterType::Electricity, vec![IncidentType::SerialPortUnavailable]),
            meter(MeterType::PvGeneration, vec![IncidentType::ObisCodesUnavailable]),
        ],
        incidents: 2,
        damaged_share: Some(Decimal::new(123, 3)),
        clock: Some(ClockState::Unsynchronised),
        pending: Some(120),
        certificate_end: Some(at(-10_000)),
        silence: None,
    }
}

fn fleet(items: Vec<FleetDevice>) -> Fleet {
    let counts = FleetState::ALL.map(|state| FleetCount {
        state,
        devices: items.iter().filter(|device| device.state == state).count() as u64,
    });
    let page = FleetPage {
        items,
        next: None,
        counts: counts.to_vec(),
        versions: vec![FleetVersion { version: "1.24.3".to_owned(), devices: 100 }],
        withheld: 0,
        judged_at: now(),
    };
    Fleet { page, next: None }
}

fn overview(language: Language, fleet: &Fleet, filter: &Filter, stale: Option<Stale>) -> String {
    Overview::new(frame(language), fleet, filter, true, stale).render().unwrap()
}

#[test]
fn a_hundred_devices_are_small() {
    let devices = (1..=100).map(|number| device(number, FleetState::Incident)).collect();
    let mut fleet = fleet(devices);
    fleet.next = Some(FleetCursor { key: 7, device: Uuid::max() });
    for language in Language::ALL {
        let html = overview(language, &fleet, &Filter::default(), None);
        assert!(html.len() < 60_000, "{} bytes in {language}", html.len());
        assert_eq!(html.matches("<tr><th scope=\"row\">").count(), 100);
        assert!(html.contains("rel=\"next\""));
    }
}

#[test]
fn every_state_says_what_it_is_and_why() {
    let devices = FleetState::ALL.into_iter().enumerate();
    let devices = devices.map(|(number, state)| device(number as u128 + 1, state)).collect();
    let fleet = fleet(devices);
    for language in Language::ALL {
        let html = overview(language, &fleet, &Filter::default(), None);
        for state in FleetState::ALL {
            let name = reason::state_name(language, state);
            assert!(html.contains(&format!("/status?state={state}")), "{state}");
            assert!(html.matches(&name).count() >= 2, "{name}: as a count and in the list");
        }
        assert!(html.contains(&language.say("incident-port")), "a reason");
    }
    let german = overview(Language::De, &fleet, &Filter::default(), None);
    assert!(german.contains("letzter Bericht vor 2 Tagen"), "{german}");
    assert!(german.contains("120 Messwerte warten") && german.contains("10 Geräte brauchen"));
}

#[test]
fn the_overview_has_a_sentence_for_each_of_its_states() {
    let none = fleet(Vec::new());
    let english = |fleet: &Fleet, filter: &Filter| overview(Language::En, fleet, filter, None);
    let html = english(&none, &Filter::default());
    assert!(html.contains("No device is registered yet.") && !html.contains("<table"));
    let narrow = Filter { search: Some("<b>x".to_owned()), ..Filter::default() };
    let html = english(&none, &narrow);
    assert!(html.contains("No device is like that.") && !html.contains("<b>x"), "{html}");
    let mut healthy = fleet(vec![device(1, FleetState::Healthy)]);
    healthy.page.withheld = 2;
    let html = english(&healthy, &Filter::default());
    assert!(html.contains("All devices are well.") && html.contains("2 households revoked"));
    let stale = Some(Stale { answered_at: now() - SignedDuration::from_mins(4) });
    let html = overview(Language::En, &healthy, &Filter::default(), stale);
    assert!(html.contains("The database does not answer. This is as of 10:03"), "{html}");
}

#[test]
fn names_are_not_kept_for_when_the_database_is_away() {
    let kept = KeptFleets::default();
    for number in 0..100 {
        kept.keep(&format!("/status?q={number}"), &fleet(vec![device(1, FleetState::Silent)]));
    }
    assert!(kept.find("/status?q=0", now()).is_none(), "only so many");
    let found = kept.find("/status?q=99", now()).unwrap();
    assert_eq!(found.page.items[0].participant, None);
    assert!(!format!("{kept:?}").contains("Annegret"));
    assert!(kept.find("/status?q=99", now() + SignedDuration::from_hours(1)).is_none());
}

fn facts(device: FleetDevice) -> DeviceFacts {
    DeviceFacts {
        device,
        timelines: Vec::new(),
        history: None,
        managed: None,
        certificates: Vec::new(),
        tunnel: None,
        sessions: Vec::new(),
    }
}

#[test]
fn a_device_says_what_is_known_and_what_is_not() {
    let mut never = device(1, FleetState::NeverSpoke);
    never.last_report = None;
    never.participant = Some("<script>alert(1)</script>".to_owned());
    let mut revoked = device(2, FleetState::Revoked);
    (revoked.consent, revoked.household, revoked.participant) = (ConsentState::Revoked, None, None);
    let mut silenced = device(3, FleetState::Silent);
    silenced.silence = Some(Silence {
        reason: "\"><img src=x>".to_owned(),
        begun_at: now(),
        ends_at: Some(now() + SignedDuration::from_hours(30)),
        until_recovery: true,
    });
    for language in Language::ALL {
        let page = |device: &FleetDevice, draft: SilenceDraft| {
            DevicePage::new(frame(language), &facts(device.clone()), draft, None).render().unwrap()
        };
        let html = page(&never, SilenceDraft::default());
        assert!(html.contains(&language.say("device-never-spoke")));
        assert!(!html.contains("<script>alert") && html.contains("name=\"reason\""));
        let html = page(&revoked, SilenceDraft::default());
        assert!(html.contains(&language.say("device-is-revoked")));
        assert!(!html.contains("/token\"") && !html.contains("/silence\""), "nothing to change");
        // What was deleted with the consent is not told as never having been.
        for (said, unsaid) in
            [("certificates-revoked", "certificates-none"), ("tunnel-revoked", "tunnel-none")]
        {
            let has = |name| html.contains(&language.say(name));
            assert!(has(said) && !has(unsaid), "{said}: {html}");
        }
        let html = page(&silenced, SilenceDraft::default());
        assert!(html.contains("/silence/end\"") && !html.contains("<img src"));
        assert!(html.contains(&language.say("silence-until-recovery")));
        let fault = SilenceDraft { fault: "F".into(), reason: "kept".into(), ..Default::default() };
        let html = page(&never, fault);
        assert!(html.contains("value=\"kept\"") && html.contains("aria-invalid=\"true\""));
    }
}

fn message(deliveries: Vec<AlertDelivery>) -> AlertMessage {
    AlertMessage {
        uuid: Uuid::from_u128(5),
        kind: AlertMessageKind::Changes,
        created_at: now(),
        began: 1_000,
        ended: 0,
        items: Vec::new(),
        deliveries,
    }
}

#[test]
fn a_webhook_that_fails_is_told_on_top() {
    let delivery = |state, attempts, error: Option<&str>| AlertDelivery {
        channel: AlertChannel::Webhook,
        state,
        attempts,
        next_at: now(),
        ended_at: None,
        error: error.map(str::to_owned),
    };
    let rules = AlertRules {
        enabled: true,
        silent: Some(7_200),
        late: Some(7_230),
        incident: Some(5_400),
        certificate: Some(21 * 86_400),
        channels: vec![AlertChannel::Webhook],
        ..AlertRules::default()
    };
    let page = |delivery: AlertDelivery| {
        let facts = AlertFacts {
            rules: rules.clone(),
            history: Vec::new(),
            counts: AlertCounts {
                open: vec![(AlertKind::Silent, 3)],
                pending: 1,
                attempts: 4,
                error_groups: 0,
            },
            messages: vec![message(vec![delivery])],
            older: None,
            is_older: false,
        };
        AlertsPage::new(frame(Language::En), &facts, None).render().unwrap()
    };
    let html = page(delivery(DeliveryState::Pending, 3, Some("<timed out>")));
    assert!(html.contains("Messages by Webhook fail: &#60;timed out&#62;"), "{html}");
    assert!(html.contains("no report for 2 hours") && html.contains("ends within 21 days"));
    // To the second, and in the largest unit that is whole.
    assert!(html.contains("for 2 hours 30 seconds") && html.contains("for 90 minutes"), "{html}");
    assert!(html.contains("1,000 began") || html.contains("1000 began"), "one message for all");
    let html = page(delivery(DeliveryState::Sent, 1, None));
    assert!(!html.contains("Messages by Webhook fail") && html.contains("alerts/test"));
}

#[test]
fn rules_of_two_administrators_stand_side_by_side() {
    let rules = AlertRules { late: Some(3_600), version: 2, ..AlertRules::default() };
    let draft = RuleDraft { late: "90".into(), ..RuleDraft::default() };
    let frame = frame(Language::De);
    let fault = vec![frame.say("rules-changed")];
    let html = RulesPage::new(frame, &rules, 2, draft, fault, true).render().unwrap();
    assert!(html.contains("value=\"90\"") && html.contains("seit 1 Stunde"), "{html}");
    assert!(html.contains("name=\"version\" value=\"2\""));
}

#[test]
fn the_server_says_what_its_jobs_do_and_counts_in_words() {
    let job = |kind: JobKind| -> Job {
        let job = serde_json::json!({
            "uuid": Uuid::from_u128(7), "kind": kind.name(), "state": "waiting",
            "created_by": "researchers", "created_at": now(), "attempt": 0, "failures": 0,
            "run_after": now(), "progress": 0, "cancel_requested": false, "erased": false,
        });
        serde_json::from_value(job).unwrap()
    };
    let kinds = [JobKind::RiskReport, JobKind::HouseholdImport, JobKind::Export];
    for language in Language::ALL {
        for pending in [0, 1, 2] {
            let facts = ServerFacts {
                readiness: Readiness { fault: None, took: SignedDuration::ZERO },
                figures: Some(SurveyFigures {
                    alerts: AlertCounts { pending, ..AlertCounts::default() },
                    ..SurveyFigures::default()
                }),
                backups: BackupState::Unknown,
                errors: Vec::new(),
                device_errors: Vec::new(),
                jobs: kinds.map(job).to_vec(),
                older: None,
                sessions: Vec::new(),
            };
            let html = ServerPage::new(frame(language), &facts, None).render().unwrap();
            for kind in kinds {
                assert!(!html.contains(kind.name()), "{}: {html}", kind.name());
            }
            let (said, unsaid) = match language {
                Language::De => ("Nachricht wartend", "Nachrichten wartend"),
                Language::En => ("message waiting", "messages waiting"),
            };
            assert_eq!((html.contains(said), html.contains(unsaid)), (pending == 1, pending != 1));
        }
    }
}
