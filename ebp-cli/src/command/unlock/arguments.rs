//! The arguments of `ebp unlock`.

use std::{path::PathBuf, time::Duration};

use ebp_meter::{
    port::PortName,
    profile::Profile,
    unlock::{Head, Method, UnlockOptions},
};

use crate::{
    command::{heading::OUTPUT, models::Models},
    output::ItemFormat,
};

/// The heading of the options for the light.
const LIGHT: &str = "The light";
/// The heading of the options about the list after the PIN.
const LIST: &str = "The menu after the PIN";
/// The heading of the options about wrong tries.
const TRIES: &str = "Wrong PINs";
/// The heading of the options that only print what would be done.
const DRY_RUN: &str = "Without a meter";
/// The heading of the options for a model that is not known.
const MODEL: &str = "Other models";

/// Unlock a meter with its PIN, by light pulses.
///
/// The PIN is read from --pin-file (which only its owner may read), otherwise from the environment
/// variable EBP_PIN, otherwise it is asked for. A long press, which switches an item of the menu
/// after the PIN, is sent only if a source names the position of InF for the model, or with --step
/// or --inf-presses. Wrong attempts are counted, and ebp stops before the meter would block itself.
/// Ctrl-C switches the light off.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A serial device with a reading head on the meter (/dev/ttyUSB0), or tcp://host:port. By
    /// default the only serial port at which a meter sends.
    #[arg(long)]
    pub(super) port: Option<PortName>,

    /// The meter's model, such as MT175; `ebp meter list` shows all. With --calibrate the name of
    /// the new model.
    #[arg(long, required_unless_present = "reset_tries")]
    pub(super) model: Option<String>,

    /// The file with the PIN, which only its owner may read (chmod 600).
    #[arg(long, value_name = "FILE")]
    pub(super) pin_file: Option<PathBuf>,

    /// How long to wait for the first telegram.
    #[arg(long, default_value = "30s", value_parser = humantime::parse_duration)]
    pub(super) timeout: Duration,

    /// Print what would be done, and how long it takes; the PIN is masked.
    #[arg(long, help_heading = DRY_RUN)]
    pub(super) dry_run: bool,

    /// Print every press of the dry run, and with them the PIN.
    #[arg(long, requires = "dry_run", help_heading = DRY_RUN)]
    pub(super) reveal: bool,

    #[command(flatten, next_help_heading = LIGHT)]
    pub(super) light: Light,

    /// Step through the menu: at each item type what the display shows; the long press is sent at
    /// InF only after you confirm it.
    #[arg(long, conflicts_with_all = ["dry_run", "calibrate", "format"], help_heading = LIST)]
    pub(super) step: bool,

    /// Send the long press after this number of short presses after the PIN, where the display of
    /// this meter shows InF. At another item it may clear energies or the history, or switch off
    /// the PIN query.
    #[arg(
        long, value_name = "N", conflicts_with_all = ["step", "calibrate"], help_heading = LIST,
        value_parser = clap::value_parser!(u8).range(0..=50)
    )]
    pub(super) inf_presses: Option<u8>,

    /// The folder in which attempts are stored; by default $XDG_STATE_HOME/ebp, for root
    /// /var/lib/ebp.
    #[arg(long, value_name = "FOLDER", help_heading = TRIES)]
    pub(super) state: Option<PathBuf>,

    /// Delete the meter's count of wrong attempts, if you are certain of PIN and model; without
    /// --port those of all meters.
    #[arg(long, help_heading = TRIES)]
    pub(super) reset_tries: bool,

    #[command(flatten, next_help_heading = MODEL)]
    pub(super) models: Models,

    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = ItemFormat::Table, help_heading = OUTPUT)]
    pub(super) format: ItemFormat,

    /// Measure the timing of an unknown model, while its owner watches the display.
    #[arg(
        long, requires = "output", conflicts_with_all = ["dry_run", "format"], help_heading = MODEL
    )]
    pub(super) calibrate: bool,

    /// The profile that --calibrate writes.
    #[arg(long, value_name = "FILE", requires = "calibrate", help_heading = MODEL)]
    pub(super) output: Option<PathBuf>,
}

/// How the head is driven.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Light {
    /// How the light is switched on.
    #[arg(long, value_enum, default_value_t = MethodChoice::Auto)]
    method: MethodChoice,

    /// The head's light is on while the line is idle, and off in a break.
    #[arg(long)]
    inverted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum MethodChoice {
    /// By a break if the port supports it, otherwise by zero bytes.
    Auto,
    /// By a break.
    Break,
    /// By zero bytes without pauses.
    ZeroBytes,
}

impl Light {
    pub(super) fn drive(self, head: Head) -> Head {
        let method = match self.method {
            MethodChoice::Auto => Method::Auto,
            MethodChoice::Break => Method::Break,
            MethodChoice::ZeroBytes => Method::ZeroBytes,
        };
        Head { method, inverted: self.inverted, ..head }
    }
}

impl Arguments {
    /// How a meter of that model is unlocked.
    pub(super) fn options(&self, profile: &Profile) -> UnlockOptions {
        let usual = UnlockOptions::for_model(profile);
        UnlockOptions {
            head: self.light.drive(usual.head),
            first_telegram: self.timeout,
            pardon: self.reset_tries,
            inf_presses: self.inf_presses,
            ..usual
        }
    }
}
