//! Releases of the program from outside: two people sign one after the other, the server publishes, and
//! a client takes what they made.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use ebp_core::clock::{Clock, SystemClock};
use ebp_release::{Client, Folder, KnownTime, Targets, TrustError, Version};
use serde_json::Value;

use crate::support::{ebp, process, process::Run, redacted};

struct Group(tempfile::TempDir);

const PEOPLE: [&str; 3] = ["Ada", "Bob", "Cleo"];

impl Group {
    /// Three people with a key each for root and for targets, and a server's.
    fn new() -> Self {
        let group = Self(tempfile::tempdir().unwrap());
        for name in PEOPLE {
            for role in ["root", "targets"] {
                group.run(&["key", &format!("{name}.{role}"), "--name", name]).done();
            }
        }
        group.run(&["key", "online"]).done();
        let public = |role: &str| {
            let file = |name: &&str| [format!("--{role}"), format!("{name}.{role}.pub")];
            PEOPLE.iter().flat_map(file).collect::<Vec<_>>()
        };
        let keys = [public("root"), public("targets")].concat();
        let mut arguments = vec!["init", "releases", "--online", "online.pub"];
        arguments.extend(keys.iter().map(String::as_str));
        group.run(&arguments).done().says(&["root version 1 is a draft with 0 of 2 signatures"]);
        group
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = ebp();
        command.current_dir(self.0.path()).arg("release").args(arguments);
        process::run(command, b"")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn add(&self, version: &str) -> Run {
        fs::write(self.path("program"), format!("#!/bin/prog {version}")).unwrap();
        let release = ["--release", version, "--architecture", "aarch64", "--script"];
        self.run(&[&["add", "releases", "program"], &release[..]].concat())
    }

    fn sign(&self, keys: &[&str]) {
        for key in keys {
            self.run(&["sign", "releases", "--yes", "--key", key]).done();
        }
    }

    fn publish(&self) -> Run {
        self.run(&["publish", "releases", "--key", "online"])
    }

    fn begin(&self) {
        self.add("1.0.0").done();
        self.sign(&["Ada.root", "Cleo.root", "Ada.targets", "Bob.targets"]);
        self.publish().done().says(&["timestamp version 1 is published"]);
    }

    /// A device that refreshes.
    fn refresh(&self) -> Result<Targets, TrustError> {
        let first = fs::read(self.path("releases/metadata/1.root.json")).unwrap();
        let now = SystemClock.now();
        Client::open(self.path("device"), &first)?
            .refresh(&Folder(self.path("releases")), KnownTime { now: Some(now), built: now })
    }

    fn status(&self) -> Vec<Value> {
        let run = self.run(&["status", "releases", "--format", "json"]).done();
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The text for a snapshot: identifiers of keys are random.
fn without_ids(text: &str) -> String {
    let text = redacted(text);
    let mut out = String::new();
    let mut word = String::new();
    for character in text.chars().chain([' ']) {
        if character.is_ascii_hexdigit() {
            word.push(character);
            continue;
        }
        out.push_str(match word.len() {
            8 => "[key id]",
            64 => "[64 digits]",
            _ => &word,
        });
        word.clear();
        out.push(character);
    }
    out
}

#[test]
fn two_people_sign_a_release_and_a_device_takes_it() {
    let group = Group::new();
    group.add("1.0.0").done().says(&["ebp/1.0.0/aarch64 has 17 bytes"]);
    let words = ["root version 1 has 0 of 2 signatures", "Ada", "ebp release sign"];
    group.publish().refused(1, &words);
    group.sign(&["Ada.root", "Bob.root"]);
    let run = group.run(&["sign", "releases", "--yes", "--key", "Cleo.targets"]).done();
    insta::assert_snapshot!("release_sign", without_ids(&run.stderr));
    group.publish().refused(1, &["targets version 1 has 1 of 2 signatures", "Ada", "Bob"]);
    assert!(!group.path("releases/metadata").exists());
    group.sign(&["Ada.targets"]);
    let run = group.publish().done();
    insta::assert_snapshot!("release_publish", without_ids(&run.stderr));
    let run = group.run(&["status", "releases"]).done();
    insta::assert_snapshot!("release_status", without_ids(&run.stdout));
    let targets = group.refresh().unwrap();
    let target = targets.get(&Version::new(1, 0, 0), "aarch64").unwrap();
    let program = fs::File::open(group.path("releases").join(target.path())).unwrap();
    let mut copy = Vec::new();
    target.copy_verified(program, &mut copy).unwrap();
    assert_eq!(copy, b"#!/bin/prog 1.0.0");
}

#[test]
fn a_stolen_key_is_rotated_and_a_bad_release_recalled() {
    let group = Group::new();
    group.begin();
    group.refresh().unwrap();
    group.add("1.1.0").done();
    group.sign(&["Bob.targets", "Cleo.targets"]);
    group.publish().done();
    let (old, new) = (Version::new(1, 0, 0), Version::new(1, 1, 0));
    assert!(group.refresh().unwrap().choose(&old, &new, "aarch64").is_err());
    group.run(&["recall", "releases", "1.1.0"]).done();
    group.sign(&["Ada.targets", "Cleo.targets"]);
    group.publish().done();
    assert!(group.refresh().unwrap().choose(&old, &new, "aarch64").is_ok());
    group.run(&["recall", "releases", "1.1.0"]).refused(2, &["recalled already", "new version"]);
    // Bob's machine is stolen.
    group.run(&["key", "Dora.root", "--name", "Dora"]).done();
    let rotate = ["rotate", "releases", "root", "--remove", "Bob", "--add", "Dora.root.pub"];
    group.run(&rotate).done().says(&["root version 2 is a draft"]);
    let draft = group.status().pop().unwrap();
    assert_eq!(draft["state"], "draft");
    assert_eq!(draft["signatures"].as_array().unwrap().len(), 2);
    group.sign(&["Dora.root", "Ada.root"]);
    group.publish().refused(1, &["root version 2 has 1 of 2 signatures"]);
    group.sign(&["Cleo.root"]);
    group.publish().done().says(&["root version 2 is published"]);
    group.refresh().unwrap();
    group.run(&rotate).refused(2, &["0 keys of that role begin with `Bob`"]);
    // The server is broken into.
    group.run(&["key", "online-2"]).done();
    let old = &group.status()[3]["signatures"][0]["signed"][0];
    let rotate = ["rotate", "releases", "online", "--add", "online-2.pub"];
    group.run(&[&rotate[..], &["--remove", old.as_str().unwrap()]].concat()).done();
    group.sign(&["Dora.root", "Cleo.root"]);
    group.publish().refused(2, &["is not the online key", "--key"]);
    group.run(&["publish", "releases", "--key", "online-2"]).done();
    group.refresh().unwrap();
    group.run(&["renew", "releases", "online", "--key", "online-2"]).done().says(&["timestamp"]);
    group.run(&["renew", "releases", "root"]).done().says(&["root version 4 is a draft"]);
    group.run(&["renew", "releases", "targets"]).done().says(&["targets version 4 is a draft"]);
}

/// A device that takes such a file would find out by going back to what ran before.
#[test]
fn only_a_program_for_the_architecture_is_added() {
    let group = Group::new();
    let add = |architecture: &str, more: &[&str]| {
        let add = ["add", "releases", "program", "--release", "1.0.0", "--architecture"];
        group.run(&[&add[..], &[architecture], more].concat())
    };
    let program = group.path("program");
    for (bytes, words) in [
        (&b""[..], ["is empty", "built for it"]),
        (b"PK\x03\x04 an archive", ["no ELF header", "not the archive"]),
        (b"#!/bin/sh\n", ["is a script", "--script"]),
    ] {
        fs::write(&program, bytes).unwrap();
        add("aarch64", &[]).refused(2, &words);
    }
    let own = std::env::consts::ARCH;
    let other = if own == "aarch64" { "x86_64" } else { "aarch64" };
    fs::copy("/bin/true", &program).unwrap();
    let built = format!("it is built for {own}, not for {other}");
    add(other, &[]).refused(2, &[&built, &format!("--architecture {own}")]);
    add("arm64", &[]).refused(2, &["`arm64`", "--architecture aarch64"]);
    add(own, &["--script"]).refused(2, &["does not begin with `#!`", "leave out --script"]);
    assert!(!group.path("releases/draft/targets.json").exists() || group.status().len() < 3);
    add(own, &[]).done().says(&[&format!("ebp/1.0.0/{own} has")]);
}

#[test]
fn what_is_refused_says_why() {
    let group = Group::new();
    group.run(&["status", "elsewhere"]).refused(2, &["has no repository", "ebp release init"]);
    group.run(&["sign", "releases", "--key", "Ada.root"]).says(&["root: key Ada", "--yes"]);
    group.begin();
    group.run(&["sign", "releases", "--key", "Ada.root"]).refused(2, &["no draft", "renew"]);
    group.add("1.0.0").done();
    let online = ["sign", "releases", "--yes", "--key", "online"];
    group.run(&online).refused(2, &["may sign none of the drafts", "ebp release status"]);
    fs::write(group.path("program"), "#!another").unwrap();
    let again = ["add", "releases", "program", "--release", "1.0.0", "--architecture", "aarch64"];
    let again = [&again[..], &["--script"]].concat();
    group.run(&again).refused(2, &["published with other bytes", "new version"]);
    let sideways = ["add", "releases", "program", "--release", "1.0.0", "--architecture", "../x"];
    group.run(&sideways).refused(2, &["no architecture", "aarch64"]);
    let add = ["add", "releases", "program", "--architecture", "aarch64", "--script"];
    let late = [&add[..], &["--release", "1.7.0", "--needs", "1.8.0"]].concat();
    group.run(&late).refused(2, &["1.7.0 cannot need 1.8.0", "--needs"]);
    // It may be a device that calls itself so, but none of ours does.
    let other =
        ["add", "releases", "program", "--release", "1.7.0", "--architecture", "arm64", "--script"];
    group.run(&other).done().says(&["aarch64", "none will take"]);
    group
        .run(&["add", "releases", "program", "--release", "1.0", "--architecture", "arm"])
        .says(&["1.4.2"]);
    group.run(&["key", "Ada.root"]).refused(2, &["exists", "lost"]);
    group.run(&["rotate", "releases", "root"]).refused(2, &["nothing is to change"]);
    let many = ["rotate", "releases", "targets", "--threshold", "4"];
    group.run(&many).refused(2, &["4 of 3 keys cannot sign the targets role"]);
    let swapped = ["sign", "releases", "--yes", "--key", "Ada.root.pub"];
    fs::set_permissions(group.path("Ada.root.pub"), fs::Permissions::from_mode(0o600)).unwrap();
    group.run(&swapped).refused(2, &["no private key", "ebp release key"]);
    let key = group.path("Ada.root");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let run = group.run(&["sign", "releases", "--yes", "--key", "Ada.root"]);
    run.refused(1, &["mode 0640", "chmod 600"]);
    // A file that was damaged on its way.
    let path = group.path("releases/metadata/1.targets.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("ebp/1.0.0", "ebp/1.0.1")).unwrap();
    let renew = ["renew", "releases", "online", "--key", "online"];
    group.run(&renew).refused(1, &["targets version 1 has 0 of 2 signatures"]);
}

/// A key is in its own file and nowhere else.
#[test]
fn private_keys_stay_in_their_files() {
    let group = Group::new();
    group.begin();
    let body = |name: &str| {
        let pem = fs::read_to_string(group.path(name)).unwrap();
        pem.lines().nth(1).unwrap()[22..].to_owned()
    };
    let secrets: Vec<_> = ["Ada.root", "Bob.targets", "online"].map(body).into();
    fn search(folder: &Path, secrets: &[String], found: &mut usize) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                search(&path, secrets, found);
            } else {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                *found += secrets.iter().filter(|secret| text.contains(*secret)).count();
            }
        }
    }
    let mut found = 0;
    search(group.0.path(), &secrets, &mut found);
    assert_eq!(found, secrets.len(), "each in its own file");
    let mut command = ebp();
    command.current_dir(group.0.path()).env("EBP_LOG", "trace");
    command.args(["release", "renew", "releases", "online", "--key", "online", "-vv"]);
    let run = process::run(command, b"").done();
    let printed = run.stdout + &run.stderr;
    assert!(secrets.iter().all(|secret| !printed.contains(secret)), "{printed}");
}
