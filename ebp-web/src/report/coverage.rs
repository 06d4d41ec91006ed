//! The days of each meter as a picture: a row for each meter, a column for each day.
//!
//! Days of one state that follow each other are one shape, and all shapes of a state in a row one path:
//! a hundred meters and a year stay small. Every state has a shape of its own, so that nothing is said
//! by colour alone.

use std::fmt::Write;

use ebp_core::evaluation::{Evaluation, MeterEvaluation, Stretch};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::kit::{chart::escape, language::Language};

/// The height of a row, px, and of a bar in it.
const ROW: usize = 14;
const BAR: usize = 12;

/// Units of a day's width.
const DAY: usize = 10;

/// Labels below, at most.
const LABELS: i64 = 12;

/// How much of a day was measured, of what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayState {
    /// All of it.
    Full,
    /// At least 95 %.
    Most,
    /// Less.
    Part,
    /// Nothing.
    Nothing,
    /// Nothing was expected.
    NotExpected,
}

impl DayState {
    pub const ALL: [Self; 5] =
        [Self::Full, Self::Most, Self::Part, Self::Nothing, Self::NotExpected];

    const fn class(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Most => "most",
            Self::Part => "part",
            Self::Nothing => "nothing",
            Self::NotExpected => "none",
        }
    }

    pub fn say(self, language: Language) -> String {
        match self {
            Self::Full => language.say("report-day-full"),
            Self::Most => language.say("report-day-most"),
            Self::Part => language.say("report-day-part"),
            Self::Nothing => language.say("report-day-nothing"),
            Self::NotExpected => language.say("report-day-none"),
        }
    }

    fn for_times(expected: i64, missing: i64) -> Self {
        match (expected, missing) {
            (..=0, _) => Self::NotExpected,
            (_, 0) => Self::Full,
            (expected, missing) if missing >= expected => Self::Nothing,
            (expected, missing) if missing * 20 <= expected => Self::Most,
            _ => Self::Part,
        }
    }
}

/// Each meter's days (UTC).
pub(super) struct Coverage {
    first: Date,
    pub meters: Vec<Vec<DayState>>,
}

impl Coverage {
    pub fn new(evaluation: &Evaluation) -> Self {
        let window = evaluation.terms.window();
        let first = TimeZone::UTC.to_datetime(window.from).date();
        let mut days = Vec::new();
        let mut from = midnight(window.from);
        while from < window.to {
            let to = from.checked_add(SignedDuration::from_hours(24)).unwrap_or(window.to);
            days.push(Stretch { from: from.max(window.from), to: to.min(window.to) });
            from = to;
        }
        let meters = evaluation.meters.iter().map(|meter| states(meter, &days)).collect();
        Self { first, meters }
    }

    /// The `<svg>`.
    pub fn svg(&self, language: Language) -> String {
        let mut svg = String::with_capacity(64 * 1024);
        // Writing into a string cannot fail.
        let _ = self.write(&mut svg, language);
        svg
    }

