//! Continues a meter's series from what is kept to its last measurement, and keeps the days that are
//! complete.

use std::{collections::VecDeque, sync::Arc};

use ebp_core::contract::EnergyStep;
use ebp_dataset::{Calendar, Day, Days, MeterSeries, Quarter, Reading, Rules, Total, Window};
use ebp_store::{
    HouseholdId, KeptDay, KeptSeries, NewDays, PageQuery, SeriesMeter, Store, StoreError,
    is_settled,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::interrupted::Interrupted;

/// Measurements that are read at a time.
pub(super) const PAGE: usize = 2_000;

/// Days that are kept in one transaction.
const BATCH: usize = 64;

/// The version of the rules that days are made by. Days of another version are made anew.
const VERSION: u32 = 3;

/// A kept day, and what is known of the series at its end.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Stored {
    day: Day,
    total: Total,
    /// When the meter was first read.
    first: i64,
}

/// What the days of a text are.
pub(super) fn parse_day(text: &str) -> Result<Day, StoreError> {
    parse::<Stored>(text).map(|stored| stored.day)
}

/// A state of a series.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged("energy series"))
}

fn write<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged("energy series"))
}

/// By what days are made, with that time zone.
pub(super) fn basis(zone: &str) -> String {
    format!("{VERSION} {zone}")
}

/// What a meter's series are made with.
pub(super) struct Maker<'a> {
    pub store: &'a Arc<dyn Store>,
    /// Of the survey's time zone.
    pub calendar: &'a Calendar,
    pub basis: &'a str,
    pub now: Timestamp,
    pub household: HouseholdId,
}

/// A meter's series up to its last measurement.
#[derive(Debug)]
pub(super) struct MeterRun {
    pub generation: i64,
    /// Days before this are kept in the database, microseconds since the Unix epoch.
    pub kept_to: i64,
    /// The series as all measurements before that leave it, if a day is kept.
    pub state: Option<(i64, MeterSeries)>,
    /// The days from then on.
    pub fresh: Vec<Day>,
    /// The quarter hours of the last of them.
    pub last_day: Vec<Quarter>,
    /// When it was first read, and last.
    pub read: Option<(i64, i64)>,
    pub total: Total,
    /// How many days this has kept.
    pub kept: usize,
}

