//! A device's certificates: the first ones by a one-time token, the next by the ones before. One is
//! for measuring, the other one for the page that shows the household its data.
//!
//! The key is made on the device and never leaves it: what arrives is a request signed by it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ebp_core::{
    contract::{DeviceCertificate, EnrolmentToken, FrontendCertificate},
    scope::Scopes,
};
use ebp_store::{DeviceEdit, Digest, Enrolment, Issuance, NewCertificate, Origin, StoreError};
use jiff::SignedDuration;
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::{
    Survey, SurveyError,
    authority::{Authority, CertificateRequest, ClientRequest},
    caller::CertificateHolder,
    registration::Revision,
    sign_in::new_code,
};

/// For how many hours a one-time token is valid by default.
const TOKEN_HOURS: u16 = 72;

impl Survey {
    /// Makes a one-time token by which a device is enrolled within so many hours, 72 if none are
    /// given, and a sign-in code for the device's page, which is valid once the token is used. Only
    /// their hashes are kept. An earlier token of the device that was not used is void. Without
    /// `scopes` the certificate permits what a device needs.
    ///
    /// # Errors
    /// [`NotFound`](StoreError::NotFound) if there is no such device,
    /// [`ConsentRevoked`](StoreError::ConsentRevoked), [`Changed`](StoreError::Changed),
    /// [`SurveyError::NoRandomness`].
    pub async fn create_enrolment(
        &self,
        device: Uuid,
        scopes: Option<Scopes>,
        hours: Option<u16>,
        by: Option<Revision>,
    ) -> Result<EnrolmentToken, SurveyError> {
        let scopes = scopes.unwrap_or_else(Scopes::of_a_device);
        let mut random = [0; 32];
        SystemRandom::new().fill(&mut random).map_err(|_| SurveyError::NoRandomness)?;
        let token = BASE64_URL_SAFE_NO_PAD.encode(random);
        let (code, hash) = new_code().await?;
        let valid_for = SignedDuration::from_hours(i64::from(hours.unwrap_or(TOKEN_HOURS)));
        let expires_at = self.clock().now() + valid_for;
        let enrolment = Enrolment {
            token: digest(token.as_bytes()),
            device,
            scopes,
            expires_at,
            sign_in_hash: Some(hash),
        };
        let (edit, options) = (DeviceEdit::Enrolment(enrolment), self.edit_options(by));
        self.store().edit_device(device, edit, options).await?;
        Ok(EnrolmentToken { device, token, sign_in_code: Some(code.to_string()), expires_at })
    }

    /// Issues a device's first certificate, and that of its page if there is a request for it. A
    /// token is good for one key of each: who lost the answer may send the same requests again.
    ///
    /// # Errors
    /// [`SurveyError::InvalidToken`], [`SurveyError::SameKey`], [`SurveyError::CannotIssue`],
    /// [`ConsentRevoked`](StoreError::ConsentRevoked).
    pub async fn enroll(
        &self,
        token: &str,
        request: &CertificateRequest,
        frontend: Option<&CertificateRequest>,
    ) -> Result<DeviceCertificate, SurveyError> {
        // No token is used up by a request that cannot be fulfilled.
        let authority = self.issuing_authority()?;
        if frontend.is_some_and(|frontend| frontend.key() == request.key()) {
            return Err(SurveyError::SameKey);
        }
        let (token, key) = (digest(token.trim().as_bytes()), digest(request.key()));
        let frontend_key = frontend.map(|frontend| digest(frontend.key()));
        let now = self.clock().now();
        let redeemed = self.store().redeem_enrolment(token, key, frontend_key, now).await;
        let enrolled = match redeemed {
            Err(StoreError::NotFound) => return Err(SurveyError::InvalidToken),
            redeemed => redeemed?,
        };
        let client = ClientRequest {
            participant: enrolled.participant,
            email: enrolled.email,
            device: Some(enrolled.device),
            scopes: enrolled.scopes,
            validity: self.device_certificates(),
        };
        let (device, origin) = (enrolled.device, Origin::Enrolment(token));
        let certificate = self.certify(authority, device, &client, request, origin).await?;
        let mut certificate = certificate.ok_or(SurveyError::InvalidToken)?;
        if let Some(frontend) = frontend {
            let client = ClientRequest { scopes: Scopes::of_a_frontend(), ..client };
            let issued = self.certify(authority, device, &client, frontend, origin).await?;
            let DeviceCertificate { chain, not_after, .. } =
                issued.ok_or(SurveyError::InvalidToken)?;
            certificate.frontend = Some(FrontendCertificate { chain, not_after });
        }
        Ok(certificate)
    }

