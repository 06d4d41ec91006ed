//! `ebp read`: a meter's figures, from a port or, with `--config`, into the spool.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use ebp_core::clock::{Clock, SystemClock};
use ebp_meter::{
    decoder::Noise,
    port::{PortError, PortName},
    readout::{Integrity, Protocol, Readout},
    scan,
    session::{self, ReadOptions, Session},
};

use super::{cycle, find_port, models::Models};
use crate::{
    exit::{Failure, Outcome},
    output::{Format, Printer},
    stdout::quiet_at_closed_pipe,
    tell::tell,
};

/// Read a meter and print its figures.
///
/// Without --port, the machine's serial ports are tried and the one that speaks is read. With
/// --config, one measurement cycle of every configured meter goes into the spool.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A device (/dev/ttyUSB0), tcp://host:port, a file, or - for standard input.
    #[arg(value_name = "PORT", conflicts_with_all = ["port", "config"])]
    from: Option<PortName>,

    /// The same, named.
    #[arg(long, conflicts_with = "config")]
    port: Option<PortName>,

    /// The meter's model, such as MT175: sets protocol and speed.
    #[arg(long, conflicts_with = "config")]
    model: Option<String>,

    #[command(flatten)]
    models: Models,

    /// The telegrams' language.
    #[arg(long, value_enum, default_value_t = ProtocolChoice::Auto)]
    protocol: ProtocolChoice,

    /// The speed in bits per second; detected without it.
    #[arg(long, value_parser = clap::value_parser!(u32).range(50..=921_600))]
    baud: Option<u32>,

    /// How the figures are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Print every value the meter sends, and how it sends them.
    #[arg(long)]
    all: bool,

    /// Go on with each telegram; wait for a device that was pulled out to come back.
    #[arg(long)]
    watch: bool,

    /// How long to wait for a telegram.
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration)]
    timeout: Duration,

    /// Save the bytes as they arrive to this file; `ebp read FILE` reads them back.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    raw: Option<PathBuf>,

    /// The device's configuration: measure every meter in it once per slot, into the spool.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Stay and measure in every measurement cycle.
    #[arg(long, requires = "config")]
    every: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ProtocolChoice {
    /// Find out.
    Auto,
    /// Smart Message Language.
    Sml,
    /// IEC 62056-21 ASCII.
    D0,
}

/// Reads as the arguments say.
pub fn run(arguments: &Arguments) -> Outcome {
    if let Some(config) = &arguments.config {
        return cycle::measure(config, arguments.every);
    }
    let mut options = ReadOptions {
        protocol: match arguments.protocol {
            ProtocolChoice::Auto => None,
            ProtocolChoice::Sml => Some(Protocol::Sml),
            ProtocolChoice::D0 => Some(Protocol::D0),
        },
        baud: arguments.baud,
    };
    if let Some(model) = &arguments.model {
        apply_model(&arguments.models, model, &mut options)?;
    }
    let mut reader = Reader {
        arguments,
        printer: Printer::new(io::stdout().lock(), arguments.format, arguments.all),
        passed: Passed::default(),
    };
    let result = match arguments.port.as_ref().or(arguments.from.as_ref()) {
        Some(port) => Session::open(port, options)
            .map_err(Failure::from)
            .and_then(|session| reader.session(session)),
        None => reader.scan(options),
    };
    // A failure says it itself, and who closed the pipe has heard enough.
    if result.is_ok() {
        reader.passed.tell();
    }
    result
}

/// Takes protocol and speed from the model's profile, where the command line does not give them.
fn apply_model(models: &Models, model: &str, options: &mut ReadOptions) -> Outcome {
    let profiles = models.load()?;
    let profile = profiles.get(model).map_err(Failure::usage)?;
    options.protocol.get_or_insert(profile.line.protocol.protocol());
    options.baud.get_or_insert(profile.line.baud);
    Ok(())
}

/// What was passed over, counted so that a bad line floods no log.
#[derive(Default)]
struct Passed {
    damaged: usize,
    unreadable: usize,
    garbage_bytes: usize,
    is_file: bool,
    seven_bits: bool,
}

impl Passed {
    fn count(&mut self, noise: &Noise) {
        tracing::debug!(?noise, "passed over");
        match noise {
            Noise::WrongChecksum { .. } => self.damaged += 1,
            Noise::Unreadable { .. } => self.unreadable += 1,
            Noise::Garbage { bytes } => self.garbage_bytes += bytes,
            Noise::SevenBitLine => self.seven_bits = true,
        }
    }

    /// One line on standard error.
    fn tell(&self) {
        if let Some(text) = self.text() {
            tell!("ebp: passed over: {text}");
        }
    }

