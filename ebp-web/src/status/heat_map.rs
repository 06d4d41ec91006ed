//! A meter's slots as a picture: a row for each day, a column for each slot.
//!
//! Every state has a shape of its own, so that nothing is said by colour alone: a full bar, a lower
//! half, two stripes, a thin line, a hollow box. As charts do, the picture keeps its text at 12 px at
//! any width, and stretches only the bars.

use std::fmt::Write;

use super::timeline::{MeterTimeline, Slot, TimelineDay};
use crate::kit::{chart::escape, moment::Moments};

/// The height of a day, px.
const ROW: usize = 12;
/// The height of a bar, px.
const BAR: usize = 10;
/// Units of the inner picture in a day's width.
const WIDTH: usize = 9_600;
/// Days from one label to the next.
const LABELS: usize = 5;

/// A picture of a meter's days.
pub struct HeatMap<'a> {
    /// The start of its identifiers within the page.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What it shows in a sentence, for people who cannot see it.
    pub description: String,
    /// What is shown.
    pub timeline: &'a MeterTimeline,
    /// How days are written.
    pub moments: &'a Moments,
}

impl HeatMap<'_> {
    /// The `<svg>`.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut svg = String::with_capacity(4 * 1024);
        // Writing into a string cannot fail.
        let _ = self.write(&mut svg);
        svg
    }

    fn write(&self, svg: &mut String) -> std::fmt::Result {
        let (id, days) = (&self.id, &self.timeline.days);
        let height = days.len().max(1) * ROW;
        write!(
            svg,
            "<svg class=\"chart\" width=\"100%\" height=\"{}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-text\"><title id=\"{id}-title\">{}</title>\
             <desc id=\"{id}-text\">{}</desc>",
            height + 22,
            escape(&self.title),
            escape(&self.description),
        )?;
        for hour in [0, 6, 12, 18, 24] {
            let place = hour * 100 / 24;
            let anchor = if hour == 24 { "end" } else { "middle" };
            let anchor = if hour == 0 { "start" } else { anchor };
            // On a small screen the ones between have no room.
            let class = if hour % 12 == 0 { "" } else { " class=\"minor\"" };
            write!(
                svg,
                "<line class=\"grid\" x1=\"{place}%\" x2=\"{place}%\" y1=\"0\" y2=\"{height}\"/>\
                 <text{class} x=\"{place}%\" y=\"{}\" text-anchor=\"{anchor}\">{hour:02}:00</text>",
                height + 16,
            )?;
        }
        for (row, day) in days.iter().enumerate().rev().step_by(LABELS) {
            let (y, day) = ((row + 1) * ROW - 2, self.moments.short_day(day.day));
            write!(svg, "<text x=\"-6\" y=\"{y}\" text-anchor=\"end\">{}</text>", escape(&day))?;
        }
        write!(
            svg,
            "<svg width=\"100%\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
             preserveAspectRatio=\"none\" aria-hidden=\"true\">"
        )?;
        for slot in Slot::SHOWN {
            let mut path = String::new();
            for (row, day) in days.iter().enumerate() {
                for (first, last) in runs(day, slot) {
                    let slots = day.slots.len().max(1);
                    let (left, right) = (first * WIDTH / slots, last * WIDTH / slots);
                    draw(&mut path, slot, left, row * ROW + 1, right - left, BAR)?;
                }
            }
            if !path.is_empty() {
                write!(svg, "<path class=\"{}\" d=\"{path}\"/>", class(slot))?;
            }
        }
        svg.push_str("</svg></svg>");
        Ok(())
    }
}

/// A state's shape, for the legend.
#[must_use]
pub fn key(slot: Slot) -> String {
    let mut path = String::new();
    let _ = draw(&mut path, slot, 1, 1, 12, BAR);
    format!(
        "<svg class=\"mark\" viewBox=\"0 0 14 12\" width=\"14\" height=\"12\" \
         aria-hidden=\"true\"><path class=\"{}\" d=\"{path}\"/></svg>",
        class(slot)
    )
}

