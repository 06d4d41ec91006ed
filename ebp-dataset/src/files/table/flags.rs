//! The list of flags, and the quality of each meter's series.

use super::super::column::{Column, Kind, Table, Tier};
use crate::flag::{BALANCE_VIOLATED, Flag};

/// `flags.csv`: what each bit of a column `flags` means.
pub const FLAG_LIST: Table = Table {
    name: "flags",
    description: "What each bit of the columns named flags means.",
    columns: &[
        Column::new("bit", Kind::Int8, "The number of the bit, from 0; its value is 2^bit.")
            .up_to(Tier::Public),
        Column::new("name", Kind::Text, "Its name.").up_to(Tier::Public),
        Column::new("meaning", Kind::Text, "What it says of a row.").up_to(Tier::Public),
    ],
    key: &["bit"],
    order: &["bit"],
    references: &[],
    by_month: false,
    tier: Tier::Public,
    step: None,
};

/// Each bit with its name and its meaning.
#[must_use]
pub fn flag_rows() -> Vec<(i64, &'static str, &'static str)> {
    let flags = Flag::ALL.into_iter().map(|flag| (flag.name(), meaning(flag)));
    let violated = "the balance contradicts itself beyond its bounds and the meters' accuracy";
    (0..).zip(flags.chain([(BALANCE_VIOLATED, violated)])).map(|(n, (a, b))| (n, a, b)).collect()
}

const fn meaning(flag: Flag) -> &'static str {
    match flag {
        Flag::NoReading => "no usable reading lies in it",
        Flag::Late => "its first usable reading came later than a minute after its start",
        Flag::EndOpen => "no reading lies near the boundary at its end",
        Flag::ClockCorrected => "a boundary rests on a reading whose time was set right afterwards",
        Flag::RegisterReset => {
            "a register ran backwards, jumped or belongs to another meter, in it or at its ends"
        }
        Flag::Outlier => "a reading in it contradicts its neighbours and is not used",
        Flag::Coarse => "a boundary rests on a reading in whole kWh (locked meter)",
        Flag::PowerOutOfRange => "the device found a value beyond what the meter can carry",
        Flag::NoBracket => "it lies at the beginning or the end of the series",
        Flag::Interpolated => "filled on request",
        Flag::Conflict => "two values of one instant differ",
        Flag::Unconfirmed => "a reading in it waits for the next one to confirm it",
        Flag::Withheld => "removed for privacy",
    }
}

/// `quality.csv`: how much of each meter's series is known.
pub const QUALITY: Table = Table {
    name: "quality",
    description: "How complete each meter's series is.",
    columns: &[
        Column::new("meter", Kind::Text, "The meter."),
        Column::new("quarters", Kind::Int32, "Quarter hours from the first reading to the last."),
        Column::new("import_measured", Kind::Int32, "Of these, with a measured import."),
        Column::new("export_measured", Kind::Int32, "Of these, with a measured export."),
        Column::new("no_reading", Kind::Int32, "With this flag."),
        Column::new("late", Kind::Int32, "With this flag."),
        Column::new("end_open", Kind::Int32, "With this flag."),
        Column::new("clock_corrected", Kind::Int32, "With this flag."),
        Column::new("register_reset", Kind::Int32, "With this flag."),
        Column::new("outlier", Kind::Int32, "With this flag."),
        Column::new("coarse", Kind::Int32, "With this flag."),
        Column::new("power_out_of_range", Kind::Int32, "With this flag."),
        Column::new("no_bracket", Kind::Int32, "With this flag."),
        Column::new("interpolated", Kind::Int32, "With this flag."),
        Column::new("conflict", Kind::Int32, "With this flag."),
        Column::new("unconfirmed", Kind::Int32, "With this flag."),
        Column::new("withheld", Kind::Int32, "With this flag."),
    ],
    key: &["meter"],
    order: &["meter"],
    references: &[("meter", "meters", "meter")],
    by_month: false,
    tier: Tier::Internal,
    step: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flag_has_a_column_of_quality() {
        let columns: Vec<_> = QUALITY.columns[4..].iter().map(|column| column.name).collect();
        assert_eq!(columns, Flag::ALL.map(Flag::name));
        let last = flag_rows().last().copied().map(|(bit, name, _)| (bit, name));
        assert_eq!(last, Some((13, BALANCE_VIOLATED)));
    }
}
