//! Reads an open port once or to its end, and prints each telegram.

use std::io::{self, Write};

use ebp_core::clock::{Clock, SystemClock};
use ebp_meter::{
    canonical::Pinned,
    identify::identify,
    interface::{MeterInterface, Registry},
    lock::Lock,
    readout::{Integrity, Readout},
    session,
};

use super::{arguments::Arguments, passed::Passed};
use crate::{
    command::{
        silence,
        waiting::{Waiting, tell_wrapping},
    },
    exit::{CommandResult, Failure},
    output::{Format, Printer},
    stdout::quiet_at_closed_pipe,
    tell::tell,
};

/// Reads a port, and prints what it reads.
pub struct Reader<'a, W: Write> {
    pub(super) arguments: &'a Arguments,
    pub(super) printer: Printer<W>,
    pub(super) pinned: Pinned,
    /// The models, once they are loaded; who is told of the lock takes them.
    pub(super) registry: Option<Registry>,
    pub(super) passed: Passed,
}

impl<W: Write> Reader<'_, W> {
    pub(super) fn print(&mut self, readout: &Readout) -> CommandResult {
        if readout.survey().is_empty() && !self.arguments.all {
            tell!("ebp: this telegram has none of the survey's values; --all shows what it has");
        }
        match self.printer.print(readout, SystemClock.now()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::closed_pipe()),
            result => quiet_at_closed_pipe(result),
        }
    }

    /// Says what the meter holds back, and who can change that.
    pub(super) fn hint_at_lock(&mut self, readout: &Readout) -> CommandResult {
        if self.arguments.format() != Format::Table {
            return Ok(());
        }
        let registry = match self.registry.take() {
            Some(registry) => registry,
            None => self.arguments.models.registry()?,
        };
        match identify(&registry, std::slice::from_ref(readout)).map(|identity| identity.lock) {
            Some(Lock::Locked) => tell!(
                "ebp: this meter shows no power, so it is probably locked: `ebp meter identify` says \
                 how `ebp unlock` opens it with its PIN (from your metering point operator)"
            ),
            Some(Lock::ExtendedDataOff) => tell!(
                "ebp: this meter sends decimals but no power: its extended data (InF) is switched off; \
                 its manual says how to switch it on at the display"
            ),
            _ => {}
        }
        Ok(())
    }

    /// The first whole telegram; a salvaged one only if no whole one comes in time.
    pub(super) fn first(&mut self, meter: &mut dyn MeterInterface) -> CommandResult {
        let timeout = self.arguments.timeout;
        let mut waiting = Waiting::new(timeout);
        let mut salvaged = None;
        loop {
            match meter.next(waiting.left()).map_err(|error| silence::lost(error, meter))? {
                session::SessionEvent::Readout(readout)
                    if readout.integrity == Integrity::Salvaged =>
                {
                    salvaged = Some(readout);
                }
                session::SessionEvent::Readout(readout) => {
                    tell_wrapping(meter);
                    self.print(&readout)?;
                    self.hint_at_lock(&readout)?;
                    return Ok(());
                }
                session::SessionEvent::Noise(noise) => self.passed.count(&noise),
                session::SessionEvent::TimedOut if waiting.goes_on(meter) => {}
                session::SessionEvent::TimedOut | session::SessionEvent::End => break,
            }
        }
        match salvaged {
            Some(readout) => self.print(&readout),
            None => Err(silence::nothing_read(
                meter,
                timeout,
                self.passed.seven_bits,
                self.passed.text().as_deref(),
            )),
        }
    }

    /// Every telegram of a file or a pipe.
    pub(super) fn whole_file(&mut self, meter: &mut dyn MeterInterface) -> CommandResult {
        self.passed.is_file = true;
        let (mut telegrams, mut last) = (0_usize, None);
        loop {
            match meter.next(self.arguments.timeout)? {
                session::SessionEvent::Readout(readout) => {
                    if telegrams == 0 {
                        tell_wrapping(meter);
                    }
                    telegrams += 1;
                    self.print(&readout)?;
                    last = Some(readout);
                }
                session::SessionEvent::Noise(noise) => self.passed.count(&noise),
                session::SessionEvent::TimedOut => {}
                session::SessionEvent::End if telegrams > 0 => {
                    self.passed.cause = meter.cause();
                    return last.map_or(Ok(()), |readout| self.hint_at_lock(&readout));
                }
                session::SessionEvent::End => {
                    self.passed.garbage_bytes = 0;
                    let passed = self.passed.text();
                    let seven_bits = self.passed.seven_bits;
                    return Err(silence::nothing_in_file(meter, seven_bits, passed.as_deref()));
                }
            }
        }
    }
}
