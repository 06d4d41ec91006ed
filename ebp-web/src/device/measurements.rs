//! What was measured, by day, week, month and year, with the period before beside it.

use std::{fmt::Write, ops::RangeInclusive, sync::Arc};

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use ebp_core::contract::{EnergySeries, EnergyStep, EnergySummary, ExactNumber, SurveyInformation};
use jiff::civil::Date;

use super::{
    cloud::EnergyRequest,
    energy::EnergyView,
    figure::{Figure, figures},
    money::{self, Division, Money, Parts},
    period::{Period, PeriodKind},
    problem,
    state::DeviceWeb,
    visitor::{SignedIn, Visitor},
};
use crate::kit::{
    frame::{Frame, Link},
    language::Language,
    number,
};

#[derive(Template)]
#[template(path = "device/measurements.html")]
struct Page {
    frame: Frame,
    kinds: Vec<Link>,
    period: String,
    kind: &'static str,
    date: String,
    previous: Option<Link>,
    next: Option<Link>,
    figures: Vec<Figure>,
    compared: String,
    coverage: String,
    energy: Option<EnergyView>,
    downloads: Vec<Link>,
    money: Option<Money>,
    /// What is typed into the form of prices, ct/kWh.
    prices: [String; 2],
    has_own_prices: bool,
    /// What has to be said before the figures.
    notes: Vec<String>,
}

/// Years that have measurements; the server has none of others.
const YEARS: RangeInclusive<i16> = 2000..=2100;

/// A period that is asked for is none.
struct NoPeriod;

/// The period that is asked for; today's if none is.
fn asked(visitor: &Visitor) -> Result<Period, NoPeriod> {
    let preference = |name| visitor.preferences.get(name).filter(|text| !text.is_empty());
    let kind = preference("period").map_or(Ok(PeriodKind::Day), str::parse);
    let day = preference("date").map_or_else(
        || Ok(visitor.moments().day_of(visitor.now)),
        |date| date.parse::<Date>().map_err(|_| NoPeriod),
    )?;
    let period = Period::from_day(kind.map_err(|_| NoPeriod)?, day);
    period.filter(|_| YEARS.contains(&day.year())).ok_or(NoPeriod)
}

/// `GET /measurements?period&date`.
pub async fn show(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let (period, is_none) = match asked(&visitor) {
        Ok(period) => (Some(period), false),
        Err(NoPeriod) => {
            let today = visitor.moments().day_of(visitor.now);
            (Period::from_day(PeriodKind::Day, today), true)
        }
    };
    let Some(period) = period else { return problem::no_period(&visitor) };
    let previous = period.previous();
    let survey = if money::has_own(&visitor) { None } else { survey(&web).await };
    let survey = survey.unwrap_or_default();
    let zone = &web.parts.zone;
    let bounds = [period.from, period.to].map(|day| zone.to_timestamp(day.into()));
    let [Ok(from), Ok(to)] = bounds else { return problem::no_period(&visitor) };
    let series = survey.quarter_prices.as_ref();
    let division = money::division(&survey.prices, series, &period, (from, to));
    let answers = web.ask(move |cloud| {
        let summary = cloud.summary(period.from, period.to)?;
        let before = match previous {
            Some(before) => Some(cloud.summary(before.from, before.to)?),
            None => None,
        };
        let series = cloud.series(period.request())?;
        let ask_by = |step| match period.request() {
            request if request.step == step => Ok(series.clone()),
            request => cloud.series(EnergyRequest { step, ..request }),
        };
        let parts = match division {
            Division::Whole => None,
            Division::Days => Some(Parts::Days(ask_by(EnergyStep::Day)?)),
            Division::TooMany => Some(Parts::TooMany),
            Division::Quarters => {
                let prices = cloud.survey_with_prices(from, to)?.quarter_prices;
                let quarters = ask_by(EnergyStep::Quarter)?;
                prices.map(|prices| Parts::Quarters(quarters, prices))
            }
        };
        Ok(Answers { summary, before, series, parts })
    });
    match answers.await {
        Ok(answers) => {
            let mut response = visitor.show(&page(&visitor, (period, is_none), &answers, &survey));
            let cookie = money::cookie(&visitor);
            if let Some(Ok(cookie)) = cookie.map(|cookie| HeaderValue::from_str(&cookie)) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) => problem::cloud(&visitor, error),
    }
}

/// What the server says of a period.
struct Answers {
    summary: EnergySummary,
    before: Option<EnergySummary>,
    series: EnergySeries,
    /// By days or quarter hours, if prices change within the period.
    parts: Option<Parts>,
}

/// What the survey says of itself, as it is known.
async fn survey(web: &Arc<DeviceWeb>) -> Option<SurveyInformation> {
    match web.known_survey() {
        Some(known) => Some(known),
        None => web.survey().await,
    }
}

