//! A line to a virtual meter, in memory and in simulated time: it pushes its telegrams or answers
//! requests, and takes light as zero bytes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use ebp_core::clock::{BootId, Clock, DeviceClock};
use ebp_meter::{
    pace::Pace,
    port::{LineSettings, Port, PortError, PortName, Received},
    virtual_meter::VirtualMeter,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// How long a meter that was asked waits before it answers.
const REACTION: Duration = Duration::from_millis(200);
/// How long it waits for the acknowledgement of the speed that it offers.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_millis(1_500);

struct State {
    meter: VirtualMeter,
    now: Duration,
    /// When the next telegram is pushed.
    push: Option<Duration>,
    /// Registers that wait for an acknowledgement, and until when.
    offered: Option<(Duration, Vec<u8>)>,
    /// What is on the line, and when it is there.
    bytes: VecDeque<(Duration, u8)>,
    is_silent: bool,
}

/// The line; its clones are the same line.
#[derive(Clone)]
pub struct Line {
    state: Arc<Mutex<State>>,
}

impl Line {
    pub fn new(meter: VirtualMeter, is_silent: bool) -> Self {
        let push = meter.profile().line.push_interval();
        let (now, bytes) = (Duration::from_secs(1000), VecDeque::new());
        let push = push.map(|every| now + every / 2);
        let state = State { meter, now, push, offered: None, bytes, is_silent };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How many wrong PINs the meter has counted.
    pub fn wrong_pins(&self) -> u64 {
        let mut state = self.lock();
        state.meter.button_mut().map_or(0, |button| button.lock().wrong_pins().into())
    }

    /// Opens a port on it; what came before is gone.
    pub fn port(&self, name: &PortName) -> Box<dyn Port> {
        self.lock().bytes.clear();
        Box::new(LinePort { line: self.clone(), name: name.clone() })
    }
}

impl State {
    /// Time passes until then, and what happens meanwhile does.
    fn go(&mut self, to: Duration) {
        while let Some(at) = self.next_event().filter(|at| *at <= to) {
            self.pass(at);
            self.happen();
        }
        self.pass(to);
    }

    fn pass(&mut self, to: Duration) {
        if to > self.now {
            self.meter.advance(to - self.now);
            self.now = to;
        }
        self.meter.light(self.now, &[]);
    }

    fn next_event(&self) -> Option<Duration> {
        let late = self.offered.as_ref().map(|(until, _)| *until);
        [self.push, late].into_iter().flatten().min()
    }

    fn happen(&mut self) {
        let line = self.meter.profile().line.clone();
        if self.push.is_some_and(|at| at <= self.now) {
            self.push = line.push_interval().map(|every| self.now + every);
            let telegram = self.meter.telegram().unwrap();
            self.send(&telegram, line.baud);
        }
        if let Some((_, registers)) = self.offered.take_if(|(until, _)| *until <= self.now) {
            self.send(&registers, line.baud);
        }
    }

    /// Light has come: a press, a request, an acknowledgement.
    fn hear(&mut self, bytes: &[u8]) {
        self.meter.light(self.now, bytes);
        let line = self.meter.profile().line.clone();
        if self.meter.take_request() {
            let telegram = self.meter.telegram().unwrap();
            let name = telegram.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let (name, registers) = telegram.split_at(name);
            self.send(name, line.baud);
            let heard = self.bytes.back().map_or(self.now, |(at, _)| *at);
            match line.reply_baud {
                Some(_) => self.offered = Some((heard + ACKNOWLEDGED_WITHIN, registers.to_vec())),
                None => self.send(registers, line.baud),
            }
        }
        if let Some(speed) = self.meter.take_acknowledgement()
            && let Some((_, registers)) = self.offered.take()
        {
            self.send(&registers, speed);
        }
    }

    fn send(&mut self, bytes: &[u8], baud: u32) {
        if self.is_silent {
            return;
        }
        let byte = Duration::from_secs(10) / baud;
        let free = self.bytes.back().map_or(Duration::ZERO, |(at, _)| *at);
        let asked = if self.push.is_none() { REACTION } else { Duration::ZERO };
        let mut at = free.max(self.now + asked);
        for sent in bytes {
            at += byte;
            self.bytes.push_back((at, *sent));
        }
    }
}

struct LinePort {
    line: Line,
    name: PortName,
}

impl Port for LinePort {
    fn name(&self) -> &PortName {
        &self.name
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError> {
        let mut state = self.line.lock();
        let deadline = state.now + wait;
        loop {
            let mut count = 0;
            while let Some((at, byte)) = state.bytes.front().copied()
                && at <= state.now
                && count < buffer.len()
            {
                buffer[count] = byte;
                count += 1;
                state.bytes.pop_front();
            }
            if count > 0 {
                return Ok(Received::Bytes(count));
            }
            if state.now >= deadline {
                return Ok(Received::Nothing);
            }
            let arrives = state.bytes.front().map(|(at, _)| *at);
            let next = [arrives, state.next_event()].into_iter().flatten().min();
            let to = next.unwrap_or(deadline).min(deadline);
            state.go(to);
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.line.lock().hear(bytes);
        Ok(())
    }

    fn set_line(&mut self, _: LineSettings) -> Result<bool, PortError> {
        Ok(true)
    }

    fn set_light(&mut self, _: bool) -> Result<bool, PortError> {
        Ok(false)
    }

    fn is_live(&self) -> bool {
        true
    }
}

impl Pace for Line {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn sleep_until(&self, at: Duration) {
        let mut state = self.lock();
        let to = at.max(state.now);
        state.go(to);
    }
}

impl Clock for Line {
    fn now(&self) -> Timestamp {
        let since = SignedDuration::try_from(self.lock().now).unwrap();
        Timestamp::from_second(1_790_000_000).unwrap() + since
    }
}

impl DeviceClock for Line {
    fn boot(&self) -> BootId {
        BootId(Uuid::nil())
    }

    fn since_boot(&self) -> Duration {
        self.lock().now
    }

    fn synchronised(&self) -> bool {
        true
    }
}
