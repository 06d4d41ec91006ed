//! The machine's own PostgreSQL: where its programs are, and as whom they run.
//!
//! Enters: PATH and the places where distributions hide them. Leaves: a folder, a command's
//! beginning. Absent: running anything of it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The folder of `initdb` and `pg_ctl`: of PATH, or where distributions hide it, newest first.
pub fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for (parent, child) in [("/usr/lib/postgresql", "bin"), ("/usr", "bin"), ("/opt", "bin")] {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        let mut versions: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| {
                parent.ends_with("postgresql") || path.to_string_lossy().contains("pgsql")
            })
            .map(|path| path.join(child))
            .collect();
        versions.sort();
        folders.extend(versions.into_iter().rev());
    }
    // A link from PATH leads to the folder that has the rest, too.
    let real = |folder: &PathBuf| folder.join("initdb").canonicalize().ok();
    let real = folders.iter().find_map(real)?;
    real.parent().map(Path::to_owned)
}

/// How that program is called: PostgreSQL refuses to run as root.
pub fn as_postgres(program: &Path) -> Vec<String> {
    let program = program.to_string_lossy().into_owned();
    if is_root() {
        ["runuser", "-u", "postgres", "--"]
            .map(str::to_owned)
            .into_iter()
            .chain([program])
            .collect()
    } else {
        vec![program]
    }
}

/// Whether this is root.
pub fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| {
        Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
    })
}
