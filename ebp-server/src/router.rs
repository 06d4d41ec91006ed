//! Every route of the Data API with the scope that it demands, in one table.
//!
//! Enters: the application. Leaves: the service that answers requests. Absent: connections.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{Method, Version, header, uri::Authority},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{self as h, MethodRouter},
};
use ebp_core::{contract::paths, scope::Scope};

use crate::{
    answer::{Compressing, Template, compress, say_how_long},
    api::{
        account, consent, description, device, export, geo, health, household, incident,
        management, measurement, measurement_device, message, meter, pv_system, series, survey,
        tunnel,
    },
    app::App,
    as_problem::as_problem,
    auth::{Access, Authenticator, Guard, authorize},
    drain::drain,
    overload,
    problem::ApiError,
    request::{in_time, log, mark},
};

/// A route: where, who may, what answers.
pub(crate) struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    pub handler: MethodRouter<App>,
}

/// The table (thesis tables 4.2, 4.3, 4.4 and 4.6).
#[rustfmt::skip]
pub(crate) fn routes() -> Vec<Route> {
    use Scope::{Account, Consent, Household, MeasurementRead, MeasurementWrite};
    use access::{ADMINISTRATOR, ANYBODY, EITHER, RESEARCHER, scope};
    use method::{delete, get, patch, post, put};
    vec![
        get(paths::ACCOUNT,                scope(Account),          h::get(account::show)),
        get(paths::HOUSEHOLD,              scope(Household),        h::get(household::show)),
        get(paths::CONSENT,                scope(Consent),          h::get(consent::show)),
        post(paths::CONSENT,               scope(Consent),          h::post(consent::grant)),
        delete(paths::CONSENT,             scope(Consent),          h::delete(consent::revoke)),
        post(paths::PURPOSE,               scope(Consent),          h::post(consent::give_purpose)),
        delete(paths::PURPOSE,             scope(Consent),          h::delete(consent::withdraw_purpose)),
        get(paths::MESSAGE,                scope(Household),        h::get(message::list)),
        post(paths::MESSAGE,               scope(Household),        h::post(message::write)),
        get(paths::EXPORT,                 Access::AllScopes(&[Account, Consent, Household, MeasurementRead]), h::get(export::show)),
        get(paths::MEASUREMENT_DEVICE,     scope(Household),        h::get(measurement_device::list)),
        put(paths::DEVICE_STATUS,          Access::DeviceScope(MeasurementWrite), h::put(measurement_device::report)),
        get(paths::METER,                  scope(Household),        h::get(meter::list)),
        get(paths::METER_MEASUREMENT,      scope(MeasurementRead),  h::get(measurement::list)),
        post(paths::MEASUREMENT,           scope(MeasurementWrite), h::post(measurement::upload)),
        get(paths::SERIES,                 scope(MeasurementRead),  h::get(series::series)),
        get(paths::SUMMARY,                scope(MeasurementRead),  h::get(series::summary)),
        get(paths::PV_SYSTEM,              scope(Household),        h::get(pv_system::list)),
        get(paths::INCIDENT,               Access::EitherScope([MeasurementWrite, Household]), h::get(incident::list)),
        post(paths::INCIDENT_REPORT,       scope(MeasurementWrite), h::post(incident::report)),
        post(paths::INCIDENT_RESOLVE,      scope(MeasurementWrite), h::post(incident::resolve)),

        get(paths::MANAGEMENT_HOUSEHOLD,   EITHER,                  h::get(management::household::list)),
        post(paths::MANAGEMENT_HOUSEHOLD,  RESEARCHER,              h::post(management::household::register)),
        post(paths::REGISTRATION_CHECK,    RESEARCHER,              h::post(management::household::check)),
        get(paths::MANAGED_HOUSEHOLD,      RESEARCHER,              h::get(management::household::show)),
        patch(paths::MANAGED_HOUSEHOLD,    RESEARCHER,              h::patch(management::household::change)),
        get(paths::HOUSEHOLD_CHANGES,      RESEARCHER,              h::get(management::household::changes)),
        delete(paths::MANAGED_HOUSEHOLD,   RESEARCHER,              h::delete(management::household::remove)),
        post(paths::REVOCATION,            RESEARCHER,              h::post(management::revocation::record)),
        post(paths::MANAGED_METERS,        RESEARCHER,              h::post(management::member::add_meter)),
        patch(paths::MANAGED_METER,        RESEARCHER,              h::patch(management::member::change_meter)),
        delete(paths::MANAGED_METER,       RESEARCHER,              h::delete(management::member::remove_meter)),
        get(paths::MANAGED_MEASUREMENT,    RESEARCHER,              h::get(management::measurement::list)),
        get(paths::MANAGED_SERIES,         RESEARCHER,              h::get(series::managed_series)),
        get(paths::MANAGED_SUMMARY,        RESEARCHER,              h::get(series::managed_summary)),
        post(paths::MANAGED_PV_SYSTEMS,    RESEARCHER,              h::post(management::member::add_pv_system)),
        patch(paths::MANAGED_PV_SYSTEM,    RESEARCHER,              h::patch(management::member::change_pv_system)),
        delete(paths::MANAGED_PV_SYSTEM,   RESEARCHER,              h::delete(management::member::remove_pv_system)),
        get(paths::MANAGEMENT_DEVICE,      ADMINISTRATOR,           h::get(management::device::list)),
        post(paths::MANAGEMENT_DEVICE,     EITHER,                  h::post(management::device::add)),
        get(paths::MANAGED_DEVICE,         ADMINISTRATOR,           h::get(management::device::show)),
        patch(paths::MANAGED_DEVICE,       ADMINISTRATOR,           h::patch(management::device::change)),
        delete(paths::MANAGED_DEVICE,      ADMINISTRATOR,           h::delete(management::device::remove)),
        get(paths::MANAGEMENT_FLEET,       ADMINISTRATOR,           h::get(management::fleet::list)),
        get(paths::DEVICE_COVERAGE,        ADMINISTRATOR,           h::get(management::fleet::coverage)),
        get(paths::DEVICE_HISTORY,         ADMINISTRATOR,           h::get(management::fleet::history)),
        get(paths::DEVICE_SILENCE,         ADMINISTRATOR,           h::get(management::fleet::silence)),
        post(paths::DEVICE_SILENCE,        ADMINISTRATOR,           h::post(management::fleet::silence_device)),
        delete(paths::DEVICE_SILENCE,      ADMINISTRATOR,           h::delete(management::fleet::end_silence)),
        post(paths::MANAGED_ENROLMENT,     EITHER,                  h::post(management::device::enrolment)),
        post(paths::MANAGED_SIGN_IN_CODE,  EITHER,                  h::post(management::device::sign_in_code)),
        get(paths::MANAGEMENT_MESSAGE,     RESEARCHER,              h::get(management::message::list)),
        post(paths::MESSAGE_ANSWER,        RESEARCHER,              h::post(management::message::answer)),
        post(paths::MESSAGE_CLOSE,         RESEARCHER,              h::post(management::message::close)),
        get(paths::MANAGEMENT_JOB,         EITHER,                  h::get(management::job::list)),
        post(paths::MANAGEMENT_JOB,        EITHER,                  h::post(management::job::add)),
        get(paths::MANAGED_JOB,            EITHER,                  h::get(management::job::show)),
        post(paths::JOB_CANCEL,            EITHER,                  h::post(management::job::cancel)),
        post(paths::JOB_RETRY,             EITHER,                  h::post(management::job::retry)),
        get(paths::JOB_RESULT,             EITHER,                  h::get(management::job::result)),
        get(paths::MANAGEMENT_TUNNEL,      Access::Administration,  h::get(tunnel::list)),
        get(paths::TUNNEL_SESSION,         Access::Administration,  h::get(tunnel::sessions)),
        get(paths::TUNNEL_CONNECT,         Access::Administration,  h::get(tunnel::connect)),
        get(paths::MANAGEMENT_ALERT,       ADMINISTRATOR,           h::get(management::alert::list)),
        get(paths::ALERT_RULE,             ADMINISTRATOR,           h::get(management::alert::rules)),
        post(paths::ALERT_TEST,            ADMINISTRATOR,           h::post(management::alert::test)),
        get(paths::MANAGED_ALERT,          ADMINISTRATOR,           h::get(management::alert::show)),
        get(paths::MANAGED_CERTIFICATES,   ADMINISTRATOR,           h::get(management::certificate::list)),
        delete(paths::MANAGED_CERTIFICATES, ADMINISTRATOR,          h::delete(management::certificate::revoke_all)),
        delete(paths::MANAGED_CERTIFICATE, ADMINISTRATOR,           h::delete(management::certificate::revoke)),

        post(paths::ENROLL,                ANYBODY,                 h::post(device::enroll)),
        post(paths::RENEW,                 Access::Device,          h::post(device::renew)),
        post(paths::DEVICE_FRONTEND,       Access::DeviceScope(MeasurementWrite), h::post(device::frontend)),
        get(paths::DEVICE_SIGN_IN,         Access::Device,          h::get(device::sign_in)),
        get(paths::DEVICE_METER,           Access::Device,          h::get(device::meters)),
        get(paths::DEVICE_TUNNEL,          Access::DeviceScope(MeasurementWrite), h::get(tunnel::hold)),
        get(paths::INTERNAL_TUNNEL,        Access::Server,          h::get(tunnel::pass)),

        get(paths::GEO_REGIONS,            ANYBODY,                 h::get(geo::regions)),
        get(paths::GEO_REGION,             ANYBODY,                 h::get(geo::region)),
        get(paths::GEO_LOCATE,             RESEARCHER,              h::get(geo::locate)),

        get(paths::SURVEY,                 ANYBODY,                 h::get(survey::show)),
        get(paths::ROOT,                   ANYBODY,                 h::get(description::root)),
        get(paths::HEALTHZ,                ANYBODY,                 h::get(health::show)),
        get(paths::READYZ,                 ANYBODY,                 h::get(health::ready)),
        get(paths::METRICS,                ADMINISTRATOR,           h::get(health::metrics)),
        get(paths::OPENAPI,                ANYBODY,                 h::get(description::document)),
        get(paths::DOCS,                   ANYBODY,                 h::get(description::page)),
    ]
}

