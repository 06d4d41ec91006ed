//! A chart of the gaps of each meter: an SVG with one row for each meter.
//!
//! Enters: an [`Evaluation`]. Leaves: an SVG document. Absent: fonts, scripts, anything to load.
//!
//! Green is measured, red is silent, orange a slot that was measured more than once; grey is time
//! in which nothing was expected, such as before a meter's first measurement. A gap is at least one
//! pixel wide, so that a single slot in a year is visible.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};

use super::{Evaluation, Stretch};

/// Width of the time's axis, pixels.
const WIDTH: f64 = 1000.0;
/// Room for the meters' names, pixels.
const LEFT: f64 = 190.0;
/// Room for the share measured, pixels.
const RIGHT: f64 = 80.0;
const TOP: f64 = 46.0;
const ROW: f64 = 18.0;
const BAR: f64 = 12.0;

/// Draws the evaluation.
///
/// # Errors
/// Returns the writer's error.
pub fn draw(evaluation: &Evaluation, mut writer: impl Write) -> io::Result<()> {
    let axis = Axis(evaluation.terms.window());
    let bottom = TOP + ROW * evaluation.meters.len() as f64;
    let (width, height) = (LEFT + WIDTH + RIGHT, bottom + 24.0);
    writeln!(
        writer,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">"#
    )?;
    let (from, to) = (axis.0.from, axis.0.to);
    writeln!(writer, "<title>Measured and silent times of each meter, {from} to {to}</title>")?;
    writeln!(
        writer,
        "<style>text{{font:11px sans-serif;fill:#333}}.axis{{stroke:#999;stroke-width:.5}}\
         .before{{fill:#e3e3e3}}.measured{{fill:#3a9d5d}}.silent{{fill:#c8321f}}\
         .double{{fill:#f0a020}}</style>"
    )?;
    writeln!(writer, r##"<rect width="{width}" height="{height}" fill="#fff"/>"##)?;
    writeln!(writer, r#"<text x="{LEFT}" y="16">{from} to {to} (UTC)</text>"#)?;
    for (at, label) in axis.ticks() {
        let x = axis.x(at);
        writeln!(
            writer,
            r#"<line class="axis" x1="{x:.1}" x2="{x:.1}" y1="{:.0}" y2="{bottom:.0}"/>"#,
            TOP - 6.0
        )?;
        writeln!(
            writer,
            r#"<text x="{x:.1}" y="{:.0}" text-anchor="middle">{label}</text>"#,
            TOP - 10.0
        )?;
    }
    for (place, meter) in evaluation.meters.iter().enumerate() {
        let y = TOP + ROW * place as f64;
        let baseline = y + BAR - 2.0;
        let model = escaped(&meter.model);
        let (title, label) = if meter.withheld {
            ("withheld".to_owned(), "withheld".to_owned())
        } else {
            let short = &meter.meter.simple().to_string()[..8];
            (meter.meter.to_string(), format!("{model} {short}"))
        };
        writeln!(
            writer,
            r#"<g><title>{title}</title><text x="4" y="{baseline}">{} {label}</text>"#,
            place + 1,
        )?;
        let mut bar = |class: &str, part: Stretch, least: f64| -> io::Result<()> {
            let x = axis.x(part.from);
            let width = (axis.x(part.to) - x).max(least);
            writeln!(
                writer,
                r#"<rect class="{class}" x="{x:.2}" y="{y}" width="{width:.2}" height="{BAR}"/>"#
            )
        };
        bar("before", axis.0, 0.0)?;
        if let Some(begins) = meter.begins {
            bar("measured", Stretch { from: begins, to }, 0.0)?;
            for &excused in &meter.excused {
                bar("before", excused, 0.0)?;
            }
            for &silence in &meter.silences {
                bar("silent", silence, 1.0)?;
            }
            let cycle = evaluation.terms.measurement_cycle();
            for &double in &meter.doubles {
                let end = double + SignedDuration::try_from(cycle.duration()).unwrap_or_default();
                bar("double", Stretch { from: double, to: end }, 1.0)?;
            }
        }
        let share = meter.figures.measurements.fulfilment();
        let share = share.map_or_else(|| "none".into(), |percent| format!("{percent:.2} %"));
        writeln!(
            writer,
            r#"<text x="{:.0}" y="{baseline}" text-anchor="end">{share}</text></g>"#,
            width - 6.0
        )?;
    }
    let y = bottom + 16.0;
    let legend = [
        ("measured", "measured"),
        ("silent", "silent"),
        ("double", "measured twice"),
        ("before", "not expected"),
    ];
    for (place, (class, label)) in legend.into_iter().enumerate() {
        let x = LEFT + 130.0 * place as f64;
        writeln!(
            writer,
            r#"<rect class="{class}" x="{x}" y="{:.0}" width="12" height="9"/><text x="{:.0}" y="{y:.0}">{label}</text>"#,
            y - 9.0,
            x + 17.0
        )?;
    }
    writeln!(writer, "</svg>")
}

/// The axis of time across the chart.
struct Axis(Stretch);

impl Axis {
    fn x(&self, at: Timestamp) -> f64 {
        let whole = self.0.from.duration_until(self.0.to).as_secs_f64();
        let part = self.0.from.duration_until(at).as_secs_f64();
        LEFT + WIDTH * (part / whole).clamp(0.0, 1.0)
    }

    /// About ten instants to write beside the axis, at whole hours or days.
    fn ticks(&self) -> Vec<(Timestamp, String)> {
        const HOUR: i64 = 3600;
        const DAY: i64 = 86_400;
        let steps = [HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY];
        let seconds = self.0.from.duration_until(self.0.to).as_secs();
        let fits = |step: &i64| seconds / step <= 12;
        let step = steps.into_iter().find(fits).unwrap_or(seconds / 10);
        let format = if step < DAY { "%m-%d %H:%M" } else { "%Y-%m-%d" };
        let first = (self.0.from.as_second() + step - 1).div_euclid(step) * step;
        (0..)
            .map_while(|i| Timestamp::from_second(first + i * step).ok())
            .take_while(|&at| at < self.0.to)
            .map(|at| (at, at.strftime(format).to_string()))
            .collect()
    }
}

/// Text with XML's special characters escaped.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            // XML 1.0 cannot contain these, not even escaped.
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        cycle::Cycle,
        evaluation::{MeterRecord, Observation, Terms},
    };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_single_missed_slot_of_a_year_is_seen() {
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        let terms = Terms::new(from, to, Cycle::QUARTER_HOUR, Cycle::HOUR).unwrap();
        let mut evaluation = Evaluation::new(terms);
        let mut slot = from;
        let mut observations = Vec::new();
        while slot < to {
            if slot != at("2026-07-01T12:00:00Z") {
                observations.push(Observation { measured_at: slot, received_at: slot });
            }
            slot += SignedDuration::from_mins(15);
        }
        let model = "<b>&\u{1}".to_owned();
        evaluation.add(MeterRecord {
            meter: Uuid::from_u128(7),
            model,
            observations,
            ..MeterRecord::default()
        });
        let mut svg = Vec::new();
        draw(&evaluation, &mut svg).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        let silent: Vec<_> =
            svg.lines().filter(|l| l.contains(r#"<rect class="silent" x="#)).collect();
        // The row's and the legend's.
        assert_eq!(silent.len(), 2, "{svg}");
        assert!(silent[0].contains(r#"width="1.00""#), "{}", silent[0]);
        assert!(svg.contains("&lt;b&gt;&amp;\u{fffd}") && svg.contains("100.00 %"), "{svg}");
        assert!(svg.contains("2026-03-"), "{svg}");
    }

    #[test]
    fn the_axis_has_about_ten_marks() {
        for (to, least) in [
            ("2026-01-01T01:00:00Z", 1),
            ("2026-01-02T00:00:00Z", 5),
            ("2026-01-22T00:00:00Z", 3),
            ("2027-01-01T00:00:00Z", 5),
            ("2046-01-01T00:00:00Z", 9),
        ] {
            let axis = Axis(Stretch { from: at("2026-01-01T00:00:00Z"), to: at(to) });
            let ticks = axis.ticks();
            assert!((least..=13).contains(&ticks.len()), "{to}: {ticks:?}");
        }
    }
}
