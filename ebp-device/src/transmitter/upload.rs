//! Sends what the spool holds in batches, and removes what the server has confirmed.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::spool::{Spool, SpoolError};
use ebp_client::{Client, ClientError};
use ebp_core::{
    clock::Clock,
    contract::{UploadItem, UploadOutcome, UploadRequest, UploadResponse},
    model::{ConsentState, Measurement},
    phrase::counted,
};

/// Measurements in one request; the Data API takes ten times as many. A day of two meters is 192.
pub(super) const BATCH: usize = 1000;

/// So many measurements may be passed over because the server cannot take a request with them in
/// it; with more the measurements are not the cause.
const MAX_INDIGESTIBLE: usize = 3;

/// Who takes the measurements: the Data API, or a test's imitation of it.
///
/// A server keeps these promises: `accepted` and `duplicate` are answered only after the measurement
/// is stored durably, and a uuid is stored once however often it comes.
pub trait Upload {
    /// Hands the measurements over.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem. It may
    /// have stored them if its answer was lost.
    fn upload(&self, request: &UploadRequest) -> Result<UploadResponse, ClientError>;
}

impl Upload for Client {
    fn upload(&self, request: &UploadRequest) -> Result<UploadResponse, ClientError> {
        Self::upload(self, request)
    }
}

/// The result for the spool's measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Stored by the server and removed here.
    pub accepted: u64,
    /// Stored by the server before and removed here.
    pub duplicate: u64,
    /// Refused by the server and kept apart here.
    pub refused: u64,
    /// Still in the spool, because the server's answer did not mention them or put them off.
    pub remaining: u64,
}

