//! A world in simulated time: a strict lock, a port that leads light to it, and telegrams that are
//! made of its profile. A minute's plan takes microseconds here.

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ebp_core::clock::Clock;
use ebp_meter::{
    pace::Pace,
    port::{LineSettings, Port, PortError, PortName, Received},
    profile::{Profile, Profiles},
    readout::{Entry, Integrity, Protocol, Readout, ServerId, Value},
    unlock::{
        AskItem, Attempt, Head, Link, Pin, Progress, Stepped, Tries, UnlockError, UnlockOptions,
        Unlocked,
    },
    virtual_meter::{Lock, LockOptions, light::LightReceiver},
};
use jiff::Timestamp;

/// What the port is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Break,
    ZeroBytes,
    /// Break, on a head that shines while the line is idle.
    Inverted,
}

pub struct Inner {
    pub now: Duration,
    pub lock: Lock,
    receiver: LightReceiver,
    way: Way,
    pub line_break: bool,
    /// The port fails from this many presses on.
    pub fails_after: Option<usize>,
    pub presses: usize,
    pub silent: bool,
    /// Reading fails while light is on.
    pub deaf_in_light: bool,
    pub anonymous: bool,
    /// The details have no power.
    pub operator_off: bool,
    /// Every other telegram has no power.
    pub every_other: bool,
    telegrams: usize,
    /// So much noise comes in while light is on.
    pub echo: bool,
    pub echo_heard: usize,
}

impl Inner {
    fn go(&mut self, to: Duration) {
        self.now = self.now.max(to);
        if self.way == Way::ZeroBytes {
            for event in self.receiver.poll(self.now) {
                self.lock.light(event.on, event.at);
            }
        }
        self.lock.advance(self.now);
    }
}

#[derive(Clone)]
pub struct World {
    inner: Arc<Mutex<Inner>>,
    pub profile: Profile,
    pub name: PortName,
    pub stop: Arc<AtomicBool>,
    pub head: Head,
}

impl World {
    /// A unit of that model; `truth` is what the unit takes, where it differs from its model.
    pub fn new(profile: &Profile, truth: &Profile, pin: &str, options: LockOptions) -> Self {
        let lock = Lock::new(truth, pin.parse().unwrap(), options).unwrap();
        let inner = Inner {
            now: Duration::from_secs(1000),
            lock,
            receiver: LightReceiver::new(profile.line.baud),
            way: Way::Break,
            line_break: false,
            fails_after: None,
            presses: 0,
            silent: false,
            deaf_in_light: false,
            anonymous: false,
            operator_off: false,
            every_other: false,
            telegrams: 0,
            echo: false,
            echo_heard: 0,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            profile: profile.clone(),
            name: PortName::Path("/dev/ttySIM0".into()),
            stop: Arc::default(),
            head: Head::on(profile.line.settings()),
        }
    }

    pub fn for_model(model: &str, pin: &str) -> Self {
        let profiles = Profiles::embedded();
        let profile = profiles.get(model).unwrap();
        Self::new(profile, profile, pin, LockOptions::default())
    }

    pub fn by(self, way: Way) -> Self {
        self.lock().way = way;
        self
    }

    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub fn pass(&self, time: Duration) {
        let mut inner = self.lock();
        let to = inner.now + time;
        inner.go(to);
    }

    pub fn options(&self) -> UnlockOptions {
        UnlockOptions::default()
    }

    /// One run of the program.
    pub fn run(
        &self,
        pin: &str,
        tries: &Tries,
        options: &UnlockOptions,
    ) -> (Result<Unlocked, UnlockError>, Vec<Progress>) {
        self.run_with(pin, tries, options, |_| {})
    }

    pub fn run_with(
        &self,
        pin: &str,
        tries: &Tries,
        options: &UnlockOptions,
        on: impl FnMut(&Progress),
    ) -> (Result<Unlocked, UnlockError>, Vec<Progress>) {
        self.attempt(tries, options, on, |attempt, link, progress| {
            attempt.run(link, &pin.parse().unwrap(), progress)
        })
    }

    /// One run of `--step`.
    pub fn step(
        &self,
        pin: &str,
        tries: &Tries,
        options: &UnlockOptions,
        owner: &mut dyn AskItem,
    ) -> (Result<Stepped, UnlockError>, Vec<Progress>) {
        self.attempt(
            tries,
            options,
            |_| {},
            |attempt, link, progress| {
                let pin: Pin = pin.parse().unwrap();
                attempt.run_with_owner(link, &pin, owner, progress)
            },
        )
    }

