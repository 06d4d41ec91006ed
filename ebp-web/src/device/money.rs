//! What the energy of a period is worth: at the survey's prices, or at the visitor's own.

use cookie::{Cookie, SameSite, time::Duration};
use ebp_core::contract::{EnergySeries, EnergySummary, ExactNumber, QuarterPrices, SurveyPrice};
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use super::{
    period::{Period, PeriodKind},
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

/// Whether the survey's price changes within a period.
fn changes_within(prices: &[SurveyPrice], period: &Period) -> bool {
    prices.iter().any(|price| price.from > period.from && price.from < period.to)
}

/// Energy by days or quarter hours, for a period in which prices change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parts {
    /// By days.
    Days(EnergySeries),
    /// By quarter hours, each with its price.
    Quarters(EnergySeries, QuarterPrices),
    /// By quarter hours, which are too many to be asked for.
    TooMany,
}

/// How a period's energy has to be divided so that each part has one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// One price holds for all of it.
    Whole,
    /// It changes from day to day.
    Days,
    /// It changes from quarter hour to quarter hour.
    Quarters,
    /// The same, in a period of more quarter hours than are asked for.
    TooMany,
}

/// How the survey's prices divide a period, which begins and ends at these instants.
#[must_use]
pub fn division(
    prices: &[SurveyPrice],
    series: Option<&QuarterPrices>,
    period: &Period,
    (from, to): (Timestamp, Timestamp),
) -> Division {
    if series.is_some_and(|series| series.from < to && from < series.to) {
        return match period.kind {
            PeriodKind::Year => Division::TooMany,
            PeriodKind::Day | PeriodKind::Week | PeriodKind::Month => Division::Quarters,
        };
    }
    if changes_within(prices, period) { Division::Days } else { Division::Whole }
}

