//! Whether programs work: each reads a recorded telegram, is enrolled, measures and sends to a server of
//! this machine, finds hosts by name, and becomes a package; programs of other architectures by qemu.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use ebp_testkit::recordings::sml_rs;

use super::{Kind, built, command, missing_emulator};
use crate::{
    deb::{self, Packing},
    image::{self, Architecture, Recipe, check as image_check},
    manifests::start::{Running, ask, free_port},
    run::{output, succeed, works},
    survey::{Household, MODEL, Survey},
    symbols,
};

/// The recording that is read, of those that sml-rs carries.
const RECORDING: &str = "tests/libsml-testing/ISKRA_MT175_eHZ.bin";
/// What the recording's first telegram without an error has as energy from the grid.
const ENERGY: &str = "22462.413";
/// Finds names by hosts file and resolver, in a network of its own.
const NAMES: &str = "xtask/programs/names.py";

/// All checks of every program that was built; the server is that PROGRAM.
///
/// # Errors
/// When one fails, or nothing was built.
pub fn run(server: &Path) -> Result<()> {
    let mut checked = 0;
    for kind in Kind::ALL {
        for (architecture, program) in built(kind) {
            if let Some(missing) = missing_emulator(architecture) {
                let name = architecture.name();
                eprintln!("\n*** SKIPPED: the program for {name}. It needs {missing}. ***\n");
                continue;
            }
            let program = Program { kind, architecture, path: program };
            program.starts()?;
            program.reads()?;
            symbols::check(program.command(&[]))?;
            program.say("names its functions in stacks");
            program.measures_and_sends(server)?;
            program.finds_names()?;
            checked += 1;
        }
    }
    ensure!(checked > 0, "there are no programs: `cargo xtask programs` makes them");
    packages()?;
    pack_image()
}

/// One of the programs.
struct Program {
    kind: Kind,
    architecture: Architecture,
    path: PathBuf,
}

impl Program {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.path, self.architecture);
        command.args(arguments);
        command
    }

    fn say(&self, what: &str) {
        println!("programs: {} for {}: {what}", self.kind.name(), self.architecture.name());
    }

    fn starts(&self) -> Result<()> {
        let version = output(&mut self.command(&["--version"]))?;
        ensure!(version.starts_with("ebp "), "it says `{version}`");
        let bytes = fs::metadata(&self.path)?.len();
        self.say(&format!("{version}, {bytes} bytes"));
        Ok(())
    }

    fn reads(&self) -> Result<()> {
        let recording = sml_rs().join(RECORDING);
        let printed = output(&mut self.command(&["read", &recording.to_string_lossy()]))?;
        ensure!(printed.contains(ENERGY), "the recording is read as {printed}");
        self.say("reads a recorded telegram");
        Ok(())
    }

    /// A server and a participant by that program, the device by this one.
    fn measures_and_sends(&self, server: &Path) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let survey = Survey::create(server, folder.path(), None)?;
        let household = survey.register(1)?;
        let port = free_port()?;
        let mut serve = survey.ebp(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
        let mut server = Running(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        ask(port, "/readyz", &mut server)?;
        let url = format!("https://localhost:{port}");
        survey.enroll(&household, self.command(&[]), &url)?;
        let configuration = configure(&household, &url)?;
        for (task, wanted) in [
            ("self-test", "the server answers"),
            ("read", "measured 1 meter"),
            ("transmit", "sent 1 measurement, 0 remain"),
        ] {
            let said = self.command(&[task, "--config"]).arg(&configuration).output()?;
            let text = String::from_utf8_lossy(&said.stderr);
            ensure!(said.status.success() && text.contains(wanted), "{task}: {text}");
        }
        let show = ["measurements", "--format", "json", "--url", &url, "--meter", &household.meter];
        let shown = output(&mut survey.participant(&household, &show))?;
        ensure!(shown.contains(ENERGY), "the server has {shown}");
        self.say("is enrolled, tests itself, measures and sends by TLS to a server here");
        Ok(())
    }

    fn finds_names(&self) -> Result<()> {
        let is_root = output(Command::new("id").arg("-u"))? == "0";
        let can_unshare = works(Command::new("unshare").args(["--mount", "--net", "true"]));
        if !is_root || !can_unshare || !works(Command::new("python3").arg("--version")) {
            eprintln!("\n*** SKIPPED: names. They need root, unshare and python3. ***\n");
            return Ok(());
        }
        let mut names = Command::new("unshare");
        names.args(["--mount", "--net", "python3", NAMES]);
        let program = self.command(&["read"]);
        names.arg(program.get_program()).args(program.get_args());
        let printed = output(&mut names)?;
        for line in printed.lines() {
            self.say(line);
        }
        Ok(())
    }
}

