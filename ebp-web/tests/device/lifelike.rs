//! A household as it could be, for pictures: its load has mornings and evenings, clouds pass over its
//! roof, and the figures of a period are the sums of its quarters of an hour. Nothing of it is random.

use std::f64::consts::{PI, TAU};

use ebp_core::{
    contract::{EnergySummary, ExactNumber, Language, SurveyInformation, SurveyPrice},
    obis::ObisCode,
};
use ebp_device::socket::Status;
use ebp_web::kit::moment::time_zone;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;

/// What the roof gives at most, W.
const PEAK: f64 = 4_700.0;

/// Energies, units of 0.0001 kWh.
#[derive(Debug, Clone, Copy, Default)]
pub struct Energies {
    pub import: i64,
    pub export: i64,
    pub generation: i64,
}

impl Energies {
    /// From one quarter of an hour to another.
    pub fn between(from: Timestamp, to: Timestamp, zone: &TimeZone) -> Self {
        let mut sum = Self::default();
        for second in (from.as_second()..to.as_second()).step_by(900) {
            let part = Self::of_quarter(Timestamp::from_second(second).unwrap(), zone);
            sum.import += part.import;
            sum.export += part.export;
            sum.generation += part.generation;
        }
        sum
    }

    /// Of the quarter of an hour that begins then.
    fn of_quarter(start: Timestamp, zone: &TimeZone) -> Self {
        let local = zone.to_datetime(start);
        let hour = f64::from(local.hour()) + f64::from(local.minute()) / 60.0 + 0.125;
        let number = start.as_second() / 900;
        let day = (start.as_second() + 7_200).div_euclid(86_400);
        let roof = roof(hour, f64::from(local.date().day_of_year()), day, number);
        let load = load(hour, day, number);
        // Within a quarter of an hour the load goes up and down.
        let through = roof.min(load) * 0.12;
        let [import, export] = [(load - roof).max(0.0) + through, (roof - load).max(0.0) + through];
        let [import, export, generation] =
            [import, export, roof].map(|watts| (watts * 2.5).round() as i64);
        Self { import, export, generation }
    }
}

/// The same number from 0 to 1 for the same question.
fn chance(number: i64, question: i64) -> f64 {
    let mut bits = (number * 31 + question).cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 40) as f64 / f64::from(1 << 24)
}

/// The roof's power, W.
fn roof(hour: f64, day_of_year: f64, day: i64, number: i64) -> f64 {
    let summer = 0.5 - 0.5 * (TAU * (day_of_year + 10.0) / 365.0).cos();
    let half = (8.0 + 8.3 * summer) / 2.0;
    let height = (PI / 2.0 * (hour - 13.2) / half).cos();
    if (hour - 13.2).abs() >= half {
        return 0.0;
    }
    let weather = 0.35 + 0.65 * chance(day, 1).sqrt();
    let cloud = 1.0 - chance(number, 2).powi(3) * (1.3 - weather);
    PEAK * height.powf(1.6) * (0.4 + 0.6 * summer) * weather * cloud
}

/// The household's load, W.
fn load(hour: f64, day: i64, number: i64) -> f64 {
    let around = |at: f64, width: f64| (-((hour - at) / width).powi(2)).exp();
    let meals =
        900.0 * around(7.2, 0.8) + 1_300.0 * around(12.6, 0.6) + 1_600.0 * around(19.0, 1.4);
    let evening = 380.0 * around(21.6, 1.5);
    let washes = chance(day, 3) > 0.45 && (10.0..11.5).contains(&hour);
    let washing = if washes { 900.0 + 700.0 * chance(number, 4) } else { 0.0 };
    260.0 + 90.0 * chance(number, 5) + (meals + evening) * (0.7 + 0.6 * chance(number, 6)) + washing
}

/// What the survey says of itself: the template's summary, filled in.
pub fn describe_survey(survey: &mut SurveyInformation) {
    for text in &mut survey.texts {
        let (template, gaps) = match text.language {
            Language::De => (
                include_str!("../../../ebp-cli/src/texts/summary.de.md"),
                [
                    ("TODO(who)", "Das Institut für Beispiele"),
                    ("TODO(purpose)", "Wir wollen verstehen, wann Haushalte Strom brauchen."),
                    ("TODO(duration)", "ein Jahr lang."),
                    ("TODO(contact)", "studie@example.org, 030 1234567."),
                ],
            ),
            Language::En => (
                include_str!("../../../ebp-cli/src/texts/summary.en.md"),
                [
                    ("TODO(who)", "The Institute of Examples"),
                    ("TODO(purpose)", "We want to understand when households need electricity."),
                    ("TODO(duration)", "for one year."),
                    ("TODO(contact)", "study@example.org, +49 30 1234567."),
                ],
            ),
        };
        text.summary = gaps
            .iter()
            .fold(template.to_owned(), |text, (gap, filling)| text.replace(gap, filling));
    }
    survey.controller = Some("Institut für Beispiele, Beispielstraße 1, 12345 Beispiel".into());
    for contact in &mut survey.contacts {
        contact.name = "Institut für Beispiele".into();
        contact.phone = Some("+49 30 1234567".into());
        contact.email = Some("study@example.org".into());
    }
    survey.prices = vec![SurveyPrice {
        from: "2025-01-01".parse().unwrap(),
        import: Decimal::new(3_512, 4),
        export: Decimal::new(794, 4),
    }];
}

/// Sums up the quarters of an hour from one day to another, or until now.
pub fn sum_up(summary: &mut EnergySummary, from: Date, to: Date, now: Timestamp) {
    let zone = time_zone("Europe/Berlin").unwrap();
    let [from, to] = [from, to].map(|day| zone.to_timestamp(day.into()).unwrap().min(now));
    let Energies { import, export, generation } = Energies::between(from, to, &zone);
    let (own, used) = (generation - export, import + generation - export);
    let share = |part: i64, whole: i64| {
        (whole > 0).then(|| ExactNumber(Decimal::from(part) / Decimal::from(whole)))
    };
    summary.import = kilowatt_hours(import);
    summary.export = kilowatt_hours(export);
    summary.generation = kilowatt_hours(generation);
    summary.consumption = kilowatt_hours(used);
    summary.self_consumption = kilowatt_hours(own);
    summary.self_consumption_share = share(own, generation);
    summary.autarky = share(own, used);
}

/// The meters show the power of the last quarter of an hour, and registers of some years.
pub fn show_meters(status: &mut Status, now: Timestamp) {
    let zone = time_zone("Europe/Berlin").unwrap();
    let last = Energies::between(now - SignedDuration::from_mins(15), now, &zone);
    // What the roof's meter counts goes out of the house.
    let shown = [
        (47_115_318, 123_456_789, last.import - last.export),
        (30_000, 286_647_258, -last.generation),
    ];
    for (meter, (import, export, power)) in status.meters.iter_mut().zip(shown) {
        for point in &mut meter.data {
            point.value = match point.obis {
                ObisCode::POSITIVE_ENERGY => Decimal::new(import, 4),
                ObisCode::NEGATIVE_ENERGY => Decimal::new(export, 4),
                _ => Decimal::new(power * 4 / 10, 3),
            };
        }
    }
}

/// Units of 0.0001 kWh as kWh.
pub fn kilowatt_hours(units: i64) -> Option<ExactNumber> {
    Some(ExactNumber(Decimal::new(units, 4)))
}
