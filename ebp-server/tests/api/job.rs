//! Jobs over the Data API: imports, risk reports, cancelling, retrying, and what a revocation erases.

use std::time::Duration;

use ebp_core::{
    contract::{
        ImportReport, Job, JobKind, JobState, LineOutcome, Listing, NewJob, RiskReport, paths,
        problem_type,
    },
    scope::Group,
};
use ebp_server::Limits;
use ebp_store::HouseholdId;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Call, Server, measurement, registration};

fn path(template: &str, job: Uuid) -> String {
    template.replace("{uuid}", &job.to_string())
}

async fn start(api: &Api, body: &Value) -> Job {
    let call = api.json(Method::POST, paths::MANAGEMENT_JOB, body);
    serde_json::from_value(call.expect(StatusCode::ACCEPTED).await).unwrap()
}

async fn job(api: &Api, uuid: Uuid) -> Job {
    serde_json::from_value(api.get(&path(paths::MANAGED_JOB, uuid)).ok().await).unwrap()
}

/// The job once it has ended.
async fn ended(api: &Api, uuid: Uuid) -> Job {
    for _ in 0..600 {
        let job = job(api, uuid).await;
        if job.state.is_final() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("job {uuid} does not end: {:?}", job(api, uuid).await);
}

async fn result<T: serde::de::DeserializeOwned>(api: &Api, uuid: Uuid) -> T {
    serde_json::from_value(api.get(&path(paths::JOB_RESULT, uuid)).ok().await).unwrap()
}

/// JSON Lines of these participants.
fn file(emails: &[&str]) -> String {
    let line = |email: &&str| serde_json::to_string(&registration(email)).unwrap();
    emails.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn import(file: &str, dry_run: bool) -> Value {
    json!({ "kind": "household-import", "file": file, "dry_run": dry_run })
}

async fn households(server: &Server) -> usize {
    let all = ebp_store::ListQuery { after: None, limit: 5_000 };
    server.store.registrations(all).await.unwrap().items.len()
}

#[tokio::test]
async fn a_file_is_imported_whole_or_not_at_all() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    server.register("known@example.org").await;
    let good = file(&["a@example.org", "known@example.org", "b@example.org", "A@example.org"]);

    // A dry run says what would become of each line, and stores nothing.
    let dry = start(&researcher, &import(&good, true)).await;
    assert_eq!(dry.kind, JobKind::HouseholdImport.name());
    assert_eq!(ended(&researcher, dry.uuid).await.state, JobState::Succeeded);
    let report: ImportReport = result(&researcher, dry.uuid).await;
    assert!(report.dry_run && !report.stored);
    let outcomes =
        |report: &ImportReport| report.lines.iter().map(|line| line.outcome).collect::<Vec<_>>();
    let (new, known) = (LineOutcome::New, LineOutcome::Known);
    assert_eq!(outcomes(&report), [new, known, new, known]);
    assert_eq!(report.lines[3].same_as_line, Some(1));
    assert_eq!(households(&server).await, 1);

    // With one bad line nothing is stored, and each line says what is wrong with it.
    let mut value = serde_json::to_value(registration("c@example.org")).unwrap();
    value["meters"] = json!([]);
    let mut other = registration("a@example.org");
    other.participant.name = "Somebody else".into();
    let bad = format!("{good}\n{value}\n{}\nno JSON", serde_json::to_string(&other).unwrap());
    let failed = start(&researcher, &import(&bad, false)).await;
    let failed = ended(&researcher, failed.uuid).await;
    assert_eq!((failed.state, failed.failures), (JobState::Failed, 1));
    let error = failed.error.as_deref().unwrap();
    assert_eq!(error, "3 of 7 lines are refused, and nothing is registered");
    let report: ImportReport = result(&researcher, failed.uuid).await;
    let reasons: Vec<_> = report.lines.iter().filter_map(|line| line.reason.as_deref()).collect();
    assert!(!report.stored && reasons.len() == 3, "{reasons:?}");
    assert!(reasons[0].contains("meters"), "{reasons:?}");
    assert!(reasons[1].contains("another name in line 1"), "{reasons:?}");
    assert!(reasons[2].contains("no JSON"), "{reasons:?}");
    assert_eq!(households(&server).await, 1);

    let stored = start(&researcher, &import(&good, false)).await;
    let stored = ended(&researcher, stored.uuid).await;
    assert_eq!((stored.state, stored.error), (JobState::Succeeded, None));
    let report: ImportReport = result(&researcher, stored.uuid).await;
    let registered = LineOutcome::Registered;
    assert_eq!(outcomes(&report), [registered, known, registered, known]);
    assert_eq!(households(&server).await, 3);
    let first = report.lines[0].registered.as_ref().unwrap();
    assert_eq!(report.lines[3].household, Some(first.household));

    // Its history begins with the import, of whose group nobody gave initials.
    for line in report.lines.iter().filter_map(|line| line.registered.as_ref()) {
        let path = paths::HOUSEHOLD_CHANGES.replace("{household}", &line.household.to_string());
        let changes = researcher.get(&path).ok().await;
        let [change] = &changes["items"].as_array().unwrap()[..] else { panic!("{changes}") };
        assert_eq!(
            (&change["kind"], &change["group"]),
            (&json!("registered"), &json!("researchers"))
        );
        assert!(change["label"].is_null() && change["at"].is_string(), "{change}");
    }
    let known = report.lines[1].household.unwrap().to_string();
    let known = researcher.get(&paths::HOUSEHOLD_CHANGES.replace("{household}", &known));
    assert_eq!(known.ok().await["items"], json!([]), "one that was there is not changed");

    // A result is for the group that asked for it; administrators see that there is one.
    let administrator = server.manager(Group::Administrators);
    assert_eq!(job(&administrator, stored.uuid).await.state, JobState::Succeeded);
    let theirs = administrator.get(&path(paths::JOB_RESULT, stored.uuid));
    theirs.problem(404, problem_type::NOT_FOUND).await;

    // With the revocation of one household goes the whole result.
    let (household, now) = (HouseholdId(first.household), server.store.now().await.unwrap());
    let now = now.unwrap_or_else(|| ebp_core::clock::Clock::now(&*server.clock));
    server.store.grant_consent(household, now).await.unwrap();
    server.store.revoke_consent(household, now).await.unwrap();
    let gone = researcher.get(&path(paths::JOB_RESULT, stored.uuid));
    gone.problem(404, problem_type::NOT_FOUND).await;
    assert!(job(&researcher, stored.uuid).await.erased);
    let retry = researcher.post(&path(paths::JOB_RETRY, stored.uuid));
    let problem = retry.problem(409, problem_type::JOB_STATE).await;
    assert!(problem.detail.unwrap().contains("input"));
    server.stop().await;
}

#[tokio::test]
async fn masked_households_are_reported_on() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let empty = start(&administrator, &json!({ "kind": "risk-report" })).await;
    assert_eq!(ended(&administrator, empty.uuid).await.state, JobState::Succeeded);
    let report: RiskReport = result(&administrator, empty.uuid).await;
    assert_eq!((report.households, report.persons_possible), (0, None));

    for (email, measures) in [("measured@example.org", true), ("never@example.org", false)] {
        let (made, device) = server.consenting(email).await;
        if measures {
            let now = ebp_core::clock::Clock::now(&*server.clock);
            device.upload(&[measurement(1, made.meters[0], now)]).ok().await;
        }
        device.delete(paths::CONSENT).ok().await;
    }
    let asked = json!({ "kind": "risk-report", "key": "second" });
    let again = start(&administrator, &asked).await;
    assert_eq!(start(&administrator, &asked).await.uuid, again.uuid, "the same key");
    assert_eq!(ended(&administrator, again.uuid).await.total, Some(2));
    let report: RiskReport = result(&administrator, again.uuid).await;
    assert_eq!((report.households, report.without_location, report.outside), (2, 1, 0));
    let [item] = &report.items[..] else { panic!("{report:?}") };
    // Cologne's region has 2,700 persons a km², and its ring some km².
    assert!(item.persons_possible > 1_000.0, "{item:?}");
    let spread = report.persons_possible.unwrap();
    assert_eq!([spread.least, spread.median, spread.high], [item.persons_possible; 3]);
    let revoked = server.store.revoked_households().await.unwrap();
    assert!(revoked.iter().any(|household| household.household == item.household));
    server.stop().await;
}

