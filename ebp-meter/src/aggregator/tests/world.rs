//! A device with meters in simulated time: no test waits.

mod keeper;
mod sim_meter;

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use ebp_core::{
    clock::{DeviceClock, Moment, SimulatedClock},
    model::IncidentType,
};
use jiff::Timestamp;
use uuid::Uuid;

pub use keeper::SimKeeper;
pub use sim_meter::{Shows, SimMeter, State};

use crate::{
    aggregator::*,
    interface::Registry,
    lock::Lock,
    port::{PortError, PortName},
    unlock::{UnlockError, Unlocked},
};

pub const START: &str = "2026-01-31T12:00:00Z";

pub fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What is to be reported when.
struct Due {
    at: Duration,
    meter: usize,
    job: Job,
}

/// Heads on simulated meters.
#[derive(Default)]
pub struct SimHeads {
    pub meters: Vec<SimMeter>,
    due: Vec<Due>,
    now: Option<Moment>,
    truth: Timestamp,
    /// What was done, and when.
    pub log: Vec<(Duration, usize, Job)>,
    pub left: usize,
}

impl SimHeads {
    fn now(&self) -> Duration {
        self.now.unwrap().since_boot
    }

    pub fn next(&self) -> Option<Duration> {
        self.due.iter().map(|due| due.at).min()
    }
}

impl Heads for SimHeads {
    fn begin(&mut self, meter: usize, job: Job) {
        assert!(self.due.iter().all(|due| due.meter != meter), "two jobs at meter {meter}");
        let now = self.now();
        self.log.push((now, meter, job));
        let sim = &mut self.meters[meter];
        let at = match job {
            Job::Read(reading) => {
                sim.reads += 1;
                match sim.state {
                    State::Fine | State::Empty => sim.next(reading.from.max(now)),
                    State::Gone | State::Crashes => now,
                    State::Silent => reading.until,
                    State::Slow => now + s(190),
                    State::Hangs => return,
                }
            }
            Job::Unlock { inf, .. } => {
                sim.unlocks += 1;
                sim.inf_presses += usize::from(inf);
                now + s(45)
            }
            Job::Press => {
                sim.presses += 1;
                now + s(1)
            }
            Job::Reset => {
                sim.resets += 1;
                now + s(1)
            }
        };
        self.due.push(Due { at, meter, job });
    }

    fn leave(&mut self, meter: usize) {
        self.left += 1;
        self.due.retain(|due| due.meter != meter);
    }

    fn goes_on_until(&self, meter: usize) -> Option<Duration> {
        (self.meters[meter].state == State::Slow).then(|| self.now() + s(5))
    }

    fn report(&mut self) -> Option<(usize, Done)> {
        let now = self.now.unwrap();
        let index = self.due.iter().position(|due| due.at <= now.since_boot)?;
        let Due { at, meter, job } = self.due.swap_remove(index);
        let (truth, sim) = (self.truth, &mut self.meters[meter]);
        let waited = s(30);
        let done = match (job, sim.state) {
            (_, State::Crashes) => Done::Crashed,
            (Job::Read(_), State::Fine | State::Empty | State::Slow) => {
                let readout = sim.readout(now, truth);
                let telegram = Ok(Box::new(Telegram { readout, at: now, late: sim.late }));
                Done::Read { telegram, heard: Heard { good: 1, damaged: 0 } }
            }
            (Job::Read(_), State::Gone) => {
                let port = PortName::Path("/dev/ttyUSB0".into());
                let telegram = Err(ReadError::Port(PortError::NotFound { port }));
                Done::Read { telegram, heard: Heard::default() }
            }
            (Job::Read(_), _) => {
                let telegram = Err(ReadError::Silent { waited });
                Done::Read { telegram, heard: Heard::default() }
            }
            (Job::Unlock { .. }, _) if sim.is_detailed(at) => {
                let readout = sim.readout(now, truth);
                Done::Unlock(Ok(Box::new(Unlocked::already(readout))))
            }
            (Job::Unlock { .. }, _) if sim.pin_is_right => {
                sim.locked = !sim.offers_inf;
                sim.open_until = Some(at + s(120));
                let readout = sim.readout(now, truth);
                Done::Unlock(Ok(Box::new(Unlocked::now(readout))))
            }
            (Job::Unlock { .. }, _) => Done::Unlock(Err(UnlockError::NotUnlocked {
                tries: 2,
                left: 0,
                lock: Lock::Locked,
            }
            .into())),
            (Job::Press, _) => {
                sim.open_until = sim.open_until.filter(|until| at <= *until).map(|_| at + s(120));
                Done::Press(Ok(()))
            }
            (Job::Reset, _) => Done::Reset(Ok(())),
        };
        Some((meter, done))
    }
}

