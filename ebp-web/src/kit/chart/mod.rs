//! Charts as SVG that keeps its text at 12 px at any width, without script and without `style=`.
//!
//! Enters: values per slot. Leaves: an `<svg>`. Absent: what the values mean; colours, which are the
//! style sheet's.
//!
//! An SVG with a `viewBox` shrinks its text on a phone. Here the outer one has none: text, grid and
//! hatching are placed by percentages, and only bars and line stand in an inner SVG that stretches.
//! Nothing is said by colour alone: what is drawn stands up, what is fed in stands down, the third
//! series is a line, and gaps are hatched.

#[cfg(test)]
mod palette;
mod scale;

use std::fmt::Write;

use rust_decimal::Decimal;

use super::{defence::Defence, language::Language, number};
use scale::Scale;

/// The height of the area of values, px.
const HEIGHT: i64 = 220;
/// Its upper edge.
const TOP: i64 = 20;
/// Units of the inner SVG in a px.
const FINE: i64 = 100;

/// What is known of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is measured, or nothing has to be said of it.
    Measured,
    /// It was not measured.
    Gap,
    /// It is not over yet.
    Future,
    /// Its values are doubtful or estimated.
    Doubtful,
}

/// A slot of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The bar that stands up.
    pub up: Option<Decimal>,
    /// The bar that hangs down.
    pub down: Option<Decimal>,
    /// The line's value.
    pub line: Option<Decimal>,
    /// What is known of it.
    pub mark: Mark,
}

/// A label below the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// The slot at whose start it stands, or under whose middle.
    pub slot: usize,
    /// Whether it names the whole slot: it stands under its middle.
    pub is_centred: bool,
    /// The label.
    pub label: String,
    /// Whether narrow screens leave it out.
    pub is_minor: bool,
}

/// A chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The start of the identifiers within the page.
    pub id: &'static str,
    /// The title, for people who cannot see it.
    pub title: String,
    /// What it shows in one sentence, for the same.
    pub description: String,
    /// What hatched areas mean.
    pub gap: String,
    /// The unit of the values.
    pub unit: &'static str,
    /// The slots.
    pub slots: Vec<Slot>,
    /// The labels below.
    pub ticks: Vec<Tick>,
    /// The language of numbers.
    pub language: Language,
}

impl Chart {
    /// The `<svg>`.
    #[must_use]
    pub fn svg(&self) -> String {
        let scale = Scale::new(
            self.slots.iter().flat_map(|slot| [slot.up, slot.line]).flatten(),
            self.slots.iter().filter_map(|slot| slot.down),
        );
        let mut svg = String::with_capacity(8 * 1024);
        // Writing into a string cannot fail.
        let _ = self.write(&mut svg, &scale);
        svg
    }

    fn write(&self, svg: &mut String, scale: &Scale) -> std::fmt::Result {
        let (id, bottom) = (self.id, TOP + HEIGHT);
        write!(
            svg,
            "<svg class=\"chart\" width=\"100%\" height=\"{}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-text\"><title id=\"{id}-title\">{}</title>\
             <desc id=\"{id}-text\">{}</desc>",
            bottom + 24,
            escape(&self.title),
            escape(&self.description),
        )?;
        write!(
            svg,
            "<defs><pattern id=\"{id}-hatch\" width=\"8\" height=\"8\" \
             patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
             <line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"8\"/></pattern></defs>"
        )?;
        for (first, last) in self.runs(Mark::Gap) {
            write!(
                svg,
                "<rect class=\"gap\" x=\"{}%\" y=\"{TOP}\" width=\"{}%\" height=\"{HEIGHT}\" \
                 fill=\"url(#{id}-hatch)\"><title>{}</title></rect>",
                self.percent(first),
                self.percent(last - first),
                escape(&self.gap),
            )?;
        }
        for step in scale.steps() {
            let y = TOP + scale.place(step, HEIGHT);
            let class = if step.is_zero() { "axis" } else { "grid" };
            write!(svg, "<line class=\"{class}\" x1=\"0\" x2=\"100%\" y1=\"{y}\" y2=\"{y}\"/>")?;
        }
        self.bars(svg, scale)?;
        for step in scale.steps() {
            let y = TOP + scale.place(step, HEIGHT) + 4;
            // Downwards is a direction here and no negative number.
            let shown = number::number(self.language, step.abs(), scale.places());
            write!(svg, "<text x=\"-6\" y=\"{y}\" text-anchor=\"end\">{shown}</text>")?;
        }
        write!(svg, "<text x=\"-6\" y=\"{}\" text-anchor=\"end\">{}</text>", TOP - 10, self.unit)?;
        for tick in &self.ticks {
            let anchor = match tick.slot {
                slot if slot >= self.slots.len() => "end",
                _ => "middle",
            };
            let half = if tick.is_centred { self.percent(1) / Decimal::TWO } else { Decimal::ZERO };
            let place = (self.percent(tick.slot) + half).round_dp(3).normalize();
            let minor = if tick.is_minor { " class=\"minor\"" } else { "" };
            write!(
                svg,
                "<text{minor} x=\"{place}%\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                bottom + 18,
                escape(&tick.label),
            )?;
        }
        write!(svg, "<line class=\"cursor\" y1=\"{TOP}\" y2=\"{bottom}\" hidden=\"\"/></svg>")
    }

