//! The overview.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, response::Response};
use ebp_survey::{Fleet, GroupCaller, StoreError, SurveyError};

use crate::{
    cloud::{Administrator, CloudWeb, Failed},
    status::{
        filter::Filter,
        overview::{Overview, Stale},
    },
};

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// `GET /status`.
pub async fn show(
    State(web): State<Arc<CloudWeb>>,
    Administrator { visitor, caller }: Administrator,
) -> Response {
    let (mut filter, mut understood) = Filter::read(&visitor.preferences);
    let mut asked = ask(&caller, &filter).await;
    if let Err(SurveyError::Store(StoreError::Search)) = asked {
        // A cursor of another order.
        (filter, understood) = (filter.following(None), false);
        asked = ask(&caller, &filter).await;
    }
    let address = filter.address();
    let (fleet, stale) = match asked {
        Ok(fleet) => {
            web.fleets.keep(&address, &fleet);
            (fleet, None)
        }
        Err(error) => {
            let is_away = Failed::from_error(&error) == Failed::Unavailable;
            let kept = is_away.then(|| web.fleets.find(&address, visitor.now)).flatten();
            let Some(fleet) = kept else { return visitor.fail(error) };
            let answered_at = fleet.page.judged_at;
            (fleet, Some(Stale { answered_at }))
        }
    };
    let frame = visitor.frame(visitor.language().say("overview-title"));
    visitor.show(&Overview::new(frame, &fleet, &filter, understood, stale))
}

async fn ask(caller: &GroupCaller, filter: &Filter) -> Result<Fleet, SurveyError> {
    match tokio::time::timeout(PATIENCE, caller.fleet(filter.query())).await {
        Ok(answer) => answer,
        Err(_) => Err(StoreError::Closed.into()),
    }
}
