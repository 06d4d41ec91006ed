//! `ebp device status`: what an administrator wants to know of a device, from its own files.

use std::collections::BTreeMap;

use ebp_client::Validity;
use ebp_core::{
    clock::{Clock, DeviceClock, SystemClock},
    model::IncidentType,
};
use ebp_device::{clock::DeviceSystemClock, socket, spool::Spool};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::connect::connect;
use crate::{
    command::cycle::known,
    exit::{CommandResult, Failure, device},
    output::{TableFormat, new_table},
    stdout::print,
    tell::tell,
};
use ebp_device::config::{Api, DeviceConfig};

/// What is printed.
#[derive(Debug, Serialize)]
struct Status {
    not_before: Timestamp,
    not_after: Timestamp,
    renewed_from: Timestamp,
    expired: bool,
    consent: Option<String>,
    #[serde(flatten)]
    here: Option<Here>,
}

/// The content of the device's own files.
#[derive(Debug, Serialize)]
struct Here {
    /// Consent as last received, and when.
    consent_known: Option<(&'static str, Timestamp)>,
    clock_synchronised: bool,
    /// Why it is not known whether the clock is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_hidden: Option<String>,
    spool: Figures,
    meters: Vec<Meter>,
}

#[derive(Debug, Serialize)]
struct Figures {
    pending: u64,
    unplaced: u64,
    refused: usize,
    /// How many were refused for which reason.
    reasons: BTreeMap<String, usize>,
}

#[derive(Debug, Serialize)]
struct Meter {
    uuid: Uuid,
    port: String,
    last_measured_at: Option<Timestamp>,
    incidents: Vec<IncidentType>,
    good_telegrams: u64,
    damaged_telegrams: u64,
}

/// Prints it, and fails where the server does not answer well.
pub fn status(api: &Api, config: Option<&DeviceConfig>, format: TableFormat) -> CommandResult {
    let validity = Validity::from_file(&api.certificate).map_err(device::validity)?;
    let client = connect(api)?;
    let (server, failure) = match client.consent() {
        Ok(consent) => (Some(consent.state.name().to_owned()), None),
        Err(error) => (None, Some(device::client(error))),
    };
    // A server of an earlier version does not know the question.
    if let (Some(config), Ok(known)) = (config, client.device_meters()) {
        for told in known::differences(&known::configured(config), &known) {
            tell!("ebp: {told}");
        }
    }
    let status = Status {
        not_before: validity.not_before,
        not_after: validity.not_after,
        renewed_from: validity.due_at(),
        expired: SystemClock.now() > validity.not_after,
        consent: server,
        here: config.map(here).transpose()?,
    };
    let text = match format {
        TableFormat::Json => {
            format!("{}\n", serde_json::to_string(&status).map_err(Failure::failed)?)
        }
        TableFormat::Table => table(&status),
    };
    print(&text)?;
    failure.map_or(Ok(()), Err)
}

fn here(config: &DeviceConfig) -> Result<Here, Failure> {
    let spool = Spool::open_with(&config.spool, config.spool_options()).map_err(device::spool)?;
    let clock = DeviceSystemClock::new(config.clock);
    let known_meters = socket::meters(config, &spool).map_err(device::spool)?;
    let meters = config.meters.iter().zip(known_meters).map(|(entry, known)| Meter {
        uuid: entry.uuid,
        port: entry.port.to_string(),
        last_measured_at: known.measured_at,
        incidents: known.incidents,
        good_telegrams: known.good_telegrams,
        damaged_telegrams: known.damaged_telegrams,
    });
    let known = spool.consent().map_err(device::spool)?;
    let refused = spool.refused().map_err(device::spool)?;
    let mut reasons = BTreeMap::new();
    for one in &refused {
        *reasons.entry(one.reason.clone()).or_default() += 1;
    }
    Ok(Here {
        consent_known: known.map(|known| (known.state.name(), known.as_of)),
        clock_synchronised: clock.synchronised(),
        clock_hidden: clock.hidden().first().map(ToString::to_string),
        spool: Figures {
            pending: spool.len().map_err(device::spool)?,
            unplaced: spool.unplaced_len().map_err(device::spool)?,
            refused: refused.len(),
            reasons,
        },
        meters: meters.collect(),
    })
}

fn table(status: &Status) -> String {
    let mut table = new_table();
    table.set_header(["what", "state"]);
    table.add_row(["valid until", &status.not_after.to_string()]);
    table.add_row(["renewed from", &status.renewed_from.to_string()]);
    if let Some(consent) = &status.consent {
        table.add_row(["consent", consent]);
    }
    let Some(here) = &status.here else { return format!("{table}\n") };
    if let Some((state, as_of)) = here.consent_known.filter(|_| status.consent.is_none()) {
        table.add_row(["consent", &format!("{state}, as of {as_of}")]);
    }
    let clock = match &here.clock_hidden {
        Some(hidden) => &format!("not known: {hidden}"),
        None if here.clock_synchronised => "synchronised",
        None => "not synchronised",
    };
    table.add_row(["clock", clock]);
    let Figures { pending, unplaced, refused, ref reasons } = here.spool;
    let waiting = format!(
        "{pending} to be sent, {unplaced} of unknown time, {refused} refused by the server"
    );
    table.add_row(["measurements", &waiting]);
    for (reason, count) in reasons {
        table.add_row(["refused", &format!("{count}: {reason}")]);
    }
    let mut meters = new_table();
    meters.set_header(["meter", "port", "last measured at (UTC)", "damaged", "incidents"]);
    for meter in &here.meters {
        let last = meter.last_measured_at.map_or("never".to_owned(), |at| at.to_string());
        let names: Vec<_> = meter.incidents.iter().map(|kind| kind.name()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let row = [&meter.uuid.to_string(), &meter.port, &last, &damaged(meter), &names];
        meters.add_row(row);
    }
    format!("{table}\n{meters}\n")
}

/// The percentage of the telegrams since the last report.
fn damaged(meter: &Meter) -> String {
    let all = meter.good_telegrams.saturating_add(meter.damaged_telegrams);
    match all {
        0 => "-".to_owned(),
        _ => format!("{} % of {all}", meter.damaged_telegrams.saturating_mul(100) / all),
    }
}
