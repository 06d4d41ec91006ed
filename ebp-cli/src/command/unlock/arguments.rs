//! What `ebp unlock` is told on its command line.

use std::{path::PathBuf, time::Duration};

use ebp_meter::{
    interface::{Driver, Site},
    port::{LineSettings, PortName},
    unlock::{Head, Method, UnlockOptions},
};

use crate::{
    command::{heading::OUTPUT, models::Models},
    output::ItemFormat,
};

/// The heading of the options that say how light is made.
const LIGHT: &str = "The light";
/// The heading of the options about the list behind the PIN.
const LIST: &str = "The list behind the PIN";
/// The heading of the options about wrong tries.
const TRIES: &str = "Wrong tries";
/// The heading of the options that only print what would be done.
const DRY_RUN: &str = "Without a meter";
/// The heading of the options for a model that is not known.
const MODEL: &str = "Other models";

/// Unlock a meter by light, with its PIN.
///
/// The PIN is read from --pin-file (which only its owner may read), else from the environment
/// variable EBP_PIN, else it is asked for. A long press, which switches items of the list behind the
/// PIN, is sent only where a source names the place of InF for the model, or where you say so (--step,
/// --inf-presses). Wrong tries are remembered, and ebp stops before the meter
/// would block itself. Ctrl-C switches the light off.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A serial device with a reading head on the meter (/dev/ttyUSB0), or tcp://host:port. Without
    /// it the only one of the machine's serial ports at which a meter speaks.
    #[arg(long)]
    pub(super) port: Option<PortName>,

    /// The meter's model, such as MT175; `ebp meter list` shows all. With --calibrate the name of
    /// the new one.
    #[arg(long, required_unless_present = "reset_tries")]
    pub(super) model: Option<String>,

    /// The file with the PIN, which nobody but its owner may read (chmod 600).
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

    /// Walk through the list together with you: at each item you say what the display shows, and the
    /// long press is sent to InF only after your yes.
    #[arg(long, conflicts_with_all = ["dry_run", "calibrate", "format"], help_heading = LIST)]
    pub(super) step: bool,

    /// So many short presses behind the PIN the display of this very meter shows InF: switch it there.
    /// At another item the long press may clear energies or the history, or switch the PIN query off.
    #[arg(
        long, value_name = "N", conflicts_with_all = ["step", "calibrate"], help_heading = LIST,
        value_parser = clap::value_parser!(u8).range(0..=50)
    )]
    pub(super) inf_presses: Option<u8>,

    /// Where tries are remembered: $XDG_STATE_HOME/ebp without this, /var/lib/ebp for root.
    #[arg(long, value_name = "FOLDER", help_heading = TRIES)]
    pub(super) state: Option<PathBuf>,

    /// Forget the meter's earlier wrong tries, because PIN and model are certain; without --port
    /// those of all meters.
    #[arg(long, help_heading = TRIES)]
    pub(super) reset_tries: bool,

    #[command(flatten, next_help_heading = MODEL)]
    pub(super) models: Models,

    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = ItemFormat::Table, help_heading = OUTPUT)]
    pub(super) format: ItemFormat,

    /// Find the timing of an unknown model together with its owner, who watches the display.
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
    /// How light is made.
    #[arg(long, value_enum, default_value_t = MethodChoice::Auto)]
    method: MethodChoice,

    /// The head shines while the line is idle, and is dark in a break.
    #[arg(long)]
    inverted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum MethodChoice {
    /// By break where the port has one, else by zero bytes.
    Auto,
    /// By break.
    Break,
    /// By zero bytes back to back.
    ZeroBytes,
}

impl Light {
    fn method(self) -> Method {
        match self.method {
            MethodChoice::Auto => Method::Auto,
            MethodChoice::Break => Method::Break,
            MethodChoice::ZeroBytes => Method::ZeroBytes,
        }
    }

    /// A head that is driven so, on a line with those settings.
    pub(super) fn head(self, line: LineSettings) -> Head {
        Head { method: self.method(), inverted: self.inverted, line }
    }

    /// A meter of that model at that port, with such a head.
    pub(super) fn site(self, port: &PortName, driver: &dyn Driver) -> Site {
        let (method, inverted) = (self.method(), self.inverted);
        Site { port: port.clone(), read: driver.model().read, method, inverted }
    }
}

impl Arguments {
    /// How a meter is unlocked.
    pub(super) fn options(&self) -> UnlockOptions {
        UnlockOptions {
            first_telegram: self.timeout,
            pardon: self.reset_tries,
            inf_presses: self.inf_presses,
            ..UnlockOptions::default()
        }
    }
}
