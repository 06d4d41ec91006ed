//! python-tuf, the reference: it makes repositories that our client takes, and takes ours; and of what
//! somebody bends, either refuses what the other refuses. `cargo xtask trust` runs this.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use ebp_core::clock::{Clock, SystemClock};
use ebp_release::{
    Client, Folder, KnownTime, Version,
    author::{FirstKeys, NewRelease, ReleaseFolder, Rotated, Rotation, SigningKey},
};
use jiff::{SignedDuration, Timestamp};

const NEEDS: &str = "the Python of `cargo xtask trust` (EBP_TEST_PYTHON)";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("xtask/trust").join(name)
}

fn python() -> Command {
    Command::new(env::var_os("EBP_TEST_PYTHON").expect(NEEDS))
}

/// python-tuf's client.
struct Judge {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    fn start(now: Timestamp) -> Self {
        let mut command = python();
        command.arg(script("judge.py")).env("EBP_TEST_NOW", now.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = command.spawn().unwrap();
        let requests = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, requests, answers }
    }

    fn ask(&mut self, first_root: &Path, states: &[&Path], target: Option<&str>) -> String {
        let request = serde_json::json!({
            "first_root": first_root, "states": states, "target": target,
        });
        writeln!(self.requests, "{request}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What our client says, in the same words.
fn ours(first_root: &Path, states: &[&Path], target: Option<&str>, now: Timestamp) -> String {
    let folder = tempfile::tempdir().unwrap();
    let time = KnownTime { now: Some(now), built: Timestamp::UNIX_EPOCH };
    let first_root = fs::read(first_root).unwrap();
    let (last, before) = states.split_last().unwrap();
    let refresh = |state: &Path| {
        let mut client = Client::open(folder.path(), &first_root).unwrap();
        client.refresh(&Folder(state.to_owned()), time)
    };
    for state in before {
        refresh(state).unwrap();
    }
    let targets = match refresh(last) {
        Ok(targets) => targets,
        Err(error) => return error.to_string(),
    };
    let Some(name) = target else { return "ok".to_owned() };
    let Some(target) = targets.iter().find(|target| target.name() == name) else {
        return "no such target".to_owned();
    };
    let mut content = Vec::new();
    target.copy_verified(fs::File::open(last.join(target.path())).unwrap(), &mut content).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, &content);
    let digits: String = digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    format!("ok {digits}")
}

#[test]
#[ignore = "needs python-tuf (cargo xtask trust)"]
fn repositories_of_python_tuf_are_judged_alike() {
    let folder = tempfile::tempdir().unwrap();
    let made = python().arg(script("make.py")).arg(folder.path()).status().unwrap();
    assert!(made.success());
    let now = SystemClock.now();
    let mut judge = Judge::start(now);
    let (mut accepted, mut refused) = (0, 0);
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    for repository in &names {
        let first = repository.join("first_root.json");
        let target = Some("ebp/1.4.2/aarch64");
        let (theirs, ours) =
            (judge.ask(&first, &[repository], target), ours(&first, &[repository], target, now));
        let name = repository.file_name().unwrap().display();
        println!("{name}: python-tuf: {theirs}; ebp: {ours}");
        assert_eq!(theirs.starts_with("ok"), ours.starts_with("ok"), "{name}");
        if theirs.starts_with("ok") {
            assert_eq!(theirs, ours, "{name}");
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    println!("python-tuf's repositories: {accepted} accepted, {refused} refused, by both");
    assert!(accepted >= 8 && refused >= 10, "{accepted}, {refused}");
}

/// A group and its repository, with a copy of each state.
struct Group {
    folder: tempfile::TempDir,
    root: Vec<SigningKey>,
    targets: Vec<SigningKey>,
    online: SigningKey,
    now: Timestamp,
    states: Vec<PathBuf>,
}

fn key() -> SigningKey {
    SigningKey::generate().unwrap().0
}

impl Group {
    fn releases(&self) -> ReleaseFolder {
        ReleaseFolder::new(self.folder.path().join("now"))
    }

    fn add(&self, version: &str) {
        let program = self.folder.path().join("program");
        fs::write(&program, format!("the program {version}")).unwrap();
        let release = NewRelease {
            version: Version::parse(version).unwrap(),
            architecture: "aarch64".to_owned(),
            needs: None,
            program: &program,
        };
        self.releases().add(&release, self.now).unwrap();
    }

    fn publish(&mut self) {
        for key in self.root.iter().chain(&self.targets) {
            // Those that have nothing to sign are refused.
            let _ = self.releases().sign(key, None);
        }
        self.releases().publish(&self.online, self.now).unwrap();
        let state = self.folder.path().join(format!("state-{}", self.states.len()));
        copy(&self.folder.path().join("now"), &state);
        self.states.push(state);
    }

    fn rotate(&mut self, role: Rotated, old: &str, new: &SigningKey) {
        let (add, remove) = (vec![new.public(None).unwrap()], vec![old.to_owned()]);
        let rotation = Rotation { role, add, remove, threshold: None };
        self.releases().rotate(&rotation, self.now).unwrap();
    }

    /// First release, second release, every key changed, a recall, a renewal.
    fn live(now: Timestamp) -> Self {
        let three = || vec![key(), key(), key()];
        let folder = tempfile::tempdir().unwrap();
        let mut group =
            Self { folder, root: three(), targets: three(), online: key(), now, states: vec![] };
        let public =
            |keys: &[SigningKey]| keys.iter().map(|key| key.public(None).unwrap()).collect();
        let keys = FirstKeys {
            root: (public(&group.root), 2),
            targets: (public(&group.targets), 2),
            online: group.online.public(Some("Server 😀")).unwrap(),
        };
        group.releases().init(&keys, now).unwrap();
        group.add("1.0.0");
        group.publish();
        group.add("1.1.0");
        group.publish();
        for index in 0..3 {
            let new = key();
            let old = group.root[index].id().to_string();
            group.rotate(Rotated::Root, &old, &new);
            group.root.push(new);
            group.publish();
        }
        let (old, new) = (group.targets[0].id().to_string(), key());
        group.rotate(Rotated::Targets, &old, &new);
        group.targets.push(new);
        group.publish();
        let (old, new) = (group.online.id().to_string(), key());
        group.rotate(Rotated::Online, &old, &new);
        group.online = new;
        group.publish();
        group.releases().recall(&Version::new(1, 1, 0), now).unwrap();
        group.add("1.2.0");
        group.publish();
        group.releases().renew_root(now).unwrap();
        group.publish();
        group
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let listed = fs::read_dir(folder.join("metadata")).unwrap().map(|entry| entry.unwrap());
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
    listed.map(|entry| (name(&entry), fs::read(entry.path()).unwrap())).collect()
}

#[test]
#[ignore = "needs python-tuf (cargo xtask trust)"]
fn python_tuf_follows_our_repositories() {
    let now = SystemClock.now();
    let group = Group::live(now);
    let mut judge = Judge::start(now);
    let first = group.states[0].join("metadata/1.root.json");
    let states: Vec<&Path> = group.states.iter().map(PathBuf::as_path).collect();
    // From each state on, and through all of them.
    for (index, state) in states.iter().enumerate() {
        let target = Some(if index == 0 { "ebp/1.0.0/aarch64" } else { "ebp/1.1.0/aarch64" });
        for path in [&states[..=index], &[*state], &[states[0], *state]] {
            let theirs = judge.ask(&first, path, target);
            assert!(theirs.starts_with("ok "), "state {index}: {theirs}");
            assert_eq!(theirs, ours(&first, path, target, now), "state {index}");
        }
    }
    // Backwards nobody goes, and not beyond the end of validity.
    let last = states[states.len() - 1];
    for (index, state) in states.iter().enumerate().take(states.len() - 1) {
        let path = [last, *state];
        let (theirs, ours) = (judge.ask(&first, &path, None), ours(&first, &path, None, now));
        assert!(!theirs.starts_with("ok") && ours != "ok", "state {index}: {theirs}, {ours}");
    }
    for days in [6, 8, 31, 366, 1827] {
        let later = now.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
        let (theirs, ours) =
            (Judge::start(later).ask(&first, &[last], None), ours(&first, &[last], None, later));
        assert_eq!(theirs == "ok", ours == "ok", "after {days} days: {theirs}, {ours}");
        assert_eq!(ours == "ok", days < 7);
    }
}

/// Files of different states are mixed and bytes flipped, at random.
#[test]
#[ignore = "needs python-tuf (cargo xtask trust)"]
fn what_is_bent_is_judged_alike() {
    let count = env::var("EBP_TEST_BENT").map_or(60, |count| count.parse().unwrap());
    let now = SystemClock.now();
    let group = Group::live(now);
    let mut judge = Judge::start(now);
    let first = group.states[0].join("metadata/1.root.json");
    let states: Vec<_> = group.states.iter().map(|state| files(state)).collect();
    let mut state = 20_261_201_u64;
    let mut random = |bound: usize| {
        // Knuth's MMIX: any will do.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let bent = group.folder.path().join("bent");
    let (mut accepted, mut stricter) = (0, 0);
    for round in 0..count {
        let (known, from) = (random(states.len()), random(states.len()));
        let mut files = states[from].clone();
        let mut flipped = false;
        for _ in 0..=random(2) {
            let names: Vec<_> = files.keys().cloned().collect();
            let name = &names[random(names.len())];
            match random(4) {
                0 => drop(files.remove(name)),
                1 => {
                    let bytes = files.get_mut(name).unwrap();
                    let at = random(bytes.len());
                    bytes[at] ^= 1 << random(8);
                    flipped = true;
                }
                _ => {
                    let other = &states[random(states.len())];
                    if let Some(bytes) = other.get(name) {
                        files.insert(name.clone(), bytes.clone());
                    }
                }
            }
        }
        let _ = fs::remove_dir_all(&bent);
        fs::create_dir_all(bent.join("metadata")).unwrap();
        for (name, bytes) in &files {
            fs::write(bent.join("metadata").join(name), bytes).unwrap();
        }
        let path = [group.states[known].as_path(), &bent];
        let theirs = judge.ask(&first, &path, None);
        let ours = ours(&first, &path, None, now);
        match (theirs == "ok", ours == "ok") {
            (true, true) => accepted += 1,
            (false, false) => {}
            // A flipped bit may make a digit of a signature upper case, which we refuse.
            (true, false) if flipped => stricter += 1,
            _ => panic!("round {round}: python-tuf: {theirs}; ebp: {ours}"),
        }
    }
    println!("of {count} bent repositories both accepted {accepted}, we alone refused {stricter}");
    assert!(accepted > count / 20 && accepted < count * 19 / 20, "{accepted}");
}