    fn bars(&self, svg: &mut String, scale: &Scale) -> std::fmt::Result {
        let width = 100;
        write!(
            svg,
            "<svg y=\"{TOP}\" width=\"100%\" height=\"{HEIGHT}\" viewBox=\"0 0 {} {}\" \
             preserveAspectRatio=\"none\" aria-hidden=\"true\">",
            self.slots.len().max(1) * width,
            HEIGHT * FINE,
        )?;
        let zero = scale.place(Decimal::ZERO, HEIGHT * FINE);
        for (class, doubtful) in
            [("up", false), ("up doubtful", true), ("down", false), ("down doubtful", true)]
        {
            let mut path = String::new();
            for (place, slot) in self.slots.iter().enumerate() {
                let value = if class.starts_with("up") { slot.up } else { slot.down.map(|d| -d) };
                let Some(value) = value.filter(|value| !value.is_zero()) else { continue };
                if (slot.mark == Mark::Doubtful) != doubtful {
                    continue;
                }
                let height = scale.place(value, HEIGHT * FINE) - zero;
                write!(path, "M{} {zero}v{height}h{}V{zero}z", place * width + 12, width - 24)?;
            }
            if !path.is_empty() {
                write!(svg, "<path class=\"{class}\" d=\"{path}\"/>")?;
            }
        }
        let mut path = String::new();
        let mut is_drawing = false;
        for (place, slot) in self.slots.iter().enumerate() {
            let Some(value) = slot.line else {
                is_drawing = false;
                continue;
            };
            let y = scale.place(value, HEIGHT * FINE);
            let command = if is_drawing { 'L' } else { 'M' };
            write!(path, "{command}{} {y}", place * width + width / 2)?;
            // A value between two gaps is a dash.
            if !is_drawing {
                write!(path, "h1")?;
            }
            is_drawing = true;
        }
        if !path.is_empty() {
            write!(svg, "<path class=\"line\" d=\"{path}\"/>")?;
        }
        svg.push_str("</svg>");
        Ok(())
    }

    /// The start of a slot (or the width of so many), percent.
    fn percent(&self, slot: usize) -> Decimal {
        let slots = Decimal::from(self.slots.len().max(1));
        (Decimal::from(slot) * Decimal::ONE_HUNDRED / slots).round_dp(3).normalize()
    }

    /// Runs of slots with that mark, from the first to behind the last.
    fn runs(&self, mark: Mark) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (place, _) in self.slots.iter().enumerate().filter(|(_, slot)| slot.mark == mark) {
            match runs.last_mut() {
                Some(run) if run.1 == place => run.1 += 1,
                _ => runs.push((place, place + 1)),
            }
        }
        runs
    }
}

/// Text within HTML or SVG.
#[must_use]
pub fn escape(text: &str) -> String {
    if !Defence::Escape.is_on() {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\0' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(slots: Vec<Slot>) -> Chart {
        Chart {
            id: "energy",
            title: "Strom".into(),
            description: "<img src=x onerror=alert(1)>".into(),
            gap: "keine Messung".into(),
            unit: "kWh",
            ticks: vec![Tick {
                slot: 0,
                is_centred: false,
                label: "00:00".into(),
                is_minor: false,
            }],
            slots,
            language: Language::De,
        }
    }

    fn slot(up: &str, mark: Mark) -> Slot {
        let up = up.parse().ok();
        Slot { up, down: up.map(|up: Decimal| up / Decimal::TWO), line: up, mark }
    }

    #[test]
    fn text_keeps_its_size_and_colours_are_the_style_sheets() {
        let svg = chart(vec![slot("0.1", Mark::Measured); 96]).svg();
        let outer = svg.split('>').next().unwrap();
        assert!(!outer.contains("viewBox") && outer.contains("width=\"100%\""), "{outer}");
        assert!(!svg.contains("style=") && !svg.contains("fill=\"#"), "{svg}");
        assert!(!svg.contains("<img") && svg.contains("&lt;img"), "{svg}");
        assert!(svg.len() < 9_000, "{} bytes for a day", svg.len());
    }

    #[test]
    fn gaps_are_hatched_and_the_line_breaks() {
        let mut slots = vec![slot("1", Mark::Measured); 8];
        slots[2] = slot("", Mark::Gap);
        slots[3] = slot("", Mark::Gap);
        slots[6] = slot("", Mark::Gap);
        let svg = chart(slots).svg();
        assert_eq!(svg.matches("class=\"gap\"").count(), 2, "{svg}");
        assert!(svg.contains("x=\"25%\" y=\"20\" width=\"25%\""), "{svg}");
        let line = svg.split("class=\"line\" d=\"").nth(1).unwrap();
        assert_eq!(line.split('"').next().unwrap().matches('M').count(), 3, "{line}");
    }

    #[test]
    fn days_of_92_and_100_quarter_hours_fill_the_width() {
        for slots in [92, 96, 100] {
            let mut marks = vec![slot("1", Mark::Measured); slots];
            marks[slots - 1].mark = Mark::Gap;
            let svg = chart(marks).svg();
            let viewbox = format!("viewBox=\"0 0 {} ", slots * 100);
            assert!(svg.contains(&viewbox), "{svg}");
        }
    }

    #[test]
    fn nothing_and_extremes_are_drawn() {
        for value in ["", "0", "79228162514264337593543950335", "-3", "0.00000001"] {
            let svg = chart(vec![slot(value, Mark::Measured)]).svg();
            assert!(svg.ends_with("</svg>") && !svg.contains("NaN"), "{value}");
        }
        assert!(chart(Vec::new()).svg().ends_with("</svg>"));
    }

    #[test]
    fn a_small_chart() {
        let slots =
            vec![slot("1.5", Mark::Measured), slot("", Mark::Gap), slot("0.25", Mark::Doubtful)];
        insta::assert_snapshot!(chart(slots).svg().replace("><", ">\n<"));
    }
}
