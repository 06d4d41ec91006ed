//! A survey with a geocoder that counts, and households in it.

use std::{path::PathBuf, sync::Arc};

use ebp_core::{
    clock::SystemClock,
    contract::{GrantChannel, Registered, Registration},
    model::{Address, Location},
};
use ebp_store::{Actor, Database, HouseholdId, Names, PostgresSettings, Source, open_store};
use ebp_survey::{Caller, KeptRevocations, Survey};
use serde_json::json;

use crate::{cluster, geocoder::CountingGeocoder};

pub struct World {
    pub survey: Arc<Survey>,
    pub geocoder: Arc<CountingGeocoder>,
    pub database: Database,
    folder: tempfile::TempDir,
    /// Of the PostgreSQL database.
    url: String,
}

impl World {
    pub async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("ebp.sqlite"));
        Self::open(folder, database, String::new(), Arc::default()).await
    }

    pub async fn on_postgresql() -> Self {
        let (url, _) = cluster::shared().database().await;
        let database = at(&url);
        Self::open(tempfile::tempdir().unwrap(), database, url, Arc::default()).await
    }

    /// As a server opens it, with a list of revocations of its own.
    async fn open(
        folder: tempfile::TempDir,
        database: Database,
        url: String,
        geocoder: Arc<CountingGeocoder>,
    ) -> Self {
        let store = open_store(&database).await.unwrap();
        let survey = Survey::new(store, Arc::new(SystemClock))
            .with_geocoder(Some(geocoder.clone()))
            .with_kept_revocations(KeptRevocations::in_folder(folder.path()));
        Self { survey: Arc::new(survey), geocoder, database, folder, url }
    }

    /// Where a backup of the SQLite database would be.
    pub fn backup(&self) -> PathBuf {
        self.folder.path().join("backup.sqlite")
    }

    /// The survey as it would be had it stopped here and a backup of now been put in the place of
    /// its database later: the folder and what the geocoder remembers are those of then.
    pub async fn copied(self) -> (Self, Database) {
        let Self { survey, geocoder, database, folder, url } = self;
        survey.store().close().await.unwrap();
        drop(survey);
        let copy = match &database {
            Database::Sqlite(path) => {
                let copy = folder.path().join("copy.sqlite");
                ebp_store::backup::backup(path, &copy).unwrap();
                Database::Sqlite(copy)
            }
            Database::Postgres(_) => {
                let name = url.rsplit('=').next().unwrap();
                let sql = format!("CREATE DATABASE {name}_copy TEMPLATE {name}");
                let admin = cluster::shared().client("postgres").await;
                // A connection that was closed is gone a moment later.
                while admin.batch_execute(&sql).await.is_err() {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
                at(&cluster::shared().url(&format!("{name}_copy")))
            }
        };
        (Self::open(folder, database, url, geocoder).await, copy)
    }

    /// The same server over another database.
    pub async fn over(self, database: Database) -> Self {
        let Self { survey, geocoder, folder, url, .. } = self;
        survey.store().close().await.unwrap();
        Self::open(folder, database, url, geocoder).await
    }

    /// Registers a household there, without a location.
    pub async fn register(&self, street: &str) -> (Registered, Caller) {
        let new = self.survey.register(registration(street), false, None).await.unwrap();
        let names = Names {
            participant: Some(new.registered.participant),
            email: email(street),
            device: None,
        };
        let actor = self.survey.store().actor(&names).await.unwrap();
        let Actor::Participant { participant, household, consents, .. } = actor else {
            panic!("{actor:?}");
        };
        let caller = Caller {
            participant,
            household,
            consents,
            device: None,
            source: Source::Device,
            through: GrantChannel::Certificate,
        };
        (new.registered, caller)
    }

    /// Where a household is.
    pub async fn location(&self, registered: &Registered) -> Option<Location> {
        let household = HouseholdId(registered.household);
        self.survey.store().registration(household).await.unwrap().location
    }
}

fn at(url: &str) -> Database {
    Database::Postgres(PostgresSettings { connections: 4, ..PostgresSettings::new(url) })
}

/// Each street has a participant of its own.
fn email(street: &str) -> String {
    format!("{}@example.org", street.to_lowercase().replace(' ', "."))
}

pub fn address(street: &str) -> Address {
    Address {
        street: street.into(),
        postal_code: "51147".into(),
        city: "Köln".into(),
        country: "DE".into(),
    }
}

pub fn registration(street: &str) -> Registration {
    serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": email(street)},
        "address": address(street),
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": true},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
    }))
    .unwrap()
}
