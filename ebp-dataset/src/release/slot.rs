//! What is published of the households' energies of one quarter hour (rule R11).
//!
//! Consumption is import + generation - export, and own use is generation - export: who has some of
//! these sums can compute others. So all of them count as one system: its rows are of one set of
//! households, and nothing is published from which a sum follows that may not be.

use std::collections::BTreeSet;

use super::aggregate::{
    Distribution, LEAST_GROUP, check_differences, has_dominant, publishable, summarize,
};

/// So many households more than those whose energies are all known have the rows of import, or
/// none. Counts that are rounded down to ten show it.
pub const LEAST_MORE: usize = 2 * LEAST_GROUP;

/// An energy that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// import + generation - export.
    Consumption,
    /// Fed into the grid.
    Export,
    /// Generated; of a household without a system nothing is.
    Generation,
    /// Drawn from the grid.
    Import,
}

impl Quantity {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Consumption, Self::Export, Self::Generation, Self::Import];

    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consumption => "consumption",
            Self::Export => "export",
            Self::Generation => "generation",
            Self::Import => "import",
        }
    }
}

/// Behind the quantities: own use, which follows from them.
const OWN_USE: usize = 4;

const CONSUMPTION: usize = Quantity::Consumption as usize;
const EXPORT: usize = Quantity::Export as usize;
const GENERATION: usize = Quantity::Generation as usize;
const IMPORT: usize = Quantity::Import as usize;

/// Of each of these two make the third.
const TRIPLES: [[usize; 3]; 2] = [[CONSUMPTION, IMPORT, OWN_USE], [GENERATION, EXPORT, OWN_USE]];

/// A household in a quarter hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member<'a> {
    /// The region that it counts in beside the country.
    pub region: Option<&'a str>,
    /// Its energies in the order of [`Quantity::ALL`]; nothing where they are not known.
    pub energies: [Option<f64>; 4],
    /// Whether it has a photovoltaic system.
    pub has_system: bool,
}

impl Member<'_> {
    fn energy(&self, sum: usize) -> Option<f64> {
        if sum == OWN_USE {
            return Some(self.energies[GENERATION]? - self.energies[EXPORT]?);
        }
        self.energies[sum]
    }
}

/// A row, and whom it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow<'a> {
    /// The region; nothing for the country.
    pub region: Option<&'a str>,
    /// Which energy.
    pub quantity: Quantity,
    /// The places of its households, in their order.
    pub households: Vec<usize>,
    /// What is published.
    pub distribution: Distribution,
}

/// Whether a sum of households may be known: they are ten, none of them has more than half of it,
/// and where it is of systems ten have one, or nobody has any of it. A sum of nobody is none.
fn is_allowed(members: &[Member<'_>], places: &[usize], sum: usize) -> bool {
    if places.is_empty() {
        return true;
    }
    let energies: Vec<f64> = places.iter().filter_map(|at| members[*at].energy(sum)).collect();
    if energies.len() < LEAST_GROUP || has_dominant(&energies) {
        return false;
    }
    if ![EXPORT, GENERATION, OWN_USE].contains(&sum) {
        return true;
    }
    let has_some = |at: &&usize| {
        members[**at].has_system || members[**at].energy(sum).is_some_and(|it| it != 0.0)
    };
    let having = places.iter().filter(has_some).count();
    having == 0 || having >= LEAST_GROUP
}

fn without(all: &[usize], some: &[usize]) -> Vec<usize> {
    all.iter().filter(|at| some.binary_search(at).is_err()).copied().collect()
}

/// The rows of a quarter hour.
///
/// Those whose energies are all known are one set for all rows. Import is of more where they are at
/// least [`LEAST_MORE`] more, in every region. Where a sum may not be known, consumption is left
/// out, and export where consumption or own use may not be known. A region that may not be shown
/// could be computed from the others, so that none has a row of that energy then.
#[must_use]
pub fn publish_slot<'a>(members: &[Member<'a>]) -> Vec<GroupRow<'a>> {
    let whole: Vec<usize> =
        (0..members.len()).filter(|at| members[*at].energies.iter().all(Option::is_some)).collect();
    if whole.len() < LEAST_GROUP {
        return publish_apart(members);
    }
    let import = known(members, IMPORT);
    let kept = kept_regions(members, &whole);
    let parts = |set: &[usize]| parts(members, set, &kept);
    let enough = |(whole, import): (&Vec<usize>, &Vec<usize>)| {
        let more = without(import, whole);
        more.is_empty()
            || more.len() >= LEAST_MORE
                && is_allowed(members, &more, IMPORT)
                && is_allowed(members, import, IMPORT)
    };
    let is_wide =
        enough((&whole, &import)) && parts(&whole).iter().zip(&parts(&import)).all(enough);
    let import = if is_wide { import } else { whole.clone() };

    let allowed = |set: &[usize]| [0, 1, 2, 3, OWN_USE].map(|sum| is_allowed(members, set, sum));
    let country = allowed(&whole);
    let regional = parts(&whole).iter().fold(country, |all, part| {
        let part = allowed(part);
        std::array::from_fn(|sum| all[sum] && part[sum])
    });
    let set_of = |quantity: Quantity| {
        if quantity == Quantity::Import { &import } else { &whole }
    };
    let mut rows = Vec::new();
    for quantity in shown(country) {
        rows.extend(row(members, None, quantity, set_of(quantity).clone()));
    }
    for name in &kept {
        for quantity in shown(regional) {
            let households = of_region(members, set_of(quantity), name);
            rows.extend(row(members, Some(name), quantity, households));
        }
    }
    rows
}

