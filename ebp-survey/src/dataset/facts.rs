//! What is known of a household once it was read: a line of the export's notes.

use ebp_core::{
    contract::Household,
    model::{Incident, MeterType, PvSystem},
};
use ebp_dataset::{GenerationRegister, MeterRole, Roles, Used};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A household.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct HouseholdFacts {
    pub household: Household,
    pub systems: Vec<PvSystem>,
    /// By their identifiers.
    pub meters: Vec<MeterFacts>,
    pub roles: KeptRoles,
    /// Why there is no balance.
    pub topology: Option<String>,
    /// Whether what is generated is known.
    pub generates: bool,
    /// From the first to the last of its meters' quarter hours that are kept aside, microseconds
    /// since the Unix epoch: it has a row for each of them, with and without a reading.
    pub rows: Option<(i64, i64)>,
    /// Where its [`Details`] are kept aside.
    pub details: (u64, u64),
}

/// What is needed once, and would make every look at the facts long.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Details {
    pub days: Vec<DayRow>,
    /// Of each meter.
    pub spans: Vec<Vec<SpanRow>>,
}

/// A meter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MeterFacts {
    pub uuid: Uuid,
    pub kind: MeterType,
    /// What it counts, also where there is no balance.
    pub role: MeterRole,
    pub model: String,
    pub incidents: Vec<Incident>,
    /// When it was first and last read.
    pub read: Option<(i64, i64)>,
    /// One unit of the finest decimal it showed, 10^-8 kWh.
    pub resolution: Option<i64>,
    pub power_sign_suspect: bool,
    /// The first and last registers as they were shown, which no release may have.
    pub registers: Vec<String>,
    pub quality: Quality,
    pub parts: Vec<Part>,
}

impl MeterFacts {
    /// Its role as files name it, and of a generation meter the OBIS code of the register that
    /// generates.
    pub fn role_name(&self) -> (&'static str, Option<&'static str>) {
        match self.role {
            MeterRole::Grid => ("grid", None),
            MeterRole::Generation { register } => {
                ("generation", register.map(GenerationRegister::name))
            }
            MeterRole::Unknown => ("unknown", None),
        }
    }
}

/// How much of a meter's series is known.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Quality {
    pub quarters: u64,
    pub import: u64,
    pub export: u64,
    pub flags: Vec<u64>,
}

/// Where a meter's month is kept aside: beginning and length, bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// The first instant of the month (UTC), microseconds since the Unix epoch.
    pub month: i64,
    pub quarters: (u64, u64),
    pub readings: (u64, u64),
}

/// Energy over a gap, 10^-8 kWh.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct SpanRow {
    pub is_import: bool,
    pub from: i64,
    pub to: i64,
    pub quarters: i64,
    pub energy: Option<i64>,
    pub bounds: Option<(i64, i64)>,
}

/// Energy and bounds, 10^-8 kWh.
pub(super) type Kept = (Option<i64>, Option<(i64, i64)>);

/// A household's local day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct DayRow {
    /// Days since 1970-01-01.
    pub date: i32,
    pub quarters: i64,
    pub measured: i64,
    pub import: Kept,
    pub export: Kept,
    pub generation: Kept,
    pub consumption: Option<i64>,
    pub self_consumption: Option<i64>,
    pub autarky: Option<f64>,
    pub share: Option<f64>,
    pub flags: u16,
}

/// The roles of meters, by their places.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptRoles {
    grid: Vec<KeptUsed>,
    generation: Vec<KeptUsed>,
    is_net: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct KeptUsed {
    meter: usize,
    stretch: (i64, i64),
    generates_by_import: bool,
    shows_both: bool,
}

impl KeptRoles {
    pub fn new(roles: &Roles) -> Self {
        let keep = |used: &Used| KeptUsed {
            meter: used.meter,
            stretch: used.stretch,
            generates_by_import: used.register == GenerationRegister::Import,
            shows_both: used.shows_both,
        };
        Self {
            grid: roles.grid.iter().map(keep).collect(),
            generation: roles.generation.iter().map(keep).collect(),
            is_net: roles.is_net,
        }
    }

    pub fn roles(&self) -> Roles {
        let used = |kept: &KeptUsed| Used {
            meter: kept.meter,
            stretch: kept.stretch,
            register: if kept.generates_by_import {
                GenerationRegister::Import
            } else {
                GenerationRegister::Export
            },
            shows_both: kept.shows_both,
        };
        Roles {
            grid: self.grid.iter().map(used).collect(),
            generation: self.generation.iter().map(used).collect(),
            is_net: self.is_net,
        }
    }
}
