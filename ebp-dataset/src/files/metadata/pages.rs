//! `README.md`, the dictionary in plain words, and `QUALITY.md`.

use std::{collections::BTreeSet, fmt::Write as _};

use super::described::{Described, Lost, MeterQuality};
use crate::{
    files::{
        column::{Table, Tier},
        table::flag_rows,
        text,
        write::{Decimal, Format},
        zones::zones_version,
    },
    flag::Flag,
};

/// The content of `README.md`.
#[must_use]
pub fn readme(set: &Described, households: u64, lost: Lost) -> String {
    let mut text = format!("# {}\n", set.title());
    let tier = match set.tier {
        Tier::Internal => "**Internal**: for the research group alone. These are personal data.",
        Tier::Research => {
            "**Research file**: single households under pseudonyms, for named recipients under \
             contract. These are still personal data."
        }
        Tier::Public => "**Public**: aggregates of many households.",
    };
    let _ = writeln!(text, "{tier}\n");
    let _ = writeln!(
        text,
        "{households} households, measurements received by {}, made by ebp {}. {} more never \
         granted their consent, {} are withheld. Instants are UTC; local days are those of {} \
         (time zone data {}).",
        text::instant(set.as_of),
        set.version,
        lost.not_granted,
        lost.withheld,
        set.zone,
        zones_version(),
    );
    text.push_str("\n## How to load it\n");
    text.push_str(&loading(set));
    text.push_str(
        "\n## What to know\n\
         - `…_register_kwh` is cumulative, as the meter shows it; every other `…_kwh` is the energy \
         of one interval. An interval is named by its start.\n\
         - No energy has a sign: import, export and generation are at least 0. The one signed column \
         is `power_kw`: positive draws, negative feeds in. It is an instant's value, not an energy.\n\
         - What is not known is null, never 0. A quarter hour without a reading is a row all the \
         same, with its flags; the energy of the gap is in `spans`.\n\
         - `lo` and `hi` contain the truth. They never add up: take them for the interval that you \
         mean.\n\
         - Local days have 92, 96 or 100 quarter hours; `local_quarter` counts them in the order of \
         time.\n\
         - Autarky and self-consumption share come from sums over a day or longer, never from means \
         of ratios.\n",
    );
    text.push_str("\n## Tables\n");
    let mut seen = BTreeSet::new();
    for file in &set.files {
        if seen.insert(file.table.name) {
            dictionary(&mut text, set, file.table);
        }
    }
    text.push_str("\n## Flags\n| bit | name | means |\n|---|---|---|\n");
    for (bit, name, meaning) in flag_rows() {
        let _ = writeln!(text, "| {bit} | {name} | {meaning} |");
    }
    text
}

fn loading(set: &Described) -> String {
    let is_folder = set.files.iter().any(|file| file.path.starts_with("energy/"));
    match (set.format, is_folder) {
        (Format::Parquet, true) => "```python\npandas.read_parquet(\"energy\")\n\
             polars.read_parquet(\"energy/*.parquet\")\n\
             duckdb.sql(\"from 'energy/*.parquet'\")\n```\n"
            .to_owned(),
        (Format::Parquet, false) => {
            "```python\npandas.read_parquet(\"energy.parquet\")\n```\n".to_owned()
        }
        (Format::Csv(Decimal::Comma), true) => "```python\n\
             polars.read_csv(\"energy/*.csv\", separator=\";\", decimal_comma=True)\n\
             duckdb.sql(\"from read_csv('energy/*.csv', delim=';', decimal_separator=',')\")\n```\n"
            .to_owned(),
        (Format::Csv(Decimal::Point), true) => "```python\npolars.read_csv(\"energy/*.csv\")\n\
             duckdb.sql(\"from 'energy/*.csv'\")\n```\n"
            .to_owned(),
        (Format::Csv(Decimal::Comma), false) => "```python\n\
             pandas.read_csv(\"energy.csv\", sep=\";\", decimal=\",\")\n```\n"
            .to_owned(),
        (Format::Csv(Decimal::Point), false) => {
            "```python\npandas.read_csv(\"energy.csv\")\n```\n".to_owned()
        }
    }
}

/// A table's columns in plain words.
pub(super) fn dictionary(text: &mut String, set: &Described, table: &Table) {
    let rows: u64 =
        set.files.iter().filter(|file| file.table.name == table.name).map(|file| file.rows).sum();
    let _ = writeln!(text, "\n### {}\n{} {rows} rows.\n", table.name, table.description);
    text.push_str("| column | unit | meaning |\n|---|---|---|\n");
    for column in table.columns {
        let unit = column.unit.unwrap_or("");
        let _ = writeln!(text, "| {} | {unit} | {} |", column.name, column.description);
    }
}

/// The content of `QUALITY.md`.
#[must_use]
pub fn quality_page(meters: &[MeterQuality]) -> String {
    let mut text = String::from("# Quality\n");
    let quarters: u64 = meters.iter().map(|meter| meter.quarters).sum();
    let import: u64 = meters.iter().map(|meter| meter.measured.0).sum();
    let export: u64 = meters.iter().map(|meter| meter.measured.1).sum();
    let _ = writeln!(
        text,
        "{} meters, {quarters} quarter hours from each meter's first reading to its last. Import is \
         measured in {} of them, export in {}. `quality.csv` has the same by meter.\n",
        meters.len(),
        share(import, quarters),
        share(export, quarters),
    );
    text.push_str("| flag | quarter hours | share |\n|---|---|---|\n");
    for (place, flag) in Flag::ALL.into_iter().enumerate() {
        let count: u64 =
            meters.iter().map(|meter| meter.flags.get(place).copied().unwrap_or(0)).sum();
        let _ = writeln!(text, "| {} | {count} | {} |", flag.name(), share(count, quarters));
    }
    text
}

/// A share in hundredths of a percent, cut off.
fn share(part: u64, whole: u64) -> String {
    let hundredths = (part * 10_000).checked_div(whole);
    hundredths.map_or_else(|| "-".into(), |it| format!("{}.{:02} %", it / 100, it % 100))
}
