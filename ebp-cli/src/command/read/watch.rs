//! `ebp read --watch`: each telegram, through silences and unplugged cables, until Ctrl-C.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ebp_core::clock::{Clock, SystemClock};
use ebp_meter::{
    canonical::MeterFigures,
    diagnosis::Cause,
    interface::MeterInterface,
    port::PortError,
    readout::{Integrity, Readout},
    session,
};
use ebp_publish::{Meter, Publisher, Reading};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::{away::Away, live::Live, reader::Reader};
use crate::{
    command::{
        publish,
        waiting::{self, tell_wrapping},
    },
    exit::{CommandResult, Context, Failure},
    output::{Figures, Format},
    stdout::quiet_at_closed_pipe,
    tell::tell,
};

/// How often it checks whether to stop, and redraws the age.
const SLICE: Duration = Duration::from_millis(250);
/// How often a device that does not open is tried.
const AGAIN: Duration = Duration::from_millis(500);

/// The exit code of a program that Ctrl-C ended, as in a shell.
const BY_SIGNAL: i32 = 130;

/// A flag that Ctrl-C and SIGTERM raise; the second of them ends the program at once, should it be
/// waiting for the reader of its output.
fn stop_at_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, BY_SIGNAL, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .or_failed("signals")?;
    }
    Ok(stop)
}

/// A meter that is watched.
pub(super) struct Watch<'a, 'b, W: Write> {
    reader: &'a mut Reader<'b, W>,
    /// Where the figures are drawn over, if they are.
    live: Option<Live<io::Stdout>>,
    stop: Arc<AtomicBool>,
    /// Whether a telegram came.
    has_read: bool,
    /// When the progress of a long answer is reported.
    word_at: Instant,
    /// The outputs, and the meter as they name it.
    outputs: Option<(Publisher, Meter, MeterFigures)>,
    begun: Instant,
    /// The port, once it was gone and until a telegram comes again.
    away: Option<Away>,
}

impl<'a, 'b, W: Write> Watch<'a, 'b, W> {
    pub fn new(reader: &'a mut Reader<'b, W>) -> Result<Self, Failure> {
        let is_drawn = reader.arguments.format() == Format::Table
            && Live::<io::Stdout>::is_possible()
            && !reader.arguments.outputs.takes_standard_output();
        let live = is_drawn.then(|| {
            Live::new(io::stdout(), reader.arguments.all, Figures::new(reader.pinned.clone()))
        });
        let begun = Instant::now();
        let word_at = begun + waiting::BETWEEN_WORDS;
        let stop = stop_at_signals()?;
        Ok(Self { reader, live, stop, has_read: false, word_at, outputs: None, begun, away: None })
    }

