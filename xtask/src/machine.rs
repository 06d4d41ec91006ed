//! `cargo xtask machine`: Debian with systemd, in which the package is installed and used for real.
//!
//! Enters: root, Debian's `mmdebstrap` and `systemd-nspawn`, its archive the first time; the checks in
//! `xtask/machine`. Leaves: a line for each check, or what it printed and a failure. Absent: the package
//! itself (`deb.rs`).

pub mod manual;
mod nspawn;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail};

use self::nspawn::Machine;
use crate::{
    deb::{self, Packing},
    folder::files_below,
    root,
    run::{output, succeed, works},
    target, test,
};

/// The checks in their order; each is a script that runs as root of the machine, and those that follow
/// find what it left.
const CHECKS: [&str; 8] =
    ["install", "survey", "upgrade", "update", "confined", "clock", "reboot", "remove"];

/// Those of them that a change waits for.
const IN_CI: [&str; 5] = ["install", "survey", "upgrade", "clock", "remove"];

/// Those of the long run of updates.
const UPDATES: [&str; 3] = ["install", "survey", "updates"];

/// Where the machine has them, with the packages.
const CHECKS_FOLDER: &str = "ebp-checks";

/// What Debian consists of here.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,udev,ca-certificates,debconf,procps,util-linux";

/// The two versions of the package that are installed, one after the other.
const VERSIONS: [&str; 2] = ["0.1.0", "0.1.1"];

/// All checks on the program as tests have it, or on a PROGRAM of one's own; skipped, loudly, where no
/// machine can be made.
pub fn run(arguments: &[String]) -> Result<()> {
    try_on_machine(arguments, &CHECKS)
}

/// Ten updates one after the other, on the program as tests have it, or on a PROGRAM of one's own.
pub fn run_updates(arguments: &[String]) -> Result<()> {
    try_on_machine(arguments, &UPDATES)
}

/// The checks that a change waits for, on the program as tests have it.
pub fn run_in_ci() -> Result<()> {
    try_on_machine(&[], &IN_CI)
}

fn try_on_machine(arguments: &[String], checks: &[&str]) -> Result<()> {
    if let Some(missing) = missing()? {
        eprintln!("\n*** SKIPPED: the machine. It needs {missing}. ***\n");
        return Ok(());
    }
    let program = match arguments {
        [] => {
            test::build_program()?;
            target().join("debug/ebp")
        }
        [program] => PathBuf::from(program),
        _ => bail!("one PROGRAM at most"),
    };
    let folder = target().join("machine");
    fs::create_dir_all(&folder)?;
    let Some(debian) = debian(&folder)? else {
        eprintln!("\n*** SKIPPED: the machine. Debian's base system cannot be had. ***\n");
        return Ok(());
    };
    let mut machine = Machine::unpack(&debian, &folder.join("ebp"))?;
    for version in VERSIONS {
        let package = deb::build(&program, version, Packing::Quick)?;
        // The versions differ in nothing else.
        if version == VERSIONS[0] {
            lint(&package)?;
        }
        machine.bring(&package, &format!("{CHECKS_FOLDER}/ebp_{version}.deb"))?;
    }
    for script in files_below(&root().join("xtask/machine"))? {
        let name = script.file_name().context("a script without a name")?.to_string_lossy();
        machine.bring(&script, &format!("{CHECKS_FOLDER}/{name}"))?;
    }
    machine.boot()?;
    for check in checks {
        let start = Instant::now();
        let (succeeded, text) = machine.run(&format!("/{CHECKS_FOLDER}/{check}.sh"))?;
        if !succeeded {
            bail!("{text}{}the machine's check `{check}` failed", machine.log());
        }
        for line in text.lines().filter(|line| line.starts_with("= ")) {
            println!("{line}");
        }
        println!("machine: {check} passed in {} s", start.elapsed().as_secs());
    }
    println!("machine: {} checks passed", checks.len());
    machine.remove()
}

/// What is missing to make a machine.
fn missing() -> Result<Option<&'static str>> {
    let is_root = output(Command::new("id").arg("-u"))? == "0";
    let has = |tool: &str| works(Command::new(tool).arg("--version"));
    Ok(if !is_root {
        Some("root")
    } else if release()?.is_none() {
        Some("Debian")
    } else if !(has("systemd-nspawn") && has("mmdebstrap") && has("lintian") && has("nsenter")) {
        Some("systemd-container, mmdebstrap, lintian and util-linux (Debian's packages)")
    } else {
        deb::missing()
    })
}

/// The name of Debian's release that runs here: the program is linked with its libraries.
fn release() -> Result<Option<String>> {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let value =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let is_debian = value("ID") == Some("debian");
    Ok(value("VERSION_CODENAME").filter(|_| is_debian).map(str::to_owned))
}

/// Debian as an archive, made once; none where its packages cannot be fetched.
fn debian(folder: &Path) -> Result<Option<PathBuf>> {
    let release = release()?.context("this is not Debian")?;
    let archive = folder.join(format!("{release}.tar"));
    if !archive.exists() {
        fs::create_dir_all(folder)?;
        let part = folder.join("part.tar");
        let mut command = Command::new("mmdebstrap");
        command.args(["--quiet", "--variant=minbase", &format!("--include={PACKAGES}")]);
        command.arg(release).arg(&part);
        if let Err(error) = succeed(&mut command) {
            eprintln!("{error:#}");
            return Ok(None);
        }
        fs::rename(part, &archive)?;
    }
    Ok(Some(archive))
}

/// Lintian finds no error in the package.
fn lint(package: &Path) -> Result<()> {
    let mut command = Command::new("lintian");
    command.args(["--allow-root", "--fail-on", "error", "--info"]).arg(package);
    succeed(&mut command)
}
