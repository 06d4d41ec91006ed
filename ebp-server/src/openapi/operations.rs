//! Request and response of each operation, in the route table's order.

use axum::http::Method;
use ebp_core::{
    contract::{
        Account, AlertMessage, AlertRuleSet, AlertRules, ChangedRules, Consent, ConsentGrant,
        Coverage, DeviceCertificate, DeviceChange, DeviceHistory, DeviceStatus, DeviceUpdate,
        EnergySeries, EnergySummary, EnrollRequest, EnrolmentRequest, EnrolmentToken, ErrorGroups,
        ExportReport, FleetPage, FrontendRequest, Household, HouseholdChange, HouseholdExport,
        HouseholdHealth, HouseholdListing, HouseholdRelease, ImportReport, IncidentRequest, Job,
        LocatedRegion, Made, ManagedCertificate, ManagedDevice, ManagedHousehold,
        MeasurementDevice, MeasurementPage, Message, MessageAnswer, MeterChange, NewDevice, NewJob,
        NewMessage, NewMeter, NewPvSystem, NewRollout, NewSignInCode, NewSilence, PurposeGrant,
        PvSystemChange, Registered, Registration, RegistrationChange, RenewRequest, RevokedDevice,
        RiskReport, Rollout, RolloutChange, RolloutReport, SignIn, Silence, SurveyInformation,
        Tunnel, TunnelSession, UpdateWish, UploadRequest, UploadResponse, WebSession, Withdrawal,
        limits, paths,
    },
    model::{Incident, Meter, PvSystem},
};
use utoipa::{
    ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{
            AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type,
        },
    },
};

const OPENMETRICS: &str = "application/openmetrics-text";

/// A body: its schema, and those that it refers to.
pub struct Body {
    pub media: &'static str,
    pub schema: RefOr<Schema>,
    pub referred: Vec<(String, RefOr<Schema>)>,
    /// Whether a request with members that are not known is refused.
    pub closed: bool,
    /// Whether a request needs it.
    pub required: bool,
}

impl Body {
    const fn json(schema: RefOr<Schema>, referred: Vec<(String, RefOr<Schema>)>) -> Self {
        Self { media: "application/json", schema, referred, closed: true, required: true }
    }
}

/// A body that is no JSON, or JSON of a form that no endpoint takes.
fn plain(media: &'static str, kind: Type) -> Option<Body> {
    let schema = ObjectBuilder::new().schema_type(kind);
    Some(Body { media, ..Body::json(schema.into(), Vec::new()) })
}

/// An upload: whatever has an identifier is answered item by item, so that a malformed measurement
/// does not hold up the others.
fn upload() -> Option<Body> {
    let mut body = one::<UploadRequest>()?;
    let uuid = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    let uuid = ObjectBuilder::new().schema_type(Type::String).format(Some(uuid));
    let malformed = ObjectBuilder::new()
        .description(Some("Anything else with an identifier: it is answered as refused"))
        .property("uuid", uuid)
        .required("uuid");
    let item = AnyOfBuilder::new().item(Ref::from_schema_name("Measurement")).item(malformed);
    let items = ArrayBuilder::new()
        .description(Some("The measurements"))
        .items(item)
        .max_items(Some(limits::UPLOAD_ITEMS));
    let upload = ObjectBuilder::new().property("measurements", items).required("measurements");
    body.referred.retain(|(name, _)| name != "UploadRequest");
    body.referred.insert(0, ("UploadRequest".to_owned(), upload.into()));
    Some(Body { closed: false, ..body })
}

/// One operation.
pub struct Described {
    pub method: Method,
    pub path: &'static str,
    pub summary: &'static str,
    pub request: Option<Body>,
    pub status: &'static str,
    pub answer: Option<Body>,
}

fn one<T: ToSchema>() -> Option<Body> {
    let mut referred = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut referred);
    Some(Body::json(Ref::from_schema_name(T::name()).into(), referred))
}

