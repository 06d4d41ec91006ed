//! `cargo xtask image`: an OCI image layout with the program, made without a daemon and without root.
//!
//! Enters: a static program for each architecture, the authorities that public servers are trusted by,
//! the commit's date. Leaves: a folder that skopeo, umoci and registries take, with a bill of materials
//! for each architecture; the same bytes for the same programs and commit. Absent: building programs,
//! registries (`publish.rs`), whether it runs (`image/check.rs`).

mod architecture;
pub mod check;
mod layer;
pub mod layout;
mod sbom;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

pub use self::architecture::Architecture;
use self::layout::{Descriptor, Layout, REFERENCE, media};
use crate::{
    options::Options,
    programs::{self, Kind},
    run::output,
    target,
};

const USAGE: &str = "cargo xtask image [--program ARCHITECTURE=FILE ...] [--output FOLDER] \
    [--version VERSION] [--features LIST] [--source URL] [--authorities FILE]";

/// Where Debian and most others keep the authorities that public servers are trusted by.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What an image is made of.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Static programs, each for another architecture.
    pub programs: BTreeMap<Architecture, PathBuf>,
    pub version: String,
    /// The features that they were built with; the usual ones without this.
    pub features: Option<String>,
    /// Where the sources are found by those who use the image.
    pub source: Option<String>,
    /// The authorities (PEM) that public servers are trusted by.
    pub authorities: PathBuf,
}

/// The options of [`Recipe::from_options`].
pub const OPTIONS: [&str; 5] = ["program", "version", "features", "source", "authorities"];

impl Recipe {
    /// As options say it; without a program, of those of `cargo xtask programs`.
    ///
    /// # Errors
    /// When there is no program, or an architecture is unknown or given twice.
    pub fn from_options(options: &Options) -> Result<Self> {
        let mut programs = BTreeMap::new();
        for given in options.all("program") {
            let (name, path) = given.split_once('=').context("--program ARCHITECTURE=FILE")?;
            if programs.insert(Architecture::named(name)?, PathBuf::from(path)).is_some() {
                bail!("two programs for {name}");
            }
        }
        if programs.is_empty() {
            programs = programs::built(Kind::Whole);
        }
        if programs.is_empty() {
            bail!(
                "an image needs a program: `cargo xtask programs --kind whole` makes some\n{USAGE}"
            );
        }
        let text = |name| options.last(name).map(str::to_owned);
        Ok(Self {
            programs,
            version: text("version").unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
            features: text("features"),
            source: text("source"),
            authorities: text("authorities").unwrap_or_else(|| AUTHORITIES.to_owned()).into(),
        })
    }
}

/// What is packaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// When it was made, since 1970.
    pub seconds: u64,
    /// The same as RFC 3339 has it, UTC.
    pub date: String,
    pub revision: String,
}

impl Commit {
    /// The commit that is checked out.
    ///
    /// # Errors
    /// Where there is no Git.
    pub fn current() -> Result<Self> {
        let log = |format: &str| {
            let mut command = Command::new("git");
            command.args(["log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", format]);
            output(command.env("TZ", "UTC"))
        };
        Ok(Self {
            seconds: log("--format=%ct")?.parse()?,
            date: log("--format=%cd")?,
            revision: log("--format=%H")?,
        })
    }
}

/// An image for all its architectures.
#[derive(Debug, Clone)]
pub struct Image {
    pub layout: PathBuf,
    /// The index of all architectures: what an image is deployed by.
    pub index: Descriptor,
    /// The bills of materials, by the name of a file.
    pub bills: BTreeMap<String, Vec<u8>>,
}

/// Makes an image.
pub fn run(arguments: &[String]) -> Result<()> {
    let known: Vec<_> = OPTIONS.into_iter().chain(["output"]).collect();
    let options = Options::parse(arguments, &known, USAGE)?;
    let folder = options.last("output").map_or_else(|| target().join("image"), PathBuf::from);
    let image = build(&Recipe::from_options(&options)?, &folder)?;
    println!("{} {}", image.layout.display(), image.index.digest);
    Ok(())
}

