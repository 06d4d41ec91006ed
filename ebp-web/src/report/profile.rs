//! What households draw, feed in and generate by the hours of the day: means over households, for
//! working days and weekends, and for seasons.

use rust_decimal::Decimal;

use crate::kit::{
    chart::{Chart, Mark, Slot, Tick},
    language::Language,
    number::number,
};

/// An hour of a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// The local hour of the day, 0 to 23.
    pub hour: usize,
    /// The local month, 1 to 12.
    pub month: i8,
    /// Whether the local day is a Saturday or a Sunday.
    pub is_weekend: bool,
    /// What was consumed, kWh; absent where it is not measured.
    pub load: Option<Decimal>,
    /// What was fed in, kWh.
    pub export: Option<Decimal>,
    /// What was generated, kWh.
    pub generation: Option<Decimal>,
}

/// The kinds of days.
const KINDS: [(&str, &str); 6] = [
    ("profile-workday", /* text */ "report-profile-workday"),
    ("profile-weekend", /* text */ "report-profile-weekend"),
    ("profile-winter", /* text */ "report-profile-winter"),
    ("profile-spring", /* text */ "report-profile-spring"),
    ("profile-summer", /* text */ "report-profile-summer"),
    ("profile-autumn", /* text */ "report-profile-autumn"),
];

/// A mean, as it is added up.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: Decimal,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: Option<Decimal>) {
        if let Some(value) = value {
            self.sum = self.sum.checked_add(value).unwrap_or(self.sum);
            self.count += 1;
        }
    }

    fn get(self) -> Option<Decimal> {
        self.sum.checked_div(self.count.into())
    }
}

/// Means by the hours of the day: kWh of an hour, which is kW.
#[derive(Debug, Clone, Default)]
pub struct Profiles([[[Mean; 3]; 24]; KINDS.len()]);

impl Profiles {
    /// Adds an hour of a household.
    pub fn add(&mut self, hour: Hour) {
        let season = match hour.month {
            12 | 1 | 2 => 2,
            3..=5 => 3,
            6..=8 => 4,
            _ => 5,
        };
        for kind in [usize::from(hour.is_weekend), season] {
            let Some(means) = self.0[kind].get_mut(hour.hour) else { return };
            let values = [hour.load, hour.export, hour.generation];
            means.iter_mut().zip(values).for_each(|(mean, value)| mean.add(value));
        }
    }

    /// A chart and a table for each kind of days that there were.
    pub(super) fn panels(&self, language: Language) -> Vec<Panel> {
        let kinds = KINDS.iter().zip(&self.0);
        kinds
            .filter(|(_, hours)| hours.iter().flatten().any(|mean| mean.count > 0))
            .map(|((id, text), hours)| panel(id, language.say(text), hours, language))
            .collect()
    }
}

/// A chart with its table.
pub(super) struct Panel {
    pub title: String,
    pub svg: String,
    pub rows: Vec<(String, [String; 3])>,
}

fn panel(id: &'static str, title: String, hours: &[[Mean; 3]; 24], language: Language) -> Panel {
    let slot = |[load, export, generation]: &[Mean; 3]| Slot {
        up: load.get(),
        down: export.get(),
        line: generation.get(),
        mark: if load.count + export.count + generation.count > 0 {
            Mark::Measured
        } else {
            Mark::Gap
        },
    };
    let tick = |hour: usize| Tick {
        slot: hour,
        is_centred: false,
        label: format!("{hour:02}:00"),
        is_minor: !hour.is_multiple_of(12),
    };
    let chart = Chart {
        id,
        title: title.clone(),
        description: language.say("report-profile-text"),
        gap: language.say("report-profile-gap"),
        unit: "kW",
        slots: hours.iter().map(slot).collect(),
        ticks: (0..=24).step_by(6).map(tick).collect(),
        language,
    };
    let shown =
        |mean: Mean| mean.get().map_or_else(|| "–".to_owned(), |mean| number(language, mean, 3));
    let rows =
        hours.iter().enumerate().map(|(hour, means)| (format!("{hour:02}:00"), means.map(shown)));
    Panel { title, svg: chart.svg(), rows: rows.collect() }
}
