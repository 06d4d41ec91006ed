//! Jobs, leases and results: the same on both databases.

use std::{sync::Arc, time::Duration};

use ebp_core::{
    contract::{ImportReport, ImportedLine, Job, JobState, LineOutcome, Registration},
    scope::Group,
};
use ebp_store::{
    ClaimedJob, HouseholdId, JobEnd, JobOrder, JobPolicy, JobResult, Lease, ListQuery,
    RESULT_LIMIT, RESULT_PART, Recorded, Standing, Store, StoreError, Subject,
};
use uuid::Uuid;

use crate::story::{at, registration};

const KIND: &str = "test";
pub const START: &str = "2026-01-01T00:00:00Z";

pub fn order(input: &str) -> JobOrder {
    JobOrder {
        kind: KIND.into(),
        input: input.into(),
        subjects: Vec::new(),
        created_by: Group::Researchers,
        key: None,
        trace_id: None,
    }
}

/// Leases that are over at once where `lease` is zero.
pub fn policy(lease: u64) -> JobPolicy {
    JobPolicy {
        lease: Duration::from_millis(lease),
        allowance: Duration::ZERO,
        first_delay: Duration::ZERO,
        ..JobPolicy::default()
    }
}

/// A job that this worker gets.
pub async fn claim(store: &dyn Store, worker: u128, policy: JobPolicy) -> Option<ClaimedJob> {
    store.claim_job(Uuid::from_u128(worker), vec![KIND], policy).await.unwrap()
}

pub async fn record(store: &dyn Store, lease: Lease, end: JobEnd) -> Result<Recorded, StoreError> {
    store.record_job(lease, Arc::new(end), policy(60_000), at(START)).await
}

pub fn succeeded(bytes: &[u8], subjects: Vec<Subject>) -> JobEnd {
    JobEnd::Succeeded(JobResult { bytes: bytes.to_vec(), subjects })
}

fn failed(temporary: bool) -> JobEnd {
    JobEnd::Failed { error: "no luck".into(), temporary, result: JobResult::default() }
}

/// Waits until the database's clock has gone on: SQLite tells it in milliseconds.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// From the order to the result; what the same key asks for again; lists by group and by page.
pub async fn from_order_to_result(store: &dyn Store) {
    let keyed = JobOrder { key: Some("a".into()), ..order("x") };
    let job = store.add_job(keyed.clone()).await.unwrap();
    assert_eq!((job.state, job.attempt, job.kind.as_str()), (JobState::Waiting, 0, KIND));
    assert_eq!(store.add_job(keyed.clone()).await.unwrap(), job, "the same key is the same job");
    for different in [
        JobOrder { kind: "another".into(), ..keyed.clone() },
        JobOrder { input: b"y".to_vec(), ..keyed.clone() },
    ] {
        let refused = store.add_job(different).await;
        assert!(
            matches!(refused, Err(StoreError::JobKey)),
            "the key names another job: {refused:?}"
        );
    }
    let other = JobOrder { created_by: Group::Administrators, ..keyed };
    let other = store.add_job(other).await.unwrap();
    assert_ne!(other.uuid, job.uuid, "keys are each group's own");
    store.cancel_job(other.uuid).await.unwrap();

    assert!(store.claim_job(Uuid::nil(), vec!["another"], policy(1)).await.unwrap().is_none());
    let claimed = claim(store, 1, policy(60_000)).await.unwrap();
    assert_eq!((claimed.lease.job, claimed.lease.attempt), (job.uuid, 1));
    assert_eq!((claimed.kind.as_str(), &claimed.input[..]), (KIND, &b"x"[..]));
    assert!(claim(store, 2, policy(60_000)).await.is_none(), "it is given once");

    let steps = (3, Some(9));
    let standing = store.renew_lease(claimed.lease, steps, policy(60_000)).await.unwrap();
    assert_eq!(standing, Standing::Held);
    let shown = store.job(job.uuid).await.unwrap();
    assert_eq!((shown.state, shown.progress, shown.total), (JobState::Running, 3, Some(9)));
    assert!(matches!(store.job_result(job.uuid).await, Err(StoreError::NotFound)));

    // Longer than a part, so that parts are put together in their order.
    let bytes: Vec<u8> = (0..RESULT_PART + 7).map(|i| (i % 251) as u8).collect();
    let recorded = record(store, claimed.lease, succeeded(&bytes, Vec::new())).await.unwrap();
    assert_eq!(recorded, Recorded::As(JobState::Succeeded));
    assert!(store.job_result(job.uuid).await.unwrap() == bytes);
    let ended = store.job(job.uuid).await.unwrap();
    assert_eq!((ended.state, ended.progress), (JobState::Succeeded, 9));
    assert_eq!(ended.result, Some(bytes.len() as u64));
    assert!(ended.ended_at.unwrap() >= ended.created_at);
    // Recorded once more it changes nothing.
    let again = record(store, claimed.lease, succeeded(b"else", Vec::new())).await.unwrap();
    assert_eq!(again, Recorded::Lost);
    assert!(store.job_result(job.uuid).await.unwrap() == bytes);

    let long = store.add_job(order("")).await.unwrap();
    let lease = claim(store, 1, policy(60_000)).await.unwrap().lease;
    let too_long = record(store, lease, succeeded(&vec![0; RESULT_LIMIT + 1], Vec::new())).await;
    assert!(matches!(too_long, Err(StoreError::ResultTooLong)));
    assert_eq!(store.job(long.uuid).await.unwrap().state, JobState::Running);

    let page = ListQuery { after: None, limit: 2 };
    let first = store.jobs(None, page).await.unwrap();
    let second = store.jobs(None, ListQuery { after: first.next, ..page }).await.unwrap();
    let uuids = |jobs: &[Job]| jobs.iter().map(|job| job.uuid).collect::<Vec<_>>();
    let all = [uuids(&first.items), uuids(&second.items)].concat();
    assert_eq!((all.len(), second.next), (3, None));
    for uuid in [job.uuid, other.uuid, long.uuid] {
        assert!(all.contains(&uuid));
    }
    let theirs = store.jobs(Some(Group::Administrators), page).await.unwrap();
    assert_eq!(uuids(&theirs.items), [other.uuid]);
    let mut counts = store.job_counts().await.unwrap();
    counts.sort_by_key(|(state, _)| state.name());
    let expected = [JobState::Cancelled, JobState::Running, JobState::Succeeded];
    assert_eq!(counts, expected.map(|state| (state, 1)));
    // Only the last one has not ended.
    let running = store.job(long.uuid).await.unwrap();
    assert_eq!(store.oldest_job().await.unwrap(), Some(running.created_at));
    assert!(matches!(store.job(Uuid::nil()).await, Err(StoreError::NotFound)));
}