/// `is_none` says that another period was asked for, which is none.
fn page(
    visitor: &Visitor,
    (period, is_none): (Period, bool),
    answers: &Answers,
    survey: &SurveyInformation,
) -> Page {
    let Answers { summary, before, series, parts } = answers;
    let language = visitor.language();
    let frame = visitor.frame(language.say("menu-measurements"));
    let link = |period: &Period, text: String| Link {
        address: period.address(),
        text,
        lang: language.code(),
        is_current: false,
    };
    let today = frame.moments.day_of(visitor.now);
    let kinds = PeriodKind::ALL.into_iter().filter_map(|kind| {
        let text = match kind {
            PeriodKind::Day => language.say("period-day"),
            PeriodKind::Week => language.say("period-week"),
            PeriodKind::Month => language.say("period-month"),
            PeriodKind::Year => language.say("period-year"),
        };
        // From a year to a day: the last of its days that is not in the future.
        let day = period.last().min(today).max(period.from);
        let link = link(&Period::from_day(kind, day)?, text);
        Some(Link { is_current: kind == period.kind, ..link })
    });
    let coverage = summary.coverage.map_or_else(
        || language.say("coverage-none"),
        |ExactNumber(share)| {
            language.say_with("coverage", [("share", number::percent(language, share).into())])
        },
    );
    let compared = period.previous().map_or_else(String::new, |before| {
        language.say_with("compared-with", [("period", before.title(&frame.moments).into())])
    });
    let energy = EnergyView::new(&frame, summary, series, &period);
    // The household was measured for the first time later, or never.
    let is_before = summary.quarters == 0 && period.to <= today;
    let mut notes = notes(visitor, &period, today);
    if is_before {
        notes.push(language.say("before-the-first"));
    }
    if is_none {
        notes.insert(0, language.say("no-such-day"));
    }
    let previous = period.previous().filter(|_| !is_before);
    Page {
        kinds: kinds.collect(),
        period: period.title(&frame.moments),
        kind: period.kind.name(),
        date: period.from.to_string(),
        previous: previous.map(|before| link(&before, before_text(language, period.kind))),
        next: period
            .next()
            .filter(|next| next.from <= today)
            .map(|next| link(&next, after_text(language, period.kind))),
        figures: figures(language, summary, before.as_ref()),
        compared,
        coverage,
        downloads: downloads(language, &period),
        money: money::money(visitor, &period, summary, parts.as_ref(), &survey.prices),
        prices: money::typed(visitor),
        has_own_prices: money::has_own(visitor),
        notes,
        energy: Some(energy).filter(|energy| !energy.rows.is_empty() && !is_before),
        frame,
    }
}

fn before_text(language: Language, kind: PeriodKind) -> String {
    match kind {
        PeriodKind::Day => language.say("previous-day"),
        PeriodKind::Week => language.say("previous-week"),
        PeriodKind::Month => language.say("previous-month"),
        PeriodKind::Year => language.say("previous-year"),
    }
}

fn after_text(language: Language, kind: PeriodKind) -> String {
    match kind {
        PeriodKind::Day => language.say("next-day"),
        PeriodKind::Week => language.say("next-week"),
        PeriodKind::Month => language.say("next-month"),
        PeriodKind::Year => language.say("next-year"),
    }
}

/// The clock, the future.
fn notes(visitor: &Visitor, period: &Period, today: Date) -> Vec<String> {
    let language = visitor.language();
    let mut notes = Vec::new();
    if !visitor.web.parts.clock.synchronised() {
        notes.push(language.say("clock-not-set"));
    }
    if period.from > today {
        notes.push(language.say("in-the-future"));
    }
    notes
}

fn downloads(language: Language, period: &Period) -> Vec<Link> {
    let query = format!("period={}&date={}", period.kind.name(), period.from);
    [
        (format!("/measurements.csv?{query}&form=german"), language.say("csv-german")),
        (format!("/measurements.csv?{query}&form=rfc4180"), language.say("csv-rfc")),
        (format!("/measurements.json?{query}"), language.say("json")),
    ]
    .map(|(address, text)| Link { address, text, lang: language.code(), is_current: false })
    .into()
}

/// `GET /measurements.csv?period&date&form=german|rfc4180`.
pub async fn csv(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let is_german = visitor.preferences.get("form") != Some("rfc4180");
    download(&web, &visitor, "csv", "text/csv; charset=utf-8", |series| {
        rows(&visitor, series, is_german)
    })
    .await
}

/// `GET /measurements.json?period&date`.
pub async fn json(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let write = |series: &EnergySeries| serde_json::to_string(series).unwrap_or_default();
    download(&web, &visitor, "json", "application/json", write).await
}

async fn download(
    web: &Arc<DeviceWeb>,
    visitor: &Visitor,
    extension: &str,
    media_type: &'static str,
    write: impl FnOnce(&EnergySeries) -> String,
) -> Response {
    let Ok(period) = asked(visitor) else { return problem::no_period(visitor) };
    let series = match web.ask(move |cloud| cloud.series(period.request())).await {
        Ok(series) => series,
        Err(error) => return problem::cloud(visitor, error),
    };
    let name = format!("{}-{}", period.kind.name(), period.from);
    attachment(media_type, &format!("ebp-{name}.{extension}"), write(&series))
}

/// An answer that the browser stores as a file. The name is made of our own letters.
fn attachment(media_type: &'static str, name: &str, body: String) -> Response {
    let headers: [(HeaderName, String); 2] = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, body).into_response()
}

/// The rows of a CSV file: numbers to their last digit, times local with their offset.
fn rows(visitor: &Visitor, series: &EnergySeries, is_german: bool) -> String {
    let (separator, point) = if is_german { (';', ",") } else { (',', ".") };
    let mut text = String::new();
    // A spreadsheet takes the file for UTF-8.
    if is_german {
        text.push('\u{feff}');
    }
    let head = ["start", "import_kwh", "export_kwh", "generation_kwh", "coverage"];
    text.push_str(&head.join(&separator.to_string()));
    text.push_str("\r\n");
    let zone = &visitor.web.parts.zone;
    for (place, start) in series.starts.iter().enumerate() {
        let offset = zone.to_offset(*start);
        let local = start.display_with_offset(offset);
        // Writing into a string cannot fail.
        let _ = write!(text, "{local}");
        for column in [&series.import, &series.export, &series.generation, &series.coverage] {
            text.push(separator);
            if let Some(ExactNumber(value)) = column.get(place).copied().flatten() {
                text.push_str(&value.to_string().replace('.', point));
            }
        }
        text.push_str("\r\n");
    }
    text
}