/// An endpoint, for code that checks or describes all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path; parameters are in braces.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
}

/// Every endpoint, in the table's order.
#[must_use]
pub fn endpoints() -> Vec<Endpoint> {
    let endpoint = |Route { method, path, access, .. }| Endpoint { method, path, access };
    routes().into_iter().map(endpoint).collect()
}

/// The table's words for who may.
mod access {
    use ebp_core::scope::{Group, Scope};

    use crate::auth::Access;

    pub const ANYBODY: Access = Access::Anybody;
    pub const RESEARCHER: Access = Access::Groups(&[Group::Researchers]);
    pub const ADMINISTRATOR: Access = Access::Groups(&[Group::Administrators]);
    pub const EITHER: Access = Access::Groups(&Group::ALL);

    pub const fn scope(scope: Scope) -> Access {
        Access::Scope(scope)
    }
}

/// The table's words for the methods.
mod method {
    use super::{Access, App, Method, MethodRouter, Route};

    macro_rules! methods {
        ($($name:ident $method:ident),*) => {$(
            pub const fn $name(
                path: &'static str,
                access: Access,
                handler: MethodRouter<App>,
            ) -> Route {
                Route { method: Method::$method, path, access, handler }
            }
        )*};
    }
    methods!(get GET, post POST, put PUT, patch PATCH, delete DELETE);
}

