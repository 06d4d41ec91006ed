//! Parts of lists: what a query is asked with, and the rows cut to what was asked for.

use uuid::Uuid;

use super::value::Instant;
use crate::{ListCursor, ListPage, ListQuery};

/// What a query of a list is asked with: behind which place (the first time of the calendar that
/// PostgreSQL and the program share comes before every registration) and one more than wanted,
/// which tells whether there is a next part.
pub fn bounds(query: ListQuery) -> (Instant, Uuid, i64) {
    let (at, uuid) =
        query.after.map_or((i64::MIN, Uuid::nil()), |after| (after.registered_at, after.uuid));
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    (Instant::within(at), uuid, limit)
}

/// Cuts the rows, each with its place, to the part that was asked for.
pub fn page<T>(query: ListQuery, mut rows: Vec<(ListCursor, T)>) -> ListPage<T> {
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows.last().filter(|_| more).map(|(place, _)| *place);
    ListPage { items: rows.into_iter().map(|(_, item)| item).collect(), next }
}
