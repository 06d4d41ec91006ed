//! Look-ups for each request of a device, batched for many requests: whether its certificate is
//! registered, what its names refer to, and recording its activity.
//!
//! Enters: serial numbers, names, notes. Leaves: the database's present answer for each. Absent:
//! caching; the next request queries again, so that a revocation takes effect at once.

use std::collections::HashMap;

use deadpool_postgres::Client;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    certificate,
    gather::{Asked, Bounds, Gather, answer_all},
    patience::{Connections, LOOK_UP},
    value::Instant,
};
use crate::{
    Actor, DeviceActivity, HouseholdId, Names, ParticipantId, StoreError,
    certificate::RegisterEntry, serial::Serial,
};

/// Look-ups in one statement.
const QUESTIONS: usize = 512;

/// What a device did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// It sent a request.
    Spoke,
    /// It sent measurements.
    Reported,
}

/// What a device did, and when.
pub type Note = (Uuid, Deed, Timestamp);

/// The queues of look-ups.
pub struct Lookups {
    pub actors: Gather<Names, Actor>,
    pub certificates: Gather<Serial, Option<RegisterEntry>>,
    pub notes: Gather<Note, ()>,
}

impl Lookups {
    /// Answers the look-ups, each kind on at most one connection.
    pub fn start(connections: &Connections) -> Self {
        let [for_actors, for_certificates, for_notes] = [(); 3].map(|()| connections.clone());
        Self {
            actors: Gather::start(1, Bounds::questions(QUESTIONS), move |group| {
                actors(for_actors.clone(), group)
            }),
            certificates: Gather::start(1, Bounds::questions(QUESTIONS), move |group| {
                certificates(for_certificates.clone(), group)
            }),
            notes: Gather::start(1, Bounds::questions(QUESTIONS), move |group| {
                notes(for_notes.clone(), group)
            }),
        }
    }

    /// Asks by way of each worker, what has no answer in any database.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let nobody = Names { participant: None, email: String::new(), device: Some(Uuid::nil()) };
        let nothing = Serial::from_octets(&[0; 16]).ok_or(StoreError::Damaged("serial"))?;
        tokio::try_join!(self.actors.ask(nobody), self.certificates.ask(nothing))?;
        Ok(())
    }
}

async fn actors(connections: Connections, group: Vec<Asked<Names, Actor>>) {
    let answers = async {
        let db = connections.get().await?;
        let found = find_actors(&db, group.iter().map(|asked| &asked.question));
        connections.within(LOOK_UP, found).await
    };
    let answers = answers.await;
    answer_all(group, answers);
}

async fn find_actors(
    db: &Client,
    names: impl ExactSizeIterator<Item = &Names>,
) -> Result<Vec<Result<Actor, StoreError>>, StoreError> {
    let mut answers: Vec<_> = (0..names.len()).map(|_| Ok(Actor::Unknown)).collect();
    let names: Vec<&Names> = names.collect();
    // Only identities with a device are looked up here.
    let devices: Vec<Uuid> = names.iter().map(|names| names.device.unwrap_or_default()).collect();
    let participants: Vec<Option<Uuid>> = names.iter().map(|names| names.participant).collect();
    let emails: Vec<&str> = names.iter().map(|names| names.email.as_str()).collect();
    let statement = db
        .prepare_cached(
            "SELECT household.uuid, participant.id,
                    household.uuid IS NULL OR consent.revoked_at IS NOT NULL,
                    measurement_device.last_activity, measurement_device.uuid, sent.number,
                    consent.granted_at IS NOT NULL, measurement_device.last_report
             FROM unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY
                 AS sent (device, participant, email, number)
             JOIN measurement_device ON measurement_device.uuid = sent.device
             LEFT JOIN household ON household.uuid = measurement_device.household
             LEFT JOIN consent ON consent.household = household.uuid
             LEFT JOIN participant ON participant.id = household.participant
                 AND participant.uuid = coalesce(sent.participant, participant.uuid)
                 AND lower(participant.email COLLATE \"C\") = lower(sent.email COLLATE \"C\")",
        )
        .await?;
    for row in db.query(&statement, &[&devices, &participants, &emails]).await? {
        let number: i64 = row.try_get(5)?;
        let place = usize::try_from(number - 1).ok().and_then(|place| answers.get_mut(place));
        *place.ok_or(StoreError::Damaged("answer"))? = actor(&row);
    }
    Ok(answers)
}

fn actor(row: &Row) -> Result<Actor, StoreError> {
    let participant: Option<i64> = row.try_get(1)?;
    let revoked: bool = row.try_get(2)?;
    let (last_activity, last_report): (Option<Instant>, Option<Instant>) =
        (row.try_get(3)?, row.try_get(7)?);
    Ok(match participant {
        _ if revoked => Actor::Revoked,
        None => Actor::Superseded,
        Some(participant) => Actor::Participant {
            participant: ParticipantId(participant),
            household: Some(HouseholdId(row.try_get(0)?)),
            device: Some(DeviceActivity {
                uuid: row.try_get(4)?,
                last_activity: last_activity.map(|at| at.0),
                last_report: last_report.map(|at| at.0),
            }),
            consents: row.try_get(6)?,
        },
    })
}

async fn certificates(connections: Connections, group: Vec<Asked<Serial, Option<RegisterEntry>>>) {
    let answers = async {
        let db = connections.get().await?;
        let serials: Vec<Serial> = group.iter().map(|asked| asked.question).collect();
        let found = certificate::by_serial(&db, &serials);
        let found = connections.within(LOOK_UP, found).await?;
        // The same look-up twice in a batch is answered twice.
        Ok(serials.iter().map(|serial| Ok(found.get(serial).cloned())).collect())
    };
    let answers = answers.await;
    answer_all(group, answers);
}

async fn notes(connections: Connections, group: Vec<Asked<Note, ()>>) {
    let noted = async {
        let db = connections.get().await?;
        let noted = note(&db, group.iter().map(|asked| &asked.question));
        connections.within(LOOK_UP, noted).await
    };
    let answers = noted.await.map(|()| group.iter().map(|_| Ok(())).collect());
    answer_all(group, answers);
}

/// Records devices' activity. Nothing is recorded of devices without a household.
async fn note(db: &Client, notes: impl Iterator<Item = &Note>) -> Result<(), StoreError> {
    let mut latest: HashMap<Uuid, [Option<Instant>; 2]> = HashMap::new();
    for (device, deed, at) in notes {
        let [spoke, reported] = latest.entry(*device).or_default();
        let place = match deed {
            Deed::Spoke => spoke,
            Deed::Reported => reported,
        };
        *place = Some(Instant(*at));
    }
    let (devices, times): (Vec<Uuid>, Vec<[Option<Instant>; 2]>) = latest.into_iter().unzip();
    let (spoke, reported): (Vec<_>, Vec<_>) =
        times.into_iter().map(|[spoke, reported]| (spoke, reported)).unzip();
    let statement = db
        .prepare_cached(
            // Two servers that record the same devices lock them in the same order.
            "WITH held AS (
                 SELECT uuid FROM measurement_device
                 WHERE uuid = ANY ($1) AND household IS NOT NULL
                 ORDER BY uuid FOR NO KEY UPDATE
             )
             UPDATE measurement_device
             SET last_activity = coalesce(sent.spoke, last_activity),
                 last_report = coalesce(sent.reported, last_report)
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
                 AS sent (uuid, spoke, reported) JOIN held USING (uuid)
             WHERE measurement_device.uuid = sent.uuid",
        )
        .await?;
    db.execute(&statement, &[&devices, &spoke, &reported]).await?;
    Ok(())
}
