//! An identity as one PKCS#12 file (RFC 7292), for programs that need certificate and key in one
//! file.
//!
//! Key and certificates are encrypted by PBES2 (PBKDF2 with HMAC-SHA-256, AES-256-CBC), and the
//! whole is authenticated by HMAC-SHA-256: what OpenSSL 3 and Java read without their legacy
//! algorithms. The file's structure is written here, since the libraries for it have four times as
//! many dependencies as the cipher; the cryptography is from `ring`, except AES-CBC, which `ring`
//! does not have and which is from RustCrypto.

use std::num::NonZeroU32;

use aes::Aes256;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use ring::{
    digest::{SHA256, digest},
    hmac, pbkdf2,
    rand::{SecureRandom, SystemRandom},
};
use rustls::pki_types::PrivateKeyDer;
use yasna::{DERWriter, DERWriterSeq, Tag, construct_der, models::ObjectIdentifier};

use super::pem::Identity;

/// How often the password is hashed, for the encryption and for the authentication: an attacker who
/// has the file tries passwords against whichever is cheaper (OWASP's figure for PBKDF2 with
/// HMAC-SHA-256).
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
/// Octets of a salt.
const SALT: usize = 16;

// RFC 7292, RFC 8018, RFC 2985 and NIST's identifiers.
const DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 1];
const ENCRYPTED_DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 6];
const SHROUDED_KEY: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 2];
const CERTIFICATE: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 3];
const X509: &[u64] = &[1, 2, 840, 113_549, 1, 9, 22, 1];
const FRIENDLY_NAME: &[u64] = &[1, 2, 840, 113_549, 1, 9, 20];
const LOCAL_KEY_ID: &[u64] = &[1, 2, 840, 113_549, 1, 9, 21];
const PBES2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 13];
const PBKDF2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 12];
const HMAC_SHA256: &[u64] = &[1, 2, 840, 113_549, 2, 9];
const AES_256_CBC: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 42];
const SHA_256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];

/// Why an identity cannot be written as PKCS#12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs12Error {
    /// The private key is in another form than PKCS#8 (`BEGIN PRIVATE KEY`).
    #[error("the private key is not in PKCS#8 (`BEGIN PRIVATE KEY`)")]
    NotPkcs8,
    /// The password is empty or contains characters other than printable ASCII: programs differ in
    /// how they read those, and Java rejects them.
    #[error("the password must have visible ASCII characters and blanks alone")]
    Password,
    /// The operating system provided no random numbers.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
}

impl Identity {
    /// The certificate, with the issuers' certificates in its file, and the key, under a name that
    /// programs show, protected by the password.
    ///
    /// # Errors
    /// Returns [`Pkcs12Error`] if the key is not in PKCS#8, the password cannot be used
    /// everywhere, or there are no random numbers.
    pub fn to_pkcs12(&self, name: &str, password: &str) -> Result<Vec<u8>, Pkcs12Error> {
        if password.is_empty() || !password.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return Err(Pkcs12Error::Password);
        }
        self.write_pkcs12(name, password, ITERATIONS)
    }

    fn write_pkcs12(
        &self,
        name: &str,
        password: &str,
        iterations: NonZeroU32,
    ) -> Result<Vec<u8>, Pkcs12Error> {
        let PrivateKeyDer::Pkcs8(key) = &self.key else { return Err(Pkcs12Error::NotPkcs8) };
        // Marks the certificate that belongs to the key.
        let id = digest(&SHA256, self.certificate());
        let certificates = construct_der(|out| {
            out.write_sequence_of(|out| {
                for (place, certificate) in self.chain.iter().enumerate() {
                    let of_the_key = (place == 0).then_some((name, id.as_ref()));
                    let value = |out: DERWriter<'_>| write_certificate(out, certificate);
                    out.next().write_sequence(|out| write_bag(out, CERTIFICATE, value, of_the_key));
                }
            });
        });
        let certificates = Encrypted::encrypt(&certificates, password, iterations)?;
        let shrouded = Encrypted::encrypt(key.secret_pkcs8_der(), password, iterations)?;
        let key = construct_der(|out| {
            out.write_sequence_of(|out| {
                let value = |out: DERWriter<'_>| shrouded.write(out);
                let of_the_key = Some((name, id.as_ref()));
                out.next().write_sequence(|out| write_bag(out, SHROUDED_KEY, value, of_the_key));
            });
        });
        let contents = construct_der(|out| {
            out.write_sequence_of(|out| {
                out.next().write_sequence(|out| write_encrypted_data(out, &certificates));
                out.next().write_sequence(|out| write_data(out, &key));
            });
        });
        let salt: [u8; SALT] = random()?;
        let mac = hmac::sign(&mac_key(password, &salt, iterations), &contents);
        Ok(construct_der(|out| {
            out.write_sequence(|out| {
                out.next().write_u8(3);
                out.next().write_sequence(|out| write_data(out, &contents));
                out.next().write_sequence(|out| {
                    out.next().write_sequence(|out| {
                        out.next().write_sequence(|out| {
                            out.next().write_oid(&oid(SHA_256));
                            out.next().write_null();
                        });
                        out.next().write_bytes(mac.as_ref());
                    });
                    out.next().write_bytes(&salt);
                    out.next().write_u32(iterations.get());
                });
            });
        }))
    }
}