    fn attempt<T>(
        &self,
        tries: &Tries,
        options: &UnlockOptions,
        mut on: impl FnMut(&Progress),
        run: impl FnOnce(&Attempt<'_>, &mut dyn Link, &mut dyn FnMut(Progress)) -> T,
    ) -> (T, Vec<Progress>) {
        let mut seen = Vec::new();
        let attempt = Attempt {
            profile: &self.profile,
            tries,
            clock: self,
            pace: self,
            head: self.head,
            options,
            stop: &self.stop,
        };
        let mut link =
            SimLink { port: SimPort(self.clone()), world: self.clone(), heard: Vec::new() };
        let result = run(&attempt, &mut link, &mut |progress| {
            on(&progress);
            seen.push(progress);
        });
        self.stop.store(false, Ordering::Relaxed);
        assert!(!self.is_lit(), "the light was left on");
        (result, seen)
    }

    /// Whether light falls on the meter now.
    pub fn is_lit(&self) -> bool {
        let inner = self.lock();
        match inner.way {
            Way::Break => inner.line_break,
            Way::Inverted => !inner.line_break,
            Way::ZeroBytes => false,
        }
    }

    fn readout(&self) -> Readout {
        let mut inner = self.lock();
        inner.telegrams += 1;
        let bare = inner.every_other && inner.telegrams % 2 == 1;
        let registers = self.profile.registers(bare || !inner.lock.is_detailed());
        let entries = registers
            .iter()
            .filter(|register| register.is_number())
            .filter(|register| !(inner.operator_off && register.is_power()))
            .map(|register| Entry {
                obis: register.obis,
                value: Value::Integer(12),
                unit: register.unit,
                scaler: register.scaler.unwrap_or(0),
                status: None,
                time: None,
                corrected: None,
            })
            .collect();
        Readout {
            protocol: Protocol::Sml,
            server_id: (!inner.anonymous).then(|| ServerId(b"\x0a\x01ISK\0\0\0\0\x07"[..].into())),
            manufacturer: None,
            meter_time: None,
            entries,
            unaddressed: Vec::new(),
            integrity: Integrity::Ok,
            bytes: 300,
        }
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        let seconds = Timestamp::from_second(1_790_000_000).unwrap();
        seconds + self.lock().now
    }
}

impl Pace for World {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn sleep_until(&self, at: Duration) {
        self.lock().go(at);
    }
}

pub struct SimPort(pub World);

impl Port for SimPort {
    fn name(&self) -> &PortName {
        &self.0.name
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError> {
        let lit = self.0.is_lit();
        let mut inner = self.0.lock();
        if lit && inner.deaf_in_light {
            let source = std::io::Error::other("deaf");
            return Err(PortError::Io { port: self.0.name.clone(), source });
        }
        let every = self.0.profile.line.push_interval().unwrap().as_nanos();
        let (from, to) = (inner.now, inner.now + wait);
        inner.go(to);
        if !inner.silent && from.as_nanos() / every != to.as_nanos() / every {
            // One byte stands for a telegram.
            buffer[0] = 0x1b;
            return Ok(Received::Bytes(1));
        }
        if inner.echo && (lit || inner.receiver.is_lit()) {
            buffer[0] = 0;
            return Ok(Received::Bytes(1));
        }
        Ok(Received::Nothing)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let mut inner = self.0.lock();
        assert!(bytes.iter().all(|&byte| byte == 0));
        inner.presses += 1;
        if inner.fails_after.is_some_and(|limit| inner.presses > limit) {
            return Err(PortError::Vanished { port: self.0.name.clone() });
        }
        let now = inner.now;
        for event in inner.receiver.received(now, bytes) {
            inner.lock.light(event.on, event.at);
        }
        Ok(())
    }

    fn set_line(&mut self, _: LineSettings) -> Result<bool, PortError> {
        Ok(true)
    }

    fn set_light(&mut self, on: bool) -> Result<bool, PortError> {
        let mut inner = self.0.lock();
        if inner.way == Way::ZeroBytes {
            return Ok(false);
        }
        inner.line_break = on;
        let lit = on != (inner.way == Way::Inverted);
        inner.presses += usize::from(lit);
        let failing = inner.fails_after.is_some_and(|limit| inner.presses > limit);
        if failing && lit {
            // The ioctl is lost, and so is the light.
            inner.line_break = !on;
            return Err(PortError::Vanished { port: self.0.name.clone() });
        }
        let now = inner.now;
        inner.lock.light(lit, now);
        Ok(true)
    }

    fn is_live(&self) -> bool {
        true
    }
}

pub struct SimLink {
    port: SimPort,
    world: World,
    heard: Vec<Readout>,
}

impl Link for SimLink {
    fn port(&mut self) -> &mut dyn Port {
        &mut self.port
    }

    fn line(&self) -> Option<LineSettings> {
        None
    }

    fn hear(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        for byte in bytes {
            if *byte == 0x1b {
                self.heard.push(self.world.readout());
            } else {
                self.world.lock().echo_heard += 1;
            }
        }
        Ok(())
    }

    /// Telegrams on the grid of the model's push interval.
    fn next(&mut self, wait: Duration) -> Result<Option<Readout>, PortError> {
        if !self.heard.is_empty() {
            return Ok(Some(self.heard.remove(0)));
        }
        let every = self.world.profile.line.push_interval().unwrap();
        {
            let mut inner = self.world.lock();
            let passed = inner.now.as_nanos() / every.as_nanos();
            let next = every * u32::try_from(passed + 1).unwrap();
            let until = inner.now + wait;
            inner.go(next.min(until));
            if until < next || inner.silent {
                return Ok(None);
            }
        }
        Ok(Some(self.world.readout()))
    }
}