/// Writes the image's layout into the folder.
///
/// # Errors
/// When a program cannot run in an empty image, or a file cannot be read or written.
pub fn build(recipe: &Recipe, folder: &Path) -> Result<Image> {
    let commit = Commit::current()?;
    let read = |path: &Path| fs::read(path).with_context(|| path.display().to_string());
    let authorities = read(&recipe.authorities)?;
    if !authorities.starts_with(b"-----BEGIN CERTIFICATE") && !authorities.starts_with(b"#") {
        bail!("{} holds no certificates (PEM)", recipe.authorities.display());
    }
    let labels = labels(recipe, &commit);
    let layout = Layout::create(folder)?;
    let (mut manifests, mut first, mut bills) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (architecture, path) in &recipe.programs {
        let program = read(path)?;
        architecture.check(&program).with_context(|| path.display().to_string())?;
        let layer = layer::pack(program, authorities.clone(), commit.seconds)?;
        let mut platform = json!({ "architecture": architecture.name(), "os": "linux" });
        if let Some(variant) = architecture.variant() {
            platform["variant"] = variant.into();
        }
        let config = config(&platform, &layer.uncompressed_digest, &labels, &commit);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media::MANIFEST,
            "config": layout.add_json(media::CONFIG, &config)?,
            "layers": [layout.add(media::LAYER, &layer.compressed)?],
            "annotations": labels,
        });
        let mut manifest = layout.add_json(media::MANIFEST, &manifest)?;
        let bill = sbom::bill(architecture.target(), recipe.features.as_deref(), &commit)?;
        let name = format!("ebp_{}_{}.cdx.json", recipe.version, architecture.name());
        first.push(layout.attach(&manifest, media::CYCLONEDX, &[(&name, &bill)], &labels)?);
        bills.insert(name, bill);
        manifest.platform = Some(platform);
        // For tools that know images of one architecture only, such as umoci.
        let mut single = manifest.clone();
        let name = format!("{}-{}", recipe.version, architecture.name());
        single.annotations.insert(REFERENCE.to_owned(), name);
        first.push(single);
        manifests.push(manifest);
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media::INDEX,
        "manifests": manifests,
        "annotations": labels,
    });
    let mut index = layout.add_json(media::INDEX, &index)?;
    index.annotations.insert(REFERENCE.to_owned(), recipe.version.clone());
    first.insert(0, index.clone());
    layout.finish(&first)?;
    Ok(Image { layout: folder.to_owned(), index, bills })
}

/// What tools show of an image.
fn labels(recipe: &Recipe, commit: &Commit) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<_, _> = [
        ("title", "ebp"),
        ("description", "Reads household electricity meters for research: server and device"),
        ("licenses", "MIT OR Apache-2.0"),
        ("version", &recipe.version),
        ("created", &commit.date),
        ("revision", &commit.revision),
    ]
    .map(|(name, value)| (format!("org.opencontainers.image.{name}"), value.to_owned()))
    .into();
    if let Some(source) = &recipe.source {
        labels.insert("org.opencontainers.image.source".to_owned(), source.clone());
    }
    labels
}

/// How the image is run: the server unless arguments say otherwise, as a user without rights.
fn config(
    platform: &Value,
    layer: &str,
    labels: &BTreeMap<String, String>,
    commit: &Commit,
) -> Value {
    let mut config = platform.clone();
    let user = layer::USER;
    config["created"] = commit.date.as_str().into();
    config["config"] = json!({
        "User": format!("{user}:{user}"),
        "Env": [
            "PATH=/usr/bin",
            "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
            "EBP_SERVER_DATA=/var/lib/ebp",
            "EBP_SERVER_LISTEN=[::]:8443",
        ],
        "Entrypoint": ["/usr/bin/ebp"],
        "Cmd": ["serve"],
        "WorkingDir": "/var/lib/ebp",
        "Volumes": { "/var/lib/ebp": {} },
        "ExposedPorts": { "8443/tcp": {} },
        "StopSignal": "SIGTERM",
        "Labels": labels,
    });
    config["rootfs"] = json!({ "type": "layers", "diff_ids": [layer] });
    config["history"] = json!([{ "created": commit.date, "created_by": "cargo xtask image" }]);
    config
}
