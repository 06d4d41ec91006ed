//! The administrators' pages over real stores.

mod alerts;
mod browser;
mod callers;
mod device;
mod overview;
mod rollout;
mod server;

use ebp_core::{
    clock::Clock,
    contract::{ClockState, DeviceStatus, Registered, SpoolFigures},
    model::{DataPoint, Flag, Measurement},
    obis::ObisCode,
};
use ebp_store::HouseholdId;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::world::World;

/// A household that consents since a minute.
pub async fn consenting(world: &World, number: usize) -> Registered {
    let registered = world.register(number).await;
    let at = world.clock.now() - SignedDuration::from_mins(1);
    world.store().grant_consent(HouseholdId(registered.household), at).await.unwrap();
    registered
}

fn measurement(meter: Uuid, at: Timestamp) -> Measurement {
    let value = "12345.6789".parse().unwrap();
    let data = vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value }];
    Measurement { uuid: Uuid::new_v4(), meter, measured_at: at, data, flags: Vec::new() }
}

/// The last thirty days of a household, hour by hour: with a gap, a day that came late, and doubtful hours.
pub async fn past(world: &World, household: &Registered) {
    let (id, now) = (HouseholdId(household.household), world.clock.now());
    let start = now - SignedDuration::from_hours(30 * 24);
    world.store().grant_consent(id, start).await.unwrap();
    for hour in 0..30 * 24 {
        if (412..440).contains(&hour) {
            continue;
        }
        let at = start + SignedDuration::from_hours(hour);
        let mut rows = Vec::new();
        for meter in &household.meters {
            for slot in 0..4 {
                let mut row = measurement(*meter, at + SignedDuration::from_mins(15 * slot));
                if (590..600).contains(&hour) {
                    row.flags.push(Flag::PowerOutOfRange);
                }
                rows.push(row);
            }
        }
        let delay = if (200..224).contains(&hour) { 48 } else { 1 };
        let received = (at + SignedDuration::from_hours(delay)).min(now);
        world.store().insert_measurements(id, rows, received).await.unwrap();
    }
}

/// Its device reports what its meters show now.
pub async fn report(world: &World, household: &Registered, version: &str) {
    let now = world.clock.now();
    let id = HouseholdId(household.household);
    let rows = household.meters.iter().map(|meter| measurement(*meter, now)).collect();
    world.store().insert_measurements(id, rows, now).await.unwrap();
    let status = DeviceStatus {
        components: [("reader".to_owned(), version.to_owned())].into(),
        clock: Some(ClockState::Synchronised),
        spool: Some(SpoolFigures { pending: 2, bytes: 81_920, ..SpoolFigures::default() }),
        ..DeviceStatus::default()
    };
    let device = household.measurement_device;
    world.store().report_status(device, status, now).await.unwrap();
}

/// The page of a household's device.
pub fn page(household: &Registered) -> String {
    format!("/status/device/{}", household.measurement_device)
}
