//! One run of a device's two daemons: those of `ebp read --every` and `ebp transmit --every`
//! ([`ebp_device::daemon`]), stepped instead of waited for.
//!
//! Enters: a device's configuration, clock and network, instants. Leaves: events, and when to step
//! again. Absent: power.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use ebp_client::ClientError;
use ebp_core::{clock::SimulatedClock, contract::Consent, cycle::Cycle, phrase::counted};
use ebp_device::{
    config::DeviceConfig,
    connection::DeviceApi,
    daemon::{Answer, AskConsent, Measuring, MeasuringEvent, Reporting},
    device::{Device, DeviceError},
    spool::Spool,
    transmitter::{ReportOutcome, Schedule},
};
use ebp_meter::aggregator::ConfiguredMeter;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    chance::{Chance, after},
    heads::WallHeads,
    link::Link,
    step::Stepped,
};

/// How often a waiting daemon looks at the clock.
const LOOK: Duration = Duration::from_secs(1);

/// Both daemons at work.
pub struct Run {
    clock: Arc<SimulatedClock>,
    /// The way to the Data API.
    pub link: Link,
    reader: Reader,
    sender: Sender,
}

struct Reader {
    device: Device,
    daemon: Measuring<WallHeads, LateAnswer>,
    next: Timestamp,
    is_over: bool,
}

struct Sender {
    device: Device,
    daemon: Reporting,
    next: Timestamp,
    is_over: bool,
}

/// Asks for consent; the answer takes a while.
struct LateAnswer {
    clock: Arc<SimulatedClock>,
    chance: Chance,
    answer: Option<(Timestamp, Result<Consent, ClientError>)>,
}

impl LateAnswer {
    fn due(&self) -> Option<Timestamp> {
        self.answer.as_ref().map(|(at, _)| *at)
    }
}

impl AskConsent for LateAnswer {
    fn ask(&mut self, api: &Arc<dyn DeviceApi>) {
        let answer = api.consent();
        // None takes longer than an attempt that fails.
        let longest = if answer.is_ok() { 900 } else { 10_000 };
        let takes = Duration::from_millis(self.chance.between(20, longest));
        self.answer = Some((after(self.clock.truth(), takes), answer));
    }

    fn answer(&mut self) -> Option<Answer> {
        let now = self.clock.truth();
        let (_, answer) = self.answer.take_if(|(at, _)| *at <= now)?;
        Some(Answer::Heard(answer))
    }
}

impl Run {
    /// Starts both, for a device of that identifier.
    ///
    /// # Errors
    /// If the device cannot be opened.
    pub fn start(
        config: &DeviceConfig,
        meters: Vec<ConfiguredMeter>,
        heads: WallHeads,
        clock: &Arc<SimulatedClock>,
        (link, uuid, chance): (Link, Uuid, Chance),
    ) -> Result<Self> {
        let now = clock.truth();
        let open = || -> Result<Device, DeviceError> {
            Device::open_with(config.clone(), clock.clone(), Arc::new(link.clone()))
        };
        let device = open()?;
        let asking = LateAnswer { clock: clock.clone(), chance, answer: None };
        let daemon = Measuring::new(&device, meters, heads, asking)?;
        let reader = Reader { device, daemon, next: now, is_over: false };
        let device = open()?;
        device.spool.note_component("transmitter", env!("CARGO_PKG_VERSION"))?;
        let schedule = Schedule::for_device(uuid, Cycle::HOUR);
        let daemon = Reporting::with_schedule(&device, schedule)?;
        let sender = Sender { device, daemon, next: now, is_over: false };
        Ok(Self { clock: clock.clone(), link, reader, sender })
    }

