//! Bodies of `/device/enroll` and `/device/renew`.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /device/enroll`: the token from an administrator, and the certificate request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnrollRequest {
    /// The one-time token.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub token: String,
    /// A PKCS#10 certificate request (PEM), signed by the device's own key: ECDSA P-256 or Ed25519.
    /// Only its public key is used.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 16384))]
    pub csr: String,
    /// Another one, for the certificate of the device's page, signed by another key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 16384))]
    pub frontend_csr: Option<String>,
}

/// Shows nothing of it.
impl fmt::Debug for EnrollRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrollRequest(redacted)")
    }
}

/// `POST /device/renew`: the request for the next certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RenewRequest {
    /// A PKCS#10 certificate request (PEM), as for enrolment.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 16384))]
    pub csr: String,
}

/// `POST /device/frontend`: the request for the first certificate of a device's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FrontendRequest {
    /// A PKCS#10 certificate request (PEM), as for enrolment, of another key than the device's.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 16384))]
    pub csr: String,
}

/// `GET /device/sign-in`: by what the sign-in code for the device's page is verified.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// The code's hash (argon2id, as a PHC string); absent if there is no code.
    pub sign_in_hash: Option<String>,
}

/// Does not show the hash.
impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn(redacted)")
    }
}

/// A device's certificate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceCertificate {
    /// The device that it is for.
    pub device: Uuid,
    /// The certificate, then the authority's own (PEM).
    pub chain: String,
    /// Valid until.
    pub not_after: Timestamp,
    /// The certificate of the device's page, if one was requested with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontend: Option<FrontendCertificate>,
    /// The hash of the sign-in code for the device's page (argon2id, as a PHC string).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_hash: Option<String>,
}

/// The certificate of a device's page.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FrontendCertificate {
    /// The certificate, then the authority's own (PEM).
    pub chain: String,
    /// Valid until.
    pub not_after: Timestamp,
}

/// Does not show the certificate, because it contains an e-mail address.
impl fmt::Debug for FrontendCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrontendCertificate")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// Shows neither the certificate, because it contains an e-mail address, nor the hash.
impl fmt::Debug for DeviceCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCertificate")
            .field("device", &self.device)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}
