//! What the energy of a period is worth: at the survey's prices, or at the visitor's own.

use cookie::{Cookie, SameSite, time::Duration};
use ebp_core::contract::{EnergySeries, EnergySummary, ExactNumber, SurveyPrice};
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use super::{
    period::Period,
    visitor::{PRICES_COOKIE, Visitor},
};
use crate::kit::{language::Language, moment::Moments, number};

/// What is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// For what was fed in.
    pub earned: String,
    /// By own electricity.
    pub saved: String,
    /// How both are computed, with the figures put in.
    pub formulas: Vec<String>,
    /// Which prices these are.
    pub source: String,
}

/// Prices, EUR/kWh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Prices {
    import: Decimal,
    export: Decimal,
}

/// The visitor's own prices as they typed them, ct/kWh: in the address, else in their browser's
/// cookie. Empty if they have none, or want the survey's again.
#[must_use]
pub fn typed(visitor: &Visitor) -> [String; 2] {
    let short = |text: &str| text.trim().chars().take(20).collect::<String>();
    let asked = ["import_price", "export_price"].map(|name| visitor.preferences.get(name));
    if asked.iter().any(Option::is_some) {
        return asked.map(|typed| short(typed.unwrap_or_default()));
    }
    let kept = visitor.prices.as_deref().filter(|_| !wants_survey_prices(visitor));
    let (import, export) = kept.and_then(|kept| kept.split_once('/')).unwrap_or_default();
    [short(import), short(export)]
}

fn wants_survey_prices(visitor: &Visitor) -> bool {
    visitor.preferences.get("prices") == Some("survey")
}

/// The cookie that keeps the visitor's own prices in their browser, or that ends it.
#[must_use]
pub fn cookie(visitor: &Visitor) -> Option<String> {
    let [import, export] = typed(visitor).map(|typed| typed.replace(',', "."));
    let (value, lasts) =
        if own(visitor).is_some() && visitor.preferences.get("import_price").is_some() {
            (format!("{import}/{export}"), Duration::days(365))
        } else if wants_survey_prices(visitor) {
            (String::new(), Duration::ZERO)
        } else {
            return None;
        };
    let cookie = Cookie::build((PRICES_COOKIE, value)).path("/measurements");
    let cookie = cookie.same_site(SameSite::Strict).http_only(true).max_age(lasts);
    Some(cookie.to_string())
}

/// Whether the visitor has prices of their own.
#[must_use]
pub fn has_own(visitor: &Visitor) -> bool {
    own(visitor).is_some()
}

/// The visitor's own prices.
fn own(visitor: &Visitor) -> Option<Prices> {
    let [import, export] = typed(visitor).map(|typed| {
        let price: Decimal = typed.replace(',', ".").parse().ok()?;
        let is_price = (Decimal::ZERO..=Decimal::ONE_THOUSAND).contains(&price);
        is_price.then(|| price / Decimal::ONE_HUNDRED)
    });
    Some(Prices { import: import?, export: export? })
}

/// The survey's price on a day: a price holds until the next one begins.
fn on(prices: &[SurveyPrice], day: Date) -> Option<Prices> {
    let price = prices.iter().rev().find(|price| price.from <= day)?;
    Some(Prices { import: price.import, export: price.export })
}

/// Whether the survey's price changes within a period, so that its days have to be asked for.
#[must_use]
pub fn changes_within(prices: &[SurveyPrice], period: &Period) -> bool {
    prices.iter().any(|price| price.from > period.from && price.from < period.to)
}

/// What a period is worth. `days` is its energy by days, for a period in which prices change.
#[must_use]
pub fn money(
    visitor: &Visitor,
    period: &Period,
    summary: &EnergySummary,
    days: Option<&EnergySeries>,
    prices: &[SurveyPrice],
) -> Option<Money> {
    let language = visitor.language();
    if let Some(own) = own(visitor) {
        return Some(at_one_price(language, own, summary, language.say("prices-own")));
    }
    let moments = visitor.moments();
    if let (true, Some(days)) = (changes_within(prices, period), days) {
        return Some(at_changing_prices(&moments, visitor.now, days, prices));
    }
    let price = on(prices, period.from)?;
    Some(at_one_price(language, price, summary, language.say("prices-survey")))
}

