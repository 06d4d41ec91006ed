//! A meter's quarter hours of a stretch, from the last kept state on, some days at a time.

use std::{collections::VecDeque, sync::Arc};

use ebp_dataset::{MeterSeries, Quarter, Reading, Rules, Window};
use ebp_store::{Cursor, HouseholdId, PageQuery, SeriesMeter, Store, StoreError};
use uuid::Uuid;

use super::run::{MeterRun, PAGE, instant, parse};

/// Reads a meter's quarter hours.
pub(super) struct QuarterReader {
    store: Arc<dyn Store>,
    household: HouseholdId,
    meter: Uuid,
    /// Nothing once all of its rows have left it.
    series: Option<MeterSeries>,
    since: Option<i64>,
    after: Option<Cursor>,
    rows: VecDeque<Quarter>,
    end: i64,
}

impl QuarterReader {
    /// Of the stretch from `from` to `to`, microseconds since the Unix epoch.
    pub async fn open(
        store: &Arc<dyn Store>,
        household: HouseholdId,
        meter: &SeriesMeter,
        run: &MeterRun,
        (from, to): (i64, i64),
    ) -> Result<Self, StoreError> {
        let window = Window { from, to };
        let overlaps = run.read.is_some_and(|(first, _)| first < to);
        let (mut since, mut series) = (None, None);
        if overlaps {
            let state = match run.state.as_ref().filter(|(at, _)| *at <= from) {
                Some((at, state)) => Some((*at, state.clone())),
                None => match store.kept_state(meter.number, from).await? {
                    Some((at, text)) => Some((at, parse(&text)?)),
                    None => None,
                },
            };
            since = state.as_ref().map(|(at, _)| *at);
            let state = state.map_or_else(|| MeterSeries::new(Rules::default()), |(_, it)| it);
            series = Some(state.within(window));
        }
        let (store, meter) = (store.clone(), meter.uuid);
        let rows = VecDeque::new();
        Ok(Self { store, household, meter, series, since, after: None, rows, end: to })
    }

    /// The rows that begin before that instant, which is not before the one asked for last.
    pub async fn rows_before(&mut self, at: i64) -> Result<Vec<Quarter>, StoreError> {
        let at = at.min(self.end);
        while self.series.is_some() && self.rows.back().is_none_or(|row| row.end() < at) {
            self.read().await?;
        }
        let count = self.rows.partition_point(|row| row.slot < at);
        Ok(self.rows.drain(..count).collect())
    }

    async fn read(&mut self) -> Result<(), StoreError> {
        let from = instant(self.since)?;
        let query = PageQuery { from, to: None, after: self.after, limit: PAGE };
        let page = self.store.measurements_page(self.household, self.meter, query).await?;
        let Some(series) = &mut self.series else { return Ok(()) };
        for stored in &page.items {
            let pushed = series.push(&Reading::from_stored(stored), &mut |row| {
                self.rows.push_back(row);
            });
            pushed.map_err(|_| StoreError::Damaged("measurement"))?;
            if self.rows.back().is_some_and(|row| row.end() >= self.end) {
                self.series = None;
                return Ok(());
            }
        }
        self.after = page.next;
        if self.after.is_none()
            && let Some(series) = self.series.take()
        {
            series.finish(&mut |row| self.rows.push_back(row));
        }
        Ok(())
    }
}
