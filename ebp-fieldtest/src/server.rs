//! The real server, over a loopback connection with mutual TLS, by the field test's clock.
//!
//! Enters: households. Leaves: identities, and a server that can be stopped and started again.
//! Absent: what devices ask of it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use ebp_client::{
    Client, ClientError, ClientOptions,
    identity::{Identity, IdentityError},
};
use ebp_core::{
    clock::Clock,
    contract::{Registered, Registration, StoredMeasurement},
    model::measurement_id,
    scope::Scopes,
};
use ebp_server::{ServeError, Settings, serve};
use ebp_store::{HouseholdId, PageQuery, Store, open_store};
use ebp_survey::authority::{Authority, ClientRequest, certificate_path};
use jiff::{SignedDuration, Timestamp};
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot, task::JoinHandle};
use uuid::Uuid;

use crate::record::{CYCLE, MeterRecord};

/// The true time.
#[derive(Debug)]
pub struct TrueClock(Mutex<Timestamp>);

impl TrueClock {
    /// From then on.
    #[must_use]
    pub fn new(at: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(at)))
    }

    /// It is then.
    pub fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

impl Clock for TrueClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client of the server at that address with that identity and clock.
///
/// # Errors
/// The client's.
pub fn client(
    url: &str,
    identity: &Identity,
    clock: Arc<dyn Clock>,
) -> Result<Client, ClientError> {
    let options = ClientOptions {
        connect_timeout: Duration::from_secs(5),
        clock,
        ..ClientOptions::default()
    };
    Client::new(url, identity, options)
}

/// The files of an identity.
#[derive(Debug, Clone)]
pub struct Files {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The certificate chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Files {
    /// What is in them.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn identity(&self) -> Result<Identity, IdentityError> {
        Identity::load(&self.certificate, &self.key, &self.ca)
    }
}

/// A server that runs, and how it is told to end.
type Running = (oneshot::Sender<()>, JoinHandle<Result<(), ServeError>>);

/// The server.
pub struct Server {
    folder: PathBuf,
    clock: Arc<TrueClock>,
    authority: Authority,
    runtime: Runtime,
    store: Arc<dyn Store>,
    address: SocketAddr,
    running: Option<Running>,
    device_certificates: Duration,
}

impl Server {
    /// A server with everything in that folder; it does not run yet. Devices get certificates that
    /// are valid for so long.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(
        folder: &Path,
        clock: &Arc<TrueClock>,
        device_certificates: Duration,
    ) -> Result<Self> {
        let now = clock.now();
        // The authority is older than the survey: certificates are valid in all of it.
        clock.set(now - SignedDuration::from_hours(48));
        let dir = folder.join("authority");
        Authority::init(&dir, "Field test", clock.clone())?;
        let authority = Authority::open(&dir, clock.clone())?;
        let settings = settings(folder, clock, device_certificates);
        authority.ensure_server(&settings.hostnames, &settings.certificate, &settings.key)?;
        clock.set(now);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("runtime")?;
        let store = runtime.block_on(open_store(&settings.database))?;
        let address = "127.0.0.1:0".parse()?;
        let (folder, clock) = (folder.to_owned(), clock.clone());
        let running = None;
        Ok(Self { folder, clock, authority, runtime, store, address, running, device_certificates })
    }

    /// Starts it, at the same address each time.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&mut self) -> Result<()> {
        let settings = settings(&self.folder, &self.clock, self.device_certificates);
        let listener = self.runtime.block_on(TcpListener::bind(self.address))?;
        self.address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let task = self.runtime.spawn(serve(settings, listener, async {
            let _ = stopped.await;
        }));
        self.running = Some((stop, task));
        Ok(())
    }

    /// Stops it: whoever connects is refused.
    ///
    /// # Errors
    /// If it had failed meanwhile.
    pub fn stop(&mut self) -> Result<()> {
        if let Some((stop, task)) = self.running.take() {
            let _ = stop.send(());
            self.runtime.block_on(task)??;
        }
        Ok(())
    }

    /// Whether it runs.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Takes in a household.
    ///
    /// # Errors
    /// The store's.
    pub fn register(&self, registration: Registration) -> Result<Registered> {
        Ok(self.runtime.block_on(self.store.register(registration, self.clock.now()))?)
    }

    /// Gives a household one more device, which reads those meters from then on.
    ///
    /// # Errors
    /// The store's.
    pub fn add_device(&self, household: Uuid, meters: Vec<Uuid>) -> Result<Uuid> {
        Ok(self.runtime.block_on(self.store.add_device(HouseholdId(household), meters))?)
    }

    /// Issues a certificate, of a device or of a participant alone, valid for so long.
    ///
    /// # Errors
    /// The authority's.
    pub fn issue(
        &self,
        files: &Files,
        email: &str,
        device: Option<Uuid>,
        validity: Duration,
    ) -> Result<()> {
        let request = ClientRequest {
            participant: self.runtime.block_on(self.store.participant(email))?,
            email: email.to_owned(),
            device,
            scopes: Scopes::all(),
            validity,
        };
        Ok(self.authority.issue(&request)?.save(&files.certificate, &files.key)?)
    }

    /// Where a certificate of that name is kept in a folder.
    #[must_use]
    pub fn files(&self, folder: &Path, name: &str) -> Files {
        Files {
            ca: certificate_path(&self.folder.join("authority")),
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        }
    }

    /// Everything that is stored of a meter. Of a household that revoked its consent, the meter is
    /// the one of that model that such a household has since; the rows have the identifiers of before.
    ///
    /// # Errors
    /// The store's.
    pub fn measurements(&self, of: &MeterRecord) -> Result<Vec<StoredMeasurement>> {
        if self.runtime.block_on(self.store.meters(HouseholdId(of.household)))?.is_empty() {
            for revoked in self.runtime.block_on(self.store.revoked_households())? {
                let meters =
                    self.runtime.block_on(self.store.meters(HouseholdId(revoked.household)));
                let Some(meter) = meters?.into_iter().find(|meter| meter.model == of.model) else {
                    continue;
                };
                let mut rows = self.stored(revoked.household, meter.uuid)?;
                for row in &mut rows {
                    let slot = CYCLE.slot(row.measured_at);
                    if row.uuid == measurement_id(meter.uuid, slot) {
                        row.uuid = measurement_id(of.uuid, slot);
                    }
                }
                return Ok(rows);
            }
        }
        self.stored(of.household, of.uuid)
    }

    fn stored(&self, household: Uuid, meter: Uuid) -> Result<Vec<StoredMeasurement>> {
        let mut all = Vec::new();
        let mut query = PageQuery { from: None, to: None, after: None, limit: 5000 };
        loop {
            let page = self.store.measurements_page(HouseholdId(household), meter, query);
            let page = self.runtime.block_on(page)?;
            all.extend(page.items);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(all),
            }
        }
    }
}

fn settings(folder: &Path, clock: &Arc<TrueClock>, device_certificates: Duration) -> Settings {
    let mut settings = Settings::in_folder(folder, vec!["127.0.0.1".to_owned()], clock.clone());
    // Weeks of requests come within minutes, and all of them from one address.
    settings.limits.rate = None;
    settings.limits.connections_per_address = 0;
    settings.device_certificates = device_certificates;
    settings
}
