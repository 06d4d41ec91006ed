//! The measuring daemon: one measurement of every configured meter in each slot, into the spool.

use std::time::Duration;

use ebp_client::ClientError;
use ebp_core::{contract::ReportedErrorGroup, model::ConsentState};
use ebp_meter::aggregator::{
    Aggregator, ConfiguredMeter, Event, Heads, MeasureError, Options, Permission, Step,
};

use jiff::Timestamp;

use super::{
    ask::{self, AskConsent},
    quiet::Quiet,
};
use crate::{
    config::DeviceConfig,
    consent::{Decision, Gate},
    device::{Certificate, Device, DeviceError},
    keeper::SpoolKeeper,
    socket::{Answer, HeardTelegram, LiveHeads, Reason, Request, Socket, SocketError, status},
    spool::SpoolError,
};

/// Renewing the certificate may take as long as the network's timeout, so it is done only if
/// nothing else is due within this time.
const ROOM_FOR_RENEWAL: Duration = Duration::from_secs(120);

/// An event of the measuring daemon.
#[derive(Debug)]
pub enum MeasuringEvent {
    /// An event of the meter with that index in the configuration, or of no meter.
    Meter(Option<usize>, Event<SpoolError>),
    /// The meter with that index in the configuration sent a telegram, in the cycle or in between: only
    /// with [`Measuring::listen_every`].
    Heard(usize, HeardTelegram),
    /// That many measurements from before the clock was right have got their time.
    Placed(u64),
    /// Consent was checked: the decision, and why the server could not be asked.
    Consent(Permission, Option<Box<ClientError>>),
    /// Consent was checked, but the spool could not store the answer: nothing is measured.
    ConsentNotKept(SpoolError),
    /// The certificate was renewed.
    Certificate(Certificate),
    /// The certificate was not renewed.
    NotRenewed(DeviceError),
    /// The device's page has another certificate, which is valid until then.
    Frontend(Timestamp),
    /// The certificate of the device's page was not renewed, or its sign-in code not asked for.
    FrontendNotRenewed(DeviceError),
    /// The spool's file was damaged or gone, and was opened again.
    SpoolReopened,
    /// The local socket cannot be used.
    NoSocket(SocketError),
    /// Another program of the device told of a group of its errors.
    ErrorOfAnother(Box<ReportedErrorGroup>),
}

/// The result of a step.
#[derive(Debug)]
pub struct MeasuringStep {
    /// What happened, in order.
    pub events: Vec<MeasuringEvent>,
    /// Step again after that time at the latest, and as soon as a head or the Data API reports.
    pub next: Duration,
    /// Consent is revoked for good: nothing is measured any more.
    pub is_over: bool,
}

/// The measuring daemon.
pub struct Measuring<H, A> {
    engine: Aggregator,
    heads: LiveHeads<H>,
    asking: A,
    renewal_is_due: bool,
    permission: Permission,
    quiet: Quiet,
    socket: Option<Socket>,
}

impl<H: Heads, A: AskConsent> Measuring<H, A> {
    /// A daemon for those meters, which measures at once if the device remembers that consent was
    /// granted.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read.
    pub fn new(
        device: &Device,
        meters: Vec<ConfiguredMeter>,
        heads: H,
        asking: A,
    ) -> Result<Self, SpoolError> {
        let mut engine = Aggregator::new(meters, options(&device.config, false));
        let known = device.spool.consent()?;
        let permission = permission(known.map(|known| known.state));
        engine.remember_consent(permission);
        let heads = LiveHeads::new(heads, engine.meters().iter().map(|meter| meter.uuid).collect());
        let (renewal_is_due, quiet) = (true, Quiet::default());
        Ok(Self { engine, heads, asking, renewal_is_due, permission, quiet, socket: None })
    }

    /// Sets the socket at which requests are answered.
    pub fn answer_at(&mut self, socket: Socket) {
        self.socket = Some(socket);
    }

    /// Reads each meter that often between the cycle's readings, if the cycle leaves room, and returns
    /// each telegram as an event.
    pub fn listen_every(&mut self, interval: Duration, cycle: Duration) {
        let pinned = self.engine.meters().iter().map(|meter| meter.pinned().clone());
        self.heads.listen_every(interval, cycle, pinned);
    }

