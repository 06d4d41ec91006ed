//! SHA-256 of files, and the list of them.

use std::{fmt::Write as _, fs::File, io::Read, path::Path};

use ring::digest::{Context, SHA256};

use super::error::FileError;

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A file's SHA-256, as hexadecimal digits.
///
/// # Errors
/// [`FileError::System`] where it cannot be read.
pub fn hash_file(path: &Path) -> Result<String, FileError> {
    let failed = |error| FileError::system(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            return Ok(hex(context.finish().as_ref()));
        }
        context.update(&buffer[..read]);
    }
}

/// The content of `SHA256SUMS`, as `sha256sum --check` reads it: names in their order.
#[must_use]
pub fn sums<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut lines: Vec<_> = files.into_iter().collect();
    lines.sort_unstable();
    lines.iter().fold(String::new(), |mut text, (name, hash)| {
        let _ = writeln!(text, "{hash}  {name}");
        text
    })
}
