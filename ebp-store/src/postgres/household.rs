//! Reading what belongs to a household, and for whom a certificate stands. Each is one query, and
//! so sees one state of the database.

use deadpool_postgres::{Client, GenericClient};
use ebp_core::{
    contract::{Account, Components, Household, MeasurementDevice},
    model::{
        Address, Battery, GenerationRegister, Masked, Metadata, Meter, MeteringConcept,
        Participant, PvSystem,
    },
};
use rust_decimal::Decimal;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    consent, status,
    value::{Day, Instant, meter_type},
};
use crate::{Actor, HouseholdId, Names, ParticipantId, StoreError, revoked, status::StoredStatus};

/// For whom names without a device stand.
pub async fn participant_actor(db: &Client, names: &Names) -> Result<Actor, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT participant.id, household.uuid, consent.granted_at IS NOT NULL
             FROM participant LEFT JOIN household ON household.participant = participant.id
             LEFT JOIN consent ON consent.household = household.uuid
             WHERE lower(participant.email COLLATE \"C\") = lower($1 COLLATE \"C\")
                 AND participant.uuid = coalesce($2, participant.uuid) LIMIT 2",
        )
        .await?;
    let rows = db.query(&statement, &[&names.email, &names.participant]).await?;
    let Some(first) = rows.first() else {
        let revoked = has_revoked(db, names.participant).await?;
        return Ok(if revoked { Actor::Revoked } else { Actor::Unknown });
    };
    let household: Option<Uuid> = first.try_get(1)?;
    Ok(Actor::Participant {
        participant: ParticipantId(first.try_get(0)?),
        household: household.map(HouseholdId).filter(|_| rows.len() == 1),
        device: None,
        consents: rows.len() == 1 && first.try_get(2)?,
    })
}

/// Whether that participant is gone since they revoked their consent.
async fn has_revoked(db: &Client, participant: Option<Uuid>) -> Result<bool, StoreError> {
    let Some(participant) = participant else { return Ok(false) };
    let statement = db
        .prepare_cached("SELECT EXISTS (SELECT FROM revoked_participant WHERE digest = $1)")
        .await?;
    let digest = revoked::participant_digest(participant);
    Ok(db.query_one(&statement, &[&digest.as_slice()]).await?.try_get(0)?)
}

/// The participant's contact details.
pub async fn account(db: &Client, participant: ParticipantId) -> Result<Account, StoreError> {
    let statement = db.prepare_cached("SELECT name, email FROM participant WHERE id = $1").await?;
    let row = db
        .query_opt(&statement, &[&participant.0])
        .await?
        // Between authentication and this the household's consent was revoked.
        .ok_or(StoreError::ConsentRevoked)?;
    Ok(Participant { name: row.try_get(0)?, email: row.try_get(1)? })
}

/// The household's registration details.
pub async fn household(
    db: &impl GenericClient,
    household: HouseholdId,
) -> Result<Household, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT consent.granted_at, consent.revoked_at,
                    street, postal_code, city, country, latitude, longitude,
                    children, adults, adults_with_job, electric_vehicle_charger, heat_pump,
                    home_battery, precision, masked, nuts3,
                    text_version, text_language, withdrawal_channel, withdrawal_received_on,
                    granted_through, purposes,
                    metering_concept, battery
             FROM consent LEFT JOIN address USING (household) LEFT JOIN location USING (household)
                 LEFT JOIN metadata USING (household)
             WHERE household = $1",
        )
        .await?;
    let row = db.query_opt(&statement, &[&household.0]).await?.ok_or(StoreError::ConsentRevoked)?;
    let street: Option<String> = row.try_get(2)?;
    let address = match street {
        None => None,
        Some(street) => Some(Address {
            street,
            postal_code: row.try_get(3)?,
            city: row.try_get(4)?,
            country: row.try_get(5)?,
        }),
    };
    let latitude: Option<f64> = row.try_get(6)?;
    let location = match latitude {
        None => None,
        Some(latitude) => {
            let masked = match row.try_get(15)? {
                false => None,
                true => Some(Masked { nuts3: row.try_get(16)? }),
            };
            Some(revoked::location((latitude, row.try_get(7)?), row.try_get(14)?, masked))
        }
    };
    Ok(Household {
        uuid: household.0,
        address,
        location,
        metadata: metadata(&row, 8)?,
        consent: consent::whole_from_row(&row, 17)?,
    })
}

