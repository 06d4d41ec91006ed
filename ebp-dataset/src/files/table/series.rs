//! Tables of series: readings, energies, balances.

use super::super::column::{Column, Encoding, Kind, Table, Tier};

const QUALITIES: &[&str] = &["measured", "interpolated", "missing", "withheld"];

const fn household() -> Column {
    Column::new("household", Kind::Text, "The household.").up_to(Tier::Research)
}

const fn meter() -> Column {
    Column::new("meter", Kind::Text, "The meter.")
}

pub(super) const fn slot_start() -> Column {
    Column::new("slot_start", Kind::Instant, "When the interval begins, UTC.")
        .stored(Encoding::Delta)
        .up_to(Tier::Research)
}

pub(super) const fn local_date() -> Column {
    Column::new("local_date", Kind::Date, "The day in the survey's time zone.")
}

pub(super) const fn local_quarter() -> Column {
    Column::new(
        "local_quarter",
        Kind::Int8,
        "Counts its quarter hours from 1 in the order of time, to 92, 96 or 100.",
    )
    .up_to(Tier::Research)
}

const fn flags() -> Column {
    Column::new("flags", Kind::UInt16, "Bits that flags.csv lists.")
}

pub(super) const fn shared_energy(name: &'static str, description: &'static str) -> Column {
    Column::energy(name, description).up_to(Tier::Research)
}

/// What was stored.
pub const READINGS: Table = Table {
    name: "readings",
    description: "What the meters showed, as it was stored: cumulative registers and power.",
    columns: &[
        household().up_to(Tier::Internal),
        meter(),
        Column::new("measured_at", Kind::Instant, "When the complete telegram was there, UTC.")
            .stored(Encoding::Delta),
        Column::new("received_at", Kind::Instant, "When the server received it, UTC.")
            .stored(Encoding::Delta),
        slot_start().up_to(Tier::Internal),
        Column::new("number", Kind::Int8, "Counts the meter's readings of one instant, from 1."),
        Column::energy("import_register_kwh", "OBIS 1.8.0 as shown: cumulative, from the grid.")
            .stored(Encoding::Split),
        Column::energy("export_register_kwh", "OBIS 2.8.0 as shown: cumulative, to the grid.")
            .stored(Encoding::Split),
        Column::new(
            "register_decimals",
            Kind::Int8,
            "Decimals of 1.8.0 (without it of 2.8.0) as stored; 0 where the meter was locked.",
        )
        .optional(),
        Column::new(
            "power_kw",
            Kind::Double,
            "OBIS 16.7.0 (or 1.7.0 - 2.7.0) at that instant: positive draws, negative feeds in.",
        )
        .unit("kW")
        .optional(),
        Column::new("positive_power_kw", Kind::Double, "OBIS 1.7.0 at that instant, if sent.")
            .unit("kW")
            .optional(),
        Column::new("negative_power_kw", Kind::Double, "OBIS 2.7.0 at that instant, if sent.")
            .unit("kW")
            .optional(),
        Column::new(
            "device_flags",
            Kind::UInt16,
            "What the device said of it: a bit each, in the order of the Data API's flags.",
        ),
    ],
    key: &["meter", "measured_at", "number"],
    order: &["household", "meter", "measured_at", "number"],
    references: &[("household", "households", "household"), ("meter", "meters", "meter")],
    by_month: true,
    tier: Tier::Internal,
    step: None,
};

/// Energy per meter and interval.
pub const ENERGY: Table = Table {
    name: "energy",
    description: "Energy per meter and quarter hour, with bounds that contain the truth.",
    columns: &[
        household().up_to(Tier::Internal),
        meter(),
        slot_start().up_to(Tier::Internal),
        Column::energy("import_kwh", "What 1.8.0 grew by; null where it is not measured."),
        Column::energy("import_lo_kwh", "What 1.8.0 grew by at least."),
        Column::energy("import_hi_kwh", "What 1.8.0 grew by at most."),
        Column::energy("export_kwh", "What 2.8.0 grew by; null where it is not measured."),
        Column::energy("export_lo_kwh", "What 2.8.0 grew by at least."),
        Column::energy("export_hi_kwh", "What 2.8.0 grew by at most."),
        Column::new("import_quality", Kind::Text, "Whether import_kwh is known, in a word.")
            .one_of(QUALITIES),
        Column::new("export_quality", Kind::Text, "Whether export_kwh is known, in a word.")
            .one_of(QUALITIES),
        flags(),
        Column::new("start_offset_s", Kind::Float, "How far the reading nearest to its start is.")
            .unit("s")
            .optional(),
        Column::new("end_offset_s", Kind::Float, "How far the reading nearest to its end is.")
            .unit("s")
            .optional(),
        Column::new(
            "segment",
            Kind::Int32,
            "Counts breaks (resets, exchanges): rows of one number lie in one continuous series.",
        )
        .optional(),
    ],
    key: &["meter", "slot_start"],
    order: &["household", "meter", "slot_start"],
    references: &[("household", "households", "household"), ("meter", "meters", "meter")],
    by_month: true,
    tier: Tier::Internal,
    step: Some("PT15M"),
};