/// The service.
pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for Route { path, access, handler, .. } in routes() {
        let guard = Guard { authenticator: app.authenticator.clone(), access };
        let guarded = handler.route_layer(middleware::from_fn_with_state(guard, authorize));
        let guarded = match path {
            paths::MEASUREMENT => {
                let intake = app.intake.clone();
                guarded.route_layer(middleware::from_fn_with_state(intake, overload::gate::admit))
            }
            _ => guarded,
        };
        let marked = guarded.route_layer(middleware::from_fn_with_state(Template(path), mark));
        router = router.route(path, marked);
    }
    router
        .fallback(|authenticator, request| unmatched(authenticator, request, ApiError::NotFound))
        .method_not_allowed_fallback(|authenticator, request| {
            unmatched(authenticator, request, ApiError::MethodNotAllowed)
        })
        .layer(middleware::from_fn_with_state(app.authenticator.clone(), one_host))
        .layer(middleware::map_response(as_problem))
        .layer(middleware::from_fn(drain))
        .layer(middleware::from_fn_with_state(app.patience, in_time))
        .layer(middleware::from_fn(say_how_long))
        .layer(middleware::from_fn_with_state(Compressing::default(), compress))
        .layer(middleware::from_fn_with_state(app.telemetry.clone(), log))
        .with_state(app)
}

/// Rejects a request that does not have exactly one `Host` header (RFC 9112, 3.2): who stands
/// between client and server could understand another one.
async fn one_host(
    State(authenticator): State<Arc<Authenticator>>,
    request: Request,
    next: Next,
) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let first = hosts.next();
    let said = first.map_or(request.version() < Version::HTTP_11, |host| is_host(host.as_bytes()));
    if said && hosts.next().is_none() {
        return next.run(request).await;
    }
    let error = ApiError::Invalid("exactly one header `Host` is needed".to_owned());
    unmatched(State(authenticator), request, error).await.into_response()
}

/// A host with or without a port, or nothing.
fn is_host(value: &[u8]) -> bool {
    value.is_empty() || (!value.contains(&b'@') && Authority::try_from(value).is_ok())
}

/// What has no route counts as a request, too.
async fn unmatched(
    State(authenticator): State<Arc<Authenticator>>,
    request: Request,
    error: ApiError,
) -> ApiError {
    authenticator.admit(request.extensions()).err().unwrap_or(error)
}
