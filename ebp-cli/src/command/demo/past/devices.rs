//! The devices and meters of the past, and what happens to them.
//!
//! Household 1 has a device that was without power for hours, and an electricity meter that a power
//! failure locked, so that it showed no power until its PIN was at hand a week later. Household 2 has
//! a reading head that was off for hours, and a meter that was exchanged.

use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use ebp_client::identity::device_of;
use ebp_core::private_file;
use ebp_fieldtest::{
    chance::Chance,
    device::Device,
    faults::{BootClock, Cut, DeviceFault, Head},
    meter::WallMeter,
    past,
    plan::{DevicePlan, MeterPlan},
    port::Shared,
    server::{Files, TrueClock},
    span::Span,
};
use ebp_meter::{
    aggregator::ConfiguredMeter,
    interface::Registry,
    port::PortName,
    profile::Profiles,
    unlock::{Method, Pin},
    virtual_meter::{Button, Energies, LockOptions, Memory, MeterState, VirtualMeter},
};
use jiff::{SignedDuration, Timestamp};

use super::{length::Past, scratch::Scratch};
use crate::{
    command::demo::{
        households::{DemoHousehold, DemoMeter, Fate, exchanged},
        meters,
    },
    exit::{CommandResult, Context, Failure},
};

/// The PIN of the meter that locks.
const PIN: &str = "2718";
/// For so long a power failure lasts that locks a meter.
const FAILURE: SignedDuration = SignedDuration::from_secs(40);

/// What happens to a household at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The PIN has come by letter and is on the device from now on.
    PinComes {
        /// The household's index.
        household: usize,
    },
    /// Another meter takes the place of the one that was there.
    Exchange {
        /// The household's index.
        household: usize,
    },
}

/// A meter as a device knows it, and the meter itself.
type Headed = (ConfiguredMeter, Shared);

/// The devices.
pub struct Devices<'a> {
    households: &'a [DemoHousehold],
    scratch: &'a Scratch,
    seed: u64,
    devices: Vec<Device>,
    meters: Vec<Vec<Headed>>,
    happenings: Vec<(Timestamp, Happening)>,
}

/// When what happens, in parts of the past.
struct Times {
    begin: Timestamp,
    length: SignedDuration,
}

impl Times {
    /// After so many percent of it, five minutes into a quarter of an hour.
    fn after(&self, percent: i32) -> Timestamp {
        let into = self.length / 100 * percent;
        let quarters = into.as_mins() / 15 * 15;
        self.begin + SignedDuration::from_mins(quarters + 5)
    }

    /// So long, or a part of a short past.
    fn lasting(&self, wanted: SignedDuration, percent: i32) -> SignedDuration {
        wanted.min(self.length / 100 * percent)
    }

    fn span(&self, percent: i32, wanted: SignedDuration, most: i32) -> Span {
        let from = self.after(percent);
        Span { from, to: from + self.lasting(wanted, most) }
    }
}

impl<'a> Devices<'a> {
    /// Each household's device is put up when the past begins.
    ///
    /// # Errors
    /// Returns a failure if one of their files cannot be used.
    pub fn put_up(
        households: &'a [DemoHousehold],
        ca: &Path,
        scratch: &'a Scratch,
        past: Past,
        begin: Timestamp,
    ) -> Result<Self, Failure> {
        let length = SignedDuration::from_hours(24 * i64::from(past.days));
        let times = Times { begin, length };
        let mut all = Self {
            households,
            scratch,
            seed: past.seed,
            devices: Vec::new(),
            meters: Vec::new(),
            happenings: Vec::new(),
        };
        for (index, household) in households.iter().enumerate() {
            let mut meters = Vec::new();
            for (place, meter) in household.meters.iter().enumerate() {
                let old = exchanged(household);
                let plan = all.plan(index, place, &times);
                meters.push(all.meter(household, old.as_ref().unwrap_or(meter), plan, begin)?);
            }
            let mut plan = DevicePlan { installed: begin, granted: begin, ..DevicePlan::default() };
            if index == 0 {
                let cut = times.span(27, SignedDuration::from_hours(9), 9);
                let off = cut.from.duration_until(cut.to).unsigned_abs();
                let power = DeviceFault::Power { off, cut: Cut::Plain, clock: BootClock::Right };
                plan.events.push((cut.from, power));
            }
            all.put_up_device(household, ca, meters, plan, 100 + index as u64)?;
        }
        all.happenings.sort_by_key(|(at, _)| *at);
        all.happenings.reverse();
        Ok(all)
    }