/// A worker that has lost its lease changes nothing, whatever it still says.
pub async fn a_lost_lease_writes_nothing(stores: [Arc<dyn Store>; 2]) {
    let [one, two] = &stores;
    let job = one.add_job(order("")).await.unwrap().uuid;
    let lost = claim(&**one, 1, policy(0)).await.unwrap().lease;
    a_moment().await;
    let held = claim(&**two, 1, policy(60_000)).await.unwrap().lease;
    assert_eq!((held.job, held.attempt), (job, 2), "it is taken over");

    assert_eq!(one.job_standing(lost).await.unwrap(), Standing::Lost);
    let renewed = one.renew_lease(lost, (7, None), policy(60_000)).await.unwrap();
    assert_eq!(renewed, Standing::Lost);
    let nothing = |end| async move { record(&**one, lost, end).await.unwrap() };
    for end in [
        succeeded(b"wrong", Vec::new()),
        failed(true),
        JobEnd::Cancelled,
        JobEnd::Released,
        JobEnd::Registers { lines: vec![line(1, registration("lost@example.org"))], label: None },
    ] {
        assert_eq!(nothing(end).await, Recorded::Lost);
    }
    let shown = two.job(job).await.unwrap();
    assert_eq!((shown.state, shown.progress, shown.failures), (JobState::Running, 0, 0));
    record(&**two, held, succeeded(b"right", Vec::new())).await.unwrap();
    assert_eq!(one.job_result(job).await.unwrap(), b"right");
    assert!(one.registrations(ListQuery { after: None, limit: 9 }).await.unwrap().items.is_empty());
}

/// Within lease and allowance nobody takes a job over, by the database's clock.
pub async fn a_lease_holds(store: &dyn Store) {
    store.add_job(order("")).await.unwrap();
    let long = JobPolicy { allowance: Duration::from_secs(60), ..policy(0) };
    let lease = claim(store, 1, long).await.unwrap().lease;
    a_moment().await;
    assert!(claim(store, 2, long).await.is_none(), "the allowance is waited for");
    store.renew_lease(lease, (0, None), policy(60_000)).await.unwrap();
    assert!(claim(store, 2, policy(60_000)).await.is_none(), "the lease is waited for");
    // One that ends later than any lease can was given before the clock was set back.
    let taken = claim(store, 2, policy(1_000)).await.unwrap();
    assert_eq!(taken.lease.attempt, 2);
}

