//! Turns a request for a job into the order that the queue stores.

use ebp_core::{
    contract::{JobKind, NewJob},
    scope::Group,
    trace::TraceId,
};
use ebp_store::{Faults, JobOrder};
use ebp_survey::import::ImportOrder;
use jiff::Timestamp;
use serde::Serialize;

use super::{import, risk_report::RiskReportJob};
use crate::problem::ApiError;

/// Whether the group may ask for a job of that kind, and so begin one anew: only researchers handle
/// personal data.
#[must_use]
pub fn may_ask(kind: &str, group: Group) -> bool {
    kind == JobKind::RiskReport.name() || group == Group::Researchers
}

/// The order for a job that `created_by` requests, in the request of that identifier.
///
/// # Errors
/// Returns [`ApiError::Group`] if the group may not request this kind of job, [`ApiError::Faults`]
/// if members are missing, invalid, or belong to another kind, and [`ApiError::Internal`] if the
/// job cannot be written as JSON.
pub fn order(
    new: NewJob,
    created_by: Group,
    trace_id: Option<TraceId>,
    #[cfg_attr(not(feature = "export"), allow(unused_variables, reason = "for exports"))]
    (now, zone): (Timestamp, &str),
) -> Result<JobOrder, ApiError> {
    let NewJob { kind, file, dry_run, export, key } = new;
    if !may_ask(kind.name(), created_by) {
        return Err(ApiError::Group);
    }
    let mut faults = Faults::default();
    let mut of_another_kind = |is_absent: bool, place: &str| {
        faults.check(is_absent, place, "must not be set for this kind");
    };
    if kind != JobKind::HouseholdImport {
        of_another_kind(file.is_none(), "/file");
        of_another_kind(dry_run.is_none(), "/dry_run");
    }
    if kind != JobKind::Export {
        of_another_kind(export.is_none(), "/export");
    }
    let (input, subjects) = match kind {
        JobKind::RiskReport => (json(&RiskReportJob {})?, Vec::new()),
        #[cfg(feature = "export")]
        JobKind::Export => {
            let export = export.unwrap_or_default();
            super::export::check(&export, now, zone, &mut faults);
            (json(&super::export::ExportJob { export })?, Vec::new())
        }
        #[cfg(not(feature = "export"))]
        JobKind::Export => {
            faults.check(false, "/kind", "is none that this server was built for");
            (Vec::new(), Vec::new())
        }
        JobKind::HouseholdImport => {
            faults.check(file.is_some(), "/file", "is missing");
            let (file, dry_run) = (file.unwrap_or_default(), dry_run.unwrap_or_default());
            let order = ImportOrder { file, dry_run, label: None };
            let subjects = import::subjects(&order);
            if let (Err(why), true) = (&subjects, faults.is_empty()) {
                faults.check(false, "/file", why);
            }
            (json(&order)?, subjects.unwrap_or_default())
        }
    };
    if !faults.is_empty() {
        return Err(ApiError::Faults(faults));
    }
    Ok(JobOrder { kind: kind.name().to_owned(), input, subjects, created_by, key, trace_id })
}

fn json(job: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(job).map_err(|_| ApiError::Internal("a job is no JSON".to_owned()))
}
