//! Everything that the survey holds about a household, as one document (GDPR Art. 15, 20), sent as
//! it is read.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use ebp_survey::{Survey, SurveyError, export::ExportParts};
use hyper::body::Frame;

use crate::{auth::Requester, problem::ApiError};

/// `GET /household/export`. A document that breaks off is no JSON: its connection is reset.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
) -> Result<Response, ApiError> {
    let parts = survey.export_household(&caller).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"household.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::new(Parts(parts))).into_response())
}

/// A body of parts that are read as they are sent.
struct Parts(ExportParts);

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = SurveyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SurveyError>>> {
        let part = self.0.poll_recv(context);
        part.map(|part| part.map(|part| part.map(|part| Frame::data(part.into()))))
    }
}
