//! What a household's meters count: which one stands at the grid, and which register of a generation
//! meter generates.

use std::cmp::Ordering;

use ebp_core::model::{Battery, GenerationRegister, MeteringConcept};
use serde::{Deserialize, Serialize};

use crate::energy::Energy;

/// What a meter was registered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MeterKind {
    /// It counts what the household draws and feeds in.
    Grid,
    /// It counts what a photovoltaic system generates.
    Generation,
}

/// Whether a meter adds up its phases before it counts a direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseSumming {
    /// As usual in Germany: at no instant do both registers grow.
    Yes,
    /// Each phase is counted by itself: import and export are too large by the same energy.
    No,
    /// The model's profile does not say.
    #[default]
    Unknown,
}

/// What is known of a meter of the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterFacts {
    /// What it was registered as.
    pub kind: MeterKind,
    /// When it was first read, microseconds since the Unix epoch.
    pub from: i64,
    /// When it was taken down; far in the future where it was not.
    pub to: i64,
    /// What 1.8.0 grew by over all its readings; nothing where it never showed it.
    pub import: Option<Energy>,
    /// What 2.8.0 grew by.
    pub export: Option<Energy>,
    /// The register that generates, as registered.
    pub generation: Option<GenerationRegister>,
}

/// Why a household has no balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// No meter stands at the grid.
    NoGridMeter,
    /// Several do at the same time.
    SeveralGridMeters,
    /// The meter at the grid does not show both registers.
    OneRegister,
    /// No meter counts what is generated.
    NoGenerationMeter,
    /// A photovoltaic system has no meter.
    UnmeteredSystem,
    /// What is generated is fed in by a meter of its own.
    FullFeedIn,
    /// Several systems in a cascade, of which the meters count one another's.
    Cascade,
}

impl Topology {
    /// The name in files and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoGridMeter => "no_grid_meter",
            Self::SeveralGridMeters => "several_grid_meters",
            Self::OneRegister => "one_register",
            Self::NoGenerationMeter => "no_generation_meter",
            Self::UnmeteredSystem => "unmetered_system",
            Self::FullFeedIn => "full_feed_in",
            Self::Cascade => "cascade",
        }
    }
}

/// A meter with a role, by its place in the household's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Its place.
    pub meter: usize,
    /// Since when it counts, and until when.
    pub stretch: (i64, i64),
    /// Which register generates; of a meter at the grid it is not asked.
    pub register: GenerationRegister,
    /// Whether it shows both registers.
    pub shows_both: bool,
}

impl Used {
    pub(crate) fn overlaps(&self, (from, to): (i64, i64)) -> bool {
        self.stretch.0 < to && self.stretch.1 > from
    }
}

/// What a meter counts, whether a balance can be drawn or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MeterRole {
    /// What the household draws and feeds in.
    Grid,
    /// What a photovoltaic system generates.
    Generation {
        /// The register that generates; nothing where none was registered and neither grew.
        register: Option<GenerationRegister>,
    },
    /// Another meter stands at the grid at the same time: which one counts is not known.
    Unknown,
}

impl MeterRole {
    /// The roles of a household's meters, in their order.
    #[must_use]
    pub fn assign(meters: &[MeterFacts]) -> Vec<Self> {
        let role = |(place, meter): (usize, &MeterFacts)| match meter.kind {
            MeterKind::Generation => Self::Generation { register: generating(meter) },
            MeterKind::Grid => {
                let others = meters.iter().enumerate().filter(|(other, _)| *other != place);
                let mut others = others.filter(|(_, other)| other.kind == MeterKind::Grid);
                let is_alone = others.all(|(_, it)| it.to <= meter.from || it.from >= meter.to);
                if is_alone { Self::Grid } else { Self::Unknown }
            }
        };
        meters.iter().enumerate().map(role).collect()
    }
}

/// The roles of a household's meters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// The meters at the grid, one after another.
    pub grid: Vec<Used>,
    /// Those that count what is generated, all of which count.
    pub generation: Vec<Used>,
    /// Whether what they draw is taken off what they generate: behind them a battery is charged.
    pub is_net: bool,
}

