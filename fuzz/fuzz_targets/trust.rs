//! A hostile repository of releases: whatever bytes are in place of a role's file, or within it, the
//! client does not panic, takes bounded memory, and trusts nothing but the releases that were signed.
//!
//! The first byte says which role's file, and whether the bytes take its place or a part of it.

#![no_main]

use std::{collections::BTreeMap, fs, io, io::Read, sync::LazyLock};

use ebp_release::{
    Client, KnownTime, Repository, Version,
    author::{FirstKeys, NewRelease, ReleaseFolder, SigningKey, parse_public_key},
    parse_version,
};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const FILES: [&str; 4] = [
    "metadata/2.root.json",
    "metadata/timestamp.json",
    "metadata/1.snapshot.json",
    "metadata/1.targets.json",
];

struct Files(BTreeMap<String, Vec<u8>>);

impl Repository for Files {
    fn fetch(&self, path: &str, _: u64) -> io::Result<Option<Box<dyn Read + '_>>> {
        Ok(self.0.get(path).map(|bytes| Box::new(bytes.as_slice()) as Box<dyn Read>))
    }
}

/// When everything was signed.
fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// A repository with one release and a second root role.
static WHOLE: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("ebp-fuzz-trust-making-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let keys: Vec<_> = (0..3).map(|_| SigningKey::generate().unwrap().0).collect();
    let public = |index: usize| keys[index].public(None).unwrap();
    let releases = ReleaseFolder::new(&folder);
    let first = FirstKeys {
        root: (vec![public(0)], 1),
        targets: (vec![public(1)], 1),
        online: public(2),
    };
    releases.init(&first, now()).unwrap();
    let program = folder.join("program");
    fs::write(&program, "a program").unwrap();
    let release = NewRelease {
        version: Version::new(1, 0, 0),
        architecture: "aarch64".to_owned(),
        needs: None,
        program: &program,
    };
    releases.add(&release, now()).unwrap();
    keys[..2].iter().for_each(|key| drop(releases.sign(key, None).unwrap()));
    releases.publish(&keys[2], now()).unwrap();
    releases.renew_root(now()).unwrap();
    releases.sign(&keys[0], None).unwrap();
    releases.publish(&keys[2], now()).unwrap();
    let file = |name: &str| (name.to_owned(), fs::read(folder.join(name)).unwrap());
    let whole = FILES.into_iter().chain(["metadata/1.root.json"]).map(file).collect();
    fs::remove_dir_all(&folder).unwrap();
    whole
});

fn splice(file: &mut Vec<u8>, bytes: &[u8]) {
    let Some((place, bytes)) = bytes.split_first_chunk::<2>() else { return };
    let at = usize::from(u16::from_le_bytes(*place)) % (file.len() + 1);
    let end = (at + bytes.len()).min(file.len());
    file.splice(at..end, bytes.iter().copied());
}

fuzz_target!(|input: &[u8]| {
    let Some((how, bytes)) = input.split_first() else { return };
    let mut files = WHOLE.clone();
    let file = files.get_mut(FILES[usize::from(how & 3)]).unwrap();
    if how & 4 == 0 {
        *file = bytes.to_vec();
    } else {
        splice(file, bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = (parse_public_key(text), parse_version(text), SigningKey::from_pem(text));
    }
    let folder = std::env::temp_dir().join(format!("ebp-fuzz-trust-{}", std::process::id()));
    let _ = fs::remove_file(folder.join("trusted.json"));
    let mut client = Client::open(&folder, &WHOLE["metadata/1.root.json"]).unwrap();
    let time = KnownTime { now: Some(now()), built: now() };
    if let Ok(targets) = client.refresh(&Files(files), time) {
        let names: Vec<_> = targets.iter().map(|target| target.name()).collect();
        assert_eq!(names, ["ebp/1.0.0/aarch64"]);
        assert_eq!(targets.iter().next().map(|target| target.length), Some(9));
    }
});
