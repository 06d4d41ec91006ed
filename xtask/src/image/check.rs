//! Whether an image is what it should be: the same twice, taken by skopeo and umoci, run as a user without
//! rights.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::{Architecture, Image, Recipe, build, layer::USER};
use crate::{
    folder::files_below,
    run::{output, succeed, works},
};

/// Says who runs it with what, and what of its image it may write.
const PROGRAM: &str = r#"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(int count, char **arguments) {
  int program = open("/usr/bin/ebp", O_WRONLY), data = open("/var/lib/ebp/a", O_CREAT | O_WRONLY, 0600);
  printf("user %d group %d argument %s program %s data %s\n", getuid(), getgid(),
         count > 1 ? arguments[1] : "none", program < 0 ? "kept" : "written", data < 0 ? "kept" : "written");
  return 0;
}
"#;

/// A small static program for this machine, and the same said to be of another architecture.
///
/// # Errors
/// When the C compiler cannot make one.
pub fn test_programs(folder: &Path) -> Result<BTreeMap<Architecture, PathBuf>> {
    let source = folder.join("program.c");
    fs::write(&source, PROGRAM)?;
    let program = folder.join("amd64");
    succeed(Command::new("cc").args(["-static", "-O1", "-o"]).arg(&program).arg(&source))?;
    let mut bytes = fs::read(&program)?;
    bytes[18] = 183;
    let other = folder.join("arm64");
    fs::write(&other, bytes)?;
    Ok([(Architecture::Amd64, program), (Architecture::Arm64, other)].into())
}

/// What is missing to make the test's programs.
pub fn missing() -> Option<&'static str> {
    let has_compiler = works(Command::new("cc").arg("--version"));
    (!has_compiler || std::env::consts::ARCH != "x86_64").then_some("a C compiler on x86-64")
}

/// All checks, of small programs.
pub fn run() -> Result<()> {
    if let Some(missing) = missing() {
        eprintln!("\n*** SKIPPED: images. They need {missing}. ***\n");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let recipe = Recipe {
        programs: test_programs(folder.path())?,
        version: "0.1.0".to_owned(),
        features: None,
        source: None,
        authorities: authorities(folder.path())?,
    };
    let first = build(&recipe, &folder.path().join("first"))?;
    same_twice(&recipe, &first, &folder.path().join("second"))?;
    skopeo(&first, folder.path())?;
    umoci(&first, folder.path())
}

/// A file that stands for authorities.
pub fn authorities(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("authorities.pem");
    fs::write(&path, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")?;
    Ok(path)
}

fn same_twice(recipe: &Recipe, first: &Image, folder: &Path) -> Result<()> {
    let second = build(recipe, folder)?;
    ensure!(second.index == first.index, "the same programs gave another image");
    let contents = |image: &Image| -> Result<Vec<_>> {
        let files = files_below(&image.layout)?.into_iter();
        files
            .map(|path| Ok((path.strip_prefix(&image.layout)?.to_owned(), fs::read(&path)?)))
            .collect()
    };
    ensure!(contents(&second)? == contents(first)?, "the same image has other files");
    println!("images: the same twice: {}", first.index.digest);
    Ok(())
}

fn skopeo(image: &Image, folder: &Path) -> Result<()> {
    if !works(Command::new("skopeo").arg("--version")) {
        eprintln!("\n*** SKIPPED: images in skopeo (Debian: skopeo). ***\n");
        return Ok(());
    }
    let reference = format!("oci:{}:0.1.0", image.layout.display());
    for architecture in ["amd64", "arm64"] {
        let mut command = Command::new("skopeo");
        command.args(["--override-arch", architecture, "inspect", &reference]);
        let text = output(&mut command)?;
        let shown: serde_json::Value = serde_json::from_str(&text)?;
        ensure!(shown["Architecture"] == architecture, "skopeo shows {text}");
        ensure!(shown["Labels"]["org.opencontainers.image.title"] == "ebp", "skopeo shows {text}");
    }
    let copy = folder.join("copy");
    let mut command = Command::new("skopeo");
    command.args(["--insecure-policy", "copy", "--quiet", "--all", &reference]);
    succeed(command.arg(format!("oci:{}:copy", copy.display())))?;
    let copied = super::layout::Layout::open(&copy).first()?;
    ensure!(
        copied.first().is_some_and(|first| first.digest == image.index.digest),
        "skopeo's copy is another image"
    );
    println!("images: skopeo shows both architectures and copies them as they are");
    Ok(())
}

fn umoci(image: &Image, folder: &Path) -> Result<()> {
    let is_root = output(Command::new("id").arg("-u"))? == "0";
    if !is_root || !works(Command::new("umoci").arg("--version")) {
        eprintln!("\n*** SKIPPED: an image unpacked and run (root, Debian's umoci). ***\n");
        return Ok(());
    }
    let bundle = folder.join("bundle");
    let mut command = Command::new("umoci");
    command.args(["unpack", "--image", &format!("{}:0.1.0-amd64", image.layout.display())]);
    succeed(command.arg(&bundle))?;
    let text = fs::read_to_string(bundle.join("config.json"))?;
    let spec: serde_json::Value = serde_json::from_str(&text)?;
    let process = &spec["process"];
    ensure!(process["user"]["uid"] == USER && process["user"]["gid"] == USER, "user: {process}");
    let arguments = process["args"].as_array().context("a process without arguments")?;
    // The machine's user may not even enter the folder of root.
    let mut command = Command::new("chroot");
    command.arg(format!("--userspec={USER}:{USER}")).arg(bundle.join("rootfs"));
    for argument in arguments {
        command.arg(argument.as_str().context("an argument that is no text")?);
    }
    let printed = output(&mut command)?;
    let wanted = format!("user {USER} group {USER} argument serve program kept data written");
    ensure!(printed == wanted, "the program says `{printed}`");
    println!("images: umoci unpacks it; by chroot: {printed}");
    Ok(())
}