impl Roles {
    /// Of a household without a balance: what is drawn and fed in is known nevertheless, and what is
    /// generated if `with_generation`, where the meters count all of it.
    #[must_use]
    pub fn without_balance(meters: &[MeterFacts], with_generation: bool) -> Self {
        let mut grid: Vec<_> = used(meters, MeterKind::Grid).collect();
        grid.sort_by_key(|used| used.stretch);
        let generation = used(meters, MeterKind::Generation).filter(|_| with_generation).collect();
        Self { grid, generation, is_net: false }
    }

    /// The meter at the grid from `from` to `to`; nothing where none or several were.
    pub(crate) fn grid_at(&self, interval: (i64, i64)) -> Option<&Used> {
        let mut grid = self.grid.iter().filter(|used| used.overlaps(interval));
        grid.next().filter(|_| grid.next().is_none())
    }

    /// Those that counted what was generated then.
    pub(crate) fn generation_at(&self, interval: (i64, i64)) -> impl Iterator<Item = &Used> {
        self.generation.iter().filter(move |used| used.overlaps(interval))
    }
}

/// So much generated and nothing fed in is no surplus.
const FULL_FEED_IN: Energy = Energy(50 * Energy::KILOWATT_HOUR.0);

/// Finds out which meter counts what. `unmetered` says whether a photovoltaic system has no meter.
///
/// # Errors
/// [`Topology`] says why no balance can be drawn.
pub fn assign_roles(
    meters: &[MeterFacts],
    unmetered: bool,
    concept: MeteringConcept,
    battery: Battery,
) -> Result<Roles, Topology> {
    let mut grid: Vec<_> = used(meters, MeterKind::Grid).collect();
    let generation: Vec<_> = used(meters, MeterKind::Generation).collect();
    grid.sort_by_key(|used| used.stretch);
    if grid.is_empty() {
        return Err(Topology::NoGridMeter);
    }
    if grid.windows(2).any(|pair| pair[0].stretch.1 > pair[1].stretch.0) {
        return Err(Topology::SeveralGridMeters);
    }
    let facts = |used: &Used| &meters[used.meter];
    if grid.iter().any(|used| facts(used).import.is_none() || facts(used).export.is_none()) {
        return Err(Topology::OneRegister);
    }
    match concept {
        MeteringConcept::FullFeedIn => return Err(Topology::FullFeedIn),
        MeteringConcept::Cascade => return Err(Topology::Cascade),
        MeteringConcept::SurplusFeedIn | MeteringConcept::NoSystem | MeteringConcept::Unknown => {}
    }
    if unmetered {
        return Err(Topology::UnmeteredSystem);
    }
    if generation.is_empty() && concept != MeteringConcept::NoSystem {
        return Err(Topology::NoGenerationMeter);
    }
    let generated: Energy = generation.iter().filter_map(|used| grown(facts(used))).sum();
    let fed_in: Energy = grid.iter().filter_map(|used| facts(used).export).sum();
    if concept == MeteringConcept::Unknown && fed_in == Energy::ZERO && generated > FULL_FEED_IN {
        return Err(Topology::FullFeedIn);
    }
    let is_net = matches!(battery, Battery::Dc | Battery::Unknown);
    Ok(Roles { grid, generation, is_net })
}

/// The meters that were registered as such.
fn used(meters: &[MeterFacts], kind: MeterKind) -> impl Iterator<Item = Used> {
    let of_kind = meters.iter().enumerate().filter(move |(_, meter)| meter.kind == kind);
    of_kind.map(|(place, meter)| Used {
        meter: place,
        stretch: (meter.from, meter.to),
        register: generating(meter).unwrap_or(GenerationRegister::Export),
        shows_both: meter.import.is_some() && meter.export.is_some(),
    })
}

/// The register that grew more, unless it was registered.
fn generating(meter: &MeterFacts) -> Option<GenerationRegister> {
    let grown = |energy: Option<Energy>| energy.unwrap_or(Energy::ZERO);
    meter.generation.or_else(|| match grown(meter.import).cmp(&grown(meter.export)) {
        Ordering::Greater => Some(GenerationRegister::Import),
        Ordering::Less => Some(GenerationRegister::Export),
        Ordering::Equal => None,
    })
}