/// Failures are tried again until there were too many; lasting ones are not. Others go on meanwhile.
pub async fn failures(store: &dyn Store) {
    let poisoned = store.add_job(order("poison")).await.unwrap().uuid;
    for failures in 1..=5 {
        let claimed = claim(store, 1, policy(60_000)).await.unwrap();
        assert_eq!(claimed.lease.job, poisoned);
        let state = record(store, claimed.lease, failed(true)).await.unwrap();
        let expected = if failures < 5 { JobState::Waiting } else { JobState::Failed };
        assert_eq!(state, Recorded::As(expected), "{failures}");
    }
    let shown = store.job(poisoned).await.unwrap();
    assert_eq!((shown.failures, shown.error.as_deref()), (5, Some("no luck")));
    assert!(claim(store, 1, policy(60_000)).await.is_none());

    // A wait holds, and is no wait for others.
    let slow = JobPolicy { first_delay: Duration::from_secs(60), ..policy(60_000) };
    let job = store.add_job(order("slow")).await.unwrap().uuid;
    let lease = claim(store, 1, slow).await.unwrap().lease;
    store.record_job(lease, Arc::new(failed(true)), slow, at(START)).await.unwrap();
    let waiting = store.job(job).await.unwrap();
    assert!(waiting.run_after > waiting.created_at + Duration::from_secs(50));
    assert!(claim(store, 1, slow).await.is_none());
    let other = store.add_job(order("other")).await.unwrap().uuid;
    let claimed = claim(store, 1, slow).await.unwrap();
    assert_eq!(claimed.lease.job, other);
    let ended = record(store, claimed.lease, failed(false)).await.unwrap();
    assert_eq!(ended, Recorded::As(JobState::Failed), "what lasts is not tried again");

    // Retried it begins anew, with the same input and no failures.
    let retried = store.retry_job(poisoned).await.unwrap();
    assert_eq!((retried.state, retried.failures, retried.error), (JobState::Waiting, 0, None));
    let claimed = claim(store, 1, policy(60_000)).await.unwrap();
    assert_eq!((claimed.lease.job, &claimed.input[..]), (poisoned, &b"poison"[..]));
    record(store, claimed.lease, succeeded(b"at last", Vec::new())).await.unwrap();
    let refused = store.retry_job(poisoned).await;
    assert!(matches!(refused, Err(StoreError::JobState(JobState::Succeeded))));
    assert_eq!(store.job_result(poisoned).await.unwrap(), b"at last");
}

/// What takes its workers with it is given up, and does not keep others waiting until then.
pub async fn lost_workers(store: &dyn Store) {
    let deadly = store.add_job(order("deadly")).await.unwrap().uuid;
    let few = JobPolicy { losses: 3, ..policy(0) };
    for attempt in 1..=3 {
        let claimed = claim(store, attempt, few).await.unwrap();
        assert_eq!((claimed.lease.job, u128::from(claimed.lease.attempt)), (deadly, attempt));
        a_moment().await;
    }
    let other = store.add_job(order("other")).await.unwrap().uuid;
    assert_eq!(claim(store, 4, few).await.unwrap().lease.job, other);
    let shown = store.job(deadly).await.unwrap();
    assert_eq!(shown.state, JobState::Failed);
    assert_eq!(shown.error.as_deref(), Some("its workers were lost too often"));
    assert_eq!(shown.failures, 0, "a lost worker is no failure");

    // A server that stops gives its jobs back, which counts as nothing.
    let lease = loop {
        let claimed = claim(store, 5, policy(60_000)).await;
        if let Some(claimed) = claimed {
            break claimed.lease;
        }
        a_moment().await;
    };
    assert_eq!(
        record(store, lease, JobEnd::Released).await.unwrap(),
        Recorded::As(JobState::Waiting)
    );
    assert_eq!(claim(store, 6, policy(60_000)).await.unwrap().lease.job, other);
}