fn metadata(row: &Row, first: usize) -> Result<Option<Metadata>, StoreError> {
    let children: Option<i16> = row.try_get(first)?;
    let Some(children) = children else { return Ok(None) };
    let count = |value: i16| u8::try_from(value).map_err(|_| StoreError::Damaged("metadata"));
    Ok(Some(Metadata {
        children: count(children)?,
        adults: count(row.try_get(first + 1)?)?,
        adults_with_job: count(row.try_get(first + 2)?)?,
        electric_vehicle_charger: row.try_get(first + 3)?,
        heat_pump: row.try_get(first + 4)?,
        home_battery: row.try_get(first + 5)?,
        metering_concept: MeteringConcept::named(row.try_get("metering_concept")?)
            .ok_or(StoreError::Damaged("metadata"))?,
        battery: Battery::named(row.try_get("battery")?).ok_or(StoreError::Damaged("metadata"))?,
    }))
}

/// The household's measurement devices with their meters.
pub async fn devices(
    db: &impl GenericClient,
    household: HouseholdId,
) -> Result<Vec<MeasurementDevice>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT uuid, last_activity,
                    ARRAY(SELECT meter.uuid FROM meter
                          WHERE meter.measurement_device = measurement_device.uuid
                          ORDER BY position),
                    last_report
             FROM measurement_device WHERE household = $1 ORDER BY number",
        )
        .await?;
    let rows = db.query(&statement, &[&household.0]).await?;
    let mut devices = rows.iter().map(device).collect::<Result<Vec<_>, _>>()?;
    let uuids: Vec<Uuid> = devices.iter().map(|device| device.uuid).collect();
    let mut told = status::of_devices(db, &uuids).await?;
    for device in &mut devices {
        let StoredStatus { components, health } = told.remove(&device.uuid).unwrap_or_default();
        (device.components, device.health) = (components, health);
    }
    Ok(devices)
}

/// From a row of a device's identifier, last activity, meters and last report.
pub fn device(row: &Row) -> Result<MeasurementDevice, StoreError> {
    let (last_activity, last_report): (Option<Instant>, Option<Instant>) =
        (row.try_get(1)?, row.try_get(3)?);
    Ok(MeasurementDevice {
        uuid: row.try_get(0)?,
        components: Components::new(),
        last_activity: last_activity.map(|at| at.0),
        last_report: last_report.map(|at| at.0),
        meters: row.try_get(2)?,
        health: None,
    })
}

/// The identifiers of the household's measurement devices, in the order in which they came.
pub async fn device_ids(
    db: &impl GenericClient,
    household: HouseholdId,
) -> Result<Vec<Uuid>, StoreError> {
    let statement = db
        .prepare_cached("SELECT uuid FROM measurement_device WHERE household = $1 ORDER BY number")
        .await?;
    let rows = db.query(&statement, &[&household.0]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The household's meters.
pub async fn meters(
    db: &impl GenericClient,
    household: HouseholdId,
) -> Result<Vec<Meter>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT uuid, type, model, measurement_device, removed_at, generation_register
             FROM meter WHERE household = $1 ORDER BY position",
        )
        .await?;
    let rows = db.query(&statement, &[&household.0]).await?;
    let meter = |row: &Row| {
        Ok(Meter {
            uuid: row.try_get(0)?,
            kind: meter_type(row.try_get(1)?).ok_or(StoreError::Damaged("meter"))?,
            model: row.try_get(2)?,
            measurement_device: row.try_get(3)?,
            removed_at: row.try_get::<_, Option<Instant>>(4)?.map(|Instant(at)| at),
            generation_register: row
                .try_get::<_, Option<&str>>(5)?
                .and_then(GenerationRegister::named),
        })
    };
    rows.iter().map(meter).collect()
}

/// The household's photovoltaic systems.
pub async fn pv_systems(
    db: &impl GenericClient,
    household: HouseholdId,
) -> Result<Vec<PvSystem>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT uuid, nominal_power::text, azimuth::text, tilt::text, installed_on, meter
             FROM pv_system WHERE household = $1 ORDER BY position",
        )
        .await?;
    let rows = db.query(&statement, &[&household.0]).await?;
    let system = |row: &Row| {
        Ok(PvSystem {
            uuid: row.try_get(0)?,
            nominal_power: decimal(row.try_get(1)?)?,
            azimuth: decimal(row.try_get(2)?)?,
            tilt: decimal(row.try_get(3)?)?,
            installed_on: row.try_get::<_, Day>(4)?.0,
            meter: row.try_get(5)?,
        })
    };
    rows.iter().map(system).collect()
}

/// An exact number: `numeric` is passed as text.
pub fn decimal(text: &str) -> Result<Decimal, StoreError> {
    Decimal::from_str_exact(text).map_err(|_| StoreError::Damaged("number"))
}
