//! Who removes a meter or a device while others tell of it: each gets an answer that makes sense,
//! in every store, and nobody an error of the database.

use std::{fmt::Debug, sync::Arc, time::Duration};

use ebp_core::{
    contract::{DeviceStatus, MeterTelegrams, NewMeter},
    model::{IncidentType, MeterType},
    scope::Scopes,
};
use ebp_store::{
    CertificateKind, Enrolment, HouseholdId, InsertOutcome, Issuance, NewCertificate, Origin,
    PageQuery, Refusal, RegisterEntry, Serial, Store, StoreError,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::story::{at, measurement, registration};

/// How often each contest is held.
const ROUNDS: u64 = 40;

/// A head start of one of the two, another one each round: now this one is first, now the other.
async fn head_start(round: u64) {
    tokio::time::sleep(Duration::from_micros(round * 977 % 6000)).await;
}

/// It was done, or what it was for is gone.
#[track_caller]
fn done_or_gone<T: Debug>(answer: Result<T, StoreError>) -> bool {
    match answer {
        Ok(_) => true,
        Err(StoreError::NotFound | StoreError::Registration(_)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// It was removed, or is needed.
#[track_caller]
fn removed<T: Debug>(answer: Result<T, StoreError>) -> bool {
    match answer {
        Ok(_) => true,
        Err(StoreError::InUse(_)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

struct Scene {
    /// Removes.
    one: Arc<dyn Store>,
    /// Tells.
    other: Arc<dyn Store>,
    id: HouseholdId,
    device: Uuid,
    now: Timestamp,
}

async fn scene([one, other]: [Arc<dyn Store>; 2]) -> Scene {
    let now = at("2026-01-01T00:00:00Z");
    let made = one.register(registration("erika@example.org"), now).await.unwrap();
    let id = HouseholdId(made.household);
    one.grant_consent(id, now).await.unwrap();
    Scene { one, other, id, device: made.measurement_device, now }
}

impl Scene {
    async fn meter(&self) -> Uuid {
        let new = NewMeter {
            uuid: None,
            kind: MeterType::Electricity,
            model: "EHZ".into(),
            measurement_device: Some(self.device),
            generation_register: None,
        };
        self.one.add_meter(self.id, new).await.unwrap()
    }

    /// Removes the meter while `tell` tells of it: whether each was done.
    async fn meter_goes<T: Debug>(
        &self,
        round: u64,
        meter: Uuid,
        tell: impl Future<Output = Result<T, StoreError>>,
    ) -> (bool, Result<T, StoreError>) {
        let telling = async {
            head_start(round).await;
            tell.await
        };
        let (gone, told) = tokio::join!(self.one.remove_meter(self.id, meter), telling);
        (removed(gone), told)
    }
}

/// A meter goes while its device uploads, reports an incident, and tells how it is received.
pub async fn meters(stores: [Arc<dyn Store>; 2]) {
    let scene = scene(stores).await;
    let Scene { one, other, id, device, now } = &scene;
    let later = *now + SignedDuration::from_hours(1);
    for round in 0..ROUNDS {
        let meter = scene.meter().await;
        let items = vec![measurement(round.into(), meter, *now)];
        let upload = other.insert_measurements(*id, items, later);
        let (gone, told) = scene.meter_goes(round, meter, upload).await;
        let outcome = told.unwrap().remove(0);
        let unknown = InsertOutcome::Refused(Refusal::UnknownMeter);
        assert_eq!(outcome, if gone { unknown } else { InsertOutcome::Accepted }, "round {round}");
        let all = PageQuery { from: None, to: None, after: None, limit: 10 };
        let kept = one.measurements_page(*id, meter, all).await.map(|page| page.items.len());
        assert_eq!(kept.unwrap_or(0), usize::from(!gone));

        let meter = scene.meter().await;
        let report = other.report_incident(*id, meter, IncidentType::SerialPortUnavailable, later);
        let (gone, told) = scene.meter_goes(round, meter, report).await;
        done_or_gone(told);
        assert!(gone, "round {round}");

        let meter = scene.meter().await;
        let reception = MeterTelegrams { meter, telegrams: 1, damaged: 0 };
        let status = DeviceStatus { meters: vec![reception], ..DeviceStatus::default() };
        let report = other.report_status(*device, status, later);
        let (gone, told) = scene.meter_goes(round, meter, report).await;
        done_or_gone(told);
        assert!(gone, "round {round}");
    }
}

/// A device goes while it tells of itself, is given meters, is enrolled, and gets a certificate.
pub async fn devices(stores: [Arc<dyn Store>; 2]) {
    let scene = scene(stores).await;
    let Scene { one, other, id, now, .. } = &scene;
    let later = *now + SignedDuration::from_hours(1);
    for round in 0..ROUNDS {
        for part in 0..5 {
            let device = one.add_device(*id, Vec::new()).await.unwrap();
            let telling = async {
                head_start(round).await;
                match part {
                    0 => other.report_status(device, DeviceStatus::default(), later).await,
                    1 => other.touch_device(device, later).await,
                    2 => other.create_enrolment(enrolment(device, later)).await,
                    3 => registered(
                        other.register_certificate(certificate(device, later), later).await,
                    ),
                    _ => {
                        let meter = NewMeter {
                            uuid: None,
                            kind: MeterType::Electricity,
                            model: "EHZ".into(),
                            measurement_device: Some(device),
                            generation_register: None,
                        };
                        other.add_meter(*id, meter).await.map(drop)
                    }
                }
            };
            let (gone, told) = tokio::join!(one.remove_device(device), telling);
            let (gone, told) = (removed(gone), done_or_gone(told));
            // A device with a certificate is kept, any other one is not.
            assert!(gone != (part == 3 && told), "round {round}, part {part}: {gone} {told}");
        }
    }
}

/// A meter changes hands while the device that read it tells how it is received.
pub async fn hands(stores: [Arc<dyn Store>; 2]) {
    let scene = scene(stores).await;
    let Scene { one, other, id, device, now } = &scene;
    let second = one.add_device(*id, Vec::new()).await.unwrap();
    let meter = scene.meter().await;
    for round in 0..ROUNDS {
        let reception = MeterTelegrams { meter, telegrams: round, damaged: 0 };
        let status = DeviceStatus { meters: vec![reception], ..DeviceStatus::default() };
        let telling = async {
            head_start(round).await;
            other.report_status(*device, status, *now).await
        };
        let (given, told) = tokio::join!(one.change_device(second, vec![meter]), telling);
        given.unwrap();
        done_or_gone(told);
        one.change_device(*device, vec![meter]).await.unwrap();
    }
}

fn enrolment(device: Uuid, now: Timestamp) -> Enrolment {
    let mut token = [0; 32];
    token[..16].copy_from_slice(device.as_bytes());
    Enrolment {
        token,
        device,
        scopes: Scopes::of_a_device(),
        expires_at: now + SignedDuration::from_hours(72),
        sign_in_hash: None,
    }
}

fn registered(issuance: Result<Issuance, StoreError>) -> Result<(), StoreError> {
    assert_eq!(issuance?, Issuance::Registered);
    Ok(())
}

fn certificate(device: Uuid, now: Timestamp) -> NewCertificate {
    let serial = Serial::from_octets(device.as_bytes()).unwrap();
    let entry = RegisterEntry {
        serial,
        kind: CertificateKind::Client,
        device: Some(device),
        scopes: Scopes::of_a_device(),
        not_before: now,
        not_after: now + SignedDuration::from_hours(72),
        revoked_at: None,
        holder: None,
        administrator: None,
    };
    // By one of the authority's own file.
    NewCertificate { entry, device, key: [0; 32], origin: Origin::Renewal(serial) }
}
