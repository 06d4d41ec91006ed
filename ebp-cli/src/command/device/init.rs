//! `ebp device init`: a device's configuration, from the server's list of meters and the meters at
//! this machine's ports.

#[cfg(feature = "device-web")]
mod page;
mod ports;
mod value;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use ebp_client::ClientOptions;
use ebp_core::model::Meter;
use ebp_meter::{identify::identify, interface::Registry, port::PortName, session::ReadOptions};

use super::connect::connect;
use crate::{
    command::{find_port, meter::listen::listen},
    exit::{CommandResult, Failure, device},
    file::{absolute, write_whole},
    output::phrase::counted,
    owner,
    tell::tell,
};
use ebp_device::config::Api;
use ports::{Models, Named, assign, place, refuse_other_model};
use value::quote;

/// Some meters put their identity in every other telegram.
const TELEGRAMS: usize = 3;

/// The heading of the options about ports.
const PORTS: &str = "Where the meters are";

/// For which device, and what is known of its ports.
#[derive(Debug, clap::Args)]
pub struct Init {
    /// The folder written by `ebp device enroll`.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,

    /// The Data API's address, such as `https://ebp.example.org:8443`.
    #[arg(long)]
    url: String,

    /// A port with a reading head; or METER=PORT, with the meter's identifier or model. May be
    /// given several times; by default all serial ports of this machine.
    #[arg(long, value_name = "[METER=]PORT", help_heading = PORTS)]
    port: Vec<String>,

    /// How long each port is listened to.
    #[arg(long, default_value = "30s", value_parser = humantime::parse_duration, help_heading = PORTS)]
    timeout: Duration,

    /// Don't listen at any port: name each meter's port.
    #[arg(long, help_heading = PORTS)]
    no_listen: bool,

    /// The folder in which measurements are stored until they are sent.
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/ebp/spool")]
    spool: PathBuf,

    /// The configuration to write; by default `device.toml` in the folder.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[cfg(feature = "device-web")]
    #[command(flatten)]
    page: page::PageOptions,
}

impl Init {
    /// Writes the configuration, once every meter has a port.
    pub fn run(&self) -> CommandResult {
        // Daemons start in another folder than this command.
        let folder = absolute(&self.folder)?;
        let output = match &self.output {
            Some(output) => absolute(output)?,
            None => folder.join("device.toml"),
        };
        if output.exists() {
            return Err(Failure::failed(format!("{} exists already", output.display()))
                .remedy("move it away, or choose another file with --output"));
        }
        let named: Vec<Named> =
            self.port.iter().map(|text| Named::parse(text)).collect::<Result<_, _>>()?;
        let file = |name: &str| folder.join(name);
        let api = Api {
            url: self.url.clone(),
            ca: file("ca.pem"),
            certificate: file("device.pem"),
            key: file("device.key"),
            timeout: ClientOptions::default().timeout,
        };
        let meters = connect(&api)?.device_meters().map_err(device::client)?;
        if meters.is_empty() {
            return Err(Failure::failed("the server knows no meter that this device reads")
                .remedy("ask a researcher to add it with `ebp household edit --new-meter`"));
        }
        let ports = self.ports(&meters, named)?;
        let spool = absolute(&self.spool)?;
        // What is there of the page does not keep this from being run again, as this file does.
        #[cfg(feature = "device-web")]
        let (socket, frontend) = match self.page.find(&folder)? {
            Some(page) => {
                page.write(&self.url)?;
                page.of_device()
            }
            None => Default::default(),
        };
        #[cfg(not(feature = "device-web"))]
        let (socket, frontend) = (String::new(), String::new());
        let head = format!("spool = {}\n{socket}", quote(&spool));
        write_whole(&output, text(&head, &api, &frontend, &meters, &ports)?.as_bytes())?;
        let own = owner::is_own(&spool, &[]);
        if own {
            make_spool(&spool);
        }
        owner::give(&folder, false, std::slice::from_ref(&output));
        tell!("ebp: {} is written, with {}", output.display(), counted(meters.len(), "meter"));
        tell!("ebp: next, `ebp read --config {}` measures once", output.display());
        Ok(())
    }

