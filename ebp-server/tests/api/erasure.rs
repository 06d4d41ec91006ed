//! A revocation leaves no byte of what it erases: with rows in every table that `docs/data-model.toml`
//! declares, every file of the database is searched (journals, write-ahead log and PostgreSQL's own log
//! with it), every file of the server's folder, and the server's log. What is searched for is what
//! stands in the columns that a revocation erases, so that a table or column that is added is searched
//! for as well, and one that the test has no row of fails it.

mod places;
mod plain;

use std::{collections::BTreeSet, fs, sync::Arc, time::Duration};

use ebp_core::{
    clock::Clock,
    contract::{
        AlertChannel, AlertKind, AlertMessageKind, AlertRuleSet, DeviceUpdate, Language,
        NewRollout, PurposeText, Registered, Registration, ReleaseTier, RevertedUpdate,
        SurveyPurpose, SurveyText, TunnelSessionEnd, paths,
    },
    cycle::Cycle,
    model::measurement_id,
    scope::Group,
};
use ebp_server::Limits;
use ebp_store::{
    Database, HouseholdId, JobEnd, JobOrder, JobPolicy, JobResult, KeptDay, Look, NewDays,
    NewEpisode, NewMessage, NewSignInLink, NewTunnel, NewTunnelSession, NewWebSession,
    PlannedMessage, Quota, RolloutWrite, Subject, Watching, open_store,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use self::{
    places::{Log, Places},
    plain::{Bytes, Column, Plain, Sought, declared},
};
use crate::{
    ENGINE,
    cluster::Cluster,
    harness::{Api, Call, Engine, Server, URL, measurement, outcomes, registration},
    release::release,
};

/// What the book has operators set, and every statement in the log.
const CLUSTER: &str = "wal_recycle = off\nfsync = off\nlog_statement = 'all'\n\
                       log_parameter_max_length = 0\n";

/// A server that is alone on its database.
struct Scene {
    server: Server,
    plain: Plain,
    database: Database,
    cluster: Option<Cluster>,
    places: Places,
}

impl Scene {
    async fn set() -> Self {
        let log = Log::capture();
        let dir = Server::prepare(Engine::Sqlite).await;
        let cluster = (ENGINE == Engine::Postgres).then(|| Cluster::start(CLUSTER));
        let (database, plain) = match &cluster {
            Some(cluster) => {
                let (url, settings) = cluster.database().await;
                fs::write(dir.path().join(URL), &url).unwrap();
                let client = cluster.client(url.rsplit('=').next().unwrap()).await;
                (Database::Postgres(settings), Plain::Postgres(client))
            }
            None => {
                let path = dir.path().join("ebp.sqlite");
                let database = Database::Sqlite(path.clone());
                // Made before a plain connection makes an empty one.
                open_store(&database).await.unwrap().close().await.unwrap();
                (database, Plain::Sqlite(rusqlite::Connection::open(path).unwrap()))
            }
        };
        let server = Server::open_with(dir, |settings, _| {
            settings.limits = Limits { rate: None, ..Limits::default() };
            settings.quota = Some(Quota::for_cycle(Cycle::QUARTER_HOUR));
            settings.survey.purposes = vec![SurveyPurpose {
                name: "later-studies".into(),
                texts: vec![PurposeText { language: Language::De, text: "Einladen.".into() }],
            }];
        });
        let server = server.await;
        let text = SurveyText {
            language: Language::De,
            summary: "Kurz".into(),
            details: "Lang".into(),
            release: Some(ReleaseTier::Research),
        };
        server.store.publish_texts(1, vec![text]).await.unwrap();
        let mut folders = vec![server.data().to_owned()];
        folders.extend(cluster.as_ref().map(|it| it.data().parent().unwrap().to_owned()));
        Self { server, plain, database, cluster, places: Places { folders, log } }
    }

    /// Registers somebody and has rows of theirs in every table that such rows are in.
    async fn fill(&self, name: &str) -> (Registered, Api) {
        let server = &self.server;
        let researcher = server.manager(Group::Researchers);
        let administrator = server.manager(Group::Administrators);
        let body = serde_json::to_value(somebody(name)).unwrap();
        let call = researcher.json(Method::POST, paths::MANAGEMENT_HOUSEHOLD, &body);
        let made: Registered =
            serde_json::from_value(call.expect(StatusCode::CREATED).await).unwrap();
        let email = body["participant"]["email"].as_str().unwrap();
        let api = server.device(email, &made);
        // What was registered first is replaced by something else.
        let household =
            paths::MANAGED_HOUSEHOLD.replace("{household}", &made.household.to_string());
        let street = json!({"address": {
            "street": format!("Am {name}hang 7"), "postal_code": "53117",
            "city": format!("Nieder{name}ingen"), "country": "DE"}});
        let call = researcher.json(Method::PATCH, &household, &street);
        Call(call.0.header("ebp-label", format!("{name}schrift"))).ok().await;

        let agreed = json!({"text_version": 1, "language": "de"});
        Call(api.post(paths::CONSENT).0.json(&agreed)).expect(StatusCode::CREATED).await;
        let purpose = paths::purpose_of("later-studies");
        api.json(Method::POST, &purpose, &json!({"language": "de"})).ok().await;
        self.write_message(name, &api, &researcher).await;
        server.clock.advance(1800);
        let now = server.clock.now();
        let slot = Cycle::QUARTER_HOUR.slot(now);
        let mut regular = measurement(0, made.meters[0], slot.start());
        regular["uuid"] = json!(measurement_id(made.meters[0], slot));
        let other = measurement(uuid::Uuid::new_v4().as_u128(), made.meters[0], now);
        let stored = api.upload(&[regular, other]).ok().await;
        assert_eq!(outcomes(&stored), ["accepted", "accepted"]);

        let incident = paths::incidents_of(made.meters[0]);
        let kind = json!({"type": "SERIAL-PORT-UNAVAILABLE"});
        Call(api.post(&format!("{incident}/report")).0.json(&kind)).ok().await;
        server.clock.advance(7);
        Call(api.post(&format!("{incident}/resolve")).0.json(&kind)).ok().await;
        server.clock.advance(7);
        // It begins anew.
        for change in ["report", "resolve"] {
            Call(api.post(&format!("{incident}/{change}")).0.json(&kind)).ok().await;
            server.clock.advance(7);
        }
        let status = json!({
            "components": {"reader": "1.0-of-the-reader", "transmitter": format!("0.2.0-{}", backwards(name))},
            "clock": "synchronised",
            "spool": {"pending": 4, "refused": 0, "unplaced": 0, "bytes": 81920},
            "meters": [{"meter": made.meters[0], "telegrams": 96, "damaged": 3}],
            "notices": ["spool-full"],
            "host_keys": [format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{}", backwards(name))],
            "errors": [error_group(name, server.clock.now())]
        });
        let answer = api.json(Method::PUT, paths::DEVICE_STATUS, &status).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        server.clock.advance(7);
        let silence = paths::DEVICE_SILENCE.replace("{uuid}", &made.measurement_device.to_string());
        let reason = json!({"reason": format!("{} is not at home", backwards(name))});
        let call = administrator.json(Method::POST, &silence, &reason);
        call.expect(StatusCode::CREATED).await;
        self.enrol(&administrator, &made).await;
        server.clock.advance(7);
        self.fail_a_job(name, &made).await;
        self.keep_a_day(HouseholdId(made.household)).await;
        server.clock.advance(7);
        self.begin_an_episode(made.measurement_device).await;
        self.reach(name, made.measurement_device).await;
        self.roll_out(name, made.measurement_device).await;
        self.sign_in().await;
        self.release(name, HouseholdId(made.household)).await;
        (made, api)
    }

    /// The household in a release of the data set.
    async fn release(&self, name: &str, household: HouseholdId) {
        let store = &self.server.store;
        let number = store.data_releases().await.unwrap().len() as u64 + 1;
        let release = release(number);
        // Found in the files as no other household's.
        let shown = format!("shown of {name}");
        let households = vec![(household.0, shown.clone())];
        store.add_data_release(release, households).await.unwrap();
        let [(_, detail)] = store.releases_of(household).await.unwrap().try_into().unwrap();
        assert_eq!(detail, shown);
    }

    /// A researcher's session in the pages, and a link for another one.
    async fn sign_in(&self) {
        let (store, now) = (&self.server.store, self.server.clock.now());
        let (group, uuid) = (Group::Researchers, uuid::Uuid::new_v4());
        let token = |number: u128| {
            let mut token = [0; 32];
            token[..16].copy_from_slice(&number.to_be_bytes());
            token
        };
        let new = NewWebSession {
            token: token(uuid.as_u128()),
            uuid,
            group,
            label: Some("a researcher".to_owned()),
            browser: Some("Firefox".to_owned()),
        };
        store.begin_web_session(new, now).await.unwrap();
        let expires_at = now + jiff::SignedDuration::from_hours(1);
        let (token, label) = (token(!uuid.as_u128()), "another researcher".to_owned());
        let link = NewSignInLink { token, group, label, expires_at };
        store.add_sign_in_link(link, now).await.unwrap();
    }

    /// A day of energy, and the states beside it.
    async fn keep_a_day(&self, household: HouseholdId) {
        let store = &self.server.store;
        let meter = store.series_household(household).await.unwrap().meters[0].number;
        let generation = store.begin_series(household, meter, "of a test").await.unwrap();
        let (day, state) = ("a day".to_owned(), Some("a state".to_owned()));
        let days = vec![KeptDay { starts: 0, ends: 1, reach: 1, day, state }];
        let state = Some((1, "a state".to_owned()));
        assert!(store.keep_days(NewDays { meter, generation, days, state }).await.unwrap());
    }

    /// A tunnel of the device, and an administrator's session through it.
    async fn reach(&self, name: &str, device: uuid::Uuid) {
        let (store, clock) = (&self.server.store, &self.server.clock);
        let tunnel = NewTunnel {
            device,
            server: uuid::Uuid::new_v4(),
            url: Some(format!("https://{}.example", backwards(name))),
            instance: uuid::Uuid::new_v4(),
            version: format!("1.0-{}", backwards(name)),
            ipv6: false,
        };
        store.take_tunnel(tunnel, clock.now()).await.unwrap();
        clock.advance(7);
        let (administrator, service) = ("an-administrator".to_owned(), "ssh".to_owned());
        let uuid = uuid::Uuid::new_v4();
        let session = NewTunnelSession { uuid, device, administrator, service };
        store.begin_tunnel_session(session, clock.now()).await.unwrap();
        clock.advance(7);
        let end = TunnelSessionEnd::Closed;
        store.end_tunnel_session(uuid, clock.now(), [5, 7], end).await.unwrap();
        clock.advance(7);
    }

    /// What the device says of its updates, and a version that is offered to it.
    async fn roll_out(&self, name: &str, device: uuid::Uuid) {
        let (store, clock) = (&self.server.store, &self.server.clock);
        let reason = format!("{} failed", backwards(name));
        let update = DeviceUpdate {
            kept: Some(format!("1.0-{}", backwards(name))),
            reverted: Some(RevertedUpdate { version: format!("1.1-{}", backwards(name)), reason }),
            hindrance: Some(format!("{} is not there", backwards(name))),
            ..DeviceUpdate::default()
        };
        let rollout = match store.latest_rollout().await.unwrap() {
            Some(rollout) => rollout,
            None => {
                let new = NewRollout {
                    version: "1.4.2".to_owned(),
                    first: vec![device],
                    steps: None,
                    soak: None,
                };
                let uuid = uuid::Uuid::new_v4();
                store.begin_rollout(uuid, new, "ea".to_owned(), clock.now()).await.unwrap()
            }
        };
        clock.advance(7);
        let (offer, over) = (vec![(device, true)], vec![device]);
        let write = RolloutWrite { offer, over, ..RolloutWrite::default() };
        let now = clock.now();
        store.write_rollout(rollout.uuid, rollout.revision, write, None, now).await.unwrap();
        clock.advance(7);
        store.report_update(device, update, clock.now()).await.unwrap();
        clock.advance(7);
    }

    /// An episode of trouble with the device, told when it began and when it ended.
    async fn begin_an_episode(&self, device: uuid::Uuid) {
        let (store, clock) = (&self.server.store, &self.server.clock);
        let worker = uuid::Uuid::from_u128(1);
        let lease = store.watch_alerts(worker, JobPolicy::default()).await.unwrap().unwrap();
        let uuid = uuid::Uuid::new_v4();
        let kind = AlertKind::CopiedCertificate;
        let instances = Some([uuid::Uuid::new_v4(), uuid::Uuid::new_v4()]);
        let held = store.alert_rules(1).await.unwrap().first().map_or(0, |rules| rules.version);
        store.change_alert_rules(AlertRuleSet::default(), held, clock.now()).await.unwrap();
        let message = |begins: &[uuid::Uuid], ends: &[uuid::Uuid]| {
            let (begins, ends) = (begins.to_vec(), ends.to_vec());
            let planned = PlannedMessage { kind: AlertMessageKind::Changes, begins, ends };
            let channels = AlertChannel::ALL.to_vec();
            Some(NewMessage { uuid: uuid::Uuid::new_v4(), planned, channels })
        };
        let began_at = clock.now();
        clock.advance(7);
        let watching = || Watching { looked_at: clock.now(), since: began_at };
        let begin = vec![NewEpisode { uuid, device, kind, began_at, instances }];
        let begins = message(&[uuid], &[]);
        let look = Look { watching: watching(), begin, end: Vec::new(), message: begins };
        assert!(store.record_look(lease, Arc::new(look)).await.unwrap());
        clock.advance(7);
        let ends = message(&[], &[uuid]);
        let look = Look { watching: watching(), begin: Vec::new(), end: vec![uuid], message: ends };
        assert!(store.record_look(lease, Arc::new(look)).await.unwrap());
    }

    /// A job that failed: its input names the participant, and its result the household.
    async fn fail_a_job(&self, name: &str, made: &Registered) {
        let store = &self.server.store;
        let order = JobOrder {
            // No worker of the server takes it.
            kind: "of-a-test".into(),
            input: format!("{name} {}", somebody(name).participant.email).into(),
            subjects: vec![Subject::Participant(somebody(name).participant.email)],
            created_by: Group::Researchers,
            key: None,
            trace_id: None,
        };
        store.add_job(order).await.unwrap();
        let (worker, policy) = (uuid::Uuid::new_v4(), JobPolicy::default());
        let claimed = store.claim_job(worker, vec!["of-a-test"], policy).await.unwrap().unwrap();
        let result = JobResult {
            bytes: format!("{{\"household\": \"{}\"}}", made.household).into(),
            subjects: vec![Subject::Household(made.household)],
        };
        let end = JobEnd::Failed { error: "as meant".into(), temporary: false, result };
        let now = self.server.clock.now();
        store.record_job(claimed.lease, Arc::new(end), policy, now).await.unwrap();
        // One whose archive has the household.
        let order = JobOrder {
            kind: "of-a-test".into(),
            input: b"{}".to_vec(),
            subjects: Vec::new(),
            created_by: Group::Researchers,
            key: None,
            trace_id: None,
        };
        store.add_job(order).await.unwrap();
        let claimed = store.claim_job(worker, vec!["of-a-test"], policy).await.unwrap().unwrap();
        let archive = format!("{name}s Archiv {}", made.household).into_bytes();
        store.put_archive_part(claimed.lease, 0, archive).await.unwrap();
        let bytes = format!("{{\"name\": \"{name}satz\"}}").into();
        let subjects = vec![Subject::Household(made.household)];
        let end = JobEnd::Succeeded(JobResult { bytes, subjects });
        store.record_job(claimed.lease, Arc::new(end), policy, now).await.unwrap();
    }

    /// A message that is answered, and one that is open.
    async fn write_message(&self, name: &str, api: &Api, researcher: &Api) {
        let write = async |text: String| {
            let body = json!({"about": "meter", "text": text});
            api.json(Method::POST, paths::MESSAGE, &body).expect(StatusCode::CREATED).await
        };
        write(format!("{name} schreibt, was falsch ist")).await;
        self.server.clock.advance(7);
        let answered = write(format!("{name} schreibt noch einmal")).await;
        self.server.clock.advance(7);
        let path = paths::MESSAGE_ANSWER.replace("{uuid}", answered["uuid"].as_str().unwrap());
        let answer = json!({"text": format!("danke, {name}")});
        researcher.json(Method::POST, &path, &answer).ok().await;
    }

    /// A certificate by a one-time token, and a further token.
    async fn enrol(&self, administrator: &Api, made: &Registered) {
        let path = paths::MANAGED_ENROLMENT.replace("{uuid}", &made.measurement_device.to_string());
        let token = async || {
            let call = administrator.json(Method::POST, &path, &json!({}));
            call.expect(StatusCode::CREATED).await["token"].take()
        };
        let key = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
        let page = rcgen::KeyPair::generate().unwrap();
        let page = rcgen::CertificateParams::default().serialize_request(&page).unwrap();
        let body = json!({"token": token().await, "csr": csr.pem().unwrap(),
                          "frontend_csr": page.pem().unwrap()});
        let call = self.server.api(None).json(Method::POST, paths::ENROLL, &body);
        call.expect(StatusCode::CREATED).await;
        token().await;
    }

    /// Rows that are no household's.
    async fn fill_the_rest(&self) {
        let wrong = self.server.api(None).authorized("Basic cmVzZWFyY2hlcnM6d3Jvbmc=".into());
        wrong.get(paths::MANAGEMENT_HOUSEHOLD).expect(StatusCode::UNAUTHORIZED).await;
        if let Plain::Postgres(db) = &self.plain {
            db.batch_execute("INSERT INTO archived_month VALUES ('1999-01-01')").await.unwrap();
        }
    }

    /// Revokes consent by a server that has no regions, so that the household is withheld.
    async fn withhold(&self, household: HouseholdId) {
        let plain = open_store(&self.database).await.unwrap();
        plain.revoke_consent(household, self.server.clock.now()).await.unwrap();
        plain.close().await.unwrap();
    }
}

/// Errors of a device, of a group and with times that are found in no other row. The group stays: it is
/// of the program.
fn error_group(name: &str, now: jiff::Timestamp) -> serde_json::Value {
    let number = name.bytes().fold(1_u64, |sum, byte| sum * 251 + u64::from(byte)) % 100_000_007;
    let before = |micros: u64| now - jiff::SignedDuration::from_micros(micros.cast_signed());
    json!({
        "fingerprint": format!("{number:012x}"), "component": "sending",
        "types": ["SpoolError::Full"], "place": "ebp-cli/src/main.rs:7", "count": number,
        "first_seen": before(number * 2), "last_seen": before(number),
    })
}

/// What belongs to somebody, without the name that is searched for.
fn backwards(name: &str) -> String {
    name.chars().rev().collect()
}

/// Somebody whose every value is found in no other file.
fn somebody(name: &str) -> Registration {
    let number = name.bytes().fold(0_u32, |sum, byte| sum * 7 + u32::from(byte)) % 10_000;
    let mut registration = registration(&format!("{name}.geheimnis@example.org"));
    registration.participant.name = format!("{name} Unauffindbar");
    registration.address.street = format!("{name}winkel 99");
    registration.address.city = format!("Hinter{name}ingen");
    registration.location = serde_json::from_value(json!({
        "latitude": 50.812_345_678 + f64::from(number) / 1e7,
        "longitude": 7.187_654_321 + f64::from(number) / 1e7,
    }))
    .unwrap();
    registration.pv_systems[0].nominal_power =
        format!("7.{number:04}567812345678").parse().unwrap();
    registration
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_leaves_no_byte_with_rows_in_every_table() {
    let scene = Scene::set().await;
    for name in ["Nora", "Nele"] {
        scene.fill(name).await;
    }
    let (withheld, _) = scene.fill("Wanda").await;
    scene.fill_the_rest().await;
    // A reader keeps PostgreSQL's erasure from its end, so that one is due.
    let reader = match &scene.plain {
        Plain::Sqlite(_) => None,
        Plain::Postgres(db) => {
            let name: String =
                db.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
            let reader = scene.cluster.as_ref().unwrap().client(&name).await;
            reader.batch_execute("BEGIN; SELECT FROM participant").await.unwrap();
            Some(reader)
        }
    };
    scene.withhold(HouseholdId(withheld.household)).await;
    let before = scene.plain.erasable().await;
    let (_, martha) = scene.fill("Martha").await;

    let tables = declared(scene.plain.engine());
    for table in tables.keys() {
        let rows = scene.plain.count(table).await;
        assert!(
            rows > 0,
            "{table} has no row: give it one, or nobody knows what a revocation leaves"
        );
    }
    let kept = scene.plain.kept().await;
    let others: BTreeSet<Bytes> = before.iter().map(|(_, _, value)| value.clone()).collect();
    let mut sought = scene.plain.erasable().await;
    sought.retain(|(_, _, value)| !others.contains(value) && !kept.contains(value));
    let mut sought: Vec<_> = sought.into_iter().collect();
    let bytes = |sought: &[Sought]| -> Vec<Bytes> {
        sought.iter().map(|(_, _, value)| value.clone()).collect()
    };
    if let Plain::Postgres(db) = &scene.plain {
        db.batch_execute("CHECKPOINT").await.unwrap();
    }
    let there = scene.places.holding(&bytes(&sought));
    let found: BTreeSet<usize> = there.iter().map(|(_, place)| *place).collect();
    let missed = sought.iter().enumerate().filter(|(place, _)| !found.contains(place));
    let missed: Vec<_> = missed.map(|(_, missed)| missed).collect();
    assert!(missed.is_empty(), "nobody would find these: {missed:?}");
    for (name, table) in &tables {
        let erases = table.columns.values().any(Column::is_erased);
        let is_sought = sought.iter().any(|(of, _, _)| of == name);
        assert!(
            !erases || is_sought || table.remains(scene.plain.engine()),
            "of {name} nothing is searched for"
        );
    }
    // What was registered and replaced is in no table any more, and an index has the address in lower
    // case.
    for former in ["Marthawinkel", "HinterMartha", "Martha", "martha.geheimnis"] {
        sought.push(("registration".into(), "former".into(), former.into()));
    }

    if let Some(reader) = reader {
        reader.batch_execute("COMMIT").await.unwrap();
    }
    martha.delete(paths::CONSENT).ok().await;
    let needles = bytes(&sought);
    for _ in 0..100 {
        if scene.places.holding(&needles).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    scene.places.assert_absent(&sought);
    let Scene { server, plain, cluster, places, .. } = scene;
    drop(plain);
    let _folder = server.stop().await;
    if let Some(cluster) = &cluster {
        cluster.stop();
    }
    places.assert_absent(&sought);
}