#[tokio::test]
async fn who_sees_and_may_do_what() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let administrator = server.manager(Group::Administrators);
    let people = administrator.json(Method::POST, paths::MANAGEMENT_JOB, &import("x", true));
    people.problem(403, problem_type::GROUP).await;
    let theirs = start(&administrator, &json!({ "kind": "risk-report" })).await.uuid;
    let own = start(&researcher, &json!({ "kind": "risk-report" })).await.uuid;
    for uuid in [theirs, own] {
        ended(&administrator, uuid).await;
    }
    let list = async |api: &Api| {
        let listed = api.get(paths::MANAGEMENT_JOB).ok().await;
        let listed: Listing<Job> = serde_json::from_value(listed).unwrap();
        listed.items.into_iter().map(|job| job.uuid).collect::<Vec<_>>()
    };
    assert_eq!(list(&administrator).await, [theirs, own]);
    assert_eq!(list(&researcher).await, [own]);
    for (template, method) in [
        (paths::MANAGED_JOB, Method::GET),
        (paths::JOB_RESULT, Method::GET),
        (paths::JOB_CANCEL, Method::POST),
        (paths::JOB_RETRY, Method::POST),
    ] {
        let call = researcher.request(method, &path(template, theirs));
        call.problem(404, problem_type::NOT_FOUND).await;
    }
    // An end is an end.
    for template in [paths::JOB_CANCEL, paths::JOB_RETRY] {
        let call = researcher.post(&path(template, own));
        let problem = call.problem(409, problem_type::JOB_STATE).await;
        assert_eq!(problem.detail.as_deref(), Some("the job is succeeded"));
    }
    let faults = async |body: Value| {
        let call = researcher.json(Method::POST, paths::MANAGEMENT_JOB, &body);
        let answer = call.send().await.unwrap();
        assert!(answer.status().is_client_error());
        answer.text().await.unwrap()
    };
    let missing = faults(json!({ "kind": "household-import" })).await;
    assert!(missing.contains("/file"), "{missing}");
    let column = faults(import("participant.nome\nErika", false)).await;
    assert!(
        column.contains("no registration has a column") && column.contains("/file"),
        "{column}"
    );
    let too_much = faults(import(&"{}\n".repeat(1_001), false)).await;
    assert!(too_much.contains("more than 1000"), "{too_much}");
    let other = faults(json!({ "kind": "risk-report", "file": "x" })).await;
    assert!(other.contains("/file"), "{other}");
    let metrics = administrator.get(paths::METRICS).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("ebp_jobs{state=\"succeeded\"} 2\n"), "{metrics}");
    let attempts = "ebp_job_attempts_total{kind=\"risk-report\",outcome=\"succeeded\"} 2\n";
    assert!(metrics.contains(attempts), "{metrics}");
    server.stop().await;
}