    /// When one of them has something to do.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        self.reader.next().min(self.sender.next())
    }

    /// The clock was set: both look at it within a second.
    pub fn clock_was_set(&mut self) {
        let soon = after(self.clock.truth(), LOOK);
        self.reader.next = self.reader.next.min(soon);
        self.sender.next = self.sender.next.min(soon);
    }

    /// Nothing that the heads do now reaches beyond that instant.
    pub const fn ends_at(&mut self, end: Timestamp) {
        self.reader.daemon.heads_mut().end = end;
    }

    /// What waits in the spool.
    pub const fn spool(&self) -> &Spool {
        &self.sender.device.spool
    }

    /// Does what is due.
    pub fn step(&mut self, chance: &mut Chance) -> Stepped {
        let now = self.clock.truth();
        let mut stepped = Stepped::default();
        if self.reader.next() <= now {
            self.reader.step(now, &mut stepped);
        }
        if self.sender.next() <= now {
            self.sender.step(now, chance.number(), &mut stepped);
        }
        stepped
    }
}

impl Reader {
    fn step(&mut self, now: Timestamp, stepped: &mut Stepped) {
        let step = self.daemon.step(&mut self.device);
        for event in step.events {
            match event {
                // Nothing listens to outputs here.
                MeasuringEvent::Heard(..) => {}
                MeasuringEvent::Meter(meter, event) => stepped.events.push((meter, event)),
                MeasuringEvent::Placed(count) => stepped.placed += count,
                MeasuringEvent::Consent(permission, _) => stepped.permission = Some(permission),
                MeasuringEvent::ConsentNotKept(error) => {
                    stepped.lines.push(format!("an answer about consent is not kept: {error}"));
                }
                MeasuringEvent::Certificate(certificate) => {
                    stepped.hear_certificate(Ok(certificate));
                }
                MeasuringEvent::NotRenewed(error) => stepped.hear_certificate(Err(error)),
                // The devices here have no pages.
                MeasuringEvent::Frontend(_)
                | MeasuringEvent::FrontendNotRenewed(_)
                | MeasuringEvent::ErrorOfAnother(_) => {}
                MeasuringEvent::NoSocket(error) => stepped.lines.push(error.to_string()),
                MeasuringEvent::SpoolReopened => {
                    stepped.reopened += 1;
                    stepped.lines.push("the reader opens its spool again".to_owned());
                }
            }
        }
        stepped.is_revoked |= step.is_over;
        self.is_over |= step.is_over;
        self.next = after(now, step.next.max(Duration::from_micros(100)));
    }

    fn next(&self) -> Timestamp {
        if self.is_over {
            return Timestamp::MAX;
        }
        let waited_for = [self.daemon.asking().due(), self.daemon.heads().next()];
        waited_for.into_iter().flatten().fold(self.next, Timestamp::min)
    }
}

impl Sender {
    fn step(&mut self, now: Timestamp, random: u32, stepped: &mut Stepped) {
        let step = self.daemon.step(&mut self.device, random);
        if let Some(certificate) = step.certificate {
            stepped.hear_certificate(certificate);
        }
        let is_due = step.outcome.is_some();
        match step.outcome {
            Some(Ok(ReportOutcome::Over)) => {
                stepped.lines.push("consent is revoked: the sender ends".to_owned());
            }
            Some(Ok(ReportOutcome::Reported(done))) => {
                let all = done.measurements;
                stepped.lines.push(format!(
                    "sent {}, {} there already, {} refused, still waiting: {}",
                    counted(all.accepted, "measurement"),
                    all.duplicate,
                    all.refused,
                    all.remaining
                ));
            }
            Some(Ok(ReportOutcome::Failed { source, .. })) => {
                stepped.lines.push(format!("not sent: {source}"));
            }
            Some(Ok(ReportOutcome::Unanswered { .. })) => {
                stepped.lines.push("unanswered".to_owned())
            }
            Some(Err(error)) => {
                stepped.lines.push(format!("the spool fails the sender: {error}"));
            }
            Some(Ok(ReportOutcome::NotGranted | ReportOutcome::NotDue)) | None => {}
        }
        stepped.is_revoked |= step.is_over;
        self.is_over |= step.is_over;
        let least = if is_due { LOOK } else { Duration::ZERO };
        self.next = after(now, step.next.clamp(least, Duration::from_secs(3600)));
    }

    const fn next(&self) -> Timestamp {
        if self.is_over { Timestamp::MAX } else { self.next }
    }
}
