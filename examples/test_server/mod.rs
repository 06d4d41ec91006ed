//! A Data API in the same program, for an example or a test: an authority, a database and a household in
//! a folder, served on a free port until it is stopped.

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ebp_client::{Client, ClientOptions, identity::Identity};
use ebp_core::{
    clock::SystemClock,
    contract::{Registered, Registration},
    scope::Scopes,
};
use ebp_server::{ServeError, Settings, serve};
use ebp_store::{HouseholdId, Store, open_store};
use ebp_survey::authority::{Authority, ClientRequest, certificate_path};
use jiff::Timestamp;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A Data API with one household, which has consented.
pub struct TestServer {
    /// The identifiers of the household, its meters and its device.
    pub registered: Registered,
    /// The database, beside the server that uses it.
    pub store: Arc<dyn Store>,
    url: String,
    folder: PathBuf,
    ca: PathBuf,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl TestServer {
    /// Serves from a folder that does not exist yet, with a household that consented at an instant.
    ///
    /// # Errors
    /// When the folder or the port cannot be used, and for a registration that is refused.
    pub async fn start(
        folder: &Path,
        registration: Registration,
        since: Timestamp,
    ) -> Result<Self, Box<dyn Error>> {
        let clock = Arc::new(SystemClock);
        let settings = Settings::in_folder(folder, vec!["127.0.0.1".to_owned()], clock.clone());
        Authority::init(&settings.authority, "Example", clock.clone())?;
        let authority = Authority::open(&settings.authority, clock)?;
        let store = open_store(&settings.database).await?;
        let email = registration.participant.email.clone();
        let registered = store.register(registration, since).await?;
        store.grant_consent(HouseholdId(registered.household), since).await?;
        let request = ClientRequest {
            participant: registered.participant,
            email,
            device: Some(registered.measurement_device),
            scopes: Scopes::all(),
            validity: Duration::from_secs(86_400),
        };
        let (chain, key) = certificate_of(folder);
        authority.issue(&request)?.save(&chain, &key)?;

        let ca = certificate_path(&settings.authority);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(settings, listener, async {
            let _ = stopped.await;
        }));
        Ok(Self { registered, store, url, folder: folder.to_owned(), ca, stop, served })
    }

    /// A client with the certificate of the household's device. It blocks its thread, which an
    /// asynchronous task must not.
    ///
    /// # Errors
    /// Those of reading the certificate.
    pub fn client(&self) -> Result<Client, Box<dyn Error>> {
        let (chain, key) = certificate_of(&self.folder);
        let identity = Identity::load(&chain, &key, &self.ca)?;
        Ok(Client::new(&self.url, &identity, ClientOptions::default())?)
    }

    /// Ends the server; its folder stays.
    ///
    /// # Errors
    /// Those with which the server ended.
    pub async fn stop(self) -> Result<(), Box<dyn Error>> {
        let _ = self.stop.send(());
        self.served.await??;
        self.store.close().await?;
        Ok(())
    }
}

fn certificate_of(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("device.pem"), folder.join("device.key"))
}
