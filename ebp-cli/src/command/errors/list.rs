//! `ebp errors list`.

use ebp_errors::{Group, Ledger};
use jiff::Timestamp;
use serde::Serialize;

use super::whose::Whose;
use crate::{
    exit::{Code, CommandResult, Failure},
    output::{Format, list, phrase::counted},
    stdout::print,
    tell::tell,
};

/// List the groups of errors, the one seen last at the end.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    whose: Whose,

    /// How they are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A group as it is printed.
#[derive(Serialize)]
struct Row<'a> {
    group: &'a str,
    component: &'static str,
    types: &'a [String],
    place: String,
    count: u64,
    left_out: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
}

impl<'a> From<&'a Group> for Row<'a> {
    fn from(group: &'a Group) -> Self {
        Self {
            group: &group.id,
            component: group.component.name(),
            types: &group.types,
            place: group.place.to_string(),
            count: group.count,
            left_out: group.left_out,
            first_seen: group.first_seen,
            last_seen: group.last_seen,
        }
    }
}

const COLUMNS: [&str; 8] =
    ["group", "component", "types", "place", "count", "left_out", "first_seen", "last_seen"];

fn cells(row: &Row<'_>) -> [String; 8] {
    [
        row.group.to_owned(),
        row.component.to_owned(),
        row.types.join(" < "),
        row.place.clone(),
        row.count.to_string(),
        row.left_out.to_string(),
        row.first_seen.to_string(),
        row.last_seen.to_string(),
    ]
}

/// Prints the groups, and on standard error what waits and what was lost.
pub fn run(arguments: &Arguments) -> CommandResult {
    let folder = arguments.whose.find_counted()?.folder();
    let mut ledger: Ledger =
        folder.ledger().map_err(|error| Failure::caused_by(Code::Failed, &error))?;
    ledger.groups.sort_by_key(|group| group.last_seen);
    let rows: Vec<Row<'_>> = ledger.groups.iter().map(Row::from).collect();
    print(list::list(arguments.format, COLUMNS, true, &rows, cells)?)?;
    if matches!(arguments.format, Format::Table) {
        let waiting = counted(folder.waiting(), "report");
        let Ledger { sent, dropped, refused, .. } = ledger;
        tell!(
            "ebp: {waiting} to send; {sent} sent, {dropped} dropped because the queue was full, \
             {refused} refused by the service"
        );
    }
    Ok(())
}
