//! The arguments of `ebp read`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ebp_meter::port::PortName;

use crate::{
    command::{
        address::AddressText,
        heading::{LINE, OUTPUT},
        models::Models,
        publish::arguments::Outputs,
    },
    exit::{CommandResult, Failure},
    output::Format,
};

/// The heading of the options of a measurement device.
const DEVICE: &str = "Measuring for a survey";

/// The heading of outputs.
const OUTPUTS: &str = "Outputs for the household's own tools";

/// Read a meter and print its values.
///
/// Without --port, listens at the machine's serial ports and reads the first at which a meter
/// sends. With --config, stores one measurement of every configured meter in the spool.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A device (/dev/ttyUSB0), tcp://host:port, a file, or - for standard input.
    #[arg(value_name = "PORT", conflicts_with_all = ["port", "config"])]
    pub(super) from: Option<PortName>,

    /// The same, as an option.
    #[arg(long, conflicts_with = "config")]
    pub(super) port: Option<PortName>,

    /// Keep reading; if the serial device is unplugged, wait until it is back.
    ///
    /// On a terminal the table is redrawn, with the time of the telegram and its age. Ctrl-C ends
    /// it.
    #[arg(long)]
    pub(super) watch: bool,

    /// How long to wait for a telegram. While an answer arrives, it counts from the last byte.
    #[arg(
        long, default_value = "10s", value_name = "DURATION", conflicts_with = "config",
        value_parser = humantime::parse_duration
    )]
    pub(super) timeout: Duration,

    /// Save the bytes as they arrive to this file; `ebp read FILE` reads them back.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub(super) raw: Option<PathBuf>,

    /// How the values are printed [default: table].
    #[arg(long, value_enum, help_heading = OUTPUT)]
    pub(super) format: Option<Format>,

    /// Print every value the meter sends, and how it sends them.
    #[arg(long, conflicts_with = "config", help_heading = OUTPUT)]
    pub(super) all: bool,

    /// The meter's model, such as MT175: sets protocol and speed.
    #[arg(long, conflicts_with = "config", help_heading = LINE)]
    pub(super) model: Option<String>,

    #[command(flatten, next_help_heading = LINE)]
    pub(super) models: Models,

    /// The protocol of the telegrams.
    #[arg(
        long, value_enum, default_value_t = ProtocolChoice::Auto, conflicts_with = "config",
        help_heading = LINE
    )]
    pub(super) protocol: ProtocolChoice,

    /// The address of a meter that only answers requests with its address: usually its number.
    ///
    /// It can be given in a profile instead, as `address` in its `[line]`, where no other user of
    /// the machine sees it.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "config", help_heading = LINE)]
    pub(super) address: Option<AddressText>,

    /// The speed in bits per second; detected by default. 300 is the speed of requests, and then
    /// also of the answers.
    #[arg(
        long, value_parser = clap::value_parser!(u32).range(50..=921_600), conflicts_with = "config",
        help_heading = LINE
    )]
    pub(super) baud: Option<u32>,

    #[command(flatten, next_help_heading = OUTPUTS)]
    pub(super) outputs: Outputs,

    /// The device's configuration: measure every meter in it once per slot, into the spool.
    #[arg(long, value_name = "FILE", conflicts_with = "profiles", help_heading = DEVICE)]
    pub(super) config: Option<PathBuf>,

    /// Keep running and measure in every measurement cycle; with -v print each measurement.
    #[arg(long, requires = "config", help_heading = DEVICE)]
    pub(super) every: bool,

    /// Print a commented configuration of a device with every default, and exit.
    #[arg(long, exclusive = true, help_heading = DEVICE)]
    pub(super) print_example: bool,
}

impl Arguments {
    /// The configuration of the device that is measured for.
    pub fn device(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    pub(super) fn format(&self) -> Format {
        self.format.unwrap_or(Format::Table)
    }

    /// Says of an option that has no meaning for a device what has.
    pub(super) fn check_for_device(&self) -> CommandResult {
        if self.watch {
            return Err(Failure::usage("--watch reads one port, and --config a device's meters")
                .remedy("--every keeps measuring, and with -v prints each measurement"));
        }
        if self.format.is_some() {
            return Err(Failure::usage(
                "--format says how a reading is printed; with --config it goes into the spool",
            )
            .remedy(
                "-v prints each measurement, `ebp device status` shows the content of the spool",
            ));
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ProtocolChoice {
    /// Detect it.
    Auto,
    /// Smart Message Language.
    Sml,
    /// IEC 62056-21 ASCII.
    D0,
}