/// One registration is tried as it would be registered, and leaves nothing.
#[tokio::test]
async fn a_registration_can_be_tried() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    server.register("known@example.org").await;
    let tried = format!("{}?dry_run=true", paths::MANAGEMENT_HOUSEHOLD);
    let ask = |path: &str, email: &str| {
        let body = serde_json::to_value(registration(email)).unwrap();
        researcher.json(Method::POST, path, &body)
    };
    let good = ask(&tried, "a@example.org").send().await.unwrap();
    assert_eq!(good.status(), StatusCode::NO_CONTENT);
    assert!(good.bytes().await.unwrap().is_empty());
    assert_eq!(households(&server).await, 1);
    ask(&tried, "known@example.org").problem(409, problem_type::REGISTERED_ALREADY).await;
    let further = ask(&format!("{tried}&further=true"), "known@example.org").send().await.unwrap();
    assert_eq!(further.status(), StatusCode::NO_CONTENT);
    let mut wrong = serde_json::to_value(registration("b@example.org")).unwrap();
    wrong["metadata"]["adults_with_job"] = json!(9);
    let wrong = async |path: &str| {
        let call = researcher.json(Method::POST, path, &wrong);
        call.problem(422, problem_type::INCONSISTENT).await.faults
    };
    assert_eq!(wrong(&tried).await, wrong(paths::MANAGEMENT_HOUSEHOLD).await);
    let unclear = ask(&format!("{}?dry_run=1", paths::MANAGEMENT_HOUSEHOLD), "a@example.org");
    unclear.problem(400, problem_type::INVALID).await;
    assert_eq!(households(&server).await, 1);
    server.stop().await;
}

