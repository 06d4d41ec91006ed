//! The recordings of real meters that the published sml-rs crate carries.
//!
//! Enters: cargo's metadata. Leaves: the recordings' paths. Absent: copies of them.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// Every recording by name, in order.
pub fn dumps() -> &'static [(String, Vec<u8>)] {
    static DUMPS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(load);
    &DUMPS
}

fn load() -> Vec<(String, Vec<u8>)> {
    let folder = sml_rs().join("tests/libsml-testing");
    let mut dumps: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect();
    dumps.sort();
    dumps
}

/// The system that is built for, `x86_64-unknown-linux-gnu`.
fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    told.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// Where cargo has unpacked sml-rs.
pub fn sml_rs() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        // Crates for other systems are not on a machine that has only built.
        .args(["--filter-platform", &host()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let package = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"] == "sml-rs")
        .unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}
