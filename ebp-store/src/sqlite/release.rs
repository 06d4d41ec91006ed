//! Revocation: keeps a household's measurements, and removes what identifies it.

use crate::rule::consent::{
    require_granted, require_receivable, revoked, revoked_at, revoked_elsewhere,
};
use ebp_core::{
    contract::{Consent, Withdrawal},
    model::{Address, Location},
};
use jiff::{Timestamp, civil::Date};
use rusqlite::{OptionalExtension, Transaction, params};
use rust_decimal::Decimal;

use super::{
    certificate, consent, household,
    job::erase,
    location,
    management::remove::measured,
    value::{Id, Instant, Text},
};
use crate::{
    HouseholdId, RevokedAgain, RevokedHousehold, StoreError,
    masking::Masking,
    revoked::participant_digest,
    rule::revocation::{Released, Revoking, month},
};

/// Stamps consent, removes what identifies the household, and gives it and all that is its own other
/// identifiers. Returns the address that was removed.
///
/// The masked location takes the true one's place in the same transaction. Where it cannot be made
/// the household is withheld and its location kept apart: nothing is lost, nothing told.
pub fn release(
    tx: &Transaction<'_>,
    household: HouseholdId,
    revoking: &Revoking<'_>,
) -> Result<Option<Address>, StoreError> {
    let id = Id(household.0);
    let known = household::household(tx, household)?;
    erase::erase(tx, &erase::subjects(tx, household)?)?;
    tx.execute(
        "UPDATE consent SET granted_at = ?2, revoked_at = ?3, withdrawal_channel = ?4,
                            withdrawal_received_on = ?5
         WHERE household = ?1",
        params![
            id,
            Instant(month(revoking.granted_at)),
            Instant(month(revoking.revoked_at)),
            revoking.withdrawal.map(|it| Text(it.channel)),
            revoking.withdrawal.map(|it| Text(it.received_on.first_of_month())),
        ],
    )?;
    detach_participant(tx, id)?;
    certificate::revoke_household(tx, household, month(revoking.revoked_at))?;
    detach_devices(tx, id)?;
    for sql in
        ["DELETE FROM address WHERE household = ?1", "DELETE FROM location WHERE household = ?1"]
    {
        tx.execute(sql, [id])?;
    }
    coarsen_pv_systems(tx, id)?;
    let measured = !measured(tx, household)?.is_empty();
    let id = rename(tx, id)?;
    match revoking.release(&known, measured) {
        Released::Nowhere => {}
        Released::At(location) => location::put_masked(tx, id, &location)?,
        Released::Withheld(origin) => location::withhold(tx, id, origin)?,
    }
    Ok(known.address)
}

