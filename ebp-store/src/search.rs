//! Searching households: what is asked for, and where a page ends.

use std::{fmt, fmt::Write, str::FromStr};

use ebp_core::contract::{HouseholdCounts, HouseholdFilter, HouseholdKey, RegistrationEntry};
use uuid::Uuid;

use crate::{
    Cursor, StoreError,
    rule::search::{Word, words},
};

/// The bytes of a cursor's key, at most: an e-mail address or a name of 200 characters.
const LONGEST_KEY: usize = 1024;

/// Where a page of households ends.
#[derive(Clone, PartialEq, Eq)]
pub enum HouseholdCursor {
    /// In the order of registration.
    Registered {
        /// When it was registered, microseconds since the Unix epoch.
        at: i64,
        /// The household.
        household: Uuid,
    },
    /// In the order of a text; absent for the last households, which have none.
    Text {
        /// The text.
        key: Option<String>,
        /// The household.
        household: Uuid,
    },
}

/// Does not show the text, which may be a name.
impl fmt::Debug for HouseholdCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HouseholdCursor(redacted)")
    }
}

impl fmt::Display for HouseholdCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered { at, household } => {
                Cursor { measured_at: *at, uuid: *household }.fmt(f)
            }
            Self::Text { key: None, household } => write!(f, "n{}", household.simple()),
            Self::Text { key: Some(key), household } => {
                write!(f, "t{}", household.simple())?;
                key.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl FromStr for HouseholdCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if !text.is_ascii() || text.len() > 33 + 2 * LONGEST_KEY {
            return Err(());
        }
        let household = || Uuid::try_parse(text.get(1..33).ok_or(())?).map_err(|_| ());
        match text.bytes().next() {
            Some(b'n') if text.len() == 33 => Ok(Self::Text { key: None, household: household()? }),
            Some(b't') => {
                let digits = text.get(33..).ok_or(())?;
                let pairs = digits.as_bytes().chunks(2).map(|pair| {
                    let pair = std::str::from_utf8(pair).map_err(|_| ())?;
                    let is_octet = pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
                    if is_octet { u8::from_str_radix(pair, 16).map_err(|_| ()) } else { Err(()) }
                });
                let key = String::from_utf8(pairs.collect::<Result<_, _>>()?).map_err(|_| ())?;
                if key.contains('\0') {
                    return Err(());
                }
                Ok(Self::Text { key: Some(key), household: household()? })
            }
            _ => {
                let Cursor { measured_at, uuid } = text.parse()?;
                Ok(Self::Registered { at: measured_at, household: uuid })
            }
        }
    }
}

/// Which households are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseholdQuery {
    /// The search, the state of consent, and the order.
    pub filter: HouseholdFilter,
    /// After this cursor, which is of the same order.
    pub after: Option<HouseholdCursor>,
    /// The maximum number of items, at least 1.
    pub limit: usize,
}

impl HouseholdQuery {
    /// The words that are searched for.
    ///
    /// # Errors
    /// Returns [`StoreError::Search`] if they are too long.
    pub(crate) fn words(&self) -> Result<Vec<Word>, StoreError> {
        words(self.filter.search.as_deref().unwrap_or_default()).ok_or(StoreError::Search)
    }

    /// The phases in which the page is read: households with a key, and those without one. The
    /// order of registration has one phase.
    pub(crate) fn phases(&self) -> &'static [Phase] {
        match (self.filter.sort.key, &self.after) {
            (HouseholdKey::Registered, _) => &[Phase::Registered],
            (_, Some(HouseholdCursor::Text { key: None, .. })) => &[Phase::WithoutKey],
            _ => &[Phase::WithKey, Phase::WithoutKey],
        }
    }

    /// Checks that the cursor is of the order.
    ///
    /// # Errors
    /// Returns [`StoreError::Search`] if it is of another one.
    pub(crate) fn check_cursor(&self) -> Result<(), StoreError> {
        let fits = match &self.after {
            None => true,
            Some(HouseholdCursor::Registered { .. }) => {
                self.filter.sort.key == HouseholdKey::Registered
            }
            Some(HouseholdCursor::Text { .. }) => self.filter.sort.key != HouseholdKey::Registered,
        };
        if fits { Ok(()) } else { Err(StoreError::Search) }
    }
}

