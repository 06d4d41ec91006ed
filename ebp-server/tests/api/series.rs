//! A household's energy through the API: the worked examples of `ebp-dataset/tests/cases/`, and what
//! cannot be asked.

use std::path::Path;

use ebp_core::{
    contract::{EnergySeries, EnergySummary, Registered, problem_type},
    model::{Flag, Measurement},
    scope::Group,
};
use ebp_dataset::{Interval, MeterSeries, QUARTER, Quality, Quarter, Reading, Register, Rules};
use ebp_store::HouseholdId;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Server, registration};

#[derive(Debug, Clone, Deserialize)]
struct Given {
    at: String,
    import: Option<String>,
    export: Option<String>,
    #[serde(default)]
    within: f64,
    #[serde(default)]
    clock_corrected: bool,
}

#[derive(Deserialize)]
struct Row {
    slot: String,
    energy: Option<String>,
    lo: Option<String>,
    hi: Option<String>,
    quality: String,
    flags: Vec<String>,
}

#[derive(Deserialize)]
struct Case {
    title: String,
    date: String,
    readings: Vec<Given>,
    rows: Vec<Row>,
}

fn load<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ebp-dataset/tests/cases");
    let text = std::fs::read_to_string(cases.join(name)).unwrap();
    toml::from_str(&text).unwrap()
}

fn on(date: &str, time: &str) -> Timestamp {
    let seconds = if time.len() == 5 { ":00" } else { "" };
    format!("{date}T{time}{seconds}Z").parse().unwrap()
}

impl Given {
    fn flags(&self) -> Vec<Flag> {
        let corrected = self.clock_corrected.then_some(Flag::ClockCorrected);
        // A flag says up to 5 or 15 s, no number between.
        let within = (self.within > 0.0).then_some(Flag::TimeWithin5s);
        corrected.into_iter().chain(within).collect()
    }

    /// As a device sends it: every digit counts.
    fn measurement(&self, date: &str, meter: Uuid) -> Measurement {
        let point = |code: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{{\"{code}\":{value}}}"))
        };
        let points = [point("0100010800ff", &self.import), point("0100020800ff", &self.export)];
        let data = points.into_iter().flatten().collect::<Vec<_>>().join(",");
        Measurement {
            uuid: Uuid::new_v4(),
            meter,
            measured_at: on(date, &self.at),
            data: serde_json::from_str(&format!("[{data}]")).unwrap(),
            flags: self.flags(),
        }
    }

    fn reading(&self, date: &str) -> Reading {
        let register = |text: &Option<String>| {
            text.as_ref().map(|text| Register::from_decimal(text.parse().unwrap()).unwrap())
        };
        Reading {
            import: register(&self.import),
            export: register(&self.export),
            uncertainty: if self.within > 0.0 { 5_000_000 } else { 0 },
            clock_corrected: self.clock_corrected,
            ..Reading::at(on(date, &self.at).as_microsecond())
        }
    }
}

/// The rows of the rules themselves.
fn quarters(readings: impl Iterator<Item = Reading>) -> Vec<Quarter> {
    let mut series = MeterSeries::new(Rules::default());
    let mut rows = Vec::new();
    for reading in readings {
        series.push(&reading, &mut |row| rows.push(row)).unwrap();
    }
    series.finish(&mut |row| rows.push(row));
    rows
}

/// A household that consented a year before.
async fn household(server: &Server, email: &str) -> (Registered, Api) {
    let since = "2025-06-01T00:00:00Z".parse().unwrap();
    let made = server.store.register_further(registration(email), since).await.unwrap();
    server.store.grant_consent(HouseholdId(made.household), since).await.unwrap();
    let api = server.device(email, &made);
    (made, api)
}

async fn upload(api: &Api, measurements: &[Measurement]) {
    let items: Vec<Value> =
        measurements.iter().map(|one| serde_json::to_value(one).unwrap()).collect();
    let answer = api.upload(&items).ok().await;
    for item in answer["items"].as_array().unwrap() {
        assert_eq!(item["outcome"], "accepted", "{item}");
    }
}

async fn series(api: &Api, query: &str) -> EnergySeries {
    serde_json::from_value(api.get(&format!("/household/series?{query}")).ok().await).unwrap()
}

async fn summary(api: &Api, query: &str) -> EnergySummary {
    serde_json::from_value(api.get(&format!("/household/summary?{query}")).ok().await).unwrap()
}