/// The shape of a run of slots.
fn draw(
    path: &mut String,
    slot: Slot,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
) -> std::fmt::Result {
    let mut bar = |y: usize, height: usize| write!(path, "M{x} {y}h{width}v{height}h-{width}z");
    match slot {
        Slot::Measured => bar(y, height),
        Slot::Late => bar(y + height / 2, height - height / 2),
        Slot::Flagged => {
            bar(y, 3)?;
            bar(y + height - 3, 3)
        }
        Slot::Waiting => bar(y + height / 2 - 1, 2),
        Slot::Missing => bar(y + 1, height - 2),
        Slot::Unexpected => Ok(()),
    }
}

const fn class(slot: Slot) -> &'static str {
    match slot {
        Slot::Measured => "measured",
        Slot::Late => "late",
        Slot::Flagged => "flagged",
        Slot::Waiting => "waiting",
        Slot::Missing => "missing",
        Slot::Unexpected => "",
    }
}

/// Runs of a day's slots of that kind, from the first to behind the last.
fn runs(day: &TimelineDay, of: Slot) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (place, _) in day.slots.iter().enumerate().filter(|(_, slot)| **slot == of) {
        match runs.last_mut() {
            Some(run) if run.1 == place => run.1 += 1,
            _ => runs.push((place, place + 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::{SignedDuration, tz::TimeZone};
    use uuid::Uuid;

    use super::*;
    use crate::kit::language::Language;

    fn timeline(days: &[Vec<Slot>]) -> MeterTimeline {
        let day = |(place, slots): (usize, &Vec<Slot>)| TimelineDay {
            day: jiff::civil::date(2026, 6, 1 + i8::try_from(place).unwrap()),
            begins: "2026-06-01T00:00:00Z".parse().unwrap(),
            slots: slots.clone(),
        };
        let days = days.iter().enumerate().map(day).collect();
        MeterTimeline { meter: Uuid::nil(), days, cycle: SignedDuration::from_mins(15) }
    }

    fn svg(timeline: &MeterTimeline) -> String {
        let moments = Moments { zone: TimeZone::UTC, language: Language::En };
        let (title, description) = ("<Meter>".to_owned(), "Each row is a day.".to_owned());
        HeatMap { id: "a".to_owned(), title, description, timeline, moments: &moments }.svg()
    }

    #[test]
    fn every_state_has_a_shape_of_its_own() {
        let shapes: BTreeSet<String> = Slot::SHOWN.iter().map(|slot| key(*slot)).collect();
        let without_class = |key: &String| key.split(" d=").nth(1).map(str::to_owned);
        let shapes: BTreeSet<_> = shapes.iter().filter_map(without_class).collect();
        assert_eq!(shapes.len(), 5);
    }

    #[test]
    fn days_of_92_and_100_slots_are_as_wide_as_the_others() {
        let full = |slots| vec![Slot::Measured; slots];
        let svg = svg(&timeline(&[full(96), full(92), full(100)]));
        let bars = "M0 1h9600v10h-9600zM0 13h9600v10h-9600zM0 25h9600v10h-9600z";
        assert!(svg.contains(&format!("<path class=\"measured\" d=\"{bars}\"/>")), "{svg}");
        assert!(svg.contains("&lt;Meter&gt;") && !svg.contains("style="));
    }

    #[test]
    fn the_worst_month_is_small() {
        let worst: Vec<Slot> = (0..96).map(|slot| Slot::SHOWN[slot % 5]).collect();
        let svg = svg(&timeline(&vec![worst; 30]));
        assert!(svg.len() < 90_000, "{} bytes", svg.len());
        let usual: Vec<Slot> =
            (0..96).map(|slot| if slot == 40 { Slot::Missing } else { Slot::Measured }).collect();
        let svg = self::svg(&timeline(&vec![usual; 30]));
        assert!(svg.len() < 5_000, "{} bytes", svg.len());
    }
}
