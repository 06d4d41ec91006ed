//! Where each column of the database is in a household's export, or why it is not there.
//!
//! A test holds these tables against `docs/data-model.toml`: a table or column that is declared there
//! has to be in one of the three. Whoever adds a column says here where the household finds it.

/// What is held about a household and is not in its export.
#[derive(Debug, Clone, Copy)]
pub struct Omission {
    /// What it is, for the household.
    pub what: &'static str,
    /// Why it is left out, for the household.
    pub reason: &'static str,
    /// The columns as `table.column`, or `table.*` for all of a table.
    pub columns: &'static [&'static str],
}

/// A column, and the JSON pointer (RFC 6901) to it in the export; `*` is each entry of an array.
pub const CONTAINED: &[(&str, &str)] = &[
    ("participant.uuid", "/household/participant_uuid"),
    ("participant.name", "/household/participant/name"),
    ("participant.email", "/household/participant/email"),
    ("household.uuid", "/household/uuid"),
    ("household.registered_at", "/household/registered_at"),
    ("address.household", "/household/uuid"),
    ("address.street", "/household/address/street"),
    ("address.postal_code", "/household/address/postal_code"),
    ("address.city", "/household/address/city"),
    ("address.country", "/household/address/country"),
    ("location.household", "/household/uuid"),
    ("location.latitude", "/household/location/latitude"),
    ("location.longitude", "/household/location/longitude"),
    ("location.precision", "/household/location/precision"),
    ("metadata.household", "/household/uuid"),
    ("metadata.children", "/household/metadata/children"),
    ("metadata.adults", "/household/metadata/adults"),
    ("metadata.adults_with_job", "/household/metadata/adults_with_job"),
    ("metadata.electric_vehicle_charger", "/household/metadata/electric_vehicle_charger"),
    ("metadata.heat_pump", "/household/metadata/heat_pump"),
    ("metadata.home_battery", "/household/metadata/home_battery"),
    ("metadata.metering_concept", "/household/metadata/metering_concept"),
    ("metadata.battery", "/household/metadata/battery"),
    ("consent.household", "/household/uuid"),
    ("consent.granted_at", "/household/consent/granted_at"),
    ("consent.text_version", "/household/consent/text/version"),
    ("consent.text_language", "/household/consent/text/language"),
    ("survey_text.version", "/household/consent/text/version"),
    ("survey_text.language", "/agreed_text/language"),
    ("survey_text.summary", "/agreed_text/summary"),
    ("survey_text.details", "/agreed_text/details"),
    ("household_message.uuid", "/messages/*/uuid"),
    ("household_message.household", "/messages/*/household"),
    ("household_message.about", "/messages/*/about"),
    ("household_message.text", "/messages/*/text"),
    ("household_message.written_at", "/messages/*/written_at"),
    ("household_message.answer", "/messages/*/answer"),
    ("household_message.closed_at", "/messages/*/closed_at"),
    ("measurement_device.uuid", "/measurement_devices/*/device/uuid"),
    ("measurement_device.household", "/household/uuid"),
    ("measurement_device.last_report", "/measurement_devices/*/device/last_report"),
    ("measurement_device.last_activity", "/measurement_devices/*/device/last_activity"),
    ("measurement_device_status.device", "/measurement_devices/*/device/uuid"),
    ("measurement_device_status.reported_at", "/measurement_devices/*/device/health/reported_at"),
    ("measurement_device_status.clock", "/measurement_devices/*/device/health/clock"),
    ("measurement_device_status.pending", "/measurement_devices/*/device/health/spool/pending"),
    ("measurement_device_status.refused", "/measurement_devices/*/device/health/spool/refused"),
    ("measurement_device_status.unplaced", "/measurement_devices/*/device/health/spool/unplaced"),
    ("measurement_device_status.bytes", "/measurement_devices/*/device/health/spool/bytes"),
    ("measurement_device_status.notices", "/measurement_devices/*/device/health/notices"),
    ("measurement_device_component.device", "/measurement_devices/*/device/uuid"),
    ("measurement_device_component.component", "/measurement_devices/*/device/components"),
    ("measurement_device_component.version", "/measurement_devices/*/device/components"),
    ("measurement_device_component.since", "/measurement_devices/*/device/components"),
    ("meter_reception.device", "/measurement_devices/*/device/uuid"),
    ("meter_reception.meter", "/measurement_devices/*/device/health/meters/*/meter"),
    ("meter_reception.telegrams", "/measurement_devices/*/device/health/meters/*/telegrams"),
    ("meter_reception.damaged", "/measurement_devices/*/device/health/meters/*/damaged"),
    ("certificate.serial", "/measurement_devices/*/certificates/*/serial"),
    ("certificate.device", "/measurement_devices/*/device/uuid"),
    ("certificate.scopes", "/measurement_devices/*/certificates/*/scopes"),
    ("certificate.not_before", "/measurement_devices/*/certificates/*/not_before"),
    ("certificate.not_after", "/measurement_devices/*/certificates/*/not_after"),
    ("certificate.revoked_at", "/measurement_devices/*/certificates/*/revoked_at"),
    ("meter.uuid", "/meters/*/meter/uuid"),
    ("meter.household", "/household/uuid"),
    ("meter.type", "/meters/*/meter/type"),
    ("meter.model", "/meters/*/meter/model"),
    ("meter.measurement_device", "/meters/*/meter/measurement_device"),
    ("meter.position", "/meters"),
    ("meter.removed_at", "/meters/*/meter/removed_at"),
    ("meter.generation_register", "/meters/*/meter/generation_register"),
    ("pv_system.uuid", "/pv_systems/*/uuid"),
    ("pv_system.household", "/household/uuid"),
    ("pv_system.nominal_power", "/pv_systems/*/nominal_power"),
    ("pv_system.azimuth", "/pv_systems/*/azimuth"),
    ("pv_system.tilt", "/pv_systems/*/tilt"),
    ("pv_system.installed_on", "/pv_systems/*/installed_on"),
    ("pv_system.meter", "/pv_systems/*/meter"),
    ("pv_system.position", "/pv_systems"),
    ("incident.meter", "/meters/*/meter/uuid"),
    ("incident.type", "/meters/*/incidents/*/type"),
    ("incident.reported_at", "/meters/*/incidents/*/reported_at"),
    ("incident.resolved_at", "/meters/*/incidents/*/resolved_at"),
    ("measurement.meter", "/meters/*/meter/uuid"),
    ("measurement.slot", "/meters/*/measurements/*/measured_at"),
    ("measurement.uuid", "/meters/*/measurements/*/uuid"),
    ("measurement.measured_at", "/meters/*/measurements/*/measured_at"),
    ("measurement.received_at", "/meters/*/measurements/*/received_at"),
    ("measurement.data", "/meters/*/measurements/*/data"),
    ("measurement.flags", "/meters/*/measurements/*/flags"),
    ("measurement_key.uuid", "/meters/*/measurements/*/uuid"),
];

