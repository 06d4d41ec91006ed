//! Enters a meter's PIN by light, so that it sends decimals and power.
//!
//! `cargo run -p ebp-meter --example unlock_meter` unlocks a simulated meter, which takes half a minute:
//! keys are pressed as slowly as a real one wants it. Wrong PINs are counted on the disk, and none is
//! entered once the model's tries are used up.

#[path = "simulated_meter/mod.rs"]
mod simulated_meter;

use std::{env, error::Error, fs, sync::Arc, time::Duration};

use ebp_meter::{
    interface::{self, Environment, Registry, Site},
    unlock::{Tries, UnlockOptions},
};
use simulated_meter::SimulatedMeter;

fn main() -> Result<(), Box<dyn Error>> {
    // Such a PIN comes from the grid operator: never in the program, and here for a simulation only.
    let pin = "1111";
    let simulated = SimulatedMeter::start("MT175", Some(pin))?;
    let folder = env::temp_dir().join(format!("ebp-example-{}", uuid::Uuid::new_v4()));
    fs::create_dir_all(&folder)?;

    let registry = Registry::embedded();
    let driver = registry.driver("MT175")?;
    let site = Site::new(simulated.port.clone(), driver.model().read);
    let environment = Environment::for_machine(Tries::in_folder(&folder), Arc::default());
    let mut meter = driver.open(&site, &environment)?;
    let locked = interface::read(&mut *meter, Duration::from_secs(10), &environment)?;
    assert!(!meter.is_detailed(&locked));

    // What would last until the next power failure takes minutes more.
    let options = UnlockOptions { inf: false, ..UnlockOptions::default() };
    let mut tell = |progress| println!("{progress}");
    let unlocked = meter.enable_detailed_readout(&pin.parse()?, &options, &mut tell)?;
    for point in unlocked.readout.survey() {
        println!("{} {}", point.obis, point.value);
    }
    println!("{:?}", unlocked.lasting);
    assert!(meter.is_detailed(&unlocked.readout));

    drop(meter);
    simulated.stop()?;
    fs::remove_dir_all(folder)?;
    Ok(())
}