/// The data that are encrypted by PBES2 (RFC 8018, appendix A.4), with the parameters that are
/// needed to decrypt them.
struct Encrypted {
    salt: [u8; SALT],
    iv: [u8; 16],
    iterations: NonZeroU32,
    octets: Vec<u8>,
}

impl Encrypted {
    fn encrypt(plain: &[u8], password: &str, iterations: NonZeroU32) -> Result<Self, Pkcs12Error> {
        let (salt, iv) = (random()?, random()?);
        let mut key = [0; 32];
        let (hash, password) = (pbkdf2::PBKDF2_HMAC_SHA256, password.as_bytes());
        pbkdf2::derive(hash, iterations, &salt, password, &mut key);
        let cipher = cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into());
        let octets = cipher.encrypt_padded_vec::<Pkcs7>(plain);
        Ok(Self { salt, iv, iterations, octets })
    }

    fn write_algorithm(&self, out: DERWriter<'_>) {
        out.write_sequence(|out| {
            out.next().write_oid(&oid(PBES2));
            out.next().write_sequence(|out| {
                out.next().write_sequence(|out| {
                    out.next().write_oid(&oid(PBKDF2));
                    out.next().write_sequence(|out| {
                        out.next().write_bytes(&self.salt);
                        out.next().write_u32(self.iterations.get());
                        out.next().write_sequence(|out| {
                            out.next().write_oid(&oid(HMAC_SHA256));
                            out.next().write_null();
                        });
                    });
                });
                out.next().write_sequence(|out| {
                    out.next().write_oid(&oid(AES_256_CBC));
                    out.next().write_bytes(&self.iv);
                });
            });
        });
    }

    /// As EncryptedPrivateKeyInfo (RFC 5958, section 3).
    fn write(&self, out: DERWriter<'_>) {
        out.write_sequence(|out| {
            self.write_algorithm(out.next());
            out.next().write_bytes(&self.octets);
        });
    }
}

/// Members of a ContentInfo of plain octets (RFC 7292, section 4).
fn write_data(out: &mut DERWriterSeq<'_>, octets: &[u8]) {
    out.next().write_oid(&oid(DATA));
    out.next().write_tagged(Tag::context(0), |out| out.write_bytes(octets));
}

/// Members of a ContentInfo of EncryptedData (RFC 5652, section 8).
fn write_encrypted_data(out: &mut DERWriterSeq<'_>, encrypted: &Encrypted) {
    out.next().write_oid(&oid(ENCRYPTED_DATA));
    out.next().write_tagged(Tag::context(0), |out| {
        out.write_sequence(|out| {
            out.next().write_u8(0);
            out.next().write_sequence(|out| {
                out.next().write_oid(&oid(DATA));
                encrypted.write_algorithm(out.next());
                out.next().write_tagged_implicit(Tag::context(0), |out| {
                    out.write_bytes(&encrypted.octets)
                });
            });
        });
    });
}

