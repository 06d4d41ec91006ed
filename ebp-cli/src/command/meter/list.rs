//! `ebp meter list`: the known models, one to a line.
//!
//! Enters: the profiles. Leaves: a table, JSON or CSV. Absent: what only `ebp meter show` tells.

use std::io::Write;

use ebp_meter::profile::{Profile, RelockBehaviour};
use serde::Serialize;

use crate::{
    command::models::Models,
    exit::{Failure, Outcome},
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

impl<'a> Row<'a> {
    fn of(profile: &'a Profile) -> Self {
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
pub fn run(arguments: &Arguments) -> Outcome {
    let profiles = arguments.models.load()?;
    let rows = profiles.iter().map(Row::of);
    let mut text = Vec::new();
    match arguments.format {
        Format::Json => {
            for row in rows {
                serde_json::to_writer(&mut text, &row).map_err(Failure::failed)?;
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
