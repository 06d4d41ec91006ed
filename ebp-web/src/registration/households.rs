//! All households: counted, searched, filtered and sorted; the address of the page carries all of that.

use askama::Template;
use axum::response::Response;
use ebp_core::{
    contract::{HouseholdCounts, HouseholdFilter, HouseholdKey, HouseholdSort, RegistrationEntry},
    model::ConsentState,
};
use ebp_survey::{HouseholdCursor, HouseholdPage, HouseholdQuery, StoreError, SurveyError};

use super::table::Table;
use crate::{
    cloud::{Researcher, Visitor},
    kit::{
        frame::Frame,
        language::Language,
        moment::Moments,
        number::number,
        page::{Preferences, encode},
    },
};

/// Households on a page.
const PAGE: usize = 50;

/// Households that are read at once for a file.
const OF_FILE: usize = 1_000;

#[derive(Template)]
#[template(path = "registration/households.html")]
struct Page {
    frame: Frame,
    counts: Vec<Count>,
    withheld: u64,
    search: String,
    consents: Vec<Choice>,
    sort: String,
    fault: Option<String>,
    heads: Vec<Head>,
    rows: Vec<Row>,
    is_empty: bool,
    first: Option<String>,
    next: Option<String>,
    csv: String,
}

/// How many there are, with a link to them.
struct Count {
    address: String,
    name: String,
    number: String,
    is_current: bool,
}

struct Choice {
    value: &'static str,
    text: String,
    is_chosen: bool,
}

/// The head of a column, by which the list can be sorted.
struct Head {
    address: String,
    text: String,
    /// `ascending`, `descending` or `none`.
    order: &'static str,
}

struct Row {
    address: String,
    name: String,
    is_nameless: bool,
    email: String,
    place: String,
    consent: String,
    registered: String,
}

/// What the address asks for. What it says wrongly is left out.
struct Asked {
    filter: HouseholdFilter,
    after: Option<HouseholdCursor>,
}

impl Asked {
    fn from_address(preferences: &Preferences) -> Self {
        let get = |name| preferences.get(name).filter(|value| !value.is_empty());
        let filter = HouseholdFilter {
            search: get("q").map(str::to_owned),
            consent: get("consent").and_then(state),
            sort: get("sort").and_then(|sort| sort.parse().ok()).unwrap_or_default(),
        };
        Self { filter, after: get("after").and_then(|after| after.parse().ok()) }
    }

    /// The address of the same list, sorted in that order, from that cursor on.
    fn address(&self, path: &str, sort: HouseholdSort, after: Option<&HouseholdCursor>) -> String {
        let mut pairs = Vec::new();
        pairs.extend(self.filter.search.as_ref().map(|search| ("q", search.clone())));
        pairs.extend(self.filter.consent.map(|state| ("consent", state.name().to_owned())));
        pairs.extend((sort != HouseholdSort::default()).then(|| ("sort", sort.to_string())));
        pairs.extend(after.map(|after| ("after", after.to_string())));
        with_query(path, &pairs)
    }
}