    /// Watches until Ctrl-C, or to the end of what has one.
    pub fn run(mut self, meter: &mut dyn MeterInterface) -> CommandResult {
        let timeout = self.reader.arguments.timeout;
        self.start_outputs(meter)?;
        let mut silent = false;
        let mut heard = Instant::now();
        while !self.is_stopped() {
            self.draw()?;
            let next = meter.next(SLICE.min(timeout));
            if self.away.as_mut().is_some_and(|away| away.is_back(meter.received())) {
                self.say(format_args!("{} is back", meter.port_name()))?;
            }
            match next {
                Ok(session::SessionEvent::Readout(readout)) => {
                    self.away = None;
                    if silent {
                        self.say(format_args!("{} sends again", meter.port_name()))?;
                    }
                    if !std::mem::replace(&mut self.has_read, true) {
                        tell_wrapping(meter);
                    }
                    (silent, heard) = (false, Instant::now());
                    self.word_at = heard + waiting::BETWEEN_WORDS;
                    self.show(*readout)?;
                }
                Ok(session::SessionEvent::Noise(noise)) => {
                    heard = Instant::now();
                    self.reader.passed.count(&noise);
                    if self.live.is_none() {
                        self.reader.passed.tell_now_and_then();
                    }
                }
                Ok(session::SessionEvent::TimedOut) => {
                    self.tell_progress(meter)?;
                    if !silent && heard.elapsed() >= timeout && meter.answering().is_none() {
                        silent = true;
                        let waited = humantime::format_duration(timeout);
                        let port = meter.port_name();
                        self.say(format_args!("nothing from {port} for {waited}; still waiting"))?;
                    }
                }
                Ok(session::SessionEvent::End) => break,
                Err(PortError::Vanished { port }) => {
                    let now = self.begun.elapsed();
                    let (away, is_said) = Away::gone(self.away.take(), meter.received(), now);
                    let pause = away.pause();
                    self.away = Some(away);
                    if is_said {
                        if let Some(cause @ Cause::Words(_)) = meter.cause() {
                            self.say(format_args!("{port}: {cause}"))?;
                        }
                        self.say(format_args!("{port} is gone; waiting for it to come back"))?;
                    }
                    self.wait_for_return(meter, pause)?;
                    if self.is_stopped() {
                        break;
                    }
                    (silent, heard) = (false, Instant::now());
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.draw()
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn start_outputs(&mut self, meter: &dyn MeterInterface) -> CommandResult {
        let arguments = self.reader.arguments;
        let config = arguments.outputs.config()?;
        if !config.is_empty() {
            let meter = Meter::at_port(&meter.port_name().to_string(), arguments.model.clone());
            let publisher = publish::start(&config, std::slice::from_ref(&meter))?;
            let figures = MeterFigures::new(self.reader.pinned.clone());
            self.outputs = Some((publisher, meter, figures));
        }
        Ok(())
    }

    fn show(&mut self, readout: Readout) -> CommandResult {
        if let Some((publisher, meter, figures)) = &mut self.outputs
            && readout.integrity != Integrity::Salvaged
        {
            let reading = Reading::from_data(SystemClock.now(), &figures.data(&readout));
            publisher.offer(meter, &reading, self.begun.elapsed());
        }
        if self.reader.arguments.outputs.takes_standard_output() {
            return Ok(());
        }
        match &mut self.live {
            Some(live) => {
                live.show(&readout, SystemClock.now());
                Ok(())
            }
            None => self.reader.print(&readout),
        }
    }

    fn draw(&mut self) -> CommandResult {
        let Some(live) = &mut self.live else { return Ok(()) };
        let passed = self.reader.passed.text();
        quiet_at_closed_pipe(live.draw(passed.as_deref()))
    }

    /// Says now and then how far an answer is that takes long.
    fn tell_progress(&mut self, meter: &dyn MeterInterface) -> CommandResult {
        let now = Instant::now();
        if now < self.word_at {
            return Ok(());
        }
        self.word_at = now + waiting::BETWEEN_WORDS;
        match meter.answering() {
            Some(progress) => {
                self.say(format_args!("{}", waiting::words(meter.port_name(), progress)))
            }
            None => Ok(()),
        }
    }

    /// Tells people something, above what is drawn.
    fn say(&mut self, text: std::fmt::Arguments<'_>) -> CommandResult {
        if let Some(live) = &mut self.live {
            quiet_at_closed_pipe(live.clear())?;
        }
        tell!("ebp: {text}");
        self.draw()
    }

    /// Leaves the device alone for that long, and then tries twice a second until it is back, possibly
    /// under another node.
    fn wait_for_return(
        &mut self,
        meter: &mut dyn MeterInterface,
        pause: Duration,
    ) -> CommandResult {
        let from = Instant::now();
        while from.elapsed() < pause && !self.is_stopped() {
            thread::sleep(SLICE.min(pause.saturating_sub(from.elapsed())));
            self.draw()?;
        }
        while !self.is_stopped() {
            match meter.reopen() {
                Ok(()) => return Ok(()),
                // A device that has just appeared may still lack its permissions or refuse its
                // settings.
                Err(error) => tracing::debug!(%error, "not back yet"),
            }
            thread::sleep(AGAIN);
            self.draw()?;
        }
        Ok(())
    }
}
