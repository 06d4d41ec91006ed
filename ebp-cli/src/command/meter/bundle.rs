//! `ebp meter bundle`: what a maintainer needs to see, without telling whose meter it is.
//!
//! Enters: a port or a recording. Leaves: a tar file or a folder with telegrams without identifying
//! numbers, their values, and the detected settings. Absent: the port's name, which may hold the
//! adapter's serial number or a host; the machine's name; bytes outside of whole telegrams; any
//! text that is not on a list: systems, the program's own models, units, makers' letters, and
//! versions and words of status by their form.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use ebp_core::{
    clock::{Clock, SystemClock},
    tar,
};
use ebp_meter::{
    identify::{Identity, identify, maker_name},
    port::PortName,
    profile::Profiles,
    readout::Protocol,
    redact::{Extent, Redacted, redact},
};
use serde::Serialize;

use super::listen::{Heard, listen};
use crate::{
    command::{address::AddressText, find_port, heading::LINE, models::Models},
    exit::{Code, CommandResult, Context, Failure},
    output::{Format, Printer, phrase::counted},
    tell::tell,
};

const README: &str = "\
A support bundle of ebp. What is in it:
  about.json       the program's version, the system, the line, the models that may fit
  telegrams.raw    what the meter sent; in place of its identity, its owner's number, keys and
                   signatures there are zeros, as in place of all text that is not known to be
                   harmless, and checksums are right again: `ebp read telegrams.raw`
  decoded.jsonl    what these telegrams say, one to a line
Meter readings, power and the meter's own time are as they were. Look at it before you send it.
";

/// Which meter, and where the bundle goes.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A device (/dev/ttyUSB0), tcp://host:port, or a file of recorded bytes. By default the only
    /// serial port at which a meter sends.
    #[arg(long)]
    port: Option<PortName>,

    /// The bundle: a file with the ending .tar, or a folder to create.
    #[arg(long, value_name = "PATH")]
    output: PathBuf,

    /// How many telegrams are saved.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    telegrams: u16,

    /// Remove the digits of energy, too.
    #[arg(long)]
    blur: bool,

    /// The address of a meter that only answers requests with its address: usually its number.
    #[arg(long, value_name = "ADDRESS", help_heading = LINE)]
    address: Option<AddressText>,

    /// How long to wait for the first telegram.
    #[arg(long, default_value = "30s", value_parser = humantime::parse_duration)]
    timeout: Duration,

    #[command(flatten)]
    models: Models,
}

#[derive(Serialize)]
struct About {
    ebp: &'static str,
    os: String,
    arch: &'static str,
    made_at: jiff::Timestamp,
    port: &'static str,
    protocol: Option<&'static str>,
    line: Option<String>,
    telegrams: usize,
    bytes: usize,
    left_out_bytes: usize,
    removed: Vec<String>,
    passed_over: Vec<String>,
    meter: Option<Identity>,
}

/// Makes the bundle.
pub fn run(arguments: &Arguments) -> CommandResult {
    if arguments.output.exists() {
        return Err(Failure::failed(format!("{} exists already", arguments.output.display()))
            .remedy("choose another name with --output"));
    }
    let registry = arguments.models.registry()?;
    let options = AddressText::read_options(arguments.address.as_ref())?;
    let port = find_port::named_or_only(arguments.port.as_ref(), None, options)?;
    let mut heard = listen(&port, options, arguments.timeout, arguments.telegrams.into())?;
    let meter = identify(&registry, &heard.readouts).map(without_own_names);
    let protocol = heard.readouts.first().map(|readout| readout.protocol).or(heard.protocol);
    let redacted =
        redact(&heard.bytes, protocol.unwrap_or(Protocol::Sml), Extent { blur: arguments.blur });
    let nothing = heard.nothing.take();
    if redacted.readouts.is_empty() && nothing.is_none() {
        return Err(nothing_left(&redacted));
    }
    let about = about(&port, &heard, protocol, &redacted, meter);
    let files = [
        ("README.txt", README.as_bytes().to_vec()),
        ("about.json", serde_json::to_vec_pretty(&about).map_err(Failure::failed)?),
        ("telegrams.raw", redacted.bytes.clone()),
        ("decoded.jsonl", decoded(&redacted, about.made_at)?),
    ];
    write(&arguments.output, &files)?;
    tell!(
        "ebp: {} has {} without identifying numbers; look at it before you send it",
        arguments.output.display(),
        counted(redacted.readouts.len(), "telegram")
    );
    for line in removed(&redacted) {
        tell!("ebp: {line}");
    }
    match nothing {
        Some(nothing) => Err(Failure { code: Code::NothingRead, ..nothing }),
        None => Ok(()),
    }
}

