//! Where each column of the database is in the data set, or why it is not there.
//!
//! A test holds these lists against `docs/data-model.toml`: whoever adds a column to the database says
//! here whether researchers get it.

/// A column of the database, and the columns of the set that it becomes.
pub const EXPORTED: &[(&str, &[&str])] = &[
    (
        "household.uuid",
        &["households.household", "readings.household", "energy.household", "balance.household"],
    ),
    ("location.household", &["households.household"]),
    ("location.latitude", &["households.latitude"]),
    ("location.longitude", &["households.longitude"]),
    ("location.masked", &["households.location_kind"]),
    ("location.nuts3", &["households.nuts3"]),
    ("metadata.household", &["households.household"]),
    ("metadata.children", &["households.children"]),
    ("metadata.adults", &["households.adults"]),
    ("metadata.adults_with_job", &["households.adults_with_job"]),
    ("metadata.electric_vehicle_charger", &["households.electric_vehicle_charger"]),
    ("metadata.heat_pump", &["households.heat_pump"]),
    ("metadata.home_battery", &["households.home_battery"]),
    ("metadata.metering_concept", &["households.metering_concept"]),
    ("metadata.battery", &["households.battery"]),
    ("consent.household", &["consents.household"]),
    ("consent.granted_at", &["consents.granted_at"]),
    ("consent.revoked_at", &["consents.revoked_at", "households.consent_state"]),
    ("consent.text_version", &["consents.text_version"]),
    ("meter.uuid", &["meters.meter"]),
    ("meter.household", &["meters.household"]),
    ("meter.type", &["meters.type"]),
    ("meter.model", &["meters.model"]),
    ("meter.generation_register", &["meters.generation_register"]),
    ("pv_system.uuid", &["pv_systems.pv_system"]),
    ("pv_system.household", &["pv_systems.household"]),
    ("pv_system.nominal_power", &["pv_systems.nominal_power_kwp"]),
    ("pv_system.azimuth", &["pv_systems.azimuth_deg"]),
    ("pv_system.tilt", &["pv_systems.tilt_deg"]),
    ("pv_system.installed_on", &["pv_systems.installed_on"]),
    ("pv_system.meter", &["pv_systems.meter"]),
    ("incident.meter", &["incidents.meter"]),
    ("incident.type", &["incidents.type"]),
    ("incident.reported_at", &["incidents.reported_at"]),
    ("incident.resolved_at", &["incidents.resolved_at"]),
    ("measurement.meter", &["readings.meter"]),
    ("measurement.measured_at", &["readings.measured_at", "readings.slot_start"]),
    ("measurement.received_at", &["readings.received_at"]),
    (
        "measurement.data",
        &[
            "readings.import_register_kwh",
            "readings.export_register_kwh",
            "readings.register_decimals",
            "readings.power_kw",
            "readings.positive_power_kw",
            "readings.negative_power_kw",
        ],
    ),
    ("measurement.flags", &["readings.device_flags"]),
];

/// Why some columns are not there; `table.*` are all of a table.
pub const LEFT_OUT: &[(&str, &[&str])] = &[
    (
        "contact data and addresses are nobody's but the survey's administrators'",
        &["participant.*", "address.*", "household.participant"],
    ),
    (
        "withheld households are not in the set, and an identifier to come is told to nobody",
        &[
            "withheld_location.*",
            "household.withheld",
            "household.released_uuid",
            "meter.released_uuid",
            "pv_system.released_uuid",
        ],
    ),
    (
        "what a participant wrote, agreed to in which language, or how they withdrew is between them \
         and the survey",
        &[
            "household_message.*",
            "household_change.*",
            "survey_text.*",
            "consent.text_language",
            "consent.granted_through",
            "consent.purposes",
            "consent.withdrawal_channel",
            "consent.withdrawal_received_on",
        ],
    ),
    (
        "when a household was registered and how well its place is known say nothing of its energy",
        &["household.registered_at", "location.precision"],
    ),
    (
        "numbers, orders and keys by which the database refers to its own rows",
        &[
            "meter.number",
            "meter.position",
            "pv_system.position",
            "measurement.slot",
            "measurement.uuid",
            "measurement_key.*",
            "measurement_quota.*",
        ],
    ),
    (
        "devices, their state and their certificates are of no use without the devices",
        &[
            "measurement_device.*",
            "measurement_device_status.*",
            "measurement_device_component.*",
            "device_error_group.*",
            "error_group.*",
            "meter_reception.*",
            "meter.measurement_device",
            "device_day.*",
            "device_silence.*",
            "device_sign_in.*",
            "fleet_device.*",
            "enrolment.*",
            "certificate.*",
            "authority_certificate.*",
        ],
    ),
    (
        "it is made of measurements, and made again by the export",
        &["energy_series.*", "energy_day.*", "meter_latest.*", "meter.removed_at"],
    ),
    (
        "earlier incidents are deleted after 400 days, so that a set could not be made again",
        &["incident_episode.*"],
    ),
    (
        "they are the servers' own",
        &[
            "alert_delivery.*",
            "alert_episode.*",
            "alert_message.*",
            "alert_rule.*",
            "alert_watch.*",
            "archived_month.*",
            "device_update.*",
            "ended_address.*",
            "erasure_due.*",
            "group_secret.*",
            "job.*",
            "job_archive.*",
            "job_input.*",
            "job_result.*",
            "job_subject.*",
            "data_release.*",
            "data_release_household.*",
            "masking.*",
            "revoked_participant.*",
            "rollout.*",
            "rollout_device.*",
            "rollout_event.*",
            "schema_compatibility.*",
            "schema_migration.*",
            "secret_try.*",
            "sign_in_link.*",
            "tunnel.*",
            "tunnel_session.*",
            "web_session.*",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use ebp_dataset::files::TABLES;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Declared {
        columns: BTreeMap<String, toml::Value>,
    }

    #[test]
    fn every_column_of_the_database_is_exported_or_left_out_with_a_reason() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/data-model.toml");
        let text = std::fs::read_to_string(path).unwrap();
        let mut all: BTreeMap<String, BTreeMap<String, Declared>> = toml::from_str(&text).unwrap();
        let mut declared = Vec::new();
        for (table, Declared { columns }) in all.remove("server").unwrap() {
            declared.extend(columns.into_keys().map(|column| format!("{table}.{column}")));
        }
        assert!(declared.len() > 100, "{}", declared.len());
        let left_out = || LEFT_OUT.iter().flat_map(|(_, columns)| columns.iter());
        for column in &declared {
            let whole = format!("{}.*", column.split('.').next().unwrap());
            let exported = EXPORTED.iter().filter(|(name, _)| name == column).count();
            let omitted = left_out().filter(|it| **it == column || **it == whole).count();
            assert_eq!(exported + omitted, 1, "{column}: say in columns.rs whether it is exported");
        }
        let named = EXPORTED.iter().map(|(name, _)| name).chain(left_out());
        for name in named.filter(|name| !name.ends_with(".*")) {
            assert!(declared.iter().any(|column| column == name), "{name} is no column any more");
        }
        for name in EXPORTED.iter().flat_map(|(_, columns)| columns.iter()) {
            let (table, column) = name.split_once('.').unwrap();
            let table = TABLES.iter().find(|it| it.name == table).unwrap();
            assert!(table.place(column).is_some(), "{name} is no column of the set");
        }
    }
}