/// The household's balance per interval.
pub const BALANCE: Table = Table {
    name: "balance",
    description: "What a household draws, feeds in, generates and consumes, per quarter hour.",
    columns: &[
        household(),
        slot_start(),
        local_date().up_to(Tier::Research),
        local_quarter(),
        shared_energy("import_kwh", "Drawn from the grid."),
        shared_energy("export_kwh", "Fed into the grid."),
        shared_energy("generation_kwh", "Generated by photovoltaic systems."),
        shared_energy("consumption_kwh", "Consumed: import + generation - export."),
        shared_energy("self_consumption_kwh", "Of what was generated: generation - export."),
        Column::new("quality", Kind::Text, "The worst of its parts, in a word.")
            .one_of(QUALITIES)
            .up_to(Tier::Research),
        flags(),
    ],
    key: &["household", "slot_start"],
    order: &["household", "slot_start"],
    references: &[("household", "households", "household")],
    by_month: true,
    tier: Tier::Research,
    step: Some("PT15M"),
};

/// The household's balance per local day.
pub const DAILY: Table = Table {
    name: "daily",
    description: "The balance per local day, from midnight to midnight; never a sum of rows.",
    columns: &[
        household().up_to(Tier::Internal),
        local_date(),
        Column::new("quarters_expected", Kind::Int32, "How many quarter hours it has."),
        Column::new("quarters_measured", Kind::Int32, "In how many the whole balance is measured."),
        Column::energy("import_kwh", "Drawn from the grid."),
        Column::energy("import_lo_kwh", "Drawn from the grid at least."),
        Column::energy("import_hi_kwh", "Drawn from the grid at most."),
        Column::energy("export_kwh", "Fed into the grid."),
        Column::energy("export_lo_kwh", "Fed into the grid at least."),
        Column::energy("export_hi_kwh", "Fed into the grid at most."),
        Column::energy("generation_kwh", "Generated by photovoltaic systems."),
        Column::energy("generation_lo_kwh", "Generated at least."),
        Column::energy("generation_hi_kwh", "Generated at most."),
        Column::energy("consumption_kwh", "Consumed: import + generation - export."),
        Column::energy("self_consumption_kwh", "Of what was generated: generation - export."),
        Column::new(
            "autarky",
            Kind::Double,
            "self_consumption_kwh / consumption_kwh; null below 0.1 kWh or 95 % of quarter hours.",
        )
        .unit("1")
        .optional(),
        Column::new(
            "self_consumption_share",
            Kind::Double,
            "self_consumption_kwh / generation_kwh; null below 0.1 kWh or 95 % of quarter hours.",
        )
        .unit("1")
        .optional(),
        flags(),
    ],
    key: &["household", "local_date"],
    order: &["household", "local_date"],
    references: &[("household", "households", "household")],
    by_month: false,
    tier: Tier::Internal,
    step: Some("P1D"),
};

/// Energy over gaps.
pub const SPANS: Table = Table {
    name: "spans",
    description: "Energy over gaps: from a boundary where the register is known to the next such.",
    columns: &[
        meter(),
        Column::new("register", Kind::Text, "Which register.").one_of(&["import", "export"]),
        Column::new("from", Kind::Instant, "The gap's beginning, UTC.").stored(Encoding::Delta),
        Column::new("to", Kind::Instant, "The gap's end, UTC.").stored(Encoding::Delta),
        Column::new("quarters", Kind::Int32, "How many quarter hours it has."),
        Column::energy("energy_kwh", "What the register grew by over the whole gap."),
        Column::energy("energy_lo_kwh", "What it grew by at least."),
        Column::energy("energy_hi_kwh", "What it grew by at most."),
    ],
    key: &["meter", "register", "from"],
    order: &["meter", "register", "from"],
    references: &[("meter", "meters", "meter")],
    by_month: false,
    tier: Tier::Internal,
    step: None,
};
