//! Sign-in codes for the pages of devices.
//!
//! Enters: random bits. Leaves: a code, which is shown once, and its hash, which is stored and given
//! to the device. Absent: who signs in; the device verifies that.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, Version,
    password_hash::{Salt, SaltString},
};
use ebp_core::{
    contract::{NewSignInCode, SignIn},
    sign_in::{HASH_ITERATIONS, HASH_MEMORY, SignInCode},
};
use ebp_store::DeviceEdit;
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::{Survey, SurveyError, registration::Revision};

impl Survey {
    /// Gives a device's page another sign-in code. The device learns of it as it renews a
    /// certificate, or asks for it; until then the code before is valid.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound) if there is no such device,
    /// [`ConsentRevoked`](ebp_store::StoreError::ConsentRevoked),
    /// [`Changed`](ebp_store::StoreError::Changed), [`SurveyError::NoRandomness`].
    pub async fn create_sign_in_code(
        &self,
        device: Uuid,
        by: Option<Revision>,
    ) -> Result<NewSignInCode, SurveyError> {
        let (code, hash) = new_code().await?;
        let (edit, options) = (DeviceEdit::SignInCode(hash), self.edit_options(by));
        self.store().edit_device(device, edit, options).await?;
        Ok(NewSignInCode { device, sign_in_code: code.to_string() })
    }

    /// By what the sign-in code of a device's page is verified.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sign_in(&self, device: Uuid) -> Result<SignIn, SurveyError> {
        Ok(SignIn { sign_in_hash: self.store().sign_in_hash(device).await? })
    }
}

/// A code with its hash, which takes some milliseconds.
pub async fn new_code() -> Result<(SignInCode, String), SurveyError> {
    tokio::task::spawn_blocking(|| {
        let (mut bits, mut salt) = ([0; 5], [0; Salt::RECOMMENDED_LENGTH]);
        let random = SystemRandom::new();
        let drawn = random.fill(&mut bits).and_then(|()| random.fill(&mut salt));
        drawn.map_err(|_| SurveyError::NoRandomness)?;
        let code = SignInCode::from_random(bits);
        let hash = hash(&code, &salt).ok_or(SurveyError::NoRandomness)?;
        Ok((code, hash))
    })
    .await
    .map_err(|_| SurveyError::NoRandomness)?
}

/// The hash as a PHC string, which says the parameters.
fn hash(code: &SignInCode, salt: &[u8]) -> Option<String> {
    let params = Params::new(HASH_MEMORY, HASH_ITERATIONS, 1, None).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = SaltString::encode_b64(salt).ok()?;
    Some(argon2.hash_password(code.as_bytes(), &salt).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHash, PasswordVerifier};

    use super::*;

    #[test]
    fn a_code_is_verified_with_less_than_ten_megabytes() {
        let code = SignInCode::from_random([1, 2, 3, 4, 5]);
        let text = hash(&code, &[7; 16]).unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=6144,t=3,p=1$"), "{text}");
        let hash = PasswordHash::new(&text).unwrap();
        let typed: SignInCode = code.to_string().to_lowercase().parse().unwrap();
        assert!(Argon2::default().verify_password(typed.as_bytes(), &hash).is_ok());
        let other = SignInCode::from_random([1, 2, 3, 4, 6]);
        assert!(Argon2::default().verify_password(other.as_bytes(), &hash).is_err());
    }
}