    /// The meters, in the order of their indices.
    #[must_use]
    pub fn meters(&self) -> &[ConfiguredMeter] {
        self.engine.meters()
    }

    /// The reading heads.
    pub const fn heads(&self) -> &H {
        &self.heads.inner
    }

    /// The reading heads, to stop their jobs.
    pub const fn heads_mut(&mut self) -> &mut H {
        &mut self.heads.inner
    }

    /// Asks for consent.
    pub const fn asking(&self) -> &A {
        &self.asking
    }

    /// Does what is due now.
    pub fn step(&mut self, device: &mut Device) -> MeasuringStep {
        let mut events = Vec::new();
        if let Some(answer) = self.asking.answer() {
            self.hear(answer, device, &mut events);
        }
        let step =
            self.engine.step(&*device.clock, &mut SpoolKeeper(&device.spool), &mut self.heads);
        let is_revoked = step.events.iter().any(|(_, event)| tells_of_revocation(event));
        if step.events.iter().any(|(_, event)| wants_reopening(event)) {
            device.reopen_spool();
            events.push(MeasuringEvent::SpoolReopened);
        }
        events.extend(step.events.into_iter().map(|(of, event)| MeasuringEvent::Meter(of, event)));
        let heard = self.heads.take_heard();
        events.extend(heard.map(|(meter, telegram)| MeasuringEvent::Heard(meter, telegram)));
        if step.placed > 0 {
            events.push(MeasuringEvent::Placed(step.placed));
        }
        if step.is_over || is_revoked {
            self.permission = Permission::Revoked;
            self.answer_requests(device, Duration::ZERO, &mut events);
            return MeasuringStep { events, next: Duration::MAX, is_over: true };
        }
        if step.ask_consent {
            if self.quiet.holds(device.clock.since_boot()) {
                // What another process heard meanwhile counts.
                self.hear(ask::Answer::NotAsked, device, &mut events);
            } else {
                self.asking.ask(device.api());
                self.renewal_is_due = true;
            }
        }
        self.answer_requests(device, step.next, &mut events);
        let mut next = step.next;
        if self.permission == Permission::Granted {
            next = next.min(self.heads.begin_due(step.next, &*device.clock));
        }
        let cycle = device.config.cycle.measurement.duration();
        if self.renewal_is_due && next > ROOM_FOR_RENEWAL.min(cycle / 2) {
            self.renewal_is_due = false;
            // Renewing takes time.
            next = Duration::ZERO;
            match device.keep_identity() {
                Ok(Certificate::Unchanged) => {}
                Ok(changed) => events.push(MeasuringEvent::Certificate(changed)),
                Err(error) => events.push(MeasuringEvent::NotRenewed(error)),
            }
            match device.keep_frontend() {
                Ok(None) => {}
                Ok(Some(until)) => events.push(MeasuringEvent::Frontend(until)),
                Err(error) => events.push(MeasuringEvent::FrontendNotRenewed(error)),
            }
        }
        MeasuringStep { events, next, is_over: false }
    }

    /// Processes an answer about consent.
    fn hear(&mut self, answer: ask::Answer, device: &mut Device, events: &mut Vec<MeasuringEvent>) {
        if let ask::Answer::Heard(answer) = &answer {
            self.quiet.hear(answer, device.clock.since_boot());
        }
        let decided = match answer {
            ask::Answer::Heard(answer) => Gate::decide(&device.spool, || answer, &*device.clock)
                .map(|decision| match decision {
                    Decision::Granted { unasked, .. } => (Permission::Granted, unasked),
                    Decision::NotGranted => (Permission::NotGranted, None),
                    Decision::Unknown(error) => (Permission::Unknown, Some(Box::new(error))),
                    Decision::Revoked => (Permission::Revoked, None),
                }),
            ask::Answer::NotAsked => device
                .spool
                .consent()
                .map(|known| (permission(known.map(|known| known.state)), None)),
        };
        let permission = match decided {
            Ok((permission, unasked)) => {
                events.push(MeasuringEvent::Consent(permission, unasked));
                permission
            }
            // A revocation may not have been stored: nothing is measured until it can be.
            Err(error) => {
                let reopen = error.wants_reopening();
                events.push(MeasuringEvent::ConsentNotKept(error));
                if reopen {
                    device.reopen_spool();
                    events.push(MeasuringEvent::SpoolReopened);
                }
                Permission::Unknown
            }
        };
        self.permission = permission;
        self.engine.hear_consent(permission, &*device.clock);
    }