    /// A household's device is put up with its meters.
    fn put_up_device(
        &mut self,
        household: &DemoHousehold,
        ca: &Path,
        meters: Vec<Headed>,
        plan: DevicePlan,
        purpose: u64,
    ) -> CommandResult {
        let spool = self.scratch.spool(household);
        private_file::create_folder(&spool).or_failed(spool.display())?;
        let own = household.folder();
        let certificate = own.join("device.pem");
        let files = Files {
            ca: ca.to_owned(),
            key: own.join("device.key"),
            certificate: certificate.clone(),
        };
        let uuid = device_of(&certificate).unwrap_or(household.device);
        let chance = Chance::new(self.seed, purpose);
        let (from, plan) = (plan.installed, (plan, Arc::default()));
        let device = Device::new(uuid, meters.clone(), spool, files, plan, (from, chance));
        self.devices.push(device);
        self.meters.push(meters);
        Ok(())
    }

    /// A neighbour's device is put up, and what happens to it until the past ends.
    ///
    /// # Errors
    /// Returns a failure if one of its files cannot be used.
    pub fn put_up_neighbour(
        &mut self,
        (household, fate): &(DemoHousehold, Fate),
        ca: &Path,
        from: Timestamp,
        end: Timestamp,
    ) -> CommandResult {
        let hours = SignedDuration::from_hours;
        let mut plan = DevicePlan { installed: from, granted: from, ..DevicePlan::default() };
        let mut meters = Vec::new();
        for (place, meter) in household.meters.iter().enumerate() {
            let mut of_meter = MeterPlan::default();
            let since = end - hours(7);
            match (fate, place) {
                (Fate::Late, 0) => {
                    of_meter.head.push((Span { from: since, to: end + hours(24) }, Head::Silent));
                }
                (Fate::Incident, 0) => of_meter.dark.add(since, since + FAILURE),
                _ => {}
            }
            meters.push(self.meter(household, meter, of_meter, from)?);
        }
        if *fate == Fate::Silent {
            let off = hours(48).unsigned_abs();
            let power = DeviceFault::Power { off, cut: Cut::Plain, clock: BootClock::Right };
            plan.events.push((end - hours(5), power));
        }
        self.put_up_device(household, ca, meters, plan, 200 + u64::from(household.number))
    }

    /// What goes wrong with a meter and its head, and what is done about it.
    fn plan(&mut self, household: usize, place: usize, times: &Times) -> MeterPlan {
        let mut plan = MeterPlan::default();
        match (household, place) {
            (0, 0) => {
                let locked = times.span(45, SignedDuration::from_hours(7 * 24), 24);
                plan.dark.add(locked.from, locked.from + FAILURE);
                self.happenings.push((locked.to, Happening::PinComes { household }));
            }
            (1, 0) => {
                let off = times.span(12, SignedDuration::from_hours(5), 7);
                plan.head.push((off, Head::Gone));
                self.happenings.push((times.after(60), Happening::Exchange { household }));
            }
            _ => {}
        }
        plan
    }