    /// Each meter's port, in the meters' order.
    fn ports(&self, meters: &[Meter], named: Vec<Named>) -> Result<Vec<PortName>, Failure> {
        let mut ports: Vec<Option<PortName>> = vec![None; meters.len()];
        let mut open = Vec::new();
        for Named { meter, port } in named {
            match meter {
                Some(meter) => ports[place(meters, &meter)?] = Some(port),
                None => open.push(port),
            }
        }
        let registry = Registry::embedded();
        if !self.no_listen {
            if open.is_empty() && ports.iter().any(Option::is_none) {
                open = find_port::all()?.into_iter().map(|info| info.name).collect();
            }
            for (meter, port) in meters.iter().zip(&ports) {
                if let Some(port) = port {
                    refuse_other_model(meter, port, &self.models_at(port, &registry)?, &registry)?;
                }
            }
            let heard: Vec<(PortName, Models)> = open
                .into_iter()
                .map(|port| Ok((port.clone(), self.models_at(&port, &registry)?)))
                .collect::<Result<_, Failure>>()?;
            assign(meters, &mut ports, &heard, &registry)?;
        } else if let ([port], [None]) = (&open[..], &ports[..]) {
            ports[0] = Some(port.clone());
        }
        let missing = meters.iter().zip(&ports).find(|(_, port)| port.is_none());
        if let Some((meter, _)) = missing {
            return Err(Failure::usage(format!(
                "it is not known at which port meter {} ({}) is",
                meter.uuid, meter.model
            ))
            .remedy(format!("name it with --port {}=PORT", meter.uuid)));
        }
        let ports: Vec<PortName> = ports.into_iter().flatten().collect();
        let mut seen = HashSet::new();
        if let Some(twice) = ports.iter().find(|port| !seen.insert(port.to_string())) {
            return Err(Failure::usage(format!("two meters share the port {twice}"))
                .remedy("each meter has a reading head of its own"));
        }
        Ok(ports)
    }

    /// The possible models at a port, best first; a silent port is reported.
    fn models_at(&self, port: &PortName, registry: &Registry) -> Result<Models, Failure> {
        let heard = match listen(port, ReadOptions::default(), self.timeout, TELEGRAMS) {
            Ok(heard) => heard,
            Err(failure) => {
                tell!("ebp: {port}: {failure}");
                return Ok(Models::default());
            }
        };
        match identify(registry, &heard.readouts) {
            Some(identity) => {
                let models: Vec<String> =
                    identity.models.into_iter().map(|candidate| candidate.model).collect();
                let flag = identity.flag.unwrap_or_default();
                tell!("ebp: {port}: a meter of {flag}, maybe {}", models.join(" or "));
                Ok(Models { speaks: true, flag, models })
            }
            None => {
                tell!("ebp: {port}: no meter speaks");
                Ok(Models::default())
            }
        }
    }
}

/// The configuration as it is written.
fn text(
    head: &str,
    api: &Api,
    frontend: &str,
    meters: &[Meter],
    ports: &[PortName],
) -> Result<String, Failure> {
    let mut text = format!(
        "# Made by `ebp device init`; the book's chapter on measurement devices says what else there is.\n\
         {head}\n[api]\nurl = {}\nca = {}\ncertificate = {}\nkey = {}\n{frontend}",
        quote(&api.url),
        quote(&api.ca),
        quote(&api.certificate),
        quote(&api.key),
    );
    for (meter, port) in meters.iter().zip(ports) {
        let port = match port {
            PortName::Path(path) => absolute(path)?.to_string_lossy().into_owned(),
            other => other.to_string(),
        };
        text += &format!(
            "\n[[meter]]\nuuid = {}\nmodel = {}\nport = {}\n",
            quote(meter.uuid.to_string()),
            quote(&meter.model),
            quote(port)
        );
    }
    Ok(text)
}

fn make_spool(folder: &Path) {
    match ebp_core::private_file::create_folder(folder) {
        Ok(()) => owner::give(folder, true, &[]),
        Err(error) => tell!("ebp: cannot make {}: {error}", folder.display()),
    }
}