impl Maker<'_> {
    /// Reads the meter's measurements since what is kept of it.
    pub async fn run(&self, meter: &SeriesMeter) -> Result<MeterRun, Interrupted> {
        let kept = match &meter.kept {
            Some(kept) if kept.basis == self.basis => kept.clone(),
            // Before anything is read: what is inserted from now on is noticed.
            _ => KeptSeries {
                basis: self.basis.to_owned(),
                generation: self
                    .store
                    .begin_series(self.household, meter.number, self.basis)
                    .await?,
                state: None,
                last: None,
            },
        };
        let mut pass = Pass::new(self.calendar.clone());
        let (mut series, mut since) = (MeterSeries::new(Rules::default()), None);
        if let Some((to, text)) = kept.last {
            let Stored { total, first, .. } = parse(&text)?;
            (pass.total, pass.first, pass.kept_to) = (total, Some(first), to);
            let state = match kept.state.filter(|(at, _)| *at == to) {
                Some(state) => Some(state),
                None => self.store.kept_state(meter.number, to).await?,
            };
            if let Some((at, text)) = state {
                series = parse(&text)?;
                since = Some(at);
            }
            series = series.within(Window { from: to, to: i64::MAX });
        }
        if let Some(at) = since {
            pass.begin(at, &series)?;
        }
        let mut new = NewDays {
            meter: meter.number,
            generation: kept.generation,
            days: Vec::new(),
            state: None,
        };
        let mut kept_days = 0;
        let mut query = PageQuery { from: instant(since)?, to: None, after: None, limit: PAGE };
        loop {
            let page = self.store.measurements_page(self.household, meter.uuid, query).await?;
            for stored in &page.items {
                let reading = Reading::from_stored(stored);
                pass.push(&mut series, &reading, self.now, &mut new.days)?;
            }
            if new.days.len() >= BATCH || (page.next.is_none() && !new.days.is_empty()) {
                kept_days += new.days.len();
                new.state = pass
                    .state()
                    .map(|(at, state)| Ok((at, write(state)?)))
                    .transpose()
                    .map_err(|error: StoreError| error)?;
                let days = NewDays { days: std::mem::take(&mut new.days), ..new.clone() };
                if !self.store.keep_days(days).await? {
                    return Err(Interrupted::Changed);
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        let state = pass.state().map(|(at, state)| (at, state.clone()));
        let last = series.last();
        pass.finish(series)?;
        Ok(MeterRun {
            generation: kept.generation,
            kept_to: pass.kept_to,
            state,
            fresh: pass.fresh,
            last_day: pass.last_day,
            read: pass.first.zip(last),
            total: pass.total,
            kept: kept_days,
        })
    }
}

/// That many microseconds since the Unix epoch.
pub(super) fn instant(at: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    let timestamp = |at| Timestamp::from_microsecond(at);
    at.map(timestamp).transpose().map_err(|_| StoreError::Damaged("energy series"))
}

/// Makes days, states and totals of the quarter hours that leave a series.
struct Pass {
    calendar: Calendar,
    days: Days,
    total: Total,
    first: Option<i64>,
    /// The midnight after the last reading.
    midnight: Option<i64>,
    /// The series at midnights, as all readings before them leave it, from the end of the last kept
    /// day on.
    snapshots: VecDeque<(i64, Arc<MeterSeries>)>,
    kept_to: i64,
    fresh: Vec<Day>,
    last_day: Vec<Quarter>,
    last_day_ends: i64,
}

impl Pass {
    fn new(calendar: Calendar) -> Self {
        Self {
            days: Days::new(calendar.clone()),
            calendar,
            total: Total::default(),
            first: None,
            midnight: None,
            snapshots: VecDeque::new(),
            kept_to: i64::MIN,
            fresh: Vec::new(),
            last_day: Vec::new(),
            last_day_ends: i64::MIN,
        }
    }

    /// Goes on from the state at a midnight.
    fn begin(&mut self, at: i64, series: &MeterSeries) -> Result<(), Interrupted> {
        self.snapshots.push_back((at, Arc::new(series.clone())));
        self.midnight = Some(self.calendar.end(EnergyStep::Day, at)?);
        Ok(())
    }

    /// The series at the end of the last kept day.
    fn state(&self) -> Option<(i64, &MeterSeries)> {
        let found = self.snapshots.iter().find(|(at, _)| *at == self.kept_to);
        found.map(|(at, series)| (*at, &**series))
    }

    /// Takes in a reading, and gives the days that can be kept now.
    fn push(
        &mut self,
        series: &mut MeterSeries,
        reading: &Reading,
        now: Timestamp,
        keep: &mut Vec<KeptDay>,
    ) -> Result<(), Interrupted> {
        self.first.get_or_insert(reading.at);
        let mut midnight = match self.midnight {
            Some(midnight) => midnight,
            None => self.calendar.end(EnergyStep::Day, reading.at)?,
        };
        if reading.at >= midnight {
            let before = Arc::new(series.clone());
            while reading.at >= midnight {
                self.snapshots.push_back((midnight, before.clone()));
                midnight = self.calendar.end(EnergyStep::Day, midnight)?;
            }
        }
        self.midnight = Some(midnight);
        let mut rows = Vec::new();
        let pushed = series.push(reading, &mut |row| rows.push(row));
        pushed.map_err(|_| StoreError::Damaged("measurement"))?;
        for row in rows {
            let Some(day) = self.row(&row)? else { continue };
            if self.fresh.is_empty() && is_settled(reading.at, now) {
                keep.push(self.keep(day, reading.at)?);
            } else {
                self.fresh.push(day);
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &Quarter) -> Result<Option<Day>, Interrupted> {
        self.total.push(row);
        if row.slot >= self.last_day_ends {
            self.last_day.clear();
            self.last_day_ends = self.calendar.end(EnergyStep::Day, row.slot)?;
        }
        self.last_day.push(*row);
        Ok(self.days.push(row)?)
    }

    fn keep(&mut self, day: Day, reach: i64) -> Result<KeptDay, Interrupted> {
        let first = self.first.unwrap_or(day.from);
        let text = write(&Stored { day, total: self.total, first })?;
        while self.snapshots.front().is_some_and(|(at, _)| *at < day.from) {
            self.snapshots.pop_front();
        }
        let before = self.snapshots.front().filter(|(at, _)| *at == day.from && is_weekly(*at));
        let state = before.map(|(_, series)| write(&**series)).transpose()?;
        self.kept_to = day.to;
        Ok(KeptDay { starts: day.from, ends: day.to, reach, day: text, state })
    }

    /// No further readings come.
    fn finish(&mut self, series: MeterSeries) -> Result<(), Interrupted> {
        let mut rows = Vec::new();
        series.finish(&mut |row| rows.push(row));
        for row in rows {
            if let Some(day) = self.row(&row)? {
                self.fresh.push(day);
            }
        }
        let days = std::mem::replace(&mut self.days, Days::new(self.calendar.clone()));
        self.fresh.extend(days.finish());
        Ok(())
    }
}

/// Whether the state at that midnight is kept: that of one day in seven.
fn is_weekly(midnight: i64) -> bool {
    const DAY: i64 = super::query::DAY;
    (midnight + DAY / 2).div_euclid(DAY).rem_euclid(7) == 0
}
