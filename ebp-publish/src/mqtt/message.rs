//! Topics and payloads. None of them has a meter's number, its server id, its PIN or the survey's
//! identifier.

use serde_json::{Value, json};

use crate::{
    config::{MqttConfig, Prefix},
    reading::{Meter, Reading},
};

/// The payload that says that readings come.
pub(super) const ONLINE: &str = "online";
/// The payload that says that none come.
pub(super) const OFFLINE: &str = "offline";

/// The topics of one program.
pub(super) struct Topics {
    topic: Prefix,
    discovery: Prefix,
    /// Whether readings come: retained, and the last will.
    pub(super) availability: String,
    /// Where Home Assistant says that it was started.
    pub(super) birth: String,
    /// The client's name to the broker.
    pub(super) client: String,
    /// After so many seconds without a reading, Home Assistant shows none.
    expire_after: u64,
}

impl Topics {
    pub(super) fn new(config: &MqttConfig, meters: &[Meter]) -> Self {
        let own = meters.first().map(Meter::short_id).unwrap_or_default();
        Self {
            topic: config.topic.clone(),
            discovery: config.discovery.clone(),
            availability: format!("{}/{own}/availability", config.topic),
            birth: format!("{}/status", config.discovery),
            client: format!("ebp_{own}"),
            expire_after: 3 * config.interval.as_secs().max(1),
        }
    }

    /// Where a meter's state is.
    pub(super) fn state(&self, meter: &Meter) -> String {
        format!("{}/{}/state", self.topic, meter.short_id())
    }

    /// A meter's message to Home Assistant: where, and what.
    pub(super) fn discovery(&self, meter: &Meter) -> (String, String) {
        let id = format!("ebp_{}", meter.short_id());
        let mut device = json!({
            "ids": [id],
            "name": meter.model.as_deref().unwrap_or("Electricity meter"),
        });
        if let Some(model) = &meter.model {
            device["mdl"] = Value::String(model.clone());
        }
        let component = |key: &str, name: &str, kind: [&str; 3]| {
            let [class, state, unit] = kind;
            json!({
                "p": "sensor",
                "unique_id": format!("{id}_{key}"),
                "name": name,
                "device_class": class,
                "state_class": state,
                "unit_of_measurement": unit,
                "state_topic": self.state(meter),
                // Empty where the meter has no such register: Home Assistant passes that over.
                "value_template": format!("{{{{ value_json.{key} | default('') }}}}"),
                "expire_after": self.expire_after,
            })
        };
        let energy = ["energy", "total_increasing", "kWh"];
        let message = json!({
            "dev": device,
            "o": {"name": "ebp", "sw": env!("CARGO_PKG_VERSION")},
            "availability_topic": self.availability,
            "payload_available": ONLINE,
            "payload_not_available": OFFLINE,
            "qos": 1,
            "cmps": {
                "import": component("import_kwh", "Import", energy),
                "export": component("export_kwh", "Export", energy),
                "power": component("power_kw", "Power", ["power", "measurement", "kW"]),
            },
        });
        (format!("{}/device/{id}/config", self.discovery), message.to_string())
    }
}

/// A meter's state.
pub(super) fn state(reading: &Reading) -> String {
    Value::Object(reading.to_json()).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const UUID: &str = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002";

    #[test]
    fn discovery_as_home_assistant_reads_it() {
        let mut config = MqttConfig::new("mqtt://localhost".parse().unwrap());
        config.interval = Duration::from_secs(30);
        let meter = Meter::new(UUID.parse().unwrap(), Some("MT175".to_owned()));
        let topics = Topics::new(&config, std::slice::from_ref(&meter));
        let (topic, payload) = topics.discovery(&meter);
        assert_eq!(topic, format!("homeassistant/device/ebp_{}/config", meter.short_id()));
        assert!(!payload.contains(UUID));
        let mut message: Value = serde_json::from_str(&payload).unwrap();
        message["o"]["sw"] = json!("[version]");
        insta::assert_snapshot!(serde_json::to_string_pretty(&message).unwrap());
    }

    #[test]
    fn state_has_the_names_of_the_templates() {
        let reading = Reading {
            import_kwh: Some("12345.67890".parse().unwrap()),
            power_kw: Some("-0.015".parse().unwrap()),
            ..Reading::new("2026-01-31T12:00:01.5Z".parse().unwrap())
        };
        assert_eq!(
            state(&reading),
            r#"{"import_kwh":12345.67890,"power_kw":-0.015,"read_at":"2026-01-31T12:00:01.5Z"}"#
        );
    }
}
