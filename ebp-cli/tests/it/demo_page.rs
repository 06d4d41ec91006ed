//! The pages of `ebp demo`: what they show is what the virtual meters counted.

use std::{
    path::Path,
    str::FromStr,
    thread,
    time::{Duration, Instant},
};

use ebp_core::model::MeterType;
use ebp_meter::{
    profile::Profiles,
    virtual_meter::{Energies, HouseholdOptions, MeterOptions, MeterState, VirtualMeter},
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use rustix::process::Signal;
use serde_json::Value;

use crate::{
    operate::page::Browser,
    support::{
        ebp,
        household::{Api, Certificate},
        process::Running,
    },
};

/// The days of the past.
const DAYS: i64 = 6;
/// How long a telegram takes from the meter to its measurement, at most.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(3);

/// A meter of one of the demo's households, as `ebp-cli/src/command/demo/` puts it up.
struct Simulated {
    meter: VirtualMeter,
    reached: Timestamp,
    /// When it has no power and counts nothing.
    dark: Option<(Timestamp, Timestamp)>,
}

impl Simulated {
    fn new(
        household: u8,
        (model, kind): (&str, MeterType),
        (import, export): (u64, u64),
        start: Timestamp,
    ) -> Self {
        let profiles = Profiles::embedded();
        let options = MeterOptions {
            kind,
            number: 1_000_000 + u32::from(household),
            household: HouseholdOptions {
                seed: 1_000 + u64::from(household),
                pv_peak_watts: 9_840,
                battery_watt_hours: if household == 1 { 8_000 } else { 0 },
            },
            locked: false,
            start,
            energies: Energies::from_watt_hours(import, export).unwrap(),
        };
        let meter = VirtualMeter::new(profiles.get(model).unwrap(), options).unwrap();
        Self { meter, reached: start, dark: None }
    }

    /// The power failure that locks it, after 45 % of so many days.
    fn with_failure(mut self, days: i64) -> Self {
        let quarters = days * 24 * 60 * 45 / 100 / 15;
        let from = self.reached + SignedDuration::from_mins(quarters * 15 + 5);
        self.dark = Some((from, from + SignedDuration::from_secs(40)));
        self
    }

    /// Time passes, which it counts in.
    fn pass(&mut self, to: Timestamp) {
        // The last instants of a failure may have been asked for already.
        if let Ok(time) = Duration::try_from(to.duration_since(self.reached)) {
            self.meter.advance(time);
            self.reached = to;
        }
    }

    /// Its registers then, kWh. Instants are asked for in their order.
    fn registers(&mut self, at: Timestamp) -> [Decimal; 2] {
        if let Some((from, to)) = self.dark.filter(|(from, _)| self.reached <= *from && *from < at)
        {
            self.pass(from);
            let energies = self.meter.energies();
            self.pass(to);
            let state = self.meter.state();
            self.meter.restore(MeterState { energies, ..state });
            self.dark = None;
        }
        self.pass(at);
        let Self { meter, .. } = self;
        let Energies { import_microjoules, export_microjoules } = meter.energies();
        [import_microjoules, export_microjoules]
            .map(|microjoules| Decimal::from(microjoules) / Decimal::from(3_600_000_000_000_u64))
    }
}

/// Rows of a CSV file by its columns' names.
fn rows(csv: &str) -> Vec<Vec<&str>> {
    csv.lines().skip(1).map(|line| line.split(',').collect()).collect()
}

/// Every measurement that the page gives away is what the meter's registers stood at.
fn each_measurement_is_the_meters(csv: &str, mut meter: Simulated, columns: [usize; 2]) -> usize {
    let mut compared = 0;
    for row in rows(csv) {
        let at: Timestamp = row[0].parse().unwrap();
        // A locked meter shows no power, and whole kilowatt hours.
        let is_locked = row[4..].iter().take(3).all(|cell| cell.is_empty());
        let places = if is_locked { 0 } else { 4 };
        let cut = |registers: [Decimal; 2]| registers.map(|value| value.trunc_with_scale(places));
        let (before, after) = (cut(meter.registers(at - ON_ITS_WAY)), cut(meter.registers(at)));
        for (column, (low, high)) in columns.into_iter().zip(before.into_iter().zip(after)) {
            if row[column].is_empty() {
                continue;
            }
            let shown = Decimal::from_str(row[column]).unwrap();
            assert!(low <= shown && shown <= high, "{row:?}: {low} to {high}");
            compared += 1;
        }
    }
    compared
}

fn decimal(value: &Value) -> Option<Decimal> {
    if value.is_null() { None } else { Some(Decimal::from_str(&value.to_string()).unwrap()) }
}

/// The server's address, and the household's own certificate beside it.
fn api(demo: &mut Running, state: &Path, household: u8) -> Api {
    let line = demo.wait_for("curl --cacert");
    let url = line.split(' ').find_map(|word| word.strip_prefix("https://")).unwrap();
    let url = format!("https://{}", url.split('/').next().unwrap());
    let own = state.join(format!("household-{household}"));
    let certificate = Certificate {
        serial: String::new(),
        chain: own.join("participant.pem"),
        key: own.join("participant.key"),
    };
    Api::at(&url, &state.join("server/authority/ca.pem"), &certificate)
}

/// Waits for the first page, which is there after a past of six days: longer than anything else takes.
pub fn past_is_made(demo: &Running) -> String {
    let begun = Instant::now();
    loop {
        let told = demo.stderr();
        let line = told.iter().find(|line| line.starts_with("The page of household 1: http://"));
        if let Some(line) = line {
            return line.clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(240), "{told:#?}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_demos_page_shows_what_its_meters_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = ebp();
    command.current_dir(folder.path()).args([
        "demo",
        "--cycle",
        "1s",
        "--past",
        &format!("{DAYS}d"),
    ]);
    let mut demo = Running::start(command);
    let line = past_is_made(&demo);
    let address = line.split(' ').find(|word| word.starts_with("http://")).unwrap();
    let code = line.split("(code ").nth(1).unwrap().trim_end_matches(')');
    let state = folder.path().join("demo-state");
    let second = demo.wait_for("The page of household 2: http://127.0.0.1:");
    let api_of = |demo: &mut Running, household| api(demo, &state, household);
    let api = api_of(&mut demo, 1);
    let mut browser = Browser::at(address.trim_end_matches('/').to_owned());
    browser.sign_in(code);
    let get = |path: &str| {
        let (status, text) = browser.get(path);
        assert_eq!(status, 200, "{path}: {text}");
        text
    };

    // Registers. The meters of the past end where the demo's own begin, whose time runs faster.
    let seam = std::fs::read_to_string(folder.path().join("demo-state/past-end")).unwrap();
    let past = |meter: &str| -> String {
        let all = get(&format!("/data.csv?meter=eb9de301-0000-4000-8000-000000000{meter}"));
        let is_past = |line: &&str| !line.starts_with("20") || *line < seam.trim();
        all.lines().filter(is_past).map(|line| format!("{line}\n")).collect()
    };
    let (grid, roof) = (past("101"), past("102"));
    let first: Timestamp = rows(&grid)[0][0].parse().unwrap();
    let begin = Timestamp::from_second(first.as_second().div_euclid(3_600) * 3_600).unwrap();
    let put_up = |model, kind, registers| Simulated::new(1, (model, kind), registers, begin);
    let at_the_grid =
        || put_up("MT175", MeterType::Electricity, (4_711_000, 12_345_000)).with_failure(DAYS);
    let at_the_roof = || put_up("EHZ", MeterType::PvGeneration, (3_000, 28_500_000));
    assert!(each_measurement_is_the_meters(&grid, at_the_grid(), [2, 3]) > 600);
    assert!(each_measurement_is_the_meters(&roof, at_the_roof(), [2, 3]) > 300);

    // Days: the page, its files and the API say the same, and it is what happened.
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let midnight = |date: Date| zone.to_timestamp(date.into()).unwrap();
    let (mut grid, mut roof) = (at_the_grid(), at_the_roof());
    let mut known = 0;
    let mut date = zone.to_datetime(begin).date().tomorrow().unwrap();
    while midnight(date.tomorrow().unwrap()) < seam.trim().parse().unwrap() {
        let next = date.tomorrow().unwrap();
        let query = format!("from={date}&to={next}&zone=Europe/Berlin");
        let summary = api.get(&format!("/household/summary?{query}"));
        let [from, to] = [date, next].map(midnight);
        let (grid_from, roof_from) = (grid.registers(from), roof.registers(from));
        let (grid_to, roof_to) = (grid.registers(to), roof.registers(to));
        let true_figures = [
            ("import", grid_to[0] - grid_from[0]),
            ("export", grid_to[1] - grid_from[1]),
            ("generation", roof_to[1] - roof_from[1]),
        ];
        for (name, truth) in true_figures {
            if let Some(figure) = decimal(&summary[name]) {
                // The readings next to midnight are some seconds from it.
                let off = (figure - truth).abs();
                assert!(off < Decimal::new(1, 2), "{date}: {name} {figure}, in truth {truth}");
                known += 1;
            }
        }
        same_everywhere(&get, &api, date, &query, &summary);
        date = next;
    }
    // How many are known depends on the hour at which the past ends, as gap and locked time lie elsewhere
    // against midnight. Of five days the gap takes one midnight at most, and with it two days'
    // generation, which the locked meter does not count.
    assert!(known >= 3, "{known} figures of days are known");

    let api = api_of(&mut demo, 2);
    the_exchanged_meter_is_followed(&second, &api, begin, seam.trim().parse().unwrap());

    demo.signal(Signal::INT);
    demo.end().done();
}

/// Household 2 has another meter at the grid after 60 % of the past, which begins at 0.
fn the_exchanged_meter_is_followed(line: &str, api: &Api, begin: Timestamp, seam: Timestamp) {
    let address = line.split(' ').find(|word| word.starts_with("http://")).unwrap();
    let mut browser = Browser::at(address.trim_end_matches('/').to_owned());
    browser.sign_in(line.split("(code ").nth(1).unwrap().trim_end_matches(')'));
    let get = |path: &str| {
        let (status, text) = browser.get(path);
        assert_eq!(status, 200, "{path}: {text}");
        text
    };
    let quarters = DAYS * 24 * 60 * 60 / 100 / 15;
    let exchange = begin + SignedDuration::from_mins(quarters * 15 + 5);
    let grid = MeterType::Electricity;
    let old = || Simulated::new(2, ("MT631", grid), (4_711_000, 12_345_000), begin);
    let new = || Simulated::new(2, ("MT681", grid), (0, 0), exchange);
    let past = |meter: &str| -> String {
        let all = get(&format!("/data.csv?meter=eb9de301-0000-4000-8000-000000000{meter}"));
        let until = seam.to_string();
        let is_past = |line: &&str| !line.starts_with("20") || **line < *until;
        all.lines().filter(is_past).map(|line| format!("{line}\n")).collect()
    };
    let (of_old, of_new) = (past("209"), past("201"));
    assert!(each_measurement_is_the_meters(&of_old, old(), [2, 3]) > 400);
    assert!(each_measurement_is_the_meters(&of_new, new(), [2, 3]) > 300);
    // Neither measures while the other does.
    let at = |rows: &[Vec<&str>], place: usize| rows[place][0].parse::<Timestamp>().unwrap();
    let (of_old, of_new) = (rows(&of_old), rows(&of_new));
    assert!(at(&of_old, of_old.len() - 1) < exchange && exchange <= at(&of_new, 0));

    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let midnight = |date: Date| zone.to_timestamp(date.into()).unwrap();
    let (mut old, mut new) = (old(), new());
    let (mut known, mut with_exchange) = (0, 0);
    let mut date = zone.to_datetime(begin).date().tomorrow().unwrap();
    while midnight(date.tomorrow().unwrap()) < seam {
        let next = date.tomorrow().unwrap();
        let query = format!("from={date}&to={next}&zone=Europe/Berlin");
        let summary = api.get(&format!("/household/summary?{query}"));
        let [from, to] = [date, next].map(midnight);
        // What both counted of the day, as far as each was on the wall.
        let counted = [(&mut old, begin, exchange), (&mut new, exchange, seam)];
        let mut truth = [Decimal::ZERO; 2];
        for (meter, since, until) in counted {
            let (from, to) = (from.max(since), to.min(until));
            if from < to {
                let (before, after) = (meter.registers(from), meter.registers(to));
                truth = [0, 1].map(|place| truth[place] + after[place] - before[place]);
            }
        }
        let is_exchanged = from < exchange && exchange < to;
        for (name, truth) in ["import", "export"].into_iter().zip(truth) {
            let Some(figure) = decimal(&summary[name]) else { continue };
            let off = (figure - truth).abs();
            // The minutes around the exchange are nobody's.
            let most = if is_exchanged { Decimal::ONE } else { Decimal::new(1, 2) };
            assert!(off < most, "{date}: {name} {figure}, in truth {truth}");
            known += 1;
        }
        with_exchange += usize::from(is_exchanged);
        same_everywhere(&get, api, date, &query, &summary);
        date = next;
    }
    assert_eq!(with_exchange, 1);
    assert!(known >= 4, "{known} figures of days are known");
}

/// The page's figures, its JSON and its CSV are the API's.
fn same_everywhere(
    get: &dyn Fn(&str) -> String,
    api: &Api,
    date: Date,
    query: &str,
    summary: &Value,
) {
    let page = get(&format!("/measurements?period=day&date={date}"));
    for name in ["import", "export", "generation"] {
        if let Some(figure) = decimal(&summary[name]) {
            let shown = format!(
                "{:.2}\u{a0}kWh",
                figure.round_dp_with_strategy(
                    2,
                    rust_decimal::RoundingStrategy::MidpointAwayFromZero,
                )
            );
            assert!(page.contains(&shown), "{date}: {name} {shown}");
        }
    }
    let series = api.get(&format!("/household/series?{query}&step=PT15M"));
    let json = get(&format!("/measurements.json?period=day&date={date}"));
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), series, "{date}");
    let csv = get(&format!("/measurements.csv?period=day&date={date}&form=rfc4180"));
    let rows = rows(&csv);
    assert_eq!(rows.len(), series["starts"].as_array().unwrap().len(), "{date}");
    for (place, row) in rows.iter().enumerate() {
        for (column, name) in ["import", "export", "generation"].into_iter().enumerate() {
            let shown = Decimal::from_str(row[1 + column]).ok();
            assert_eq!(shown, decimal(&series[name][place]), "{date}: {row:?}");
        }
    }
}
