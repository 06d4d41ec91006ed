//! `ebp simulate`: a virtual meter that any program can open as a serial port.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use ebp_core::{
    clock::{Clock, SystemClock},
    model::MeterType,
};
use ebp_meter::{
    profile::Profile,
    unlock::Pin,
    virtual_meter::{
        Button, Energies, HouseholdOptions, LockOptions, Memory, MemoryError, MenuList,
        MeterOptions, NoiseOptions, Replay, Rhythm, Source, Tempo, VirtualMeter, run as run_meter,
    },
};

use super::{models::Models, unlock::secret};
use crate::exit::{CommandResult, Context, Failure};
use crate::tell::tell;

/// The heading of the options of a meter that is made up.
const METER: &str = "The meter";
/// The heading of the options of its lock.
const LOCK: &str = "Its lock";
/// The heading of the options of a recording.
const RECORDING: &str = "A recording";
/// The heading of the options for sending.
const SENDING: &str = "How it sends";

/// Simulate a meter on a pseudoterminal.
///
/// Sends the telegrams of a household's meter of that model, whose registers integrate the
/// household's power, or plays a recording at the original line speed. Ends with Ctrl-C.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The model, such as MT175.
    #[arg(long, required_unless_present = "replay", help_heading = METER)]
    model: Option<String>,

    /// Play this recording of a meter's bytes instead.
    #[arg(long, value_name = "FILE", conflicts_with = "model", help_heading = RECORDING)]
    replay: Option<PathBuf>,

    /// Play the recording once instead of repeating it.
    #[arg(long, requires = "replay", help_heading = RECORDING)]
    once: bool,

    /// A symbolic link to the pseudoterminal, as a fixed name for readers.
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,

    /// Simulate a locked meter: whole kWh and no power. With a PIN (--pin, --pin-file or the
    /// environment variable EBP_PIN) light pulses unlock it, with the timing limits of a real one;
    /// without a PIN it stays locked.
    #[arg(long, conflicts_with = "replay", help_heading = LOCK)]
    locked: bool,

    #[command(flatten, next_help_heading = LOCK)]
    lock: LockArguments,

    /// Simulate the generation meter of a photovoltaic system instead of the household's meter.
    #[arg(long, conflicts_with = "replay", help_heading = METER)]
    generation: bool,

    /// Peak power of the household's photovoltaic system, watts.
    #[arg(long, default_value_t = 8_000, value_name = "WATTS", help_heading = METER)]
    pv_peak: u32,

    /// The number in the meter's server id.
    #[arg(long, default_value_t = 1_234_567, help_heading = METER)]
    number: u32,

    /// The same seed produces the same household and the same noise.
    #[arg(long, default_value_t = 1, help_heading = METER)]
    seed: u64,

    /// Damage the telegrams: flipped bits, missing bytes, cut-off telegrams, garbage between them.
    #[arg(long, help_heading = SENDING)]
    noise: bool,

    /// Simulated seconds per second; registers grow that much faster.
    #[arg(
        long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=86_400),
        help_heading = SENDING
    )]
    speed: u32,

    /// The time from one telegram to the next; by default the model's.
    #[arg(long, value_parser = humantime::parse_duration, help_heading = SENDING)]
    interval: Option<Duration>,

    /// Start with the registers and the lock in this file, and save them there at the end.
    #[arg(long, value_name = "FILE", conflicts_with = "replay", help_heading = METER)]
    state: Option<PathBuf>,

    #[command(flatten, next_help_heading = METER)]
    models: Models,
}

/// How the lock of a virtual meter is.
#[derive(Debug, clap::Args)]
struct LockArguments {
    /// Its PIN. A simulated meter's PIN is no secret; keep a real one's in a file.
    #[arg(long, requires = "locked", value_parser = pin, conflicts_with = "pin_file")]
    pin: Option<Pin>,

    /// The file with its PIN.
    #[arg(long, value_name = "FILE", requires = "locked")]
    pin_file: Option<PathBuf>,

    /// Leave InF out of the menu after the PIN, as some operators configure it: the items after it
    /// move up.
    #[arg(long, requires = "locked")]
    no_inf: bool,

    /// The items of the menu after the PIN, in order, instead of the model's: of P, E, E CLR, 1d,
    /// 7d, 30d, 365d, HIS, HIS CLR, 0.2.2, InF, PIN and other.
    #[arg(long, value_name = "ITEMS", requires = "locked")]
    menu: Option<MenuList>,

