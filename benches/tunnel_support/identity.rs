//! A server's certificate for `localhost`, as PEM and as PKCS#12.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

pub struct Identity {
    pub authority: PathBuf,
    pub chain: PathBuf,
    pub key: PathBuf,
    folder: PathBuf,
}

impl Identity {
    pub fn make(folder: &Path) -> Self {
        let path = |name: &str| folder.join(name);
        let mut of_authority = CertificateParams::new(Vec::new()).unwrap();
        of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // By the name that is set otherwise OpenSSL takes the server's certificate for self-signed.
        of_authority.distinguished_name.push(DnType::CommonName, "authority");
        let authority_key = KeyPair::generate().unwrap();
        let authority = of_authority.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(of_authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let of_server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let chain = of_server.signed_by(&key, &issuer).unwrap();
        fs::write(path("ca.pem"), authority.pem()).unwrap();
        fs::write(path("server.pem"), chain.pem()).unwrap();
        fs::write(path("server.key"), key.serialize_pem()).unwrap();
        Self {
            authority: path("ca.pem"),
            chain: path("server.pem"),
            key: path("server.key"),
            folder: folder.to_owned(),
        }
    }

    /// The same as PKCS#12 with the password `bench`, which OpenSSL makes.
    pub fn pkcs12(&self) -> Option<PathBuf> {
        let path = self.folder.join("server.p12");
        let mut make = Command::new("openssl");
        make.args(["pkcs12", "-export", "-passout", "pass:bench", "-in"]).arg(&self.chain);
        make.arg("-inkey").arg(&self.key).arg("-out").arg(&path);
        make.status().is_ok_and(|status| status.success()).then_some(path)
    }
}
