//! The port of a reading head that light is sent through.

use ebp_meter::interface::{Driver, Environment, MeterInterface, Site};

use crate::exit::Failure;

/// Takes up a meter of that model; a file is refused.
pub fn open(
    driver: &dyn Driver,
    site: &Site,
    environment: &Environment,
) -> Result<Box<dyn MeterInterface>, Failure> {
    let meter = driver.open(site, environment)?;
    if meter.is_live() {
        return Ok(meter);
    }
    Err(Failure::usage(format!("{} is no meter that can be shone upon", site.port))
        .remedy("give the serial device of the reading head, or tcp://host:port"))
}
