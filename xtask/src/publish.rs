//! `cargo xtask publish TAG`: a release for those who install it.
//!
//! Enters: static programs, a key of ssh's, a registry and its credentials, the repository that Flux
//! follows. Leaves: packages, an image with its bills of materials, their checksums and a signature, in
//! `target/release-TAG` and in the registry; a commit with the image's digest. Absent: building programs;
//! devices' own updates.

mod challenge;
pub mod check;
mod credentials;
mod flux;
mod registry;
#[cfg(test)]
mod workflow;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use self::{credentials::Login, flux::Target, registry::Registry};
use crate::{
    deb::{self, Packing},
    image::{
        self, Image, OPTIONS, Recipe,
        layout::{Layout, digest},
    },
    options::Options,
    run::{output, succeed},
    target,
};

const USAGE: &str = "cargo xtask publish TAG --program ARCHITECTURE=FILE ... --key FILE \
    --to REGISTRY/REPOSITORY [--credentials FILE] [--flux REPOSITORY] [--flux-file FILE] \
    [--flux-branch main] [--features LIST] [--source URL] [--authorities FILE] \
    [--strict]";

/// What signatures are for, so that none made for something else counts.
const NAMESPACE: &str = "ebp-release";

/// The kind of artifact that holds checksums and signature in a registry.
const CHECKSUMS: &str = "application/vnd.ebp.release.checksums.v1";

/// Where a release goes.
struct Destination {
    registry: Registry,
    /// As manifests name it.
    image: String,
    flux: Option<Target>,
}

/// Makes and publishes the release of the tag that is checked out.
pub fn run(arguments: &[String]) -> Result<()> {
    let (tag, rest) = arguments.split_first().context(USAGE)?;
    let (strict, rest): (Vec<_>, Vec<_>) =
        rest.iter().cloned().partition(|argument| argument == "--strict");
    let own = ["key", "to", "credentials", "flux", "flux-file", "flux-branch"];
    let known: Vec<_> = OPTIONS.into_iter().filter(|name| *name != "version").chain(own).collect();
    let options = Options::parse(&rest, &known, USAGE)?;
    let required = |name| options.last(name).with_context(|| format!("--{name}\n{USAGE}"));
    check_tag(tag)?;
    let to = required("to")?;
    let host = to.split('/').next().unwrap_or_default();
    let login = options.last("credentials").map(|path| Login::read(Path::new(path), host));
    let flux = options.last("flux").map(|repository| Target {
        repository: repository.to_owned(),
        file: options.last("flux-file").unwrap_or("rings/canary/kustomization.yaml").into(),
        branch: options.last("flux-branch").unwrap_or("main").to_owned(),
        author: None,
    });
    let registry = Registry::new(to, login.transpose()?, false)?;
    let destination = Destination { registry, image: to.to_owned(), flux };
    let mut recipe = Recipe::from_options(&options)?;
    tag.trim_start_matches('v').clone_into(&mut recipe.version);
    let packages = packages(&recipe, !strict.is_empty())?;
    let folder = target().join(format!("release-{tag}"));
    publish(&recipe, &packages, Path::new(required("key")?), &folder, destination)
}

/// The tag names what is checked out, and nothing is changed.
fn check_tag(tag: &str) -> Result<()> {
    let is_version = tag.trim_start_matches('v').split('.').count() == 3;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    ensure!(is_version && tag.bytes().all(is_plain), "`{tag}` is no version such as v1.4.2");
    let revision = |name: &str| output(Command::new("git").args(["rev-parse", "--verify", name]));
    let tagged = revision(&format!("refs/tags/{tag}^{{commit}}"));
    let tagged = tagged.with_context(|| format!("there is no tag {tag}"))?;
    ensure!(tagged == revision("HEAD")?, "{tag} is another commit than the one checked out");
    let changed = output(Command::new("git").args(["status", "--porcelain"]))?;
    ensure!(changed.is_empty(), "the tree has changes that no commit has:\n{changed}");
    Ok(())
}

/// The Debian packages of its architectures, as far as their programs can be asked for their manual here;
/// if `is_strict`, one that cannot be made is an error.
fn packages(recipe: &Recipe, is_strict: bool) -> Result<Vec<PathBuf>> {
    let mut packages = Vec::new();
    for (architecture, program) in &recipe.programs {
        if is_skipped(architecture.debian(), deb::missing_for(program)?, is_strict)? {
            continue;
        }
        packages.push(deb::build(program, &recipe.version, Packing::Small)?);
    }
    Ok(packages)
}