    /// What was passed over, if anything. Bytes between telegrams are told of files only: on a live
    /// line the first telegram is always caught in its middle.
    fn text(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.damaged > 0 {
            parts.push(format!("{} damaged (checksum wrong)", self.damaged));
        }
        if self.unreadable > 0 {
            parts.push(format!("{} unreadable", self.unreadable));
        }
        if self.garbage_bytes > 0 && self.is_file {
            parts.push(format!("{} bytes outside of telegrams", self.garbage_bytes));
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

struct Reader<'a, W: Write> {
    arguments: &'a Arguments,
    printer: Printer<W>,
    passed: Passed,
}

impl<W: Write> Reader<'_, W> {
    /// Reads an open port: a file to its end, a live one once or, with `--watch`, for good.
    fn session(&mut self, mut session: Session) -> Outcome {
        let saved = match &self.arguments.raw {
            Some(path) => Some(super::raw::save(&mut session, path)?),
            None => None,
        };
        let result = if !session.is_live() {
            self.whole_file(&mut session)
        } else if self.arguments.watch {
            self.watch(&mut session)
        } else {
            self.first(&mut session)
        };
        match saved.and_then(|saved| saved.failure()) {
            Some(failure) => Err(failure),
            None => result,
        }
    }

    fn print(&mut self, readout: &Readout) -> Outcome {
        if readout.survey().is_empty() && !self.arguments.all {
            tell!("ebp: this telegram has none of the survey's values; --all shows what it has");
        }
        match self.printer.print(readout, SystemClock.now()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::closed_pipe()),
            result => quiet_at_closed_pipe(result),
        }
    }

    fn hint_if_locked(&self, readout: &Readout) {
        let for_people = self.arguments.format == Format::Table && io::stderr().is_terminal();
        if for_people && !readout.is_detailed() {
            tell!(
                "ebp: this meter shows no power, so it is probably locked: `ebp meter identify` says \
                 how `ebp unlock` opens it with its PIN (from your metering point operator)"
            );
        }
    }

    /// The first whole telegram; a salvaged one only if no whole one comes in time.
    fn first(&mut self, session: &mut Session) -> Outcome {
        let deadline = Instant::now() + self.arguments.timeout;
        let mut salvaged = None;
        loop {
            let wait = deadline.saturating_duration_since(Instant::now());
            match session.next(wait)? {
                session::Outcome::Readout(readout) if readout.integrity == Integrity::Salvaged => {
                    salvaged = Some(readout);
                }
                session::Outcome::Readout(readout) => {
                    self.print(&readout)?;
                    self.hint_if_locked(&readout);
                    return Ok(());
                }
                session::Outcome::Noise(noise) => self.passed.count(&noise),
                session::Outcome::TimedOut | session::Outcome::End => break,
            }
        }
        match salvaged {
            Some(readout) => self.print(&readout),
            None => Err(super::silence::nothing_read(
                session,
                self.arguments.timeout,
                self.passed.seven_bits,
                self.passed.text().as_deref(),
            )),
        }
    }

    /// Every telegram of a file or a pipe.
    fn whole_file(&mut self, session: &mut Session) -> Outcome {
        self.passed.is_file = true;
        let mut telegrams = 0_usize;
        loop {
            match session.next(self.arguments.timeout)? {
                session::Outcome::Readout(readout) => {
                    telegrams += 1;
                    self.print(&readout)?;
                }
                session::Outcome::Noise(noise) => self.passed.count(&noise),
                session::Outcome::TimedOut => {}
                session::Outcome::End if telegrams > 0 => return Ok(()),
                session::Outcome::End => {
                    self.passed.garbage_bytes = 0;
                    let mut message = format!(
                        "{} holds no telegram ({} bytes",
                        session.name(),
                        session.received()
                    );
                    if let Some(passed) = self.passed.text() {
                        message.push_str(&format!("; {passed}"));
                    }
                    message.push(')');
                    return Err(Failure::failed(message).remedy(
                        "give a recording of a meter's raw bytes, such as `ebp read --raw FILE` saves",
                    ));
                }
            }
        }
    }

    /// Each telegram, through silences and unplugged cables.
    fn watch(&mut self, session: &mut Session) -> Outcome {
        let mut silent = false;
        loop {
            match session.next(self.arguments.timeout) {
                Ok(session::Outcome::Readout(readout)) => {
                    if silent {
                        tell!("ebp: {} speaks again", session.name());
                    }
                    silent = false;
                    self.print(&readout)?;
                }
                Ok(session::Outcome::Noise(noise)) => self.passed.count(&noise),
                Ok(session::Outcome::TimedOut) if silent => {}
                Ok(session::Outcome::TimedOut) => {
                    silent = true;
                    let waited = humantime::format_duration(self.arguments.timeout);
                    tell!("ebp: nothing from {} for {waited}; still waiting", session.name());
                }
                Ok(session::Outcome::End) => return Ok(()),
                Err(PortError::Vanished { port }) => {
                    tell!("ebp: {port} is gone; waiting for it to come back");
                    wait_for_return(session)?;
                    tell!("ebp: {port} is back");
                    silent = false;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads whichever of the machine's ports speaks.
    fn scan(&mut self, options: ReadOptions) -> Outcome {
        let scan = scan::scan(find_port::all()?, options, self.arguments.timeout);
        if let Some((port, session, readout)) = scan.found {
            tell!("ebp: reading {}", port.name);
            if !self.arguments.watch && self.arguments.raw.is_none() {
                self.print(&readout)?;
                self.hint_if_locked(&readout);
                return Ok(());
            }
            return self.session(session);
        }
        Err(find_port::nothing_speaks(&scan.tried))
    }
}

/// Tries again twice a second until the device is there, which may be under a changed node.
fn wait_for_return(session: &mut Session) -> Outcome {
    loop {
        std::thread::sleep(Duration::from_millis(500));
        match session.reopen() {
            Ok(()) => return Ok(()),
            // A device that has just appeared may still lack its permissions or refuse its settings.
            Err(error) => tracing::debug!(%error, "not back yet"),
        }
    }
}