/// What is asked of a job too early, or by another group.
#[tokio::test]
async fn a_result_that_is_not_there_yet_and_a_retry_by_others() {
    let server = Server::open_with(Server::prepare(crate::ENGINE).await, |settings, _| {
        settings.jobs.workers = 0;
    });
    let server = server.await;
    let researcher = server.manager(Group::Researchers);
    let administrator = server.manager(Group::Administrators);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let call = researcher.json(
        Method::POST,
        paths::MANAGEMENT_JOB,
        &import(&file(&["a@example.org"]), false),
    );
    let call = Call(call.0.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-00")));
    let waiting: Job = serde_json::from_value(call.expect(StatusCode::ACCEPTED).await).unwrap();
    assert_eq!(waiting.trace_id.map(|id| id.to_string()).as_deref(), Some(trace));
    assert_eq!(job(&researcher, waiting.uuid).await.trace_id, waiting.trace_id);
    let early = researcher.get(&path(paths::JOB_RESULT, waiting.uuid));
    let problem = early.problem(409, problem_type::JOB_STATE).await;
    assert!(problem.detail.as_deref().unwrap().contains("the job is waiting"), "{problem:?}");
    // Administrators may stop it, but what is done with people's data is the researchers' to begin.
    administrator.post(&path(paths::JOB_CANCEL, waiting.uuid)).ok().await;
    let retry = administrator.post(&path(paths::JOB_RETRY, waiting.uuid));
    retry.problem(403, problem_type::GROUP).await;
    assert_eq!(job(&researcher, waiting.uuid).await.state, JobState::Cancelled);
    let none = researcher.get(&path(paths::JOB_RESULT, waiting.uuid));
    let problem = none.problem(409, problem_type::JOB_STATE).await;
    assert!(problem.detail.as_deref().unwrap().contains("retry"), "{problem:?}");
    researcher.post(&path(paths::JOB_RETRY, waiting.uuid)).ok().await;
    server.stop().await;
}

/// A server that stops gives its job back; a cancelled job ends within seconds, and begins anew when
/// it is retried.
#[tokio::test]
async fn jobs_outlive_their_server_and_can_be_stopped() {
    let folder = Server::prepare(crate::ENGINE).await;
    let server = Server::open_with(folder, |settings, _| {
        settings.jobs.look = Duration::from_millis(20);
    });
    let server = server.await;
    let emails: Vec<String> = (0..250).map(|i| format!("p{i}@example.org")).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    let long = file(&emails);
    let researcher = server.manager(Group::Researchers);
    let running = async |api: &Api, uuid: Uuid| {
        while job(api, uuid).await.state == JobState::Waiting {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let uuid = start(&researcher, &import(&long, false)).await.uuid;
    running(&researcher, uuid).await;
    researcher.post(&path(paths::JOB_CANCEL, uuid)).ok().await;
    let asked = std::time::Instant::now();
    let cancelled = ended(&researcher, uuid).await;
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(cancelled.state, JobState::Cancelled);
    assert_eq!(households(&server).await, 0);

    researcher.post(&path(paths::JOB_RETRY, uuid)).ok().await;
    running(&researcher, uuid).await;
    let folder = server.stop().await;
    let server = Server::open(folder, Limits::default()).await;
    let there = households(&server).await;
    assert!(there == 0 || there == 250, "{there}");
    let researcher = server.manager(Group::Researchers);
    // Given back, it does not wait for its lease's end.
    let done = ended(&researcher, uuid).await;
    assert_eq!((done.state, done.failures), (JobState::Succeeded, 0));
    assert!(done.attempt >= if there == 0 { 3 } else { 2 }, "{done:?}");
    assert_eq!(households(&server).await, 250);
    let new =
        NewJob { kind: JobKind::RiskReport, file: None, dry_run: None, export: None, key: None };
    let report = start(&researcher, &serde_json::to_value(new).unwrap()).await;
    assert_eq!(ended(&researcher, report.uuid).await.state, JobState::Succeeded);
    server.stop().await;
}
