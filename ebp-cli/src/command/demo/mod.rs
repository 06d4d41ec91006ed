//! `ebp demo`: the whole chain on one machine.
//!
//! Enters: a folder for its state. Leaves: progress, then what arrived at the server, as the server
//! returns it to the participants. Absent: any shortcut. The server, the authority, the spools and
//! both cycles are those of the other commands; only the meters are made of software, and their
//! time runs faster.

mod agreement;
mod certificates;
mod cloud_pages;
#[cfg(feature = "export")]
mod dataset;
mod households;
mod leaving;
mod meters;
mod opening;
mod pages;
mod participants;
mod past;
mod progress;
mod server;
mod sockets;
mod state;
mod timing;
mod tunnel;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{cycle, transmit};
use crate::{
    exit::{Code, CommandResult, Context, Failure},
    stdout::print,
    tell::tell,
};
use cloud_pages::CloudPages;
use ebp_core::{
    clock::{Clock, SystemClock},
    cycle::Cycle,
};
use ebp_device::device::Device;
use ebp_store::Quota;
use opening::Opening;
use pages::Pages;
use past::{Length, Past};
use progress::Progress;
use server::Server;
use state::State;
use timing::{CYCLE_STANDS_FOR, CYCLES_PER_REPORT, LOOK};
use tunnel::Tunnel;

/// The heading of the options for what is simulated.
const SIMULATION: &str = "What is simulated";

/// Run the whole chain on this machine with virtual meters.
///
/// Starts a certificate authority and a server, registers three households with four meters, grants
/// consent, measures and sends, and at the end shows what the server returns to the participants.
/// Then the third household revokes its consent and is masked, which a map shows; each run
/// registers it again. The other two have a history, which the first start simulates in some
/// seconds: 30 days of measurements, with a power cut, a loose reading head, a week without the PIN
/// and a meter that was exchanged. Each of the two has its page in the browser meanwhile, at an address
/// of this machine, and so have researchers and administrators, with the secrets that are printed; a
/// past of a week and more has neighbours in trouble for them to see. Ends with Ctrl-C; its state is stored in a folder, and the next start continues from
/// it.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder of its state.
    #[arg(long, value_name = "FOLDER", default_value = "demo-state")]
    state: PathBuf,

    /// End after every meter was measured and everything was sent once; if the present slot was
    /// measured before, wait for the next.
    #[arg(long)]
    once: bool,

    /// Open the first household's page in a browser.
    #[arg(long, conflicts_with = "once")]
    open: bool,

    /// Use recordings of real meters instead of virtual ones: a folder of them, or those that the
    /// sml-rs crate ships, found through cargo.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1)]
    replay: Option<Option<PathBuf>>,

    /// The measurement cycle, which represents a quarter of an hour.
    #[arg(long, default_value = "2s", help_heading = SIMULATION)]
    cycle: Cycle,

    /// The length of the history in a new folder, from 1d to 90d, or 0d for none. The default is
    /// 30d, and none with --replay.
    #[arg(long, value_name = "DAYS", conflicts_with = "replay", help_heading = SIMULATION)]
    past: Option<Length>,

    /// Reach a service of one of the devices through its tunnel, as administrators do.
    #[arg(long, help_heading = "Remote access")]
    tunnel: bool,

    /// The same seed produces the same households and the same history.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = SIMULATION)]
    seed: u64,
}

impl Arguments {
    fn past(&self) -> Option<Past> {
        let length = match (&self.replay, self.past) {
            (Some(_), _) => return None,
            (None, given) => given.unwrap_or_default(),
        };
        length.days().map(|days| Past { days, seed: self.seed })
    }
}

/// Runs the demo to its end.
pub fn run(arguments: &Arguments) -> CommandResult {
    // Ctrl-C ends the cycles; only then do the server and the meters stop.
    let interrupted = Arc::new(AtomicBool::new(false));
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted)).or_failed("signals")?;
    }
    let recordings = match &arguments.replay {
        Some(folder) => Some(meters::recordings(folder.as_deref())?),
        None => None,
    };
    let progress = Progress::new();
    progress.step("certificate authority and registrations");
    let opening = Opening {
        cycle: arguments.cycle,
        past: arguments.past(),
        seed: arguments.seed,
        progress: &progress,
        interrupted: &interrupted,
    };
    let state = State::open(&arguments.state, &opening)?;
    introduce(&state, arguments.once, &progress);
    let speed =
        u32::try_from(CYCLE_STANDS_FOR.as_secs() / arguments.cycle.duration().as_secs().max(1));
    let mut settings = state.server.settings(Arc::new(SystemClock));
    settings.quota = Some(Quota::for_cycle(state.cycle));
    let cloud = match arguments.once {
        true => None,
        false => Some(CloudPages::prepare(&state, &mut settings)?),
    };
    if let Some(cloud) = &cloud {
        cloud.introduce(&progress);
    }
    let browsers = cloud.map(|cloud| cloud.listener);
    let server = Server::start(settings.clone(), state.listener()?, browsers, Arc::clone(&stop))?;
    let meters =
        match meters::start(&state.households, recordings, speed.unwrap_or(1).max(1), &stop) {
            Ok(meters) => meters,
            Err(failure) => {
                stop.store(true, Ordering::Relaxed);
                progress.clear();
                return server.end().and(Err(failure));
            }
        };
    let tunnel = match arguments.tunnel {
        true => Tunnel::start(&state, &progress, Arc::clone(&stop)).map(Some),
        false => Ok(None),
    };
    let pages = match Pages::start(&state, &settings, arguments.once, &stop) {
        Ok(pages) => pages,
        Err(failure) => {
            stop.store(true, Ordering::Relaxed);
            progress.clear();
            return [meters.end(), server.end()].into_iter().chain([Err(failure)]).collect();
        }
    };
    pages.introduce(&progress, arguments.open);
    progress.step("server, meters and pages run");

    let chain = Chain {
        state: &state,
        progress: &progress,
        interrupted: &interrupted,
        once: arguments.once,
    };
    let result = tunnel.and_then(|tunnel| chain.run().map(|()| tunnel));
    stop.store(true, Ordering::Relaxed);
    progress.clear();
    let ended = [pages.end(), meters.end(), server.end()];
    if let Some(tunnel) = result? {
        tunnel.end()?;
    }
    ended.into_iter().collect()
}