/// Four decimals, as the tables have them.
fn four(value: Decimal) -> String {
    let mut value = value.round_dp(4);
    value.rescale(4);
    value.to_string()
}

fn exact(interval: Interval) -> (Option<Decimal>, Option<[Decimal; 2]>) {
    let bounds = interval.bounds.map(|(lo, hi)| [lo.to_decimal(0), hi.to_decimal(0)]);
    (interval.energy.map(|energy| energy.to_decimal(0)), bounds)
}

async fn check(server: &Server, name: &str) {
    let case: Case = load(name);
    let (made, api) =
        household(server, &format!("{}@example.org", name.trim_end_matches(".toml"))).await;
    let measurements: Vec<_> =
        case.readings.iter().map(|one| one.measurement(&case.date, made.meters[0])).collect();
    // The last one first: the order does not matter.
    for one in measurements.iter().rev() {
        upload(&api, std::slice::from_ref(one)).await;
    }
    let (from, to) = (on(&case.date, "11:00"), on(&case.date, "14:00"));
    let query = format!("from={from}&to={to}&step=PT15M&meters=true&bounds=true");
    let found = series(&api, &query).await;
    let grid = &found.meters.as_ref().unwrap()[0];
    assert_eq!((grid.meter, found.starts.len()), (made.meters[0], 12));
    let names = |flags: u16| -> Vec<&str> {
        let names = found.flag_names.iter().enumerate();
        names.filter(|(bit, _)| flags >> bit & 1 != 0).map(|(_, name)| name.as_str()).collect()
    };
    // To the last digit those of the rules.
    for row in quarters(case.readings.iter().map(|one| one.reading(&case.date))) {
        let what = format!("{} at {}", case.title, row.slot);
        let place = found.starts.iter().position(|at| at.as_microsecond() == row.slot).unwrap();
        let (energy, bounds) = exact(row.import.interval());
        assert_eq!(grid.import[place].map(|it| it.0), energy, "{what}");
        assert_eq!(found.import[place], grid.import[place], "{what}");
        let limits = grid.import_bounds.as_ref().unwrap()[place];
        assert_eq!(limits.map(|ends| ends.map(|it| it.0)), bounds, "{what}");
        assert_eq!(grid.flags[place], row.flags.0, "{what}");
        let is_measured = row.import.interval().quality == Quality::Measured;
        let coverage = Decimal::from(u8::from(is_measured));
        assert_eq!(grid.coverage[place].unwrap().0, coverage, "{what}");
    }
    // And those of the tables, which were computed by hand.
    for row in &case.rows {
        let what = format!("{} at {}", case.title, row.slot);
        let place = found.starts.iter().position(|at| *at == on(&case.date, &row.slot)).unwrap();
        let energy = grid.import[place].map(|it| four(it.0));
        assert_eq!(energy, row.energy, "{what}");
        assert_eq!(row.quality == "measured", energy.is_some(), "{what}");
        assert_eq!(names(grid.flags[place]), row.flags, "{what}");
        let limits = grid.import_bounds.as_ref().unwrap()[place];
        // The example's instants are known to 5.4 s.
        if case.readings.iter().all(|one| one.within == 0.0) {
            let limit = |end: usize| limits.map(|ends| four(ends[end].0));
            assert_eq!((limit(0), limit(1)), (row.lo.clone(), row.hi.clone()), "{what}");
        }
    }
    assert_eq!(found.topology.as_deref(), Some("one_register"));
    assert!(found.generation.iter().all(Option::is_none));
}

#[tokio::test]
async fn the_worked_examples() {
    let server = Server::start().await;
    for name in [
        "1_ordinary.toml",
        "2_gap.toml",
        "3_late.toml",
        "4_reset.toml",
        "4_reset_with_a_past.toml",
        "5_outlier.toml",
        "6_locked.toml",
        "7_clock_corrected.toml",
    ] {
        check(&server, name).await;
    }
}

#[derive(Deserialize)]
struct Meter {
    readings: Vec<Given>,
}

#[derive(Deserialize)]
struct TwoMeters {
    date: String,
    slot: String,
    generation: String,
    export: String,
    self_consumption: String,
    grid: Meter,
    generation_meter: Meter,
}

