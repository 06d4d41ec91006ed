//! `ebp read`: a meter's figures, from a port or, with `--config`, into the spool.
//!
//! Enters: a port, or a device's configuration. Leaves: figures on standard output. Absent: the decoding,
//! which [`ebp_meter`] does.

mod arguments;
mod live;
mod passed;
mod reader;
mod watch;

use std::io::{self, Write};

use ebp_meter::{
    canonical::Pinned,
    profile::Profiles,
    readout::Protocol,
    session::{AnswerSpeed, ReadOptions, Session},
};

pub use arguments::Arguments;
use arguments::ProtocolChoice;
use passed::Passed;
use reader::Reader;
use watch::Watch;

use super::{address::AddressText, cycle, find_port};
use crate::{
    exit::{CommandResult, Failure},
    output::Printer,
    stdout::print,
    tell::tell,
};

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
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
    // A failure reports itself, and a closed pipe needs no report.
    if result.is_ok() {
        reader.passed.tell();
    }
    result
}

/// Takes protocol, speed and address from the model's profile, if the command line does not give
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

impl<W: Write> Reader<'_, W> {
    /// Reads an open port: a file to its end, a live one once or, with `--watch`, for good.
    fn session(&mut self, mut session: Session) -> CommandResult {
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

    /// Reads the first of the machine's ports at which a meter sends.
    fn scan(&mut self, options: ReadOptions) -> CommandResult {
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
