//! Sends light with the exact timing of a plan.
//!
//! Enters: a [`Plan`] and a [`Port`]. Leaves: light on the head; what was heard in the pauses.
//! Absent: what the plan is for, and what the telegrams say.
//!
//! Light is binary 0 (IEC 62056-21): a break of 300 ms is a press of 300 ms. If a line supports no
//! break (TCP bridges) or loses it (ptys, which report success), zero bytes are sent without pauses
//! instead: 288 of them at 9600 baud, light for 9 of each 10 bit times.
//! [`crate::virtual_meter::light`] describes how a pty transfers light in time.
//!
//! Each step ends at a deadline reckoned from the step before it, not from when the program woke
//! up, so that lateness does not add up. If the machine was late by more than [`LATE`], the rest of
//! the plan is moved, because meters measure single presses and pauses and not the whole.

use std::{fs, path::Path, time::Duration};

use super::plan::{Plan, Step};
use crate::{
    pace::Pace,
    port::{LineSettings, Port, PortError, PortName, Received},
};

/// How late a step may begin before the rest is moved.
pub const LATE: Duration = Duration::from_millis(20);
/// Before a deadline reading stops, and an exact sleep bridges the rest.
const FINE: Duration = Duration::from_millis(5);
/// How often a stop is looked for in a long pause.
const SLICE: Duration = Duration::from_millis(100);
/// How long after a press its echo may still come in.
const ECHO: Duration = Duration::from_millis(20);

/// How the light is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// By break where the port has one, by zero bytes where it has none or is a pty.
    #[default]
    Auto,
    /// By break.
    Break,
    /// By zero bytes without pauses.
    ZeroBytes,
}

/// How a reading head is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// By what.
    pub method: Method,
    /// Whether the head shines while the line is idle and is dark in a break. Such a head needs a
    /// break to be dark, and leaves it standing between and after the presses.
    pub inverted: bool,
    /// The line's settings, which say how many zero bytes a press takes.
    pub line: LineSettings,
}

impl Head {
    /// A common head on a line with those settings.
    #[must_use]
    pub const fn on(line: LineSettings) -> Self {
        Self { method: Method::Auto, inverted: false, line }
    }

    /// How many zero bytes are as long as that.
    #[must_use]
    pub fn zero_bytes(&self, duration: Duration) -> usize {
        let bits = duration.as_micros() * u128::from(self.line.baud);
        usize::try_from((bits + 5_000_000) / 10_000_000).unwrap_or(usize::MAX).max(1)
    }
}

/// The port on which a plan is executed, with an observer.
pub trait Stage {
    /// The port.
    fn port(&mut self) -> &mut dyn Port;

    /// A step begins.
    fn step(&mut self, step: &Step) {
        let _ = step;
    }

    /// Bytes came in during a pause. What came during a press is the head's own light.
    ///
    /// # Errors
    /// Those of the port, which end the plan.
    fn heard(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let _ = bytes;
        Ok(())
    }

    /// Whether to stop. Asked at least every tenth of a second in pauses and in breaks.
    fn stop(&self) -> bool {
        false
    }
}

/// A port without an observer.
pub struct OnPort<'a>(pub &'a mut dyn Port);

impl Stage for OnPort<'_> {
    fn port(&mut self) -> &mut dyn Port {
        self.0
    }
}

/// The part of a plan that was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Presses that were begun.
    pub presses: usize,
    /// Whether the plan was completed; otherwise it was stopped.
    pub finished: bool,
    /// The latest beginning of a step behind its deadline.
    pub latest: Duration,
}

/// Why a plan could not be executed.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// The port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The port knows no break, which was asked for.
    #[error("{port} knows no break: light needs zero bytes there")]
    NoBreak {
        /// Which port.
        port: PortName,
    },
    /// Only a break makes an inverted head dark.
    #[error("an inverted head needs breaks, which {port} cannot send")]
    InvertedNeedsBreak {
        /// Which port.
        port: PortName,
    },
}

/// Executes a plan. The light is off when this returns, in any case; only if the process is killed
/// during a break the driver does that, which ends it when the device is closed.
///
/// # Errors
/// [`PressError`]; the presses before it were made.
pub fn execute(
    plan: &Plan,
    stage: &mut dyn Stage,
    head: &Head,
    pace: &dyn Pace,
) -> Result<Done, PressError> {
    let mut lamp = Lamp::new(stage, head)?;
    let mut done = Done { presses: 0, finished: false, latest: Duration::ZERO };
    let mut deadline = pace.now();
    let mut echo_until = Duration::ZERO;
    for step in plan.steps() {
        if lamp.stage.stop() {
            return Ok(done);
        }
        let late = pace.now().saturating_sub(deadline);
        done.latest = done.latest.max(late);
        if late > LATE {
            deadline += late;
        }
        deadline += step.duration;
        lamp.stage.step(step);
        if step.lit {
            done.presses += 1;
            lamp.on(step.duration)?;
            let whole = lamp.listen(deadline, pace, Hearing::Deaf)?;
            lamp.off()?;
            echo_until = pace.now() + ECHO;
            if !whole {
                return Ok(done);
            }
        } else if !lamp.listen(deadline, pace, Hearing::After(echo_until))? {
            return Ok(done);
        }
    }
    done.finished = true;
    Ok(done)
}

