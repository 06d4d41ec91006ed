//! Releases of the data set: a research file of single households, or public aggregates.
//!
//! Enters: an open store, what is to be released, who makes it. Leaves: a draft, which is sealed by the
//! list of its sums; a confirmed release with its row in the ledger. Absent: the rules themselves, which
//! are `ebp_dataset::release`; the command line.
//!
//! A draft is made of households that are read as for an internal export (`collect.rs`), classified
//! (`classify.rs`), written (`research.rs`, `public.rs`) and described (`describe.rs`). Then every rule
//! is counted again on the files, and the whole draft is removed if one is broken. What the ledger needs
//! stands beside the folder until a second person confirms (`draft.rs`, `confirm.rs`).

mod classify;
mod confirm;
mod describe;
mod draft;
mod household;
mod needles;
mod order;
mod person;
mod person_error;
mod plan;
mod public;
mod research;
mod risk;
mod seed;

use std::{path::Path, sync::Arc};

use ebp_core::contract::ReleaseTier;
use ebp_dataset::{
    Calendar,
    files::check_release,
    release::{Check, LEAST_RESEARCH, Rule, check_order, check_population, check_windows},
};
use ebp_store::Store;

pub use confirm::{Confirmed, confirm};
pub use draft::draft_path;
pub use order::ReleaseOrder;
pub use person::Person;
pub use person_error::PersonError;

use super::{ExportError, ExportOrder, Progress, Tell, collect, folder::Folder};
use classify::{Cast, check_history, classify};
use household::Released;
use seed::Seed;

/// What was drafted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    /// The number that the release will have.
    pub number: u64,
    /// Households in it.
    pub households: usize,
    /// Households whose consent covers it, but that do not fit.
    pub left: usize,
    /// The result of each rule.
    pub checks: Vec<Check>,
    /// What an attacker finds, in sentences.
    pub risk: Vec<String>,
}

/// Makes a draft. Nothing is left of it if a rule is broken. One that was interrupted is continued, and
/// has the bytes that it would have had.
///
/// # Errors
/// [`ExportError::Rule`] names the rule; [`ExportError::Revoked`] if consent changed meanwhile;
/// [`ExportError::Another`] if a draft was begun there with another order, or before another release
/// was confirmed; [`ExportError::NotEmpty`] if a set is there already.
pub async fn release(
    store: &Arc<dyn Store>,
    export: &ExportOrder,
    order: &ReleaseOrder,
    path: &Path,
    maker: &Person,
    tell: &mut Tell<'_>,
) -> Result<Drafted, ExportError> {
    let history = order.history(store).await?;
    let plan = plan::plan(store, export, order).await?;
    let count = plan.households.len();
    if order.tier == ReleaseTier::Research && count < LEAST_RESEARCH {
        let found = format!(
            "{count} households have consent that covers a research file; of fewer than \
             {LEAST_RESEARCH} every one could be found, whatever is left out"
        );
        return Err(Check::failed(Rule::R12, found).into());
    }
    let parameters = order.parameters(export, history.number);
    let mut folder = Folder::open(path, parameters, &plan)?;
    if folder.is_complete() {
        return finish(&mut folder, &plan);
    }
    let made = write_draft(store, (export, order, maker), &history, &plan, &mut folder, tell).await;
    if made.is_err() {
        folder.discard()?;
        draft::remove(path);
    }
    made
}

async fn write_draft(
    store: &Arc<dyn Store>,
    (export, order, maker): (&ExportOrder, &ReleaseOrder, &Person),
    history: &order::History,
    plan: &super::plan::Plan,
    folder: &mut Folder,
    tell: &mut Tell<'_>,
) -> Result<Drafted, ExportError> {
    let calendar = Calendar::bundled(&export.zone)?;
    let seed = Seed::load_or_draw(folder)?;
    collect::collect(store, export, &calendar, plan, folder, tell).await?;
    let all = household::read(store, folder, export, &calendar, history)?;
    let mut cast = classify(order, history, &seed, all)?;
    tell(Progress { part: "tables", done: 0, all: 1 })?;
    let mut checks = Vec::new();
    let mut risk = Vec::new();
    match order.tier {
        ReleaseTier::Research => {
            let findings = research::write(folder, export, &calendar, &seed, &cast)?;
            risk = risk::sentences(&findings);
            checks.extend(research_checks(order, &cast));
        }
        ReleaseTier::Public => {
            checks.extend(public::write(folder, export, &calendar, &mut cast)?);
        }
    }
    checks.push(check_history(history, order, &cast.released));
    checks.push(Check::passed(
        Rule::R14,
        "one person made it; RELEASE.json is there once a second one has confirmed it",
    ));
    describe::metadata(store, (export, order, history.number), plan, folder)?;
    // The README repeats what the files show, so it is written twice: once to be searched and counted.
    describe::pages(export, order, &checks, &risk, folder)?;
    let (counted, _) =
        check_release(folder.path(), order.tier_of_files(), export.format, folder.files())?;
    checks.extend(counted.into_iter().filter(|check| {
        // What was counted with more knowledge is kept.
        order.tier == ReleaseTier::Research || check.rule != Rule::R11 || !check.passed
    }));
    checks.push(plan::check(store, export, order, plan).await?);
    let finder = needles::finder(store, folder, plan).await?;
    checks.push(needles::check(&finder, folder, order)?);
    checks.sort_by_key(|check| (check.rule, check.passed));
    checks.dedup_by_key(|check| check.rule);
    describe::pages(export, order, &checks, &risk, folder)?;
    if let Some(broken) = checks.iter().find(|check| !check.passed) {
        return Err(broken.clone().into());
    }
    if let Some(missing) = Rule::ALL.iter().find(|rule| checks.iter().all(|it| it.rule != **rule)) {
        return Err(Check::failed(*missing, "it was not checked").into());
    }
    let again = needles::check(&finder, folder, order)?;
    if !again.passed {
        return Err(again.into());
    }
    if !plan::check(store, export, order, plan).await?.passed {
        return Err(ExportError::Revoked);
    }
    let digest = describe::sums(folder)?;
    let draft = draft::Draft::new((export, order, history.number), &seed, digest, maker, &cast);
    draft.save(folder.path(), order.keep_ids, &cast, maker)?;
    folder.complete()?;
    Ok(Drafted {
        number: history.number,
        households: cast.released.len(),
        left: plan.households.len() - cast.released.len(),
        checks,
        risk,
    })
}

/// Of a draft that was killed at its very end only the notes are left to be removed.
fn finish(folder: &mut Folder, plan: &super::plan::Plan) -> Result<Drafted, ExportError> {
    let draft = draft::Draft::load(folder.path())?;
    let (checks, risk) = describe::read_checks(folder)?;
    folder.complete()?;
    let households = draft.households.len();
    let left = plan.households.len().saturating_sub(households);
    Ok(Drafted { number: draft.number, households, left, checks, risk })
}

/// The checks that need more than the files.
fn research_checks(order: &ReleaseOrder, cast: &Cast) -> [Check; 4] {
    let names: Vec<String> = cast.released.iter().map(|one| one.name.clone()).collect();
    let shown = cast.released.iter().map(|one| &one.shown);
    let windows: Vec<_> = cast.released.iter().map(|one| one.months).collect();
    let possible: Vec<_> = cast.released.iter().map(|one: &Released| one.possible).collect();
    [
        check_order(&cast.ids, &names, &[]),
        check_population(shown, order.register.as_ref()),
        check_windows(&windows, &possible, order.k(), order.counts()),
        Check::passed(Rule::R11, "no aggregates are in it"),
    ]
}
