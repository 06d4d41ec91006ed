//! `ebp device init`: a device's configuration, from the server's list of meters and the meters at
//! this machine's ports.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use ebp_client::ClientOptions;
use ebp_core::model::Meter;
use ebp_meter::{identify::identify, interface::Registry, port::PortName, session::ReadOptions};
use uuid::Uuid;

use super::connect::connect;
use crate::{
    command::{find_port, meter::listen::listen},
    exit::{CommandResult, Failure, device},
    file::write_whole,
    output::phrase::counted,
    owner,
    tell::tell,
};
use ebp_device::config::Api;

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
}

/// What was said of a port.
#[derive(Debug, Clone, PartialEq)]
struct Named {
    /// The meter's identifier or model, if that was said.
    meter: Option<String>,
    port: PortName,
}

impl Init {
    /// Writes the configuration, once every meter has a port.
    pub fn run(&self) -> CommandResult {
        let output = self.output.clone().unwrap_or_else(|| self.folder.join("device.toml"));
        if output.exists() {
            return Err(Failure::failed(format!("{} exists already", output.display()))
                .remedy("move it away, or choose another file with --output"));
        }
        let named: Vec<Named> =
            self.port.iter().map(|text| Named::parse(text)).collect::<Result<_, _>>()?;
        let file = |name: &str| self.folder.join(name);
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
        write_whole(&output, self.text(&output, &meters, &ports).as_bytes())?;
        let own = owner::is_own(&self.spool, &[]);
        if own {
            make_spool(&self.spool);
        }
        owner::give(&self.folder, false, std::slice::from_ref(&output));
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

    /// The configuration as it is written.
    fn text(&self, output: &Path, meters: &[Meter], ports: &[PortName]) -> String {
        let quote = |text: &str| toml::Value::from(text).to_string();
        let beside = output.parent() == Some(&self.folder);
        let path = |name: &str| match beside {
            true => quote(name),
            false => quote(&self.folder.join(name).to_string_lossy()),
        };
        let mut text = format!(
            "# Made by `ebp device init`; the book's chapter on measurement devices says what else there is.\n\
             spool = {}\n\n[api]\nurl = {}\nca = {}\ncertificate = {}\nkey = {}\n",
            quote(&self.spool.to_string_lossy()),
            quote(&self.url),
            path("ca.pem"),
            path("device.pem"),
            path("device.key"),
        );
        if self.folder.join("frontend").join("frontend.pem").exists() {
            text += &format!("\n[frontend]\nfolder = {}\n", path("frontend"));
        }
        for (meter, port) in meters.iter().zip(ports) {
            text += &format!(
                "\n[[meter]]\nuuid = {}\nmodel = {}\nport = {}\n",
                quote(&meter.uuid.to_string()),
                quote(&meter.model),
                quote(&port.to_string())
            );
        }
        text
    }
}

fn make_spool(folder: &Path) {
    match ebp_core::private_file::create_folder(folder) {
        Ok(()) => owner::give(folder, true, &[]),
        Err(error) => tell!("ebp: cannot make {}: {error}", folder.display()),
    }
}

/// The possible models at a port.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Models {
    speaks: bool,
    flag: String,
    models: Vec<String>,
}

impl Models {
    /// Whether that meter may be the one; one of no known model may be any.
    fn may_be(&self, meter: &Meter, registry: &Registry) -> bool {
        let Ok(driver) = registry.driver(&meter.model) else { return self.speaks };
        self.models.iter().any(|model| driver.model().is_called(model))
    }
}

impl Named {
    fn parse(text: &str) -> Result<Self, Failure> {
        // An existing file is a port, whatever its name.
        let (meter, port) = match text.split_once('=') {
            Some((meter, port)) if !Path::new(text).exists() => (Some(meter.to_owned()), port),
            _ => (None, text),
        };
        Ok(Self { meter, port: port.parse()? })
    }
}

/// The place of the meter with that identifier, or the only one of that model.
fn place(meters: &[Meter], name: &str) -> Result<usize, Failure> {
    let uuid = name.parse::<Uuid>().ok();
    let is_meant =
        |meter: &Meter| Some(meter.uuid) == uuid || meter.model.eq_ignore_ascii_case(name);
    let found: Vec<usize> = (0..meters.len()).filter(|at| is_meant(&meters[*at])).collect();
    match found[..] {
        [at] => Ok(at),
        [] => {
            let known: Vec<String> =
                meters.iter().map(|meter| format!("{} ({})", meter.uuid, meter.model)).collect();
            Err(Failure::usage(format!("this device reads no meter `{name}`"))
                .remedy(format!("it reads {}", known.join(", "))))
        }
        _ => Err(Failure::usage(format!("this device reads several meters `{name}`"))
            .remedy("name the meter by its identifier")),
    }
}

