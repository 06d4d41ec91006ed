//! Pages of lists: the parameters of a query, and truncating its rows to the page.

use uuid::Uuid;

use super::value::Instant;
use crate::{ListCursor, ListPage, ListQuery};

/// The parameters of a query for a list: the cursor (by default the earliest time that PostgreSQL
/// and the program share, which is before every registration), and the limit plus one, which shows
/// whether there is a next page.
pub fn bounds(query: ListQuery) -> (Instant, Uuid, i64) {
    let (at, uuid) =
        query.after.map_or((i64::MIN, Uuid::nil()), |after| (after.registered_at, after.uuid));
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    (Instant::within(at), uuid, limit)
}

/// Truncates the rows, each with its cursor, to the requested page.
pub fn page<T>(query: ListQuery, mut rows: Vec<(ListCursor, T)>) -> ListPage<T> {
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows.last().filter(|_| more).map(|(place, _)| *place);
    ListPage { items: rows.into_iter().map(|(_, item)| item).collect(), next }
}