/// Which households a statement reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// All, in the order of registration.
    Registered,
    /// Those that have the key.
    WithKey,
    /// Those that have not: they revoked their consent.
    WithoutKey,
}

/// A page of households.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseholdPage {
    /// The households.
    pub items: Vec<RegistrationEntry>,
    /// The cursor of the next page, if there is one.
    pub next: Option<HouseholdCursor>,
    /// How many households there are, whatever is searched for.
    pub counts: HouseholdCounts,
}

/// Conditions and their order as SQL, which differs between the databases in how a placeholder is
/// written and a text is compared.
pub struct Dialect {
    /// Writes a placeholder.
    pub placeholder: fn(usize) -> String,
    /// Writes a text so that it is compared and sorted without regard to the case of ASCII letters.
    pub folded: fn(&str) -> String,
    /// Writes that a text fits a pattern.
    pub like: fn(&str, &str) -> String,
    /// Joins tables that are read in this order, the first in that of the key.
    pub join: &'static str,
}

/// A value of a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An identifier.
    Uuid(Uuid),
    /// An instant, microseconds since the Unix epoch.
    Instant(i64),
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

/// A statement with the values of its placeholders.
pub struct Statement {
    /// The SQL. Its columns: the household's identifier, registration, granted, revoked, name, e-mail
    /// address, postal code, city.
    pub sql: String,
    /// The values, in the order of their placeholders.
    pub values: Vec<Value>,
}

/// Where words are searched for.
const SEARCHED: [&str; 4] =
    ["participant.name", "participant.email", "address.postal_code", "address.city"];

/// What a statement reads, in this order.
const COLUMNS: &str = "household.uuid, registered_at, granted_at, revoked_at, participant.name, \
                       participant.email, address.postal_code, address.city";

