//! `cargo xtask fuzz TARGET [SECONDS]` and `cargo xtask fuzz-smoke`.
//!
//! Enters: the target's name, for how long; the recordings that the published sml-rs crate carries.
//! Leaves: cargo-fuzz's output; seeds in `fuzz/corpus`, made anew each time, which are never
//! committed. Absent: the targets.

mod tunnel;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};
use ebp_testkit::recordings::sml_rs;

use crate::{
    run::{shown, succeed, works},
    tool::{self, FUZZ},
};

/// A target with what libFuzzer is told of it: the longest input in bytes, and the most memory in MiB
/// that a single allocation may ask for.
type Target = (&'static str, u32, u32);

const TARGETS: [Target; 11] = [
    ("frame", 4096, 16),
    ("sml", 8192, 16),
    ("roundtrip", 4096, 16),
    ("differential", 4096, 16),
    ("d0", 8192, 16),
    ("profile", 8192, 16),
    ("data", 512, 16),
    ("upload", 4096, 64),
    ("energy", 2048, 16),
    ("tunnel", 4096, 16),
    ("trust", 4096, 16),
];
/// Targets with the feature that they need, since what it brings takes minutes to build anew.
/// `ebp-server/tests/allocations.rs` and `ebp-fleet/tests/ends.rs` hold the same promises over made-up
/// input.
const HEAVY: [(&str, &str); 2] = [("upload", "server"), ("tunnel", "tunnel")];

/// What a target needs besides.
fn feature_of(name: &str) -> Option<&'static str> {
    HEAVY.iter().find(|(target, _)| *target == name).map(|(_, feature)| *feature)
}

const NO_NIGHTLY: &str = "there is no nightly toolchain: `rustup toolchain install nightly`";

const SMOKE_SECONDS: u32 = 5;
const USUAL_SECONDS: u32 = 600;
/// An input that takes longer counts as a finding.
const SLOWEST_SECONDS: u32 = 5;

/// How an SML frame begins, and what its end takes.
const START: [u8; 8] = [0x1b, 0x1b, 0x1b, 0x1b, 0x01, 0x01, 0x01, 0x01];
const END: usize = 8;

/// ASCII telegrams after the makers' manuals; their numbers are made up.
const ASCII: [&str; 3] = [
    "/ESY5Q3DA1004 V3.02\r\n\r\n1-0:0.0.0*255(0273011000000)\r\n1-0:1.8.0*255(00026107.7034231*kWh)\r\n\
     1-0:61.7.255*255(-000014.01*W)\r\n1-0:96.5.5*255(82)\r\n0-0:96.1.255*255(1ESY1011000000)\r\n!\r\n",
    "/EBZ5DD32R06ETA_107\r\n\r\n1-0:96.1.0*255(1EBZ0100000123)\r\n1-0:1.8.0*255(002714.12830185*kWh)\r\n\
     1-0:16.7.0*255(-000458.90*W)\r\n1-0:96.5.0*255(001C0104)\r\n!\r\n",
    "/PAF5EC3gr00006\r\n\x02F.F(00)\r\n0.2.0(1.29)\r\n1.8.0*00(000001.83)\r\n1.8.0(004051.8*kWh)\r\n!\r\n\x03\x04",
];

/// Data points as devices write them, and nearly so.
const DATA: [&str; 4] = [
    r#"[{"0100010800ff":12345.6789},{"0100020800ff":345.0},{"0100100700ff":-0.015}]"#,
    r#"[{"0100010800FF":0},{"0100010800ff":123456789012345678}]"#,
    r#"[{"0100010800ff":1e3}]"#,
    r#"[ {"0100010800ff" : -0.0} ]"#,
];

/// Bodies of uploads: how they begin, what is repeated, how they end.
const UPLOADS: [&str; 4] = [
    "{\"measurements\":[\n{\"uuid\":\"00000000-0000-0000-0000-000000000001\",\"meter\":\
     \"00000000-0000-0000-0000-000000000002\",\"measured_at\":\"2026-01-31T12:00:00Z\",\
     \"data\":[{\"0100010800ff\":12345.6789}],\"flags\":[\"clock-corrected\"]},\n]}",
    "{\"measurements\":[\n{\"a\":0},\n0]}",
    "{\"measurements\":[\n[[[[]]]],\n0]}",
    "{\"a\":{\n\"b\":[1.5e3,null],\n\"b\":true},\"measurements\":[]}",
];

