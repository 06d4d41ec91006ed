//! Reads each household once: keeps its readings and quarter hours aside, and notes what is known of
//! it.

use std::sync::Arc;

use ebp_dataset::{
    Calendar, Day, Days, EnergyStep, HouseholdPeriod, Interval, MeterRole, MeterSeries,
    Quality as Word, Quarter, Reading, Register, RegisterQuarter, Roles, Rules, SignCheck, Spans,
    Stretches, Total, day_number,
};
use ebp_store::{HouseholdId, PageQuery, SeriesMeter, Store, StoreError};

use super::{
    ExportError, ExportOrder,
    facts::{DayRow, Details, HouseholdFacts, Kept, KeptRoles, MeterFacts, Part, Quality, SpanRow},
    folder::Folder,
    lines::slot_of,
    plan::Plan,
    progress::{Progress, Tell},
    reading::ReadingRow,
    scratch::{put_quarter, put_reading},
};
use crate::series::{HouseholdRoles, Seen, assign, bits};

/// Measurements that are read at a time.
const PAGE: usize = 2_000;

/// Reads the households that were not read yet.
pub(super) async fn collect(
    store: &Arc<dyn Store>,
    order: &ExportOrder,
    calendar: &Calendar,
    plan: &Plan,
    folder: &mut Folder,
    tell: &mut Tell<'_>,
) -> Result<(), ExportError> {
    if folder.is_complete() {
        return Ok(());
    }
    let all = plan.households.len() as u64;
    let months = Calendar::bundled("UTC")?;
    let stretch = order.intervals(calendar)?;
    for (household, _) in plan.households.iter().skip(folder.collected()) {
        tell(Progress { part: "households", done: folder.collected() as u64, all })?;
        let folder = &mut *folder;
        let mut reader = Reader { store, order, calendar, months: &months, stretch, folder };
        let facts = reader.household(HouseholdId(*household)).await?;
        folder.add(&facts)?;
    }
    Ok(())
}

struct Reader<'a> {
    store: &'a Arc<dyn Store>,
    order: &'a ExportOrder,
    calendar: &'a Calendar,
    /// Files are cut by months of UTC.
    months: &'a Calendar,
    /// That of the quarter hours that are kept aside: whole intervals.
    stretch: (i64, i64),
    folder: &'a mut Folder,
}

