//! Which meter is at which port: what was said of it, and what speaks there.

use std::path::Path;

use ebp_core::model::Meter;
use ebp_meter::{interface::Registry, port::PortName};
use uuid::Uuid;

use crate::exit::Failure;

/// What was said of a port.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The meter's identifier or model, if that was said.
    pub meter: Option<String>,
    pub port: PortName,
}

/// The possible models at a port.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Models {
    pub speaks: bool,
    pub flag: String,
    pub models: Vec<String>,
}

impl Models {
    /// Whether that meter may be the one; one of no known model may be any.
    fn may_be(&self, meter: &Meter, registry: &Registry) -> bool {
        let Ok(driver) = registry.driver(&meter.model) else { return self.speaks };
        self.models.iter().any(|model| driver.model().is_called(model))
    }
}

impl Named {
    pub fn parse(text: &str) -> Result<Self, Failure> {
        // An existing file is a port, whatever its name.
        let (meter, port) = match text.split_once('=') {
            Some((meter, port)) if !Path::new(text).exists() => (Some(meter.to_owned()), port),
            _ => (None, text),
        };
        Ok(Self { meter, port: port.parse()? })
    }
}

/// The place of the meter with that identifier, or the only one of that model.
pub fn place(meters: &[Meter], name: &str) -> Result<usize, Failure> {
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

pub fn refuse_other_model(
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
pub fn assign(
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