/// What was taken out and what was dropped, each with its rule.
fn removed(redacted: &Redacted) -> Vec<String> {
    let values =
        redacted.removed.iter().filter(|(_, codes)| !codes.is_empty()).map(|(rule, codes)| {
            let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
            format!("zeros stand for {}: it {}", codes.join(", "), rule.reason())
        });
    let telegrams = redacted.dropped.iter().map(|(dropped, count)| {
        format!("{} dropped: {}", counted(*count, "telegram"), dropped.reason())
    });
    values.chain(telegrams).collect()
}

/// Telegrams came, and none can be handed on.
fn nothing_left(redacted: &Redacted) -> Failure {
    let why = match removed(redacted) {
        reasons if reasons.is_empty() => "it is no whole telegram".to_owned(),
        reasons => reasons.join("; "),
    };
    Failure::failed(format!("nothing is left to hand on: {why}")).remedy(
        "no bundle was written; describe the meter by what is printed on it and by what `ebp meter identify` prints",
    )
}

fn about(
    port: &PortName,
    heard: &Heard,
    protocol: Option<Protocol>,
    redacted: &Redacted,
    meter: Option<Identity>,
) -> About {
    About {
        ebp: env!("CARGO_PKG_VERSION"),
        os: os(&fs::read_to_string("/etc/os-release").unwrap_or_default()),
        arch: std::env::consts::ARCH,
        made_at: SystemClock.now(),
        port: match port {
            PortName::StandardInput => "standard input",
            PortName::Tcp(_) => "TCP bridge",
            PortName::Path(_) if heard.is_live => "serial device",
            PortName::Path(_) => "file",
        },
        protocol: protocol.map(Protocol::name),
        line: heard.line.map(|line| line.to_string()),
        telegrams: redacted.readouts.len(),
        bytes: heard.bytes.len(),
        left_out_bytes: redacted.left_out,
        removed: removed(redacted),
        passed_over: heard.noise.clone(),
        meter,
    }
}

/// Models of a folder have arbitrary names: only the program's own are named.
fn without_own_names(mut meter: Identity) -> Identity {
    let known = Profiles::embedded();
    meter.models.retain(|model| known.iter().any(|profile| profile.name == model.model));
    let is_known = |maker: &String| {
        known.iter().any(|profile| profile.maker == *maker)
            || meter.flag.as_deref().and_then(maker_name) == Some(maker)
    };
    meter.maker = meter.maker.take().filter(is_known);
    meter
}

/// Systems that are named.
const SYSTEMS: [&str; 16] = [
    "almalinux",
    "alpine",
    "arch",
    "archarm",
    "centos",
    "debian",
    "fedora",
    "gentoo",
    "linuxmint",
    "nixos",
    "opensuse-leap",
    "opensuse-tumbleweed",
    "raspbian",
    "rhel",
    "rocky",
    "ubuntu",
];

/// The system and its version by `os-release` (os-release(5)), without what somebody may have
/// written there: a name that is known, and a version of digits and points.
fn os(release: &str) -> String {
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim_matches(['"', '\'']))
    };
    let name = value("ID").filter(|name| SYSTEMS.contains(name)).unwrap_or(std::env::consts::OS);
    let is_version = |version: &&str| {
        version.len() <= 8 && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    match value("VERSION_ID").filter(is_version) {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}

fn decoded(redacted: &Redacted, at: jiff::Timestamp) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let mut printer = Printer::new(&mut text, Format::Json, true);
    for readout in &redacted.readouts {
        printer.print(readout, at)?;
    }
    Ok(text)
}

fn write(output: &Path, files: &[(&str, Vec<u8>)]) -> CommandResult {
    if output.extension().is_some_and(|extension| extension == "tar") {
        return crate::file::write_whole(output, &tar::archive(files));
    }
    fs::create_dir_all(output).or_failed(format!("cannot make {}", output.display()))?;
    for (name, bytes) in files {
        crate::file::write_whole(&output.join(name), bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_system_only_what_is_known_is_told() {
        assert_eq!(os("NAME=x\nID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Erna\""), "debian 12");
        assert_eq!(os("ID='raspbian'\nVERSION_ID='11.2'"), "raspbian 11.2");
        assert_eq!(os("ID=arch"), "arch");
        assert_eq!(os("ID=ernas-pi\nVERSION_ID=\"1 Erna\""), std::env::consts::OS);
        assert_eq!(os(""), std::env::consts::OS);
    }
}
