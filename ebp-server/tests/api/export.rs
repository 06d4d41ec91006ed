//! Everything about a household as one document, held against what is declared of the database.

use std::{collections::BTreeMap, path::Path};

use ebp_core::{
    clock::Clock,
    contract::{
        HouseholdExport, Language, Registered, ReleaseTier, SurveyText, paths, problem_type,
    },
    cycle::Cycle,
    model::measurement_id,
    scope::{Group, Scope, Scopes},
};
use ebp_store::{HouseholdId, PurposeChange};
use ebp_survey::export::columns::{CONTAINED, LEFT_OUT, OF_NO_HOUSEHOLD};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    harness::{Api, Call, Server, measurement, outcomes},
    release::release,
};

const EMAIL: &str = "erika@example.org";

#[derive(Deserialize)]
struct Table {
    columns: BTreeMap<String, Value>,
}

/// Every column of the server's database, as `table.column`.
fn declared() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/data-model.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut all: BTreeMap<String, BTreeMap<String, Table>> = toml::from_str(&text).unwrap();
    let tables = all.remove("server").unwrap();
    tables
        .into_iter()
        .flat_map(|(table, Table { columns })| {
            columns.into_keys().map(move |column| format!("{table}.{column}"))
        })
        .collect()
}

/// Where the tables of `columns.rs` have a column.
fn places(column: &str) -> Vec<&'static str> {
    let (table, _) = column.split_once('.').unwrap();
    let contained = CONTAINED.iter().filter(|(name, _)| *name == column).map(|_| "contained");
    let left_out = LEFT_OUT
        .iter()
        .filter(|left| left.columns.iter().any(|it| *it == column || *it == format!("{table}.*")))
        .map(|_| "left out");
    let of_none = OF_NO_HOUSEHOLD.iter().filter(|(name, _)| *name == table).map(|_| "of nobody");
    contained.chain(left_out).chain(of_none).collect()
}

#[test]
fn every_declared_column_is_contained_or_left_out_with_a_reason() {
    let declared = declared();
    assert!(declared.len() > 100, "{}", declared.len());
    for column in &declared {
        let places = places(column);
        assert_eq!(
            places.len(),
            1,
            "{column} is {places:?}: ebp-survey/src/export/columns.rs has to say where a household \
             finds it, or why it does not"
        );
    }
    let named = CONTAINED.iter().map(|(name, _)| *name);
    let left_out = LEFT_OUT.iter().flat_map(|left| left.columns.iter().copied());
    for name in named.chain(left_out).filter(|name| !name.ends_with(".*")) {
        assert!(declared.iter().any(|column| column == name), "{name} is no column any more");
    }
    for left in LEFT_OUT {
        assert!(left.reason.len() > 20 && left.what.len() > 20, "{left:?}");
    }
}

