//! Remedies for the errors of a measurement device.

use std::error::Error;

use ebp_client::{
    ClientError, TlsRefusal, ValidityError, identity::IdentityError, renewal::RenewalError,
};
use ebp_core::contract::problem_type;
use ebp_device::{config::ConfigError, device::DeviceError, spool::SpoolError};

use super::{Code, Failure, file};

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Self {
        device(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        config(error)
    }
}

/// The errors of opening a device.
#[track_caller]
pub fn device(error: DeviceError) -> Failure {
    match error {
        DeviceError::Config(error) => config(error),
        DeviceError::Renewal(error) => renewal(error),
        DeviceError::Identity(error) => identity(error),
        DeviceError::Client(error) => client(error),
        DeviceError::Spool(error) => spool(error),
        error => Failure::caused_by(Code::Failed, &error),
    }
}

/// The errors of a device's configuration.
pub fn config(error: ConfigError) -> Failure {
    match &error {
        ConfigError::Read { path, source } => file::unreadable(path, source),
        ConfigError::Wrong { .. } | ConfigError::MeterTwice { .. } => Failure::usage(error),
        ConfigError::NoMeter(_) => {
            Failure::usage(error).remedy("add a [[meter]] with uuid, model and port")
        }
        ConfigError::InfWithoutPin { .. } => Failure::usage(error)
            .remedy("name the file with the PIN as pin_file, or leave inf_presses out"),
        ConfigError::SharedPort { .. } => {
            Failure::usage(error).remedy("each meter has a reading head of its own")
        }
    }
}

/// The errors of renewing a certificate.
#[track_caller]
pub fn renewal(error: RenewalError) -> Failure {
    match error {
        RenewalError::Client(error) => client(*error),
        RenewalError::Validity(error) => validity(error),
        error => Failure::caused_by(Code::Failed, &error),
    }
}

/// The errors of reading when a certificate is valid.
#[track_caller]
pub fn validity(error: ValidityError) -> Failure {
    let failure = Failure::caused_by(Code::Failed, &error);
    match error {
        ValidityError::NoCertificate(_) => failure.remedy("`ebp device enroll` gets the first one"),
        ValidityError::Read { .. } => failure,
    }
}

/// Consent is not granted.
pub fn not_granted() -> Failure {
    Failure::new(Code::NoConsent, "consent is not granted, so nothing is measured or sent")
        .remedy("the participant grants it in the device's web page")
}

/// Consent is revoked for good.
pub fn revoked() -> Failure {
    Failure::new(
        Code::NoConsent,
        "consent is revoked for good: nothing is measured or sent any more",
    )
    .remedy("return the device to the research group")
}

/// The spool's errors with their remedies.
#[track_caller]
pub fn spool(error: SpoolError) -> Failure {
    let remedy = match &error {
        SpoolError::Revoked { .. } => return revoked(),
        SpoolError::Full { .. } => Some("make room on the disk; nothing that was stored is lost"),
        SpoolError::ReadOnly { .. } => Some("let this user write there, or choose another folder"),
        SpoolError::LimitReached { .. } => {
            Some("nothing that was stored is lost; it continues when the server has confirmed some")
        }
        SpoolError::Damaged { .. } | SpoolError::Replaced { .. } => {
            Some("start again: what is damaged is set aside, and what can be read of it is kept")
        }
        SpoolError::Marker { .. } => {
            Some("let this user read and write there: nothing is measured until that is known")
        }
        SpoolError::Newer { .. } => Some("use the version of ebp that wrote it, or a later one"),
        SpoolError::Busy { .. } => Some("try again; another process was writing for long"),
        _ => None,
    };
    explained(Code::Failed, &error, remedy)
}

