//! `ebp unlock --calibrate`: an unknown model's timing, found with its owner.
//!
//! Enters: a terminal with somebody at it who sees the meter's display. Leaves: a profile file.
//! Absent: what is asked and measured, which [`ebp_meter::unlock::calibrate`] knows.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use ebp_core::clock::{Clock, SystemClock};
use ebp_meter::{
    interface::{Environment, MeterInterface, SessionMeter, Site},
    pace::{Pace, RealPace},
    port::LineSettings,
    profile::Profile,
    readout::Readout,
    session::{self, ReadOptions, Session},
    unlock::{
        Ask, Attempt, Calibration, MeterKey, Pin, Question, Quit, Tries, UnlockOptions, Unlocked,
    },
};

use super::{arguments::Arguments, secret, show};
use crate::{
    command::{find_port, silence::nothing_read},
    exit::{CommandResult, Context, Failure},
    tell::tell,
    terminal::Terminal,
};

/// Nothing is tried after so many wrong PINs: what profiles that are not known yet assume.
const STOP_AT: u8 = 2;
/// The longest that the one wrong try takes, for the memory of tries.
const LONGEST: Duration = Duration::from_secs(600);

struct Owner<'a>(&'a Terminal<'a>);

impl Ask for Owner<'_> {
    fn yes(&mut self, question: Question) -> Result<bool, Quit> {
        loop {
            self.0.forget_typed();
            let typed = self.0.ask(&format!("{question} [y/n, q to give up] "));
            match typed.ok().flatten().ok_or(Quit)?.text() {
                "y" | "Y" | "yes" => return Ok(true),
                "n" | "N" | "no" => return Ok(false),
                "q" | "Q" => return Err(Quit),
                _ => {}
            }
        }
    }

    fn moment(&mut self, question: Question) -> Result<(), Quit> {
        self.0.forget_typed();
        let typed = self.0.ask(&format!("{question} [Enter, q to give up] "));
        match typed.ok().flatten().ok_or(Quit)?.text() {
            "q" | "Q" => Err(Quit),
            _ => Ok(()),
        }
    }
}

/// Walks the owner through and writes the profile.
pub fn run(
    arguments: &Arguments,
    name: &str,
    tries: &Tries,
    stop: &Arc<AtomicBool>,
) -> CommandResult {
    let Some(output) = &arguments.output else {
        return Err(Failure::usage("calibrating needs --output"));
    };
    let Some(terminal) = Terminal::open(stop) else {
        return Err(Failure::usage("calibrating needs a terminal with somebody at it")
            .remedy("run it where you can watch the meter's display and type"));
    };
    if output.exists() {
        return Err(Failure::failed(format!("{} exists already", output.display()))
            .remedy("choose another name with --output"));
    }
    let port = find_port::named_or_only(arguments.port.as_ref(), None, ReadOptions::default())?;
    let site = Site::new(port.clone(), ReadOptions::default());
    let mut meter = SessionMeter::unknown(&site, &Environment::for_reading())?;
    let heard = listen(&mut meter, arguments.timeout)?;
    let session = meter.session_mut();
    if heard.readout.is_detailed() {
        return Err(Failure::failed("this meter shows its details already")
            .remedy("let it lock itself again first, or just read it with `ebp read`"));
    }
    let head = arguments.light.head(heard.line);
    let meter = MeterKey::new(heard.readout.server_id.as_ref(), &port);
    let pace = RealPace::default();
    let mut spend = || {
        let now = SystemClock.now();
        let until = now.checked_add(LONGEST).unwrap_or(now);
        Ok(tries.begin(&meter, STOP_AT, until)?.is_some())
    };
    let mut owner = Owner(&terminal);
    let mut calibration =
        Calibration { port: session.port_mut(), head, pace: &pace, spend: &mut spend };
    let found = calibration.find(&mut owner);
    if tries.get(&meter)?.is_some() {
        tries.ended(&meter, SystemClock.now())?;
    }
    let mut finding = found?;
    let text = finding.profile(name, &heard.readout, heard.line, heard.interval)?;
    save(output, &text)?;
    tell!("ebp: {} is written; now the way to InF, for which the PIN is needed", output.display());
    let Some(pin) = secret::ask(&terminal)? else { return Ok(()) };
    let profile = Profile::parse(&output.display().to_string(), &text)?;
    unlock(arguments, &profile, &pin, session, tries, &pace, stop)?;
    let mut calibration =
        Calibration { port: session.port_mut(), head, pace: &pace, spend: &mut || Ok(true) };
    calibration.find_inf(&mut finding, &mut owner)?;
    let text = finding.profile(name, &heard.readout, heard.line, heard.interval)?;
    crate::file::write_whole(output, text.as_bytes())?;
    tell!("ebp: {} is complete; `ebp unlock --profiles` takes its folder", output.display());
    Ok(())
}

fn unlock(
    arguments: &Arguments,
    profile: &Profile,
    pin: &Pin,
    session: &mut Session,
    tries: &Tries,
    pace: &dyn Pace,
    stop: &AtomicBool,
) -> Result<Unlocked, Failure> {
    let options = UnlockOptions { inf: false, slower: false, ..UnlockOptions::default() };
    let attempt = Attempt {
        profile,
        tries,
        clock: &SystemClock,
        pace,
        head: arguments.light.head(profile.line.settings()),
        options: &options,
        stop,
    };
    let mut shown = show::Shown::new(profile);
    let unlocked = attempt.run(session, pin, &mut |progress| shown.tell(&progress));
    shown.clear();
    Ok(unlocked?)
}

fn save(path: &Path, text: &str) -> CommandResult {
    let mut file = File::create_new(path).or_failed(format!("cannot make {}", path.display()))?;
    file.write_all(text.as_bytes()).or_failed(format!("cannot write {}", path.display()))
}

struct Heard {
    readout: Readout,
    line: LineSettings,
    interval: Option<Duration>,
}

/// Two telegrams, and how far they are apart.
fn listen(meter: &mut SessionMeter, timeout: Duration) -> Result<Heard, Failure> {
    let deadline = Instant::now() + timeout;
    let mut first: Option<(Readout, Instant)> = None;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match meter.next(left)? {
            session::SessionEvent::Readout(readout) => match first.take() {
                None => first = Some((*readout, Instant::now())),
                Some((earlier, at)) => return Ok(heard(meter, earlier, Some(at.elapsed()))),
            },
            session::SessionEvent::Noise(_) => {}
            session::SessionEvent::TimedOut | session::SessionEvent::End => break,
        }
    }
    match first {
        // It waits to be asked, and is asked once.
        Some((readout, _)) => Ok(heard(meter, readout, None)),
        None => Err(nothing_read(meter, timeout, false, None)),
    }
}

fn heard(meter: &SessionMeter, readout: Readout, interval: Option<Duration>) -> Heard {
    let line = meter.line().unwrap_or(LineSettings::SML);
    // Whole tenths of a second, which is as fine as telegrams come.
    let interval = interval.map(|interval| {
        Duration::from_millis(u64::try_from((interval.as_millis() + 50) / 100 * 100).unwrap_or(0))
    });
    Heard { readout, line, interval }
}
