//! The demo's meters: a thread with a pseudoterminal each.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use ebp_core::{
    clock::{Clock, SystemClock},
    model::MeterType,
};
use ebp_meter::{
    profile::Profiles,
    virtual_meter::{
        Energies, HouseholdOptions, Memory, MeterOptions, Replay, Source, Tempo, VirtualMeter,
        run as run_meter,
    },
};
use jiff::Timestamp;

use super::households::{DemoHousehold, DemoMeter};
use crate::exit::{CommandResult, Context, Failure, chain};

/// From one telegram of a virtual meter to the next: often, so that no cycle waits for long.
const INTERVAL: Duration = Duration::from_millis(600);

/// The running meters.
pub struct Meters {
    threads: Vec<thread::JoinHandle<CommandResult>>,
}

impl Meters {
    /// Waits for their end; the stop flag is set elsewhere.
    pub fn end(self) -> CommandResult {
        // Waits for all, whatever the result of the first.
        let crashed = |_| Err(Failure::failed("a virtual meter crashed"));
        let ends: Vec<_> =
            self.threads.into_iter().map(|thread| thread.join().unwrap_or_else(crashed)).collect();
        ends.into_iter().collect()
    }
}

/// Starts every household's meters and waits until they can be read.
pub fn start(
    households: &[DemoHousehold],
    recordings: Option<PathBuf>,
    speed: u32,
    stop: &Arc<AtomicBool>,
) -> Result<Meters, Failure> {
    let mut threads = Vec::new();
    let (ready, all_ready) = mpsc::channel();
    for household in households {
        for meter in &household.meters {
            let mut source = match &recordings {
                Some(folder) => recording(folder, meter)?,
                None => virtual_meter(household, meter)?,
            };
            let tempo =
                Tempo { factor: speed, push_interval: recordings.is_none().then_some(INTERVAL) };
            let link = meter.link.clone();
            let (stop, ready) = (Arc::clone(stop), ready.clone());
            // Only this demo makes links here, and it has the folder's lock: an existing one is
            // left from a run that was killed.
            let _ = std::fs::remove_file(&link);
            let live = move || {
                let tell = |_: &Path| {
                    let _ = ready.send(true);
                };
                let ended = run_meter(&mut source, Some(&link), None, tempo, &stop, tell);
                let _ = ready.send(false);
                ended.map_err(Failure::failed)
            };
            threads.push(
                thread::Builder::new()
                    .name(meter.model.into())
                    .spawn(live)
                    .or_failed("a thread")?,
            );
        }
    }
    let meters = Meters { threads };
    if !all_ready.iter().take(meters.threads.len()).all(|is_ready| is_ready) {
        stop.store(true, Ordering::Relaxed);
        meters.end()?;
        return Err(Failure::failed("a virtual meter could not start"));
    }
    Ok(meters)
}

fn virtual_meter(household: &DemoHousehold, meter: &DemoMeter) -> Result<Source, Failure> {
    let profiles = Profiles::embedded();
    let profile = profiles.get(meter.model).map_err(Failure::usage)?;
    let options = options(household, meter, late_morning());
    let virtual_meter = VirtualMeter::new(profile, options)
        .and_then(|new| new.with_memory(Memory::in_file(&meter.registers)))
        .map_err(Failure::failed)?;
    Ok(Source::Meter(Box::new(virtual_meter)))
}

/// What a meter is, and what it showed when it was first looked at.
pub fn options(household: &DemoHousehold, meter: &DemoMeter, start: Timestamp) -> MeterOptions {
    let (import, export) = match meter.kind {
        MeterType::Electricity => (4_711_000, 12_345_000),
        MeterType::PvGeneration => (3_000, 28_500_000),
    };
    MeterOptions {
        kind: meter.kind,
        number: 1_000_000 + u32::from(household.number),
        household: HouseholdOptions {
            seed: household.seed,
            pv_peak_watts: 9_840,
            battery_watt_hours: if household.has_battery() { 8_000 } else { 0 },
        },
        locked: false,
        start,
        energies: Energies::from_watt_hours(import, export).unwrap_or_default(),
    }
}

/// Today at ten (UTC): whenever the demo is started, there is sun on the roof.
fn late_morning() -> Timestamp {
    const DAY: i64 = 86_400;
    let midnight = SystemClock.now().as_second().div_euclid(DAY) * DAY;
    Timestamp::from_second(midnight + 10 * 3_600).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn recording(folder: &Path, meter: &DemoMeter) -> Result<Source, Failure> {
    let mut replay = Replay::open(&folder.join(meter.recording))
        .map_err(|error| Failure::failed(chain(&error)))?;
    replay.looped = true;
    Ok(Source::Replay(replay))
}

/// The folder of recordings: the one given, or the one that the `sml-rs` crate ships.
pub fn recordings(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = given {
        return match folder.is_dir() {
            true => Ok(folder.to_owned()),
            false => Err(Failure::usage(format!("{} is no folder", folder.display()))),
        };
    }
    let missing = || {
        Failure::failed("the recordings of the sml-rs crate cannot be found through cargo").remedy(
            "run the demo from a checkout of this project, or name a folder: --replay FOLDER",
        )
    };
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .map_err(|_| missing())?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|_| missing())?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| package["name"] == "sml-rs")
        .filter_map(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(|folder| folder.join("tests/libsml-testing"))
        .find(|folder| folder.is_dir())
        .ok_or_else(missing)
}
