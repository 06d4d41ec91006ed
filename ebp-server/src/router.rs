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
use ebp_survey::Operation;

use crate::{
    answer::{Compressing, Template, compress, say_how_long},
    api::{
        account, consent, description, device, device_update, export, geo, health, household,
        incident, management, measurement, measurement_device, message, meter, pv_system, release,
        series, survey, tunnel,
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
    use Operation::*;
    use access::{ANYBODY, EITHER, by, scope};
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
        get(paths::RELEASE,                scope(Household),        h::get(release::list)),
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
        post(paths::MANAGEMENT_HOUSEHOLD,  by(RegisterHousehold),   h::post(management::household::register)),
        post(paths::REGISTRATION_CHECK,    by(CheckRegistration),   h::post(management::household::check)),
        get(paths::MANAGED_HOUSEHOLD,      by(ShowHousehold),       h::get(management::household::show)),
        patch(paths::MANAGED_HOUSEHOLD,    by(ChangeHousehold),     h::patch(management::household::change)),
        get(paths::HOUSEHOLD_CHANGES,      by(ListChanges),         h::get(management::household::changes)),
        delete(paths::MANAGED_HOUSEHOLD,   by(RemoveHousehold),     h::delete(management::household::remove)),
        post(paths::REVOCATION,            by(RecordWithdrawal),    h::post(management::revocation::record)),
        post(paths::MANAGED_METERS,        by(AddMeter),            h::post(management::member::add_meter)),
        patch(paths::MANAGED_METER,        by(ChangeMeter),         h::patch(management::member::change_meter)),
        delete(paths::MANAGED_METER,       by(RemoveMeter),         h::delete(management::member::remove_meter)),
        get(paths::MANAGED_MEASUREMENT,    by(ListMeasurements),    h::get(management::measurement::list)),
        get(paths::MANAGED_SERIES,         by(ReadSeries),          h::get(series::managed_series)),
        get(paths::MANAGED_SUMMARY,        by(ReadSummary),         h::get(series::managed_summary)),
        post(paths::MANAGED_PV_SYSTEMS,    by(AddPvSystem),         h::post(management::member::add_pv_system)),
        patch(paths::MANAGED_PV_SYSTEM,    by(ChangePvSystem),      h::patch(management::member::change_pv_system)),
        delete(paths::MANAGED_PV_SYSTEM,   by(RemovePvSystem),      h::delete(management::member::remove_pv_system)),
        get(paths::MANAGEMENT_DEVICE,      by(ListDevices),         h::get(management::device::list)),
        post(paths::MANAGEMENT_DEVICE,     by(AddDevice),           h::post(management::device::add)),
        get(paths::MANAGED_DEVICE,         by(ShowDevice),          h::get(management::device::show)),
        patch(paths::MANAGED_DEVICE,       by(ChangeDevice),        h::patch(management::device::change)),
        delete(paths::MANAGED_DEVICE,      by(RemoveDevice),        h::delete(management::device::remove)),
        get(paths::MANAGEMENT_FLEET,       by(ListFleet),           h::get(management::fleet::list)),
        get(paths::DEVICE_COVERAGE,        by(ShowCoverage),        h::get(management::fleet::coverage)),
        get(paths::DEVICE_HISTORY,         by(ShowDeviceHistory),   h::get(management::fleet::history)),
        get(paths::DEVICE_SILENCE,         by(ShowSilence),         h::get(management::fleet::silence)),
        post(paths::DEVICE_SILENCE,        by(SilenceDevice),       h::post(management::fleet::silence_device)),
        delete(paths::DEVICE_SILENCE,      by(EndSilence),          h::delete(management::fleet::end_silence)),
        post(paths::MANAGED_ENROLMENT,     by(CreateEnrolment),     h::post(management::device::enrolment)),
        post(paths::MANAGED_SIGN_IN_CODE,  by(CreateSignInCode),    h::post(management::device::sign_in_code)),
        get(paths::MANAGEMENT_MESSAGE,     by(ListMessages),        h::get(management::message::list)),
        post(paths::MESSAGE_ANSWER,        by(AnswerMessage),       h::post(management::message::answer)),
        post(paths::MESSAGE_CLOSE,         by(CloseMessage),        h::post(management::message::close)),
        get(paths::MANAGEMENT_JOB,         by(ListJobs),            h::get(management::job::list)),
        post(paths::MANAGEMENT_JOB,        by(AddJob),              h::post(management::job::add)),
        get(paths::MANAGED_JOB,            by(ShowJob),             h::get(management::job::show)),
        post(paths::JOB_CANCEL,            by(CancelJob),           h::post(management::job::cancel)),
        post(paths::JOB_RETRY,             by(RetryJob),            h::post(management::job::retry)),
        get(paths::JOB_RESULT,             by(ReadJobResult),       h::get(management::job::result)),
        get(paths::JOB_ARCHIVE,            by(FetchArchive),        h::get(management::job::archive)),
        get(paths::MANAGEMENT_TUNNEL,      Access::Administration,  h::get(tunnel::list)),
        get(paths::TUNNEL_SESSION,         Access::Administration,  h::get(tunnel::sessions)),
        delete(paths::MANAGED_TUNNEL_SESSION, Access::Administration,  h::delete(tunnel::end)),
        get(paths::TUNNEL_CONNECT,         Access::Administration,  h::get(tunnel::connect)),
        get(paths::MANAGEMENT_ROLLOUT,     by(ShowRollouts),        h::get(management::rollout::list)),
        post(paths::MANAGEMENT_ROLLOUT,    by(SteerRollouts),       h::post(management::rollout::begin)),
        get(paths::MANAGED_ROLLOUT,        by(ShowRollouts),        h::get(management::rollout::show)),
        patch(paths::MANAGED_ROLLOUT,      by(SteerRollouts),       h::patch(management::rollout::change)),
        get(paths::MANAGEMENT_ALERT,       by(ListAlerts),          h::get(management::alert::list)),
        get(paths::ALERT_RULE,             by(ShowAlertRules),      h::get(management::alert::rules)),
        put(paths::ALERT_RULE,             by(ChangeAlertRules),    h::put(management::alert::change_rules)),
        get(paths::ALERT_RULE_CHANGES,     by(ShowAlertRules),      h::get(management::alert::rule_changes)),
        post(paths::ALERT_TEST,            by(TestAlerts),          h::post(management::alert::test)),
        get(paths::MANAGED_ALERT,          by(ShowAlert),           h::get(management::alert::show)),
        get(paths::ERROR_GROUP,            by(ListErrorGroups),     h::get(management::error_group::list)),
        get(paths::MANAGEMENT_SESSION,     by(ListSessions),        h::get(management::session::list)),
        delete(paths::MANAGED_SESSION,     by(EndSession),          h::delete(management::session::end)),
        get(paths::MANAGED_CERTIFICATES,   by(ListCertificates),    h::get(management::certificate::list)),
        delete(paths::MANAGED_CERTIFICATES, by(RevokeCertificates), h::delete(management::certificate::revoke_all)),
        delete(paths::MANAGED_CERTIFICATE, by(RevokeCertificate),   h::delete(management::certificate::revoke)),

        post(paths::ENROLL,                ANYBODY,                 h::post(device::enroll)),
        post(paths::RENEW,                 Access::Device,          h::post(device::renew)),
        post(paths::DEVICE_FRONTEND,       Access::DeviceScope(MeasurementWrite), h::post(device::frontend)),
        get(paths::DEVICE_SIGN_IN,         Access::Device,          h::get(device::sign_in)),
        get(paths::DEVICE_METER,           Access::Device,          h::get(device::meters)),
        post(paths::DEVICE_UPDATE,         Access::DeviceScope(MeasurementWrite), h::post(device_update::report)),
        get(paths::DEVICE_TUNNEL,          Access::DeviceScope(MeasurementWrite), h::get(tunnel::hold)),
        get(paths::INTERNAL_TUNNEL,        Access::Server,          h::get(tunnel::pass)),

        get(paths::GEO_REGIONS,            ANYBODY,                 h::get(geo::regions)),
        get(paths::GEO_REGION,             ANYBODY,                 h::get(geo::region)),
        get(paths::GEO_LOCATE,             by(LocateRegion),        h::get(geo::locate)),

        get(paths::SURVEY,                 ANYBODY,                 h::get(survey::show)),
        get(paths::ROOT,                   ANYBODY,                 h::get(description::root)),
        get(paths::HEALTHZ,                ANYBODY,                 h::get(health::show)),
        get(paths::READYZ,                 ANYBODY,                 h::get(health::ready)),
        get(paths::METRICS,                by(ReadMetrics),         h::get(health::metrics)),
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
    use ebp_survey::Operation;

    use crate::auth::Access;

    pub const ANYBODY: Access = Access::Anybody;
    /// Two operations by one path: the handler chooses by the group.
    pub const EITHER: Access = Access::Groups(&Group::ALL);

    /// Whoever may do that.
    pub const fn by(operation: Operation) -> Access {
        Access::Groups(operation.groups())
    }

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
