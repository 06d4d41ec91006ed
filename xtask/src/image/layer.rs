//! The files of an image, as one layer whose bytes are the same whenever they are made.

use std::io::Write;

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

/// The user and the group that the program runs as: of nobody, as images without a system use it.
pub const USER: u64 = 65532;

/// A file or folder of an image.
#[derive(Debug)]
struct Entry {
    path: &'static str,
    mode: u32,
    /// User and group.
    owner: u64,
    /// Absent for a folder.
    content: Option<Vec<u8>>,
}

/// A layer: compressed as it is sent, and the hash of what it decompresses to.
#[derive(Debug)]
pub struct Layer {
    pub compressed: Vec<u8>,
    pub uncompressed_digest: String,
}

/// The program and what it needs beside itself: the authorities that other servers are trusted by, the
/// user's name, a folder for data. Files have the date `seconds`.
///
/// # Errors
/// When it cannot be packed.
pub fn pack(program: Vec<u8>, authorities: Vec<u8>, seconds: u64) -> Result<Layer> {
    let folder = |path, mode, owner| Entry { path, mode, owner, content: None };
    let file = |path, mode, content| Entry { path, mode, owner: 0, content: Some(content) };
    let passwd = format!(
        "root:x:0:0:root:/nonexistent:/nonexistent\nebp:x:{USER}:{USER}:ebp:/var/lib/ebp:/nonexistent\n"
    );
    let entries = [
        folder("etc/", 0o755, 0),
        file("etc/group", 0o644, format!("root:x:0:\nebp:x:{USER}:\n").into_bytes()),
        file("etc/passwd", 0o644, passwd.into_bytes()),
        folder("etc/ssl/", 0o755, 0),
        folder("etc/ssl/certs/", 0o755, 0),
        file("etc/ssl/certs/ca-certificates.crt", 0o644, authorities),
        folder("tmp/", 0o1777, 0),
        folder("usr/", 0o755, 0),
        folder("usr/bin/", 0o755, 0),
        file("usr/bin/ebp", 0o755, program),
        folder("var/", 0o755, 0),
        folder("var/lib/", 0o755, 0),
        folder("var/lib/ebp/", 0o700, USER),
    ];
    let archive = archive(&entries, seconds)?;
    // Neither a date nor the system that packs it.
    let mut encoder =
        GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    encoder.write_all(&archive)?;
    Ok(Layer {
        compressed: encoder.finish()?,
        uncompressed_digest: super::layout::digest(&archive),
    })
}

fn archive(entries: &[Entry], seconds: u64) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for Entry { path, mode, owner, content } in entries {
        let bytes = content.as_deref().unwrap_or_default();
        let mut header = Header::new_ustar();
        let kind = if content.is_some() { EntryType::Regular } else { EntryType::Directory };
        header.set_entry_type(kind);
        header.set_mode(*mode);
        header.set_uid(*owner);
        header.set_gid(*owner);
        header.set_mtime(seconds);
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, path, bytes)?;
    }
    Ok(archive.into_inner()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_layer_is_the_same_twice_and_has_owners_and_date() {
        let pack = || pack(b"program".to_vec(), b"authorities".to_vec(), 1_700_000_000).unwrap();
        let layer = pack();
        assert_eq!(layer.compressed, pack().compressed);
        let mut archive = Vec::new();
        flate2::read::GzDecoder::new(&*layer.compressed).read_to_end(&mut archive).unwrap();
        assert_eq!(super::super::layout::digest(&archive), layer.uncompressed_digest);
        let mut archive = tar::Archive::new(&*archive);
        let mut paths = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            let path = entry.path().unwrap().display().to_string();
            assert_eq!(header.mtime().unwrap(), 1_700_000_000);
            let own = path == "var/lib/ebp/";
            assert_eq!(header.uid().unwrap(), if own { USER } else { 0 }, "{path}");
            assert!(path == "tmp/" || header.mode().unwrap() & 0o022 == 0, "{path}");
            paths.push(path);
        }
        assert!(paths.is_sorted() && paths.contains(&"usr/bin/ebp".to_owned()), "{paths:?}");
    }
}
