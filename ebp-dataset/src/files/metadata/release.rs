//! `README.md` of a release: who may have it, and what it gives away nevertheless.

use std::{collections::BTreeSet, fmt::Write as _};

use super::described::Described;
use crate::{
    files::{
        column::Tier,
        text,
        write::{Decimal, Format},
        zones::zones_version,
    },
    release::Check,
};

/// The sentences that begin a release's README.
pub(in crate::files) const fn opening(tier: Tier) -> &'static str {
    match tier {
        Tier::Internal => "**Internal**: for the research group alone.",
        Tier::Research => {
            "**Research file**: single households under numbers, for the named recipient under \
             contract. These are still personal data."
        }
        Tier::Public => {
            "**Public**: aggregates of at least ten households; no single one is in it."
        }
    }
}

/// The content of a release's `README.md`. `risk` are sentences about what an attacker finds.
#[must_use]
pub fn release_readme(
    set: &Described,
    recipient: Option<&str>,
    checks: &[Check],
    risk: &[String],
) -> String {
    let mut text = format!("{}\n\n# {}\n", opening(set.tier), set.title());
    if let Some(recipient) = recipient {
        let _ = writeln!(text, "For {recipient} alone.\n");
    }
    let _ = writeln!(
        text,
        "Measurements received by {}, made by ebp {}. Instants are UTC; local days and months are \
         those of {} (time zone data {}).",
        text::instant(set.as_of),
        set.version,
        set.zone,
        zones_version(),
    );
    if !risk.is_empty() {
        text.push_str("\n## What it gives away\n");
        for sentence in risk {
            let _ = writeln!(text, "- {sentence}");
        }
    }
    text.push_str("\n## How to load it\n");
    let table = if set.tier == Tier::Public { "profiles" } else { "balance" };
    let _ = match set.format {
        Format::Parquet => writeln!(
            text,
            "```python\npandas.read_parquet(\"{table}\")\npolars.read_parquet(\"{table}/*.parquet\")\n\
             duckdb.sql(\"from '{table}/*.parquet'\")\n```"
        ),
        Format::Csv(Decimal::Comma) => writeln!(
            text,
            "```python\npolars.read_csv(\"{table}/*.csv\", separator=\";\", decimal_comma=True)\n\
             duckdb.sql(\"from read_csv('{table}/*.csv', delim=';', decimal_separator=',')\")\n```"
        ),
        Format::Csv(Decimal::Point) => writeln!(
            text,
            "```python\npolars.read_csv(\"{table}/*.csv\")\nduckdb.sql(\"from '{table}/*.csv'\")\n```"
        ),
    };
    text.push_str("\n## What to know\n");
    text.push_str(match set.tier {
        Tier::Public => {
            "- The rows of a quarter hour are of those households of whom all energies are known then, \
             so that consumption is import + generation - export; who has no system generates 0. Import \
             is of more where at least twenty more are known.\n\
             - Where they were fewer than ten, or one had more than half of a sum, there is no row, nor \
             any from which it follows. Export, generation and what is used of it are sums of systems: \
             where fewer than ten have one, there are neither these nor consumption.\n\
             - Where the balance of fewer than ten is known, import is of all whose import is known, and \
             export or generation likewise.\n\
             - Counts of households are rounded down to ten; means have steps of 0.001 kWh, quartiles \
             of 0.01 kWh and lie between two households.\n"
        }
        _ => {
            "- Every energy is rounded by chance to a step of 0.01 kWh beside it, so that sums stay what \
             they are on average.\n\
             - Two days of each household's month are withheld: `quality` is `withheld`, all energies \
             are null. They are drawn by chance and say nothing of the household.\n\
             - `any` is a class that is not told, `unknown` what the household did not say.\n\
             - Numbers of households belong to this release alone.\n"
        }
    });
    text.push_str("\n## Tables\n");
    let mut seen = BTreeSet::new();
    for file in &set.files {
        if seen.insert(file.table.name) {
            super::pages::dictionary(&mut text, set, file.table);
        }
    }
    text.push_str("\n## Rules\n| rule | asks | found |\n|---|---|---|\n");
    for check in checks {
        let _ = writeln!(text, "| {:?} | {} | {} |", check.rule, check.asks, check.found);
    }
    text
}
