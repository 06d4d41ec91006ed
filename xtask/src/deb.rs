//! `cargo xtask deb`: the Debian package, from the program that is built here.
//!
//! Enters: Debian's `dpkg-dev`, for a program of another architecture also its `strip` and
//! `qemu-user-static`; `DEBFULLNAME` and `DEBEMAIL` of whoever packages, as Debian's own tools
//! read them. Leaves: `target/deb/ebp_VERSION_ARCHITECTURE.deb`, the same bytes for the same program and
//! commit. Absent: what its scripts do, which `cargo xtask machine` tries.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    folder::files_below,
    image::Architecture,
    programs::{self, Kind},
    root,
    run::{cargo, output, source_date, succeed, works},
    symbols, target,
};

/// Where units name the program, and where a package has it.
const LOCAL: &str = "/usr/local/bin/ebp";
const PACKAGED: &str = "/usr/bin/ebp";

/// The shells whose completions are installed, with the file of each.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/ebp"),
    ("fish", "usr/share/fish/vendor_completions.d/ebp.fish"),
    ("zsh", "usr/share/zsh/vendor-completions/_ebp"),
];

/// Builds the program with everything and packages it, statically for a `--target`; with a PROGRAM,
/// packages that one, for its own architecture.
pub fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let program = match words.as_slice() {
        [] => {
            let mut command = cargo();
            command.args(["build", "--release", "--package", "ebp-cli", "--bin", "ebp"]);
            succeed(command.env("SOURCE_DATE_EPOCH", source_date()?))?;
            target().join("release/ebp")
        }
        ["--target", architecture] => {
            let kind = Kind::Whole;
            programs::run(&words_of(&["--target", architecture, "--kind", kind.name()]))?;
            programs::path(kind, Architecture::named(architecture)?)
        }
        [program] if !program.starts_with('-') => PathBuf::from(program),
        _ => bail!("cargo xtask deb [PROGRAM | --target ARCHITECTURE]"),
    };
    let package = build(&program, env!("CARGO_PKG_VERSION"), Packing::Small)?;
    println!("{}", package.display());
    Ok(())
}

fn words_of(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What is missing here to make a package of that program.
///
/// # Errors
/// When it is no program that packages are made of.
pub fn missing_for(program: &Path) -> Result<Option<&'static str>> {
    let architecture = architecture_of(program)?;
    let has_strip = symbols::can_strip(architecture);
    let missing = missing().or_else(|| programs::missing_emulator(architecture));
    Ok(missing.or((!has_strip).then_some("strip for its architecture (Debian's binutils for it)")))
}

/// That of a program.
fn architecture_of(program: &Path) -> Result<Architecture> {
    let name = || program.display().to_string();
    Architecture::from_program(&fs::read(program).with_context(name)?).with_context(name)
}

/// What is missing here to make a package.
pub fn missing() -> Option<&'static str> {
    let tools = ["dpkg-deb", "dpkg-shlibdeps", "strip", "readelf"];
    let lacks = |tool: &&str| !works(Command::new(tool).arg("--version"));
    tools
        .iter()
        .any(lacks)
        .then_some("dpkg-deb, dpkg-shlibdeps, strip or readelf (Debian's dpkg-dev)")
}

/// How a package is packed.
#[derive(Debug, Clone, Copy)]
pub enum Packing {
    /// To be sent to many machines.
    Small,
    /// To be installed once, right away.
    Quick,
}

impl Packing {
    const fn arguments(self) -> [&'static str; 2] {
        match self {
            Self::Small => ["-Zxz", "-z6"],
            Self::Quick => ["-Zgzip", "-z1"],
        }
    }
}

