//! What the server is told of this device's updates, and what it says that should run.

use std::{path::Path, time::Duration};

use ebp_client::{Client, ClientError, identity::Identity};
use ebp_core::{
    clock::{Clock, DeviceClock, SystemClock},
    contract::{DeviceUpdate, UpdateManager, UpdateWish},
};
use ebp_device::config::DeviceConfig;
use ebp_update::{MachineDisk, Pin, State, UpdateConfig, Version, Wish, shorten};

use super::pause::Pause;
use crate::{
    exit::{Failure, chain, update as explain},
    tell::tell,
};

/// How long a connection, and an answer, are waited for: a version may be on trial meanwhile.
const WAIT: Duration = Duration::from_secs(10);

/// What the server was told last, and who tells it.
pub struct Asking<'a> {
    config: &'a DeviceConfig,
    /// Whether this device's own configuration says what runs.
    is_pinned: bool,
    wanted: Option<Version>,
    told: Option<DeviceUpdate>,
    pause: Pause,
}

impl<'a> Asking<'a> {
    pub fn new(config: &'a DeviceConfig, update: &UpdateConfig, folder: &Path) -> Self {
        let is_pinned = update.version.is_some() || update.source.is_some();
        let pause = Pause::of_api(folder);
        Self { config, is_pinned, wanted: None, told: None, pause }
    }

    fn send(&self, told: &DeviceUpdate) -> Result<UpdateWish, Failure> {
        let (api, now) = (&self.config.api, SystemClock.now());
        if let Some(end) = self.pause.end(now) {
            return Err(Failure::failed(format!("it asked not to be called before {end}")));
        }
        let identity =
            Identity::load(&api.certificate, &api.key, &api.ca).map_err(|error| chain(&error));
        let mut options = api.client_options();
        options.connect_timeout = WAIT;
        options.timeout = WAIT;
        let answer = identity.and_then(|identity| {
            let client = Client::new(&api.url, &identity, options);
            let told = |client: Client| client.report_update(told);
            client.and_then(told).map_err(|error: ClientError| {
                if let Some(wait) = error.retry_after() {
                    self.pause.begin(wait, now);
                }
                chain(&error)
            })
        });
        answer.map_err(Failure::failed)
    }

    /// Tells the server the state before a round, and returns what is wanted. What the configuration
    /// says counts before the server's answer, and the last answer while there is no other. It is
    /// remembered in either case: the configuration may say something else before the server does.
    pub fn wish(
        &mut self,
        update: &UpdateConfig,
        disk: &mut MachineDisk,
        clock: &dyn DeviceClock,
    ) -> Result<Wish, Failure> {
        let state = State::look(disk).unwrap_or_default();
        let told = self.describe(&state);
        let broken = |error: ebp_update::DiskError| explain::explain(error.into());
        let answer = self.send(&told);
        if let Ok(answer) = &answer {
            self.told = Some(told);
            Wish::remember(disk, answer, clock.now()).map_err(broken)?;
        }
        let wish = match (&update.version, answer) {
            (Some(Pin::Newest), _) => Wish::Newest,
            (Some(Pin::Version(version)), _) => Wish::Pinned(version.clone()),
            (None, Ok(answer)) => Wish::of_answer(&answer),
            (None, Err(error)) => {
                let wish = Wish::recall(disk).map_err(broken)?;
                tell!(
                    "ebp: the server does not say which version should run ({error}): {}",
                    describe_wish(&wish)
                );
                wish
            }
        };
        if let Wish::Offered(version) = &wish {
            self.wanted = Some(version.clone());
        }
        Ok(wish)
    }

    fn describe(&self, state: &State) -> DeviceUpdate {
        let mut told = state.describe(self.wanted.as_ref());
        told.pinned = self.is_pinned;
        // Before the floor was looked at, it is what runs.
        told.kept.get_or_insert_with(|| env!("CARGO_PKG_VERSION").to_owned());
        told
    }

    /// Tells the server what has changed since it was told last, if anything has. A server that is away
    /// is told in the next round.
    pub fn tell(&mut self, state: &State, hindrance: Option<&str>) {
        let Some(before) = &self.told else { return };
        let hindrance = hindrance.map(shorten);
        let told = DeviceUpdate { hindrance, ..self.describe(state) };
        if told != *before && self.send(&told).is_ok() {
            self.told = Some(told);
        }
    }
}

/// Tells the server that Flux updates this device.
pub fn tell_flux(config: &DeviceConfig, update: &UpdateConfig, folder: &Path) {
    let told = DeviceUpdate {
        managed: UpdateManager::Flux,
        kept: Some(env!("CARGO_PKG_VERSION").to_owned()),
        ..DeviceUpdate::default()
    };
    if let Err(error) = Asking::new(config, update, folder).send(&told) {
        tell!("ebp: the server was not told of it: {error}");
    }
}

fn describe_wish(wish: &Wish) -> String {
    match wish {
        Wish::Newest => "the newest release is taken".to_owned(),
        Wish::Pinned(version) | Wish::Offered(version) => {
            format!("version {version} is taken, as it last said")
        }
        Wish::Stay => "this device stays on what it runs, as it last said".to_owned(),
    }
}