    /// Send no power even after the PIN, as if the operator had switched off the extended data:
    /// only the energy gets its decimals.
    #[arg(long, requires = "locked")]
    operator_off: bool,

    /// Send the reading head's light back to it.
    #[arg(long, requires = "locked")]
    echo: bool,

    /// The drift of the meter's clock, in parts per million: -20000 is 2 % slow.
    #[arg(
        long, value_name = "PPM", default_value_t = 0, requires = "locked", allow_negative_numbers = true,
        value_parser = clap::value_parser!(i32).range(-500_000..=500_000)
    )]
    drift: i32,
}

fn pin(text: &str) -> Result<Pin, ebp_meter::unlock::PinError> {
    text.parse()
}

impl LockArguments {
    /// The button, where there is a PIN.
    fn button(&self, profile: &Profile) -> Result<Option<Button>, Failure> {
        let pin = match &self.pin {
            Some(pin) => Some(pin.clone()),
            None => secret::given(self.pin_file.as_deref())?,
        };
        let Some(pin) = pin else { return Ok(None) };
        if profile.pin.is_none() {
            return Err(Failure::usage(format!(
                "how the PIN of {} is entered by light is not known, so no PIN unlocks it",
                profile.name
            ))
            .remedy("leave --pin out: it stays locked then"));
        }
        if let Some(timing) = profile.pin.as_ref().filter(|t| usize::from(t.digits) != pin.len()) {
            return Err(Failure::usage(format!(
                "the PIN of {} has {} digits",
                profile.name, timing.digits
            )));
        }
        let options = LockOptions {
            inf_offered: !self.no_inf,
            menu: self.menu.clone(),
            operator_off: self.operator_off,
            echoes: self.echo,
            drift_ppm: self.drift,
            ..LockOptions::default()
        };
        Ok(Button::new(profile, pin, options))
    }
}

/// Lives until Ctrl-C, or to the recording's end with `--once`.
pub fn run(arguments: &Arguments) -> CommandResult {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).or_failed("signals")?;
    }
    let mut source = arguments.source()?;
    let noise = arguments.noise.then(|| NoiseOptions::moderate(arguments.seed));
    let tempo = Tempo { factor: arguments.speed, push_interval: arguments.interval };
    run_meter(&mut source, arguments.link.as_deref(), noise, tempo, &stop, |path| {
        tell!("ebp: the meter is at {}; read it with `ebp read --port {0}`", path.display());
    })
    .map_err(Failure::failed)?;
    if let Source::Meter(meter) = &source {
        let state = meter.state();
        if let Some(path) = &arguments.state {
            Memory::in_file(path).keep(&state).map_err(explain)?;
        }
        if let Some(lock) = state.lock.filter(|lock| !lock.harm.is_none()) {
            tell!("ebp: long presses did harm to this meter: {}", lock.harm);
        }
    }
    Ok(())
}

impl Arguments {
    fn source(&self) -> Result<Source, Failure> {
        if let Some(path) = &self.replay {
            let mut replay =
                Replay::open(path).map_err(|error| Failure::failed(crate::exit::chain(&error)))?;
            replay.looped = !self.once;
            replay.rhythm = self.interval.map_or(replay.rhythm, Rhythm::Every);
            return Ok(Source::Replay(replay));
        }
        let profiles = self.models.load()?;
        let name = self.model.as_deref().unwrap_or_default();
        let profile = profiles.get(name)?;
        let kind = if self.generation { MeterType::PvGeneration } else { MeterType::Electricity };
        let options = MeterOptions {
            kind,
            number: self.number,
            household: HouseholdOptions {
                seed: self.seed,
                pv_peak_watts: self.pv_peak,
                battery_watt_hours: 0,
            },
            locked: self.locked,
            start: SystemClock.now(),
            energies: Energies::from_watt_hours(4_711_500, 2_345_600).unwrap_or_default(),
        };
        let mut meter = VirtualMeter::new(profile, options).map_err(Failure::failed)?;
        if self.locked
            && let Some(button) = self.lock.button(profile)?
        {
            meter = meter.with_button(button);
        }
        if let Some(path) = &self.state
            && let Some(state) = Memory::in_file(path).recall().map_err(explain)?
        {
            meter.restore(state);
        }
        Ok(Source::Meter(Box::new(meter)))
    }
}

fn explain(error: MemoryError) -> Failure {
    Failure::failed(crate::exit::chain(&error))
}