#[tokio::test]
async fn two_meters_whose_instants_differ() {
    let case: TwoMeters = load("8_two_meters.toml");
    let server = Server::start().await;
    let (made, api) = household(&server, "erika@example.org").await;
    for (meter, of) in made.meters.iter().zip([&case.grid, &case.generation_meter]) {
        let measurements: Vec<_> =
            of.readings.iter().map(|one| one.measurement(&case.date, *meter)).collect();
        upload(&api, &measurements).await;
    }
    let (from, to) = (on(&case.date, &case.slot), on(&case.date, "12:15"));
    let found = series(&api, &format!("from={from}&to={to}&step=PT15M")).await;
    let (export, generation) = (found.export[0].unwrap().0, found.generation[0].unwrap().0);
    assert_eq!((four(export), four(generation)), (case.export, case.generation));
    assert_eq!(four(generation - export), case.self_consumption);
    assert_eq!((found.flags[0], found.topology), (0, None));
    assert_eq!(found.coverage[0].unwrap().0, Decimal::ONE);
    assert!(found.meters.is_none() && found.bounds.is_none());
}

#[derive(Deserialize)]
struct Day {
    date: String,
    from: String,
    to: String,
    quarters: i64,
}

#[derive(Deserialize)]
struct Days {
    zone: String,
    days: Vec<Day>,
    each: String,
}

#[tokio::test]
async fn days_of_92_and_100_quarter_hours() {
    let case: Days = load("9_local_days.toml");
    let each: Decimal = case.each.parse().unwrap();
    let server = Server::start().await;
    for day in &case.days {
        let email = format!("{}@example.org", day.date);
        let (made, api) = household(&server, &email).await;
        let instant = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        let (from, to) = (instant(&day.from), instant(&day.to));
        let gap = from + 8 * QUARTER..from + 12 * QUARTER;
        let slots = (from - 4 * QUARTER..=to + QUARTER).step_by(900_000_000);
        let measurements: Vec<_> = (0_i64..)
            .zip(slots)
            .filter(|(_, slot)| !gap.contains(slot))
            .map(|(number, slot)| {
                let at = Timestamp::from_microsecond(slot + 1_000_000).unwrap().to_string();
                let mut shown = (each * Decimal::from(number)).round_dp(4);
                shown.rescale(4);
                let given = Given {
                    at: at[11..at.len() - 1].to_owned(),
                    import: Some(shown.to_string()),
                    export: Some("0.0000".into()),
                    within: 0.0,
                    clock_corrected: false,
                };
                given.measurement(&at[..10], made.meters[0])
            })
            .collect();
        upload(&api, &measurements).await;
        let next = day.date.parse::<jiff::civil::Date>().unwrap().tomorrow().unwrap();
        let stretch = format!("from={}&to={next}", day.date);
        let found = series(&api, &format!("{stretch}&step=P1D&meters=true")).await;
        assert_eq!(found.zone, case.zone);
        assert_eq!(found.from.as_microsecond(), from);
        assert_eq!(found.to.as_microsecond(), to);
        let whole = each * Decimal::from(day.quarters);
        assert_eq!(found.import[0].unwrap().0, whole, "{}", day.date);
        let grid = &found.meters.unwrap()[0];
        let share =
            Decimal::from((day.quarters - 5) * 10_000 / day.quarters) / Decimal::from(10_000);
        assert_eq!(grid.coverage[0].unwrap().0, share.normalize(), "{}", day.date);
        let rows = series(&api, &format!("{stretch}&step=PT15M")).await.import;
        assert_eq!(i64::try_from(rows.len()).unwrap(), day.quarters);
        assert_eq!(rows.iter().filter(|row| row.is_none()).count(), 5);
        let rows = series(&api, &format!("{stretch}&step=PT1H")).await.import;
        assert_eq!(i64::try_from(rows.len()).unwrap() * 4, day.quarters);
        // The day's sum is known, though some of its quarter hours are not.
        let figures = summary(&api, &stretch).await;
        assert_eq!((figures.import.unwrap().0, figures.quarters), (whole, day.quarters));
        // The other meter was never read: what it counts is not known, and not zero.
        assert_eq!(
            (figures.generation, figures.reasons["autarky"].as_str()),
            (None, "not_measured")
        );
    }
}