    fn write(&self, svg: &mut String, language: Language) -> std::fmt::Result {
        let days = self.meters.first().map_or(0, Vec::len).max(1);
        let height = self.meters.len().max(1) * ROW;
        write!(
            svg,
            "<svg class=\"chart\" width=\"100%\" height=\"{}\" role=\"img\" \
             aria-labelledby=\"coverage-title coverage-text\">\
             <title id=\"coverage-title\">{}</title><desc id=\"coverage-text\">{}</desc>",
            height + 24,
            escape(&language.say("report-coverage")),
            escape(&language.say("report-coverage-text")),
        )?;
        let step = (days as i64 / LABELS + 1).max(1);
        for day in (0..days as i64).step_by(usize::try_from(step).unwrap_or(1)) {
            let place = day as f64 * 100.0 / days as f64;
            let date = self.first.checked_add(jiff::Span::new().days(day)).unwrap_or(self.first);
            write!(
                svg,
                "<line class=\"grid\" x1=\"{place:.2}%\" x2=\"{place:.2}%\" y1=\"0\" \
                 y2=\"{height}\"/><text x=\"{place:.2}%\" y=\"{}\">{date}</text>",
                height + 18,
            )?;
        }
        for place in 0..self.meters.len() {
            let y = place * ROW + BAR - 1;
            write!(svg, "<text x=\"-6\" y=\"{y}\" text-anchor=\"end\">{}</text>", place + 1)?;
        }
        write!(
            svg,
            "<svg class=\"days\" width=\"100%\" height=\"{height}\" viewBox=\"0 0 {} {height}\" \
             preserveAspectRatio=\"none\" aria-hidden=\"true\">",
            days * DAY
        )?;
        for (row, meter) in self.meters.iter().enumerate() {
            for state in DayState::ALL {
                let mut path = String::new();
                for (from, to) in runs(meter, state) {
                    shape(&mut path, state, from * DAY, row * ROW + 1, (to - from) * DAY)?;
                }
                if !path.is_empty() {
                    write!(svg, "<path class=\"{}\" d=\"{path}\"/>", state.class())?;
                }
            }
        }
        svg.push_str("</svg></svg>");
        Ok(())
    }
}

/// A state's shape, for the legend.
pub(super) fn key(state: DayState) -> String {
    let mut path = String::new();
    let _ = shape(&mut path, state, 1, 1, 12);
    format!(
        "<svg class=\"mark days\" viewBox=\"0 0 14 14\" width=\"14\" height=\"14\" \
         aria-hidden=\"true\"><path class=\"{}\" d=\"{path}\"/></svg>",
        state.class()
    )
}

/// A bar of the state's height: full, three quarters, a half, a stroke below, a line in the middle.
fn shape(path: &mut String, state: DayState, x: usize, y: usize, width: usize) -> std::fmt::Result {
    let (down, height) = match state {
        DayState::Full => (0, BAR),
        DayState::Most => (BAR / 4, BAR - BAR / 4),
        DayState::Part => (BAR / 2, BAR / 2),
        DayState::Nothing => (BAR - 3, 3),
        DayState::NotExpected => (BAR / 2, 1),
    };
    write!(path, "M{x} {}h{width}v{height}h-{width}z", y + down)
}

/// Runs of days in that state, from the first to behind the last.
fn runs(days: &[DayState], state: DayState) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (place, _) in days.iter().enumerate().filter(|(_, day)| **day == state) {
        match runs.last_mut() {
            Some(run) if run.1 == place => run.1 += 1,
            _ => runs.push((place, place + 1)),
        }
    }
    runs
}

fn midnight(at: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400;
    Timestamp::from_second(at.as_second().div_euclid(DAY) * DAY).unwrap_or(at)
}

fn states(meter: &MeterEvaluation, days: &[Stretch]) -> Vec<DayState> {
    let mut excused = Overlaps::new(&meter.excused);
    let mut silences = Overlaps::new(&meter.silences);
    days.iter()
        .map(|day| {
            let Some(begins) = meter.begins else { return DayState::NotExpected };
            let part = Stretch { from: day.from.max(begins), to: day.to };
            let expected = seconds(part) - excused.within(part);
            DayState::for_times(expected, silences.within(part))
        })
        .collect()
}

fn seconds(stretch: Stretch) -> i64 {
    stretch.from.duration_until(stretch.to).as_secs().max(0)
}

/// How much of stretches, which follow each other, lies within others, which do so, too.
struct Overlaps<'a> {
    rest: &'a [Stretch],
}

impl<'a> Overlaps<'a> {
    const fn new(stretches: &'a [Stretch]) -> Self {
        Self { rest: stretches }
    }

    fn within(&mut self, part: Stretch) -> i64 {
        let mut sum = 0;
        while let Some((stretch, rest)) = self.rest.split_first() {
            if stretch.from >= part.to {
                break;
            }
            let from = stretch.from.max(part.from);
            sum += seconds(Stretch { from, to: stretch.to.min(part.to) });
            if stretch.to > part.to {
                break;
            }
            self.rest = rest;
        }
        sum
    }
}