    /// Issues a device's next certificate, which says the same as the one of its holder. That one
    /// stays valid until it expires or is revoked, since the answer may be lost; any other one of
    /// its purpose ends.
    ///
    /// # Errors
    /// [`SurveyError::RenewedRecently`], [`SurveyError::CertificateRevoked`],
    /// [`SurveyError::CannotIssue`], [`ConsentRevoked`](StoreError::ConsentRevoked).
    pub async fn renew(
        &self,
        holder: &CertificateHolder,
        request: &CertificateRequest,
    ) -> Result<DeviceCertificate, SurveyError> {
        let origin = Origin::Renewal(holder.serial);
        self.issue_next(holder, holder.scopes.clone(), request, origin).await
    }

    /// Issues the first certificate of a device's page, or a further one if that is lost, for the
    /// holder of the device's measuring certificate.
    ///
    /// # Errors
    /// As [`Self::renew`].
    pub async fn issue_frontend(
        &self,
        holder: &CertificateHolder,
        request: &CertificateRequest,
    ) -> Result<DeviceCertificate, SurveyError> {
        let origin = Origin::Sibling(holder.serial);
        self.issue_next(holder, Scopes::of_a_frontend(), request, origin).await
    }

    async fn issue_next(
        &self,
        holder: &CertificateHolder,
        scopes: Scopes,
        request: &CertificateRequest,
        origin: Origin,
    ) -> Result<DeviceCertificate, SurveyError> {
        let authority = self.issuing_authority()?;
        let client = ClientRequest {
            participant: holder.names.participant.unwrap_or_default(),
            email: holder.names.email.clone(),
            device: Some(holder.device),
            scopes,
            validity: self.device_certificates(),
        };
        let certificate = self.certify(authority, holder.device, &client, request, origin);
        certificate.await?.ok_or(SurveyError::CertificateRevoked)
    }

    /// The authority, which has its private key here.
    pub(crate) fn issuing_authority(&self) -> Result<&Authority, SurveyError> {
        self.authority().filter(|authority| authority.can_issue()).ok_or(SurveyError::CannotIssue)
    }

    /// `None` if that by which it was asked for has been revoked meanwhile.
    async fn certify(
        &self,
        authority: &Authority,
        device: Uuid,
        client: &ClientRequest,
        request: &CertificateRequest,
        origin: Origin,
    ) -> Result<Option<DeviceCertificate>, SurveyError> {
        let now = self.clock().now();
        let certified = authority.certify(client, request)?;
        let not_after = certified.entry.not_after;
        let key = digest(request.key());
        // Before its holder has it: what is not registered is never trusted.
        let new = NewCertificate { entry: certified.entry, device, key, origin };
        match self.store().register_certificate(new, now).await? {
            Issuance::Registered => Ok(Some(DeviceCertificate {
                device,
                chain: certified.chain_pem,
                not_after,
                frontend: None,
                sign_in_hash: self.store().sign_in_hash(device).await?,
            })),
            Issuance::Ended => Ok(None),
            Issuance::TooEarly(until) => {
                Err(SurveyError::RenewedRecently(until.duration_since(now)))
            }
        }
    }
}

/// SHA-256. Tokens have 256 random bits: a slow hash would protect nothing.
fn digest(bytes: &[u8]) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    digest
}