/// A household with something in every table that households are in.
async fn filled(server: &Server) -> (Registered, Api) {
    let texts = [Language::De, Language::En].map(|language| SurveyText {
        language,
        summary: format!("summary {language}"),
        details: "details".into(),
        release: Some(ReleaseTier::Research),
    });
    server.store.publish_texts(4, texts.to_vec()).await.unwrap();
    let (made, api) = server.household(EMAIL).await;
    let agreed = json!({"text_version": 4, "language": "en"});
    api.json(Method::POST, paths::CONSENT, &agreed).expect(StatusCode::CREATED).await;
    let purpose = PurposeChange::Give {
        name: "later-studies".into(),
        language: Language::En,
        text: "Invite me.".into(),
    };
    let household = HouseholdId(made.household);
    server.store.change_purpose(household, purpose, server.clock.now()).await.unwrap();
    let released = vec![(made.household, "nuts1".to_owned())];
    server.store.add_data_release(release(1), released).await.unwrap();
    server.clock.advance(1800);
    let now = server.clock.now();
    let slot = Cycle::QUARTER_HOUR.slot(now);
    let mut regular = measurement(0, made.meters[0], slot.start());
    regular["uuid"] = json!(measurement_id(made.meters[0], slot));
    regular["flags"] = json!(["clock-corrected"]);
    let other = measurement(uuid::Uuid::new_v4().as_u128(), made.meters[0], now);
    let stored = api.upload(&[regular, other]).ok().await;
    assert_eq!(outcomes(&stored), ["accepted", "accepted"], "{stored}");
    let incident = paths::incidents_of(made.meters[0]);
    let kind = json!({"type": "SERIAL-PORT-UNAVAILABLE"});
    for _ in 0..3 {
        Call(api.post(&format!("{incident}/report")).0.json(&kind)).ok().await;
        Call(api.post(&format!("{incident}/resolve")).0.json(&kind)).ok().await;
        server.clock.advance(1);
    }
    let status = json!({
        "components": {"reader": "1.0"}, "clock": "synchronised",
        "spool": {"pending": 4, "refused": 0, "unplaced": 0, "bytes": 81920},
        "meters": [{"meter": made.meters[0], "telegrams": 96, "damaged": 3}],
        "notices": ["spool-full"]
    });
    let answer = api.json(Method::PUT, paths::DEVICE_STATUS, &status).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let researcher = server.manager(Group::Researchers);
    let message = json!({"about": "meter", "text": "Der zweite Zähler ist neu."});
    let written =
        api.json(Method::POST, paths::MESSAGE, &message).expect(StatusCode::CREATED).await;
    let path = paths::MESSAGE_ANSWER.replace("{uuid}", written["uuid"].as_str().unwrap());
    researcher.json(Method::POST, &path, &json!({"text": "Danke."})).ok().await;
    let path = format!("/management/household/{}/meter/{}", made.household, made.meters[1]);
    let removed = json!({"removed_at": now, "generation_register": "2.8.0"});
    let removing = researcher.json(Method::PATCH, &path, &removed);
    Call(removing.0.header("ebp-label", "ZQX")).ok().await;
    let silence = json!({"reason": "moves house", "until_recovery": true,
                         "ends_at": now + jiff::SignedDuration::from_hours(48)});
    let path = paths::DEVICE_SILENCE.replace("{uuid}", &made.measurement_device.to_string());
    let silencing = server.manager(Group::Administrators).json(Method::POST, &path, &silence);
    silencing.expect(StatusCode::CREATED).await;
    let revoked = server.issue(EMAIL, Some(made.measurement_device), Scopes::all());
    server.authority.revoke(&revoked.entry.serial).unwrap();
    server.issue(EMAIL, None, Scopes::all());
    (made, api)
}

/// What is at a pointer, `*` standing for each entry of an array.
fn at<'a>(value: &'a Value, pointer: &str) -> Vec<&'a Value> {
    pointer.split('/').skip(1).fold(vec![value], |values, name| {
        let below = |value: &'a Value| match (name, value) {
            ("*", Value::Array(entries)) => entries.iter().collect::<Vec<_>>(),
            (name, value) => value.get(name).into_iter().collect(),
        };
        values.into_iter().flat_map(below).collect()
    })
}

#[tokio::test]
async fn everything_is_in_one_document() {
    let server = Server::start().await;
    let (made, api) = filled(&server).await;
    // Of a neighbour nothing is in it.
    let (other, _) = server.consenting_to("max@example.org", 4).await;
    let answer = api.get(paths::EXPORT).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let text = answer.text().await.unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    for (column, pointer) in CONTAINED {
        let found = at(&document, pointer);
        assert!(found.iter().any(|value| !value.is_null()), "{column}: nothing at {pointer}");
    }
    // It is of the published form, and whole.
    let export: HouseholdExport = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(&export).unwrap(), document);
    assert!(export.complete && text.ends_with("\"complete\":true}\n"));
    assert_eq!(export.household.uuid, made.household);
    assert_eq!(export.agreed_text.unwrap().summary, "summary en");
    assert_eq!(export.messages[0].answer.as_deref(), Some("Danke."));
    assert_eq!(export.meters.len(), 2);
    assert_eq!(export.meters[0].measurements.len(), 2);
    let device = &export.measurement_devices[0];
    assert!(device.certificates.iter().any(|it| it.revoked_at.is_some()));
    assert_eq!(export.certificates.len(), 1);
    assert_eq!(export.meters[0].incidents.len(), 3, "all of its episodes");
    assert_eq!(device.days.len(), 1);
    assert_eq!(device.silence.as_ref().unwrap().reason, "moves house");
    let kinds: Vec<_> = export.changes.iter().map(|change| change.kind.name()).collect();
    assert_eq!(kinds, ["meter-changed", "device-silenced"]);
    let fields = ["/generation_register", "/measurement_device", "/removed_at"];
    assert_eq!(export.changes[0].fields, fields);
    // Initials are of another person.
    assert!(!text.contains("ZQX"));
    assert_eq!(export.left_out.len(), LEFT_OUT.len());
    for foreign in [other.household, other.measurement_device, other.meters[0]] {
        assert!(!text.contains(&foreign.to_string()));
    }
    assert!(!text.contains("max@example.org"));
}

