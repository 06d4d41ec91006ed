//! Files that are on disk whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use ebp_core::private_file;

/// Makes the folder, and those above it, so that only its owner may enter (mode 0700).
///
/// # Errors
/// When the file system refuses.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    private_file::create_folder(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// Puts `content` in the place of what `path` held: after a crash at any instant the file is the
/// old or the new one. The new one has `mode` from its first byte on.
///
/// # Errors
/// When the file system refuses; the old file is then as it was.
pub fn write_atomic(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let dir = match path.parent() {
        Some(dir) if dir != Path::new("") => dir,
        _ => Path::new("."),
    };
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", uuid::Uuid::new_v4().simple()));
    let temporary = dir.join(name);
    let write = || -> io::Result<()> {
        let mut file = private_file::options().write(true).create_new(true).open(&temporary)?;
        // Private until here, and as it is wanted before anything is in it.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(dir)?.sync_all()
    };
    write().inspect_err(|_| {
        // Nothing more can be done about a leftover; the error that matters is the first.
        let _ = fs::remove_file(&temporary);
    })
}
