//! The device's daemon.

use std::{path::Path, sync::Arc};

use ebp_client::identity::Identity;
use ebp_core::{
    clock::{Clock, SystemClock},
    contract::paths,
};
use ebp_device::config::{Api, DeviceConfig};
use ebp_fleet::tunnel::{
    TunnelConfig,
    device::{DeviceSettings, SessionLog, TunnelEvent, TunnelStop, run as hold},
    dial::Destination,
    relay::SessionLimits,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    command::tunnel::proxy::from_environment,
    exit::{Code, CommandResult, Context, Failure, chain, device},
    tell::tell,
};

/// The file of the log, beside the spool.
const LOG: &str = "tunnel.sqlite";

/// Holds the tunnel of the device with that configuration.
pub fn run(path: &Path) -> CommandResult {
    let config = DeviceConfig::load(path).map_err(device::config)?;
    let tunnel = config.tunnel.clone().filter(|tunnel| tunnel.enabled);
    let Some(mut tunnel) = tunnel else {
        return Err(Failure::failed(format!("{} has no tunnel", path.display()))
            .remedy("add a section [tunnel]; the manual's chapter on it says what it permits"));
    };
    tunnel.proxy = tunnel.proxy.or(from_environment()?);
    // Once here, so that a wrong file is told at once.
    load(&config.api).map_err(device::identity)?;
    let clock = Arc::new(SystemClock);
    ebp_core::private_file::create_folder(&config.spool)
        .or_failed(format!("cannot make {}", config.spool.display()))?;
    let log = SessionLog::open(&config.spool.join(LOG), clock.now()).map_err(|error| {
        Failure::caused_by(Code::Failed, &error).remedy("let this user write there")
    })?;
    let settings = device_settings(tunnel, config.api, clock)?;
    let authority = settings.destination.authority().to_owned();
    let runtime = crate::runtime::on_this_thread()?;
    let stop = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).or_failed("signals")?;
        tell!("ebp: holding a tunnel to {authority}");
        let shutdown = async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        };
        Ok::<_, Failure>(hold(settings, log, shutdown).await)
    })?;
    match stop {
        TunnelStop::Asked => Ok(()),
        TunnelStop::ConsentRevoked => Err(device::revoked()),
        TunnelStop::Socket(error) => Err(Failure::caused_by(Code::Failed, &error).remedy(
            "make its folder, or choose another path with `socket` under [tunnel]; one process \
             holds the tunnel of a device",
        )),
        stop => Err(Failure::caused_by(Code::Failed, &stop)),
    }
}

fn load(api: &Api) -> Result<Identity, ebp_client::identity::IdentityError> {
    Identity::load(&api.certificate, &api.key, &api.ca)
}

/// What the device's end needs, of that section and that identity.
pub fn device_settings(
    config: TunnelConfig,
    api: Api,
    clock: Arc<dyn Clock>,
) -> Result<DeviceSettings, Failure> {
    let destination = Destination::parse(&api.url)
        .map_err(|error| Failure::failed(error).remedy("set `url` under [api]"))?;
    let certificate = api.certificate.clone();
    let for_tls = clock.clone();
    let load_tls = move || {
        let identity = load(&api).map_err(|error| chain(&error))?;
        let config = identity.client_config(for_tls.clone());
        config.map(Arc::new).map_err(|error| chain(&error))
    };
    Ok(DeviceSettings {
        config,
        destination,
        path: paths::DEVICE_TUNNEL,
        load_tls: Box::new(load_tls),
        certificate,
        version: env!("CARGO_PKG_VERSION"),
        clock,
        limits: SessionLimits::default(),
        hear: Box::new(hear),
    })
}

fn hear(event: TunnelEvent) {
    match event {
        TunnelEvent::Connected => tell!("ebp: the tunnel is held"),
        TunnelEvent::Lost(why) => tell!("ebp: the tunnel has ended: {why}"),
        TunnelEvent::Failed(why, wait) => {
            tell!("ebp: no tunnel: {why}; next attempt in {:.0} s", wait.as_secs_f64());
        }
        TunnelEvent::Began(who, service) => tell!("ebp: {who} is connected to {service}"),
        TunnelEvent::Ended(who) => tell!("ebp: {who} is not connected any more"),
    }
}