/// Whether the package of that architecture is left out, for want of what is missing.
fn is_skipped(name: &str, missing: Option<&str>, is_strict: bool) -> Result<bool> {
    let Some(missing) = missing else { return Ok(false) };
    ensure!(!is_strict, "no Debian package for {name} can be made: it needs {missing}");
    eprintln!("\n*** SKIPPED: the Debian package for {name}. It needs {missing}. ***\n");
    Ok(true)
}

/// Makes it in the folder, pushes it, and commits its digest.
fn publish(
    recipe: &Recipe,
    packages: &[PathBuf],
    key: &Path,
    folder: &Path,
    mut to: Destination,
) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder)?;
    let image = image::build(recipe, &folder.join("image"))?;
    let there = to.registry.tagged(&recipe.version)?;
    if let Some(other) = there.filter(|there| *there != image.index.digest) {
        bail!("{}:{} is there already, as {other}", to.image, recipe.version);
    }
    let sums = write_files(recipe, packages, &image, folder)?;
    let signature = sign(key, &sums)?;
    let layout = Layout::open(&image.layout);
    let files = [("SHA256SUMS", fs::read(&sums)?), ("SHA256SUMS.sig", fs::read(signature)?)];
    let files = files.each_ref().map(|(name, bytes)| (*name, bytes.as_slice()));
    let attached = layout.attach(&image.index, CHECKSUMS, &files, &Default::default())?;
    let mut first = layout.first()?;
    first.push(attached);
    layout.finish(&first)?;
    // What is tagged comes last but for what refers to it: an interrupted push leaves no tag.
    to.registry.push(&layout, &image.index, Some(&recipe.version))?;
    for referrer in first.iter().filter(|own| own.artifact_type.is_some()) {
        to.registry.push(&layout, referrer, None)?;
    }
    let pushed = to.registry.tagged(&recipe.version)?;
    ensure!(pushed.as_ref() == Some(&image.index.digest), "the registry has {pushed:?}");
    println!("{}@{}", to.image, image.index.digest);
    let Some(target) = &to.flux else { return Ok(()) };
    let written = flux::write(target, &to.image, &image.index.digest, &recipe.version)?;
    let what = if written { "has a commit with it" } else { "has it already" };
    println!("{}: {} {what}", target.repository, target.file.display());
    Ok(())
}

/// Puts packages, bills and the image's name beside each other; the file of their checksums.
fn write_files(
    recipe: &Recipe,
    packages: &[PathBuf],
    image: &Image,
    folder: &Path,
) -> Result<PathBuf> {
    let name = json!({
        "mediaType": image.index.media_type,
        "digest": image.index.digest,
        "size": image.index.size,
    });
    let mut files = image.bills.clone();
    files.insert(format!("ebp_{}_image.json", recipe.version), name.to_string().into_bytes());
    for package in packages {
        let name = package.file_name().and_then(|name| name.to_str()).context("no name")?;
        files.insert(name.to_owned(), fs::read(package)?);
    }
    let mut sums = String::new();
    for (name, bytes) in &files {
        fs::write(folder.join(name), bytes).with_context(|| name.clone())?;
        let digest = digest(bytes);
        sums += &format!("{}  {name}\n", digest.trim_start_matches("sha256:"));
    }
    let path = folder.join("SHA256SUMS");
    fs::write(&path, sums)?;
    Ok(path)
}

/// Signs with a key of ssh's: of a file, an agent or a token.
fn sign(key: &Path, file: &Path) -> Result<PathBuf> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"]);
    succeed(command.arg(key).arg(file))?;
    let signature = file.with_file_name("SHA256SUMS.sig");
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "check-novalidate", "-n", NAMESPACE, "-s"]).arg(&signature);
    succeed(command.stdin(fs::File::open(file)?))?;
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is missing from a strict release without a word.
    #[test]
    fn what_cannot_be_made_ends_a_strict_release() {
        assert!(!is_skipped("arm64", None, true).unwrap());
        assert!(is_skipped("arm64", Some("an emulator"), false).unwrap());
        let refused = is_skipped("arm64", Some("an emulator"), true).unwrap_err().to_string();
        assert!(refused.contains("arm64") && refused.contains("an emulator"), "{refused}");
    }
}