#[tokio::test]
async fn researchers_and_participants_see_the_same() {
    let server = Server::start().await;
    let (made, api) = household(&server, "erika@example.org").await;
    let (_, other) = household(&server, "max@example.org").await;
    let case: Case = load("1_ordinary.toml");
    let measurements: Vec<_> =
        case.readings.iter().map(|one| one.measurement(&case.date, made.meters[0])).collect();
    upload(&api, &measurements).await;
    let query = format!("from={0}T11:00:00Z&to={0}T13:00:00Z&step=PT15M&bounds=true", case.date);
    let own = api.get(&format!("/household/series?{query}")).ok().await;
    let researcher = server.manager(Group::Researchers);
    let path = format!("/management/household/{}", made.household);
    assert_eq!(researcher.get(&format!("{path}/series?{query}")).ok().await, own);
    let days = "from=2026-01-31&to=2026-02-01";
    let figures = api.get(&format!("/household/summary?{days}")).ok().await;
    assert_eq!(researcher.get(&format!("{path}/summary?{days}")).ok().await, figures);
    // Another household has none of it.
    let foreign = other.get(&format!("/household/series?{query}")).ok().await;
    assert!(foreign["import"].as_array().unwrap().iter().all(Value::is_null));
    assert_eq!(foreign["topology"], Value::Null);
    let unknown = format!("/management/household/{}/series?{query}", Uuid::nil());
    researcher.get(&unknown).problem(404, problem_type::NOT_FOUND).await;
    // Once consent is revoked, the participant has none, and researchers see what is left of it.
    api.delete("/household/consent").ok().await;
    let gone = api.get(&format!("/household/series?{query}"));
    gone.problem(410, problem_type::CONSENT_REVOKED).await;
    researcher.get(&format!("{path}/series?{query}")).problem(404, problem_type::NOT_FOUND).await;
    let released = server.store.revoked_households().await.unwrap()[0].household;
    let path = format!("/management/household/{released}");
    assert_eq!(researcher.get(&format!("{path}/series?{query}")).ok().await, own);
}

#[tokio::test]
async fn what_cannot_be_asked_says_what_to_change() {
    let server = Server::start().await;
    let (_, api) = household(&server, "erika@example.org").await;
    let researcher = server.manager(Group::Researchers);
    for (query, expected) in [
        ("", "`step` must be PT15M, PT1H, P1D or P1M"),
        ("step=P1D", "`from` is missing: `from` must be a day (2026-01-31)"),
        ("step=P1D&from=2026-01-01&to=yesterday", "`to` must be a day"),
        ("step=P1D&from=2026-01-01T12:00:00Z&to=2026-01-03", "such as 2025-12-31T23:00:00Z"),
        ("step=PT15M&from=2026-01-01&to=2026-02-02", "31 days at most: bring `from` and `to`"),
        ("step=PT1H&from=2026-01-01&to=2026-04-05", "hours are given for 93 days at most"),
        ("step=P1D&from=2026-01-01&to=2026-06-01&zone=UTC", "or leave out `zone`"),
        ("step=P1D&from=2026-01-01&to=2026-01-02&zone=Mars", "such as Europe/Berlin"),
        ("step=P1D&from=2026-01-02&to=2026-01-01", "`to` must be later than `from`"),
        ("step=P1D&from=1900-01-01&to=2026-01-01", "3660 days at most"),
        ("step=P1D&from=-009999-01-01&to=2026-01-01", "between the years 1 and 9999"),
        ("step=P1D&from=1880-01-01&to=1880-01-02", "ask for later ones"),
    ] {
        let asked = api.get(&format!("/household/series?{query}"));
        let problem = asked.problem(400, problem_type::INVALID).await;
        let detail = problem.detail.unwrap();
        assert!(detail.contains(expected), "{query}: {detail}");
        assert!(!detail.contains("yesterday") && !detail.contains("Mars"), "{detail}");
        let path = format!("/management/household/{}/series?{query}", Uuid::nil());
        let status = researcher.get(&path).send().await.unwrap().status().as_u16();
        assert!([400, 404].contains(&status), "{query}: {status}");
    }
    let odd = api.get("/household/summary?from=2026-01-01T10:00:00Z&to=2026-01-02");
    let problem = odd.problem(400, problem_type::INVALID).await;
    assert!(problem.detail.unwrap().contains("a day of the time zone begins"));
    // Of a year in which nothing was measured there is nothing, and why.
    let empty = summary(&api, "from=2025-01-01&to=2026-01-01").await;
    assert_eq!((empty.import, empty.quarters, empty.complete), (None, 0, false));
    assert_eq!(empty.reasons["import"], "not_measured");
    assert_eq!(json!(empty.flags), json!([]));
}
