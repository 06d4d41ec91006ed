//! A measurement device in a program of one's own: both daemons, the reporting one on a thread.
//!
//! `cargo run -p ebp-device --example embedded_device -- device.toml` takes a configuration as
//! `ebp device init` writes it.

use std::{error::Error, path::Path, sync::Arc, thread};

use ebp_device::{daemon, device::Device};
use ebp_meter::{interface::Registry, unlock::Tries};

fn main() -> Result<(), Box<dyn Error>> {
    let config = std::env::args_os().nth(1).ok_or("name a device's configuration")?;
    let (mut reader, mut sender) =
        (Device::open_for_measuring(Path::new(&config))?, Device::open(Path::new(&config))?);
    let (stop, tries) = (Arc::default(), Tries::in_folder(&reader.config.spool));
    let (mut reporting, ended) = (daemon::Reporting::new(&sender)?, Arc::clone(&stop));
    let tell = |_: &Device, step: daemon::ReportingStep| println!("{:?}", step.outcome);
    thread::spawn(move || daemon::report(&mut sender, &mut reporting, &ended, |_| {}, tell));
    let hear = |event| println!("{event:?}");
    let end = daemon::measure(&mut reader, Registry::embedded(), tries, &stop, hear)?;
    println!("{end:?}");
    Ok(())
}
