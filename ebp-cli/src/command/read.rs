//! `ebp read`: a meter's figures, from a port or, with `--config`, into the spool.

mod live;
mod passed;
mod watch;

use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use ebp_core::clock::{Clock, SystemClock};
use ebp_meter::{
    canonical::Pinned,
    identify::identify,
    lock::Lock,
    port::PortName,
    profile::Profiles,
    readout::{Integrity, Protocol, Readout},
    session::{self, AnswerSpeed, ReadOptions, Session},
};

use live::Live;
use passed::Passed;
use watch::Watch;

use super::{
    address::AddressText,
    cycle, find_port,
    heading::{LINE, OUTPUT},
    models::Models,
    silence,
    waiting::{Waiting, tell_wrapping},
};
use crate::{
    exit::{Failure, Outcome},
    output::{Format, Printer},
    stdout::{print, quiet_at_closed_pipe},
    tell::tell,
};

/// The heading of the options of a measurement device.
const DEVICE: &str = "Measuring for a survey";

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

    /// Go on with each telegram; wait for a device that was pulled out to come back.
    ///
    /// On a terminal the table is drawn over again, with the time and its age. Ctrl-C ends it.
    #[arg(long)]
    watch: bool,

    /// How long to wait for a telegram. An answer under way counts by its pauses, not its length.
    #[arg(
        long, default_value = "10s", value_name = "DURATION", conflicts_with = "config",
        value_parser = humantime::parse_duration
    )]
    timeout: Duration,

    /// Save the bytes as they arrive to this file; `ebp read FILE` reads them back.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    raw: Option<PathBuf>,

    /// How the figures are printed [default: table].
    #[arg(long, value_enum, help_heading = OUTPUT)]
    format: Option<Format>,

    /// Print every value the meter sends, and how it sends them.
    #[arg(long, conflicts_with = "config", help_heading = OUTPUT)]
    all: bool,

    /// The meter's model, such as MT175: sets protocol and speed.
    #[arg(long, conflicts_with = "config", help_heading = LINE)]
    model: Option<String>,

    #[command(flatten, next_help_heading = LINE)]
    models: Models,

    /// The telegrams' language.
    #[arg(
        long, value_enum, default_value_t = ProtocolChoice::Auto, conflicts_with = "config",
        help_heading = LINE
    )]
    protocol: ProtocolChoice,

    /// The address of a meter that is asked and answers to that alone: mostly its number.
    ///
    /// A profile may have it as `address` in its `[line]`, where no other user of the machine sees it.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "config", help_heading = LINE)]
    address: Option<AddressText>,

    /// The speed in bits per second; detected without it. 300 is that of requests, and then of the
    /// answers, too.
    #[arg(
        long, value_parser = clap::value_parser!(u32).range(50..=921_600), conflicts_with = "config",
        help_heading = LINE
    )]
    baud: Option<u32>,

    /// The device's configuration: measure every meter in it once per slot, into the spool.
    #[arg(long, value_name = "FILE", conflicts_with = "profiles", help_heading = DEVICE)]
    config: Option<PathBuf>,

    /// Stay and measure in every measurement cycle; with -v each measurement is told.
    #[arg(long, requires = "config", help_heading = DEVICE)]
    every: bool,

    /// Print a commented configuration of a device that says what the defaults are, and end.
    #[arg(long, exclusive = true, help_heading = DEVICE)]
    print_example: bool,
}

impl Arguments {
    fn format(&self) -> Format {
        self.format.unwrap_or(Format::Table)
    }