    /// Answers the requests at the socket. The engine needs no head for `room`.
    fn answer_requests(
        &mut self,
        device: &Device,
        room: Duration,
        events: &mut Vec<MeasuringEvent>,
    ) {
        if self.permission != Permission::Granted {
            self.heads.forbid();
        }
        while let Some(asked) = self.socket.as_ref().and_then(Socket::next) {
            match &asked.request {
                Request::Status {} => {
                    let answer = match status(device) {
                        Ok(status) => Answer::Status(Box::new(status)),
                        Err(error) => Answer::refuse(Reason::Spool, error.to_string()),
                    };
                    asked.answer(answer);
                }
                Request::Now { .. } if self.permission != Permission::Granted => {
                    asked.answer(Answer::refuse(Reason::NoConsent, "consent is not granted"));
                }
                Request::Error { group } => {
                    events.push(MeasuringEvent::ErrorOfAnother(group.clone()));
                    asked.answer(Answer::Taken {});
                }
                &Request::Now { meter } => match self.heads.index(meter) {
                    Some(index) => self.heads.ask(index, asked, room, &*device.clock),
                    None => {
                        let detail = format!("this device reads no meter {meter}");
                        asked.answer(Answer::refuse(Reason::UnknownMeter, detail));
                    }
                },
            }
        }
    }
}

/// One measurement cycle of a device that may measure.
pub struct OneCycle<H> {
    engine: Aggregator,
    heads: H,
}

impl<H: Heads> OneCycle<H> {
    /// A cycle over those meters. Call [`Device::may_measure`] first: consent is not checked here.
    pub fn new(device: &Device, meters: Vec<ConfiguredMeter>, heads: H) -> Self {
        let mut engine = Aggregator::new(meters, options(&device.config, true));
        engine.remember_consent(Permission::Granted);
        Self { engine, heads }
    }

    /// The meters, in the order of their indices.
    #[must_use]
    pub fn meters(&self) -> &[ConfiguredMeter] {
        self.engine.meters()
    }

    /// The reading heads, to stop their jobs.
    pub const fn heads_mut(&mut self) -> &mut H {
        &mut self.heads
    }

    /// Does what is due now.
    pub fn step(&mut self, device: &Device) -> Step<SpoolError> {
        self.engine.step(&*device.clock, &mut SpoolKeeper(&device.spool), &mut self.heads)
    }
}

fn options(config: &DeviceConfig, once: bool) -> Options {
    let cycle = &config.cycle;
    Options {
        cycle: cycle.measurement,
        timeout: cycle.timeout,
        unlock_after: cycle.unlock_after,
        incident_after: cycle.incident_after,
        once,
    }
}

/// What a stored answer permits.
const fn permission(state: Option<ConsentState>) -> Permission {
    match state {
        None => Permission::Unknown,
        Some(ConsentState::NotGranted) => Permission::NotGranted,
        Some(ConsentState::Granted) => Permission::Granted,
        Some(ConsentState::Revoked) => Permission::Revoked,
    }
}

/// Whether the spool shows that another process of this device received a revocation.
const fn tells_of_revocation(event: &Event<SpoolError>) -> bool {
    matches!(
        event,
        Event::Failed(MeasureError::Keep(SpoolError::Revoked { .. }))
            | Event::NotKept(SpoolError::Revoked { .. })
    )
}

/// Whether opening the spool again helps.
const fn wants_reopening(event: &Event<SpoolError>) -> bool {
    match event {
        Event::Failed(MeasureError::Keep(error)) | Event::NotKept(error) => error.wants_reopening(),
        _ => false,
    }
}