/// Files of a repository of releases, and nearly so.
const ROLES: [&str; 3] = [
    r#"{"signatures":[{"keyid":"00","sig":"00"}],"signed":{"_type":"root","spec_version":"1.0.34","version":2,"expires":"2030-01-01T00:00:00Z","consistent_snapshot":true,"keys":{},"roles":{}}}"#,
    r#"{"signatures":[],"signed":{"_type":"timestamp","meta":{"snapshot.json":{"version":1}}}}"#,
    "\u{1}\u{1}\"x\":",
];

/// Runs one target, or with `all` every one, for so many seconds each.
pub fn run(arguments: &[String]) -> Result<()> {
    let (name, seconds) = match arguments {
        [name] => (name, USUAL_SECONDS),
        [name, seconds] => (name, seconds.parse().context("how many seconds?")?),
        _ => bail!("cargo xtask fuzz {} | all [SECONDS]", names().join(" | ")),
    };
    if let Some(missing) = missing() {
        bail!("{missing}");
    }
    let chosen: Vec<_> =
        TARGETS.iter().filter(|target| name == "all" || target.0 == name).collect();
    if chosen.is_empty() {
        bail!("there is no target `{name}`, only {}", names().join(", "));
    }
    chosen.into_iter().try_for_each(|target| fuzz(target, seconds, Build::Fast))
}

/// Runs every target for a moment, where fuzzing is possible at all, but for those of [`HEAVY`].
pub fn smoke() -> Result<()> {
    if !works(nightly().arg("--version")) {
        eprintln!("xtask: SKIPPED fuzzing: {NO_NIGHTLY}");
        return Ok(());
    }
    FUZZ.ensure()?;
    let mut build = nightly();
    build.args(["fuzz", "build"]);
    succeed(Build::Soon.set(&mut build))?;
    let targets = TARGETS.iter().filter(|target| feature_of(target.0).is_none());
    let targets = Mutex::new(targets.collect::<Vec<_>>().into_iter());
    let failures = Mutex::new(Vec::new());
    let next = || targets.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(target) = next() {
                    if let Err(error) = try_soon(target) {
                        failures.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                    }
                }
            });
        }
    });
    match failures.into_inner().unwrap_or_else(PoisonError::into_inner).pop() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// One target of those that are built; what it says is shown if it fails.
fn try_soon(target: &Target) -> Result<()> {
    let mut command = prepare(target, SMOKE_SECONDS, Build::Soon)?;
    let output = command.output().with_context(|| shown(&command))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!(
            "{}{said}fuzz target {}: {}",
            String::from_utf8_lossy(&output.stdout),
            target.0,
            output.status
        );
    }
    let tried = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let tried = tried.context("libFuzzer does not say how many inputs it tried")?.trim();
    eprintln!("xtask: fuzz target {}: {tried} inputs", target.0);
    Ok(())
}

fn names() -> Vec<&'static str> {
    TARGETS.iter().map(|target| target.0).collect()
}

/// Cargo of the nightly toolchain, whichever runs this program.
fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]);
    // Both would lead back to the toolchain that runs this program.
    command.env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN");
    command.env("PATH", tool::path());
    command
}

/// What fuzzing lacks here.
fn missing() -> Option<&'static str> {
    if !works(nightly().arg("--version")) {
        return Some(NO_NIGHTLY);
    }
    (!works(nightly().args(["fuzz", "--version"])))
        .then_some("cargo-fuzz is not installed: `cargo install --locked cargo-fuzz`")
}

/// How a target is built.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Build {
    /// To try as many inputs as it can.
    Fast,
    /// To try some inputs soon.
    Soon,
}

impl Build {
    /// Sets the command's options and surroundings.
    fn set(self, command: &mut Command) -> &mut Command {
        if self == Self::Soon {
            command.arg("--dev");
            command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_PROFILE_DEV_DEBUG", "0");
        }
        command
    }
}

fn fuzz(target: &Target, seconds: u32, build: Build) -> Result<()> {
    succeed(&mut prepare(target, seconds, build)?)
}