/// A job that waits is cancelled at once, one that runs by its worker or by the loss of it.
pub async fn cancelling(store: &dyn Store) {
    let waiting = store.add_job(order("")).await.unwrap().uuid;
    assert_eq!(store.cancel_job(waiting).await.unwrap().state, JobState::Cancelled);
    let refused = store.cancel_job(waiting).await;
    assert!(matches!(refused, Err(StoreError::JobState(JobState::Cancelled))));
    assert!(claim(store, 1, policy(60_000)).await.is_none());

    let running = store.add_job(order("")).await.unwrap().uuid;
    let lease = claim(store, 1, policy(60_000)).await.unwrap().lease;
    let shown = store.cancel_job(running).await.unwrap();
    assert_eq!((shown.state, shown.cancel_requested), (JobState::Running, true));
    assert_eq!(store.job_standing(lease).await.unwrap(), Standing::CancelRequested);
    let renewed = store.renew_lease(lease, (1, None), policy(60_000)).await.unwrap();
    assert_eq!(renewed, Standing::CancelRequested);
    let state = record(store, lease, JobEnd::Cancelled).await.unwrap();
    assert_eq!(state, Recorded::As(JobState::Cancelled));

    // Cancelled while its worker is lost: nobody begins it again.
    store.retry_job(running).await.unwrap();
    claim(store, 1, policy(0)).await.unwrap();
    store.cancel_job(running).await.unwrap();
    a_moment().await;
    assert!(claim(store, 2, policy(0)).await.is_none());
    assert_eq!(store.job(running).await.unwrap().state, JobState::Cancelled);
}

fn line(number: u64, registration: Registration) -> (ImportedLine, Option<Registration>) {
    let line = ImportedLine {
        line: number,
        outcome: LineOutcome::New,
        same_as_line: None,
        reason: None,
        faults: Vec::new(),
        household: None,
        registered: None,
    };
    (line, Some(registration))
}

/// All households of an import are registered with its record, or none is.
pub async fn imports_whole_or_not_at_all(store: &dyn Store) {
    let households = async || {
        let all = ListQuery { after: None, limit: 100 };
        store.registrations(all).await.unwrap().items.len()
    };
    let email = |i: usize| format!("import{i}@example.org");
    let person = Subject::Participant(email(0));
    let job = JobOrder { subjects: vec![person], ..order("people") };
    let job = store.add_job(job).await.unwrap().uuid;
    let lease = claim(store, 1, policy(60_000)).await.unwrap().lease;
    let mut of_another_name = registration(&email(1));
    of_another_name.participant.name = "Somebody else".into();
    let lines = vec![
        line(1, registration(&email(0))),
        line(3, registration(&email(1))),
        line(4, of_another_name),
    ];
    let refused = record(store, lease, JobEnd::Registers { lines, label: None }).await;
    let Err(StoreError::ImportRefused { line: 4, faults }) = refused else { panic!() };
    assert!(faults.iter().any(|fault| fault.to_string().contains("participant/email")));
    assert_eq!(households().await, 0, "none of them");
    assert_eq!(store.job(job).await.unwrap().state, JobState::Running);

    let lines: Vec<_> =
        [0, 1, 0].into_iter().zip(1..).map(|(i, n)| line(n, registration(&email(i)))).collect();
    let label = "EM".parse().ok();
    let state = record(store, lease, JobEnd::Registers { lines, label }).await.unwrap();
    assert_eq!(state, Recorded::As(JobState::Succeeded));
    assert_eq!(households().await, 2);
    let result = store.job_result(job).await.unwrap();
    let report: ImportReport = serde_json::from_slice(&result).unwrap();
    assert!(report.stored && !report.dry_run);
    let outcomes: Vec<_> = report.lines.iter().map(|line| line.outcome).collect();
    assert_eq!(outcomes, [LineOutcome::Registered, LineOutcome::Registered, LineOutcome::Known]);
    let first = report.lines[0].registered.as_ref().unwrap();
    // The history of each says whose import it was.
    let all = ListQuery { after: None, limit: 100 };
    let changes = store.changes(HouseholdId(first.household), all).await.unwrap().items;
    let who: Vec<_> = changes.iter().map(|change| change.label.as_deref()).collect();
    assert_eq!(who, [Some("EM")]);
    assert_eq!(report.lines[2].household, Some(first.household));
    let text = String::from_utf8(result).unwrap();
    assert!(!text.contains("example.org") && !text.contains("Erika"), "{text}");
    // What names people is not kept, so there is nothing to begin again with.
    let refused = store.retry_job(job).await;
    assert!(matches!(refused, Err(StoreError::JobState(JobState::Succeeded))));
    store.revoke_consent_of(first.household).await;
    assert!(matches!(store.job_result(job).await, Err(StoreError::NotFound)));
    assert!(matches!(store.retry_job(job).await, Err(StoreError::JobErased)));
}

/// Grants and revokes.
pub trait Revoke {
    async fn revoke_consent_of(&self, household: Uuid);
}

impl Revoke for dyn Store + '_ {
    async fn revoke_consent_of(&self, household: Uuid) {
        self.grant_consent(HouseholdId(household), at(START)).await.unwrap();
        let later = at("2026-02-01T00:00:00Z");
        self.revoke_consent(HouseholdId(household), later).await.unwrap();
    }
}