/// The client's errors with their remedies.
#[track_caller]
pub fn client(error: ClientError) -> Failure {
    let code = if error.not_authorized() { Code::NotAuthorized } else { Code::Failed };
    let failed = failed_request(&error);
    let remedy = match &error {
        _ if error.consent_revoked() => return revoked(),
        _ if error.consent_not_granted() => return not_granted(),
        ClientError::InvalidUrl { .. } => Some("set `url` under [api] in the configuration"),
        ClientError::Unreachable { .. } => {
            Some("check the network and `url` under [api]; nothing is lost")
        }
        ClientError::Tls { refusal: TlsRefusal::OursRefused | TlsRefusal::OursRevoked, .. } => {
            Some("ask the administrator for a new certificate")
        }
        ClientError::Tls { refusal: TlsRefusal::OursExpired, .. } => {
            Some("ask the administrator for a new certificate, or set this device's clock")
        }
        ClientError::Tls { refusal: TlsRefusal::TheirsUntrusted, .. } => {
            Some("check `ca` under [api]: it must be the authority's certificate")
        }
        ClientError::Tls {
            refusal: TlsRefusal::TheirsExpired | TlsRefusal::TheirsNotYetValid,
            ..
        } => Some("set this device's clock, or tell the administrator"),
        ClientError::ServerClockBehind { .. } => {
            Some("tell the administrator to set it; the certificate is good, and nothing is lost")
        }
        ClientError::Problem { kind, .. } if kind == problem_type::SERVER_CLOCK => {
            Some("tell the administrator to set it; the certificate is good, and nothing is lost")
        }
        ClientError::Problem { kind, .. } if kind == problem_type::RENEWED_RECENTLY => {
            Some("the certificate that it has is good; try again tomorrow")
        }
        ClientError::Tls { refusal: TlsRefusal::TheirsOtherName, .. } => {
            Some("write `url` under [api] with a name that the server's certificate has")
        }
        ClientError::Problem { kind, .. } if kind == problem_type::CANNOT_ISSUE => Some(
            "tell the administrator to put the authority's ca.key into the server's data folder",
        ),
        ClientError::Problem { kind, .. } if kind == problem_type::UNREGISTERED => Some(
            "tell the administrator: the household or this device is not registered any more, which \
             no new certificate changes; nothing is lost",
        ),
        ClientError::Problem { status: 401, .. } => Some(
            "ask the administrator for a one-time token, for a new certificate with `ebp device enroll`",
        ),
        _ if error.not_authorized() => {
            Some("ask the administrator for a certificate with the scope it takes")
        }
        _ => failed.as_deref(),
    };
    explained(code, &error, remedy)
}

/// What to tell of a request that the server failed to answer, if it did.
pub fn failed_request(error: &ClientError) -> Option<String> {
    let request = error.failed_request()?;
    Some(format!("try again later; request {request}: give this to the administrator"))
}

/// The errors of certificate, key and authority.
#[track_caller]
pub fn identity(error: IdentityError) -> Failure {
    let remedy = match &error {
        IdentityError::Read { .. }
        | IdentityError::NoCertificate { .. }
        | IdentityError::NoKey { .. } => {
            Some("check the files under [api]; `ebp device enroll` makes them")
        }
        _ => None,
    };
    explained(Code::Failed, &error, remedy)
}

#[track_caller]
fn explained<E: Error>(code: Code, error: &E, remedy: Option<&str>) -> Failure {
    let failure = Failure::caused_by(code, error);
    match remedy {
        Some(remedy) => failure.remedy(remedy),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use ebp_core::trace::TraceContext;

    use super::*;

    #[test]
    fn a_request_that_the_server_failed_at_is_named_and_no_other() {
        let trace = TraceContext::begin().id();
        let answered = |status| ClientError::Problem {
            server: "https://api.example".into(),
            status,
            kind: problem_type::INTERNAL.into(),
            title: "it failed".into(),
            faults: Box::default(),
            household: None,
            retry_after: None,
            trace_id: Some(Box::new(trace)),
        };
        let told = client(answered(500)).to_string();
        let remedy = format!("request {trace}: give this to the administrator");
        assert!(told.ends_with(&remedy), "{told}");
        assert!(!client(answered(404)).to_string().contains(&trace.to_string()));
    }
}
