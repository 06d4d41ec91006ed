//! What a device's card holds of its spool: the database and its write-ahead log, byte by byte.
//!
//! Enters: a spool's folder. Leaves: the same as it would be had the power gone at another instant,
//! or had the card lost a page. Absent: what the bytes mean.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ebp_core::spool::FILE_NAME;

use crate::chance::Chance;

/// The bytes of a sector, which a card writes whole or not at all.
const SECTOR: usize = 512;
/// The bytes of the spool's pages.
const PAGE: usize = 1024;

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

    /// What is left when the card has lost a page of the database: it reads as nothing but zeros.
    #[must_use]
    pub fn without_page(mut self, first: bool, chance: &mut Chance) -> Self {
        let pages = (self.database.len() / PAGE).max(1) as u64;
        let page = if first { 0 } else { chance.between(1, pages.saturating_sub(1).max(1)) };
        let begin = usize::try_from(page).unwrap_or(0) * PAGE;
        self.database.iter_mut().skip(begin).take(PAGE).for_each(|byte| *byte = 0);
        self
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
        let card = Card { database: vec![7; 5 * PAGE], log: Vec::new() };
        let first = card.clone().without_page(true, &mut Chance::new(1, 1));
        assert_eq!(first.database.iter().position(|byte| *byte == 7), Some(PAGE));
        let some = card.without_page(false, &mut Chance::new(1, 1));
        assert_eq!(some.database.iter().filter(|byte| **byte == 0).count(), PAGE);
        assert_eq!(some.database[0], 7);
    }
}
