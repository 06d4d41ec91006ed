//! Files as one (POSIX.1-2017 pax, ustar interchange format).
//!
//! Enters: names and contents, or names and lengths. Leaves: the archive's bytes. Absent: owners,
//! folders, names beyond a hundred bytes: nothing of the machine it was made on.

/// What files and the archive's end are filled up to, octets.
pub const BLOCK: usize = 512;

/// The longest file that a header can name, octets.
pub const LONGEST: u64 = (1 << 33) - 1;

/// The archive of those small files.
#[must_use]
pub fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        out.extend_from_slice(&header(name, bytes.len() as u64, 0o644, 0));
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

/// The header before a file's content: its name of at most a hundred bytes (the rest is cut off), its
/// length of at most [`LONGEST`], its permissions, and its time in seconds since 1970.
#[must_use]
pub fn header(name: &str, size: u64, mode: u32, seconds: u64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name.get(..100).unwrap_or(name));
    put(100, &format!("{:07o}\0", mode & 0o777));
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", size.min(LONGEST)));
    put(136, &format!("{:011o}\0", seconds.min(LONGEST)));
    // The checksum is taken with spaces in its own place.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_checksums() {
        let bytes = archive(&[("a.txt", b"abc".to_vec()), ("empty", Vec::new())]);
        assert_eq!(bytes.len(), BLOCK * (2 + 1 + 2));
        assert_eq!(&bytes[BLOCK..BLOCK + 4], b"abc\0");
        let mut blank = bytes[..BLOCK].to_vec();
        blank[148..156].fill(b' ');
        let sum: u32 = blank.iter().map(|&byte| u32::from(byte)).sum();
        assert_eq!(&bytes[148..156], format!("{sum:06o}\0 ").as_bytes());
    }
}
