//! `ebp completions`: what a shell needs to complete the command line, and what completes it.
//!
//! The shell asks the program itself at each press of the key, so that ports, models and meters are
//! completed by the values that exist at that time.

use std::{ffi::OsStr, fs, path::Path};

use clap::Command;
use clap_complete::{
    CompleteEnv,
    engine::{ArgValueCompleter, CompletionCandidate},
    env::Shells,
};
use ebp_meter::{port, profile::Profiles};
use serde::Deserialize;

use crate::{
    exit::{CommandResult, Failure},
    stdout::print,
};

/// Print shell completions.
///
/// For bash: ebp completions bash > ~/.local/share/bash-completion/completions/ebp
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// For which shell.
    shell: Shell,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Elvish => "elvish",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Zsh => "zsh",
        }
    }
}

/// The variable by which a shell asks.
const VARIABLE: &str = "COMPLETE";

/// Answers a shell that asks for completions of that command line, and ends the program then.
pub fn answer(command_line: fn() -> Command) {
    CompleteEnv::with_factory(|| with_values(command_line())).var(VARIABLE).complete();
}

/// Prints the completions to standard output.
pub fn run(arguments: &Arguments) -> CommandResult {
    let shells = Shells::builtins();
    let shell = shells
        .completer(arguments.shell.name())
        .ok_or_else(|| Failure::usage(format!("no completions for {}", arguments.shell.name())))?;
    let mut text = Vec::new();
    shell.write_registration(VARIABLE, "ebp", "ebp", "ebp", &mut text).map_err(Failure::from)?;
    print(&text)
}

/// Adds what completes values to a command and those below it: options of one name mean one thing.
fn with_values(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let complete: Option<fn(&OsStr) -> Vec<CompletionCandidate>> =
            match argument.get_id().as_str() {
                "model" => Some(models),
                "port" | "from" => Some(ports),
                "meter" => Some(meters),
                _ => None,
            };
        match complete {
            Some(complete) => argument.add(ArgValueCompleter::new(complete)),
            None => argument,
        }
    });
    command.mut_subcommands(with_values)
}

/// Those that begin with what is typed, whatever its capitals.
fn beginning(
    typed: &OsStr,
    values: impl IntoIterator<Item = (String, String)>,
) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().to_lowercase();
    values
        .into_iter()
        .filter(|(value, _)| value.to_lowercase().starts_with(&typed))
        .map(|(value, about)| CompletionCandidate::new(value).help(Some(about.into())))
        .collect()
}

fn models(typed: &OsStr) -> Vec<CompletionCandidate> {
    let profiles = Profiles::embedded();
    beginning(typed, profiles.iter().map(|profile| (profile.name.clone(), profile.about.clone())))
}

/// The machine's serial ports; what else may be read, files among it, where one is typed.
fn ports(typed: &OsStr) -> Vec<CompletionCandidate> {
    let port = |port: port::PortInfo| {
        (port.name.to_string(), port.description.unwrap_or_else(|| "a serial port".to_owned()))
    };
    let ports = beginning(typed, port::list().into_iter().map(port));
    if !ports.is_empty() {
        return ports;
    }
    let typed = typed.to_string_lossy();
    let (folder, name) =
        typed.rsplit_once('/').map_or(("", &*typed), |(folder, name)| (folder, name));
    let place = if typed.contains('/') { format!("{folder}/") } else { String::new() };
    let shown = if place.is_empty() { "." } else { &place };
    let files = fs::read_dir(shown).into_iter().flatten().flatten().filter_map(|entry| {
        let file = entry.file_name().to_string_lossy().into_owned();
        let end = if entry.path().is_dir() { "/" } else { "" };
        file.starts_with(name).then(|| CompletionCandidate::new(format!("{place}{file}{end}")))
    });
    files.collect()
}

/// The part of a device's configuration that lists its meters.
#[derive(Deserialize)]
struct Device {
    #[serde(default)]
    meter: Vec<Meter>,
}

#[derive(Deserialize)]
struct Meter {
    uuid: String,
    model: String,
    #[serde(default)]
    port: String,
}

/// The meters of a device's configuration, here or where it is by custom.
fn meters(typed: &OsStr) -> Vec<CompletionCandidate> {
    let configured = ["device.toml", "/etc/ebp/device.toml"].into_iter().filter_map(|path| {
        let text = fs::read_to_string(Path::new(path)).ok()?;
        toml::from_str::<Device>(&text).ok()
    });
    let meters = configured.flat_map(|device| device.meter);
    beginning(typed, meters.map(|meter| (meter.uuid, format!("{} at {}", meter.model, meter.port))))
}
