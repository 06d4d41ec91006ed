//! `ebp meter identify`: which meter this is, whether it is locked, and what to do next.
//!
//! Enters: a port. Leaves: maker, models that fit, line, lock, advice. Absent: its number.

use std::time::Duration;

use ebp_meter::{
    identify::{FITS, Identity, identify},
    lock::Lock,
    port::PortName,
};
use serde::Serialize;

use super::listen::listen;
use crate::{
    command::{address::AddressText, find_port, heading::LINE, models::Models},
    exit::{Code, CommandResult, Failure},
    output::{ItemFormat, lines},
    stdout::print,
};

/// Some meters put identity and power in every other telegram.
const TELEGRAMS: usize = 3;

/// Which meter, and how it is shown.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A device (/dev/ttyUSB0), tcp://host:port, or a file of recorded bytes. Without it the only
    /// one of the machine's serial ports at which a meter speaks.
    #[arg(long)]
    port: Option<PortName>,

    /// The address of a meter that is asked and answers to that alone: mostly its number.
    #[arg(long, value_name = "ADDRESS", help_heading = LINE)]
    address: Option<AddressText>,

    /// How long to wait for a telegram. Finding out how a meter speaks takes some seconds.
    #[arg(long, default_value = "30s", value_parser = humantime::parse_duration)]
    timeout: Duration,

    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = ItemFormat::Table)]
    format: ItemFormat,

    #[command(flatten)]
    models: Models,
}

#[derive(Serialize)]
struct Report<'a> {
    port: String,
    protocol: &'static str,
    line: Option<String>,
    #[serde(flatten)]
    identity: &'a Identity,
    next: String,
}

/// Identifies.
pub fn run(arguments: &Arguments) -> CommandResult {
    let registry = arguments.models.registry()?;
    let options = AddressText::read_options(arguments.address.as_ref())?;
    let port = find_port::named_or_only(arguments.port.as_ref(), None, options)?;
    let heard = listen(&port, options, arguments.timeout, TELEGRAMS)?;
    let identity = identify(&registry, &heard.readouts);
    let (Some(identity), Some(first)) = (identity, heard.readouts.first()) else {
        let nothing = heard.nothing.unwrap_or_else(|| Failure::failed("no telegram"));
        return Err(Failure { code: Code::NothingRead, ..nothing });
    };
    let protocol = first.protocol.name();
    let line = heard.line.map(|line| line.to_string());
    let port = port.to_string();
    let next = next(&identity, &port, options.address.is_some());
    let text = match arguments.format {
        ItemFormat::Json => {
            let report = Report { port, protocol, line, identity: &identity, next };
            serde_json::to_string(&report).map_err(Failure::failed)? + "\n"
        }
        ItemFormat::Table => lines(&[
            ("maker", maker(&identity)),
            ("model", models(&identity)),
            ("speaks", line.map_or(protocol.to_owned(), |line| format!("{protocol} at {line}"))),
            ("lock", lock(identity.lock).to_owned()),
            ("next", next),
        ]),
    };
    print(&text)
}

fn maker(identity: &Identity) -> String {
    match (&identity.maker, &identity.flag) {
        (Some(maker), Some(flag)) => format!("{maker} ({flag})"),
        (None, Some(flag)) => format!("{flag}, whose name is not known here"),
        (_, None) => "it does not say".to_owned(),
    }
}

fn models(identity: &Identity) -> String {
    if identity.models.is_empty() {
        return "none that is known here".to_owned();
    }
    let model = |candidate: &ebp_meter::identify::Candidate| {
        format!("{} ({} % of the registers fit)", candidate.model, candidate.fit)
    };
    identity.models.iter().map(model).collect::<Vec<_>>().join("\n")
}

const fn lock(lock: Lock) -> &'static str {
    match lock {
        Lock::Open => "open: it sends its power",
        Lock::Locked => "locked: it sends whole kWh and no power",
        Lock::ExtendedDataOff => "extended data off: it sends decimals but no power",
        Lock::NoPowerByDesign => "none: meters of this kind send no power",
        Lock::OperatorOff => "switched off by its operator: no PIN brings its power",
        Lock::Unknown => "unknown: it sends no power, and too little is known of it",
    }
}

fn next(identity: &Identity, port: &str, has_address: bool) -> String {
    // Its number is nothing for a screen that others see.
    let address = if has_address { " --address ADDRESS" } else { "" };
    let best = identity.models.first().filter(|best| best.fit >= FITS).map(|best| &best.model);
    let sure = match identity.models.len() {
        0 | 1 => "",
        _ => "; compare the model with the meter's face first",
    };
    match (identity.lock, best) {
        (Lock::Open | Lock::NoPowerByDesign, Some(model)) => {
            format!("read it with `ebp read --port {port} --model {model}{address}`")
        }
        (Lock::Open | Lock::NoPowerByDesign, None) => {
            format!("read it with `ebp read --port {port}{address}`")
        }
        (Lock::Locked, Some(model)) => format!(
            "get the PIN from your metering point operator, then `ebp unlock --port {port} --model \
             {model}`{sure}"
        ),
        (Lock::Locked, None) => format!(
            "no known model fits: `ebp unlock --port {port} --calibrate --model NAME --output NAME.toml` \
             finds its timing with you"
        ),
        (Lock::ExtendedDataOff, _) => {
            "switch its extended data (InF) on at the display, as its manual \
             says; where it asks for a PIN, your metering point operator has it"
                .to_owned()
        }
        (Lock::OperatorOff, _) => {
            "ask your metering point operator to switch the extended data on".to_owned()
        }
        (Lock::Unknown, _) => {
            "look for its name on its face in `ebp meter list`; no light is sent to a \
             meter that is not known"
                .to_owned()
        }
    }
}
