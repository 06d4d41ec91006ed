//! OpenSSH through the tunnel.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use ebp_needs::needs;

use super::party::{Administrator, Device, Echo};
use crate::support::{process, server::Server, wait_for};

/// An sshd that lets this user in with a key of the test.
struct Sshd {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Sshd {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        for name in ["host", "own"] {
            let mut make = Command::new("ssh-keygen");
            make.args(["-q", "-t", "ed25519", "-N", "", "-f", &path(name)]);
            assert!(make.status().unwrap().success());
        }
        fs::copy(path("own.pub"), path("authorized")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\n\
             UsePAM no\nPidFile none\nPermitRootLogin yes\nPasswordAuthentication no\n\
             Subsystem sftp internal-sftp\n",
            path("host"),
            path("authorized")
        );
        fs::write(path("sshd.conf"), config).unwrap();
        // It separates privileges there.
        let _ = fs::create_dir_all("/run/sshd");
        let mut command = Command::new("/usr/sbin/sshd");
        let child = command.args(["-D", "-e", "-f", &path("sshd.conf")]).spawn().unwrap();
        wait_for("sshd", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Self { folder, port, child }
    }
}

impl Sshd {
    /// A configuration of ssh by the block that `ebp tunnel ssh-config` prints, and who is there.
    fn configure(
        &self,
        erika: &Administrator,
        server: &Server,
        device: &Device,
    ) -> (PathBuf, String) {
        let certificate = erika.certificate();
        let url = server.url();
        let block = crate::run!("tunnel", "ssh-config", "--url", url, "--certificate", certificate);
        let folder = self.folder.path();
        let more = format!(
            "IdentityFile {}\nIdentitiesOnly yes\nStrictHostKeyChecking accept-new\n\
             UserKnownHostsFile {}\n",
            folder.join("own").display(),
            folder.join("known_hosts").display()
        );
        let config = folder.join("config");
        fs::write(&config, block.done().stdout + &more).unwrap();
        (config, format!("{}@{}", user(), device.uuid()))
    }
}

/// Who runs the test.
fn user() -> String {
    let name = Command::new("id").arg("-un").output().unwrap().stdout;
    String::from_utf8(name).unwrap().trim().to_owned()
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// ssh by the block that `ebp tunnel ssh-config` prints: a command, a large file each way with equal
/// hash, and a port through the session.
#[needs(sshd)]
#[test]
fn ssh_and_scp_reach_a_device_by_its_identifier() {
    let server = Server::start();
    let sshd = Sshd::start();
    let device =
        Device::start(&server, &server.url(), &format!("allow = [\"127.0.0.1:{}\"]", sshd.port));
    let erika = Administrator::new(&server, "erika");
    let folder = sshd.folder.path();
    let known = folder.join("known_hosts");
    let (config, there) = sshd.configure(&erika, &server, &device);
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.arg("-F").arg(&config).args(arguments);
        let output =
            assert_cmd::Command::from_std(command).timeout(Duration::from_secs(300)).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    assert_eq!(run("ssh", &[&there, "uname"]), b"Linux\n");
    assert!(fs::read_to_string(&known).unwrap().starts_with(&device.uuid()), "by its identifier");

    let (from, into, back) = (folder.join("from"), folder.join("into"), folder.join("back"));
    let bytes: Vec<u8> =
        (0..100_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(&from, &bytes).unwrap();
    let far = |path: &Path| format!("{there}:{}", path.display());
    run("scp", &["-q", from.to_str().unwrap(), &far(&into)]);
    run("scp", &["-q", &far(&into), back.to_str().unwrap()]);
    assert!(fs::read(&into).unwrap() == bytes && fs::read(&back).unwrap() == bytes);

    // What a command writes after the end of its input arrives: half-close.
    let mut command = Command::new("ssh");
    command.arg("-F").arg(&config).args([&there, "cat; echo end"]);
    let run = process::run(command, b"typed\n").done();
    assert_eq!(run.stdout, "typed\nend\n");

    // A port of this machine leads to one of the device's.
    let echo = Echo::start();
    let own = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new("ssh");
    command.arg("-F").arg(&config).args(["-N", "-o", "ExitOnForwardFailure=yes", "-L"]);
    command.args([&format!("127.0.0.1:{own}:{}", echo.address()), &there]);
    let mut forwarding = command.spawn().unwrap();
    let mut stream =
        wait_for("ssh's port", || std::net::TcpStream::connect(("127.0.0.1", own)).ok());
    stream.write_all(&bytes[..1_000_000]).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let _ = forwarding.kill();
    let _ = forwarding.wait();
    assert!(answer == bytes[..1_000_000]);
}

/// rsync sends a tree, and then what has changed in it.
#[needs(sshd, rsync)]
#[test]
fn rsync_sends_what_has_changed() {
    let server = Server::start();
    let sshd = Sshd::start();
    let device =
        Device::start(&server, &server.url(), &format!("allow = [\"127.0.0.1:{}\"]", sshd.port));
    let erika = Administrator::new(&server, "erika");
    let (config, there) = sshd.configure(&erika, &server, &device);
    let (from, into) = (sshd.folder.path().join("tree"), sshd.folder.path().join("copy"));
    for number in 0..50_u32 {
        let folder = from.join(format!("folder{}", number % 7));
        fs::create_dir_all(&folder).unwrap();
        let bytes: Vec<u8> = (0..20_000 * number).map(|n| (n * number % 251) as u8).collect();
        fs::write(folder.join(format!("file{number}")), bytes).unwrap();
    }
    let sync = || {
        let mut command = Command::new("rsync");
        command.args(["-a", "--delete", "--stats", "-e", &format!("ssh -F {}", config.display())]);
        command.arg(format!("{}/", from.display())).arg(format!("{there}:{}/", into.display()));
        let run = process::run(command, b"").done();
        let line = run.stdout.lines().find(|line| line.starts_with("Total bytes sent")).unwrap();
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        digits.parse::<u64>().unwrap()
    };
    let same = || {
        let mut diff = Command::new("diff");
        assert!(diff.arg("-r").args([&from, &into]).status().unwrap().success());
    };
    let first = sync();
    same();
    fs::remove_file(from.join("folder1/file1")).unwrap();
    fs::write(from.join("folder2/file2"), b"changed").unwrap();
    let second = sync();
    same();
    assert!(first > 20_000_000 && second < first / 100, "{first}, {second}");
}

/// The host keys that a device tells with its status let ssh know it, and another sshd is refused.
#[needs(sshd)]
#[test]
fn host_keys_of_the_status_are_those_that_ssh_trusts() {
    let server = Server::start();
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let allow = |sshd: &Sshd| format!("allow = [\"127.0.0.1:{}\"]", sshd.port);
    let mut device = Device::start(&server, &server.url(), &allow(&sshd));
    device.participant.account(&server).grant();
    let erika = Administrator::new(&server, "erika");
    let known = sshd.folder.path().join("told");
    erika.ssh_config(&server.url(), &known);
    assert_eq!(fs::read_to_string(&known).unwrap(), "", "it has told none");
    // The daemon that reports reads the public keys of the machine's sshd.
    let keys = sshd.folder.path().join("etc");
    fs::create_dir(&keys).unwrap();
    let public = keys.join("ssh_host_ed25519_key.pub");
    fs::copy(sshd.folder.path().join("host.pub"), &public).unwrap();
    device.add_line(&format!("host_keys = {keys:?}"));
    device.report().done();
    let block = erika.ssh_config(&server.url(), &known);
    let line = fs::read_to_string(&known).unwrap();
    let key = fs::read_to_string(&public).unwrap();
    let key: Vec<&str> = key.split_whitespace().take(2).collect();
    assert_eq!(line, format!("{} {}\n", device.uuid(), key.join(" ")));

    let more = format!(
        "IdentityFile {}\nIdentitiesOnly yes\nStrictHostKeyChecking yes\nBatchMode yes\n",
        sshd.folder.path().join("own").display(),
    );
    let config = sshd.folder.path().join("strict");
    fs::write(&config, block + &more).unwrap();
    let there = format!("{}@{}", user(), device.uuid());
    let run = || {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&config).args([&there, "uname"]);
        process::run(command, b"")
    };
    assert_eq!(run().done().stdout, "Linux\n");
    // Somebody else answers in the device's place.
    device.kill();
    device.replace(&allow(&sshd), &allow(&other));
    device.go_on();
    device.process().wait_for("the tunnel is held");
    let refused = run();
    assert_eq!(refused.code, Some(255), "{refused:?}");
    assert!(refused.stderr.contains("Host key verification failed"), "{refused:?}");
}
