//! The workers of a server: they take jobs as long as it serves, and stop before it ends.

use std::{sync::Arc, time::Duration};

use ebp_store::ClaimedJob;
use ebp_survey::Survey;
use ebp_survey::import::ImportOrder;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    attempt::Attempt,
    kind::AnyKind,
    risk_report::RiskReportJob,
    shared::{JobSettings, Shared},
};
use crate::{database_clock::DatabaseClock, telemetry::Telemetry};

/// How long workers have to give their jobs back when the server ends.
const DRAIN: Duration = Duration::from_secs(5);

/// How often what ended long ago is removed.
const EXPIRE: Duration = Duration::from_secs(3600);

/// Every kind of job that a server does.
fn kinds() -> Vec<AnyKind> {
    vec![
        AnyKind::for_kind::<RiskReportJob>(),
        AnyKind::for_kind::<ImportOrder>(),
        #[cfg(feature = "export")]
        AnyKind::for_kind::<super::export::ExportJob>(),
    ]
}

/// What wakes a worker of this server when a job was added here.
#[derive(Debug, Default)]
pub struct JobAdded(Notify);

impl JobAdded {
    /// Wakes one.
    pub fn tell(&self) {
        self.0.notify_one();
    }
}

/// The workers of a server.
pub struct Runner {
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
}

impl Runner {
    /// Starts the workers.
    #[must_use]
    pub(crate) fn start(
        survey: Arc<Survey>,
        telemetry: Arc<Telemetry>,
        clock: Arc<DatabaseClock>,
        settings: JobSettings,
        added: &Arc<JobAdded>,
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let count = settings.workers;
        let kinds = kinds();
        telemetry.expect_jobs(kinds.iter().map(|kind| kind.name));
        let shared = Arc::new(Shared { survey, telemetry, clock, settings, kinds });
        let mut workers = JoinSet::new();
        for _ in 0..count {
            workers.spawn(work(shared.clone(), added.clone(), stopping.clone()));
        }
        if count > 0 {
            workers.spawn(expire(shared, stopping));
        }
        Self { stop, workers }
    }

    /// Makes the workers give back what they are at, and waits for them. Jobs of one that does not
    /// answer in time are taken over when their leases end.
    pub async fn stop(mut self) {
        // It fails only if no worker is left.
        let _ = self.stop.send(true);
        let ended = async { while self.workers.join_next().await.is_some() {} };
        if timeout(DRAIN, ended).await.is_err() {
            tracing::warn!("jobs are left to be taken over when their leases end");
        }
    }
}

/// Takes one job after another.
async fn work(shared: Arc<Shared>, added: Arc<JobAdded>, mut stopping: watch::Receiver<bool>) {
    let worker = Uuid::new_v4();
    let names: Vec<&'static str> = shared.kinds.iter().map(|kind| kind.name).collect();
    let mut told = false;
    while !*stopping.borrow() {
        let begun = tokio::time::Instant::now();
        let policy = shared.settings.policy;
        if shared.clock.is_outdated() {
            // As for requests: the schema is one that this server cannot work with.
            tokio::select! {
                () = sleep(shared.settings.poll) => {}
                _ = stopping.changed() => {}
            }
            continue;
        }
        match shared.survey.store().claim_job(worker, names.clone(), policy).await {
            Ok(Some(claimed)) => {
                told = false;
                attempt(&shared, claimed, begun, &mut stopping).await;
                continue;
            }
            Ok(None) => told = false,
            Err(error) if !std::mem::replace(&mut told, true) => {
                tracing::warn!(%error, "jobs cannot be asked for; tried again");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = added.0.notified() => {}
            () = sleep(shared.settings.poll) => {}
            _ = stopping.changed() => {}
        }
    }
}

async fn attempt(
    shared: &Arc<Shared>,
    claimed: ClaimedJob,
    begun: tokio::time::Instant,
    stopping: &mut watch::Receiver<bool>,
) {
    // It was asked for by its name.
    let Some(kind) = shared.kinds.iter().find(|kind| kind.name == claimed.kind) else { return };
    // By this the lines of an attempt are found with those of the request, whoever answered that.
    let trace = claimed.trace_id.map(tracing::field::display);
    let span = tracing::info_span!("job", trace_id = trace);
    Attempt::new(shared, kind, claimed, begun).run(stopping).instrument(span).await;
}

/// Removes from time to time what jobs have left.
async fn expire(shared: Arc<Shared>, mut stopping: watch::Receiver<bool>) {
    while !*stopping.borrow() {
        #[cfg(feature = "export")]
        super::export::remove_left_files(shared.survey.store(), &shared.settings.folder).await;
        match shared.survey.store().expire_jobs().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "rows of jobs that ended long ago are removed"),
            Err(error) => tracing::warn!(%error, "jobs that ended long ago are not removed yet"),
        }
        tokio::select! {
            () = sleep(EXPIRE) => {}
            _ = stopping.changed() => {}
        }
    }
}
