//! Many devices, each with a household, a key and a certificate of its own.

use std::sync::Arc;

use ebp_survey::authority::CertificateRequest;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    household::{Household, START},
    server::Server,
};

/// A device.
pub struct Device {
    pub household: Household,
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Device {
    /// Its TLS; it remembers no session.
    pub fn tls(&self, roots: &Arc<RootCertStore>) -> Arc<ClientConfig> {
        let key = PrivateKeyDer::Pkcs8(self.key.clone_key());
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_client_auth_cert(vec![self.certificate.clone()], key);
        config.unwrap().into()
    }
}

/// All of them.
pub struct Fleet {
    pub devices: Vec<Device>,
}

impl Fleet {
    /// Makes so many in the server's PostgreSQL database.
    pub async fn make(server: &Server, db: &Client, count: usize) -> Self {
        let households: Vec<Household> = (0..count)
            .map(|i| Household {
                id: ebp_store::HouseholdId(Uuid::new_v4()),
                meter: Uuid::new_v4(),
                device: Uuid::new_v4(),
                participant: Uuid::new_v4(),
                email: format!("device{i}@example.org"),
            })
            .collect();
        put(db, &households).await;
        let mut devices = Vec::with_capacity(count);
        let mut serials: Vec<Vec<u8>> = Vec::with_capacity(count);
        let (mut from, mut until) = (String::new(), String::new());
        for household in households {
            let key = KeyPair::generate().unwrap();
            let csr = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
            let csr = CertificateRequest::parse(&csr).unwrap();
            let certified = server.authority.certify(&household.request(), &csr).unwrap();
            serials.push(certified.entry.serial.octets().to_vec());
            (from, until) =
                (certified.entry.not_before.to_string(), certified.entry.not_after.to_string());
            let certificate =
                CertificateDer::from_pem_slice(certified.chain_pem.as_bytes()).unwrap();
            let key = PrivatePkcs8KeyDer::from(key.serialize_der());
            devices.push(Device { household, certificate, key });
        }
        let of: Vec<Uuid> = devices.iter().map(|device| device.household.device).collect();
        db.execute(
            "INSERT INTO certificate (serial, device, scopes, not_before, not_after)
             SELECT serial, device, $3, $4::text::timestamptz, $5::text::timestamptz
             FROM unnest($1::bytea[], $2::uuid[]) AS made (serial, device)",
            &[&serials, &of, &ebp_core::scope::Scopes::all().to_string(), &from, &until],
        )
        .await
        .unwrap();
        for command in ["VACUUM ANALYZE", "CHECKPOINT"] {
            db.batch_execute(command).await.unwrap();
        }
        Self { devices }
    }
}

async fn put(db: &Client, households: &[Household]) {
    let of = |get: fn(&Household) -> Uuid| households.iter().map(get).collect::<Vec<Uuid>>();
    let ids = of(|household| household.id.0);
    let emails: Vec<&str> = households.iter().map(|household| household.email.as_str()).collect();
    let (devices, meters) = (of(|household| household.device), of(|household| household.meter));
    db.execute(
        "WITH made AS (
             SELECT * FROM unnest($1::uuid[], $2::text[], $4::uuid[])
                 AS made (household, email, participant)
         ), people AS (
             INSERT INTO participant (uuid, name, email) SELECT participant, 'Bench', email FROM made
             RETURNING id, email
         )
         INSERT INTO household (uuid, participant, registered_at)
         SELECT household, id, $3::text::timestamptz FROM made JOIN people USING (email)",
        &[&ids, &emails, &START, &of(|household| household.participant)],
    )
    .await
    .unwrap();
    db.execute("INSERT INTO consent (household) SELECT unnest($1::uuid[])", &[&ids]).await.unwrap();
    db.execute("UPDATE consent SET granted_at = $1::text::timestamptz", &[&START]).await.unwrap();
    db.execute(
        "INSERT INTO measurement_device (uuid, household)
         SELECT * FROM unnest($1::uuid[], $2::uuid[])",
        &[&devices, &ids],
    )
    .await
    .unwrap();
    db.execute(
        "INSERT INTO meter (uuid, household, type, model, measurement_device, position)
         SELECT meter, household, 'ELECTRICITY', 'EHZ', device, 0
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS made (meter, household, device)",
        &[&meters, &ids, &devices],
    )
    .await
    .unwrap();
}
