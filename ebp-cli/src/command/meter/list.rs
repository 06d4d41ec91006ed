//! `ebp meter list`: the known models, one to a line.
//!
//! Enters: the profiles. Leaves: a table, JSON or CSV. Absent: what only `ebp meter show` prints.

use std::{collections::BTreeSet, io::Write};

use ebp_meter::profile::{Profile, RelockBehaviour, Wake};
use serde::Serialize;

use crate::{
    command::models::Models,
    exit::{CommandResult, Failure},
    output::{Format, new_table},
    stdout::print,
};

/// What is listed, and how.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How the list is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    #[command(flatten)]
    models: Models,
}

#[derive(Serialize)]
struct Row<'a> {
    model: &'a str,
    aliases: &'a [String],
    maker: &'a str,
    flag: &'a str,
    protocol: &'static str,
    line: String,
    lock: &'static str,
    about: &'a str,
}

/// The additional members in JSON.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    /// How the PIN is entered: `unknown` without a source, `None` for models without a lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pin_timing: Option<Timing>,
    /// What a locked one sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    locked_codes: Option<Vec<String>>,
    /// What it sends unlocked.
    codes: Vec<String>,
    /// Where these are from.
    sources: BTreeSet<&'a str>,
}

/// Lengths in milliseconds.
#[derive(Serialize)]
#[serde(untagged)]
enum Timing {
    Known {
        wake: &'static str,
        wake_presses: u8,
        short_press_ms: u32,
        next_digit_ms: u32,
        source: String,
    },
    Unknown(&'static str),
}

impl<'a> Entry<'a> {
    fn from_profile(profile: &'a Profile) -> Self {
        let codes = |locked| {
            profile.registers(locked).iter().map(|register| register.obis.to_string()).collect()
        };
        let pin_timing = match &profile.pin {
            Some(pin) => Some(Timing::Known {
                wake: match pin.wake {
                    Wake::Short => "short",
                    Wake::Long => "long",
                },
                wake_presses: pin.wake_presses,
                short_press_ms: pin.short_press.send_ms,
                next_digit_ms: pin.next_digit.send_ms,
                source: pin.source.clone(),
            }),
            None => profile.has_lock().then_some(Timing::Unknown("unknown")),
        };
        let mut sources = BTreeSet::from([
            &*profile.line.source,
            &profile.telegram.source,
            &profile.unlocked.source,
        ]);
        sources.extend(profile.locked.iter().map(|set| set.source.as_str()));
        sources.extend(profile.lock.iter().map(|lock| lock.source.as_str()));
        Self {
            row: Row::from_profile(profile),
            pin_timing,
            locked_codes: profile.locked.is_some().then(|| codes(true)),
            codes: codes(false),
            sources,
        }
    }
}

impl<'a> Row<'a> {
    fn from_profile(profile: &'a Profile) -> Self {
        Self {
            model: &profile.name,
            aliases: &profile.aliases,
            maker: &profile.maker,
            flag: profile.flag.as_str(),
            protocol: profile.line.protocol.name(),
            line: profile.line.settings().to_string(),
            lock: match profile.keeps_unlocked() {
                None if profile.has_lock() => "unknown",
                None => "none",
                Some(RelockBehaviour::Permanent) => "permanent",
                Some(RelockBehaviour::KeepAlive) => "keep-alive",
                Some(RelockBehaviour::PerReading) => "per-reading",
            },
            about: &profile.about,
        }
    }
}

/// Lists.
pub fn run(arguments: &Arguments) -> CommandResult {
    let profiles = arguments.models.load()?;
    let rows = profiles.iter().map(Row::from_profile);
    let mut text = Vec::new();
    match arguments.format {
        Format::Json => {
            for entry in profiles.iter().map(Entry::from_profile) {
                serde_json::to_writer(&mut text, &entry).map_err(Failure::failed)?;
                text.push(b'\n');
            }
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(&mut text);
            csv.write_record([
                "model", "aliases", "maker", "flag", "protocol", "line", "lock", "about",
            ])
            .map_err(Failure::failed)?;
            for row in rows {
                let aliases = row.aliases.join("; ");
                csv.write_record([
                    row.model,
                    &aliases,
                    row.maker,
                    row.flag,
                    row.protocol,
                    &row.line,
                    row.lock,
                    row.about,
                ])
                .map_err(Failure::failed)?;
            }
            csv.flush()?;
            drop(csv);
        }
        Format::Table => {
            let mut table = new_table();
            table.set_header(["model", "maker", "protocol", "line", "lock"]);
            table.add_rows(rows.map(|row| {
                let maker = format!("{} ({})", row.maker, row.flag);
                [
                    row.model.to_owned(),
                    maker,
                    row.protocol.to_owned(),
                    row.line,
                    row.lock.to_owned(),
                ]
            }));
            writeln!(text, "{table}")?;
        }
    }
    print(&text)
}
