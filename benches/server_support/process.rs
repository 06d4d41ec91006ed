//! What processes use, from `/proc`.

use std::time::Duration;

/// A process and all that descend from it.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// This one.
    pub fn own() -> Self {
        Self(std::process::id())
    }

    /// Processor time of the living ones and of those that were waited for.
    pub fn cpu(self) -> Duration {
        // Clock ticks are hundredths of a second on every Linux that Rust runs on.
        let ticks: u64 = self.stats().iter().map(|(_, ticks)| ticks).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory now, and at most so far (of the process itself), in MiB.
    pub fn memory(self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0));
        let status = status.unwrap_or_default();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
            line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0_u64) / 1024
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    /// The number of each process of the tree and its ticks.
    fn stats(self) -> Vec<(u32, u64)> {
        let all: Vec<(u32, u32, u64)> = std::fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(stat)
            .collect();
        let mut tree: Vec<(u32, u64)> =
            all.iter().filter(|(pid, ..)| *pid == self.0).map(|(pid, _, t)| (*pid, *t)).collect();
        let mut place = 0;
        while let Some((parent, _)) = tree.get(place).copied() {
            // The load generator starts the servers; they count for themselves.
            if self.0 != std::process::id() {
                tree.extend(all.iter().filter(|(_, p, _)| *p == parent).map(|(c, _, t)| (*c, *t)));
            }
            place += 1;
        }
        tree
    }
}

/// Its number, its parent's, and its ticks.
fn stat(pid: u32) -> Option<(u32, u32, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    // In user mode and in the kernel, its own and of the children that it waited for.
    let ticks = (11..15).map(number).sum::<Option<u64>>()?;
    Some((pid, u32::try_from(number(1)?).ok()?, ticks))
}