/// Members of a SafeBag (RFC 7292, section 4.2), with name and identifier, if it has them.
fn write_bag(
    out: &mut DERWriterSeq<'_>,
    kind: &[u64],
    value: impl FnOnce(DERWriter<'_>),
    attributes: Option<(&str, &[u8])>,
) {
    out.next().write_oid(&oid(kind));
    out.next().write_tagged(Tag::context(0), value);
    let Some((name, id)) = attributes else { return };
    out.next().write_set_of(|out| {
        out.next().write_sequence(|out| {
            out.next().write_oid(&oid(FRIENDLY_NAME));
            out.next().write_set_of(|out| out.next().write_bmp_string(name));
        });
        out.next().write_sequence(|out| {
            out.next().write_oid(&oid(LOCAL_KEY_ID));
            out.next().write_set_of(|out| out.next().write_bytes(id));
        });
    });
}

/// A CertBag (RFC 7292, section 4.2.3).
fn write_certificate(out: DERWriter<'_>, certificate: &[u8]) {
    out.write_sequence(|out| {
        out.next().write_oid(&oid(X509));
        out.next().write_tagged(Tag::context(0), |out| out.write_bytes(certificate));
    });
}

/// The key with which the file is authenticated (RFC 7292, appendix B.2, with SHA-256 and for as
/// many octets as that gives, so that its step 6 is done once).
fn mac_key(password: &str, salt: &[u8; SALT], iterations: NonZeroU32) -> hmac::Key {
    /// Octets of SHA-256's blocks.
    const BLOCK: usize = 64;
    /// Of an integrity key (appendix B.3).
    const PURPOSE: u8 = 3;
    // UTF-16, big endian, with a null at its end (appendix B.1).
    let units = password.encode_utf16().chain([0]);
    let password: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
    let filled = |octets: &[u8]| {
        let length = octets.len().next_multiple_of(BLOCK);
        octets.iter().copied().cycle().take(length).collect::<Vec<u8>>()
    };
    let first = [vec![PURPOSE; BLOCK], filled(salt), filled(&password)].concat();
    let mut key = digest(&SHA256, &first);
    for _ in 1..iterations.get() {
        key = digest(&SHA256, key.as_ref());
    }
    hmac::Key::new(hmac::HMAC_SHA256, key.as_ref())
}

fn random<const N: usize>() -> Result<[u8; N], Pkcs12Error> {
    let mut octets = [0; N];
    SystemRandom::new().fill(&mut octets).map_err(|_| Pkcs12Error::NoRandomness)?;
    Ok(octets)
}

fn oid(numbers: &[u64]) -> ObjectIdentifier {
    ObjectIdentifier::from_slice(numbers)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// An identity of a fresh key.
    fn identity() -> Identity {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["a.pem", "a.key"].map(|name| folder.path().join(name));
        let issued = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
        fs::write(&certificate, issued.cert.pem()).unwrap();
        fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        Identity::load(&certificate, &key, &certificate).unwrap()
    }

    /// Whether a piece of `whole` stands in the file as it is.
    fn stands_in(file: &[u8], whole: &[u8]) -> bool {
        let length = whole.len().min(16);
        let pieces: Vec<&[u8]> = whole.windows(length).collect();
        file.windows(length).any(|window| pieces.contains(&window))
    }

    #[test]
    fn neither_key_nor_certificate_nor_password_stands_in_it() {
        let (identity, few) = (identity(), NonZeroU32::new(10).unwrap());
        let file = identity.write_pkcs12("Erika", "a long password", few).unwrap();
        for secret in [identity.key.secret_der(), identity.certificate(), b"a long pa"] {
            assert!(!stands_in(&file, secret));
        }
        let read = yasna::parse_der(&file, |reader| {
            reader.read_sequence(|reader| {
                let version = reader.next().read_u8()?;
                Ok((version, reader.next().read_der()?.len(), reader.next().read_der()?.len()))
            })
        });
        assert!(matches!(read, Ok((3, 500.., 60..))), "{read:?}");
    }

    #[test]
    fn what_is_encrypted_twice_looks_different() {
        let few = NonZeroU32::new(10).unwrap();
        let [one, other] = [(); 2].map(|()| Encrypted::encrypt(b"plain", "password", few).unwrap());
        assert!(one.salt != other.salt && one.iv != other.iv && one.octets != other.octets);
        assert_eq!(one.octets.len(), 16, "padded to a block");
    }

    #[test]
    fn a_key_in_another_form_is_refused() {
        let mut identity = identity();
        let pkcs1 = rustls::pki_types::PrivatePkcs1KeyDer::from(vec![0x30, 0]);
        identity.key = PrivateKeyDer::Pkcs1(pkcs1);
        assert_eq!(identity.to_pkcs12("Erika", "password"), Err(Pkcs12Error::NotPkcs8));
    }

    #[test]
    fn a_password_that_programs_read_differently_is_refused() {
        let identity = identity();
        for password in ["", "Paßwort", "a\tb", "a\u{7f}"] {
            assert_eq!(identity.to_pkcs12("Erika", password), Err(Pkcs12Error::Password));
        }
    }
}
