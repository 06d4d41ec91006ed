//! Tables of households and of what belongs to them.

use super::super::column::{Column, Kind, Table, Tier};

const fn household() -> Column {
    Column::new("household", Kind::Text, "The household.")
}

const fn count(name: &'static str, description: &'static str) -> Column {
    Column::new(name, Kind::Int32, description).optional()
}

const fn answer(name: &'static str, description: &'static str) -> Column {
    Column::new(name, Kind::Bool, description).optional()
}

const fn single(
    name: &'static str,
    description: &'static str,
    columns: &'static [Column],
    key: &'static [&'static str],
    references: &'static [(&'static str, &'static str, &'static str)],
) -> Table {
    Table {
        name,
        description,
        columns,
        key,
        order: key,
        references,
        by_month: false,
        tier: Tier::Internal,
        step: None,
    }
}

/// Households.
pub const HOUSEHOLDS: Table = single(
    "households",
    "The households whose consent is granted, or was revoked and who were masked.",
    &[
        household(),
        count("children", "How many children live there."),
        count("adults", "How many adults live there."),
        count("adults_with_job", "How many of the adults have a job."),
        answer("electric_vehicle_charger", "Whether there is a charger for electric vehicles."),
        answer("heat_pump", "Whether there is a heat pump."),
        answer("home_battery", "Whether there is a home battery."),
        Column::new("battery", Kind::Text, "Where the battery is connected.")
            .one_of(&["none", "ac", "dc", "unknown"])
            .optional(),
        Column::new("metering_concept", Kind::Text, "How the photovoltaic systems feed in.")
            .one_of(&["surplus-feed-in", "full-feed-in", "cascade", "no-system", "unknown"])
            .optional(),
        Column::new("consent_state", Kind::Text, "Whether consent is granted or was revoked.")
            .one_of(&["granted", "revoked"]),
        Column::new("nuts3", Kind::Text, "The NUTS-3 region of a masked location.").optional(),
        Column::new("latitude", Kind::Double, "North of the equator, WGS 84.").unit("°").optional(),
        Column::new("longitude", Kind::Double, "East of Greenwich, WGS 84.").unit("°").optional(),
        Column::new("location_kind", Kind::Text, "Whether the location is true or masked.")
            .one_of(&["true", "masked"])
            .optional(),
        Column::new(
            "topology",
            Kind::Text,
            "Why there is no balance: how the meters are connected, or what is not known of it.",
        )
        .one_of(&[
            "no_grid_meter",
            "several_grid_meters",
            "one_register",
            "no_generation_meter",
            "unmetered_system",
            "full_feed_in",
            "cascade",
        ])
        .optional(),
    ],
    &["household"],
    &[],
);

/// Meters.
pub const METERS: Table = single(
    "meters",
    "The meters of these households.",
    &[
        Column::new("meter", Kind::Text, "The meter."),
        household(),
        Column::new("type", Kind::Text, "What it was registered as.")
            .one_of(&["ELECTRICITY", "PV-GENERATION"]),
        Column::new("model", Kind::Text, "Its model."),
        Column::new(
            "role",
            Kind::Text,
            "What it counts, also where there is no balance; unknown of several at the grid at once.",
        )
        .one_of(&["grid", "generation", "unknown"]),
        Column::new(
            "generation_register",
            Kind::Text,
            "The register of a generation meter that counts what is generated: as registered, else the \
             one that grew more.",
        )
        .one_of(&["1.8.0", "2.8.0"])
        .optional(),
        Column::new("resolution_kwh", Kind::Double, "One unit of the finest decimal it showed.")
            .unit("kWh")
            .optional(),
        Column::new("first", Kind::Instant, "Its first reading, UTC.").optional(),
        Column::new("last", Kind::Instant, "Its last reading, UTC.").optional(),
        Column::new(
            "power_sign_suspect",
            Kind::Bool,
            "Whether its power and its registers show opposite directions too often.",
        ),
    ],
    &["meter"],
    &[("household", "households", "household")],
);

/// Photovoltaic systems.
pub const PV_SYSTEMS: Table = single(
    "pv_systems",
    "The photovoltaic systems of these households.",
    &[
        Column::new("pv_system", Kind::Text, "The system."),
        household(),
        Column::new("meter", Kind::Text, "The meter that counts what it generates.").optional(),
        Column::new(
            "nominal_power_kwp",
            Kind::Double,
            "Its nominal power; 0 after a revocation means under half a kWp.",
        )
        .unit("kWp"),
        Column::new("azimuth_deg", Kind::Double, "Where it faces, clockwise from north.").unit("°"),
        Column::new("tilt_deg", Kind::Double, "Its tilt from the horizontal.").unit("°"),
        Column::new("installed_on", Kind::Date, "When it was installed."),
    ],
    &["pv_system"],
    &[("household", "households", "household"), ("meter", "meters", "meter")],
);

/// Incidents.
pub const INCIDENTS: Table = single(
    "incidents",
    "The latest incident of each type of a meter; earlier ones are not stored.",
    &[
        Column::new("meter", Kind::Text, "The meter."),
        Column::new("type", Kind::Text, "What happened.")
            .one_of(&["SERIAL-PORT-UNAVAILABLE", "OBIS-CODES-UNAVAILABLE"]),
        Column::new("reported_at", Kind::Instant, "When it was reported, UTC."),
        Column::new("resolved_at", Kind::Instant, "When it ended, UTC.").optional(),
    ],
    &["meter", "type"],
    &[("meter", "meters", "meter")],
);

/// Consent.
pub const CONSENTS: Table = single(
    "consents",
    "Since when, and to which text, each household consented.",
    &[
        household(),
        Column::new("granted_at", Kind::Instant, "When; the month of it once it is revoked, UTC."),
        Column::new("revoked_at", Kind::Instant, "The month in which it was revoked, UTC.")
            .optional(),
        Column::new("text_version", Kind::Int32, "The version of the text agreed to.").optional(),
    ],
    &["household"],
    &[("household", "households", "household")],
);
