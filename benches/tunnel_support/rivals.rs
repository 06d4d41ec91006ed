//! Who is compared, each started as its manual has it.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::{Ended, Rival, SERVICES, ends, free_port, identity::Identity, services::Services};

/// All that are there, ours first, and what is missing.
pub fn all(folder: &Path, services: &Services) -> (Vec<Rival>, Vec<&'static str>) {
    let identity = Identity::make(folder);
    let mut rivals = vec![ours(&identity, services)];
    let mut missing = Vec::new();
    match rathole(folder, &identity, services) {
        Some(rival) => rivals.push(rival),
        None => missing.push("rathole, whose program EBP_BENCH_RATHOLE names, or openssl"),
    }
    match ssh(folder, services) {
        Some(rival) => rivals.push(rival),
        None => missing.push("ssh -R (Debian: openssh-server, openssh-client)"),
    }
    (rivals, missing)
}

fn ours(identity: &Identity, services: &Services) -> Rival {
    let (tunnel, ports) = (free_port(), SERVICES.map(|_| free_port()));
    let program = std::env::current_exe().unwrap();
    let of = |ports: [u16; SERVICES.len()]| ports.map(|port| port.to_string());
    let mut server = Command::new(&program);
    server.arg(ends::SERVER).arg(&identity.chain).arg(&identity.key);
    server.arg(tunnel.to_string()).args(of(ports));
    let mut device = Command::new(&program);
    device.arg(ends::DEVICE).arg(&identity.authority);
    device.arg(tunnel.to_string()).args(of(services.ports));
    let ends = [server, device].map(|mut end| Ended(end.spawn().unwrap()));
    Rival { name: "ebp", ports, ends }.wait()
}

fn rathole(folder: &Path, identity: &Identity, services: &Services) -> Option<Rival> {
    let program = std::env::var_os("EBP_BENCH_RATHOLE").unwrap_or_else(|| "rathole".into());
    Command::new(&program).arg("--version").stdout(Stdio::null()).status().ok()?;
    let (tunnel, ports) = (free_port(), SERVICES.map(|_| free_port()));
    let pkcs12 = identity.pkcs12()?;
    let mut server = format!(
        "[server]\nbind_addr = \"127.0.0.1:{tunnel}\"\ndefault_token = \"bench\"\n\
         [server.transport]\ntype = \"tls\"\n[server.transport.tls]\npkcs12 = {pkcs12:?}\n\
         pkcs12_password = \"bench\"\n"
    );
    let mut client = format!(
        "[client]\nremote_addr = \"127.0.0.1:{tunnel}\"\ndefault_token = \"bench\"\n\
         [client.transport]\ntype = \"tls\"\n[client.transport.tls]\ntrusted_root = {:?}\n\
         hostname = \"localhost\"\n",
        identity.authority
    );
    for ((name, port), service) in SERVICES.iter().zip(ports).zip(services.ports) {
        server.push_str(&format!("[server.services.{name}]\nbind_addr = \"127.0.0.1:{port}\"\n"));
        client
            .push_str(&format!("[client.services.{name}]\nlocal_addr = \"127.0.0.1:{service}\"\n"));
    }
    let end = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        let mut command = Command::new(&program);
        command.arg(path).stdout(Stdio::null()).env("RUST_LOG", "error");
        Ended(command.spawn().unwrap())
    };
    let ends = [end("rathole-server.toml", &server), end("rathole-client.toml", &client)];
    Some(Rival { name: "rathole 0.5.0, TLS", ports, ends }.wait())
}

fn ssh(folder: &Path, services: &Services) -> Option<Rival> {
    let path = |name: &str| folder.join(name).display().to_string();
    for name in ["host", "own"] {
        let mut make = Command::new("ssh-keygen");
        make.args(["-q", "-t", "ed25519", "-N", "", "-f", &path(name)]);
        make.status().ok()?;
    }
    fs::copy(path("own.pub"), path("authorized")).ok()?;
    let (tunnel, ports) = (free_port(), SERVICES.map(|_| free_port()));
    let config = format!(
        "ListenAddress 127.0.0.1:{tunnel}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\n\
         UsePAM no\nPidFile none\nPermitRootLogin yes\nPasswordAuthentication no\n",
        path("host"),
        path("authorized")
    );
    fs::write(path("sshd.conf"), config).ok()?;
    // It wants this folder even where it does not separate privileges.
    let _ = fs::create_dir_all("/run/sshd");
    let mut server = Command::new("/usr/sbin/sshd");
    server.args(["-D", "-f", &path("sshd.conf")]).stderr(Stdio::null());
    let server = Ended(server.spawn().ok()?);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let mut client = Command::new("ssh");
    client.args(["-N", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes"]);
    client.args(["-o", "ExitOnForwardFailure=yes", "-i", &path("own"), "-o"]);
    client.arg(format!("UserKnownHostsFile={}", path("known")));
    client.args(["-p", &tunnel.to_string()]);
    for (port, service) in ports.iter().zip(services.ports) {
        client.arg("-R").arg(format!("127.0.0.1:{port}:127.0.0.1:{service}"));
    }
    let client = Ended(client.arg("127.0.0.1").stderr(Stdio::null()).spawn().ok()?);
    Some(Rival { name: "ssh -R", ports, ends: [server, client] }.wait())
}