/// With a revocation goes what holds the household: results, and inputs of jobs that wait or run.
pub async fn revocations_erase(store: &dyn Store) {
    let mut made = Vec::new();
    for name in ["stays", "revokes", "removed"] {
        let email = format!("{name}@example.org");
        made.push(store.register(registration(&email), at(START)).await.unwrap().household);
    }
    let [stays, revokes, removed] = made[..] else { panic!() };
    let result_about = async |subjects: &[Uuid]| {
        let job = store.add_job(order("again")).await.unwrap().uuid;
        let lease = claim(store, 1, policy(60_000)).await.unwrap().lease;
        let subjects = subjects.iter().copied().map(Subject::Household).collect();
        record(store, lease, succeeded(b"households", subjects)).await.unwrap();
        job
    };
    let both = result_about(&[stays, revokes]).await;
    let other = result_about(&[stays]).await;
    let gone = result_about(&[removed]).await;

    // Its result is about a household that revokes before it is recorded.
    let late = store.add_job(order("late")).await.unwrap().uuid;
    let late_lease = claim(store, 1, policy(60_000)).await.unwrap().lease;
    assert_eq!(late_lease.job, late);
    // Inputs that name the participant, whatever the letters' case: of one that runs, and one that
    // waits.
    let person = Subject::Participant("REVOKES@example.org".into());
    let naming = JobOrder { subjects: vec![person], ..order("a person") };
    let runs = store.add_job(naming.clone()).await.unwrap().uuid;
    let runs_lease = claim(store, 2, policy(60_000)).await.unwrap().lease;
    let waits = store.add_job(naming).await.unwrap().uuid;

    store.revoke_consent_of(revokes).await;
    store.remove_household(HouseholdId(removed), at(START)).await.unwrap();

    for job in [both, gone] {
        assert!(matches!(store.job_result(job).await, Err(StoreError::NotFound)));
        let shown = store.job(job).await.unwrap();
        assert_eq!((shown.state, shown.erased, shown.result), (JobState::Succeeded, true, None));
    }
    assert_eq!(store.job_result(other).await.unwrap(), b"households");
    assert!(!store.job(other).await.unwrap().erased);

    let subjects = vec![Subject::Household(revokes)];
    let recorded = record(store, late_lease, succeeded(b"too late", subjects)).await.unwrap();
    assert_eq!(recorded, Recorded::As(JobState::Waiting), "it begins anew");
    assert!(matches!(store.job_result(late).await, Err(StoreError::NotFound)));

    let lines = vec![line(1, registration("revokes@example.org"))];
    let recorded =
        record(store, runs_lease, JobEnd::Registers { lines, label: None }).await.unwrap();
    assert_eq!(recorded, Recorded::Lost, "who revoked is not registered anew");
    for job in [runs, waits] {
        let shown = store.job(job).await.unwrap();
        assert_eq!((shown.state, shown.erased), (JobState::Cancelled, true));
        assert!(matches!(store.retry_job(job).await, Err(StoreError::JobErased)));
    }

    // A result that was erased can be made anew, without the household.
    let retried = store.retry_job(both).await.unwrap();
    assert_eq!((retried.state, retried.erased), (JobState::Waiting, false));
}

/// Ten workers of two servers and a hundred jobs: each is done once.
pub async fn each_job_once(stores: [Arc<dyn Store>; 2]) {
    for i in 0..100 {
        stores[i % 2].add_job(order(&i.to_string())).await.unwrap();
    }
    // One worker reads the clock before another one, and looks at its lease after it.
    let policy = JobPolicy { allowance: Duration::from_secs(10), ..policy(60_000) };
    let work = |worker: usize| {
        let store = stores[worker % 2].clone();
        tokio::spawn(async move {
            let mut done = Vec::new();
            while let Some(claimed) = claim(&*store, worker as u128, policy).await {
                let end = succeeded(&claimed.input, Vec::new());
                let recorded = record(&*store, claimed.lease, end).await.unwrap();
                assert_eq!(recorded, Recorded::As(JobState::Succeeded));
                done.push(claimed.input);
            }
            done
        })
    };
    let mut done = Vec::new();
    for worker in (0..10).map(work).collect::<Vec<_>>() {
        done.extend(worker.await.unwrap());
    }
    done.sort();
    let mut wanted: Vec<Vec<u8>> = (0..100).map(|i| i.to_string().into_bytes()).collect();
    wanted.sort();
    assert_eq!(done, wanted);
}
