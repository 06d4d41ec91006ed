//! A model of meter that code drives rather than a profile: an imaginary one with a language of its
//! own, on a pseudoterminal. Its driver stands in the registry beside the profiles; a device measures
//! it, unlocks it and identifies it without knowing anything of it.
//!
//! `cargo run -p ebp-device --example own_driver`

#[path = "own_driver/device.rs"]
mod device;
#[path = "own_driver/dialogue.rs"]
mod dialogue;
#[path = "own_driver/driver.rs"]
mod driver;
#[path = "own_driver/meter.rs"]
mod meter;

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ebp_core::{model::ConsentState, obis::ObisCode};
use ebp_device::{
    config::MeterEntry,
    daemon::{self, ConsentThread, Measuring, MeasuringEvent},
    meters,
};
use ebp_meter::{
    aggregator::Event,
    interface::{Environment, Registry},
    lock::Lock,
    port::PortName,
    unlock::Tries,
    virtual_meter::Pty,
};
use uuid::Uuid;

const METER: Uuid = Uuid::from_u128(0x0b5e_ed00_0000_4000_8000_0000_0000_0001);
const SECRET: &str = "090715";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("ebp-example-{}", Uuid::new_v4()));
    std::fs::create_dir_all(&folder)?;
    // The meter, at a port like any other.
    let pty = Pty::open(None)?;
    let port = PortName::Path(pty.path().to_owned());
    let (meter, end) =
        (meter::ImaginaryMeter::new(SECRET, false), Arc::new(AtomicBool::new(false)));
    let (living, ended) = (meter.clone(), Arc::clone(&end));
    let life = thread::spawn(move || living.live(&pty, &ended));

    // The one place where the program says which models there are.
    let mut registry = Registry::embedded();
    registry.register(Arc::new(driver::Polaris::new()))?;

    let pin_file = folder.join("pin");
    device::write_secret(&pin_file, SECRET)?;
    let mut entry = MeterEntry::new(METER, driver::MODEL.to_owned(), port);
    entry.pin_file = Some(pin_file);
    let mut device = device::open(&folder, entry)?;
    device.spool.remember_consent(ConsentState::Granted, device.clock.now())?;

    let (tries, stop) = (Tries::in_folder(&folder), Arc::default());
    let (meters, heads) = daemon::heads(&device, &registry, tries.clone(), &stop);
    let mut measuring = Measuring::new(&device, meters, heads, ConsentThread::default())?;
    let mut told = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_measured_in_detail(&told) {
        assert!(Instant::now() < deadline, "not measured in detail: {told:?}");
        let step = measuring.step(&mut device);
        for event in step.events {
            if let MeasuringEvent::Meter(Some(_), event) = event {
                println!("{event:?}");
                told.push(event);
            }
        }
        thread::park_timeout(step.next.min(Duration::from_secs(1)));
    }
    stop.store(true, Ordering::Relaxed);
    measuring.heads_mut().darken();
    assert!(told.iter().any(|event| matches!(event, Event::Unlocked(_))), "{told:?}");
    let spooled = device.spool.len()?;
    println!("measured, unlocked and measured again: {spooled} measurements in the spool");
    assert!(spooled >= 2);
    assert_eq!(meter.pins(), (1, 0), "one PIN was entered, and it was right");

    // Should another reading have begun, its next telegram ends it.
    thread::sleep(Duration::from_secs(1));
    let environment = Environment::for_machine(tries, Arc::default());
    let identity = meters::identify(&device.config, METER, &registry, &environment)?;
    println!("{identity:?}");
    assert_eq!(identity.maker.as_deref(), Some("Nordlicht"));
    assert_eq!(identity.models.first().map(|model| model.model.as_str()), Some(driver::MODEL));
    assert_eq!(identity.lock, Lock::Open);

    end.store(true, Ordering::Relaxed);
    life.join().map_err(|_| "the meter crashed")??;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// Whether a measurement has its power.
fn is_measured_in_detail<E>(told: &[Event<E>]) -> bool {
    told.iter().any(|event| match event {
        Event::Measured(measurement) => {
            measurement.data.iter().any(|point| point.obis == ObisCode::SUM_POWER)
        }
        _ => false,
    })
}
