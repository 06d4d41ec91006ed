//! The server of the past with its households, as it was then.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ebp_client::{Client, identity::Identity};
use ebp_core::contract::{MeterChange, NewMeter, Registered, RegistrationMeter};
use ebp_fieldtest::server::{TrueClock, client};
use ebp_server::Settings;
use ebp_store::{HouseholdId, Store};
use ebp_survey::{Survey, authority::Authority};
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Runtime;

use super::devices::unexpected;
use crate::{
    command::demo::{
        agreement::agree,
        certificates,
        households::{DemoHousehold, exchanged, registration},
        server::Server,
    },
    exit::{CommandResult, Context, Failure, chain, device, server},
};

/// The server of the past with its households.
pub(super) struct World<'a> {
    pub(super) clock: Arc<TrueClock>,
    pub(super) authority: &'a Authority,
    pub(super) households: &'a [DemoHousehold],
    pub(super) registered: Vec<Registered>,
    pub(super) ca: std::path::PathBuf,
    pub(super) url: String,
    pub(super) runtime: Runtime,
    pub(super) store: Arc<dyn Store>,
    pub(super) server: Server,
    pub(super) stop: Arc<AtomicBool>,
}

impl<'a> World<'a> {
    /// Registers the households as they were then and starts the server.
    pub(super) fn new(
        settings: Settings,
        authority: &'a Authority,
        clock: Arc<TrueClock>,
        households: &'a [DemoHousehold],
        begin: Timestamp,
    ) -> Result<Self, Failure> {
        let runtime = crate::runtime::on_this_thread()?;
        let ca = settings.authority.join("ca.pem");
        let store =
            runtime.block_on(ebp_store::open_store(&settings.database)).map_err(server::store)?;
        let survey = Survey::new(store.clone(), clock.clone());
        let mut registered = Vec::new();
        for (index, household) in households.iter().enumerate() {
            // One after the other: lists are in that order.
            let at =
                begin - SignedDuration::from_secs(60) + SignedDuration::from_secs(index as i64);
            let mut registration = registration(household);
            if let Some(meter) = exchanged(household) {
                let RegistrationMeter { uuid, model, .. } = &mut registration.meters[0];
                (*uuid, *model) = (Some(meter.uuid), meter.model.into());
            }
            clock.set(at);
            let participant = async {
                registered
                    .push(survey.register(registration.clone(), false, None).await?.registered);
                Ok(survey.store().participant(&registration.participant.email).await?)
            };
            let participant = runtime.block_on(participant).map_err(server::survey)?;
            certificates::issue(authority, household, &registration, Some(participant))?;
        }
        clock.set(begin);
        let listener = TcpListener::bind("127.0.0.1:0").or_failed("cannot listen on 127.0.0.1")?;
        listener.set_nonblocking(true).or_failed("the listener")?;
        let address = listener.local_addr().or_failed("the listener")?;
        let stop = Arc::<AtomicBool>::default();
        let server = Server::start(settings, listener, None, Arc::clone(&stop))?;
        let url = format!("https://localhost:{}", address.port());
        Ok(Self { clock, authority, households, registered, ca, url, runtime, store, server, stop })
    }

    /// A household as its own program asks for it.
    pub(super) fn client(&self, household: &DemoHousehold) -> Result<Client, Failure> {
        let identity = Identity::load(&household.certificate, &household.key, &self.ca)
            .map_err(|error| Failure::failed(chain(&error)))?;
        client(&self.url, &identity, self.clock.clone()).map_err(unexpected)
    }

    pub(super) fn grant_consent(&self, household: &DemoHousehold) -> CommandResult {
        agree(&self.client(household)?).map_err(device::client).map(drop)
    }

    /// The researchers register that a meter was exchanged.
    pub(super) fn exchange(&self, household: usize, at: Timestamp) -> CommandResult {
        let (of, id) = (&self.households[household], self.registered[household].household);
        let (Some(old), Some(new)) = (exchanged(of), of.meters.first()) else { return Ok(()) };
        let removed = MeterChange { removed_at: Some(Some(at)), ..MeterChange::default() };
        let new = NewMeter {
            uuid: Some(new.uuid),
            kind: new.kind,
            model: new.model.into(),
            measurement_device: Some(of.device),
            generation_register: None,
        };
        let id = HouseholdId(id);
        let register = async {
            self.store.change_meter(id, old.uuid, removed).await?;
            self.store.add_meter(id, new).await
        };
        self.runtime.block_on(register).map_err(server::store)?;
        Ok(())
    }

    /// Ends the server.
    pub(super) fn close(self) -> CommandResult {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.server.end();
        self.runtime.block_on(self.store.close()).map_err(server::store)?;
        ended
    }
}
