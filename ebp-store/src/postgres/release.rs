//! Revocation: keeps a household's measurements, and removes what identifies it.

use crate::rule::consent::{
    require_granted, require_receivable, revoked, revoked_at, revoked_elsewhere,
};
use deadpool_postgres::{Client, Transaction};
use ebp_core::{
    contract::{Consent, Withdrawal},
    model::Address,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    certificate, consent,
    household::{self, decimal},
    job::erase,
    location,
    management::remove::measured,
    register::one_at_a_time,
    value::{Day, Instant},
};
use crate::{
    HouseholdId, RevokedAgain, RevokedHousehold, StoreError,
    masking::Masking,
    revoked::participant_digest,
    rule::revocation::{Released, Revoking, month},
};

/// Stamps consent, removes what identifies the household, gives it and its members other
/// identifiers, and records that the removed values have to be erased from the tables' files.
/// Returns the address that was removed.
///
/// The masked location replaces the true one in the same transaction. If it cannot be drawn, the
/// household is withheld and its location stored separately: nothing is lost, and nothing shown. No
/// other revocation or registration runs meanwhile ([`one_at_a_time`]).
pub async fn release(
    tx: &Transaction<'_>,
    household: HouseholdId,
    revoking: &Revoking<'_>,
) -> Result<Option<Address>, StoreError> {
    let id = household.0;
    // The participants are locked first, because erasure, which rewrites the tables, waits for
    // them; consent's stamp deletes from one of these tables.
    tx.batch_execute("LOCK TABLE participant IN ROW EXCLUSIVE MODE").await?;
    let months = [revoking.granted_at, revoking.revoked_at].map(|at| Instant(month(at)));
    let channel = revoking.withdrawal.map(|it| it.channel.name());
    let received_on = revoking.withdrawal.map(|it| Day(it.received_on.first_of_month()));
    tx.execute(
        "UPDATE consent SET granted_at = $2, revoked_at = $3, withdrawal_channel = $4,
                            withdrawal_received_on = $5
         WHERE household = $1",
        &[&id, &months[0], &months[1], &channel, &received_on],
    )
    .await?;
    let subjects = erase::subjects(tx, household).await?;
    detach_participant(tx, id).await?;
    let known = household::household(tx, household).await?;
    certificate::revoke_household(tx, household, months[1].0).await?;
    detach_devices(tx, id).await?;
    for sql in
        ["DELETE FROM address WHERE household = $1", "DELETE FROM location WHERE household = $1"]
    {
        tx.execute(sql, &[&id]).await?;
    }
    coarsen_pv_systems(tx, id).await?;
    // Uploads that are under way have ended: consent's stamp waited for them.
    let measured = !measured(tx, household).await?.is_empty();
    let id = rename(tx, id).await?;
    match revoking.release(&known, measured) {
        Released::Nowhere => {}
        Released::At(location) => location::put_masked(tx, id, &location).await?,
        Released::Withheld(origin) => location::withhold(tx, id, origin).await?,
    }
    erase::erase(tx, &subjects).await?;
    tx.execute("INSERT INTO erasure_due DEFAULT VALUES", &[]).await?;
    Ok(known.address)
}

/// A participant who is the contact of another household is kept.
async fn detach_participant(tx: &Transaction<'_>, id: Uuid) -> Result<(), StoreError> {
    let row = tx
        .query_one(
            "SELECT participant.id, participant.uuid
             FROM household JOIN participant ON participant.id = household.participant
             WHERE household.uuid = $1",
            &[&id],
        )
        .await?;
    let (participant, uuid): (i64, Uuid) = (row.try_get(0)?, row.try_get(1)?);
    tx.execute("UPDATE household SET participant = NULL WHERE uuid = $1", &[&id]).await?;
    let gone = tx
        .execute(
            "DELETE FROM participant WHERE id = $1
                 AND NOT EXISTS (SELECT FROM household WHERE participant = $1)",
            &[&participant],
        )
        .await?;
    if gone > 0 {
        tx.execute(
            "INSERT INTO revoked_participant VALUES ($1) ON CONFLICT DO NOTHING",
            &[&participant_digest(uuid).as_slice()],
        )
        .await?;
    }
    Ok(())
}

/// Devices are kept as revoked, without their household. Incidents are deleted, because they show
/// when somebody was at home to unplug a device.
async fn detach_devices(tx: &Transaction<'_>, id: Uuid) -> Result<(), StoreError> {
    // Incidents that are being reported are waited for, and go with the others.
    let meters = tx.query("SELECT uuid FROM meter WHERE household = $1 FOR UPDATE", &[&id]).await?;
    for row in meters {
        let meter: Uuid = row.try_get(0)?;
        tx.execute("DELETE FROM incident WHERE meter = $1", &[&meter]).await?;
    }
    for sql in [
        "UPDATE meter SET measurement_device = NULL, removed_at = NULL WHERE household = $1",
        "UPDATE measurement_device
         SET household = NULL, last_activity = NULL, last_report = NULL
         WHERE household = $1",
    ] {
        tx.execute(sql, &[&id]).await?;
    }
    Ok(())
}