/// A participant who is the contact of another household is kept.
fn detach_participant(tx: &Transaction<'_>, id: Id) -> Result<(), StoreError> {
    let (participant, Id(uuid)): (i64, Id) = tx.query_row(
        "SELECT participant.id, participant.uuid
         FROM household JOIN participant ON participant.id = household.participant
         WHERE household.uuid = ?1",
        [id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    tx.execute("UPDATE household SET participant = NULL WHERE uuid = ?1", [id])?;
    let gone = tx.execute(
        "DELETE FROM participant WHERE id = ?1
             AND NOT EXISTS (SELECT 1 FROM household WHERE participant = ?1)",
        [participant],
    )?;
    if gone > 0 {
        tx.execute(
            "INSERT OR IGNORE INTO revoked_participant (digest) VALUES (?1)",
            [participant_digest(uuid)],
        )?;
    }
    Ok(())
}

/// Devices are kept as revoked, without their household. Incidents are deleted, because they show
/// when somebody was at home to unplug a device.
fn detach_devices(tx: &Transaction<'_>, id: Id) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM incident WHERE meter IN (SELECT uuid FROM meter WHERE household = ?1)",
        "UPDATE meter SET measurement_device = NULL, removed_at = NULL WHERE household = ?1",
        "UPDATE measurement_device
         SET household = NULL, last_activity = NULL, last_report = NULL
         WHERE household = ?1",
    ] {
        tx.execute(sql, [id])?;
    }
    Ok(())
}

/// Coarsens each photovoltaic system, so that it cannot be identified.
fn coarsen_pv_systems(tx: &Transaction<'_>, id: Id) -> Result<(), StoreError> {
    let systems: Vec<(Id, Text<Decimal>, Text<Date>)> = tx
        .prepare("SELECT uuid, nominal_power, installed_on FROM pv_system WHERE household = ?1")?
        .query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (uuid, Text(power), Text(installed_on)) in systems {
        let power = ebp_anon::pv::nominal_power(power);
        let year = ebp_anon::pv::installation_date(installed_on);
        tx.execute(
            "UPDATE pv_system SET nominal_power = ?2, installed_on = ?3 WHERE uuid = ?1",
            params![uuid, Text(power), Text(year)],
        )?;
    }
    Ok(())
}

/// Household, meters and systems get the identifiers that were drawn for them at registration, and
/// the order of those. Measurements are kept under the meter's number: their identifiers follow.
fn rename(tx: &Transaction<'_>, id: Id) -> Result<Id, StoreError> {
    let (released, Instant(registered_at)): (Id, Instant) = tx.query_row(
        "SELECT released_uuid, registered_at FROM household WHERE uuid = ?1",
        [id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    tx.execute(
        "UPDATE household SET uuid = ?2, released_uuid = NULL, registered_at = ?3
         WHERE uuid = ?1",
        params![id, released, Instant(month(registered_at))],
    )?;
    for (members, rename) in [
        (
            "SELECT released_uuid FROM meter WHERE household = ?1",
            "UPDATE meter SET uuid = ?1, released_uuid = NULL, position = ?2
             WHERE released_uuid = ?1",
        ),
        (
            "SELECT released_uuid FROM pv_system WHERE household = ?1",
            "UPDATE pv_system SET uuid = ?1, released_uuid = NULL, position = ?2
             WHERE released_uuid = ?1",
        ),
    ] {
        let mut members: Vec<Id> = tx
            .prepare(members)?
            .query_map([released], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        members.sort_unstable_by_key(|member| member.0);
        for (position, member) in (0_i64..).zip(members) {
            tx.execute(rename, params![member, position])?;
        }
    }
    Ok(released)
}

/// Applies to a household a revocation from another database.
pub fn revoke_again(
    tx: &Transaction<'_>,
    revoked: &RevokedHousehold,
    by: Option<&Masking>,
) -> Result<RevokedAgain, StoreError> {
    let id = Id(revoked.household);
    let drawn: Option<&Location> = revoked.location.as_ref();
    let withheld: Option<bool> = tx
        .query_row("SELECT withheld FROM household WHERE uuid = ?1", [id], |row| row.get(0))
        .optional()?;
    match (withheld, drawn) {
        (Some(true), Some(drawn)) => {
            location::settle(tx, id, drawn)?;
            return Ok(RevokedAgain::Masked);
        }
        (Some(_), _) => return Ok(RevokedAgain::Already),
        (None, _) => {}
    }
    let before: Option<(Id, Option<Instant>)> = tx
        .query_row(
            "SELECT uuid, granted_at FROM household JOIN consent ON consent.household = uuid
             WHERE released_uuid = ?1",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((Id(before), granted_at)) = before else { return Ok(RevokedAgain::Unknown) };
    let (granted_at, revoked_at) =
        revoked_elsewhere(granted_at.map(|at| at.0), (revoked.granted_at, revoked.revoked_at));
    let withdrawal = revoked.withdrawal;
    let revoking = Revoking { granted_at, revoked_at, withdrawal, drawn, by };
    Ok(RevokedAgain::Revoked(release(tx, HouseholdId(before), &revoking)?))
}

/// Revokes it and removes what identifies the household.
pub fn revoke(
    tx: &Transaction<'_>,
    household: HouseholdId,
    withdrawal: Option<Withdrawal>,
    at: Timestamp,
    by: Option<&Masking>,
) -> Result<Consent, StoreError> {
    let before = consent::consent(tx, household)?;
    let granted_at = require_granted(&before)?;
    require_receivable(withdrawal, granted_at, at)?;
    let revoked_at = revoked_at(granted_at, at);
    release(tx, household, &Revoking { granted_at, revoked_at, withdrawal, drawn: None, by })?;
    Ok(revoked(&before, revoked_at, withdrawal))
}
