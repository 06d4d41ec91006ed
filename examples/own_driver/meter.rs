//! An imaginary meter: it counts, answers what it is asked, and wants a PIN for its details.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ebp_meter::virtual_meter::{Pty, PtyError};

use super::dialogue::{Line, Lines, OK, PIN, READ, WRONG, line};

/// The meter; its clones are the same meter.
#[derive(Clone)]
pub struct ImaginaryMeter(Arc<Mutex<State>>);

struct State {
    pin: &'static str,
    is_open: bool,
    tenth_watt_hours: u64,
    lines: Lines,
    pins_heard: u64,
    wrong_pins: u64,
}

impl ImaginaryMeter {
    /// A meter with that PIN.
    pub fn new(pin: &'static str, is_open: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            pin,
            is_open,
            tenth_watt_hours: 123_456_789,
            lines: Lines::default(),
            pins_heard: 0,
            wrong_pins: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears bytes; what it answers.
    pub fn hear(&self, bytes: &[u8]) -> Vec<u8> {
        let mut state = self.lock();
        let heard = state.lines.push(bytes);
        let mut answers = Vec::new();
        for heard in heard {
            let Line::Good(body) = heard else { continue };
            if body == READ {
                answers.extend(line(&state.registers()));
            } else if let Some(pin) = body.strip_prefix(PIN) {
                answers.extend(line(state.enter(pin)));
            }
        }
        answers
    }

    /// How many PINs were entered, and how many of them wrong.
    pub fn pins(&self) -> (u64, u64) {
        let state = self.lock();
        (state.pins_heard, state.wrong_pins)
    }

    /// Answers at a pseudoterminal until it is stopped.
    ///
    /// # Errors
    /// Those of the pseudoterminal.
    pub fn live(&self, pty: &Pty, stop: &AtomicBool) -> Result<(), PtyError> {
        let mut buffer = [0; 256];
        while !stop.load(Ordering::Relaxed) {
            let count = pty.receive(&mut buffer, Duration::from_millis(50))?;
            let answer = self.hear(&buffer[..count]);
            if !answer.is_empty() {
                thread::sleep(Duration::from_millis(20));
                pty.send(&answer)?;
            }
        }
        Ok(())
    }
}

impl State {
    fn registers(&mut self) -> String {
        self.tenth_watt_hours += 1;
        match self.is_open {
            true => format!("DATA 00712345 e {} p 417", self.tenth_watt_hours),
            false => format!("DATA 00712345 k {}", self.tenth_watt_hours / 10_000),
        }
    }

    fn enter(&mut self, pin: &str) -> &'static str {
        self.pins_heard += 1;
        if pin == self.pin {
            self.is_open = true;
            return OK;
        }
        self.wrong_pins += 1;
        WRONG
    }
}
