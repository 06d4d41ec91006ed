//! The promises of `MeterInterface` on what profiles drive: meters that push SML, that push ASCII with
//! and without a lock, that want to be asked, and one on a pseudoterminal in real time.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod line;
mod pty;

use std::sync::{Arc, atomic::Ordering};

use ebp_core::model::MeterType;
use ebp_meter::{
    interface::{
        Environment, Registry, Site,
        promises::{Pins, Stand, Start, count_light},
    },
    port::{Port, PortName},
    profile::{Profile, Profiles},
    unlock::{Method, Tries},
    virtual_meter::{Button, Energies, HouseholdOptions, LockOptions, MeterOptions, VirtualMeter},
};
use line::Line;

/// A meter's right PIN and a wrong one.
const PINS: Pins = Pins { right: "0907", wrong: "1234" };

/// A virtual meter of that model, open or locked as its lock permits.
fn virtual_meter(profile: &Profile, start: Start) -> VirtualMeter {
    let options = MeterOptions {
        kind: MeterType::Electricity,
        number: 7_654_321,
        household: HouseholdOptions { seed: 1, pv_peak_watts: 5_000, battery_watt_hours: 0 },
        locked: false,
        start: "2026-06-21T10:00:00Z".parse().unwrap(),
        energies: Energies::from_watt_hours(1_234_000, 2_345_000).unwrap(),
    };
    let lock = LockOptions { inf_on: start != Start::Locked, ..LockOptions::default() };
    let meter = VirtualMeter::new(profile, options).unwrap();
    match Button::new(profile, PINS.right.parse().unwrap(), lock) {
        Some(button) => meter.with_button(button),
        None => meter,
    }
}

/// A meter of that model at a line in simulated time.
fn simulated(model: &str, start: Start) -> Stand {
    let registry = Registry::embedded();
    let driver = Arc::clone(registry.driver(model).unwrap());
    let profiles = Profiles::embedded();
    let profile = profiles.get(model).unwrap();
    let line = Line::new(virtual_meter(profile, start), start == Start::Silent);
    let folder = tempfile::tempdir().unwrap();
    let (clock, opened) = (Arc::new(line.clone()), line.clone());
    let environment = Environment {
        open: Arc::new(move |name, _| -> Result<Box<dyn Port>, _> { Ok(opened.port(name)) }),
        time: Some(clock.clone()),
        clock: clock.clone(),
        tries: Tries::in_folder(folder.path()),
        stop: Arc::default(),
    };
    let (environment, presses) = count_light(environment);
    let port = PortName::Path("/dev/ttySIM0".into());
    Stand {
        site: Site { method: Method::ZeroBytes, ..Site::new(port, driver.model().read) },
        driver,
        environment,
        clock,
        pins: profile.pin.is_some().then_some(PINS),
        keys: Box::new(move || presses.load(Ordering::Relaxed)),
        wrong_pins: Box::new(move || line.wrong_pins()),
        keep: Box::new(folder),
    }
}

mod sml_push {
    use super::*;

    fn put_up(start: Start) -> Stand {
        simulated("MT175", start)
    }

    ebp_meter::promises!(put_up);
}

mod sml_push_with_a_sourced_way_to_inf {
    use super::*;

    fn put_up(start: Start) -> Stand {
        simulated("MB310", start)
    }

    ebp_meter::promises!(put_up);
}

mod d0_push {
    use super::*;

    fn put_up(start: Start) -> Stand {
        simulated("DD3-OD", start)
    }

    ebp_meter::promises!(put_up);
}

mod d0_push_without_a_lock {
    use super::*;

    fn put_up(start: Start) -> Stand {
        simulated("Q3D", start)
    }

    ebp_meter::promises!(put_up, without_lock);
}

mod d0_asked {
    use super::*;

    fn put_up(start: Start) -> Stand {
        simulated("MT174", start)
    }

    ebp_meter::promises!(put_up, without_lock);
}