#[derive(Clone, Copy)]
enum Hearing {
    Deaf,
    After(Duration),
}

/// The head's light, dark again when dropped.
struct Lamp<'a> {
    stage: &'a mut dyn Stage,
    head: Head,
    by_break: bool,
    lit: bool,
}

impl<'a> Lamp<'a> {
    fn new(stage: &'a mut dyn Stage, head: &Head) -> Result<Self, PressError> {
        let port = stage.port();
        let wanted = match head.method {
            Method::Auto => !is_pty(port.name()),
            Method::Break => true,
            Method::ZeroBytes => false,
        };
        // The resting state, which also ends a break that another program left set.
        let by_break = wanted && port.set_light(head.inverted)?;
        if head.inverted && !by_break {
            return Err(PressError::InvertedNeedsBreak { port: port.name().clone() });
        }
        if head.method == Method::Break && !by_break {
            return Err(PressError::NoBreak { port: port.name().clone() });
        }
        Ok(Self { stage, head: *head, by_break, lit: false })
    }

    fn on(&mut self, duration: Duration) -> Result<(), PortError> {
        self.lit = true;
        if self.by_break {
            self.stage.port().set_light(!self.head.inverted)?;
        } else {
            // All at once: pieces would leave gaps of unpredictable length.
            self.stage.port().write(&vec![0; self.head.zero_bytes(duration)])?;
        }
        Ok(())
    }

    fn off(&mut self) -> Result<(), PortError> {
        if self.lit && self.by_break {
            self.stage.port().set_light(self.head.inverted)?;
        }
        self.lit = false;
        Ok(())
    }

    /// Reads until the deadline; `false` when stopped before it.
    fn listen(
        &mut self,
        deadline: Duration,
        pace: &dyn Pace,
        hearing: Hearing,
    ) -> Result<bool, PortError> {
        let mut buffer = [0; 1024];
        loop {
            let left = deadline.saturating_sub(pace.now());
            if left <= FINE {
                break;
            }
            match self.stage.port().read(&mut buffer, (left - FINE).min(SLICE))? {
                Received::Bytes(count) => match hearing {
                    Hearing::After(from) if pace.now() >= from => {
                        self.stage.heard(&buffer[..count])?;
                    }
                    _ => {}
                },
                Received::Nothing => {}
                // Nothing more can be received, but light may still be needed.
                Received::End => pace.sleep_until(pace.now() + (left - FINE).min(SLICE)),
            }
            // Zero bytes are in the driver already, and cannot be cancelled.
            if (self.by_break || !self.lit) && self.stage.stop() {
                return Ok(false);
            }
        }
        pace.sleep_until(deadline);
        Ok(true)
    }
}

impl Drop for Lamp<'_> {
    fn drop(&mut self) {
        // The port is failing or unwinding already: the error cannot be reported.
        let _ = self.off();
    }
}

/// Whether a port is a pty, followed through links such as `--link` makes.
fn is_pty(name: &PortName) -> bool {
    let PortName::Path(path) = name else { return false };
    fs::canonicalize(path).unwrap_or_else(|_| path.clone()).starts_with(Path::new("/dev/pts"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn zero_bytes_are_as_long_as_the_press() {
        let head = Head::on(LineSettings::SML);
        assert_eq!(head.zero_bytes(Duration::from_millis(300)), 288);
        assert_eq!(head.zero_bytes(Duration::from_millis(400)), 384);
        assert_eq!(Head::on(LineSettings::D0_REQUEST).zero_bytes(Duration::from_millis(400)), 12);
        assert_eq!(head.zero_bytes(Duration::ZERO), 1);
    }

    #[test]
    fn ptys_are_known_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("meter");
        symlink("/dev/pts", &link).unwrap();
        assert!(is_pty(&PortName::Path(link)));
        assert!(is_pty(&PortName::Path("/dev/pts/999999".into())));
        assert!(!is_pty(&PortName::Path("/dev/ttyUSB0".into())));
        assert!(!is_pty(&PortName::Tcp("a:1".into())));
    }
}
