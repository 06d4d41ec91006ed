//! A household's figures of a stretch of days.
//!
//! A stretch that lasts still, or that began before the first measurement, is not known as a whole.
//! Its energies are those of its known part: between the midnights, and in the last day the quarter
//! hours, at which the needed registers are known.

use std::collections::{BTreeMap, BTreeSet};

use ebp_core::contract::{EnergyStep, EnergySummary, ExactNumber};
use ebp_dataset::{
    Balance, Boundary, Day, Flags, HouseholdPeriod, Interval, KnownPart, NoRatio, Part, Quality,
    Quarter, RegisterDay, Registers, Topology, figures,
};
use ebp_store::StoreError;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{
    columns::{bits, bounds, empty_household, energy, names_of, past, share},
    interrupted::Interrupted,
    known::Known,
    query::Asked,
};

/// An instant, and each meter's registers then.
type Node = (i64, Vec<Registers>);

/// The figures.
pub(super) fn of_days(
    known: &Known<'_>,
    asked: &Asked,
    days: &[Vec<Day>],
) -> Result<EnergySummary, Interrupted> {
    let roles = known.roles;
    let slices: Vec<&[Day]> = days.iter().map(Vec::as_slice).collect();
    let ends = (asked.from, asked.to);
    let whole = HouseholdPeriod::from_days(&roles.roles, ends, &slices, &known.stretches());
    let now = known.maker.now.as_microsecond();
    // Quarter hours before the first measurement cannot be missing.
    let begun = known.begun().map_or(asked.to, |first| first.max(asked.from));
    let begun = known.maker.calendar.start(EnergyStep::Quarter, begun)?;
    let quarters = past(begun, asked.to, now);
    let nodes = nodes(known, asked, days);
    let part = |part| sum(known, part, &nodes);
    let balance = |part: Option<Balance>| {
        part.unwrap_or_else(|| empty_household(asked.from, asked.to).balance)
    };
    let (import, export) = (balance(part(Part::Import)), balance(part(Part::Export)));
    let generation = balance(part(Part::Generation));
    let all = balance(part(Part::Whole));
    let mut reasons = BTreeMap::new();
    let mut say = |name: &str, reason: &str| {
        reasons.insert(name.to_owned(), reason.to_owned());
    };
    let mut member = |name: &str, interval: &Interval, of_balance: bool| {
        let missing = match roles.topology {
            Some(topology) if of_balance => Some(topology.name()),
            _ if interval.energy.is_none() => Some(not_known(roles.topology, name)),
            _ => None,
        };
        if let Some(reason) = missing {
            say(name, reason);
            return None;
        }
        energy(interval)
    };
    let import_energy = member("import", &import.import, false);
    let export_energy = member("export", &export.export, false);
    let generated = member("generation", &generation.generation, !roles.generates);
    let consumption = member("consumption", &all.consumption, true);
    let self_consumption = member("self_consumption", &all.self_consumption, true);
    let ratios = figures(&all, quarters, whole.measured);
    let mut ratio = |name: &str, ratio: Result<Decimal, NoRatio>| {
        let reason = roles.topology.map(Topology::name);
        match (reason, ratio) {
            (None, Ok(ratio)) => Some(ExactNumber(ratio.normalize())),
            (Some(reason), _) => {
                say(name, reason);
                None
            }
            (None, Err(reason)) => {
                say(name, reason.name());
                None
            }
        }
    };
    let autarky = ratio("autarky", ratios.autarky);
    let self_consumption_share = ratio("self_consumption_share", ratios.self_consumption_share);
    let is_complete = |interval: &Interval| interval.quality == Quality::Measured;
    let violated = roles.topology.is_none() && all.balance_violated;
    let flags = whole.flags | Flags::NONE;
    let at = |at| Timestamp::from_microsecond(at).map_err(|_| StoreError::Damaged("energy series"));
    let generates = |interval: &Interval| bounds(interval).filter(|_| roles.generates);
    Ok(EnergySummary {
        from: at(asked.from)?,
        to: at(asked.to)?,
        zone: asked.zone.clone(),
        complete: is_complete(&whole.balance.import)
            && (is_complete(&whole.balance.export) || export_energy.is_none())
            && (!roles.generates || is_complete(&whole.balance.generation)),
        quarters,
        measured: whole.measured,
        coverage: share(whole.measured, quarters),
        import: import_energy,
        export: export_energy,
        generation: generated,
        consumption,
        self_consumption,
        autarky,
        self_consumption_share,
        import_bounds: bounds(&whole.balance.import),
        export_bounds: bounds(&whole.balance.export),
        generation_bounds: generates(&whole.balance.generation),
        reasons,
        has_battery: known.household.home_battery,
        assumed: roles.assumed.clone(),
        flags: names_of(bits(flags, violated)),
    })
}

