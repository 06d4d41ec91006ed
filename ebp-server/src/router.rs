//! Every route of the Data API with the scope that it demands, in one table.
//!
//! Enters: the application. Leaves: the service that answers requests. Absent: connections.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{Request, State},
    http::Method,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post},
};
use ebp_core::{contract::paths, scope::Scope};

use crate::{
    App,
    api::{account, consent, health, household, measurement, measurement_device, meter, pv_system},
    auth::{Guard, authorize},
    problem::ApiError,
};

/// A route: where, who may, what answers.
struct Route {
    path: &'static str,
    /// Without one, anybody may.
    scope: Option<Scope>,
    handler: MethodRouter<Arc<App>>,
}

/// The table (thesis tables 4.2 and 4.4).
#[rustfmt::skip]
fn routes() -> Vec<Route> {
    use Scope::{Account, Consent, Household, MeasurementRead, MeasurementWrite};
    let route = |path, scope, handler| Route { path, scope, handler };
    vec![
        route(paths::ACCOUNT,            Some(Account),          get(account::show)),
        route(paths::HOUSEHOLD,          Some(Household),        get(household::show)),
        route(paths::CONSENT,            Some(Consent),          get(consent::show)),
        route(paths::CONSENT,            Some(Consent),          post(consent::grant)),
        route(paths::CONSENT,            Some(Consent),          delete(consent::revoke)),
        route(paths::MEASUREMENT_DEVICE, Some(Household),        get(measurement_device::list)),
        route(paths::METER,              Some(Household),        get(meter::list)),
        route(paths::METER_MEASUREMENT,  Some(MeasurementRead),  get(measurement::list)),
        route(paths::MEASUREMENT,        Some(MeasurementWrite), post(measurement::upload)),
        route(paths::PV_SYSTEM,          Some(Household),        get(pv_system::list)),
        route(paths::HEALTHZ,            None,                   get(health::show)),
    ]
}

/// The service.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for Route { path, scope, handler } in routes() {
        let guarded = match scope {
            Some(scope) => {
                let guard = Guard { app: app.clone(), scope };
                handler.route_layer(middleware::from_fn_with_state(guard, authorize))
            }
            None => handler,
        };
        let marked = guarded.route_layer(middleware::from_fn_with_state(Template(path), mark));
        router = router.route(path, marked);
    }
    router
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(middleware::from_fn_with_state(app.clone(), in_time))
        .layer(middleware::from_fn(log))
        .with_state(app)
}

/// A route's path as the table writes it, for the log: paths themselves name meters.
#[derive(Clone, Copy)]
struct Template(&'static str);

async fn mark(State(template): State<Template>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(template);
    response
}

/// Breaks off what takes too long.
async fn in_time(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(app.limits.request, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Unavailable("the request took too long".to_owned()).into_response(),
    }
}

/// One line for each request, without anything that tells of whom it was.
async fn log(request: Request, next: Next) -> Response {
    let (start, method): (Instant, Method) = (Instant::now(), request.method().clone());
    let response = next.run(request).await;
    let route = response.extensions().get::<Template>().map_or("-", |template| template.0);
    let (status, took) = (response.status().as_u16(), start.elapsed());
    tracing::info!(%method, route, status, ?took, "answered");
    response
}
