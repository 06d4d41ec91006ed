//! What was measured, by day, week, month and year, with the period before beside it.

use std::{fmt::Write, sync::Arc};

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::contract::{EnergySeries, EnergySummary, ExactNumber};
use rust_decimal::Decimal;

use super::{
    energy::EnergyView,
    figure::{Figure, figures},
    frame::{Frame, Link},
    period::{Period, PeriodKind},
    problem,
    state::DeviceWeb,
    visitor::{SignedIn, Visitor},
};
use crate::kit::{language::Language, number};

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
}

/// What the energy is worth.
struct Money {
    earned: String,
    saved: String,
    formula: String,
}

/// The period that is asked for; today's if none is.
fn asked(visitor: &Visitor) -> Option<Period> {
    let kind = visitor.preferences.get("period").and_then(|name| name.parse().ok());
    let date = visitor.preferences.get("date").and_then(|date| date.parse().ok());
    let date = date.unwrap_or_else(|| visitor.moments().day_of(visitor.now));
    Period::from_day(kind.unwrap_or(PeriodKind::Day), date)
}

fn address(period: &Period) -> String {
    format!("/measurements?period={}&date={}", period.kind.name(), period.from)
}

/// `GET /measurements?period&date`.
pub async fn show(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let Some(period) = asked(&visitor) else {
        return Redirect::to("/measurements").into_response();
    };
    let previous = period.previous();
    let answers = web.ask(move |cloud| {
        let summary = cloud.summary(period.from, period.to)?;
        let before = match previous {
            Some(before) => Some(cloud.summary(before.from, before.to)?),
            None => None,
        };
        Ok((summary, before, cloud.series(period.request())?))
    });
    match answers.await {
        Ok((summary, before, series)) => {
            visitor.show(&page(&visitor, period, &summary, before.as_ref(), &series))
        }
        Err(error) => problem::cloud(&visitor, error),
    }
}

fn page(
    visitor: &Visitor,
    period: Period,
    summary: &EnergySummary,
    before: Option<&EnergySummary>,
    series: &EnergySeries,
) -> Page {
    let language = visitor.language();
    let frame = visitor.frame(language.say("menu-measurements"));
    let link = |period: &Period, text: String| Link {
        address: address(period),
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
    let energy = EnergyView::new(&frame, series, &period);
    Page {
        kinds: kinds.collect(),
        period: period.title(&frame.moments),
        kind: period.kind.name(),
        date: period.from.to_string(),
        previous: period.previous().map(|before| link(&before, language.say("previous"))),
        next: period
            .next()
            .filter(|next| next.from <= today)
            .map(|next| link(&next, language.say("next"))),
        figures: figures(language, summary, before),
        compared,
        coverage,
        downloads: downloads(language, &period),
        money: money(visitor, summary),
        prices: ["import_price", "export_price"].map(|name| {
            visitor.preferences.get(name).unwrap_or_default().chars().take(20).collect()
        }),
        energy: Some(energy).filter(|energy| !energy.rows.is_empty()),
        frame,
    }
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

/// A price as people type it, ct/kWh.
fn price(visitor: &Visitor, name: &str) -> Option<Decimal> {
    let typed = visitor.preferences.get(name)?.trim().replace(',', ".");
    let price: Decimal = typed.parse().ok()?;
    (Decimal::ZERO..=Decimal::ONE_THOUSAND).contains(&price).then_some(price)
}

/// What was earned by feeding in and saved by own electricity, at the visitor's prices.
fn money(visitor: &Visitor, summary: &EnergySummary) -> Option<Money> {
    let (import, export) = (price(visitor, "import_price")?, price(visitor, "export_price")?);
    let language = visitor.language();
    let worth = |energy: Option<ExactNumber>, price: Decimal| {
        let euros =
            energy.and_then(|ExactNumber(energy)| energy.checked_mul(price / Decimal::ONE_HUNDRED));
        euros.map_or_else(|| "–".to_owned(), |euros| number::quantity(language, euros, 2, "€"))
    };
    Some(Money {
        earned: worth(summary.export, export),
        saved: worth(summary.self_consumption, import),
        formula: language.say("money-formula"),
    })
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
    let Some(period) = asked(visitor) else { return StatusCode::BAD_REQUEST.into_response() };
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
