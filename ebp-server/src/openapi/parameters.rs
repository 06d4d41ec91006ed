//! What the endpoints read from path, query and headers.

use axum::http::Method;
use ebp_core::{
    contract::{EnergyStep, FleetSort, FleetState, LABEL_LENGTH, limits, paths},
    plain_text::MAYBE_EMPTY_LINE,
};
use utoipa::openapi::{
    Schema,
    path::{Parameter, ParameterBuilder, ParameterIn},
    schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type},
};

use super::answers;
use crate::router::Endpoint;

/// Queries: of a meter's measurements, of registering, and of the lists under `/management`.
const MEASUREMENT_QUERY: [(&str, Kind); 4] = [
    ("from", Kind::Instant),
    ("to", Kind::Instant),
    ("limit", Kind::Limit),
    ("cursor", Kind::Cursor),
];
const CHECK_QUERY: [(&str, Kind); 1] = [("further", Kind::Flag)];
const REGISTER_QUERY: [(&str, Kind); 2] = [("further", Kind::Flag), ("dry_run", Kind::Flag)];
const LOCATE_QUERY: [(&str, Kind); 2] = [("lat", Kind::Degrees(90)), ("lon", Kind::Degrees(180))];
/// Of a series and of a summary; what is true of them is required.
const SERIES_QUERY: [(&str, Kind, bool); 6] = [
    ("from", Kind::Bound, true),
    ("to", Kind::Bound, true),
    ("step", Kind::Step, true),
    ("zone", Kind::Zone, false),
    ("meters", Kind::Flag, false),
    ("bounds", Kind::Flag, false),
];
const SUMMARY_QUERY: [(&str, Kind, bool); 3] =
    [("from", Kind::Bound, true), ("to", Kind::Bound, true), ("zone", Kind::Zone, false)];
const MESSAGE_QUERY: [(&str, Kind); 3] =
    [("open", Kind::Flag), ("limit", Kind::Limit), ("cursor", Kind::Cursor)];
const SURVEY_QUERY: [(&str, Kind); 3] = [
    ("text_version", Kind::TextVersion),
    ("prices_from", Kind::Instant),
    ("prices_to", Kind::Instant),
];
const LIST_QUERY: [(&str, Kind); 2] = [("limit", Kind::Limit), ("cursor", Kind::Cursor)];
const HOUSEHOLD_QUERY: [(&str, Kind); 5] = [
    ("q", Kind::Words),
    ("consent", Kind::Consent),
    ("sort", Kind::Sort),
    ("limit", Kind::Limit),
    ("cursor", Kind::HouseholdCursor),
];
const FLEET_QUERY: [(&str, Kind); 6] = [
    ("state", Kind::FleetState),
    ("version", Kind::Version),
    ("q", Kind::Search),
    ("sort", Kind::FleetSort),
    ("limit", Kind::FewerLimit),
    ("cursor", Kind::Cursor),
];
const CONNECT_QUERY: [(&str, Kind); 1] = [("service", Kind::Version)];
const COVERAGE_QUERY: [(&str, Kind); 2] = [("from", Kind::Day), ("to", Kind::Day)];

#[derive(Clone, Copy)]
enum Kind {
    Instant,
    Day,
    FleetState,
    FleetSort,
    Version,
    Search,
    FewerLimit,
    Limit,
    Cursor,
    Uuid,
    Serial,
    Flag,
    /// Of at most so many to either side.
    Degrees(i32),
    RegionFile,
    Words,
    Consent,
    Sort,
    HouseholdCursor,
    Versions,
    RuleVersions,
    Label,
    Bound,
    Step,
    Zone,
    TextVersion,
    Purpose,
    Range,
    RangeOf,
}

