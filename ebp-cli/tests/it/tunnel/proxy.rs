//! A proxy that all connections have to take: tinyproxy, as Debian has it.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

use ebp_needs::needs;
use tempfile::TempDir;

use super::party::{Administrator, Device, Echo, wait_for_tunnel};
use crate::support::{server::Server, wait_for};

struct Proxy {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Proxy {
    /// One with these lines of configuration besides.
    fn start(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!("Port {port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 100\n{lines}\n");
        fs::write(folder.path().join("proxy.conf"), text).unwrap();
        let process = Self::run(&folder, port);
        Self { folder, port, process }
    }

    fn run(folder: &TempDir, port: u16) -> Child {
        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(folder.path().join("proxy.conf"));
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for("the proxy", || TcpStream::connect(("127.0.0.1", port)).ok());
        process
    }

    fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = Self::run(&self.folder, self.port);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A device that knows the proxy, behind which alone the server's address means something.
fn device(server: &Server, echo: &Echo, proxy: &str) -> Device {
    Device::start(server, &server.url(), &format!("{}\nproxy = {proxy:?}", echo.allow()))
}

#[needs(tinyproxy)]
#[test]
fn a_tunnel_goes_through_a_proxy_and_survives_its_restart() {
    let server = Server::start();
    let echo = Echo::start();
    let mut proxy = Proxy::start("");
    let mut device = device(&server, &echo, &format!("http://127.0.0.1:{}", proxy.port));
    let erika = Administrator::new(&server, "erika");
    let run = erika.connect(&server.url(), device.uuid(), &[], b"by the proxy");
    assert_eq!(run.stdout, b"by the proxy", "{}", String::from_utf8_lossy(&run.stderr));
    proxy.restart();
    wait_for("another tunnel", || (device.held() == 2).then_some(()));
    wait_for_tunnel(&erika, &server.url());
    let run = erika.connect(&server.url(), device.uuid(), &[], b"x");
    assert_eq!(run.stdout, b"x", "{}", String::from_utf8_lossy(&run.stderr));
    // It was the proxy by which the tunnel came: without it there is none.
    drop(proxy);
    device.process().wait_for("cannot connect");
}

#[needs(tinyproxy)]
#[test]
fn a_proxy_with_a_password_lets_in_who_has_it() {
    let server = Server::start();
    let echo = Echo::start();
    let proxy = Proxy::start("BasicAuth meter right");
    let right = format!("http://meter:right@127.0.0.1:{}", proxy.port);
    let mut device = device(&server, &echo, &right);
    let erika = Administrator::new(&server, "erika");
    let run = erika.connect(&server.url(), device.uuid(), &[], b"x");
    assert_eq!(run.stdout, b"x", "{}", String::from_utf8_lossy(&run.stderr));
    // With another password, and without one, the proxy's refusal is said, and no password.
    for wrong in [right.replace("right@", "wrong@"), right.replace("meter:right@", "")] {
        device.kill();
        device.replace(&right, &wrong);
        device.go_on();
        let line = device.process().wait_for("the proxy refuses with status 4");
        assert!(!line.contains("wrong"), "{line}");
        device.kill();
        device.replace(&wrong, &right);
        device.go_on();
        device.process().wait_for("the tunnel is held");
    }
}