    /// A meter that is on the wall from then on, with its reading head.
    fn meter(
        &self,
        household: &DemoHousehold,
        meter: &DemoMeter,
        plan: MeterPlan,
        from: Timestamp,
    ) -> Result<Headed, Failure> {
        let profiles = Profiles::embedded();
        let profile = profiles.get(meter.model).map_err(Failure::usage)?;
        let mut options = meters::options(household, meter, from);
        if exchanged(household).is_some_and(|old| old.uuid == meter.uuid) {
            options.number += 1_000_000;
        } else if exchanged(household).is_some() {
            // It came new.
            options.energies = Energies::default();
        }
        let pin: Pin = PIN.parse().map_err(Failure::failed)?;
        let lock = LockOptions { inf_on: true, ..LockOptions::default() };
        let mut on_the_wall = VirtualMeter::new(profile, options).map_err(Failure::failed)?;
        if let Some(button) = Button::new(profile, pin, lock) {
            on_the_wall = on_the_wall.with_button(button);
        }
        let purpose =
            1_000 + u64::from(household.number) * 10 + u64::from(meter.uuid.as_bytes()[15]);
        let chance = Chance::new(self.seed, purpose);
        let wall = WallMeter::on_the_wall(on_the_wall, from, plan, chance);
        let registry = Registry::from_profiles(&profiles);
        let driver = Arc::clone(registry.driver(meter.model).map_err(Failure::usage)?);
        let configured = ConfiguredMeter {
            options: driver.model().read,
            driver: Some(driver),
            method: Method::ZeroBytes,
            ..ConfiguredMeter::new(meter.uuid, PortName::Path(meter.link.clone()))
        };
        Ok((configured, Arc::new(Mutex::new(wall))))
    }

    /// When something happens next.
    pub fn next_happening(&self) -> Option<Timestamp> {
        self.happenings.last().map(|(at, _)| *at)
    }

    /// What happens then.
    pub fn take_happening(&mut self, at: Timestamp) -> Option<Happening> {
        self.happenings.pop_if(|(due, _)| *due <= at).map(|(_, happening)| happening)
    }

    /// It happens, as far as it is to be seen at the meters.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn happens(&mut self, happening: Happening, at: Timestamp) -> CommandResult {
        let household = match happening {
            Happening::PinComes { household } => {
                let path = self.scratch.private("pin");
                private_file::options()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .open(&path)
                    .and_then(|mut file| file.write_all(PIN.as_bytes()))
                    .or_failed(path.display())?;
                self.meters[household][0].0.pin_file = Some(path);
                household
            }
            Happening::Exchange { household } => {
                let of = &self.households[household];
                let new = self.meter(of, &of.meters[0], MeterPlan::default(), at)?;
                self.meters[household][0] = new;
                household
            }
        };
        let meters = self.meters[household].clone();
        self.devices[household].configure(at, meters).map_err(unexpected)
    }

    /// Time passes until then.
    ///
    /// # Errors
    /// Returns an error if anything fails that is not one of the planned faults.
    pub fn pass(&mut self, clock: &TrueClock, url: &str, to: Timestamp) -> CommandResult {
        past::pass(&mut self.devices, clock, url, to).map_err(unexpected)
    }

    /// The devices end, and the meters' registers are kept for the demo that follows.
    ///
    /// # Errors
    /// Returns an error if a spool or a file cannot be written.
    pub fn finish(mut self, at: Timestamp) -> CommandResult {
        for device in &mut self.devices {
            drop(device.finish().map_err(unexpected)?);
        }
        for (household, meters) in self.households.iter().zip(&self.meters) {
            for (meter, (_, wall)) in household.meters.iter().zip(meters) {
                let mut wall = wall.lock().unwrap_or_else(PoisonError::into_inner);
                // The demo's meters have no lock.
                let state = MeterState { lock: None, ..wall.state_at(at) };
                Memory::in_file(&self.scratch.registers(meter.model))
                    .keep(&state)
                    .map_err(Failure::failed)?;
            }
        }
        Ok(())
    }
}

/// What the simulation itself fails by.
pub fn unexpected(error: impl std::fmt::Display) -> Failure {
    Failure::failed(format!("the households' history cannot be simulated: {error:#}"))
        .remedy("--past 0d leaves it out")
}