impl Kind {
    fn schema(self) -> Schema {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let known = |format| Some(SchemaFormat::KnownFormat(format));
        match self {
            Self::Instant => text.format(known(KnownFormat::DateTime)),
            Self::Uuid => text.format(known(KnownFormat::Uuid)),
            Self::Cursor => text.pattern(Some("^[0-9a-f]{48}$")),
            Self::HouseholdCursor => {
                text.pattern(Some("^([0-9a-f]{48}|n[0-9a-f]{32}|t[0-9a-f]{32}([0-9a-f]{2})*)$"))
            }
            Self::Words => text.max_length(Some(200)).pattern(Some(r"^[^\x00]*$")).description(Some(
                "Words of which each has to be in name, e-mail address, postal code or city, or at \
                 the beginning of the identifier",
            )),
            Self::Consent => text.pattern(Some("^(not-granted|granted|revoked)$")),
            Self::Sort => text.pattern(Some("^-?(registered|name|email|postal-code|city)$")),
            Self::Versions => text
                .pattern(Some(r#"^(\*|"[0-9a-f]{32}")$"#))
                .description(Some("The ETag of the household that is changed")),
            Self::RuleVersions => text
                .pattern(Some(r#"^(\*|"(0|[1-9][0-9]{0,17})")$"#))
                .description(Some("The ETag of the rules, or of the roll-out, that is changed")),
            Self::Label => text
                .max_length(Some(LABEL_LENGTH))
                .pattern(Some("^[!-~]([ -~]*[!-~])?$"))
                .description(Some("Initials, for the history of what is changed; UTF-8")),
            Self::Serial => text.pattern(Some("^[0-9a-f]{32}$")),
            Self::RegionFile => text.pattern(Some(r"^[A-Z]{2}[A-Z0-9]{1,6}\.svg$")),
            Self::Degrees(most) => ObjectBuilder::new()
                .schema_type(Type::Number)
                .minimum(Some(-most))
                .maximum(Some(most)),
            Self::Bound => text.description(Some(
                "A day (2026-01-31) of the time zone, or an RFC 3339 time at which a row begins",
            )),
            Self::Step => text.enum_values(Some(EnergyStep::ALL.map(EnergyStep::name))),
            Self::Zone => text.description(Some(
                "The IANA name of the time zone whose days these are; the survey's if absent. Of \
                 another one 93 days at most are given",
            )),
            Self::Day => text.format(known(KnownFormat::Date)),
            Self::FleetState => text.enum_values(Some(FleetState::ALL.map(FleetState::name))),
            Self::FleetSort => {
                let names = FleetSort::ALL.map(FleetSort::name);
                let names =
                    names.into_iter().flat_map(|name| [name.to_owned(), format!("-{name}")]);
                text.enum_values(Some(names.collect::<Vec<_>>()))
            }
            Self::Version => text.pattern(Some("^[ -~]{1,64}$")),
            Self::Search => text
                .min_length(Some(1))
                .max_length(Some(limits::SEARCH_CHARS))
                .pattern(Some(MAYBE_EMPTY_LINE))
                .description(Some(
                    "A part of the participant's name, the beginning of the device's or household's \
                     identifier, the end of the device's, or its name in the home network",
                )),
            Self::Range => text.description(Some(
                "Octets of it (RFC 9110, section 14): `bytes=FIRST-LAST`, `bytes=FIRST-` or \
                 `bytes=-LENGTH`. Anything else is answered by the whole",
            )),
            Self::RangeOf => text.description(Some(
                "The ETag of what the range is of: of another one the whole is answered",
            )),
            Self::FewerLimit => ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .maximum(Some(1_000)),
            Self::Flag => ObjectBuilder::new().schema_type(Type::Boolean),
            Self::Purpose => text.pattern(Some("^[a-z][a-z0-9-]{0,31}$")),
            Self::TextVersion => ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .maximum(Some(1_000_000)),
            Self::Limit => ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .maximum(Some(10_000)),
        }
        .into()
    }
}

/// The parameters of an endpoint, in the order path, query, headers.
pub fn parameters(endpoint: &Endpoint) -> Vec<Parameter> {
    let parameter = |name: &str, place, kind: Kind, required| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .schema(Some(kind.schema()))
            .build()
    };
    let (yes, no) = (utoipa::openapi::Required::True, utoipa::openapi::Required::False);
    let in_path = endpoint.path.split(['{', '}']).skip(1).step_by(2).map(|name| {
        let kind = match name {
            "serial" => Kind::Serial,
            "file" => Kind::RegionFile,
            "purpose" => Kind::Purpose,
            _ => Kind::Uuid,
        };
        parameter(name, ParameterIn::Path, kind, yes.clone())
    });
    let query: &[(&str, Kind)] = match (endpoint.path, endpoint.method.as_str()) {
        (paths::METER_MEASUREMENT | paths::MANAGED_MEASUREMENT, "GET") => &MEASUREMENT_QUERY,
        (paths::MANAGEMENT_HOUSEHOLD, "POST") => &REGISTER_QUERY,
        (paths::MANAGEMENT_HOUSEHOLD, "GET") => &HOUSEHOLD_QUERY,
        (paths::REGISTRATION_CHECK, "POST") => &CHECK_QUERY,
        (paths::GEO_LOCATE, "GET") => &LOCATE_QUERY,
        (
            paths::MANAGEMENT_ALERT
            | paths::MANAGEMENT_ROLLOUT
            | paths::MANAGEMENT_TUNNEL
            | paths::TUNNEL_SESSION
            | paths::MANAGEMENT_DEVICE
            | paths::MANAGED_CERTIFICATES
            | paths::HOUSEHOLD_CHANGES,
            "GET",
        ) => &LIST_QUERY,
        (paths::MESSAGE, "GET") => &LIST_QUERY,
        (paths::MANAGEMENT_MESSAGE, "GET") => &MESSAGE_QUERY,
        (paths::SURVEY, "GET") => &SURVEY_QUERY,
        (paths::MANAGEMENT_FLEET, "GET") => &FLEET_QUERY,
        (paths::TUNNEL_CONNECT, "GET") => &CONNECT_QUERY,
        (paths::DEVICE_COVERAGE, "GET") => &COVERAGE_QUERY,
        _ => &[],
    };
    let series: &[(&str, Kind, bool)] = match endpoint.path {
        paths::SERIES | paths::MANAGED_SERIES => &SERIES_QUERY,
        paths::SUMMARY | paths::MANAGED_SUMMARY => &SUMMARY_QUERY,
        _ => &[],
    };
    let query =
        query.iter().map(|(name, kind)| (*name, *kind, false)).chain(series.iter().copied());
    let in_query = query.map(|(name, kind, is_required)| {
        let required =
            if is_required || matches!(kind, Kind::Degrees(_)) { yes.clone() } else { no.clone() };
        parameter(name, ParameterIn::Query, kind, required)
    });
    let versioned = answers::is_versioned(endpoint);
    let is_recorded = answers::is_household_versioned(endpoint)
        || answers::is_rollout_versioned(endpoint)
        || endpoint.method == Method::POST
            && [paths::MANAGEMENT_HOUSEHOLD, paths::MANAGEMENT_DEVICE, paths::MANAGEMENT_ROLLOUT]
                .contains(&endpoint.path);
    let versions = match answers::is_household_versioned(endpoint) {
        true => Kind::Versions,
        false => Kind::RuleVersions,
    };
    let is_in_ranges = endpoint.path == paths::JOB_ARCHIVE;
    let headers: [(&str, Kind, bool); 4] = [
        ("If-Match", versions, versioned),
        ("Ebp-Label", Kind::Label, is_recorded),
        ("Range", Kind::Range, is_in_ranges),
        ("If-Range", Kind::RangeOf, is_in_ranges),
    ];
    let in_headers = headers
        .into_iter()
        .filter(|(_, _, is_read)| *is_read)
        .map(|(name, kind, _)| parameter(name, ParameterIn::Header, kind, no.clone()));
    in_path.chain(in_query).chain(in_headers).collect()
}