fn refuse_other_model(
    meter: &Meter,
    port: &PortName,
    heard: &Models,
    registry: &Registry,
) -> Result<(), Failure> {
    if !heard.speaks || heard.may_be(meter, registry) {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "meter {} is registered as {}, but the meter at {port} is one of {}, possibly {}",
        meter.uuid,
        meter.model,
        heard.flag,
        heard.models.join(" or ")
    ))
    .remedy(
        "put the reading head on the right meter, or have its model corrected with \
         `ebp household edit --meter`",
    ))
}

/// Assigns to each meter without a port the only one at which it may be.
fn assign(
    meters: &[Meter],
    ports: &mut [Option<PortName>],
    heard: &[(PortName, Models)],
    registry: &Registry,
) -> Result<(), Failure> {
    let open: Vec<usize> = (0..meters.len()).filter(|at| ports[*at].is_none()).collect();
    if let ([at], [(port, models)]) = (&open[..], heard) {
        refuse_other_model(&meters[*at], port, models, registry)?;
        ports[*at] = Some(port.clone());
        return Ok(());
    }
    for at in &open {
        let may_be = |models: &Models, at: usize| models.may_be(&meters[at], registry);
        let fits: Vec<&(PortName, Models)> =
            heard.iter().filter(|(_, models)| may_be(models, *at)).collect();
        // Two meters of one model cannot be distinguished by their telegrams.
        if let [(port, models)] = fits[..]
            && open.iter().filter(|other| may_be(models, **other)).count() == 1
        {
            ports[*at] = Some(port.clone());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ebp_core::model::MeterType;

    use super::*;

    fn meter(number: u128, model: &str) -> Meter {
        Meter {
            uuid: Uuid::from_u128(number),
            kind: MeterType::Electricity,
            model: model.to_owned(),
            measurement_device: None,
            removed_at: None,
            generation_register: None,
        }
    }

    fn heard(port: &str, flag: &str, models: &[&str]) -> (PortName, Models) {
        let models = models.iter().map(|model| (*model).to_owned()).collect();
        (port.parse().unwrap(), Models { speaks: true, flag: flag.to_owned(), models })
    }

    #[test]
    fn each_meter_gets_the_only_port_at_which_it_may_speak() {
        let registry = Registry::embedded();
        let assigned = |meters: &[Meter], heard: &[(PortName, Models)]| {
            let mut ports = vec![None; meters.len()];
            assign(meters, &mut ports, heard, &registry).map(|()| {
                ports.into_iter().map(|port| port.map(|port| port.to_string())).collect::<Vec<_>>()
            })
        };
        let (mt175, ehz) = (meter(1, "mt175"), meter(2, "EHZ"));
        let both = [heard("b", "EMH", &["EHZ"]), heard("a", "ISK", &["MT175", "MT631"])];
        let found = assigned(&[mt175.clone(), ehz.clone()], &both).unwrap();
        assert_eq!(found, [Some("a".to_owned()), Some("b".to_owned())]);
        let same = [heard("a", "ISK", &["MT175"]), heard("b", "ISK", &["MT175"])];
        let twice = [mt175.clone(), meter(3, "MT175")];
        assert_eq!(assigned(&twice, &same).unwrap(), [None, None]);
        let wrong = assigned(&[mt175], &both[..1]).unwrap_err().to_string();
        assert!(wrong.contains("MT175") || wrong.contains("mt175"), "{wrong}");
        assert!(wrong.contains("EMH") && wrong.contains("EHZ"), "{wrong}");
        // An unknown one may be at any port with telegrams; a silent port is used as given.
        let silent = [("c".parse().unwrap(), Models::default())];
        assert_eq!(assigned(&[ehz], &silent).unwrap(), [Some("c".to_owned())]);
    }

    #[test]
    fn a_meter_is_named_by_identifier_or_by_a_model_of_its_own() {
        let meters = [meter(1, "MT175"), meter(2, "EHZ"), meter(3, "EHZ")];
        assert_eq!(place(&meters, "mt175").unwrap(), 0);
        assert_eq!(place(&meters, &Uuid::from_u128(3).to_string()).unwrap(), 2);
        assert!(place(&meters, "EHZ").unwrap_err().to_string().contains("several"));
        assert!(place(&meters, "x").unwrap_err().to_string().contains("MT175"));
    }
}
