//! Makes a page of measurements ordered by time out of rows ordered by slot.
//!
//! Enters: rows as a database's key lists them. Leaves: the page, or that more rows are needed.
//! Absent: reading them.
//!
//! A measurement was taken after the start of its slot, and slots of several cycles or sources may
//! overlap, so the order of slots is nearly that of time. Every measurement taken before the last
//! slot that was read has been read, so these can be sorted.

use std::fmt;

use ebp_core::contract::StoredMeasurement;
use jiff::Timestamp;
use uuid::Uuid;

use crate::rule::admission::LONGEST_SLOT;

/// A cursor in a meter's measurements: after the one with that time and identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Its time, microseconds since the Unix epoch.
    pub measured_at: i64,
    /// Its identifier.
    pub uuid: Uuid,
}

/// Written as 48 hexadecimal digits; clients send it back unchanged.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{}", self.measured_at, self.uuid.simple())
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        if s.len() != 48 || !s.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(());
        }
        let (time, uuid) = s.split_at(16);
        let time = u64::from_str_radix(time, 16).map_err(|_| ())?;
        let uuid = Uuid::try_parse(uuid).map_err(|_| ())?;
        Ok(Self { measured_at: time.cast_signed(), uuid })
    }
}

/// Which measurements of a meter are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// Measured then or later.
    pub from: Option<Timestamp>,
    /// Measured earlier than then.
    pub to: Option<Timestamp>,
    /// After this cursor.
    pub after: Option<Cursor>,
    /// The maximum number of items, at least 1.
    pub limit: usize,
}

/// Measurements, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The measurements.
    pub items: Vec<StoredMeasurement>,
    /// The cursor of the next page, if there is one.
    pub next: Option<Cursor>,
}

/// Which rows may belong to a page, in microseconds since the Unix epoch: times are compared as
/// stored.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Their slots begin at this time or later.
    pub slot: i64,
    /// They were measured at this time or later.
    pub start: i64,
    /// They were measured before this time, so their slots begin earlier.
    pub to: i64,
    /// After this cursor.
    pub after: Option<Cursor>,
}

impl Window {
    /// The window of a query's next page.
    pub fn from_query(query: &PageQuery) -> Self {
        let from = query.from.map_or(i64::MIN, Timestamp::as_microsecond);
        let after = query.after.filter(|cursor| cursor.measured_at >= from);
        let start = after.map_or(from, |cursor| cursor.measured_at);
        let to = query.to.map_or(i64::MAX, Timestamp::as_microsecond);
        Self { slot: start.saturating_sub(LONGEST_SLOT), start, to, after }
    }
}

/// A measurement and its place in the database's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// When its slot begins, microseconds since the Unix epoch.
    pub slot: i64,
    /// The measurement, taken then or later.
    pub item: StoredMeasurement,
}

/// Whether the rows suffice for a page.
#[derive(Debug, PartialEq, Eq)]
pub enum Choice {
    /// A page.
    Page(Page),
    /// Less than a page: this many rows have to be read.
    More(usize),
}

/// How many rows are read for a page at first: one after it, and the cursor's own.
pub const fn rows_for(limit: usize) -> usize {
    limit.saturating_add(2)
}

/// The page after a cursor, from the first `read` rows that are not before it, or from all if there
/// are fewer.
pub fn choose(mut rows: Vec<Listed>, read: usize, after: Option<Cursor>, limit: usize) -> Choice {
    // Rows that were not read have this slot or a later one, and were not measured before it.
    let unread = rows.last().filter(|_| rows.len() >= read).map(|last| last.slot);
    rows.retain(|row| {
        after.is_none_or(|after| place(row) > (after.measured_at, after.uuid))
            && unread.is_none_or(|unread| place(row).0 < unread)
    });
    let more = unread.is_some() || rows.len() > limit;
    if rows.len() < limit && more {
        return Choice::More(read.saturating_mul(2));
    }
    rows.sort_unstable_by_key(place);
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|last| {
        let (measured_at, uuid) = place(last);
        Cursor { measured_at, uuid }
    });
    Choice::Page(Page { items: rows.into_iter().map(|row| row.item).collect(), next })
}

