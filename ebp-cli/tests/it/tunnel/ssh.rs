//! OpenSSH through the tunnel.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command},
    time::Duration,
};

use ebp_needs::needs;

use super::party::{Administrator, Device};
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
    let certificate = erika.certificate();
    let block =
        crate::run!("tunnel", "ssh-config", "--url", server.url(), "--certificate", certificate);
    let folder = sshd.folder.path();
    let known = folder.join("known_hosts");
    let more = format!(
        "IdentityFile {}\nIdentitiesOnly yes\nStrictHostKeyChecking accept-new\n\
         UserKnownHostsFile {}\n",
        folder.join("own").display(),
        known.display()
    );
    fs::write(folder.join("config"), block.done().stdout + &more).unwrap();
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let there = format!("{}@{}", user.trim(), device.uuid());
    let config = folder.join("config");
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
}
