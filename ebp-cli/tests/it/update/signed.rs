//! Releases that people sign, from the group's machines to a device: over a web server, and out of a
//! folder.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread,
};

use super::{Device, FLOOR, script};
use crate::support::{
    ebp,
    process::{self, Run},
};

/// A group of two people, and the server that publishes.
pub struct Group(tempfile::TempDir);

impl Group {
    pub fn new() -> Self {
        let group = Self(tempfile::tempdir().unwrap());
        for name in ["ada", "bob", "online"] {
            group.run(&["key", name, "--name", name]).done();
        }
        let keys = ["ada.pub", "bob.pub"];
        let mut arguments = vec!["init", "releases", "--online", "online.pub"];
        arguments.extend(keys.iter().flat_map(|key| ["--root", key, "--targets", key]));
        group.run(&arguments).done();
        group
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = ebp();
        command.current_dir(self.0.path()).arg("release").args(arguments);
        process::run(command, b"")
    }

    fn add(&self, version: &str) {
        self.add_program(version, &script(version, "exit 0", "exec sleep 1000"));
    }

    pub fn add_program(&self, version: &str, program: &str) {
        fs::write(self.path("program"), program).unwrap();
        let what = ["--release", version, "--architecture", std::env::consts::ARCH, "--script"];
        self.run(&[&["add", "releases", "program"], &what[..]].concat()).done();
    }

    pub fn publish(&self) {
        for key in ["ada", "bob"] {
            self.run(&["sign", "releases", "--yes", "--key", key]).done();
        }
        self.run(&["publish", "releases", "--key", "online"]).done();
    }
}

impl Device {
    /// One that takes signed releases from there.
    fn with_repository(group: &Group, repository: &str) -> Self {
        let device = Self::without_server();
        let root = device.config.with_file_name("root.json");
        fs::copy(group.path("releases/metadata/1.root.json"), &root).unwrap();
        let text = fs::read_to_string(&device.config).unwrap();
        let wanted = format!("repository = {repository:?}\nroot = \"root.json\"\n# source");
        fs::write(&device.config, text.replacen("source", &wanted, 1)).unwrap();
        device
    }
}

/// Gives out the files of a folder, with parts, until the test ends.
fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/updates", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            // A device that goes away is none of the server's faults.
            let _ = answer(connection.unwrap(), &folder);
        }
    });
    address
}

fn answer(mut connection: TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut octet = [0];
    while !request.ends_with(b"\r\n\r\n") && connection.read(&mut octet)? == 1 {
        request.push(octet[0]);
    }
    let request = String::from_utf8_lossy(&request).to_lowercase();
    let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches("/updates/");
    let Ok(file) = fs::read(folder.join(path)) else {
        return connection.write_all(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    };
    let range = request.split("range: bytes=").nth(1).and_then(|range| {
        let (from, to) = range.split("\r\n").next()?.split_once('-')?;
        let to = to.parse::<usize>().ok()?.min(file.len().checked_sub(1)?);
        Some((from.parse::<usize>().ok()?, to))
    });
    let (head, body) = match range {
        Some((from, to)) if from <= to => {
            let place = format!("Content-Range: bytes {from}-{to}/{}", file.len());
            (format!("206 Partial Content\r\n{place}"), &file[from..=to])
        }
        Some(_) => ("416 Range Not Satisfiable".to_owned(), &file[..0]),
        None => ("200 OK".to_owned(), &file[..]),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    connection.write_all(head.as_bytes())?;
    connection.write_all(body)
}

#[test]
fn what_people_signed_runs_and_nothing_else() {
    let group = Group::new();
    group.add("2.0.0");
    group.publish();
    let device = Device::with_repository(&group, &serve(group.path("releases")));
    device.round().done().says(&["version 2.0.0 is kept"]);
    assert_eq!(device.launched(), "2.0.0");

    // Drafted, and signed by one: that is nothing yet.
    group.add("2.0.1");
    group.run(&["sign", "releases", "--yes", "--key", "ada"]).done();
    group.run(&["publish", "releases", "--key", "online"]).refused_with("signature");
    device.round().done();
    assert_eq!(device.launched(), "2.0.0");
    group.run(&["sign", "releases", "--yes", "--key", "bob"]).done();
    group.run(&["publish", "releases", "--key", "online"]).done();
    device.round().done().says(&["version 2.0.1 is kept"]);

    // Nothing older is had by asking for it, but by a recall that people sign.
    let text = fs::read_to_string(&device.config).unwrap();
    fs::write(&device.config, text.replace("root =", "version = \"2.0.0\"\nroot =")).unwrap();
    device.round().refused_with("older than 2.0.1");
    group.run(&["recall", "releases", "2.0.1"]).done();
    group.publish();
    device.round().done().says(&["version 2.0.0 is kept"]);
    assert_eq!(device.launched(), "2.0.0");

    // Somebody at the server changes a program: its bytes are not the signed ones.
    fs::write(&device.config, text).unwrap();
    group.add("2.0.2");
    group.publish();
    let programs = group.path("releases/targets/ebp/2.0.2");
    let program = fs::read_dir(programs).unwrap().next().unwrap().unwrap().path();
    let changed = fs::read_to_string(&program).unwrap().replace("1000", "1001");
    fs::write(&program, changed).unwrap();
    device.round().refused_with("has another hash");
    assert_eq!(device.launched(), "2.0.0");
}

#[test]
fn a_folder_of_signed_releases_and_a_root_that_is_anothers() {
    let group = Group::new();
    group.add("2.0.0");
    group.publish();
    let releases = group.path("releases");
    let device = Device::with_repository(&group, releases.to_str().unwrap());
    device.round().done().says(&["version 2.0.0 is kept"]);

    let other = Group::new();
    other.add("3.0.0");
    other.publish();
    let device = Device::with_repository(&other, releases.to_str().unwrap());
    device.round().refused_with("the repository of releases");
    assert_eq!(device.launched(), FLOOR);
    fs::write(device.config.with_file_name("root.json"), "{}").unwrap();
    device.round().refused_with("check that");
    let text = fs::read_to_string(&device.config).unwrap();
    fs::write(&device.config, text.replace("root =", "# root =")).unwrap();
    device.round().refused(2, &["names no root role", "1.root.json"]);
    fs::write(&device.config, text.replace("# source", "source")).unwrap();
    device.round().refused(2, &["names both a repository and a folder", "not signed"]);
}
