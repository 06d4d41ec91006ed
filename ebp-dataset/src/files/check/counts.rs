//! Whether the lists beside the tables agree with them: `quality.csv` counts what `energy` has of
//! each meter, `flags.csv` names the bits.
//!
//! Enters: rows of `energy`, one after another. Leaves: findings. Absent: texts for people.

use std::{collections::BTreeMap, path::Path};

use super::{
    cells::Cells, ends::kept, listing::Listing, names::Names, row::RowCheck, slots::Slots,
    verdict::Verdict,
};
use crate::{
    files::{
        column::Table,
        error::FileError,
        metadata::FileEntry,
        read::{Value, read_rows},
        table::{FLAG_LIST, QUALITY, flag_rows},
        write::{Decimal, Format},
    },
    flag::Flag,
    rules::QUARTER,
};

/// As `quality.csv` has them: quarter hours, measured ones of both registers, and each flag.
type Of = [i64; 3 + Flag::ALL.len()];

/// What rows of `energy` were counted.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<String, Of>);

impl Counts {
    pub fn note(&mut self, table: &Table, values: &[Value]) {
        if table.name != "energy" {
            return;
        }
        let row = Cells { table, values };
        let Some(meter) = row.text("meter") else { return };
        if !self.0.contains_key(meter) {
            self.0.insert(meter.to_owned(), [0; 3 + Flag::ALL.len()]);
        }
        let Some([quarters, import, export, flags @ ..]) = self.0.get_mut(meter) else { return };
        *quarters += 1;
        *import += i64::from(row.text("import_quality") == Some("measured"));
        *export += i64::from(row.text("export_quality") == Some("measured"));
        let bits = row.int("flags").unwrap_or(0);
        for (count, flag) in flags.iter_mut().zip(Flag::ALL) {
            // Quality is that of what was measured, before anything was filled.
            let counts = flag != Flag::Interpolated;
            *count += bits.checked_shr(flag as u32).unwrap_or(0) & i64::from(counts);
        }
    }

    /// Compares the list of an internal set; of hours and days the number of quarter hours alone.
    pub fn compare(
        &self,
        (folder, listing): (&Path, &Listing),
        (slots, names): (&Slots, &Names),
        verdict: &mut Verdict,
    ) {
        let mut meters = 0;
        let list = |row: u64, values: &[Value], verdict: &mut Verdict| {
            meters += 1;
            let Some((meter, counts)) = values.split_first() else { return };
            let Some(meter) = meter.text() else { return };
            let mut wanted: Vec<i64> = Vec::new();
            if listing.is_quarterly {
                let none = [0; 3 + Flag::ALL.len()];
                wanted.extend(self.0.get(meter).unwrap_or(&none));
            } else {
                let read = names.meter(meter).and_then(|meter| meter.read);
                let ends = read.map(|read| kept(slots, listing, slots.step, read));
                if let Some(Ok(ends)) = ends {
                    wanted.push(ends.map_or(0, |(first, end)| (end - first) / QUARTER));
                }
            }
            for ((count, wanted), column) in counts.iter().zip(wanted).zip(&QUALITY.columns[1..]) {
                if count.int() != Some(wanted) {
                    let what = format!("{} is not {wanted}, as energy has it", column.name);
                    verdict.add("quality.csv", Some(row), what);
                }
            }
        };
        read_list(folder, ("quality.csv", &QUALITY), names, verdict, list);
        if meters != names.meters() {
            let what = format!("it has {meters} meters, and meters has {}", names.meters());
            verdict.add("quality.csv", None, what);
        }
    }
}

/// Compares the list of flags with those that there are.
pub(super) fn check_flags(folder: &Path, names: &Names, verdict: &mut Verdict) {
    let known = flag_rows();
    let mut count = 0;
    read_list(folder, ("flags.csv", &FLAG_LIST), names, verdict, |row, values, verdict| {
        count += 1;
        let [bit, name, ..] = values else { return };
        let is_it = |of: &&(i64, &str, &str)| bit.int() == Some(of.0) && name.text() == Some(of.1);
        if !known.iter().any(|of| is_it(&of)) {
            verdict.add("flags.csv", Some(row), "there is no such flag");
        }
    });
    if count != known.len() {
        verdict.add("flags.csv", None, format!("it has {count} flags, not {}", known.len()));
    }
}

/// The lists are CSV, whatever the tables are.
fn read_list(
    folder: &Path,
    (path, table): (&str, &'static Table),
    names: &Names,
    verdict: &mut Verdict,
    mut take: impl FnMut(u64, &[Value], &mut Verdict),
) {
    let file = FileEntry { table, path: path.to_owned(), rows: 0, sha256: String::new() };
    let mut check = RowCheck::new(&file);
    let csv = Format::Csv(Decimal::Point);
    let read = read_rows(&folder.join(path), table, csv, &mut |row, values| {
        check.check(row, values, names, verdict);
        take(row, values, verdict);
    });
    match read {
        Ok(()) => {}
        Err(FileError::Csv { row, message, .. }) => {
            verdict.add(path, Some(row).filter(|row| *row > 0), message);
        }
        Err(error) => verdict.add(path, None, error.to_string()),
    }
}