fn euros(language: Language, value: Option<Decimal>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| number::quantity(language, value, 2, "€"))
}

/// A price, ct/kWh, with all its digits.
fn cents(language: Language, price: Decimal) -> String {
    let cents = price.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(price).normalize();
    number::number(language, cents, cents.scale().max(1))
}

fn at_one_price(
    language: Language,
    prices: Prices,
    summary: &EnergySummary,
    source: String,
) -> Money {
    let own_use = summary.self_consumption.map(|ExactNumber(value)| value);
    let export = summary.export.map(|ExactNumber(value)| value);
    let worth = |energy: Option<Decimal>, price: Decimal| energy?.checked_mul(price);
    let (earned, saved) = (worth(export, prices.export), worth(own_use, prices.import));
    let energy = |value: Option<Decimal>| {
        value.map_or_else(|| "–".to_owned(), |value| number::number(language, value, 2))
    };
    let formulas = vec![
        language.say_with(
            "money-earned-formula",
            [
                ("energy", energy(export).into()),
                ("price", cents(language, prices.export).into()),
                ("euros", euros(language, earned).into()),
            ],
        ),
        language.say_with(
            "money-saved-formula",
            [
                ("energy", energy(own_use).into()),
                ("price", cents(language, prices.import).into()),
                ("euros", euros(language, saved).into()),
            ],
        ),
    ];
    Money { earned: euros(language, earned), saved: euros(language, saved), formulas, source }
}

/// Each day at its own price. Days of which the energy is not known are left out, and counted.
fn at_changing_prices(
    moments: &Moments,
    now: Timestamp,
    days: &EnergySeries,
    prices: &[SurveyPrice],
) -> Money {
    let language = moments.language;
    let (mut earned, mut saved) = (Sum::default(), Sum::default());
    for (place, start) in days.starts.iter().enumerate().filter(|(_, start)| **start < now) {
        let value = |column: &[Option<ExactNumber>]| {
            column.get(place).copied().flatten().map(|ExactNumber(value)| value)
        };
        let price = on(prices, moments.day_of(*start));
        let export = value(&days.export);
        // As the meters are connected, the difference may not be own use.
        let generation = value(&days.generation).filter(|_| days.topology.is_none());
        let own_use = generation.zip(export).and_then(|(made, fed)| made.checked_sub(fed));
        earned.add(export.zip(price.map(|price| price.export)));
        saved.add(own_use.zip(price.map(|price| price.import)));
    }
    let mut formulas = vec![language.say("money-by-days")];
    formulas.extend(prices.iter().map(|price| {
        language.say_with(
            "money-price-from",
            [
                ("day", moments.day(price.from).into()),
                ("import", cents(language, price.import).into()),
                ("export", cents(language, price.export).into()),
            ],
        )
    }));
    if earned.missing > 0 {
        formulas.push(language.say_with("money-missing-days", [("count", earned.missing.into())]));
    }
    Money {
        earned: euros(language, earned.value()),
        saved: euros(language, saved.value()),
        formulas,
        source: language.say("prices-survey"),
    }
}

#[derive(Default)]
struct Sum {
    euros: Decimal,
    known: u64,
    missing: u64,
}

impl Sum {
    fn add(&mut self, energy_and_price: Option<(Decimal, Decimal)>) {
        let worth = energy_and_price.and_then(|(energy, price)| energy.checked_mul(price));
        match worth.and_then(|worth| self.euros.checked_add(worth)) {
            Some(sum) => (self.euros, self.known) = (sum, self.known + 1),
            None => self.missing += 1,
        }
    }

    fn value(&self) -> Option<Decimal> {
        (self.known > 0).then_some(self.euros)
    }
}