/// What runs, how fast, and what to try next.
fn introduce(state: &State, once: bool, progress: &Progress) {
    let end = if once { "After one round" } else { "Ctrl-C ends it; then" };
    let past = if past::end(&state.folder).is_some() { ", two of them with a past" } else { "" };
    progress.tell(&format!(
        "A server, three households{past}, their devices and four virtual meters run here.\n\
         {} stand for a quarter of an hour. {end} household 3 leaves the survey.\n\
         Try next: {}",
        state.cycle,
        state.report_command()
    ));
}

/// Consent, cycles, and what arrived.
struct Chain<'a> {
    state: &'a State,
    progress: &'a Progress,
    interrupted: &'a AtomicBool,
    once: bool,
}

impl Chain<'_> {
    fn run(&self) -> CommandResult {
        for household in &self.state.households {
            participants::grant_consent(self.state, household)?;
        }
        self.progress.step("consent is granted");
        let mut devices: Vec<_> = self
            .state
            .households
            .iter()
            .map(|household| Device::open(&household.device_config))
            .collect::<Result<_, _>>()?;
        if self.measure(&mut devices)? > 0 && self.once {
            self.progress.step("this slot is measured already: waiting for the next");
            wait_for_next_slot_or(self.state.cycle, || self.interrupted.load(Ordering::Relaxed));
            self.measure(&mut devices)?;
        }
        self.send(&devices)?;
        if !self.once {
            self.show()?;
            self.progress.hidden(|| tell!("{}", self.state.how_to_look(false)));
            self.go_on(&mut devices)?;
            self.progress.clear();
        }
        self.show()?;
        #[cfg(feature = "export")]
        self.progress.hidden(|| dataset::export(self.state))?;
        if let Some(household) = self.state.leaving() {
            self.progress.hidden(|| leaving::leave(self.state, household))?;
        }
        self.progress.hidden(|| tell!("{}", self.state.how_to_look(true)));
        Ok(())
    }

    /// Measures every household's meters once, all households at the same time as their devices
    /// would. Returns how many meters had been measured in this slot before.
    fn measure(&self, devices: &mut [Device]) -> Result<usize, Failure> {
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = devices
                .iter_mut()
                .map(|device| scope.spawn(move || cycle::once(&*device)))
                .collect();
            threads
                .into_iter()
                .map(|thread| {
                    thread.join().unwrap_or_else(|_| Err(Failure::failed("a device crashed")))
                })
                .collect()
        });
        let mut before = 0;
        for result in results {
            let measured = result?;
            self.progress.measured(measured.now);
            before += measured.before;
        }
        Ok(before)
    }

    fn send(&self, devices: &[Device]) -> CommandResult {
        for device in devices {
            let report = transmit::report(device)?;
            self.progress.sent(report.accepted + report.duplicate);
        }
        Ok(())
    }

    /// Runs cycle after cycle until stopped. A failure is reported and the next cycle tried.
    fn go_on(&self, devices: &mut [Device]) -> CommandResult {
        let mut cycles = 0;
        loop {
            let interrupted = || self.interrupted.load(Ordering::Relaxed);
            wait_for_next_slot_or(self.state.cycle, interrupted);
            if interrupted() {
                break;
            }
            cycles += 1;
            let result = self.measure(devices).and_then(|_| {
                if cycles % CYCLES_PER_REPORT == 0 { self.send(devices) } else { Ok(()) }
            });
            match result {
                Err(failure) if failure.code == Code::NoConsent => return Err(failure),
                Err(failure) => self.progress.tell(&format!("ebp: {failure}")),
                Ok(()) => {}
            }
        }
        self.send(devices)
    }

    fn show(&self) -> CommandResult {
        let text = participants::what_arrived(self.state)?;
        self.progress.hidden(|| print(&text))
    }
}

/// Waits until the next slot begins, by the machine's clock even when that is set meanwhile,
/// or until `ended` says so.
fn wait_for_next_slot_or(cycle: Cycle, ended: impl Fn() -> bool) {
    let begun = cycle.slot(SystemClock.now());
    loop {
        let now = SystemClock.now();
        if cycle.slot(now) != begun || ended() {
            return;
        }
        thread::sleep(cycle.until_next(now).min(LOOK));
    }
}
