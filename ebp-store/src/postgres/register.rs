//! Registers households: one, or all of an import, by the same statements.

mod contact;
mod known;
mod rows;

use deadpool_postgres::{Client, GenericClient, Transaction};
use ebp_core::contract::{Registered, Registration};
use jiff::Timestamp;

use self::{known::Known, rows::Rows};
use crate::{Faults, StoreError, faults};

const LOCK: i64 = 7_203_846_102;

/// Registrations and revocations are serialised: what one has read about participants, devices and
/// meters stays true until it is stored, and PostgreSQL's log does not contain an address from a
/// unique index's violation.
pub async fn one_at_a_time(tx: &Transaction<'_>) -> Result<(), StoreError> {
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    Ok(())
}

/// A registration with its own faults, which are found before anybody is held back.
pub struct Candidate<'a> {
    /// The registration.
    pub registration: &'a Registration,
    /// What is wrong with it, whatever is stored.
    pub faults: Faults,
    /// Whether the participant may have another household at the same address.
    pub further: bool,
}

/// Stores a registration with all that belongs to it.
///
/// `further` allows another household of the same participant at the same address.
pub async fn register(
    client: &mut Client,
    registration: &Registration,
    further: bool,
    at: Timestamp,
) -> Result<Registered, StoreError> {
    let tx = client.transaction().await?;
    one_at_a_time(&tx).await?;
    let registered = register_in(&tx, registration, further, at).await?;
    tx.commit().await?;
    Ok(registered)
}

/// The same in a transaction in which nobody else registers ([`one_at_a_time`]).
pub async fn register_in(
    tx: &Transaction<'_>,
    registration: &Registration,
    further: bool,
    at: Timestamp,
) -> Result<Registered, StoreError> {
    let one = Candidate { registration, faults: faults(registration), further };
    let registered = register_all(tx, vec![one], at).await?;
    registered.into_iter().next().ok_or(StoreError::Damaged("household"))?
}

/// Stores all of them, by a number of statements that does not depend on how many they are. The result
/// of each, in order; nothing is stored if one has faults.
pub async fn register_all(
    tx: &Transaction<'_>,
    candidates: Vec<Candidate<'_>>,
    at: Timestamp,
) -> Result<Vec<Result<Registered, StoreError>>, StoreError> {
    let mut known = Known::read(tx, candidates.iter().map(|one| one.registration)).await?;
    let mut rows = Rows::default();
    let mut results = Vec::with_capacity(candidates.len());
    let mut has_faults = false;
    for Candidate { registration, faults, further } in candidates {
        results.push(match known.admit(registration, faults, further) {
            Ok(()) => {
                let registered = rows.add(registration, known.participant(registration));
                known.take(registration, &registered);
                Ok(registered)
            }
            Err(error) => {
                has_faults |= matches!(error, StoreError::Registration(_));
                Err(error)
            }
        });
    }
    if !has_faults {
        rows.insert(tx, at).await?;
    }
    Ok(results)
}

/// Checks whether it could be stored now.
pub async fn check(
    db: &impl GenericClient,
    registration: &Registration,
    further: bool,
) -> Result<(), StoreError> {
    let faults = faults(registration);
    Known::read(db, [registration]).await?.admit(registration, faults, further)
}