/// What a period is worth. `parts` is its energy for a period in which prices change.
#[must_use]
pub fn money(
    visitor: &Visitor,
    period: &Period,
    summary: &EnergySummary,
    parts: Option<&Parts>,
    prices: &[SurveyPrice],
) -> Option<Money> {
    let language = visitor.language();
    if let Some(own) = own(visitor) {
        return Some(at_one_price(language, own, summary, language.say("prices-own")));
    }
    let moments = visitor.moments();
    match parts {
        Some(Parts::Days(days)) => {
            return Some(at_changing_prices(&moments, visitor.now, days, prices));
        }
        Some(Parts::Quarters(quarters, series)) => {
            return Some(at_quarters_prices(&moments, visitor.now, quarters, series, prices));
        }
        Some(Parts::TooMany) => {
            return Some(Money {
                earned: euros(language, None),
                saved: euros(language, None),
                formulas: vec![language.say("money-shorter-period")],
                source: language.say("prices-survey"),
            });
        }
        None => {}
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
        let price = on(prices, moments.day_of(*start));
        let (export, own_use) = energies(days, place);
        earned.add(export, price.map(|price| price.export));
        saved.add(own_use, price.map(|price| price.import));
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
    for (missing, part) in missing(&earned, &saved) {
        let count = [("count", missing.into())];
        formulas.push(match part {
            Part::Both => language.say_with("money-missing-days", count),
            Part::Earned => language.say_with("money-missing-days-earned", count),
            Part::Saved => language.say_with("money-missing-days-saved", count),
        });
    }
    Money {
        earned: euros(language, earned.value()),
        saved: euros(language, saved.value()),
        formulas,
        source: language.say("prices-survey"),
    }
}

fn value(column: &[Option<ExactNumber>], place: usize) -> Option<Decimal> {
    column.get(place).copied().flatten().map(|ExactNumber(value)| value)
}

/// What was fed in and used oneself in a row.
fn energies(series: &EnergySeries, place: usize) -> (Option<Decimal>, Option<Decimal>) {
    let export = value(&series.export, place);
    // As the meters are connected, the difference may not be own use.
    let generation = value(&series.generation, place).filter(|_| series.topology.is_none());
    let own_use = generation.zip(export).and_then(|(made, fed)| made.checked_sub(fed));
    (export, own_use)
}

/// Each quarter hour at its own price. What is fed in has the day's price where the series has none.
fn at_quarters_prices(
    moments: &Moments,
    now: Timestamp,
    quarters: &EnergySeries,
    series: &QuarterPrices,
    prices: &[SurveyPrice],
) -> Money {
    let language = moments.language;
    let (mut earned, mut saved) = (Sum::default(), Sum::default());
    for (place, start) in quarters.starts.iter().enumerate().filter(|(_, start)| **start < now) {
        let of_day = || on(prices, moments.day_of(*start));
        let import = value(&series.import, place);
        // A quarter hour that the series lacks has the day's price, if there is one.
        let import = import.or_else(|| of_day().map(|price| price.import));
        let export = value(&series.export, place).or_else(|| of_day().map(|price| price.export));
        let (fed_in, own_use) = energies(quarters, place);
        earned.add(fed_in, export);
        saved.add(own_use, import);
    }
    let mut formulas = vec![language.say("money-by-quarters")];
    let with = |sum: &Sum| {
        let mean = sum.euros.checked_div(sum.energy);
        let mean = mean.and_then(|price| price.checked_mul(Decimal::ONE_HUNDRED));
        let mean = mean.map_or_else(|| "–".to_owned(), |mean| number::number(language, mean, 2));
        [
            ("energy", number::number(language, sum.energy, 2).into()),
            ("price", mean.into()),
            ("euros", euros(language, sum.value()).into()),
        ]
    };
    if earned.known > 0 {
        formulas.push(language.say_with("money-earned-quarters", with(&earned)));
    }
    if saved.known > 0 {
        formulas.push(language.say_with("money-saved-quarters", with(&saved)));
    }
    for (missing, part) in missing(&earned, &saved) {
        let count = [("count", missing.into())];
        formulas.push(match part {
            Part::Both => language.say_with("money-missing-quarters", count),
            Part::Earned => language.say_with("money-missing-quarters-earned", count),
            Part::Saved => language.say_with("money-missing-quarters-saved", count),
        });
    }
    Money {
        earned: euros(language, earned.value()),
        saved: euros(language, saved.value()),
        formulas,
        source: language.say("prices-survey"),
    }
}

/// Which sum something is missing in.
enum Part {
    Both,
    Earned,
    Saved,
}

/// How much is missing in which sum. One that is not shown at all lacks nothing.
fn missing(earned: &Sum, saved: &Sum) -> Vec<(u64, Part)> {
    if saved.known == 0 || earned.missing == saved.missing {
        return Vec::from_iter((earned.missing > 0).then_some((earned.missing, Part::Both)));
    }
    let all = [(earned.missing, Part::Earned), (saved.missing, Part::Saved)];
    all.into_iter().filter(|(missing, _)| *missing > 0).collect()
}

#[derive(Default)]
struct Sum {
    energy: Decimal,
    euros: Decimal,
    known: u64,
    missing: u64,
}

impl Sum {
    fn add(&mut self, energy: Option<Decimal>, price: Option<Decimal>) {
        let sums = energy.zip(price).and_then(|(energy, price)| {
            let euros = self.euros.checked_add(energy.checked_mul(price)?)?;
            Some((self.energy.checked_add(energy)?, euros))
        });
        match sums {
            Some((energy, euros)) => {
                *self = Self { energy, euros, known: self.known + 1, ..*self };
            }
            None => self.missing += 1,
        }
    }

    fn value(&self) -> Option<Decimal> {
        (self.known > 0).then_some(self.euros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_of_the_sum_that_lacks_it() {
        let sum = |known, missing| Sum { known, missing, ..Sum::default() };
        let said = |earned: Sum, saved: Sum| -> Vec<_> {
            let name = |part| match part {
                Part::Both => "both",
                Part::Earned => "earned",
                Part::Saved => "saved",
            };
            missing(&earned, &saved).into_iter().map(|(count, part)| (count, name(part))).collect()
        };
        assert_eq!(said(sum(4, 0), sum(4, 0)), []);
        assert_eq!(said(sum(3, 1), sum(3, 1)), [(1, "both")]);
        assert_eq!(said(sum(4, 0), sum(2, 2)), [(2, "saved")], "the generation meter has a gap");
        assert_eq!(said(sum(3, 1), sum(2, 2)), [(1, "earned"), (2, "saved")]);
        assert_eq!(
            said(sum(3, 1), sum(0, 4)),
            [(1, "both")],
            "nothing is saved without generation"
        );
    }
}
