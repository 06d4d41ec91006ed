//! `ebp unlock`: a meter's PIN, entered by light.
//!
//! Enters: model, port, PIN. Leaves: a meter that tells its details, or why it does not.
//! Absent: presses, pauses and tries, which [`ebp_meter::unlock`] knows.

mod calibrate;
mod dry_run;
pub mod secret;
mod show;
mod step;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use ebp_core::clock::SystemClock;
use ebp_meter::{
    interface::{MeterInterface, ProfiledMeter, Surroundings, read_options},
    port::{self, PortName},
    profile::Profile,
    session::Session,
    unlock::{Head, Method, PlanError, RealPace, Tries, UnlockError, UnlockOptions, Unlocked},
};

use super::{find_port, heading::OUTPUT, models::Models};
use crate::{
    exit::{Context, Failure, Outcome},
    output::Shape,
    state,
    tell::tell,
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
    port: Option<PortName>,

    /// The meter's model, such as MT175; `ebp meter list` shows all. With --calibrate the name of
    /// the new one.
    #[arg(long, required_unless_present = "reset_tries")]
    model: Option<String>,

    /// The file with the PIN, which nobody but its owner may read (chmod 600).
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,

    /// How long to wait for the first telegram.
    #[arg(long, default_value = "30s", value_parser = humantime::parse_duration)]
    timeout: Duration,

    /// Print what would be done, and how long it takes; the PIN is masked.
    #[arg(long, help_heading = DRY_RUN)]
    dry_run: bool,

    /// Print every press of the dry run, and with them the PIN.
    #[arg(long, requires = "dry_run", help_heading = DRY_RUN)]
    reveal: bool,

    #[command(flatten, next_help_heading = LIGHT)]
    light: Light,

    /// Walk through the list together with you: at each item you say what the display shows, and the
    /// long press is sent to InF only after your yes.
    #[arg(long, conflicts_with_all = ["dry_run", "calibrate", "format"], help_heading = LIST)]
    step: bool,

    /// So many short presses behind the PIN the display of this very meter shows InF: switch it there.
    /// At another item the long press may clear energies or the history, or switch the PIN query off.
    #[arg(
        long, value_name = "N", conflicts_with_all = ["step", "calibrate"], help_heading = LIST,
        value_parser = clap::value_parser!(u8).range(0..=50)
    )]
    inf_presses: Option<u8>,

    /// Where tries are remembered: $XDG_STATE_HOME/ebp without this, /var/lib/ebp for root.
    #[arg(long, value_name = "FOLDER", help_heading = TRIES)]
    state: Option<PathBuf>,

    /// Forget the meter's earlier wrong tries, because PIN and model are certain; without --port
    /// those of all meters.
    #[arg(long, help_heading = TRIES)]
    reset_tries: bool,

    #[command(flatten, next_help_heading = MODEL)]
    models: Models,

    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Shape::Table, help_heading = OUTPUT)]
    format: Shape,

    /// Find the timing of an unknown model together with its owner, who watches the display.
    #[arg(
        long, requires = "output", conflicts_with_all = ["dry_run", "format"], help_heading = MODEL
    )]
    calibrate: bool,

    /// The profile that --calibrate writes.
    #[arg(long, value_name = "FILE", requires = "calibrate", help_heading = MODEL)]
    output: Option<PathBuf>,
}

/// How the head is driven.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Light {
    /// How light is made.
    #[arg(long, value_enum, default_value_t = MethodChoice::Auto)]
    method: MethodChoice,

    /// The head shines while the line is idle, and is dark in a break.
    #[arg(long)]
    inverted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum MethodChoice {
    /// By break where the port has one, else by zero bytes.
    Auto,
    /// By break.
    Break,
    /// By zero bytes back to back.
    ZeroBytes,
}

impl Light {
    fn drive(self, head: Head) -> Head {
        let method = match self.method {
            MethodChoice::Auto => Method::Auto,
            MethodChoice::Break => Method::Break,
            MethodChoice::ZeroBytes => Method::ZeroBytes,
        };
        Head { method, inverted: self.inverted, ..head }
    }
}

/// Unlocks, or does what else the arguments say.
pub fn run(arguments: &Arguments) -> Outcome {
    let tries = Tries::in_folder(&state::folder(arguments.state.as_deref())?);
    if arguments.reset_tries && arguments.port.is_none() && !arguments.dry_run {
        tries.forget_all()?;
        tell!("ebp: the tries of all meters are forgotten ({})", tries.path().display());
        return Ok(());
    }
    let Some(model) = &arguments.model else {
        return Err(Failure::usage("which model is it?")
            .remedy("name it with --model; `ebp meter identify` helps"));
    };
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).or_failed("signals")?;
    }
    let profiles = arguments.models.load()?;
    if arguments.calibrate {
        return calibrate::run(arguments, model, &tries, &stop);
    }
    let profile = profiles.get(model)?;
    if arguments.dry_run {
        return dry_run::run(arguments, profile, &stop);
    }
    can_be_unlocked(profile)?;
    let port = find_port::named_or_only(arguments.port.as_ref(), read_options(profile))?;
    if arguments.step {
        return step::run(arguments, profile, &port, &tries, &stop);
    }
    let unlocked = arguments.unlock(profile, &port, tries, &stop);
    show::result(arguments.format, profile, &port, unlocked)
}

/// Not every model has a lock.
fn can_be_unlocked(profile: &Profile) -> Outcome {
    match profile.pin {
        Some(_) => Ok(()),
        None => Err(UnlockError::Plan(PlanError::without_pin(profile)).into()),
    }
}

fn open(profile: &Profile, port: &PortName) -> Result<Session, Failure> {
    let session =
        Session::from_port(port::open(port, profile.line.settings())?, read_options(profile));
    if session.is_live() {
        return Ok(session);
    }
    Err(Failure::usage(format!("{port} is no meter that can be shone upon"))
        .remedy("give the serial device of the reading head, or tcp://host:port"))
}

impl Arguments {
    fn options(&self, profile: &Profile) -> UnlockOptions {
        let usual = UnlockOptions::for_model(profile);
        UnlockOptions {
            head: self.light.drive(usual.head),
            first_telegram: self.timeout,
            pardon: self.reset_tries,
            inf_presses: self.inf_presses,
            ..usual
        }
    }

    fn unlock(
        &self,
        profile: &Profile,
        port: &PortName,
        tries: Tries,
        stop: &Arc<AtomicBool>,
    ) -> Result<Unlocked, show::NotDone> {
        // Before the PIN is asked for: a port that is not there needs none.
        let session = open(profile, port)?;
        let pin = secret::pin(self.pin_file.as_deref(), stop)?;
        let options = self.options(profile);
        let around = Surroundings {
            clock: Arc::new(SystemClock),
            pace: Arc::new(RealPace::default()),
            tries,
            stop: Arc::clone(stop),
        };
        let mut meter =
            ProfiledMeter::new(profile.clone(), Box::new(session), around).with_options(options);
        let mut shown = show::Shown::new(profile);
        let unlocked = meter.enable_detailed_readout(&pin, &mut |progress| shown.tell(&progress));
        shown.clear();
        Ok(unlocked?)
    }
}