#[tokio::test]
async fn all_scopes_are_needed_and_consent_ends_it() {
    let server = Server::start().await;
    let (made, api) = server.consenting(EMAIL).await;
    let needed = [Scope::Account, Scope::Consent, Scope::Household, Scope::MeasurementRead];
    let device = Some(made.measurement_device);
    for missing in needed {
        let scopes = Scopes::from_iter(Scope::ALL.into_iter().filter(|scope| *scope != missing));
        let lesser = server.api(Some(&server.issue(EMAIL, device, scopes)));
        let problem = lesser.get(paths::EXPORT).problem(403, problem_type::SCOPE).await;
        assert!(problem.detail.unwrap().contains(missing.name()));
    }
    let enough = server.api(Some(&server.issue(EMAIL, None, Scopes::from_iter(needed))));
    assert_eq!(enough.get(paths::EXPORT).ok().await["household"]["uuid"], json!(made.household));
    for group in Group::ALL {
        server.manager(group).get(paths::EXPORT).problem(403, problem_type::GROUP).await;
    }
    api.delete(paths::CONSENT).ok().await;
    for gone in [&api, &enough] {
        gone.get(paths::EXPORT).problem(410, problem_type::CONSENT_REVOKED).await;
    }
}

/// Many pages are sent as they are read; a revocation meanwhile breaks the document off, so that
/// nobody takes half of it for the whole.
#[tokio::test]
async fn a_revocation_meanwhile_breaks_it_off() {
    let server = Server::start().await;
    let (made, api) = server.consenting(EMAIL).await;
    let count = 3_000;
    server.clock.advance(count);
    let now = server.clock.now();
    let items: Vec<_> = (0..count)
        .map(|i| measurement(i as u128, made.meters[0], now - jiff::SignedDuration::from_secs(i)))
        .collect();
    for part in items.chunks(1000) {
        api.upload(part).ok().await;
    }
    let whole = api.get(paths::EXPORT).ok().await;
    let measurements = whole["meters"][0]["measurements"].as_array().unwrap();
    let mut instants: Vec<_> =
        measurements.iter().map(|item| item["measured_at"].as_str().unwrap()).collect();
    assert_eq!(instants.len(), usize::try_from(count).unwrap());
    assert!(instants.is_sorted());
    instants.dedup();
    assert_eq!(instants.len(), usize::try_from(count).unwrap(), "each once");

    // Its beginning is there, and nothing more is read while nobody takes it.
    let caller = ebp_survey::Caller {
        participant: ebp_store::ParticipantId(0),
        household: Some(HouseholdId(made.household)),
        consents: true,
        source: ebp_store::Source::Device,
        device: None,
        through: ebp_core::contract::GrantChannel::Device,
    };
    let survey = ebp_survey::Survey::new(server.store.clone(), server.clock.clone());
    let mut parts = std::sync::Arc::new(survey).export_household(&caller).await.unwrap();
    assert!(parts.recv().await.unwrap().unwrap().starts_with(b"{\"exported_at\""));
    api.delete(paths::CONSENT).ok().await;
    let mut text = Vec::new();
    let error = loop {
        match parts.recv().await.expect("an error is the last") {
            Ok(part) => text.extend(part),
            Err(error) => break error,
        }
    };
    assert_eq!(error.to_string(), "consent is revoked");
    assert!(parts.recv().await.is_none());
    assert!(!text.ends_with(b"true}\n"));
}
