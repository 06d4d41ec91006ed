//! A cache of the service's answers, so that no address is requested twice.
//!
//! Enters: addresses, answers. Leaves: the answers of the last month. Absent: any address or
//! coordinate in the clear.
//!
//! An answer lies under the keyed hash of its address, sealed (AES-256-GCM) with a key that follows
//! from the folder's own key and the address: who has the folder and does not know the address
//! reads nothing; who has it can try addresses. Failures to read or write are failures to remember,
//! and no more.

use std::{
    fs::{self, DirEntry, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_core::{
    clock::Clock,
    model::{Address, Location},
    private_file,
};
use jiff::{SignedDuration, Timestamp};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};

use ebp_store::address::normalised;

use crate::atomic_file::write_atomic;

/// For how long an answer is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long it is stored that an address is unknown: it may be added to the map.
const KEPT_UNKNOWN: SignedDuration = SignedDuration::from_hours(24);

/// The file of how many addresses had ended when no answer for one of them was here.
const ENDED: &str = "ended";

pub struct Cache {
    folder: PathBuf,
    service: String,
    key: hmac::Key,
    random: SystemRandom,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    at: Timestamp,
    location: Option<Location>,
}

impl Cache {
    /// In that folder, which is made (mode 0700) where needed.
    pub fn open(folder: &Path, service: &str, clock: Arc<dyn Clock>) -> io::Result<Self> {
        private_file::create_folder(folder)?;
        let random = SystemRandom::new();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &own_key(folder, &random)?);
        let cache =
            Self { folder: folder.to_owned(), service: service.to_owned(), key, random, clock };
        cache.purge();
        Ok(cache)
    }

    /// What was answered; the inner one is none if the address is not known.
    pub fn get(&self, address: &Address) -> Option<Option<Location>> {
        let mut sealed = fs::read(self.path(address)).ok()?;
        let (nonce, content) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.seal(address)?.open_in_place(nonce, Aad::empty(), content).ok()?;
        let Entry { at, location } = serde_json::from_slice(plain).ok()?;
        let age = self.clock.now().duration_since(at);
        let kept = if location.is_some() { KEPT } else { KEPT_UNKNOWN };
        (age < kept && age > -KEPT).then_some(location)
    }

    /// Remembers an answer.
    pub fn put(&self, address: &Address, location: Option<&Location>) {
        self.purge();
        // What is not remembered is asked for again.
        let _ = self.write(address, location);
    }

    /// Overwrites and removes what was answered.
    pub fn forget(&self, address: &Address) {
        remove(&self.path(address));
    }

    /// Overwrites and removes all answers.
    pub fn forget_all(&self) {
        self.remove_answers(|_| true);
    }

    /// What was noted last, if anything.
    pub fn ended(&self) -> Option<u64> {
        fs::read_to_string(self.folder.join(ENDED)).ok()?.trim().parse().ok()
    }

    /// Notes how many addresses have ended, of which no answer is here.
    pub fn note_ended(&self, count: u64) {
        // What is not noted is found to differ again, and all answers are removed then.
        let _ = write_atomic(&self.folder.join(ENDED), count.to_string().as_bytes(), 0o600);
    }

    fn write(&self, address: &Address, location: Option<&Location>) -> Option<()> {
        let entry = Entry { at: self.clock.now(), location: location.cloned() };
        let mut content = serde_json::to_vec(&entry).ok()?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let unique = Nonce::assume_unique_for_key(nonce);
        self.seal(address)?.seal_in_place_append_tag(unique, Aad::empty(), &mut content).ok()?;
        let path = self.path(address);
        let draft = path.with_extension(uuid::Uuid::new_v4().to_string());
        let mut file = private().truncate(true).open(&draft).ok()?;
        file.write_all(&[&nonce[..], &content].concat()).ok()?;
        fs::rename(&draft, path).ok()
    }

    /// Removes what is too old to be of use.
    fn purge(&self) {
        self.remove_answers(|entry| {
            let changed = entry.metadata().and_then(|file| file.modified()).ok();
            let changed = changed.and_then(|at| Timestamp::try_from(at).ok());
            changed.is_some_and(|at| self.clock.now().duration_since(at) > KEPT)
        });
    }

    fn remove_answers(&self, which: impl Fn(&DirEntry) -> bool) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("answer-") && which(&entry) {
                remove(&entry.path());
            }
        }
    }

    fn tag(&self, purpose: &str, address: &Address) -> hmac::Tag {
        let (service, city) = (&self.service, address.city.trim().to_lowercase());
        let text = format!("{purpose}\n{service}\n{}\n{city}", normalised(address));
        hmac::sign(&self.key, text.as_bytes())
    }

    fn path(&self, address: &Address) -> PathBuf {
        let tag = self.tag("name", address);
        let name: String = tag.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("answer-{name}"))
    }

    fn seal(&self, address: &Address) -> Option<LessSafeKey> {
        let tag = self.tag("seal", address);
        UnboundKey::new(&AES_256_GCM, tag.as_ref()).ok().map(LessSafeKey::new)
    }
}

fn private() -> OpenOptions {
    let mut options = private_file::options();
    options.write(true).create(true);
    options
}

/// It is overwritten although it is encrypted: a file system may keep what is only removed.
fn remove(path: &Path) {
    if let Ok(file) = fs::metadata(path) {
        let zeros = vec![0; usize::try_from(file.len()).unwrap_or(0).min(1 << 16)];
        let overwritten = OpenOptions::new().write(true).open(path).and_then(|mut file| {
            file.write_all(&zeros)?;
            file.sync_data()
        });
        // Gone is better than overwritten.
        drop(overwritten);
        let _ = fs::remove_file(path);
    }
}

/// The folder's own key, made at first use.
fn own_key(folder: &Path, random: &SystemRandom) -> io::Result<[u8; 32]> {
    let path = folder.join("key");
    let read = || {
        let key = fs::read(&path)?;
        key.try_into().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a damaged key"))
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            random.fill(&mut key).map_err(|_| io::Error::other("no random numbers"))?;
            let draft = folder.join(format!("key.{}", uuid::Uuid::new_v4()));
            private().truncate(true).open(&draft)?.write_all(&key)?;
            // Whoever is first makes it.
            let linked = fs::hard_link(&draft, &path);
            fs::remove_file(&draft)?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => read(),
            }
        }
        other => other,
    }
}