/// A configuration of the device, whose meter is the recording.
fn configure(household: &Household, url: &str) -> Result<PathBuf> {
    let path = household.folder.join("device/device.toml");
    let port = sml_rs().join(RECORDING);
    let text = format!(
        "spool = \"spool\"\nstate = \".\"\nclock = \"trusted\"\n\
         [api]\nurl = \"{url}\"\nca = \"ca.pem\"\ncertificate = \"device.pem\"\n\
         key = \"device.key\"\n\
         [[meter]]\nuuid = \"{}\"\nmodel = \"{MODEL}\"\nport = \"{}\"\n",
        household.meter,
        port.display(),
    );
    fs::write(&path, text)?;
    Ok(path)
}

/// A package of each whole program, in which dpkg finds the program of its architecture.
fn packages() -> Result<()> {
    for (architecture, program) in built(Kind::Whole) {
        if let Some(missing) = deb::missing_for(&program)? {
            let name = architecture.debian();
            eprintln!("\n*** SKIPPED: the package for {name}. It needs {missing}. ***\n");
            continue;
        }
        let package = deb::build(&program, env!("CARGO_PKG_VERSION"), Packing::Quick)?;
        let field =
            output(Command::new("dpkg-deb").arg("--field").arg(&package).arg("Architecture"))?;
        ensure!(field == architecture.debian(), "{} is for {field}", package.display());
        let folder = tempfile::tempdir()?;
        succeed(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(folder.path()))?;
        let packaged = folder.path().join("usr/bin/ebp");
        let version = output(command(&packaged, architecture).arg("--version"))?;
        let bytes = fs::metadata(&package)?.len();
        println!("programs: {}: {version}, {bytes} bytes", file_name(&package)?);
        if works(Command::new("lintian").arg("--version")) {
            let mut lintian = Command::new("lintian");
            succeed(lintian.args(["--allow-root", "--fail-on", "error"]).arg(&package))?;
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> Result<&str> {
    path.file_name().and_then(|name| name.to_str()).context("a file without a name")
}

/// An image of the whole programs, whose files are the programs; unpacked and started by umoci and chroot.
fn pack_image() -> Result<()> {
    let programs: BTreeMap<_, _> = built(Kind::Whole);
    if programs.is_empty() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let recipe = Recipe {
        programs: programs.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        features: None,
        source: None,
        authorities: image_check::authorities(folder.path())?,
    };
    let layout = folder.path().join("image");
    let image = image::build(&recipe, &layout)?;
    let names: Vec<_> = programs.keys().map(|own| own.name()).collect();
    println!("programs: an image for {}: {}", names.join(", "), image.index.digest);
    let is_root = output(Command::new("id").arg("-u"))? == "0";
    if !is_root || !works(Command::new("umoci").arg("--version")) {
        eprintln!("\n*** SKIPPED: the image unpacked and run (root, Debian's umoci). ***\n");
        return Ok(());
    }
    for architecture in programs.keys() {
        let name = architecture.name();
        let bundle = folder.path().join(name);
        let mut unpack = Command::new("umoci");
        let tag = format!("{}:{}-{name}", layout.display(), recipe.version);
        succeed(unpack.args(["unpack", "--image", &tag]).arg(&bundle))?;
        let root = bundle.join("rootfs");
        let mut chroot = Command::new("chroot");
        chroot.args(["--userspec=65532:65532"]).arg(&root);
        if Architecture::own() != Some(*architecture) {
            if missing_emulator(*architecture).is_some() {
                continue;
            }
            // Static, so that it runs in there.
            let emulator = format!("/usr/bin/{}", architecture.emulator());
            fs::copy(&emulator, root.join("usr/bin/emulator")).context(emulator)?;
            chroot.arg("/usr/bin/emulator");
        }
        let version = output(chroot.args(["/usr/bin/ebp", "--version"]))?;
        if !version.starts_with("ebp ") {
            bail!("in the image for {name} it says `{version}`");
        }
        println!("programs: in the image for {name}, as user 65532: {version}");
    }
    Ok(())
}
