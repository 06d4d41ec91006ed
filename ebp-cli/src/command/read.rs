//! `ebp read`: a meter's figures, from a port or, with `--config`, into the spool.
//!
//! Enters: a port, or a device's configuration. Leaves: figures on standard output. Absent: the decoding,
//! which [`ebp_meter`] does.

mod arguments;
mod away;
mod live;
mod passed;
mod reader;
mod watch;

use std::{
    io::{self, Write},
    sync::Arc,
};

use ebp_meter::{
    canonical::Pinned,
    interface::{self, Environment, MeterInterface, Model, Site},
    port::PortName,
    readout::Protocol,
    scan,
    session::{AnswerSpeed, ReadOptions},
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
    arguments.outputs.check()?;
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
    let registry = match &arguments.model {
        Some(_) => Some(arguments.models.registry()?),
        None => None,
    };
    let driver = match (&arguments.model, &registry) {
        (Some(model), Some(registry)) => {
            Some(Arc::clone(registry.driver(model).map_err(Failure::usage)?))
        }
        _ => None,
    };
    let pinned = match &driver {
        Some(driver) => apply_model(driver.model(), &mut options),
        None => Pinned::new(),
    };
    let mut reader = Reader {
        arguments,
        // Not locked: an output may write there from a thread of its own.
        printer: Printer::new(io::stdout(), arguments.format(), arguments.all)
            .pinned(pinned.clone())
            .for_terminal(),
        pinned,
        registry,
        passed: Passed::default(),
    };
    let environment = Environment::for_reading();
    let open = |port: &PortName| {
        interface::open(driver.as_deref(), &Site::new(port.clone(), options), &environment)
    };
    let result = match arguments.port.as_ref().or(arguments.from.as_ref()) {
        Some(port) => {
            open(port).map_err(Failure::from).and_then(|mut meter| reader.meter(&mut *meter))
        }
        None => reader.scan(&open),
    };
    // A failure reports itself, and a closed pipe needs no report.
    if result.is_ok() {
        reader.passed.tell();
    }
    result
}

/// Takes protocol, speed and address from the model, if the command line does not give them; returns
/// what counts for it.
fn apply_model(model: &Model, options: &mut ReadOptions) -> Pinned {
    options.protocol = options.protocol.or(model.read.protocol);
    options.baud = options.baud.or(model.read.baud);
    options.address = options.address.or(model.read.address);
    model.counts.clone()
}

impl<W: Write> Reader<'_, W> {
    /// Reads an open port: a file to its end, a live one once or, with `--watch`, for good.
    fn meter(&mut self, meter: &mut dyn MeterInterface) -> CommandResult {
        let saved = match &self.arguments.raw {
            Some(path) => Some(super::raw::save(meter, path)?),
            None => None,
        };
        let result = if !meter.is_live() {
            self.whole_file(meter)
        } else if self.arguments.watch {
            Watch::new(self)?.run(meter)
        } else {
            self.first(meter)
        };
        match saved.and_then(|saved| saved.failure()) {
            Some(failure) => Err(failure),
            None => result,
        }
    }

    /// Reads the first of the machine's ports at which a meter sends.
    fn scan(&mut self, open: scan::Open<'_>) -> CommandResult {
        let scan = find_port::scan(open, self.arguments.timeout)?;
        if let Some((port, mut meter, readout)) = scan.found {
            tell!("ebp: reading {}", port.name);
            if !self.arguments.watch && self.arguments.raw.is_none() {
                self.print(&readout)?;
                self.hint_at_lock(&readout)?;
                return Ok(());
            }
            return self.meter(&mut *meter);
        }
        Err(find_port::nothing_speaks(&scan.tried))
    }
}
