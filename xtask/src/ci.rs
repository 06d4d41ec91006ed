//! `cargo xtask ci`: all that a change has to pass, cheapest first, the tests last.

use anyhow::Result;

use crate::{
    advisories, contract, crates, examples, fuzz, image, lint, machine, manifests, publish,
    run::{cargo, succeed},
    stage::{self, Stage},
    test, tidy,
    tool::DENY,
    trust, wheel,
};

/// How the program is built; with everything it differs from the first in embedded data alone. A build
/// of the whole workspace would hide a crate that leans on features which only another one, or a test,
/// asks for.
const PROGRAMS: [(&str, &[&str]); 2] = [
    ("ebp-cli", &["--no-default-features", "--features", "server"]),
    ("ebp-cli", &["--no-default-features", "--features", "device,device-web"]),
];

/// The other crates by themselves, each with each of its features: for most of them the libraries of
/// others are checked anew, which takes longer than all other checks (`cargo xtask long features`).
const LIBRARIES: [(&str, &[&str]); 41] = [
    ("ebp-cli", &[]),
    ("ebp-cli", &["--no-default-features", "--features", "device"]),
    ("ebp-core", &[]),
    ("ebp-core", &["--features", "openapi"]),
    ("ebp-client", &[]),
    ("ebp-client", &["--features", "pkcs12"]),
    ("ebp-meter", &[]),
    ("ebp-device", &[]),
    ("ebp-anon", &[]),
    ("ebp-anon", &["--features", "germany"]),
    ("ebp-dataset", &[]),
    ("ebp-dataset", &["--features", "files"]),
    ("ebp-errors", &[]),
    ("ebp-errors", &["--features", "report"]),
    ("ebp-fleet", &[]),
    ("ebp-fleet", &["--features", "device"]),
    ("ebp-fleet", &["--features", "server"]),
    ("ebp-publish", &[]),
    ("ebp-publish", &["--features", "influx"]),
    ("ebp-publish", &["--features", "json"]),
    ("ebp-publish", &["--features", "mqtt"]),
    ("ebp-publish", &["--features", "prometheus"]),
    ("ebp-release", &[]),
    ("ebp-release", &["--features", "author"]),
    ("ebp-store", &[]),
    ("ebp-survey", &[]),
    ("ebp-survey", &["--no-default-features"]),
    ("ebp-survey", &["--features", "dataset"]),
    ("ebp-server", &[]),
    ("ebp-server", &["--no-default-features"]),
    ("ebp-server", &["--features", "export"]),
    ("ebp-update", &[]),
    ("ebp-web", &[]),
    ("ebp-web", &["--features", "device"]),
    ("ebp-web", &["--features", "registration"]),
    ("ebp-web", &["--features", "report"]),
    ("ebp-web", &["--features", "status"]),
    ("ebp-fieldtest", &[]),
    ("ebp-fieldtest", &["--no-default-features"]),
    ("ebp-kernel-clock", &[]),
    ("ebp-needs", &[]),
];

/// The stages in their order.
const STAGES: [Stage; 18] = [
    ("format", format),
    ("tidy", tidy::run),
    ("lint", lint::run),
    ("manifests", manifests::run),
    ("clippy", clippy),
    ("programs", programs),
    ("doc", doc),
    ("crates", crates::run),
    ("deny", dependencies),
    ("fuzz", fuzz::smoke),
    ("build", test::build),
    ("contract", || contract::run(&[])),
    ("trust", || trust::run(trust::Depth::Usual)),
    ("examples", examples::run),
    ("wheel", wheel::check),
    ("images", images),
    ("machine", machine::run_in_ci),
    ("test", test::run),
];

/// All stages, or those of these names, with what each took.
pub fn run(names: &[String]) -> Result<()> {
    stage::run(&stage::named(&STAGES, names)?, "test")
}

fn format() -> Result<()> {
    succeed(cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    let mut command = cargo();
    command.args(["clippy", "--workspace", "--all-targets", "--all-features"]);
    succeed(command.args(["--", "-D", "warnings"]))
}

fn doc() -> Result<()> {
    let mut command = cargo();
    command.args(["doc", "--workspace", "--all-features", "--no-deps"]);
    succeed(command.arg("--document-private-items").env("RUSTDOCFLAGS", "-D warnings"))
}

/// The program as it is built for servers and devices.
fn programs() -> Result<()> {
    check_alone(&PROGRAMS)
}

/// Each crate by itself.
pub fn features() -> Result<()> {
    check_alone(&PROGRAMS)?;
    check_alone(&LIBRARIES)
}

fn check_alone(crates: &[(&str, &[&str])]) -> Result<()> {
    crates.iter().try_for_each(|(package, features)| {
        succeed(cargo().args(["check", "--quiet", "--package", package]).args(*features))
    })
}

/// Images and a release of small programs: taken by skopeo, umoci and a registry.
fn images() -> Result<()> {
    image::check::run()?;
    publish::check::run()
}

/// Licences, sources, bans and advisories.
fn dependencies() -> Result<()> {
    DENY.ensure()?;
    succeed(DENY.command().args(["--all-features", "check", "bans", "licenses", "sources"]))?;
    advisories::check()
}