fn grown(meter: &MeterFacts) -> Option<Energy> {
    match generating(meter) {
        Some(GenerationRegister::Import) => meter.import,
        _ => meter.export,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KWH: i64 = Energy::KILOWATT_HOUR.0;

    fn meter(kind: MeterKind, import: i64, export: i64) -> MeterFacts {
        MeterFacts {
            kind,
            from: 0,
            to: i64::MAX,
            import: Some(Energy(import * KWH)),
            export: Some(Energy(export * KWH)),
            generation: None,
        }
    }

    fn assign(meters: &[MeterFacts]) -> Result<Roles, Topology> {
        assign_roles(meters, false, MeteringConcept::Unknown, Battery::None)
    }

    #[test]
    fn either_register_may_generate() {
        let grid = meter(MeterKind::Grid, 300, 200);
        let usual = meter(MeterKind::Generation, 3, 400);
        let turned = meter(MeterKind::Generation, 400, 3);
        let register = |meters: &[MeterFacts]| assign(meters).unwrap().generation[0].register;
        assert_eq!(register(&[grid, usual]), GenerationRegister::Export);
        assert_eq!(register(&[turned, grid]), GenerationRegister::Import);
        let said = MeterFacts { generation: Some(GenerationRegister::Import), ..usual };
        assert_eq!(register(&[grid, said]), GenerationRegister::Import);
    }

    #[test]
    fn it_is_said_why_there_is_no_balance() {
        let grid = meter(MeterKind::Grid, 300, 200);
        let generation = meter(MeterKind::Generation, 0, 400);
        let one = MeterFacts { export: None, ..grid };
        for (meters, why) in [
            (vec![generation], Topology::NoGridMeter),
            (vec![grid, grid, generation], Topology::SeveralGridMeters),
            (vec![one, generation], Topology::OneRegister),
            (vec![grid], Topology::NoGenerationMeter),
            (vec![meter(MeterKind::Grid, 300, 0), generation], Topology::FullFeedIn),
        ] {
            assert_eq!(assign(&meters), Err(why), "{meters:?}");
        }
        let both = [grid, generation];
        let roles = |unmetered, concept| assign_roles(&both, unmetered, concept, Battery::None);
        assert_eq!(roles(true, MeteringConcept::Unknown), Err(Topology::UnmeteredSystem));
        assert_eq!(roles(false, MeteringConcept::FullFeedIn), Err(Topology::FullFeedIn));
        assert_eq!(roles(false, MeteringConcept::Cascade), Err(Topology::Cascade));
    }

    #[test]
    fn a_meter_has_a_role_without_a_balance() {
        let grid = meter(MeterKind::Grid, 300, 200);
        let generation = meter(MeterKind::Generation, 400, 3);
        let register = |register| MeterRole::Generation { register };
        let turned = register(Some(GenerationRegister::Import));
        assert_eq!(MeterRole::assign(&[generation, grid]), [turned, MeterRole::Grid]);
        let said = MeterFacts { generation: Some(GenerationRegister::Export), ..generation };
        assert_eq!(MeterRole::assign(&[said]), [register(Some(GenerationRegister::Export))]);
        let unread = MeterFacts { import: None, export: None, ..generation };
        let still = meter(MeterKind::Generation, 0, 0);
        assert_eq!(MeterRole::assign(&[unread, still]), [register(None), register(None)]);
        // Of several at once nobody knows which one counts; of one after another each did.
        let before = MeterFacts { to: 100, ..grid };
        let behind = MeterFacts { from: 100, ..grid };
        let roles = MeterRole::assign(&[before, generation, behind]);
        assert_eq!(roles, [MeterRole::Grid, turned, MeterRole::Grid]);
        let roles = MeterRole::assign(&[before, grid, behind]);
        assert_eq!(roles, [MeterRole::Unknown; 3]);
        let removed = MeterFacts { from: 20, to: 30, ..grid };
        let roles = MeterRole::assign(&[before, removed, MeterFacts { from: 200, ..grid }]);
        assert_eq!(roles, [MeterRole::Unknown, MeterRole::Unknown, MeterRole::Grid]);
    }

    #[test]
    fn an_exchanged_meter_is_one_after_another() {
        let before = MeterFacts { to: 100, ..meter(MeterKind::Grid, 300, 200) };
        let behind = MeterFacts { from: 100, ..meter(MeterKind::Grid, 3, 2) };
        let generation = meter(MeterKind::Generation, 0, 400);
        let roles = assign(&[behind, generation, before]).unwrap();
        assert_eq!(roles.grid.iter().map(|used| used.meter).collect::<Vec<_>>(), [2, 0]);
    }
}
