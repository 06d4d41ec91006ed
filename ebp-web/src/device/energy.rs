//! Energy as a chart with the table beneath it.

use ebp_core::contract::{EnergySeries, EnergyStep, EnergySummary, ExactNumber};
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::period::{Period, PeriodKind};
use crate::kit::{
    chart::{Chart, Mark, Slot, Tick},
    frame::Frame,
    number,
};

/// A chart with its table.
#[derive(Debug, Clone)]
pub struct EnergyView {
    /// The `<svg>`.
    pub svg: String,
    /// The first column's name.
    pub head: String,
    /// The rows, one a slot.
    pub rows: Vec<Row>,
    /// Whether anything is generated.
    pub has_generation: bool,
    /// Whether there are gaps.
    pub has_gaps: bool,
    /// Whether anything is known at all.
    pub is_empty: bool,
    /// Why not.
    pub why_empty: String,
    /// Whether the chart says anything: of gaps, if of nothing else. What a locked meter counted is no
    /// gap.
    pub has_chart: bool,
    /// Whether the rows say which share was measured: a quarter of an hour either is, or is not.
    pub has_coverage: bool,
    /// The end of the last slot that is known.
    pub until: Option<Timestamp>,
    /// What is to be said of single rows.
    pub remarks: Vec<String>,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which slot.
    pub name: String,
    /// Imported.
    pub import: String,
    /// Exported.
    pub export: String,
    /// Generated.
    pub generation: String,
    /// The measured share.
    pub coverage: String,
}

impl EnergyView {
    /// Of a series, as it is shown for a period.
    #[must_use]
    pub fn new(
        frame: &Frame,
        summary: &EnergySummary,
        series: &EnergySeries,
        period: &Period,
    ) -> Self {
        let language = frame.language();
        let has_generation =
            series.topology.is_none() || series.generation.iter().any(Option::is_some);
        let mut slots = Vec::with_capacity(series.starts.len());
        let mut rows = Vec::with_capacity(series.starts.len());
        let mut until = None;
        for (place, start) in series.starts.iter().enumerate() {
            let [import, export, generation, coverage] =
                [&series.import, &series.export, &series.generation, &series.coverage]
                    .map(|column| column.get(place).copied().flatten().map(|ExactNumber(v)| v));
            slots.push(Slot {
                up: import,
                down: export,
                line: generation.filter(|_| has_generation),
                mark: mark(import, coverage, series.flags.get(place).copied(), *start, frame.now),
            });
            if import.or(export).or(generation).is_some() {
                until = series.starts.get(place + 1).copied().or(Some(series.to));
            }
            let shown = |value: Option<Decimal>| {
                value.map_or_else(|| "–".to_owned(), |value| number::number(language, value, 2))
            };
            rows.push(Row {
                name: name(frame, series.step, *start),
                import: shown(import),
                export: shown(export),
                generation: shown(generation),
                coverage: coverage
                    .map_or_else(|| "–".to_owned(), |share| number::percent(language, share)),
            });
        }
        let is_empty = slots.iter().all(|slot| slot.up.is_none() && slot.down.is_none());
        let is_range = summary.import_bounds.is_some();
        let has_gaps = slots.iter().any(|slot| slot.mark == Mark::Gap);
        let remarks = remarks(frame, series, period);
        let chart = Chart {
            id: "energy",
            title: language
                .say_with("chart-title", [("period", period.title(&frame.moments).into())]),
            description: language.say("chart-text"),
            gap: language.say("legend-gap"),
            unit: "kWh",
            ticks: ticks(frame, series, period),
            slots,
            language,
        };
        let head = match series.step {
            EnergyStep::Quarter | EnergyStep::Hour => language.say("column-time"),
            EnergyStep::Day => language.say("column-day"),
            EnergyStep::Month => language.say("column-month"),
        };
        Self {
            svg: chart.svg(),
            head,
            rows,
            has_generation,
            has_gaps,
            is_empty,
            has_chart: !is_empty || (has_gaps && !is_range),
            why_empty: if is_range {
                language.say("only-range")
            } else {
                language.say("no-energy")
            },
            has_coverage: series.step != EnergyStep::Quarter,
            until,
            remarks,
        }
    }
}

/// What is known of a slot: bits of doubt are those of outliers, resets and estimated values.
fn mark(
    import: Option<Decimal>,
    coverage: Option<Decimal>,
    flags: Option<u16>,
    start: Timestamp,
    now: Timestamp,
) -> Mark {
    /// Register reset, outlier, power out of range, interpolated, conflict.
    const DOUBT: u16 = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 10;
    if start >= now || coverage.is_none() {
        Mark::Future
    } else if import.is_none() {
        Mark::Gap
    } else if flags.is_some_and(|flags| flags & DOUBT != 0) {
        Mark::Doubtful
    } else {
        Mark::Measured
    }
}

fn name(frame: &Frame, step: EnergyStep, start: Timestamp) -> String {
    let moments = &frame.moments;
    match step {
        EnergyStep::Quarter | EnergyStep::Hour => moments.time(start),
        EnergyStep::Day => moments.short_day(moments.day_of(start)),
        EnergyStep::Month => moments.month_name(moments.day_of(start)),
    }
}

fn ticks(frame: &Frame, series: &EnergySeries, period: &Period) -> Vec<Tick> {
    let moments = &frame.moments;
    let mut ticks = Vec::new();
    for (slot, start) in series.starts.iter().enumerate() {
        let day = moments.day_of(*start);
        let (label, is_minor) = match period.kind {
            PeriodKind::Day => {
                let time = moments.time(*start);
                let hour = time.get(..2).and_then(|hour| hour.parse::<u8>().ok()).unwrap_or(0);
                if !time.ends_with(":00") || !hour.is_multiple_of(3) {
                    continue;
                }
                (time, !hour.is_multiple_of(6))
            }
            PeriodKind::Week => (moments.weekday(day).chars().take(2).collect(), false),
            PeriodKind::Month => {
                if day.day() % 7 != 1 {
                    continue;
                }
                (moments.short_day(day), false)
            }
            PeriodKind::Year => {
                (moments.month_name(day).chars().take(3).collect(), day.month() % 2 == 0)
            }
        };
        let is_centred = period.kind != PeriodKind::Day;
        ticks.push(Tick { slot, is_centred, label, is_minor });
    }
    ticks
}

/// What is peculiar about the period: days of another length, exchanged meters, doubtful values.
fn remarks(frame: &Frame, series: &EnergySeries, period: &Period) -> Vec<String> {
    let language = frame.language();
    let mut remarks = Vec::new();
    if period.kind == PeriodKind::Day && series.step == EnergyStep::Quarter {
        match series.starts.len() {
            92 => remarks.push(language.say("day-of-23-hours")),
            100 => remarks.push(language.say("day-of-25-hours")),
            _ => {}
        }
    }
    let all = series.flags.iter().fold(0, |all, flags| all | flags);
    let has = |name: &str| {
        let bit = series.flag_names.iter().position(|other| other == name);
        bit.is_some_and(|bit| {
            all.checked_shr(u32::try_from(bit).unwrap_or(u32::MAX)).unwrap_or(0) & 1 != 0
        })
    };
    if has("register_reset") {
        remarks.push(language.say("remark-reset"));
    }
    if has("outlier") || has("power_out_of_range") || has("conflict") {
        remarks.push(language.say("remark-doubtful"));
    }
    if has("coarse") {
        remarks.push(language.say("remark-coarse"));
    }
    remarks
}
