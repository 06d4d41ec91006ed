//! A simulated meter at a pseudoterminal, for examples without a reading head.

use std::{
    error::Error,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use ebp_core::model::MeterType;
use ebp_meter::{
    port::PortName,
    profile::Profiles,
    virtual_meter::{
        Button, Energies, HouseholdOptions, LockOptions, MeterOptions, SimulateError, Source,
        Tempo, VirtualMeter, run,
    },
};

/// A meter that sends until it is stopped.
pub struct SimulatedMeter {
    /// The port of its reading head.
    pub port: PortName,
    stop: Arc<AtomicBool>,
    life: JoinHandle<Result<(), SimulateError>>,
}

impl SimulatedMeter {
    /// A meter of that model, locked if a PIN is given.
    ///
    /// # Errors
    /// When the model is not known or has no lock, or there is no pseudoterminal.
    pub fn start(model: &str, pin: Option<&str>) -> Result<Self, Box<dyn Error>> {
        let profiles = Profiles::embedded();
        let profile = profiles.get(model)?;
        let options = MeterOptions {
            kind: MeterType::Electricity,
            number: 4_711,
            household: HouseholdOptions { seed: 1, pv_peak_watts: 8_000, battery_watt_hours: 0 },
            locked: pin.is_some(),
            start: "2026-06-21T10:00:00Z".parse()?,
            energies: Energies::from_watt_hours(12_345_678, 4_711_081).unwrap_or_default(),
        };
        let mut meter = VirtualMeter::new(profile, options)?;
        if let Some(pin) = pin {
            let button = Button::new(profile, pin.parse()?, LockOptions::default());
            meter = meter.with_button(button.ok_or("the model has no lock")?);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, path) = mpsc::channel();
        let (mut source, stopped) = (Source::Meter(Box::new(meter)), Arc::clone(&stop));
        let life = thread::spawn(move || {
            let on_ready = |path: &Path| drop(ready.send(path.to_owned()));
            run(&mut source, None, None, Tempo::default(), &stopped, on_ready)
        });
        let port = PortName::Path(path.recv_timeout(Duration::from_secs(10))?);
        Ok(Self { port, stop, life })
    }

    /// Ends it.
    ///
    /// # Errors
    /// Those that ended it before.
    pub fn stop(self) -> Result<(), Box<dyn Error>> {
        self.stop.store(true, Ordering::Relaxed);
        self.life.join().map_err(|_| "the meter crashed")??;
        Ok(())
    }
}
