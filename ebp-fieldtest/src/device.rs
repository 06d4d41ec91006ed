//! A measurement device: its power, its clock, its card, and the daemons that run on it.
//!
//! Enters: its faults, instants. Leaves: what it lived through (`Life`). Absent: what its daemons
//! do, which is `run`; the verdict.

mod loss;
mod power;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Result;
use ebp_core::clock::{DeviceClock, SimulatedClock};
use ebp_device::{
    config::{Api, DeviceConfig, MeterEntry},
    spool::Spool,
};
use ebp_meter::{
    aggregator::{ConfiguredMeter, Permission},
    unlock::Tries,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    card::Card,
    chance::{Chance, after, until},
    faults::{BootClock, Cut, DeviceFault},
    heads::WallHeads,
    life::Life,
    link::Link,
    plan::{DevicePlan, Sky, TIME_TAKES},
    port::Shared,
    run::Run,
    server::Files,
    turn::Seat,
};

/// A fault that waits for a write or an upload comes without one after this time.
const PATIENCE: Duration = Duration::from_secs(2 * 3600);

/// What waits for the midst of something.
#[derive(Clone, Copy)]
enum Armed {
    Power { off: Duration, clock: BootClock, cut: Cut, by: Timestamp },
    Kill { by: Timestamp },
}

/// A device.
pub struct Device {
    /// By which it reports at an instant of its own.
    pub uuid: Uuid,
    meters: Vec<(ConfiguredMeter, Shared)>,
    clock: Arc<SimulatedClock>,
    folder: PathBuf,
    /// Its certificate, key and authority.
    pub files: Files,
    /// Its faults.
    pub plan: DevicePlan,
    sky: Arc<Sky>,
    chance: Chance,
    next_event: usize,
    armed: Option<Armed>,
    /// It is powered, or will be then, with its clock as said.
    on_at: Option<(Timestamp, BootClock)>,
    starts_at: Option<Timestamp>,
    time_at: Option<Timestamp>,
    time_lost_at: Option<Timestamp>,
    run: Option<Run>,
    /// A lost spool waits until then.
    spool_lost_at: Option<Timestamp>,
    /// When its certificate expires, where that is still to come.
    expires_at: Option<Timestamp>,
    /// When a person enrols it anew.
    enrolled_at: Option<Timestamp>,
    /// The thread that steps it, where there are several.
    seat: Option<Seat>,
    /// What it lived through.
    pub life: Life,
}

impl Device {
    /// A device that is put up when its plan says so.
    pub fn new(
        uuid: Uuid,
        meters: Vec<(ConfiguredMeter, Shared)>,
        folder: PathBuf,
        files: Files,
        (plan, sky): (DevicePlan, Arc<Sky>),
        (start, chance): (Timestamp, Chance),
    ) -> Self {
        let clock = Arc::new(SimulatedClock::new(start));
        clock.set_drift(plan.drift);
        let boot = if plan.drift == 0 { BootClock::Right } else { BootClock::Epoch };
        let mut life = Life::default();
        life.off.add(start, plan.installed);
        Self {
            uuid,
            meters,
            clock,
            folder,
            files,
            on_at: Some((plan.installed, boot)),
            plan,
            sky,
            chance,
            next_event: 0,
            armed: None,
            starts_at: None,
            time_at: None,
            time_lost_at: None,
            run: None,
            spool_lost_at: None,
            expires_at: None,
            enrolled_at: None,
            seat: None,
            life,
        }
    }

    /// That thread steps it from now on: its requests wait for their turn.
    pub fn sit_at(&mut self, seat: Seat) {
        self.seat = Some(seat);
    }