/// The command that runs the target, with its seeds written.
fn prepare((name, longest, memory): &Target, seconds: u32, build: Build) -> Result<Command> {
    let corpus = Path::new("fuzz/corpus").join(name);
    fs::create_dir_all(&corpus).with_context(|| corpus.display().to_string())?;
    for (number, seed) in seeds(name)?.iter().enumerate() {
        fs::write(corpus.join(format!("seed-{number:04}")), seed)?;
    }
    let mut command = nightly();
    command.args(["fuzz", "run", name]);
    if let Some(feature) = feature_of(name) {
        command.args(["--features", feature]);
    }
    build
        .set(&mut command)
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={longest}"))
        .arg(format!("-malloc_limit_mb={memory}"))
        .arg(format!("-timeout={SLOWEST_SECONDS}"))
        .arg("-print_final_stats=1");
    Ok(command)
}

/// Inputs to begin with.
fn seeds(target: &str) -> Result<Vec<Vec<u8>>> {
    // The first byte of most inputs says what is done with the others.
    let led_by = |first: &[u8], bytes: &[u8]| -> Vec<Vec<u8>> {
        first.iter().map(|first| [&[*first], bytes].concat()).collect()
    };
    Ok(match target {
        "frame" => recordings()?.iter().flat_map(|dump| led_by(&[0, 5, 23], dump)).collect(),
        "sml" => frames()?
            .iter()
            .flat_map(|raw| [led_by(&[0], raw), led_by(&[1, 2], payload(raw))].concat())
            .collect(),
        "differential" => frames()?.iter().flat_map(|raw| led_by(&[2], payload(raw))).collect(),
        "roundtrip" => frames()?,
        "d0" => ASCII.iter().flat_map(|text| led_by(&[0, 7, 40], text.as_bytes())).collect(),
        "profile" => {
            files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../ebp-meter/profiles"), "toml")?
        }
        "data" => DATA.map(|text| text.as_bytes().to_vec()).into(),
        // Plain and packed, once and two thousand times.
        "upload" => UPLOADS
            .iter()
            .flat_map(|text| led_by(&[0, 1, 11 << 3, 11 << 3 | 1], text.as_bytes()))
            .collect(),
        // Octets of no form of their own: as many as some readings take.
        "energy" => {
            (1..5).map(|n| (0..n * 100).map(|i: u32| (i * i * n) as u8).collect()).collect()
        }
        "trust" => ROLES
            .iter()
            .flat_map(|text| led_by(&[0, 1, 2, 3, 4, 5, 6, 7], text.as_bytes()))
            .collect(),
        "tunnel" => tunnel::seeds(),
        other => bail!("no seeds for `{other}`"),
    })
}

/// Each recording, cut to what a fuzzer can still work with.
fn recordings() -> Result<Vec<Vec<u8>>> {
    const LONGEST: usize = 2000;
    let mut dumps = files(&sml_rs().join("tests/libsml-testing"), "bin")?;
    dumps.iter_mut().for_each(|dump| dump.truncate(LONGEST));
    Ok(dumps)
}

/// The first frames of each recording, from start to start.
fn frames() -> Result<Vec<Vec<u8>>> {
    const EACH: usize = 2;
    let mut frames = Vec::new();
    for dump in files(&sml_rs().join("tests/libsml-testing"), "bin")? {
        let starts: Vec<_> = (0..dump.len()).filter(|at| dump[*at..].starts_with(&START)).collect();
        let ends = starts.iter().skip(1).copied().chain([dump.len()]);
        frames
            .extend(starts.iter().zip(ends).take(EACH).map(|(from, to)| dump[*from..to].to_vec()));
    }
    Ok(frames)
}

fn payload(raw: &[u8]) -> &[u8] {
    raw.get(START.len()..raw.len().saturating_sub(END)).unwrap_or_default()
}

fn files(folder: &Path, extension: &str) -> Result<Vec<Vec<u8>>> {
    let listed = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<PathBuf> = listed.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths.iter().map(|path| fs::read(path).with_context(|| path.display().to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target without seeds would be found only by who runs it for ten minutes.
    #[test]
    fn every_target_has_seeds() {
        for (name, longest, _) in TARGETS {
            let seeds = seeds(name).unwrap();
            assert!(!seeds.is_empty(), "{name}");
            assert!(seeds.iter().any(|seed| seed.len() <= longest as usize), "{name}");
        }
    }
}