/// A request's body that may be left out.
fn optional<T: ToSchema>() -> Option<Body> {
    Some(Body { required: false, ..one::<T>()? })
}

fn many<T: ToSchema>() -> Option<Body> {
    let Body { schema, referred, .. } = one::<T>()?;
    Some(Body::json(ArrayBuilder::new().items(schema).into(), referred))
}

/// One page of a list: [`ebp_core::contract::Listing`].
fn listing<T: ToSchema>() -> Option<Body> {
    let Body { schema, referred, .. } = many::<T>()?;
    let next = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some("Where the next page starts; null on the last"));
    let page = ObjectBuilder::new()
        .property("items", schema)
        .property("next", next)
        .required("items")
        .required("next");
    Some(Body::json(page.into(), referred))
}

/// Where the answer's form depends on who asks.
fn either<const N: usize>(bodies: [Option<Body>; N]) -> Option<Body> {
    let mut schemas = AnyOfBuilder::new();
    let mut referred = Vec::new();
    for body in bodies.into_iter().flatten() {
        schemas = schemas.item(body.schema);
        referred.extend(body.referred);
    }
    Some(Body::json(schemas.into(), referred))
}

/// Every operation.
#[rustfmt::skip]
pub fn describe() -> Vec<Described> {
    let op = |method, path, summary, request, status, answer| Described {
        method, path, summary, request, status, answer,
    };
    use Method as M;
    vec![
        op(M::GET, paths::ACCOUNT, "The participant's contact details", None, "200", one::<Account>()),
        op(M::GET, paths::HOUSEHOLD, "The household's registration details", None, "200", one::<Household>()),
        op(M::GET, paths::CONSENT, "Where consent stands", None, "200", one::<Consent>()),
        op(M::POST, paths::CONSENT, "Grant consent, once, to a version of the survey's text where it has one", optional::<ConsentGrant>(), "201", one::<Consent>()),
        op(M::DELETE, paths::CONSENT, "Revoke consent, for good", None, "200", one::<Consent>()),
        op(M::POST, paths::PURPOSE, "Agree to a further purpose", one::<PurposeGrant>(), "200", one::<Consent>()),
        op(M::DELETE, paths::PURPOSE, "Withdraw what was agreed to for a further purpose", None, "200", one::<Consent>()),
        op(M::GET, paths::MESSAGE, "The household's messages with their answers, oldest first", None, "200", listing::<Message>()),
        op(M::POST, paths::MESSAGE, "Tell the researchers what is wrong with what is registered or measured", one::<NewMessage>(), "201", one::<Message>()),
        op(M::GET, paths::RELEASE, "The releases of the data set that the household is in, the first first", None, "200", many::<HouseholdRelease>()),
        op(M::GET, paths::EXPORT, "Everything that the survey holds about the household, as one document", None, "200", one::<HouseholdExport>()),
        op(M::GET, paths::MEASUREMENT_DEVICE, "The household's measurement devices", None, "200", many::<MeasurementDevice>()),
        op(M::PUT, paths::DEVICE_STATUS, "What the device tells of itself, in the place of what it told before", one::<DeviceStatus>(), "204", None),
        op(M::GET, paths::METER, "The household's meters", None, "200", many::<Meter>()),
        op(M::GET, paths::METER_MEASUREMENT, "A meter's measurements, a page at a time", None, "200", one::<MeasurementPage>()),
        op(M::POST, paths::MEASUREMENT, "Upload measurements; sending one again changes nothing", upload(), "200", one::<UploadResponse>()),
        op(M::GET, paths::SERIES, "The household's energy by quarter hours (31 days at most), hours (93 days), days or months", None, "200", one::<EnergySeries>()),
        op(M::GET, paths::SUMMARY, "The household's energies and figures of a stretch of days, as far as they are known", None, "200", one::<EnergySummary>()),
        op(M::GET, paths::PV_SYSTEM, "The household's photovoltaic systems", None, "200", many::<PvSystem>()),
        op(M::GET, paths::INCIDENT, "A meter's incidents", None, "200", many::<Incident>()),
        op(M::POST, paths::INCIDENT_REPORT, "Open an incident", one::<IncidentRequest>(), "200", one::<Incident>()),
        op(M::POST, paths::INCIDENT_RESOLVE, "End an incident", one::<IncidentRequest>(), "200", one::<Incident>()),

        op(M::GET, paths::MANAGEMENT_HOUSEHOLD, "Registrations and consents (researchers) or health (administrators)", None, "200",
            either([one::<HouseholdListing>(), listing::<HouseholdHealth>()])),
        op(M::POST, paths::MANAGEMENT_HOUSEHOLD, "Take in a registration", one::<Registration>(), "201", one::<Registered>()),
        op(M::POST, paths::REGISTRATION_CHECK, "Whether a registration would be taken in; nothing is stored", one::<Registration>(), "204", None),
        op(M::GET, paths::MANAGED_HOUSEHOLD, "A registration with all that belongs to it", None, "200", one::<ManagedHousehold>()),
        op(M::PATCH, paths::MANAGED_HOUSEHOLD, "Change contact, address, location, metadata", one::<HouseholdChange>(), "200", one::<ManagedHousehold>()),
        op(M::GET, paths::HOUSEHOLD_CHANGES, "The history of a registration, without values", None, "200", listing::<RegistrationChange>()),
        op(M::DELETE, paths::MANAGED_HOUSEHOLD, "Remove a household that was registered by mistake, while nothing was measured in it", None, "204", None),
        op(M::POST, paths::REVOCATION, "Record a withdrawal of consent that came elsewhere: consent is revoked, for good", one::<Withdrawal>(), "200", one::<Consent>()),
        op(M::POST, paths::MANAGED_METERS, "Add a meter", one::<NewMeter>(), "201", one::<Made>()),
        op(M::PATCH, paths::MANAGED_METER, "Change a meter", one::<MeterChange>(), "200", one::<ManagedHousehold>()),
        op(M::DELETE, paths::MANAGED_METER, "Remove a meter that was registered by mistake", None, "204", None),
        op(M::GET, paths::MANAGED_MEASUREMENT, "A meter's measurements, a page at a time", None, "200", one::<MeasurementPage>()),
        op(M::GET, paths::MANAGED_SERIES, "A household's energy by quarter hours (31 days at most), hours (93 days), days or months", None, "200", one::<EnergySeries>()),
        op(M::GET, paths::MANAGED_SUMMARY, "A household's energies and figures of a stretch of days, as far as they are known", None, "200", one::<EnergySummary>()),
        op(M::POST, paths::MANAGED_PV_SYSTEMS, "Add a photovoltaic system", one::<NewPvSystem>(), "201", one::<Made>()),
        op(M::PATCH, paths::MANAGED_PV_SYSTEM, "Change a photovoltaic system", one::<PvSystemChange>(), "200", one::<ManagedHousehold>()),
        op(M::DELETE, paths::MANAGED_PV_SYSTEM, "Remove a photovoltaic system that was registered by mistake", None, "204", None),
        op(M::GET, paths::MANAGEMENT_DEVICE, "All measurement devices", None, "200", listing::<ManagedDevice>()),
        op(M::POST, paths::MANAGEMENT_DEVICE, "Add a measurement device to a household", one::<NewDevice>(), "201", one::<Made>()),
        op(M::GET, paths::MANAGED_DEVICE, "A measurement device", None, "200", one::<ManagedDevice>()),
        op(M::PATCH, paths::MANAGED_DEVICE, "Say which meters a device reads", one::<DeviceChange>(), "200", one::<ManagedDevice>()),
        op(M::DELETE, paths::MANAGED_DEVICE, "Remove a device that was added by mistake", None, "204", None),
        op(M::GET, paths::MANAGEMENT_FLEET, "The state of all devices: a page of them, and how many are in each state", None, "200", one::<FleetPage>()),
        op(M::GET, paths::DEVICE_COVERAGE, "In which slots a device's meters were measured", None, "200", one::<Coverage>()),
        op(M::GET, paths::DEVICE_HISTORY, "A device's incidents, and its statuses by day, of the last 400 days", None, "200", one::<DeviceHistory>()),
        op(M::GET, paths::DEVICE_SILENCE, "A device's silence; 404 if there is none", None, "200", one::<Silence>()),
        op(M::POST, paths::DEVICE_SILENCE, "Silence a device: nobody is alerted because of it", one::<NewSilence>(), "201", one::<Silence>()),
        op(M::DELETE, paths::DEVICE_SILENCE, "End a device's silence", None, "204", None),
        op(M::POST, paths::MANAGED_ENROLMENT, "Make a one-time token for a device", one::<EnrolmentRequest>(), "201", one::<EnrolmentToken>()),
        op(M::POST, paths::MANAGED_SIGN_IN_CODE, "Make another sign-in code for a device's page", None, "201", one::<NewSignInCode>()),
        op(M::GET, paths::MANAGEMENT_MESSAGE, "Messages of all households with their answers, oldest first", None, "200", listing::<Message>()),
        op(M::POST, paths::MESSAGE_ANSWER, "Answer a message, once; that closes it", one::<MessageAnswer>(), "200", one::<Message>()),
        op(M::POST, paths::MESSAGE_CLOSE, "Close a message without an answer", None, "200", one::<Message>()),
        op(M::GET, paths::MANAGEMENT_JOB, "Jobs: all of them (administrators), or those of the group (researchers)", None, "200", listing::<Job>()),
        op(M::POST, paths::MANAGEMENT_JOB, "Ask for a job; imports and exports are for researchers", one::<NewJob>(), "202", one::<Job>()),
        op(M::GET, paths::MANAGED_JOB, "A job", None, "200", one::<Job>()),
        op(M::POST, paths::JOB_CANCEL, "End a job that waits, and stop one that runs", None, "200", one::<Job>()),
        op(M::POST, paths::JOB_RETRY, "Begin a job anew that failed or was cancelled, or whose result was erased", None, "200", one::<Job>()),
        op(M::GET, paths::JOB_RESULT, "What a job found, for the group that asked for it", None, "200", either([one::<ImportReport>(), one::<RiskReport>(), one::<ExportReport>()])),
        op(M::GET, paths::JOB_ARCHIVE, "The archive of an export (tar), whole or a range of it, for researchers", None, "200", plain("application/x-tar", Type::String)),
        op(M::GET, paths::MANAGEMENT_TUNNEL, "Tunnels of devices: which can be reached", None, "200", listing::<Tunnel>()),
        op(M::GET, paths::TUNNEL_SESSION, "Sessions of administrators with devices", None, "200", listing::<TunnelSession>()),
        op(M::DELETE, paths::MANAGED_TUNNEL_SESSION, "End a session, at whichever server it is carried", None, "200", one::<TunnelSession>()),
        op(M::GET, paths::TUNNEL_CONNECT, "A session with a service of a device; the connection is upgraded to ebp-session/1", None, "101", None),
        op(M::GET, paths::MANAGEMENT_ROLLOUT, "Roll-outs of versions of the program", None, "200", listing::<Rollout>()),
        op(M::POST, paths::MANAGEMENT_ROLLOUT, "Begin a roll-out, unless another one is under way", one::<NewRollout>(), "201", one::<Rollout>()),
        op(M::GET, paths::MANAGED_ROLLOUT, "A roll-out with its devices", None, "200", one::<RolloutReport>()),
        op(M::PATCH, paths::MANAGED_ROLLOUT, "Advance, halt, resume or end a roll-out", one::<RolloutChange>(), "200", one::<RolloutReport>()),
        op(M::GET, paths::MANAGEMENT_ALERT, "Messages about devices, and how far they are sent", None, "200", listing::<AlertMessage>()),
        op(M::GET, paths::ALERT_RULE, "By which rules this server tells of devices", None, "200", one::<AlertRules>()),
        op(M::PUT, paths::ALERT_RULE, "Change the rules for all servers of the database", one::<AlertRuleSet>(), "200", one::<AlertRules>()),
        op(M::GET, paths::ALERT_RULE_CHANGES, "The last hundred versions of the rules, the newest first", None, "200", many::<ChangedRules>()),
        op(M::POST, paths::ALERT_TEST, "Test how messages are sent", None, "202", one::<AlertMessage>()),
        op(M::GET, paths::MANAGED_ALERT, "A message about devices", None, "200", one::<AlertMessage>()),
        op(M::GET, paths::ERROR_GROUP, "Groups of errors of devices, and of the server that answers", None, "200", one::<ErrorGroups>()),
        op(M::GET, paths::MANAGEMENT_SESSION, "Sessions of researchers and administrators in pages", None, "200", listing::<WebSession>()),
        op(M::DELETE, paths::MANAGED_SESSION, "End a session in pages", None, "204", None),
        op(M::GET, paths::MANAGED_CERTIFICATES, "A device's certificates", None, "200", listing::<ManagedCertificate>()),
        op(M::DELETE, paths::MANAGED_CERTIFICATES, "Revoke every certificate of a device and void its one-time tokens, for good", None, "200", one::<RevokedDevice>()),
        op(M::DELETE, paths::MANAGED_CERTIFICATE, "Revoke a certificate, for good", None, "200", one::<ManagedCertificate>()),

        op(M::POST, paths::ENROLL, "A device's first certificate, and that of its page, by a one-time token", one::<EnrollRequest>(), "201", one::<DeviceCertificate>()),
        op(M::POST, paths::RENEW, "A device's next certificate", one::<RenewRequest>(), "201", one::<DeviceCertificate>()),
        op(M::POST, paths::DEVICE_FRONTEND, "The first certificate of a device's page, by the device's own", one::<FrontendRequest>(), "201", one::<DeviceCertificate>()),
        op(M::GET, paths::DEVICE_SIGN_IN, "By what the sign-in code for the device's page is verified", None, "200", one::<SignIn>()),
        op(M::GET, paths::DEVICE_METER, "The meters that the device reads", None, "200", many::<Meter>()),
        op(M::POST, paths::DEVICE_UPDATE, "What the device says of its updates; what it is to run", one::<DeviceUpdate>(), "200", one::<UpdateWish>()),
        op(M::GET, paths::DEVICE_TUNNEL, "The device's tunnel; the connection is upgraded to ebp-tunnel/1", None, "101", None),
        op(M::GET, paths::INTERNAL_TUNNEL, "A session with a device that is connected to this server, for another server; the connection is upgraded to ebp-session/1", None, "101", None),

        op(M::GET, paths::GEO_REGIONS, "The outlines of all regions, with 2 km simplified borders", None, "200", plain("image/svg+xml", Type::String)),
        op(M::GET, paths::GEO_REGION, "The outline of one region", None, "200", plain("image/svg+xml", Type::String)),
        op(M::GET, paths::GEO_LOCATE, "The region that a location lies in", None, "200", one::<LocatedRegion>()),

        op(M::GET, paths::SURVEY, "The survey: who runs it, what participants agree to, prices", None, "200", one::<SurveyInformation>()),
        op(M::GET, paths::ROOT, "Where the API is described", None, "200", plain("text/html", Type::String)),
        op(M::GET, paths::HEALTHZ, "Whether the server lives", None, "200", plain("application/json", Type::Object)),
        op(M::GET, paths::READYZ, "Whether the server is ready for requests", None, "200", plain("application/json", Type::Object)),
        op(M::GET, paths::METRICS, "What the server counts of itself, for Prometheus", None, "200", plain(OPENMETRICS, Type::String)),
        op(M::GET, paths::OPENAPI, "This document", None, "200", plain("application/json", Type::Object)),
        op(M::GET, paths::DOCS, "This document, to read and to try", None, "200", plain("text/html", Type::String)),
    ]
}