    /// Says of an option that has no meaning for a device what has.
    fn check_for_device(&self) -> Outcome {
        if self.watch {
            return Err(Failure::usage("--watch reads one port, and --config a device's meters")
                .remedy("--every goes on measuring, with -v it tells each measurement"));
        }
        if self.format.is_some() {
            return Err(Failure::usage(
                "--format says how a reading is printed; with --config it goes into the spool",
            )
            .remedy("-v tells each measurement, `ebp device status` what the spool holds"));
        }
        Ok(())
    }
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
    if arguments.print_example {
        return print(ebp_device::config::EXAMPLE);
    }
    if let Some(config) = &arguments.config {
        arguments.check_for_device()?;
        return cycle::measure(config, arguments.every);
    }
    let mut options = ReadOptions {
        protocol: match arguments.protocol {
            ProtocolChoice::Auto => None,
            ProtocolChoice::Sml => Some(Protocol::Sml),
            ProtocolChoice::D0 => Some(Protocol::D0),
        },
        baud: arguments.baud,
        address: arguments.address.as_ref().map(AddressText::parse).transpose()?,
        speed: AnswerSpeed::asked(arguments.baud),
    };
    let (mut profiles, mut pinned) = (None, Pinned::new());
    if let Some(model) = &arguments.model {
        let known = arguments.models.load()?;
        pinned = apply_model(&known, model, &mut options)?;
        profiles = Some(known);
    }
    let mut reader = Reader {
        arguments,
        printer: Printer::new(io::stdout().lock(), arguments.format(), arguments.all)
            .pinned(pinned.clone())
            .for_terminal(),
        pinned,
        profiles,
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

/// Takes protocol, speed and address from the model's profile, where the command line does not give
/// them; returns what counts for that model.
fn apply_model(
    profiles: &Profiles,
    model: &str,
    options: &mut ReadOptions,
) -> Result<Pinned, Failure> {
    let profile = profiles.get(model).map_err(Failure::usage)?;
    options.protocol.get_or_insert(profile.line.protocol.protocol());
    options.baud.get_or_insert(profile.line.baud);
    options.address = options.address.or(profile.line.address);
    Ok(profile.counts.clone())
}

struct Reader<'a, W: Write> {
    arguments: &'a Arguments,
    printer: Printer<W>,
    pinned: Pinned,
    /// The models, once they are loaded; who is told of the lock takes them.
    profiles: Option<Profiles>,
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
            Watch::new(self)?.run(&mut session)
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

    /// Says what the meter holds back, and who can change that.
    fn hint_at_lock(&mut self, readout: &Readout) -> Outcome {
        if self.arguments.format() != Format::Table {
            return Ok(());
        }
        let profiles = match self.profiles.take() {
            Some(profiles) => profiles,
            None => self.arguments.models.load()?,
        };
        match identify(&profiles, std::slice::from_ref(readout)).map(|identity| identity.lock) {
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
    fn first(&mut self, session: &mut Session) -> Outcome {
        let timeout = self.arguments.timeout;
        let mut waiting = Waiting::new(timeout);
        let mut salvaged = None;
        loop {
            match session.next(waiting.left()).map_err(|error| silence::lost(error, session))? {
                session::Outcome::Readout(readout) if readout.integrity == Integrity::Salvaged => {
                    salvaged = Some(readout);
                }
                session::Outcome::Readout(readout) => {
                    tell_wrapping(session);
                    self.print(&readout)?;
                    self.hint_at_lock(&readout)?;
                    return Ok(());
                }
                session::Outcome::Noise(noise) => self.passed.count(&noise),
                session::Outcome::TimedOut if waiting.goes_on(session) => {}
                session::Outcome::TimedOut | session::Outcome::End => break,
            }
        }
        match salvaged {
            Some(readout) => self.print(&readout),
            None => Err(silence::nothing_read(
                session,
                timeout,
                self.passed.seven_bits,
                self.passed.text().as_deref(),
            )),
        }
    }

    /// Every telegram of a file or a pipe.
    fn whole_file(&mut self, session: &mut Session) -> Outcome {
        self.passed.is_file = true;
        let (mut telegrams, mut last) = (0_usize, None);
        loop {
            match session.next(self.arguments.timeout)? {
                session::Outcome::Readout(readout) => {
                    if telegrams == 0 {
                        tell_wrapping(session);
                    }
                    telegrams += 1;
                    self.print(&readout)?;
                    last = Some(readout);
                }
                session::Outcome::Noise(noise) => self.passed.count(&noise),
                session::Outcome::TimedOut => {}
                session::Outcome::End if telegrams > 0 => {
                    self.passed.cause = session.cause();
                    return last.map_or(Ok(()), |readout| self.hint_at_lock(&readout));
                }
                session::Outcome::End => {
                    self.passed.garbage_bytes = 0;
                    let passed = self.passed.text();
                    let seven_bits = self.passed.seven_bits;
                    return Err(silence::nothing_in_file(session, seven_bits, passed.as_deref()));
                }
            }
        }
    }

    /// Reads whichever of the machine's ports speaks.
    fn scan(&mut self, options: ReadOptions) -> Outcome {
        let scan = find_port::scan(options, self.arguments.timeout)?;
        if let Some((port, session, readout)) = scan.found {
            tell!("ebp: reading {}", port.name);
            if !self.arguments.watch && self.arguments.raw.is_none() {
                self.print(&readout)?;
                self.hint_at_lock(&readout)?;
                return Ok(());
            }
            return self.session(session);
        }
        Err(find_port::nothing_speaks(&scan.tried))
    }
}