/// The package of that program as that version.
pub fn build(program: &Path, version: &str, packing: Packing) -> Result<PathBuf> {
    if let Some(missing) = missing_for(program)? {
        bail!("a package cannot be made here without {missing}");
    }
    let architecture = architecture_of(program)?;
    let folder = target().join("deb");
    let tree = folder.join("ebp");
    if tree.exists() {
        fs::remove_dir_all(&tree).with_context(|| tree.display().to_string())?;
    }
    let tree = Tree { root: tree };
    let sources = root().join("deploy");
    let installed = tree.copy(program, "usr/bin/ebp", 0o755)?;
    symbols::keep_own(&installed, architecture)?;
    for path in files_below(&sources.join("systemd"))? {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let name = name_of(&path)?;
        let place = match name {
            "ebp.sysusers" => "usr/lib/sysusers.d/ebp.conf".to_owned(),
            "ebp.tmpfiles" => "usr/lib/tmpfiles.d/ebp.conf".to_owned(),
            _ => format!("lib/systemd/system/{name}"),
        };
        tree.write(&place, text.replace(LOCAL, PACKAGED).as_bytes(), 0o644)?;
    }
    for (shell, place) in COMPLETIONS {
        let text = output(programs::command(program, architecture).args(["completions", shell]))?;
        tree.write(place, format!("{text}\n").as_bytes(), 0o644)?;
    }
    let manual = tempfile::tempdir()?;
    let mut command = programs::command(program, architecture);
    succeed(command.args(["man", "--output"]).arg(manual.path()))?;
    for path in files_below(manual.path())? {
        tree.write(&format!("usr/share/man/man1/{}", name_of(&path)?), &fs::read(&path)?, 0o644)?;
    }
    let documents = "usr/share/doc/ebp";
    tree.copy(&root().join("CHANGELOG.md"), &format!("{documents}/CHANGELOG.md"), 0o644)?;
    let date = |format| output(Command::new("git").args(["log", "-1", format]));
    let changelog = format!(
        "ebp ({version}) unstable; urgency=medium\n\n  * What changed: CHANGELOG.md.gz beside this \
         file.\n\n -- {}  {}\n",
        maintainer(),
        date("--format=%cD")?
    );
    tree.write(&format!("{documents}/changelog"), changelog.as_bytes(), 0o644)?;
    let license = fs::read_to_string(root().join("LICENSE-MIT"))?;
    let license: Vec<_> = license
        .trim_end()
        .lines()
        .map(|line| if line.trim().is_empty() { " .".to_owned() } else { format!(" {line}") })
        .collect();
    let copyright = fs::read_to_string(sources.join("debian/copyright"))?;
    let copyright = copyright.replace("@MIT@", &license.join("\n"));
    tree.write(&format!("{documents}/copyright"), copyright.as_bytes(), 0o644)?;
    tree.copy(&sources.join("debian/cron"), &format!("{documents}/examples/cron"), 0o644)?;
    let overrides = "usr/share/lintian/overrides/ebp";
    tree.copy(&sources.join("debian/lintian-overrides"), overrides, 0o644)?;
    let changes = ["changelog", "CHANGELOG.md"].map(|name| format!("{documents}/{name}"));
    tree.pack(&["usr/share/man/man1", &changes[0], &changes[1]])?;
    let architecture = architecture.debian();
    tree.describe(&sources.join("debian"), &installed, (version, architecture))?;
    let package = folder.join(format!("ebp_{version}_{architecture}.deb"));
    let mut command = Command::new("dpkg-deb");
    command.args(["--build", "--root-owner-group"]).args(packing.arguments());
    command.arg(&tree.root).arg(&package);
    succeed(command.env("SOURCE_DATE_EPOCH", source_date()?))?;
    Ok(package)
}

