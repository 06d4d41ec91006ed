//! Reads a meter: every entry of its next telegram, and the values that a survey stores.
//!
//! `cargo run -p ebp-meter --example read_meter [PORT]` reads a simulated meter where no port
//! (`/dev/ttyUSB0`, `tcp://HOST:PORT`, a recording) is named. Protocol and line settings are found out.

#[path = "simulated_meter/mod.rs"]
mod simulated_meter;

use std::{
    env,
    error::Error,
    time::{Duration, Instant},
};

use ebp_meter::{
    Readout,
    port::PortName,
    session::{ReadOptions, Session, SessionEvent},
};
use simulated_meter::SimulatedMeter;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(port) = env::args().nth(1) {
        show(&read(&port.parse()?)?);
        return Ok(());
    }
    let meter = SimulatedMeter::start("MT175", None)?;
    let readout = read(&meter.port)?;
    show(&readout);
    meter.stop()?;
    assert!(readout.is_detailed(), "it has decimals and power");
    Ok(())
}

/// The next telegram within half a minute.
fn read(port: &PortName) -> Result<Readout, Box<dyn Error>> {
    let mut session = Session::open(port, ReadOptions::default())?;
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        match session.next(Duration::from_secs(1))? {
            SessionEvent::Readout(readout) => return Ok(*readout),
            SessionEvent::Noise(noise) => println!("passed over: {noise:?}"),
            SessionEvent::TimedOut => {}
            SessionEvent::End => break,
        }
    }
    // What the bytes show of the cause: darkness, a wrong speed, a head that is turned.
    Err(format!("no telegram: {:?}", session.cause()).into())
}

fn show(readout: &Readout) {
    for entry in &readout.entries {
        println!("{} {:?} {:?}", entry.obis, entry.exact(), entry.unit);
    }
    println!("for the survey:");
    for point in readout.survey() {
        println!("{} {}", point.obis, point.value);
    }
}