/// Where hardly a balance is known: import, and generation or else export, each of its own
/// households. No two of these make a third.
fn publish_apart<'a>(members: &[Member<'a>]) -> Vec<GroupRow<'a>> {
    let mut rows: Vec<GroupRow<'a>> = Vec::new();
    for quantity in [Quantity::Import, Quantity::Generation, Quantity::Export] {
        let is_of_systems = |row: &GroupRow<'_>| row.quantity == Quantity::Generation;
        if quantity == Quantity::Export && rows.iter().any(is_of_systems) {
            continue;
        }
        let sum = quantity as usize;
        let set = known(members, sum);
        let mut more: Vec<GroupRow<'a>> = Vec::new();
        if is_allowed(members, &set, sum) {
            let kept = kept_regions(members, &set);
            let parts = parts(members, &set, &kept);
            if parts.iter().all(|part| is_allowed(members, part, sum)) {
                for name in &kept {
                    let households = of_region(members, &set, name);
                    more.extend(row(members, Some(name), quantity, households));
                }
            }
            more.extend(row(members, None, quantity, set));
        }
        let together: Vec<GroupRow<'a>> = rows.iter().cloned().chain(more).collect();
        if check_sets(&together).is_ok() {
            rows = together;
        }
    }
    rows.sort_by_key(|row| (row.region, row.quantity));
    rows
}

/// The quantities that may be shown where these sums may be known.
fn shown(allowed: [bool; 5]) -> impl Iterator<Item = Quantity> {
    let is_shown = move |quantity: &Quantity| match quantity {
        Quantity::Consumption => allowed.iter().all(|is_allowed| *is_allowed),
        Quantity::Export => allowed[EXPORT] && allowed[OWN_USE] && allowed[CONSUMPTION],
        Quantity::Generation => allowed[GENERATION],
        Quantity::Import => allowed[IMPORT],
    };
    Quantity::ALL.into_iter().filter(is_shown)
}

fn known(members: &[Member<'_>], sum: usize) -> Vec<usize> {
    (0..members.len()).filter(|at| members[*at].energies[sum].is_some()).collect()
}

fn kept_regions<'a>(members: &[Member<'a>], set: &[usize]) -> Vec<&'a str> {
    let regions: Vec<Option<&str>> = set.iter().map(|at| members[*at].region).collect();
    publishable(&regions)
}