/// What a package will hold.
struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The file of that name, whose folders are made.
    fn place(&self, name: &str) -> Result<PathBuf> {
        let path = self.root.join(name);
        let folder = path.parent().context("a file without a folder")?;
        let mut made = self.root.clone();
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        // Whatever the mask of whoever packages.
        fs::set_permissions(&made, fs::Permissions::from_mode(0o755))?;
        for part in folder.strip_prefix(&self.root)?.components() {
            made.push(part);
            fs::set_permissions(&made, fs::Permissions::from_mode(0o755))?;
        }
        Ok(path)
    }

    fn write(&self, name: &str, bytes: &[u8], mode: u32) -> Result<PathBuf> {
        let path = self.place(name)?;
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        Ok(path)
    }

    fn copy(&self, from: &Path, name: &str, mode: u32) -> Result<PathBuf> {
        let bytes = fs::read(from).with_context(|| from.display().to_string())?;
        self.write(name, &bytes, mode)
    }

    /// Packs files, or all of folders, as Debian's policy wants it: the best that gzip can do, without a
    /// date.
    fn pack(&self, names: &[&str]) -> Result<()> {
        let mut command = Command::new("gzip");
        command.args(["--best", "--no-name", "--force", "--recursive"]).args(names);
        output(command.current_dir(&self.root)).map(drop)
    }

    /// The folder `DEBIAN`: what the package needs, its scripts and its question.
    fn describe(
        &self,
        sources: &Path,
        program: &Path,
        (version, architecture): (&str, &str),
    ) -> Result<()> {
        let control = fs::read_to_string(sources.join("control"))?
            .replace("@VERSION@", version)
            .replace("@MAINTAINER@", &maintainer())
            .replace("@ARCHITECTURE@", architecture)
            .replace("@SIZE@", &kibibytes(&self.root)?.to_string())
            .replace("@LIBRARIES@", &libraries(program)?);
        self.write("DEBIAN/control", control.as_bytes(), 0o644)?;
        for script in ["postinst", "prerm", "postrm"] {
            self.copy(&sources.join(script), &format!("DEBIAN/{script}"), 0o755)?;
        }
        self.copy(&sources.join("templates"), "DEBIAN/templates", 0o644)?;
        let mut names = Vec::new();
        for path in files_below(&self.root)? {
            let name = path.strip_prefix(&self.root)?;
            if !name.starts_with("DEBIAN") {
                names.push(name.to_owned());
            }
        }
        let sums = output(Command::new("md5sum").args(&names).current_dir(&self.root))?;
        self.write("DEBIAN/md5sums", format!("{sums}\n").as_bytes(), 0o644)?;
        Ok(())
    }
}

fn name_of(path: &Path) -> Result<&str> {
    path.file_name().and_then(|name| name.to_str()).context("a file without a name")
}

/// Whoever packages.
fn maintainer() -> String {
    let name = env::var("DEBFULLNAME").unwrap_or_else(|_| "ebp contributors".to_owned());
    let email = env::var("DEBEMAIL").unwrap_or_else(|_| "ebp@example.org".to_owned());
    format!("{name} <{email}>")
}

/// The packages of the libraries that the program loads, as a list that goes on; none for a static one.
fn libraries(program: &Path) -> Result<String> {
    let headers = output(Command::new("readelf").arg("--program-headers").arg(program))?;
    if !headers.contains("INTERP") {
        return Ok(String::new());
    }
    // It reads which package this is for, and takes libraries from this machine.
    let folder = target().join("deb/needs");
    fs::create_dir_all(folder.join("debian"))?;
    fs::write(folder.join("debian/control"), "Source: ebp\n\nPackage: ebp\nArchitecture: any\n")?;
    let mut command = Command::new("dpkg-shlibdeps");
    command.arg("-O").arg(fs::canonicalize(program)?).current_dir(&folder);
    let printed = output(&mut command)?;
    let list = printed.strip_prefix("shlibs:Depends=").context("dpkg-shlibdeps names nothing")?;
    Ok(format!("{list}, "))
}

fn kibibytes(folder: &Path) -> Result<u64> {
    let files = files_below(folder)?;
    let sizes = files.iter().map(|path| Ok(fs::metadata(path)?.len().div_ceil(1024)));
    sizes.sum::<Result<u64>>()
}