    /// When something happens next.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        let event = self.plan.events.get(self.next_event).map(|(at, _)| *at);
        let armed = self.armed.map(|armed| match armed {
            Armed::Power { by, .. } | Armed::Kill { by } => by,
        });
        let own = [
            event,
            armed,
            self.on_at.map(|(at, _)| at),
            self.starts_at,
            self.time_at,
            self.time_lost_at,
            self.spool_lost_at,
            self.expires_at,
            self.enrolled_at,
            self.run.as_ref().map(Run::next),
        ];
        own.into_iter().flatten().min().unwrap_or(Timestamp::MAX)
    }

    /// It has that configuration from now on: its daemons are started again.
    ///
    /// # Errors
    /// Where its card fails.
    pub fn configure(
        &mut self,
        now: Timestamp,
        meters: Vec<(ConfiguredMeter, Shared)>,
    ) -> Result<()> {
        self.meters = meters;
        // Without power, they are started with it.
        if self.on_at.is_none() { self.kill(now, None) } else { Ok(()) }
    }

    /// Lives on to that instant, which is not later than its next, with the server at `url`.
    ///
    /// # Errors
    /// Where something fails that no fault explains.
    pub fn live(&mut self, now: Timestamp, url: &str) -> Result<()> {
        if self.on_at.is_none() {
            self.clock.advance(until(self.clock.truth(), now));
        }
        while let Some((_, fault)) =
            self.plan.events.get(self.next_event).copied().filter(|(at, _)| *at <= now)
        {
            self.next_event += 1;
            self.happens(now, fault)?;
            let end = self.ends_at();
            self.run.iter_mut().for_each(|run| run.ends_at(end));
        }
        match self.armed {
            Some(Armed::Power { off, clock, by, .. }) if by <= now => {
                self.cut(now, off, clock, None, "without the write it waited for")?;
            }
            Some(Armed::Kill { by }) if by <= now => self.kill(now, None)?,
            _ => {}
        }
        if let Some((_, boot)) = self.on_at.filter(|(at, _)| *at <= now) {
            self.boot(now, boot);
        }
        if self.time_at.is_some_and(|at| at <= now) {
            self.clock.synchronise();
            self.time_at = None;
            self.life.knows_the_time(now);
            self.life.say(now, "the clock is right");
            self.time_lost_at = self.plan.loses_time_after(now);
            self.run.iter_mut().for_each(Run::clock_was_set);
        }
        if self.time_lost_at.is_some_and(|at| at <= now) {
            self.clock.lose_synchronisation();
            (self.time_lost_at, self.time_at) = (None, Some(self.plan.time_after(now)));
            self.life.say(now, "the kernel no longer believes in its time");
        }
        if self.starts_at.is_some_and(|at| at <= now) {
            self.start(now, url)?;
        }
        if self.spool_lost_at.is_some_and(|at| at <= now) {
            self.lose_spool(now)?;
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            self.expire(now);
        }
        self.step(now)
    }

    fn happens(&mut self, now: Timestamp, fault: DeviceFault) -> Result<()> {
        if self.on_at.is_some() || self.armed.is_some() {
            self.life.say(now, format!("already in trouble: {fault:?} does not happen"));
            return Ok(());
        }
        match fault {
            DeviceFault::Step { millis } => {
                // Whoever keeps the time set it a little wrong, and sets it right soon.
                if self.clock.synchronised() {
                    self.clock.step(SignedDuration::from_millis(millis));
                    self.life.say(now, format!("the clock is stepped by {millis} ms"));
                    if self.plan.offline.at(now).is_none() {
                        let soon = after(
                            now,
                            self.chance.lasting(Duration::from_secs(5), TIME_TAKES * 200),
                        );
                        self.time_at = Some(self.plan.time_after(soon));
                    }
                    self.run.iter_mut().for_each(Run::clock_was_set);
                }
            }
            DeviceFault::SpoolLost => self.spool_lost_at = Some(now),
            DeviceFault::Kill { mid_write: false } => self.kill(now, None)?,
            DeviceFault::Kill { mid_write: true } => {
                self.armed = Some(Armed::Kill { by: after(now, PATIENCE) });
            }
            DeviceFault::Power { off, cut: cut @ (Cut::MidWrite | Cut::MidUpload), clock } => {
                if cut == Cut::MidUpload
                    && let Some(run) = &self.run
                {
                    run.link.cut_in_upload();
                }
                self.armed = Some(Armed::Power { off, clock, cut, by: after(now, PATIENCE) });
            }
            DeviceFault::Power { off, cut, clock } => {
                self.run = None;
                if cut == Cut::Plain {
                    return self.cut(now, off, clock, None, "");
                }
                let before = self.waiting()?;
                let card = Card::read(&self.folder)?;
                let Cut::Damage(loss) = cut else { return Ok(()) };
                let card = card.without(loss, &mut self.chance);
                self.life.damaged = true;
                let how = format!("the card loses pages of the spool: {loss:?}");
                self.cut(now, off, clock, Some(&card), &how)?;
                let after = self.waiting()?;
                let lost: Vec<_> =
                    before.into_iter().filter(|uuid| !after.contains(uuid)).collect();
                if !lost.is_empty() {
                    self.life.say(now, format!("measurements lost with it: {}", lost.len()));
                }
                self.life.lost.extend(lost);
            }
        }
        Ok(())
    }

    /// When its daemons may end next.
    fn ends_at(&self) -> Timestamp {
        let rest = self.plan.events[self.next_event..].iter();
        let mut ends = rest.filter(|(_, fault)| {
            !matches!(fault, DeviceFault::Step { .. } | DeviceFault::SpoolLost)
        });
        ends.next().map_or(Timestamp::MAX, |(at, _)| *at)
    }

    fn start(&mut self, now: Timestamp, url: &str) -> Result<()> {
        self.starts_at = None;
        let seed = self.chance.number().into();
        let chance = Chance::new(seed, 7);
        let link = Link::new(
            url,
            self.clock.clone(),
            self.folder.clone(),
            (self.plan.offline.clone(), self.sky.clone()),
            chance,
            self.seat.clone(),
        );
        if let Some(Armed::Power { cut: Cut::MidUpload, .. }) = self.armed {
            link.cut_in_upload();
        }
        let tries = Tries::in_folder(&self.folder);
        let mut heads = WallHeads::new(self.meters.clone(), self.clock.clone(), tries);
        heads.end = self.ends_at();
        let meters: Vec<_> = self.meters.iter().map(|(meter, _)| meter.clone()).collect();
        let config = self.config(url, &meters);
        let around = (link, self.uuid, Chance::new(seed, 8));
        let run = Run::start(&config, meters, heads, &self.clock, around)?;
        self.look_at_certificate(now)?;
        for noted in run.spool().notices()? {
            self.life.say(now, format!("notice: {:?}, {}", noted.notice, noted.detail));
        }
        self.run = Some(run);
        Ok(())
    }

    fn config(&self, url: &str, meters: &[ConfiguredMeter]) -> DeviceConfig {
        let Files { ca, certificate, key } = self.files.clone();
        let api = Api::new(url.to_owned(), ca, certificate, key);
        let entry = |meter: &ConfiguredMeter| {
            let model = meter.model().map(|model| model.name.clone());
            MeterEntry::new(meter.uuid, model.unwrap_or_default(), meter.port.clone())
        };
        DeviceConfig::new(self.folder.clone(), api, meters.iter().map(entry).collect())
    }

    fn step(&mut self, now: Timestamp) -> Result<()> {
        let Some(run) = &mut self.run else { return Ok(()) };
        if run.next() > now {
            return Ok(());
        }
        let tears = matches!(
            self.armed,
            Some(Armed::Kill { .. } | Armed::Power { cut: Cut::MidWrite, .. })
        );
        let before = if tears { Some(Card::read(&self.folder)?) } else { None };
        let stepped = run.step(&mut self.chance);
        let in_upload = run.link.take_cut();
        let torn = match before {
            Some(before) => {
                let later = Card::read(&self.folder)?;
                (later != before).then(|| before.torn(&later, &mut self.chance))
            }
            None => None,
        };
        if let Some(Permission::Granted) = stepped.permission {
            self.life.hears_of_consent(now);
        }
        if let Some(until) = stepped.certificate {
            self.expires_at = Some(until).filter(|until| *until > now);
            self.enrolled_at = None;
        }
        // What was being written when the power went may be there or not.
        self.life.hear(now, stepped, torn.is_none());
        match (self.armed, torn, in_upload) {
            (Some(Armed::Power { off, clock, .. }), Some(card), _) => {
                self.cut(now, off, clock, Some(&card), "in the midst of a write")
            }
            (Some(Armed::Power { off, clock, .. }), _, Some(card)) => {
                self.cut(now, off, clock, Some(&card), "in the midst of an upload")
            }
            (Some(Armed::Kill { .. }), Some(card), _) => self.kill(now, Some(&card)),
            _ => Ok(()),
        }
    }

    /// The end: what is left in its spool.
    ///
    /// # Errors
    /// The spool's.
    pub fn finish(&mut self) -> Result<Spool> {
        self.end_run();
        Ok(Spool::open(&self.folder)?)
    }
}