fn place(row: &Listed) -> (i64, Uuid) {
    (row.item.measured_at.as_microsecond(), row.item.uuid)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn row(slot: i64, measured_at: i64, uuid: u128) -> Listed {
        let at = Timestamp::from_microsecond(measured_at).unwrap();
        let item = StoredMeasurement {
            uuid: Uuid::from_u128(uuid),
            measured_at: at,
            received_at: at,
            data: Vec::new(),
            flags: Vec::new(),
        };
        Listed { slot, item }
    }

    /// All pages, read as a database would from its key.
    fn pages(all: &[Listed], limit: usize, longest: i64) -> Vec<Vec<StoredMeasurement>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let start = after.map_or(i64::MIN, |after: Cursor| after.measured_at);
            let behind = all
                .iter()
                .filter(|row| row.slot > start.saturating_sub(longest) && place(row).0 >= start);
            let mut read = rows_for(limit);
            let page = loop {
                let rows = behind.clone().take(read).cloned().collect();
                match choose(rows, read, after, limit) {
                    Choice::Page(page) => break page,
                    Choice::More(more) => read = more,
                }
            };
            pages.push(page.items);
            after = page.next;
            if after.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn slots_one_after_the_other_are_read_once() {
        let rows: Vec<_> = (0..5).map(|i| row(i * 900, i * 900 + 7, 1)).collect();
        let Choice::Page(page) = choose(rows[..4].to_vec(), rows_for(2), None, 2) else { panic!() };
        assert_eq!((page.items.len(), page.next.unwrap().measured_at), (2, 907));
        let Choice::Page(page) = choose(rows[1..].to_vec(), rows_for(2), page.next, 2) else {
            panic!()
        };
        assert_eq!((page.items.len(), page.next.unwrap().measured_at), (2, 2707));
        let Choice::Page(page) = choose(rows[3..].to_vec(), rows_for(2), page.next, 2) else {
            panic!()
        };
        assert_eq!((page.items.len(), page.next), (1, None));
    }

    #[test]
    fn what_may_still_come_first_is_waited_for() {
        let rows = [row(0, 90, 1), row(50, 50, 2), row(60, 60, 3), row(70, 70, 4)];
        assert_eq!(choose(rows[..3].to_vec(), 3, None, 1), {
            Choice::Page(Page {
                items: vec![rows[1].item.clone()],
                next: Some(Cursor { measured_at: 50, uuid: Uuid::from_u128(2) }),
            })
        });
        assert_eq!(choose(rows[..2].to_vec(), 2, None, 1), Choice::More(4));
    }

    proptest! {
        #[test]
        fn cursors_round_trip(measured_at: i64, uuid: u128) {
            let cursor = Cursor { measured_at, uuid: Uuid::from_u128(uuid) };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn other_texts_are_no_cursors(text in "\\PC{0,60}") {
            prop_assume!(text.len() != 48 || !text.bytes().all(|b| b.is_ascii_hexdigit()));
            prop_assert_eq!(text.parse::<Cursor>(), Err(()));
        }

        #[test]
        fn pages_together_are_all_in_order(
            rows in proptest::collection::vec((0..60_i64, 0..20_i64, 0..4_u128), 0..40),
            limit in 1..12_usize,
        ) {
            let mut all: Vec<_> = rows
                .iter()
                .enumerate()
                .map(|(i, (slot, behind, uuid))| row(*slot, slot + behind, uuid << 64 | i as u128))
                .collect();
            all.sort_by_key(|row| row.slot);
            let pages = pages(&all, limit, 20);
            let full = pages.iter().rev().skip(1).all(|page| page.len() == limit);
            prop_assert!(full, "{pages:?}");
            all.sort_by_key(place);
            let items: Vec<_> = all.into_iter().map(|row| row.item).collect();
            prop_assert_eq!(pages.concat(), items);
        }
    }
}
