//! Consents over time: how many were granted and revoked in each month, and how many households took
//! part at its end.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;
use ebp_core::{contract::HouseholdFilter, model::ConsentState};
use ebp_survey::{GroupCaller, HouseholdQuery, SurveyError};
use jiff::{ToSpan, civil::Date};
use rust_decimal::Decimal;

use crate::{
    cloud::{Researcher, Visitor},
    kit::{
        chart::{Chart, Mark, Slot, Tick},
        frame::Frame,
        number::number,
    },
};

/// Households that are read at once.
const AT_ONCE: usize = 1_000;

/// Months that are shown, at most.
const MONTHS: usize = 60;

#[derive(Template)]
#[template(path = "registration/consents.html")]
struct Page {
    frame: Frame,
    chart: String,
    rows: Vec<Row>,
}

struct Row {
    month: String,
    granted: String,
    revoked: String,
    taking_part: String,
}

/// What happened in a month.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Month {
    granted: u32,
    revoked: u32,
}

/// `GET /registration/consents`.
pub async fn show(Researcher { visitor, caller }: Researcher) -> Response {
    match months(&visitor, &caller).await {
        Ok(months) => page(&visitor, &complete(months)),
        Err(error) => visitor.fail(error),
    }
}

async fn months(
    visitor: &Visitor,
    caller: &GroupCaller,
) -> Result<BTreeMap<Date, Month>, SurveyError> {
    let moments = visitor.moments();
    let (mut months, mut after) = (BTreeMap::<Date, Month>::new(), None);
    // Who has not granted consent is not asked for.
    for state in [ConsentState::Granted, ConsentState::Revoked] {
        loop {
            let filter = HouseholdFilter { consent: Some(state), ..HouseholdFilter::default() };
            let query = HouseholdQuery { filter, after: after.take(), limit: AT_ONCE };
            let found = caller.search_households(query).await?;
            for entry in found.items {
                let month = |at| moments.day_of(at).first_of_month();
                if let Some(at) = entry.consent.granted_at {
                    months.entry(month(at)).or_default().granted += 1;
                }
                if let Some(at) = entry.consent.revoked_at {
                    months.entry(month(at)).or_default().revoked += 1;
                }
            }
            after = found.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(months)
}

/// With the months in which nothing happened, and how many take part at the end of each.
fn complete(months: BTreeMap<Date, Month>) -> Vec<(Date, Month, i64)> {
    let (Some(first), Some(last)) = (months.keys().next(), months.keys().next_back()) else {
        return Vec::new();
    };
    let (mut month, last, mut taking_part, mut all) = (*first, *last, 0, Vec::new());
    loop {
        let happened = months.get(&month).copied().unwrap_or_default();
        taking_part += i64::from(happened.granted) - i64::from(happened.revoked);
        all.push((month, happened, taking_part));
        match month.checked_add(1.month()) {
            Ok(next) if next <= last => month = next,
            _ => break,
        }
    }
    all.split_off(all.len().saturating_sub(MONTHS))
}

fn page(visitor: &Visitor, months: &[(Date, Month, i64)]) -> Response {
    let language = visitor.language();
    let frame = visitor.frame(language.say("menu-consents"));
    let slots = months.iter().map(|(_, happened, taking_part)| Slot {
        up: Some(happened.granted.into()),
        down: Some(happened.revoked.into()),
        line: Some(Decimal::from(*taking_part)),
        mark: Mark::Measured,
    });
    let every = months.len().div_ceil(12).max(1);
    let ticks = months.iter().enumerate().filter(|(place, _)| place % every == 0);
    let ticks = ticks.map(|(slot, (month, ..))| Tick {
        slot,
        is_centred: true,
        label: format!("{}/{:02}", month.month(), month.year() % 100),
        is_minor: slot % (every * 3) != 0,
    });
    let chart = Chart {
        id: "consents",
        title: language.say("reg-consents-chart"),
        description: language.say("reg-consents-text"),
        gap: String::new(),
        unit: "",
        slots: slots.collect(),
        ticks: ticks.collect(),
        language,
    };
    let count = |count: i64| number(language, count.into(), 0);
    let rows = months.iter().map(|(month, happened, taking_part)| Row {
        month: frame.moments.month(*month),
        granted: count(happened.granted.into()),
        revoked: count(happened.revoked.into()),
        taking_part: count(*taking_part),
    });
    let page = Page { chart: chart.svg(), rows: rows.collect(), frame };
    visitor.show(&page)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn months_without_an_event_are_there_as_well() {
        let months = BTreeMap::from([
            (date(2025, 11, 1), Month { granted: 3, revoked: 0 }),
            (date(2026, 2, 1), Month { granted: 1, revoked: 2 }),
        ]);
        let all = complete(months);
        let taking_part: Vec<_> = all.iter().map(|(_, _, count)| *count).collect();
        assert_eq!(taking_part, [3, 3, 3, 2]);
        assert_eq!(complete(BTreeMap::new()), []);
    }
}
