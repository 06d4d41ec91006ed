//! Which households are released, for which months, how fine, and under which numbers.

use ebp_core::contract::ReleaseTier;
use ebp_dataset::release::{
    Check, Demands, Detail, LEAST_RESEARCH, Months, Profile, Rule, assign_windows, check_order,
    coarsen, permutation,
};

use super::{
    super::ExportError,
    ReleaseOrder,
    household::{Candidate, Released},
    order::History,
    seed::Seed,
};

/// Permutations that are drawn until one says nothing of the order of registration.
const TRIES: u32 = 20;

/// The households of a release.
#[derive(Debug)]
pub(super) struct Cast {
    /// In the order of their numbers.
    pub released: Vec<Released>,
    /// The numbers in the order of registration.
    pub ids: Vec<usize>,
}

/// Casts a release.
pub(super) fn classify(
    order: &ReleaseOrder,
    history: &History,
    seed: &Seed,
    all: Vec<Candidate>,
) -> Result<Cast, ExportError> {
    let possible: Vec<Option<Months>> = all.iter().map(|one| one.possible).collect();
    let windows = assign_windows(&possible, order.k());
    let mut with_months: Vec<(Candidate, Months)> =
        all.into_iter().zip(windows).filter_map(|(one, window)| Some((one, window?))).collect();
    if with_months.is_empty() {
        let found = format!(
            "no {} households have a whole month in common, 14 days after they began and before they \
             ended",
            order.k()
        );
        let check = Check::failed(Rule::R9, found).with_way_out(
            "wait until households have measured for more whole months, or widen --from and --to",
        );
        return Err(check.into());
    }
    let classes = match order.tier {
        ReleaseTier::Research => {
            let profiles: Vec<(Profile, Months, Detail)> = with_months
                .iter()
                .map(|(one, months)| (one.profile.clone(), *months, one.floor))
                .collect();
            let demands =
                Demands { k: order.k(), finest: order.finest, register: order.register.as_ref() };
            coarsen(&profiles, demands)
        }
        // Single households are not shown; the detail is settled with the groups.
        ReleaseTier::Public => Vec::new(),
    };
    let mut released: Vec<Released> = match order.tier {
        ReleaseTier::Research => classes
            .into_iter()
            .map(|one| {
                let (candidate, _) = &with_months[one.place];
                released(candidate, one.months, one.detail, order)
            })
            .collect(),
        ReleaseTier::Public => with_months
            .drain(..)
            .map(|(one, months)| {
                let detail = one.floor.max(order.finest);
                released(&one, months, detail, order)
            })
            .collect(),
    };
    if order.tier == ReleaseTier::Research && released.len() < LEAST_RESEARCH {
        let found = format!(
            "{} households are left whose months and attributes enough others share; a research file \
             has at least {LEAST_RESEARCH}",
            released.len()
        );
        return Err(Check::failed(Rule::R12, found).into());
    }
    let ids = draw(released.len(), seed);
    let width = released.len().to_string().len();
    for (one, id) in released.iter_mut().zip(&ids) {
        one.name = format!("{}-{id:0width$}", history.number);
    }
    released.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Cast { released, ids })
}

fn released(one: &Candidate, months: Months, detail: Detail, order: &ReleaseOrder) -> Released {
    let detail = detail.max(order.finest);
    Released {
        uuid: one.facts.household.uuid,
        name: String::new(),
        shown: ebp_dataset::release::Shown::classify(&one.profile, detail),
        detail,
        months,
        possible: one.possible,
        facts: one.facts.clone(),
        nuts3: one.profile.nuts3.clone(),
    }
}

fn draw(count: usize, seed: &Seed) -> Vec<usize> {
    let mut ids = Vec::new();
    for attempt in 0..TRIES {
        ids = permutation(count, &mut seed.numbers(&format!("ids {attempt}")));
        if check_order(&ids, &[], &[]).passed {
            break;
        }
    }
    ids
}

/// Rule R13: no household is shown finer than before.
pub(super) fn check_history(
    history: &History,
    order: &ReleaseOrder,
    released: &[Released],
) -> Check {
    let finer = |one: &&Released| {
        one.detail < history.floor(&one.facts.household) || one.detail < order.finest
    };
    let again = released.iter().filter(|one| history.floors.contains_key(&one.uuid)).count();
    match released.iter().filter(finer).count() {
        0 => Check::passed(
            Rule::R13,
            format!(
                "release {}; {} households were released before",
                history.number,
                order.counts().tell(again)
            ),
        ),
        count => Check::failed(Rule::R13, format!("{count} households are finer than before")),
    }
}
