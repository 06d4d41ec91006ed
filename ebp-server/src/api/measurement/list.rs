//! Endpoint 7: a meter's measurements, a page at a time.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use ebp_core::contract::{MeasurementPage, limits};
use ebp_store::PageQuery;
use ebp_survey::Survey;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{api::query, auth::Requester, problem::ApiError};

/// `GET /household/meter/{uuid}/measurement?from&to&limit&cursor`: oldest first, `from` included,
/// `to` not; `cursor` is what the page before gave as `next`.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
    Path(meter): Path<String>,
    uri: Uri,
) -> Result<Json<MeasurementPage>, ApiError> {
    // An id that is none is unknown, like any other.
    let meter = Uuid::try_parse(&meter).map_err(|_| ApiError::NotFound)?;
    let query = page_query(&uri)?;
    let page = survey.store().measurements_page(caller.household()?, meter, query).await?;
    Ok(Json(MeasurementPage {
        items: page.items,
        next: page.next.map(|cursor| cursor.to_string()),
    }))
}

/// `?from&to&limit&cursor`; `cursor` is what the page before gave as `next`.
pub fn page_query(uri: &Uri) -> Result<PageQuery, ApiError> {
    let mut query = PageQuery { from: None, to: None, after: None, limit: limits::PAGE_DEFAULT };
    query::read(uri, &["from", "to", "limit", "cursor"], |name, value| {
        let instant = || {
            let instant = value.parse::<Timestamp>();
            instant.map(Some).map_err(|_| format!("`{name}` must be an RFC 3339 time"))
        };
        match name {
            "from" => query.from = instant()?,
            "to" => query.to = instant()?,
            "limit" => query.limit = query::limit(value)?,
            _ => query.after = Some(query::cursor(value)?),
        }
        Ok(())
    })?;
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PageQuery, String> {
        page_query(&format!("/m?{text}").parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn queries() {
        assert_eq!(parse("").unwrap().limit, 1000);
        let query = parse("from=2026-01-01T00:00:00%2B01:00&limit=10000").unwrap();
        assert_eq!(query.from.unwrap().to_string(), "2025-12-31T23:00:00Z");
        assert_eq!((query.limit, query.to), (10_000, None));
        let wrong = [
            "limit=0",
            "limit=10001",
            "limit=-1",
            "limit=x",
            "from=yesterday",
            "to=",
            "cursor=1",
            "form=2026-01-01T00:00:00Z",
            "limit=1&limit=1",
            "from=2026-01-01",
        ];
        for text in wrong {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with("malformed: "), "{text}: {error}");
            assert!(!error.contains("yesterday"), "{error}");
        }
    }
}