/// Why what a meter shows is not known: which meter it is, or that it was not measured.
fn not_known(topology: Option<Topology>, member: &str) -> &'static str {
    match topology {
        Some(topology @ (Topology::NoGridMeter | Topology::SeveralGridMeters))
            if member != "generation" =>
        {
            topology.name()
        }
        Some(Topology::OneRegister) if member == "export" => Topology::OneRegister.name(),
        _ => NoRatio::NotMeasured.name(),
    }
}

fn sum(known: &Known<'_>, part: Part, nodes: &[Node]) -> Option<Balance> {
    let mut sum = KnownPart::new(known.roles.roles.clone(), part);
    for (at, registers) in nodes {
        sum.push(*at, registers);
    }
    sum.sum()
}

/// The midnights, and the quarter hours of the last day that was measured.
fn nodes(known: &Known<'_>, asked: &Asked, days: &[Vec<Day>]) -> Vec<Node> {
    let mut instants: BTreeSet<i64> = BTreeSet::new();
    for day in days.iter().flatten() {
        instants.extend([day.from, day.to]);
    }
    let last = known.runs.iter().filter_map(|run| run.last_day.last()).map(Quarter::end).max();
    let tails: Vec<&[Quarter]> = known
        .runs
        .iter()
        .map(|run| match run.last_day.last() {
            Some(quarter) if Some(quarter.end()) == last && asked.is_kept => &run.last_day[..],
            _ => &[],
        })
        .collect();
    for quarter in tails.iter().copied().flatten() {
        instants.extend([quarter.slot, quarter.end()]);
    }
    instants.retain(|at| asked.from <= *at && *at <= asked.to);
    let registers = |at: i64, place: usize| {
        let tail = tails[place];
        Registers {
            import: register(at, &days[place], tail, |day| day.import, |quarter| quarter.import),
            export: register(at, &days[place], tail, |day| day.export, |quarter| quarter.export),
        }
    };
    instants
        .into_iter()
        .map(|at| (at, (0..days.len()).map(|place| registers(at, place)).collect()))
        .collect()
}

/// A register at an instant.
fn register(
    at: i64,
    days: &[Day],
    tail: &[Quarter],
    of_day: fn(&Day) -> RegisterDay,
    of_quarter: fn(&Quarter) -> ebp_dataset::RegisterQuarter,
) -> Option<Boundary> {
    let after = days.partition_point(|day| day.from < at);
    let begins = days.get(after).filter(|day| day.from == at).and_then(|day| of_day(day).start);
    let before = after.checked_sub(1).and_then(|place| days.get(place));
    let ends = before.filter(|day| day.to == at).and_then(|day| of_day(day).end);
    let in_tail = || {
        let place = tail.partition_point(|quarter| quarter.slot < at);
        let begins = tail.get(place).filter(|quarter| quarter.slot == at);
        let before = place.checked_sub(1).and_then(|place| tail.get(place));
        let ends = before.filter(|quarter| quarter.end() == at);
        begins
            .and_then(|quarter| of_quarter(quarter).start)
            .or_else(|| ends.and_then(|quarter| of_quarter(quarter).end))
    };
    begins.or(ends).or_else(in_tail)
}