/// Why the spool was not emptied. Nothing that the server did not confirm has left it.
#[derive(Debug, thiserror::Error)]
pub enum TransmitError {
    /// Consent is not granted: nothing was sent.
    #[error("consent is not granted: nothing is sent")]
    NotGranted,
    /// Consent is revoked for good: the spool is purged and nothing will be sent.
    #[error("consent is revoked for good: nothing is sent, and the spool is empty")]
    Revoked,
    /// A request failed; those before it did not.
    #[error("{source}")]
    Upload {
        /// The cause.
        source: Box<ClientError>,
        /// What was reported before that.
        before: Report,
    },
    /// The server's answer covers none of the measurements that were sent.
    #[error("the server's answer says nothing of what was sent: {}", counted(*sent, "measurement"))]
    Unanswered {
        /// How many were sent.
        sent: usize,
        /// What was reported before that.
        before: Report,
    },
    /// The spool failed.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// Sends what the spool holds, oldest first, until it is empty.
///
/// # Errors
/// Returns [`TransmitError`] if the server cannot be reached, or the spool fails. Measurements that
/// were confirmed before that stay deleted from the spool.
pub fn transmit(
    spool: &Spool,
    server: &(impl Upload + ?Sized),
    clock: &dyn Clock,
) -> Result<Report, TransmitError> {
    transmit_in_batches(spool, server, clock, BATCH)
}

pub(super) fn transmit_in_batches(
    spool: &Spool,
    server: &(impl Upload + ?Sized),
    clock: &dyn Clock,
    full: usize,
) -> Result<Report, TransmitError> {
    match spool.consent()?.map(|known| known.state) {
        Some(ConsentState::Granted) => {}
        Some(ConsentState::Revoked) => return Err(TransmitError::Revoked),
        Some(ConsentState::NotGranted) | None => return Err(TransmitError::NotGranted),
    }
    let mut report = Report::default();
    // Sent without a word from the server about them: not sent twice in one go, so that this ends.
    let mut left = HashSet::new();
    let mut indigestible = 0;
    let mut deferred = None;
    let mut size = full;
    loop {
        let batch = next_batch(spool, &left, size)?;
        if batch.is_empty() {
            break;
        }
        let request = UploadRequest { measurements: batch };
        let failed = match server.upload(&request) {
            Ok(response) => {
                settle(spool, &request.measurements, response, clock, &mut report, &mut left)?;
                continue;
            }
            Err(error) => error,
        };
        if failed.consent_revoked() {
            spool.purge(clock.now())?;
            return Err(TransmitError::Revoked);
        }
        if failed.consent_not_granted() {
            spool.remember_consent(ConsentState::NotGranted, clock.now())?;
            return Err(TransmitError::NotGranted);
        }
        if failed.quota_used_up() {
            // Those behind them may take slots.
            left.extend(request.measurements.iter().map(|measurement| measurement.uuid));
            deferred = Some(failed);
            continue;
        }
        match request.measurements.as_slice() {
            [_, _, ..] if is_indigestible(&failed) => size = request.measurements.len() / 2,
            // One that the server chokes on must not hold up those behind it. It stays: only a
            // server that refuses it by its uuid has looked at it.
            [one] if is_indigestible(&failed) && indigestible < MAX_INDIGESTIBLE => {
                tracing::warn!(uuid = %one.uuid, error = %failed, "passed over");
                left.insert(one.uuid);
                indigestible += 1;
                size = full;
            }
            _ => return Err(TransmitError::Upload { source: failed.into(), before: report }),
        }
    }
    report.remaining = spool.len()?;
    match deferred {
        // Nothing came of it: it is tried again when the server says.
        Some(source) if report.accepted + report.duplicate + report.refused == 0 => {
            Err(TransmitError::Upload { source: source.into(), before: report })
        }
        _ => Ok(report),
    }
}

/// The oldest `size` measurements that are not among those left.
fn next_batch(
    spool: &Spool,
    left: &HashSet<Uuid>,
    size: usize,
) -> Result<Vec<Measurement>, SpoolError> {
    let mut batch = spool.pending(left.len() + size)?;
    batch.retain(|measurement| !left.contains(&measurement.uuid));
    batch.truncate(size);
    Ok(batch)
}

/// Whether the server cannot take this request but may take its parts: one of them is malformed
/// to it (400), or they are too many (413).
fn is_indigestible(error: &ClientError) -> bool {
    matches!(error, ClientError::Problem { status: 400 | 413, .. })
}

/// Removes what the answer confirms, keeps apart what it refuses, and leaves all else in place.
fn settle(
    spool: &Spool,
    sent: &[Measurement],
    response: UploadResponse,
    clock: &dyn Clock,
    report: &mut Report,
    left: &mut HashSet<Uuid>,
) -> Result<(), TransmitError> {
    let answers = answers(response);
    let before = *report;
    let mut confirmed = Vec::new();
    let mut refused = Vec::new();
    let mut deferred = 0;
    for uuid in sent.iter().map(|measurement| measurement.uuid) {
        let Some(Some(item)) = answers.get(&uuid) else {
            left.insert(uuid);
            continue;
        };
        match item.outcome {
            UploadOutcome::Accepted => report.accepted += 1,
            UploadOutcome::Duplicate => report.duplicate += 1,
            UploadOutcome::Refused => {
                report.refused += 1;
                refused.push(item);
                continue;
            }
            // It stays, and is sent with the next report.
            UploadOutcome::Deferred => {
                deferred += 1;
                left.insert(uuid);
                continue;
            }
        }
        confirmed.push(uuid);
    }
    if confirmed.is_empty() && refused.is_empty() && deferred == 0 {
        return Err(TransmitError::Unanswered { sent: sent.len(), before });
    }
    spool.confirm(&confirmed)?;
    for item in refused {
        let reason = item.reason.as_deref().unwrap_or("the server gave no reason");
        spool.refuse(item.uuid, reason, clock.now())?;
    }
    Ok(())
}

/// The answer by uuid; nothing where it contradicts itself, by which it says nothing.
fn answers(response: UploadResponse) -> HashMap<Uuid, Option<UploadItem>> {
    let is_refusal = |item: &UploadItem| item.outcome == UploadOutcome::Refused;
    let mut answers: HashMap<Uuid, Option<UploadItem>> = HashMap::new();
    for item in response.items {
        answers
            .entry(item.uuid)
            .and_modify(|known| {
                if known.as_ref().is_some_and(|known| is_refusal(known) != is_refusal(&item)) {
                    *known = None;
                }
            })
            .or_insert(Some(item));
    }
    answers
}
