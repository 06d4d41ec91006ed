//! Tickets of TLS sessions, made small.
//!
//! Enters: what rustls stores of a session, which has the client's whole chain of certificates. Leaves:
//! the same, encrypted by rustls' own tickets, without what every client's certificate of this authority
//! repeats. Absent: keys and their rotation.
//!
//! A device asks for consent every quarter of an hour, each time over a connection that it resumes: the
//! ticket goes there, and the next one back.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::server::ProducesTickets;
use rustls_pki_types::CertificateDer;
use zstd::bulk::{Compressor, Decompressor};

/// What a session takes at most; a longer one has no ticket.
const LONGEST: usize = 16 << 10;

/// zstd's own usual level.
const LEVEL: i32 = 3;

/// What certificates of devices and people repeat besides the authority's name and extensions.
const REPEATED: &str = "urn:ebp:administrator:ebp device urn:ebp:participant:urn:uuid:http/1.1\
                        consent measurement-write";

/// Tickets that are packed before they are encrypted.
pub(super) struct SmallTickets {
    tickets: Arc<dyn ProducesTickets>,
    packer: Mutex<Compressor<'static>>,
    unpacker: Mutex<Decompressor<'static>>,
}

impl SmallTickets {
    /// Packs what those encrypt, with what is in these certificates known to both sides: the
    /// authority's own ends most chains, and the server's has the form of the others.
    ///
    /// # Errors
    /// If zstd cannot be set up.
    pub(super) fn new(
        tickets: Arc<dyn ProducesTickets>,
        known: &[CertificateDer<'_>],
    ) -> io::Result<Self> {
        let mut dictionary = REPEATED.as_bytes().to_vec();
        known.iter().for_each(|certificate| dictionary.extend_from_slice(certificate));
        Ok(Self {
            tickets,
            packer: Mutex::new(Compressor::with_dictionary(LEVEL, &dictionary)?),
            unpacker: Mutex::new(Decompressor::with_dictionary(&dictionary)?),
        })
    }
}

impl ProducesTickets for SmallTickets {
    fn enabled(&self) -> bool {
        self.tickets.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.tickets.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        if plain.len() > LONGEST {
            return None;
        }
        let packed = lock(&self.packer).compress(plain).ok()?;
        self.tickets.encrypt(&packed)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        // Only what this server packed gets past its encryption.
        let packed = self.tickets.decrypt(cipher)?;
        lock(&self.unpacker).decompress(&packed, LONGEST).ok()
    }
}

/// A packer begins anew with each session, also after one that failed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for SmallTickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmallTickets")
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::ring::Ticketer;

    use super::*;

    fn tickets(known: &[u8]) -> SmallTickets {
        SmallTickets::new(Ticketer::new().unwrap(), &[CertificateDer::from(known)]).unwrap()
    }

    #[test]
    fn a_session_comes_back_whole() {
        // Octets that no packer makes smaller.
        let known: Vec<u8> = (0..400_u32).map(|i| ((i * i * 7919) >> 5) as u8).collect();
        let own: Vec<u8> = (0..200_u32).map(|i| ((i * i * 104_729) >> 7) as u8).collect();
        let session = [&own[..], &known].concat();
        let tickets = tickets(&known);
        let ticket = tickets.encrypt(&session).unwrap();
        assert!(ticket.len() < own.len() + 100, "{}", ticket.len());
        assert_eq!(tickets.decrypt(&ticket).unwrap(), session);
        // Again, since a packer is used for many.
        assert_eq!(tickets.decrypt(&tickets.encrypt(&own).unwrap()).unwrap(), own);
    }

    #[test]
    fn what_is_not_a_ticket_of_this_server_is_none() {
        let (ours, others) = (tickets(b"known to both"), tickets(b"known to both"));
        let ticket = ours.encrypt(b"a session").unwrap();
        assert_eq!(others.decrypt(&ticket), None);
        for place in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[place] ^= 1;
            assert_eq!(ours.decrypt(&changed), None, "{place}");
        }
        assert_eq!(ours.decrypt(&[]), None);
        assert_eq!(ours.encrypt(&vec![0; LONGEST + 1]), None);
    }
}
