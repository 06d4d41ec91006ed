//! Recordings of real meters, from where cargo has unpacked the published sml-rs crate.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// The folder of the recordings.
pub fn folder() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(find);
    &FOLDER
}

/// One recording by name.
pub fn file(name: &str) -> PathBuf {
    folder().join(format!("{name}.bin"))
}

/// Eight telegrams of 460 bytes and one that is cut, of an MT175 that feeds in.
pub fn mt175() -> PathBuf {
    folder().join("ISKRA_MT175_D1A52-V22-K0t.bin")
}

/// One telegram of 316 bytes, of an EMH eHZ with one direction.
pub fn ehz() -> PathBuf {
    folder().join("EMH_eHZ-HW8E2A5L0EK2P_2.bin")
}

fn find() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let sml_rs = packages.iter().find(|package| package["name"] == "sml-rs").unwrap();
    Path::new(sml_rs["manifest_path"].as_str().unwrap())
        .parent()
        .unwrap()
        .join("tests/libsml-testing")
}
