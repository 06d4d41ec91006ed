//! What a device's card holds of its spool: the database and its write-ahead log, byte by byte.
//!
//! Enters: a spool's folder. Leaves: the same as it would be had the power gone at another instant,
//! or had the card lost a page. Absent: what the bytes mean.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ebp_device::spool::FILE_NAME;

use crate::chance::Chance;

/// The bytes of a sector, which a card writes whole or not at all.
const SECTOR: usize = 512;
/// The lowest pages of a spool: its schema and the roots of its tables, which every spool has.
const LOWEST: u64 = 24;

/// What a card loses of the spool's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The first page.
    First,
    /// One of the lowest.
    Low,
    /// Any but the first.
    Any,
    /// Any two that adjoin, as a larger block of the card.
    Two,
}

/// A spool's files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    database: Vec<u8>,
    log: Vec<u8>,
}

impl Card {
    /// Reads what is there now.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let read = |path: PathBuf| match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        };
        Ok(Self { database: read(database(folder))?, log: read(log(folder))? })
    }

    /// Removes the spool's files, whoever has them open.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn remove(folder: &Path) -> io::Result<()> {
        let index = folder.join(format!("{FILE_NAME}-shm"));
        for path in [database(folder), log(folder), index] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Puts it in the place of what is there; nobody may have it open.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(database(folder), &self.database)?;
        fs::write(log(folder), &self.log)?;
        // The log's index is in memory that the kernel never had to write.
        match fs::remove_file(beside(folder, "-shm")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// What the card holds when the power goes while `self` becomes `later`.
    ///
    /// The log is flushed with every transaction before anything else is done, and the database is
    /// written to only from a log that is flushed. So either the log is cut somewhere in what was
    /// added to it, or it is whole and some sectors of the database are new and others old.
    #[must_use]
    pub fn torn(&self, later: &Self, chance: &mut Chance) -> Self {
        if self.database != later.database && !self.database.is_empty() {
            let mut database = later.database.clone();
            for (place, sector) in database.chunks_mut(SECTOR).enumerate() {
                let old = self.database.get(place * SECTOR..).unwrap_or(&[]);
                if old.len() >= sector.len() && chance.percent(50) {
                    sector.copy_from_slice(&old[..sector.len()]);
                }
            }
            // A log that was begun anew meanwhile had its database flushed before that.
            let is_added = later.log.starts_with(&self.log);
            return if is_added {
                Self { database, log: later.log.clone() }
            } else {
                later.clone()
            };
        }
        let same = self.log.iter().zip(&later.log).take_while(|(a, b)| a == b).count();
        let cut = usize::try_from(chance.between(same as u64, later.log.len() as u64)).unwrap_or(0);
        let mut log = later.log[..cut].to_vec();
        log.extend(self.log.get(cut..).unwrap_or(&[]));
        Self { database: later.database.clone(), log }
    }

    /// What is left when the card has lost pages of the database: they read as nothing but zeros.
    #[must_use]
    pub fn without(mut self, loss: Loss, chance: &mut Chance) -> Self {
        let size = self.page();
        let last = (self.database.len() / size).saturating_sub(1).max(1) as u64;
        let (first, count) = match loss {
            Loss::First => (0, 1),
            Loss::Low => (chance.between(1, last.min(LOWEST - 1)), 1),
            Loss::Any => (chance.between(1, last), 1),
            Loss::Two => (chance.between(0, last - 1), 2),
        };
        let begin = usize::try_from(first).unwrap_or(0) * size;
        self.database.iter_mut().skip(begin).take(count * size).for_each(|byte| *byte = 0);
        self
    }

    /// The bytes of the database's pages, as it says itself (SQLite, "Database File Format", 1.3.2).
    fn page(&self) -> usize {
        match self.database.get(16..18) {
            Some(&[high, low]) => match u16::from_be_bytes([high, low]) {
                1 => 65_536,
                size if size >= 512 => usize::from(size),
                _ => SECTOR,
            },
            _ => SECTOR,
        }
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

fn log(folder: &Path) -> PathBuf {
    beside(folder, "-wal")
}

fn beside(folder: &Path, suffix: &str) -> PathBuf {
    folder.join(format!("{FILE_NAME}{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_in_what_was_added() {
        let mut chance = Chance::new(1, 1);
        let before = Card { database: vec![1; 2048], log: vec![2; 700] };
        let later = Card { log: [vec![2; 700], vec![3; 900]].concat(), ..before.clone() };
        for _ in 0..100 {
            let torn = before.torn(&later, &mut chance);
            assert!(torn.log.len() >= 700 && later.log.starts_with(&torn.log));
            assert_eq!(torn.database, before.database);
        }
        // Begun anew from its front: the rest of the old one lies behind.
        let anew = Card { log: [vec![4; 300], vec![2; 400]].concat(), ..before.clone() };
        let torn = before.torn(&anew, &mut chance);
        assert_eq!(torn.log.len(), 700);
    }

    #[test]
    fn a_page_is_lost() {
        for size in [512_u16, 1024] {
            let page = usize::from(size);
            let mut card = Card { database: vec![7; 60 * page], log: Vec::new() };
            card.database[16..18].copy_from_slice(&size.to_be_bytes());
            let lost = |loss, seed| {
                let left = card.clone().without(loss, &mut Chance::new(seed, 1)).database;
                let zeros: Vec<_> = (0..60)
                    .filter(|number| left[number * page..][..page].iter().all(|byte| *byte == 0))
                    .collect();
                zeros
            };
            for seed in 0..100 {
                assert_eq!(lost(Loss::First, seed), [0]);
                assert!(matches!(lost(Loss::Low, seed)[..], [1..=23]));
                assert!(matches!(lost(Loss::Any, seed)[..], [1..=59]));
                let two = lost(Loss::Two, seed);
                assert!(two.len() == 2 && two[0] + 1 == two[1], "{two:?}");
            }
        }
    }
}
