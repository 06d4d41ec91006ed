//! Keeps measurements in a spool and sends them to a server that fails now and then: nothing is
//! lost, nothing comes twice.
//!
//! `cargo run -p ebp-device --example spool_and_send`

use std::{cell::RefCell, collections::BTreeMap, error::Error};

use ebp_client::ClientError;
use ebp_core::{
    clock::FixedClock,
    contract::{UploadItem, UploadOutcome, UploadRequest, UploadResponse},
    cycle::Cycle,
    model::{ConsentState, DataPoint, Measurement, measurement_id},
    obis::ObisCode,
};
use ebp_device::{
    spool::Spool,
    transmitter::{Upload, transmit},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Stores what it is given, and every second time its answer gets lost on the way back.
#[derive(Default)]
struct ForgetfulServer {
    stored: RefCell<BTreeMap<Uuid, Measurement>>,
    requests: RefCell<u32>,
}

impl Upload for ForgetfulServer {
    fn upload(&self, request: &UploadRequest) -> Result<UploadResponse, ClientError> {
        *self.requests.borrow_mut() += 1;
        let mut stored = self.stored.borrow_mut();
        let items = request.measurements.iter().map(|measurement| {
            let known = stored.insert(measurement.uuid, measurement.clone()).is_some();
            let outcome = if known { UploadOutcome::Duplicate } else { UploadOutcome::Accepted };
            UploadItem { uuid: measurement.uuid, outcome, reason: None }
        });
        let items = items.collect();
        if *self.requests.borrow() % 2 == 1 {
            return Err(ClientError::Unreachable {
                server: "https://ebp.example.org".into(),
                reason: "the line is dead".into(),
            });
        }
        Ok(UploadResponse { items })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("ebp-example-{}", Uuid::new_v4()));
    let spool = Spool::open(&folder)?;
    let start: Timestamp = "2026-01-31T12:00:00Z".parse()?;
    let clock = FixedClock(start);
    spool.remember_consent(ConsentState::Granted, start)?;

    let meter = Uuid::from_u128(1);
    for quarter in 0..4 {
        let measured_at = start + SignedDuration::from_mins(15 * quarter);
        let slot = Cycle::QUARTER_HOUR.slot(measured_at);
        let data =
            vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value: (12_345 + quarter).into() }];
        let uuid = measurement_id(meter, slot);
        spool.store(&Measurement { uuid, meter, measured_at, data, flags: Vec::new() }, slot)?;
    }

    let server = ForgetfulServer::default();
    loop {
        match transmit(&spool, &server, &clock) {
            Ok(report) => {
                println!("{report:?}");
                break;
            }
            Err(error) => println!("{error}; {} measurements wait", spool.len()?),
        }
    }
    println!(
        "the server has {} measurements, the spool {}",
        server.stored.borrow().len(),
        spool.len()?
    );
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
