//! `ebp tunnel`: a device's tunnel to the server, and what administrators do through it.
//!
//! Enters: a device's configuration, or an administrator's certificate. Leaves: a tunnel that is held,
//! a session on standard input and output, lists. Absent: the protocol, which [`ebp_fleet`] knows.

#[cfg(feature = "server")]
mod administrator;
#[cfg(feature = "server")]
mod connect;
#[cfg(feature = "server")]
mod end;
mod hold;
#[cfg(feature = "server")]
mod list;
#[cfg(feature = "server")]
mod ports;
mod proxy;
#[cfg(feature = "server")]
mod ssh_config;

use std::path::{Path, PathBuf};

#[cfg(feature = "server")]
use clap::Subcommand;

use crate::exit::CommandResult;
#[cfg(feature = "server")]
pub use hold::device_settings;

/// Hold this device's tunnel, by which administrators reach it behind any router.
///
/// The tunnel is one outbound connection to the Data API. Nothing can be reached through it but what
/// the configuration's `allow` names, and only while the household permits it; every session is
/// written to a log beside the spool before it is let in. Runs until it is stopped. Ends with exit
/// code 4 when consent is revoked.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    /// The device's configuration.
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,

    #[cfg(feature = "server")]
    #[command(subcommand)]
    action: Option<Action>,
}

#[cfg(feature = "server")]
#[derive(Debug, Subcommand)]
enum Action {
    /// Connect to a service of a device: ssh's ProxyCommand, or a port on this machine.
    ///
    /// Joins the session with standard input and output:
    /// `ssh -o 'ProxyCommand=ebp tunnel connect %n …' USER@DEVICE`. `ebp tunnel ssh-config` prints the
    /// lines for ssh's configuration.
    Connect(connect::Connect),
    /// End an open session, at whichever server it is carried.
    End(end::End),
    /// List the devices that have or had a tunnel.
    List(list::List),
    /// List sessions: who was connected to which device, when, and how it ended.
    Log(list::Log),
    /// Listen on a port of this machine for each device that has or had a tunnel.
    Ports(ports::Ports),
    /// Print the block for ssh's configuration by which `ssh USER@DEVICE` goes through the tunnel.
    SshConfig(ssh_config::SshConfig),
}

impl Arguments {
    /// The configuration of the device whose tunnel is held.
    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

/// Holds the tunnel, or does what an administrator asks for.
pub fn run(arguments: &Arguments) -> CommandResult {
    #[cfg(feature = "server")]
    match &arguments.action {
        Some(Action::Connect(connect)) => return connect.run(),
        Some(Action::End(end)) => return end.run(),
        Some(Action::List(list)) => return list.run(),
        Some(Action::Log(log)) => return log.run(),
        Some(Action::Ports(ports)) => return ports.run(),
        Some(Action::SshConfig(config)) => return config.run(),
        None => {}
    }
    match &arguments.config {
        Some(config) => hold::run(config),
        // Clap demands it.
        None => Ok(()),
    }
}
