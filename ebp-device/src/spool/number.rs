//! Whether a meter shows the number that it showed first. The number itself is stored nowhere: of each
//! meter there is a keyed hash, with a key of its own that was drawn for it and leaves the device no
//! more than the hash.

use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use rusqlite::params;
use uuid::Uuid;

use super::{Spool, SpoolError};

/// The prefix of the names under which the hashes are stored.
const NAME: &str = "number of ";

/// Octets of a key.
const KEY: usize = 32;

impl Spool {
    /// Whether the meter's number is another one than the first that was shown in its place. The
    /// first one is learnt.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn shows_another_number(&self, meter: Uuid, number: &[u8]) -> Result<bool, SpoolError> {
        let name = format!("{NAME}{meter}");
        let known = self.recall(&name)?;
        // A value that cannot be understood is from another version, and is learnt anew.
        if let Some((key, hash)) = known.as_deref().and_then(parse) {
            return Ok(hmac::verify(&key, number, &hash).is_err());
        }
        let mut octets = [0; KEY];
        // Without random octets nothing is learnt, and nothing is in doubt.
        if SystemRandom::new().fill(&mut octets).is_err() {
            return Ok(false);
        }
        let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &octets), number);
        self.remember(&name, &format!("{}:{}", hex(&octets), hex(hash.as_ref())))?;
        Ok(false)
    }

    /// Forgets the numbers, in a purge's transaction.
    pub(super) fn forget_numbers(&self) -> rusqlite::Result<()> {
        let names = format!("{NAME}*");
        self.connection.execute("DELETE FROM memory WHERE name GLOB ?1", params![names]).map(drop)
    }
}

/// Key and hash.
fn parse(text: &str) -> Option<(hmac::Key, Vec<u8>)> {
    let (key, hash) = text.split_once(':')?;
    let (key, hash) = (octets(key)?, octets(hash)?);
    (key.len() == KEY).then(|| (hmac::Key::new(hmac::HMAC_SHA256, &key), hash))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_learnt_and_stored_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path()).unwrap();
        let (meter, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (first, second) =
            (b"\x0a\x01ISK\x00\x04\xc1\xd2\xe3", b"\x0a\x01ISK\x00\x04\xc1\xd2\xe4");
        let another = |spool: &Spool, meter, number: &[u8]| {
            spool.shows_another_number(meter, number).unwrap()
        };
        assert!(!another(&spool, meter, first));
        assert!(!another(&spool, meter, first));
        assert!(another(&spool, meter, second));
        assert!(another(&spool, meter, b""));
        // The one of before is back; the exchange is registered, with another identifier.
        assert!(!another(&spool, meter, first));
        assert!(!another(&spool, other, second));
        // Over a restart.
        drop(spool);
        let spool = Spool::open(dir.path()).unwrap();
        assert!(another(&spool, meter, second) && !another(&spool, other, second));
        // Two meters of one number have two keys.
        let third = Uuid::from_u128(3);
        assert!(!another(&spool, third, first));
        let stored = |meter: Uuid| spool.recall(&format!("{NAME}{meter}")).unwrap().unwrap();
        assert_ne!(stored(meter), stored(third));
        let on_disk = |needle: &[u8]| {
            let files = std::fs::read_dir(dir.path()).unwrap();
            files
                .map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default())
                .any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
        };
        assert!(!on_disk(first) && !on_disk(hex(first).as_bytes()));
        let (key, hash) =
            stored(meter).split_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(on_disk(key.as_bytes()));
        // A purge leaves nothing of it.
        spool.purge(jiff::Timestamp::UNIX_EPOCH).unwrap();
        assert!(!on_disk(key.as_bytes()) && !on_disk(hash.as_bytes()));
        assert_eq!(spool.recall(&format!("{NAME}{meter}")).unwrap(), None);
    }

    #[test]
    fn what_cannot_be_understood_is_learnt_anew() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path()).unwrap();
        let meter = Uuid::from_u128(1);
        for text in ["", ":", "0:1", "zz:zz", "00:00", "ä:ä"] {
            spool.remember(&format!("{NAME}{meter}"), text).unwrap();
            assert!(!spool.shows_another_number(meter, b"1").unwrap(), "{text}");
            assert!(spool.shows_another_number(meter, b"2").unwrap(), "{text}");
        }
    }
}
