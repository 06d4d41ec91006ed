//! What a field test took of the machine.
//!
//! Enters: nothing. Leaves: processor time, peak memory, bytes of files; nothing where the machine does
//! not say. Absent: time of day.

use std::{fs, path::Path, time::Duration};

/// How long processors have worked for this process, all threads together (Linux, to 10 ms).
#[must_use]
pub fn processor_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the program's name: the state, ten other numbers, then ticks as a user and in the kernel.
    let (_, numbers) = text.rsplit_once(')')?;
    let ticks = numbers.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().ok()).sum::<Option<u64>>()?;
    Some(Duration::from_millis(10) * u32::try_from(ticks).ok()?)
}

/// The most memory that this process has had, in bytes (Linux).
#[must_use]
pub fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The bytes of all files in a folder; those that cannot be read are none.
#[must_use]
pub fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_time_and_memory_and_files_have_bytes() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("inner"))?;
        fs::write(folder.path().join("inner/one"), [7; 1000])?;
        fs::write(folder.path().join("two"), [7; 24])?;
        assert_eq!(folder_bytes(folder.path()), 1024);
        if cfg!(target_os = "linux") {
            let begun = std::time::Instant::now();
            while begun.elapsed() < Duration::from_millis(50) {}
            assert!(processor_time().is_some_and(|time| !time.is_zero()));
            assert!(peak_memory().is_some_and(|bytes| bytes > 1 << 20));
        }
        Ok(())
    }
}