impl Reader<'_> {
    async fn household(&mut self, id: HouseholdId) -> Result<HouseholdFacts, ExportError> {
        let mut series = self.store.series_household(id).await?;
        series.meters.sort_by_key(|meter| meter.uuid);
        for meter in &mut series.meters {
            meter.removed_at = meter.removed_at.filter(|at| *at <= self.order.as_of);
        }
        let known = self.store.meters(id).await?;
        let mut meters = Vec::with_capacity(series.meters.len());
        let (mut days, mut seen, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        for meter in &series.meters {
            let model = known.iter().find(|known| known.uuid == meter.uuid);
            let model = model.map(|known| known.model.clone()).unwrap_or_default();
            let (facts, pass) = self.meter(id, meter, model).await?;
            seen.push(Seen { read: facts.read, total: pass.total });
            meters.push(facts);
            days.push(pass.days);
            spans.push(pass.spans);
        }
        let HouseholdRoles { roles, meters: each, topology, generates, .. } =
            assign(self.calendar, &series, &seen);
        for (meter, role) in meters.iter_mut().zip(each) {
            meter.role = role;
        }
        let stretches = Stretches::new(seen.iter().map(|seen| seen.read));
        let days = self.days(&roles, (topology.is_none(), generates), (&days, &stretches))?;
        let rows = stretches.whole().map(|(first, last)| {
            let (from, to) = self.stretch;
            (first.max(from), last.min(to))
        });
        let rows = rows.filter(|(first, last)| first < last);
        Ok(HouseholdFacts {
            household: self.store.household(id).await?,
            systems: self.store.pv_systems(id).await?,
            meters,
            roles: KeptRoles::new(&roles),
            topology: topology.map(|topology| topology.name().to_owned()),
            generates,
            rows,
            details: self.folder.keep_details(&Details { days, spans })?,
        })
    }

    async fn meter(
        &mut self,
        id: HouseholdId,
        meter: &SeriesMeter,
        model: String,
    ) -> Result<(MeterFacts, Pass<'_>), ExportError> {
        let mut pass = Pass::new(self.calendar, self.months, self.stretch);
        let mut series = MeterSeries::new(Rules::default());
        let mut query = PageQuery { from: None, to: None, after: None, limit: PAGE };
        loop {
            let page = self.store.measurements_page(id, meter.uuid, query).await?;
            for stored in page.items.iter().filter(|it| it.received_at <= self.order.as_of) {
                let reading = Reading::from_stored(stored);
                let pushed = series.push(&reading, &mut |row| pass.ready.push(row));
                pushed.map_err(|_| StoreError::Damaged("measurement"))?;
                pass.note(&reading);
                pass.take_quarters(self.order, self.folder)?;
                pass.take_reading(&ReadingRow::new(stored, &reading), self.order, self.folder)?;
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        series.finish(&mut |row| pass.ready.push(row));
        pass.take_quarters(self.order, self.folder)?;
        pass.close_readings(self.folder)?;
        pass.close_quarters(self.folder)?;
        let incidents = self.store.incidents(id, meter.uuid).await?;
        let as_of = self.order.as_of;
        let incidents = incidents.into_iter().filter(|it| it.reported_at <= as_of).map(|mut it| {
            it.resolved_at = it.resolved_at.filter(|at| *at <= as_of);
            it
        });
        let facts = MeterFacts {
            uuid: meter.uuid,
            kind: meter.kind,
            role: MeterRole::Unknown,
            model,
            incidents: incidents.collect(),
            read: pass.read,
            resolution: pass.resolution,
            power_sign_suspect: pass.sign.is_suspect(),
            registers: pass.registers(),
            quality: std::mem::take(&mut pass.quality),
            parts: std::mem::take(&mut pass.parts),
        };
        pass.days.extend(pass.open_days.clone().finish());
        Ok((facts, pass))
    }

    /// A household's days within the stretch: all of them from its first to its last one, whether
    /// a meter was read then or not.
    fn days(
        &self,
        roles: &Roles,
        (has_balance, generates): (bool, bool),
        (meters, stretches): (&[Vec<Day>], &Stretches),
    ) -> Result<Vec<DayRow>, ExportError> {
        let Some((first, last)) = stretches.whole() else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        let mut next = self.calendar.start(EnergyStep::Day, first)?;
        while next < last {
            let ends = (next, self.calendar.end(EnergyStep::Day, next)?);
            next = ends.1;
            if !self.order.wants(ends.0) {
                continue;
            }
            let of_meters: Vec<&[Day]> = meters
                .iter()
                .map(|days| {
                    let place = days.partition_point(|day| day.from < ends.0);
                    let end =
                        place + usize::from(days.get(place).is_some_and(|it| it.from == ends.0));
                    &days[place..end]
                })
                .collect();
            let day = HouseholdPeriod::from_days(roles, ends, &of_meters, stretches);
            let date = self.calendar.local_quarter(ends.0)?.date;
            rows.push(day_row(&day, day_number(date), has_balance, generates));
        }
        Ok(rows)
    }
}

fn day_row(day: &HouseholdPeriod, date: i32, has_balance: bool, generates: bool) -> DayRow {
    let balance = &day.balance;
    let kept = |interval: &Interval| -> Kept {
        (interval.energy.map(|it| it.0), interval.bounds.map(|(lo, hi)| (lo.0, hi.0)))
    };
    let figures = day.figures();
    let ratio = |ratio: Result<rust_decimal::Decimal, _>| {
        ratio.ok().filter(|_| has_balance).and_then(|ratio| ratio.to_string().parse().ok())
    };
    let energy = |interval: &Interval| interval.energy.filter(|_| has_balance).map(|it| it.0);
    DayRow {
        date,
        quarters: day.quarters,
        measured: if has_balance { day.measured } else { 0 },
        import: kept(&balance.import),
        export: kept(&balance.export),
        generation: if generates { kept(&balance.generation) } else { (None, None) },
        consumption: energy(&balance.consumption),
        self_consumption: energy(&balance.self_consumption),
        autarky: ratio(figures.autarky),
        share: ratio(figures.self_consumption_share),
        flags: bits(day.flags, has_balance && balance.balance_violated),
    }
}

/// Import and export of a reading.
type Registers = [Option<Register>; 2];

/// What a meter's measurements are made into.
struct Pass<'a> {
    months: &'a Calendar,
    stretch: (i64, i64),
    ready: Vec<Quarter>,
    quarters: Month,
    before: Option<Quarter>,
    readings: Month,
    parts: Vec<Part>,
    read: Option<(i64, i64)>,
    resolution: Option<i64>,
    /// Those of the first and the last reading.
    registers: Option<(Registers, Registers)>,
    open_days: Days,
    days: Vec<Day>,
    total: Total,
    sign: SignCheck,
    open_spans: (Spans, Spans),
    spans: Vec<SpanRow>,
    quality: Quality,
}

/// A month that is being filled.
#[derive(Default)]
struct Month {
    ends: (i64, i64),
    bytes: Vec<u8>,
}

impl<'a> Pass<'a> {
    fn new(calendar: &Calendar, months: &'a Calendar, stretch: (i64, i64)) -> Self {
        Self {
            months,
            stretch,
            ready: Vec::new(),
            quarters: Month::default(),
            before: None,
            readings: Month::default(),
            parts: Vec::new(),
            read: None,
            resolution: None,
            registers: None,
            open_days: Days::new(calendar.clone()),
            days: Vec::new(),
            total: Total::default(),
            sign: SignCheck::default(),
            open_spans: (Spans::default(), Spans::default()),
            spans: Vec::new(),
            quality: Quality { flags: vec![0; ebp_dataset::Flag::ALL.len()], ..Quality::default() },
        }
    }

    fn note(&mut self, reading: &Reading) {
        let first = self.read.map_or(reading.at, |(first, _)| first);
        self.read = Some((first, reading.at));
        let shown = [reading.import, reading.export];
        let first = self.registers.map_or(shown, |(first, _)| first);
        self.registers = Some((first, shown));
        for register in [reading.import, reading.export].into_iter().flatten() {
            let resolution = register.resolution().0;
            self.resolution = Some(self.resolution.map_or(resolution, |it| it.min(resolution)));
        }
    }

    /// As texts.
    fn registers(&self) -> Vec<String> {
        let ends = self.registers.iter().flat_map(|(first, last)| [first, last]);
        ends.flatten().flatten().map(|register| register.value().to_string()).collect()
    }

    fn take_quarters(
        &mut self,
        order: &ExportOrder,
        folder: &mut Folder,
    ) -> Result<(), ExportError> {
        for quarter in std::mem::take(&mut self.ready) {
            self.total.push(&quarter);
            self.sign.push(&quarter);
            self.days.extend(self.open_days.push(&quarter)?);
            for (is_import, spans, register) in [
                (true, &mut self.open_spans.0, &quarter.import),
                (false, &mut self.open_spans.1, &quarter.export),
            ] {
                let span = spans.push(register).filter(|span| order.wants(span.from));
                self.spans.extend(span.map(|span| SpanRow {
                    is_import,
                    from: span.from,
                    to: span.to,
                    quarters: span.quarters,
                    energy: span.interval.energy.map(|it| it.0),
                    bounds: span.interval.bounds.map(|(lo, hi)| (lo.0, hi.0)),
                }));
            }
            if quarter.slot < self.stretch.0 || quarter.slot >= self.stretch.1 {
                continue;
            }
            self.count(&quarter);
            if quarter.slot >= self.quarters.ends.1 {
                self.close_quarters(folder)?;
                self.quarters.ends = self.month(quarter.slot)?;
            }
            put_quarter(&mut self.quarters.bytes, self.before.as_ref(), &quarter);
            self.before = Some(quarter);
        }
        Ok(())
    }

    fn count(&mut self, quarter: &Quarter) {
        let measured =
            |register: &RegisterQuarter| u64::from(register.interval().quality == Word::Measured);
        self.quality.quarters += 1;
        self.quality.import += measured(&quarter.import);
        self.quality.export += measured(&quarter.export);
        for flag in quarter.flags.iter() {
            if let Some(count) = self.quality.flags.get_mut(flag as usize) {
                *count += 1;
            }
        }
    }

    fn month(&self, at: i64) -> Result<(i64, i64), ExportError> {
        Ok((self.months.start(EnergyStep::Month, at)?, self.months.end(EnergyStep::Month, at)?))
    }

    fn take_reading(
        &mut self,
        row: &ReadingRow,
        order: &ExportOrder,
        folder: &mut Folder,
    ) -> Result<(), ExportError> {
        if !order.wants(slot_of(row.measured_at)) {
            return Ok(());
        }
        if row.measured_at >= self.readings.ends.1 {
            self.close_readings(folder)?;
            self.readings.ends = self.month(row.measured_at)?;
        }
        put_reading(&mut self.readings.bytes, row);
        Ok(())
    }

    fn close_quarters(&mut self, folder: &mut Folder) -> Result<(), ExportError> {
        self.before = None;
        let bytes = std::mem::take(&mut self.quarters.bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        let month = self.quarters.ends.0;
        self.part(month).quarters = folder.keep("quarters", month, &bytes)?;
        Ok(())
    }

    fn close_readings(&mut self, folder: &mut Folder) -> Result<(), ExportError> {
        let bytes = std::mem::take(&mut self.readings.bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        let month = self.readings.ends.0;
        self.part(month).readings = folder.keep("readings", month, &bytes)?;
        Ok(())
    }

    fn part(&mut self, month: i64) -> &mut Part {
        let place = self.parts.iter().position(|part| part.month == month).unwrap_or_else(|| {
            self.parts.push(Part { month, ..Part::default() });
            self.parts.len() - 1
        });
        &mut self.parts[place]
    }
}
