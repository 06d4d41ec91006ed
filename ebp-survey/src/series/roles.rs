//! What a household's meters count, out of its registration and of what they were read.

use ebp_core::{
    contract::EnergyStep,
    model::{Battery, MeterType, MeteringConcept},
};
use ebp_dataset::{
    Calendar, Energy, MeterFacts, MeterKind, MeterRole, Roles, Topology, Total, assign_roles,
};
use ebp_store::{SeriesHousehold, SeriesMeter};

/// What of a meter's readings its role follows from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// When it was first read, and last.
    pub read: Option<(i64, i64)>,
    /// What its registers grew by.
    pub total: Total,
}

/// A household's roles, and why there is no balance, if there is none.
pub(crate) struct HouseholdRoles {
    pub roles: Roles,
    /// What each of its meters counts, also where there is no balance.
    #[cfg_attr(not(feature = "dataset"), expect(dead_code, reason = "the data set tells them"))]
    pub meters: Vec<MeterRole>,
    /// Why there is no balance.
    pub topology: Option<Topology>,
    /// Whether what is generated is known.
    pub generates: bool,
    /// What the registration does not say and was assumed, by the contract's names.
    pub assumed: Vec<String>,
}

/// Assigns the roles of a household's meters, of which that was seen, in their order.
pub(crate) fn assign(
    calendar: &Calendar,
    household: &SeriesHousehold,
    seen: &[Seen],
) -> HouseholdRoles {
    let facts = facts(calendar, household, seen);
    let unmetered = household.systems.iter().any(|system| system.meter.is_none());
    let has_generation = facts.iter().any(|meter| meter.kind == MeterKind::Generation);
    let concept = match household.metering_concept {
        MeteringConcept::Unknown if household.systems.is_empty() && !has_generation => {
            MeteringConcept::NoSystem
        }
        registered => registered,
    };
    let battery = match household.battery {
        Battery::Unknown if !household.home_battery => Battery::None,
        registered => registered,
    };
    let assumed = assumed(household, &facts, battery);
    let meters = MeterRole::assign(&facts);
    match assign_roles(&facts, unmetered, concept, battery) {
        Ok(roles) => HouseholdRoles { roles, meters, topology: None, generates: true, assumed },
        Err(topology) => {
            // Where all is fed in by a meter of its own, its meters count what is generated.
            let generates = topology == Topology::FullFeedIn && has_generation;
            let roles = Roles::without_balance(&facts, generates);
            HouseholdRoles { roles, meters, topology: Some(topology), generates, assumed }
        }
    }
}

/// What the registration does not say. Without a battery it is known that none is connected, though
/// nobody said where.
fn assumed(household: &SeriesHousehold, facts: &[MeterFacts], battery: Battery) -> Vec<String> {
    let guesses =
        |meter: &MeterFacts| meter.kind == MeterKind::Generation && meter.generation.is_none();
    [
        ("metering_concept", household.metering_concept == MeteringConcept::Unknown),
        ("battery", battery == Battery::Unknown),
        ("generation_register", facts.iter().any(guesses)),
    ]
    .into_iter()
    .filter(|(_, is_assumed)| *is_assumed)
    .map(|(name, _)| name.to_owned())
    .collect()
}

fn facts(calendar: &Calendar, household: &SeriesHousehold, seen: &[Seen]) -> Vec<MeterFacts> {
    let meters = household.meters.iter().zip(seen);
    let mut facts: Vec<_> = meters
        .map(|(meter, seen)| MeterFacts {
            kind: match meter.kind {
                MeterType::Electricity => MeterKind::Grid,
                MeterType::PvGeneration => MeterKind::Generation,
            },
            from: seen.read.map_or(i64::MAX, |(first, _)| first),
            to: end_of(household, meter, seen),
            import: seen.total.import(),
            export: seen.total.export(),
            generation: meter.generation_register,
        })
        .collect();
    let begun = facts.iter().filter(|meter| meter.kind == MeterKind::Grid).map(|it| it.from).min();
    let ends: Vec<_> = facts
        .iter()
        .filter(|meter| meter.kind == MeterKind::Generation)
        .map(|meter| meter.to)
        .collect();
    for (place, meter) in household.meters.iter().enumerate() {
        let one = &mut facts[place];
        if one.kind == MeterKind::Generation {
            one.from = begin_of(calendar, household, meter, (one.from, begun), &ends);
        }
    }
    // Of a meter at the grid of which neither register is known nothing follows, not even that it shows
    // one register alone; one that was never read does not count yet beside others.
    let grid = facts.iter().filter(|meter| meter.kind == MeterKind::Grid).count();
    for meter in facts.iter_mut().filter(|meter| meter.kind == MeterKind::Grid) {
        if meter.import.is_none() && meter.export.is_none() {
            (meter.import, meter.export) = (Some(Energy::ZERO), Some(Energy::ZERO));
        }
        if meter.from == i64::MAX {
            meter.from = if grid == 1 { i64::MIN } else { meter.to };
        }
    }
    facts
}

/// Until when a meter counts: a removed one until it was last read. After a revocation nobody knows
/// when a meter was removed.
fn end_of(household: &SeriesHousehold, meter: &SeriesMeter, seen: &Seen) -> i64 {
    let last = seen.read.map_or(i64::MAX, |(_, last)| last.saturating_add(1));
    match meter.removed_at {
        Some(removed) => removed.as_microsecond().min(last),
        None if household.is_revoked => last,
        None => i64::MAX,
    }
}

/// Since when a generation meter counts: since the one that it took the place of was removed, or since
/// its system was installed; otherwise always, though it was read later.
fn begin_of(
    calendar: &Calendar,
    household: &SeriesHousehold,
    meter: &SeriesMeter,
    (first, begun): (i64, Option<i64>),
    ends: &[i64],
) -> i64 {
    if let Some(before) = ends.iter().copied().filter(|end| *end <= first && *end < i64::MAX).max()
    {
        return before;
    }
    let systems = household.systems.iter().filter(|system| system.meter == Some(meter.uuid));
    let installed = systems.map(|system| system.installed_on).min();
    let installed = installed.and_then(|date| calendar.midnight(date).ok());
    let Some(installed) = installed.filter(|at| begun.is_some_and(|begun| *at > begun)) else {
        return i64::MIN;
    };
    let day = calendar.start(EnergyStep::Day, first).unwrap_or(first);
    installed.min(day)
}