impl HouseholdQuery {
    /// The page, from rows of which there is one more if there is a next page.
    pub(crate) fn page(
        &self,
        mut rows: Vec<(Phase, RegistrationEntry)>,
        counts: HouseholdCounts,
    ) -> HouseholdPage {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|(phase, entry)| self.cursor_after(*phase, entry));
        HouseholdPage { items: rows.into_iter().map(|(_, entry)| entry).collect(), next, counts }
    }

    /// The statement of a phase, which reads so many rows.
    pub(crate) fn statement(
        &self,
        phase: Phase,
        rows: usize,
        dialect: &Dialect,
    ) -> Result<Statement, StoreError> {
        const WITH_PARTICIPANT: &str = "participant ON participant.id = household.participant";
        const WITH_ADDRESS: &str = "address ON address.household = household.uuid";
        let (sort, join) = (self.filter.sort, dialect.join);
        let by_participant = || {
            format!(
                "participant {join} household ON household.participant = participant.id \
                 LEFT JOIN {WITH_ADDRESS}"
            )
        };
        let by_address = || {
            format!(
                "address {join} household ON household.uuid = address.household \
                 LEFT JOIN {WITH_PARTICIPANT}"
            )
        };
        let (column, from) = match (phase, sort.key) {
            (Phase::WithKey, HouseholdKey::Name) => ("participant.name", by_participant()),
            (Phase::WithKey, HouseholdKey::Email) => ("participant.email", by_participant()),
            (Phase::WithKey, HouseholdKey::PostalCode) => ("address.postal_code", by_address()),
            (Phase::WithKey, HouseholdKey::City) => ("address.city", by_address()),
            _ => (
                "registered_at",
                format!("household LEFT JOIN {WITH_PARTICIPANT} LEFT JOIN {WITH_ADDRESS}"),
            ),
        };
        let key = match phase {
            Phase::WithKey => (dialect.folded)(column),
            _ => column.to_owned(),
        };
        let mut values = Vec::new();
        let mut bind = |value: Value| {
            values.push(value);
            (dialect.placeholder)(values.len())
        };
        let mut conditions = "NOT withheld".to_owned();
        let mut also = |condition: &str| {
            let _ = write!(conditions, " AND {condition}");
        };
        match self.filter.consent {
            None => {}
            Some(ebp_core::model::ConsentState::NotGranted) => also("granted_at IS NULL"),
            Some(ebp_core::model::ConsentState::Granted) => {
                also("granted_at IS NOT NULL AND revoked_at IS NULL");
            }
            Some(ebp_core::model::ConsentState::Revoked) => also("revoked_at IS NOT NULL"),
        }
        for word in self.words()? {
            let mut ways = Vec::new();
            if let Some((first, last)) = word.identifiers {
                let (first, last) = (bind(Value::Uuid(first)), bind(Value::Uuid(last)));
                ways.push(format!("household.uuid BETWEEN {first} AND {last}"));
            }
            let patterns: Vec<String> =
                word.patterns.into_iter().map(|pattern| bind(Value::Text(pattern))).collect();
            // In the joined rows: a page of a common word is full after some of them.
            for column in SEARCHED {
                ways.extend(patterns.iter().map(|pattern| (dialect.like)(column, pattern)));
            }
            also(&format!("({})", ways.join(" OR ")));
        }
        let (comparison, direction) = if sort.is_descending { ("<", "DESC") } else { (">", "ASC") };
        let mut order = format!("{key} {direction}, household.uuid {direction}");
        match (phase, &self.after) {
            (Phase::Registered, Some(HouseholdCursor::Registered { at, household })) => {
                let at = bind(Value::Instant(*at));
                let uuid = bind(Value::Uuid(*household));
                also(&format!("({key}, household.uuid) {comparison} ({at}, {uuid})"));
            }
            (Phase::WithKey, Some(HouseholdCursor::Text { key: Some(after), household })) => {
                let after = (dialect.folded)(&bind(Value::Text(after.clone())));
                let uuid = bind(Value::Uuid(*household));
                // The first condition alone is what an index is searched by.
                also(&format!(
                    "{key} {comparison}= {after} AND ({key}, household.uuid) {comparison} \
                     ({after}, {uuid})"
                ));
            }
            (Phase::WithoutKey, after) => {
                also("household.participant IS NULL");
                if let Some(HouseholdCursor::Text { key: None, household }) = after {
                    let uuid = bind(Value::Uuid(*household));
                    also(&format!("household.uuid {comparison} {uuid}"));
                }
                order = format!("household.uuid {direction}");
            }
            _ => {}
        }
        let limit = bind(Value::Number(i64::try_from(rows).unwrap_or(i64::MAX)));
        let sql = format!(
            "SELECT {COLUMNS} FROM {from} {join} consent ON consent.household = household.uuid \
             WHERE {conditions} ORDER BY {order} LIMIT {limit}"
        );
        Ok(Statement { sql, values })
    }

    /// The cursor after an entry that a phase has read.
    fn cursor_after(&self, phase: Phase, entry: &RegistrationEntry) -> HouseholdCursor {
        let participant = entry.participant.as_ref();
        let key = match self.filter.sort.key {
            HouseholdKey::Registered => {
                return HouseholdCursor::Registered {
                    at: entry.registered_at.as_microsecond(),
                    household: entry.uuid,
                };
            }
            HouseholdKey::Name => participant.map(|participant| participant.name.clone()),
            HouseholdKey::Email => participant.map(|participant| participant.email.clone()),
            HouseholdKey::PostalCode => entry.postal_code.clone(),
            HouseholdKey::City => entry.city.clone(),
        };
        let key = key.filter(|_| phase == Phase::WithKey);
        HouseholdCursor::Text { key, household: entry.uuid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_nothing_else_is_one() {
        let household = Uuid::from_u128(7);
        for cursor in [
            HouseholdCursor::Registered { at: -5, household },
            HouseholdCursor::Text { key: None, household },
            HouseholdCursor::Text { key: Some("Müller %".into()), household },
            HouseholdCursor::Text { key: Some(String::new()), household },
        ] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        let nil = Uuid::nil().simple();
        for text in [
            "",
            "n",
            "t",
            &format!("n{nil}0"),
            &format!("t{nil}0"),
            &format!("t{nil}+1"),
            &format!("t{nil}ff"),
            &format!("t{nil}00"),
            &format!("x{nil}"),
            "ü",
            &format!("t{nil}{}", "41".repeat(1025)),
        ] {
            assert_eq!(text.parse::<HouseholdCursor>(), Err(()), "{text}");
        }
        assert!(
            !format!("{:?}", HouseholdCursor::Text { key: Some("Anna".into()), household })
                .contains("Anna")
        );
    }
}