/// What is left out, and why.
pub const LEFT_OUT: &[Omission] = &[
    Omission {
        what: "the identifiers that household, meters and photovoltaic systems get if consent is \
               revoked",
        reason: "nobody may know them: they are what separates anonymized data from the household",
        columns: &["household.released_uuid", "meter.released_uuid", "pv_system.released_uuid"],
    },
    Omission {
        what: "numbers by which the database refers to its own rows",
        reason: "they say nothing beyond what they refer to, which is in the export",
        columns: &[
            "participant.id",
            "household.participant",
            "meter.number",
            "measurement_device.number",
        ],
    },
    Omission {
        what: "hashes of one-time tokens, of codes to sign in to a device's page and of certificates' \
               keys",
        reason: "they are part of the protection of the devices; a token's device and a \
                 certificate's metadata are in the export",
        columns: &["enrolment.*", "device_sign_in.*", "certificate.key", "certificate.renewed_by"],
    },
    Omission {
        what: "when which fields of the registration were changed, without their values",
        reason: "the export does not have the history yet; the survey's contact tells it on request, \
                 without the initials of the person who made a change",
        columns: &["household_change.*"],
    },
    Omission {
        what: "what is written only if consent is revoked",
        reason: "there is none while consent is granted",
        columns: &[
            "consent.revoked_at",
            "consent.withdrawal_channel",
            "consent.withdrawal_received_on",
            "household.withheld",
            "location.masked",
            "location.nuts3",
            "withheld_location.*",
        ],
    },
    Omission {
        what: "how many measurements of each meter were stored, and the telegrams of the status \
               before the last",
        reason: "they limit and compare what is in the export",
        columns: &[
            "measurement_quota.*",
            "meter_reception.telegrams_before",
            "meter_reception.damaged_before",
        ],
    },
    Omission {
        what: "what is computed from measurements, statuses and incidents: registers of each day, the \
               latest measurement, the state of each device, alerts to administrators",
        reason: "it follows from what is in the export, and is computed again",
        columns: &[
            "energy_series.*",
            "energy_day.*",
            "meter_latest.*",
            "fleet_device.*",
            "alert_episode.*",
        ],
    },
    Omission {
        what: "where the device's tunnel is, and the server's record of administrators' sessions with it",
        reason: "the device's own log, which the household has, lists each session",
        columns: &["tunnel.*", "tunnel_session.*"],
    },
    Omission {
        what: "the authority's own register of certificates",
        reason: "what it says of the household's certificates is in the export",
        columns: &["authority_certificate.*"],
    },
    Omission {
        what: "earlier incidents of the meters, each day's status of the devices, and notes of \
               administrators on devices of which they want no alerts",
        reason: "they are kept for the maintenance of the devices and are deleted after 400 days; \
                 the survey's contact tells them on request",
        columns: &["incident_episode.*", "device_day.*", "device_silence.*"],
    },
    Omission {
        what: "files and results of background jobs in which the household occurs",
        reason: "they repeat what is in the export together with other households' data, and are \
                 deleted after 7 days",
        columns: &["job_input.*", "job_result.*", "job_subject.*"],
    },
];

/// Tables in which no household occurs, and what they hold.
pub const OF_NO_HOUSEHOLD: &[(&str, &str)] = &[
    ("alert_delivery", "how far messages to administrators are sent"),
    ("alert_message", "when messages to administrators were made"),
    ("alert_watch", "which server watches devices"),
    ("archived_month", "months of all households together"),
    ("ended_address", "how many addresses have ended"),
    ("erasure_due", "that something is to be erased"),
    ("group_secret", "hashes of the groups' secrets"),
    ("job", "what servers do"),
    ("masking", "the regions of the survey"),
    ("revoked_participant", "digests of those who are gone"),
    ("schema_compatibility", "the database's schema"),
    ("schema_migration", "the database's schema"),
    ("secret_try", "addresses from which wrong secrets of the groups came"),
];
