//! `ebp tunnel list` and `log`.

use ebp_core::contract::{Tunnel, TunnelSession};

use super::administrator::{Administrator, refused};
use crate::{
    exit::CommandResult,
    output::{Format, list},
    stdout::print,
};

/// Which devices are connected.
#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    administrator: Administrator,

    /// How they are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Who was connected.
#[derive(Debug, clap::Args)]
pub struct Log {
    #[command(flatten)]
    administrator: Administrator,

    /// How they are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const TUNNELS: [&str; 7] =
    ["device", "connected", "since", "seen_at", "family", "version", "sessions"];
const SESSIONS: [&str; 10] = [
    "session",
    "began_at",
    "ended_at",
    "administrator",
    "device",
    "service",
    "bytes_to_device",
    "bytes_from_device",
    "end",
    "ended_by",
];

impl List {
    /// Prints all tunnels.
    pub fn run(&self) -> CommandResult {
        let tunnels = self.administrator.client()?.tunnels().map_err(refused)?;
        print(list::list(self.format, TUNNELS, true, &tunnels, tunnel)?)
    }
}

fn tunnel(tunnel: &Tunnel) -> [String; 7] {
    let connected = match (tunnel.connected, tunnel.conflict_at) {
        (_, Some(_)) => "copied certificate",
        (true, None) => "yes",
        (false, None) => "no",
    };
    [
        tunnel.device.to_string(),
        connected.to_owned(),
        tunnel.since.to_string(),
        tunnel.seen_at.to_string(),
        if tunnel.ipv6 { "IPv6" } else { "IPv4" }.to_owned(),
        tunnel.version.clone(),
        tunnel.sessions.to_string(),
    ]
}

impl Log {
    /// Prints all sessions.
    pub fn run(&self) -> CommandResult {
        let sessions = self.administrator.client()?.tunnel_sessions().map_err(refused)?;
        print(list::list(self.format, SESSIONS, true, &sessions, session)?)
    }
}

fn session(session: &TunnelSession) -> [String; 10] {
    [
        session.uuid.to_string(),
        session.began_at.to_string(),
        session.ended_at.map(|at| at.to_string()).unwrap_or_default(),
        session.administrator.clone(),
        session.device.map(|device| device.to_string()).unwrap_or_default(),
        session.service.clone(),
        session.bytes_to_device.to_string(),
        session.bytes_from_device.to_string(),
        session.end.map(|end| end.name().to_owned()).unwrap_or_default(),
        session.ended_by.clone().unwrap_or_default(),
    ]
}
