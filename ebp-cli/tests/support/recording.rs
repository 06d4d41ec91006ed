//! Recordings of real meters, from where cargo has unpacked the published sml-rs crate.

use std::{
    path::{Path, PathBuf},
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
    ebp_testkit::recordings::sml_rs().join("tests/libsml-testing")
}
