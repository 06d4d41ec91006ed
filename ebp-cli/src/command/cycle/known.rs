//! Checks whether the configured meters match those that the server lists for this device.

use std::{sync::Arc, thread};

use ebp_core::model::Meter;
use uuid::Uuid;

use crate::tell::tell;
use ebp_device::{config::DeviceConfig, device::Device};

/// Asks on a separate thread, so that measuring is not delayed, and reports differences. A server
/// that does not answer, or does not know the endpoint, is not reported here.
pub fn tell_of_others(device: &Device) {
    let api = Arc::clone(device.api());
    let configured = configured(&device.config);
    // Without a thread it is not reported: the server's rejection shows it later.
    let _ = thread::Builder::new().name("known meters".to_owned()).spawn(move || {
        if let Ok(known) = api.device_meters() {
            for told in differences(&configured, &known) {
                tell!("ebp: {told}");
            }
        }
    });
}

/// The configured meters and their models.
pub fn configured(config: &DeviceConfig) -> Vec<(Uuid, String)> {
    config.meters.iter().map(|meter| (meter.uuid, meter.model.clone())).collect()
}

/// What does not fit, in words.
pub fn differences(configured: &[(Uuid, String)], known: &[Meter]) -> Vec<String> {
    let mut told = Vec::new();
    for (uuid, model) in configured {
        match known.iter().find(|meter| meter.uuid == *uuid) {
            None => told.push(format!(
                "meter {uuid} is not one that this device reads, so the server will refuse its \
                 measurements or nobody expects them: compare `ebp household show`"
            )),
            Some(meter) if !meter.model.eq_ignore_ascii_case(model) => told.push(format!(
                "meter {uuid} is configured as {model} and registered as {}: correct one of them \
                 (`ebp household edit --meter`)",
                meter.model
            )),
            Some(_) => {}
        }
    }
    for meter in known.iter().filter(|meter| configured.iter().all(|(uuid, _)| *uuid != meter.uuid))
    {
        told.push(format!(
            "meter {} ({}) is registered for this device and not configured",
            meter.uuid, meter.model
        ));
    }
    told
}

#[cfg(test)]
mod tests {
    use ebp_core::model::MeterType;

    use super::*;

    #[test]
    fn what_does_not_fit_is_told_by_meter() {
        let meter = |number, model: &str| Meter {
            uuid: Uuid::from_u128(number),
            kind: MeterType::Electricity,
            model: model.to_owned(),
            measurement_device: None,
            removed_at: None,
            generation_register: None,
        };
        let known = [meter(1, "MT175"), meter(2, "EHZ"), meter(3, "DD3")];
        let configured = |number, model: &str| (Uuid::from_u128(number), model.to_owned());
        let fits = [configured(1, "mt175"), configured(2, "EHZ"), configured(3, "DD3")];
        assert_eq!(differences(&fits, &known), [""; 0]);
        let wrong = [configured(1, "MT681"), configured(4, "EHZ"), configured(2, "EHZ")];
        let told = differences(&wrong, &known);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].contains("MT681") && told[0].contains("MT175"), "{told:?}");
        assert!(told[1].contains("not one that this device reads"), "{told:?}");
        assert!(told[2].contains("DD3") && told[2].contains("not configured"), "{told:?}");
    }
}