fn with_query(path: &str, pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

fn state(name: &str) -> Option<ConsentState> {
    let all = [ConsentState::NotGranted, ConsentState::Granted, ConsentState::Revoked];
    all.into_iter().find(|state| state.name() == name)
}

/// The name of a state of consent.
pub fn state_text(language: Language, state: ConsentState) -> String {
    match state {
        ConsentState::NotGranted => language.say("reg-not-granted"),
        ConsentState::Granted => language.say("reg-granted"),
        ConsentState::Revoked => language.say("reg-revoked"),
    }
}

/// `GET /registration?q&consent&sort&after`.
pub async fn show(Researcher { visitor, caller }: Researcher) -> Response {
    let asked = Asked::from_address(&visitor.preferences);
    let query =
        HouseholdQuery { filter: asked.filter.clone(), after: asked.after.clone(), limit: PAGE };
    match caller.search_households(query).await {
        Ok(found) => page(&visitor, &asked, found, None),
        // The cursor is of another order, or the search too long: the list begins anew.
        Err(SurveyError::Store(StoreError::Search)) => {
            let fault = Some(visitor.language().say("reg-search-fault"));
            let query =
                HouseholdQuery { filter: HouseholdFilter::default(), after: None, limit: PAGE };
            match caller.search_households(query).await {
                Ok(found) => page(&visitor, &asked, found, fault),
                Err(error) => visitor.fail(error),
            }
        }
        Err(error) => visitor.fail(error),
    }
}

fn page(visitor: &Visitor, asked: &Asked, found: HouseholdPage, fault: Option<String>) -> Response {
    let HouseholdPage { items, next, counts } = found;
    let (language, filter) = (visitor.language(), &asked.filter);
    let frame = visitor.frame(language.say("reg-households-title"));
    let moments = visitor.moments();
    let states = [ConsentState::NotGranted, ConsentState::Granted, ConsentState::Revoked];
    let choice = |state: ConsentState| Choice {
        value: state.name(),
        text: state_text(language, state),
        is_chosen: filter.consent == Some(state),
    };
    let page = Page {
        counts: count_links(language, &counts, filter.consent),
        withheld: counts.withheld,
        search: filter.search.clone().unwrap_or_default(),
        consents: states.map(choice).into(),
        sort: filter.sort.to_string(),
        fault,
        heads: heads(language, asked),
        rows: items.iter().map(|entry| row(&frame, &moments, entry)).collect(),
        is_empty: counts.registered == 0,
        first: asked.after.is_some().then(|| asked.address("/registration", filter.sort, None)),
        next: next.map(|next| asked.address("/registration", filter.sort, Some(&next))),
        csv: asked.address("/registration/households.csv", filter.sort, None),
        frame,
    };
    visitor.show(&page)
}

fn count_links(
    language: Language,
    counts: &HouseholdCounts,
    shown: Option<ConsentState>,
) -> Vec<Count> {
    let HouseholdCounts { registered, granted, revoked, .. } = *counts;
    let waiting = registered.saturating_sub(granted).saturating_sub(revoked);
    let all = [
        (None, language.say("reg-all"), registered),
        (Some(ConsentState::NotGranted), language.say("reg-not-granted"), waiting),
        (Some(ConsentState::Granted), language.say("reg-granted"), granted),
        (Some(ConsentState::Revoked), language.say("reg-revoked"), revoked),
    ];
    let link = |(state, name, count): (Option<ConsentState>, String, u64)| Count {
        address: state.map_or_else(
            || "/registration".to_owned(),
            |state| with_query("/registration", &[("consent", state.name().to_owned())]),
        ),
        name,
        number: number(language, count.into(), 0),
        is_current: state == shown,
    };
    all.into_iter().map(link).collect()
}

fn heads(language: Language, asked: &Asked) -> Vec<Head> {
    let shown = asked.filter.sort;
    let columns = [
        (Some(HouseholdKey::Name), language.say("reg-name")),
        (Some(HouseholdKey::Email), language.say("reg-email")),
        (Some(HouseholdKey::PostalCode), language.say("reg-place")),
        (None, language.say("reg-consent")),
        (Some(HouseholdKey::Registered), language.say("reg-registered")),
    ];
    let head = |(key, text): (Option<HouseholdKey>, String)| {
        let is_shown = key == Some(shown.key);
        let is_descending = is_shown && !shown.is_descending;
        let address = key.map_or_else(String::new, |key| {
            asked.address("/registration", HouseholdSort { key, is_descending }, None)
        });
        let order = match (is_shown, shown.is_descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        };
        Head { address, text, order }
    };
    columns.into_iter().map(head).collect()
}

fn row(frame: &Frame, moments: &Moments, entry: &RegistrationEntry) -> Row {
    let language = frame.language();
    let participant = entry.participant.as_ref();
    let place = [&entry.postal_code, &entry.city];
    let place: Vec<&str> = place.into_iter().flatten().map(String::as_str).collect();
    // Of a revoked household the month is known.
    let registered = match entry.consent.state {
        ConsentState::Revoked => moments.month(moments.day_of(entry.registered_at)),
        _ => moments.day(moments.day_of(entry.registered_at)),
    };
    Row {
        address: format!("/registration/household/{}", entry.uuid),
        name: participant.map_or_else(
            || entry.uuid.to_string().chars().take(8).collect(),
            |participant| participant.name.clone(),
        ),
        is_nameless: participant.is_none(),
        email: participant.map(|participant| participant.email.clone()).unwrap_or_default(),
        place: place.join(" "),
        consent: state_text(language, entry.consent.state),
        registered,
    }
}

/// `GET /registration/households.csv?q&consent&sort`: all that the list has.
pub async fn csv(Researcher { visitor, caller }: Researcher) -> Response {
    let asked = Asked::from_address(&visitor.preferences);
    let header = [
        "uuid",
        "registered_at",
        "name",
        "email",
        "postal_code",
        "city",
        "consent",
        "granted_at",
        "revoked_at",
        "text_version",
    ];
    let (mut table, mut after) = (Table::new(visitor.language(), &header), None);
    loop {
        let query = HouseholdQuery { filter: asked.filter.clone(), after, limit: OF_FILE };
        let found = match caller.search_households(query).await {
            Ok(found) => found,
            Err(error) => return visitor.fail(error),
        };
        for entry in &found.items {
            push(&mut table, entry);
        }
        after = found.next;
        if after.is_none() {
            return table.answer("households.csv");
        }
    }
}

fn push(table: &mut Table, entry: &RegistrationEntry) {
    let consent = &entry.consent;
    let (name, email) = entry
        .participant
        .as_ref()
        .map(|participant| (participant.name.clone(), participant.email.clone()))
        .unwrap_or_default();
    let text = |value: Option<String>| value.unwrap_or_default();
    let cells = [
        entry.uuid.to_string(),
        entry.registered_at.to_string(),
        name,
        email,
        text(entry.postal_code.clone()),
        text(entry.city.clone()),
        consent.state.name().to_owned(),
        text(consent.granted_at.map(|at| at.to_string())),
        text(consent.revoked_at.map(|at| at.to_string())),
        text(consent.text.map(|text| text.version.to_string())),
    ];
    table.push(&cells.each_ref().map(String::as_str));
}