/// A device.
pub struct World {
    pub clock: SimulatedClock,
    pub heads: SimHeads,
    pub keeper: SimKeeper,
    pub engine: Aggregator,
    /// What the Data API answers; nothing during an outage.
    pub consent: Option<Permission>,
    pub asked: usize,
    pub events: Vec<(Option<usize>, Event<&'static str>)>,
    pub is_over: bool,
    pub steps: usize,
}

pub fn meter(number: u128, model: Option<&str>) -> ConfiguredMeter {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::embedded);
    let driver = model.map(|model| Arc::clone(REGISTRY.driver(model).unwrap()));
    let port = PortName::Path("/dev/ttyUSB0".into());
    ConfiguredMeter { driver, ..ConfiguredMeter::new(Uuid::from_u128(number), port) }
}

impl World {
    pub fn new(meters: Vec<SimMeter>) -> Self {
        Self::with(meters, Options::SURVEY, Some("MT175"))
    }

    pub fn with(meters: Vec<SimMeter>, options: Options, model: Option<&str>) -> Self {
        let configured = (0..meters.len()).map(|number| meter(number as u128, model)).collect();
        let mut engine = Aggregator::new(configured, options);
        if options.once {
            engine.remember_consent(Permission::Granted);
        }
        Self {
            clock: SimulatedClock::new(START.parse().unwrap()),
            heads: SimHeads { meters, ..SimHeads::default() },
            keeper: SimKeeper::default(),
            engine,
            consent: Some(Permission::Granted),
            asked: 0,
            events: Vec::new(),
            is_over: false,
            steps: 0,
        }
    }

    /// Gives every meter a file with a PIN.
    pub fn with_pins(mut self) -> Self {
        for meter in &mut self.engine.meters {
            meter.pin_file = Some("/nonexistent/pin".into());
        }
        self
    }

    /// The process ends and begins anew, after that time.
    pub fn restart(&mut self, after: Duration) {
        let (meters, options) = (self.engine.meters.clone(), self.engine.options);
        self.engine = Aggregator::new(meters, options);
        if self.engine.options.once {
            self.engine.remember_consent(Permission::Granted);
        }
        self.heads.due.clear();
        self.clock.advance(after);
        self.is_over = false;
    }

    /// Steps once and lets time pass until the next step is due, at most until `end`.
    pub fn step(&mut self, end: Duration) {
        self.heads.now = Some(self.clock.moment());
        self.heads.truth = self.clock.truth();
        let step = self.engine.step(&self.clock, &mut self.keeper, &mut self.heads);
        self.steps += 1;
        self.events.extend(step.events);
        self.is_over |= step.is_over;
        if self.is_over {
            return;
        }
        if step.ask_consent {
            self.asked += 1;
            if let Some(consent) = self.consent {
                self.engine.hear_consent(consent, &self.clock);
                return;
            }
        }
        let now = self.clock.since_boot();
        let heads = self.heads.next().map_or(Duration::MAX, |at| at.saturating_sub(now));
        let wait = step.next.min(heads).max(Duration::from_millis(1));
        self.clock.advance(wait.min(end.saturating_sub(now)));
    }

    /// Lets that much time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.clock.since_boot() + time;
        while self.clock.since_boot() < end && !self.is_over {
            self.step(end);
        }
    }

    /// A timer's one-shot, at the present time.
    pub fn once(&mut self) {
        self.restart(Duration::ZERO);
        self.engine.options.once = true;
        self.engine.remember_consent(Permission::Granted);
        self.run(s(1000));
        assert!(self.is_over);
    }

    pub fn slots(&self, meter: u128) -> Vec<String> {
        let of = self.keeper.measurements.iter().filter(|(m, _)| m.meter.as_u128() == meter);
        of.map(|(_, slot)| slot.start().strftime("%H:%M").to_string()).collect()
    }

    pub fn is_noted(&self, meter: u128, kind: IncidentType) -> bool {
        self.keeper.incidents.get(&(Uuid::from_u128(meter), kind)).copied().unwrap_or(false)
    }
}
