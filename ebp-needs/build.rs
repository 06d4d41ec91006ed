//! Looks for what tests may need on this machine, and leaves the names of what is missing in
//! `EBP_MISSING`. What is found is watched; what is missing is looked for again when one of the
//! variables below changes or Debian's list of installed packages does.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Set, tests that need PostgreSQL or PgBouncer run and fail where these are missing.
const REQUIRED: &str = "EBP_TEST_POSTGRESQL";
/// Set, tests that need a browser run and fail where it is missing.
const BROWSER_REQUIRED: &str = "EBP_TEST_BROWSER";
/// The folder of the official geodata.
const GEODATA: &str = "EBP_GEODATA";
/// Changes when a package is installed.
const PACKAGES: &str = "/var/lib/dpkg/status";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for variable in ["PATH", REQUIRED, BROWSER_REQUIRED, GEODATA] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let geodata = env::var_os(GEODATA)
        .map_or(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/geo"), PathBuf::from);
    let is_required = env::var_os(REQUIRED).is_some();
    let postgresql = is_required.then(PathBuf::new).or_else(initdb);
    let pgbouncer = is_required.then(PathBuf::new).or_else(|| program("pgbouncer"));
    let browser_is_required = env::var_os(BROWSER_REQUIRED).is_some();
    let chromium = || program("chromium").and(program("chromedriver"));
    let chromium = browser_is_required.then(PathBuf::new).or_else(chromium);
    let in_geodata = |name: &str| file(geodata.join(name));
    let mut missing = Vec::new();
    for (name, found) in [
        ("postgresql", postgresql),
        ("pgbouncer", pgbouncer),
        ("geodata", in_geodata("bkg_nuts5000_n3/NUTS5000_N3.shp")),
        ("postal_codes", in_geodata("de_plz_centroids_geonames.csv")),
        ("curl", program("curl")),
        ("openssl", program("openssl")),
        ("systemd_analyze", program("systemd-analyze")),
        ("mosquitto", program("mosquitto").and(program("mosquitto_sub"))),
        ("influxd", program("influxd")),
        ("promtool", program("promtool")),
        ("python3", program("python3")),
        ("tar", program("tar")),
        ("sshd", file("/usr/sbin/sshd".into())),
        ("tinyproxy", program("tinyproxy")),
        ("rsync", program("rsync")),
        ("bash", program("bash")),
        ("zsh", program("zsh")),
        ("fish", program("fish")),
        ("chromium", chromium),
        ("dev_full", Path::new("/dev/full").exists().then(PathBuf::new)),
        ("mount", may_mount().then(PathBuf::new)),
        ("loop_device", may_mount_a_file().then(PathBuf::new)),
        ("network_namespaces", may_make_networks().then(PathBuf::new)),
        ("other_users", is_root().then(PathBuf::new)),
    ] {
        match found {
            Some(path) if path.is_file() => {
                println!("cargo::rerun-if-changed={}", path.display());
            }
            Some(_) => {}
            None => missing.push(name),
        }
    }
    if !missing.is_empty() && Path::new(PACKAGES).is_file() {
        println!("cargo::rerun-if-changed={PACKAGES}");
    }
    println!("cargo::rustc-env=EBP_MISSING={}", missing.join(" "));
}

fn file(path: PathBuf) -> Option<PathBuf> {
    path.is_file().then_some(path)
}

/// A program of PATH, or of where administrators' programs are.
fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.find_map(|folder| file(folder.join(name)))
}

/// PostgreSQL's `initdb`: of PATH, or where distributions hide it.
fn initdb() -> Option<PathBuf> {
    program("initdb").or_else(|| {
        [("/usr/lib/postgresql", ""), ("/usr", "pgsql"), ("/opt", "pgsql")].into_iter().find_map(
            |(parent, part)| {
                let entries = std::fs::read_dir(parent).ok()?.flatten();
                let mut folders =
                    entries.filter(|entry| entry.file_name().to_string_lossy().contains(part));
                folders.find_map(|folder| file(folder.path().join("bin/initdb")))
            },
        )
    })
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").stderr(Stdio::null()).output();
    id.is_ok_and(|output| output.stdout == b"0\n")
}

/// Whether networks can be made apart from the machine's, tried in one.
fn may_make_networks() -> bool {
    Command::new("unshare")
        .args(["--net", "ip", "link", "add", "near", "type", "veth", "peer", "name", "far"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether a file can be mounted as a disk, tried out of everybody's sight.
fn may_mount_a_file() -> bool {
    let Some(folder) = env::var_os("OUT_DIR").map(PathBuf::from) else { return false };
    let image = folder.join("disk.img");
    let made = std::fs::File::create(&image).and_then(|file| file.set_len(8 << 20));
    let formatted = Command::new("mkfs.ext4").arg("-q").arg(&image).status();
    let mounted = Command::new("unshare")
        .args(["--mount", "mount", "-o", "loop"])
        .arg(&image)
        .arg("/mnt")
        .stderr(Stdio::null())
        .status();
    let succeeded = |status: std::io::Result<std::process::ExitStatus>| {
        status.is_ok_and(|status| status.success())
    };
    let works = made.is_ok() && succeeded(formatted) && succeeded(mounted);
    // It is no part of what is built.
    let _ = std::fs::remove_file(image);
    works
}

/// Whether a small file system can be mounted, tried out of everybody's sight.
fn may_mount() -> bool {
    Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "-o", "size=1m", "ebp-test", "/mnt"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
