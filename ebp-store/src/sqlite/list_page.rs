//! Pages of lists: the parameters of a query, and truncating its rows to the page.

use crate::{ListCursor, ListPage, ListQuery};

/// What a query of a list is asked with: where it starts (no octets come before every uuid) and one
/// more than requested, which shows whether there is a next page.
pub fn bounds(query: ListQuery) -> (i64, Vec<u8>, i64) {
    let (at, uuid) = query
        .after
        .map_or((i64::MIN, Vec::new()), |after| (after.registered_at, after.uuid.into()));
    (at, uuid, i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1))
}

/// Truncates the rows, each with its cursor, to the requested page.
pub fn page<T>(query: ListQuery, mut rows: Vec<(ListCursor, T)>) -> ListPage<T> {
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows.last().filter(|_| more).map(|(place, _)| *place);
    ListPage { items: rows.into_iter().map(|(_, item)| item).collect(), next }
}
