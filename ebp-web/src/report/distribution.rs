//! How a share of 0 to 1 is distributed over households: how many have 0 to 10 %, 10 to 20 %, …

use rust_decimal::{Decimal, prelude::ToPrimitive};

use crate::kit::{
    chart::{Chart, Mark, Slot, Tick},
    language::Language,
    number::{number, percent},
};

/// Classes of a tenth each.
const CLASSES: usize = 10;

/// Which share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ratio {
    /// Of what is consumed, how much is self-consumption.
    Autarky,
    /// Of what is generated, how much is self-consumption.
    SelfConsumption,
}

/// Households by a share.
#[derive(Debug, Clone, Default)]
pub struct Distribution {
    classes: [u64; CLASSES],
    shares: Vec<Decimal>,
}

impl Distribution {
    /// Adds a household's share. One beyond 0 to 1 belongs to the class at that end.
    pub fn add(&mut self, share: Decimal) {
        let tenth = (share * Decimal::TEN).floor().to_usize().unwrap_or(0).min(CLASSES - 1);
        self.classes[tenth] += 1;
        let place = self.shares.partition_point(|other| *other < share);
        self.shares.insert(place, share);
    }

    /// The share that half of the households do not exceed.
    #[must_use]
    pub fn median(&self) -> Option<Decimal> {
        self.shares.get(self.shares.len().div_ceil(2).checked_sub(1)?).copied()
    }

    /// A chart and a table.
    pub(super) fn panel(&self, ratio: Ratio, language: Language) -> Panel {
        let (id, title) = match ratio {
            Ratio::Autarky => ("autarky", language.say("report-autarky")),
            Ratio::SelfConsumption => ("share", language.say("report-self-consumption")),
        };
        let slot = |count: &u64| Slot {
            up: Some((*count).into()),
            down: None,
            line: None,
            mark: Mark::Measured,
        };
        let edge = |class: usize| percent(language, Decimal::new(class as i64, 1));
        let tick = |class: usize| Tick {
            slot: class,
            is_centred: false,
            label: edge(class),
            is_minor: !class.is_multiple_of(5),
        };
        let chart = Chart {
            id,
            title: title.clone(),
            description: language.say("report-distribution-text"),
            gap: String::new(),
            unit: "",
            slots: self.classes.iter().map(slot).collect(),
            ticks: (0..=CLASSES).map(tick).collect(),
            language,
        };
        let rows = self.classes.iter().enumerate().map(|(class, count)| {
            let range = format!("{} – {}", edge(class), edge(class + 1));
            (range, number(language, (*count).into(), 0))
        });
        let median = self.median().map(|median| {
            let shown = percent(language, median);
            language.say_with("report-median", [("median", shown.into())])
        });
        Panel { title, svg: chart.svg(), rows: rows.collect(), median }
    }
}

/// A chart with its table.
pub(super) struct Panel {
    pub title: String,
    pub svg: String,
    pub rows: Vec<(String, String)>,
    pub median: Option<String>,
}