fn of_region(members: &[Member<'_>], set: &[usize], name: &str) -> Vec<usize> {
    set.iter().filter(|at| members[**at].region == Some(name)).copied().collect()
}

/// The households of each region, and behind them those that are in none.
fn parts(members: &[Member<'_>], set: &[usize], kept: &[&str]) -> Vec<Vec<usize>> {
    let mut parts: Vec<_> = kept.iter().map(|name| of_region(members, set, name)).collect();
    let is_kept = |at: &&usize| members[**at].region.is_some_and(|name| kept.contains(&name));
    parts.push(set.iter().filter(|at| !is_kept(at)).copied().collect());
    parts
}

fn row<'a>(
    members: &[Member<'a>],
    region: Option<&'a str>,
    quantity: Quantity,
    households: Vec<usize>,
) -> Option<GroupRow<'a>> {
    let energies = households.iter().filter_map(|at| members[*at].energies[quantity as usize]);
    let distribution = summarize(&mut energies.collect::<Vec<_>>())?;
    Some(GroupRow { region, quantity, households, distribution })
}

/// Rule R11 for the rows of a quarter hour: neither they nor what follows from them is of few
/// households or of one that dominates.
///
/// # Errors
/// Says which region, and what follows.
pub fn check_slot(members: &[Member<'_>], rows: &[GroupRow<'_>]) -> Result<(), String> {
    check_sets(rows)?;
    let regions: BTreeSet<_> = rows.iter().map(|row| row.region).collect();
    let set = |region: Option<&str>, quantity: Quantity| {
        let is_it = |row: &&GroupRow<'_>| row.region == region && row.quantity == quantity;
        rows.iter().find(is_it).map(|row| row.households.clone())
    };
    for region in &regions {
        let sets = Quantity::ALL.map(|quantity| set(*region, quantity));
        check_sums(members, &sets)
            .map_err(|found| format!("{}: {found}", region.unwrap_or("the country")))?;
    }
    // What the country has and its regions have not.
    let rest = Quantity::ALL.map(|quantity| {
        let regional: Vec<_> =
            regions.iter().flatten().filter_map(|it| set(Some(it), quantity)).collect();
        let mut regional = Some(regional.concat()).filter(|it| !it.is_empty())?;
        regional.sort_unstable();
        Some(without(&set(None, quantity)?, &regional)).filter(|rest| !rest.is_empty())
    });
    check_sums(members, &rest).map_err(|found| format!("outside of the regions: {found}"))
}

/// Whether groups, of whatever quantities, differ by enough households.
fn check_sets(rows: &[GroupRow<'_>]) -> Result<(), String> {
    let name = |row: &GroupRow<'_>| row.region.unwrap_or("the country").to_owned();
    for quantity in Quantity::ALL {
        let of_it = rows.iter().filter(|row| row.quantity == quantity);
        let named: Vec<_> = of_it.map(|row| (name(row), row.households.clone())).collect();
        check_named(&named)?;
    }
    let mut named: Vec<(String, Vec<usize>)> = Vec::new();
    for row in rows {
        if named.iter().all(|(_, households)| *households != row.households) {
            named.push((
                format!("{} of {}", row.quantity.name(), name(row)),
                row.households.clone(),
            ));
        }
    }
    check_named(&named)
}

fn check_named(named: &[(String, Vec<usize>)]) -> Result<(), String> {
    let groups: Vec<_> = named.iter().map(|(name, set)| (name.as_str(), set.clone())).collect();
    check_differences(&groups)
}

/// Whether all sums may be known that are published of these sets of households, or follow.
fn check_sums(members: &[Member<'_>], sets: &[Option<Vec<usize>>; 4]) -> Result<(), String> {
    let name = |sum: usize| Quantity::ALL.get(sum).map_or("own use", |it| it.name());
    let mut follows: Vec<usize> = (0..4).filter(|sum| sets[*sum].is_some()).collect();
    let is_stated = |sum: &usize| sets.get(*sum).is_some_and(Option::is_some);
    for sum in &follows {
        let set = sets[*sum].as_deref().unwrap_or_default();
        if !is_allowed(members, set, *sum) {
            return Err(format!("{} is of few or of one that dominates", name(*sum)));
        }
    }
    while let Some(next) = third(&follows) {
        follows.push(next);
    }
    let mut stated = sets.iter().flatten();
    let first = stated.next().cloned().unwrap_or_default();
    let common = stated.fold(first, |common, set| {
        common.into_iter().filter(|at| set.binary_search(at).is_ok()).collect()
    });
    if let Some(sum) =
        follows.iter().find(|it| !is_stated(it) && !is_allowed(members, &common, **it))
    {
        return Err(format!("{} of few or of one that dominates follows", name(*sum)));
    }
    // Of those that only import is of.
    if let (Some(import), Some(whole)) = (&sets[IMPORT], &sets[CONSUMPTION])
        && !is_allowed(members, &without(import, whole), IMPORT)
    {
        return Err("import of few or of one that dominates follows".into());
    }
    Ok(())
}

/// A sum that follows from two others.
fn third(from: &[usize]) -> Option<usize> {
    TRIPLES.iter().find_map(|triple| {
        let mut missing = triple.iter().filter(|sum| !from.contains(sum));
        missing.next().copied().filter(|_| missing.next().is_none())
    })
}

#[cfg(test)]
mod tests;