/// Coarsens each photovoltaic system, so that it cannot be identified.
async fn coarsen_pv_systems(tx: &Transaction<'_>, id: Uuid) -> Result<(), StoreError> {
    let systems = tx
        .query(
            "SELECT uuid, nominal_power::text, installed_on FROM pv_system WHERE household = $1",
            &[&id],
        )
        .await?;
    for row in systems {
        let (uuid, Day(installed_on)): (Uuid, Day) = (row.try_get(0)?, row.try_get(2)?);
        let power = ebp_anon::pv::nominal_power(decimal(row.try_get(1)?)?);
        let year = ebp_anon::pv::installation_date(installed_on);
        tx.execute(
            "UPDATE pv_system SET nominal_power = $2::text::numeric, installed_on = $3
             WHERE uuid = $1",
            &[&uuid, &power.to_string(), &Day(year)],
        )
        .await?;
    }
    Ok(())
}

/// Household, meters and systems get the identifiers that were drawn for them at registration, and
/// the order of those. Measurements are kept under the meter's number: their identifiers follow.
async fn rename(tx: &Transaction<'_>, id: Uuid) -> Result<Uuid, StoreError> {
    let row = tx
        .query_one("SELECT released_uuid, registered_at FROM household WHERE uuid = $1", &[&id])
        .await?;
    let (released, Instant(registered_at)): (Uuid, Instant) = (row.try_get(0)?, row.try_get(1)?);
    tx.execute(
        "UPDATE household SET uuid = $2, released_uuid = NULL, registered_at = $3
         WHERE uuid = $1",
        &[&id, &released, &Instant(month(registered_at))],
    )
    .await?;
    for (members, rename) in [
        (
            "SELECT released_uuid FROM meter WHERE household = $1",
            "UPDATE meter SET uuid = $1, released_uuid = NULL, position = $2
             WHERE released_uuid = $1",
        ),
        (
            "SELECT released_uuid FROM pv_system WHERE household = $1",
            "UPDATE pv_system SET uuid = $1, released_uuid = NULL, position = $2
             WHERE released_uuid = $1",
        ),
    ] {
        let rows = tx.query(members, &[&released]).await?;
        let mut members =
            rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
        members.sort_unstable();
        for (position, member) in (0_i64..).zip(members) {
            tx.execute(rename, &[&member, &position]).await?;
        }
    }
    Ok(released)
}

/// Applies to a household a revocation from another database.
pub async fn revoke_again(
    client: &mut Client,
    revoked: &RevokedHousehold,
    by: Option<&Masking>,
) -> Result<RevokedAgain, StoreError> {
    let tx = client.transaction().await?;
    one_at_a_time(&tx).await?;
    let (id, drawn) = (revoked.household, revoked.location.as_ref());
    let there = tx.query_opt("SELECT withheld FROM household WHERE uuid = $1", &[&id]).await?;
    if let Some(row) = there {
        let (true, Some(drawn)) = (row.try_get(0)?, drawn) else {
            return Ok(RevokedAgain::Already);
        };
        location::settle(&tx, id, drawn).await?;
        tx.execute("INSERT INTO erasure_due DEFAULT VALUES", &[]).await?;
        tx.commit().await?;
        return Ok(RevokedAgain::Masked);
    }
    let before = tx
        .query_opt(
            "SELECT consent.household, granted_at
             FROM consent JOIN household ON household.uuid = consent.household
             WHERE released_uuid = $1 FOR UPDATE OF consent",
            &[&id],
        )
        .await?;
    let Some(row) = before else { return Ok(RevokedAgain::Unknown) };
    let (before, granted_at): (Uuid, Option<Instant>) = (row.try_get(0)?, row.try_get(1)?);
    let (granted_at, revoked_at) =
        revoked_elsewhere(granted_at.map(|at| at.0), (revoked.granted_at, revoked.revoked_at));
    let withdrawal = revoked.withdrawal;
    let revoking = Revoking { granted_at, revoked_at, withdrawal, drawn, by };
    let address = release(&tx, HouseholdId(before), &revoking).await?;
    tx.commit().await?;
    Ok(RevokedAgain::Revoked(address))
}

/// Revokes it and removes what identifies the household.
pub async fn revoke(
    client: &mut Client,
    household: HouseholdId,
    withdrawal: Option<Withdrawal>,
    at: Timestamp,
    by: Option<&Masking>,
) -> Result<Consent, StoreError> {
    let tx = client.transaction().await?;
    one_at_a_time(&tx).await?;
    let before = consent::hold(&tx, household).await?;
    let granted_at = require_granted(&before)?;
    require_receivable(withdrawal, granted_at, at)?;
    // Uploads that are under way end first; what they bring was measured before this instant.
    let waited: f64 = tx
        .query_one(
            "SELECT extract(epoch FROM clock_timestamp() - transaction_timestamp())::float8
             FROM pg_advisory_xact_lock(consent_lock($1))",
            &[&household.0],
        )
        .await?
        .try_get(0)?;
    let waited = SignedDuration::try_from_secs_f64(waited.max(0.0)).unwrap_or_default();
    let revoked_at = revoked_at(granted_at, at.checked_add(waited).unwrap_or(at));
    let revoking = Revoking { granted_at, revoked_at, withdrawal, drawn: None, by };
    release(&tx, household, &revoking).await?;
    tx.commit().await?;
    Ok(revoked(&before, revoked_at, withdrawal))
}
