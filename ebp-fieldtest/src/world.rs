//! The survey: ten meters on nine devices in eight households, as many as the thesis' field test had
//! (chapter 5), and the weeks that pass over them.
//!
//! Enters: options. Leaves: the [`Survey`] as it is at the end. Absent: the verdict.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use ebp_client::Client;
use ebp_core::{contract::Registration, model::MeterType};
use ebp_meter::{
    aggregator::ConfiguredMeter,
    interface::Registry,
    port::PortName,
    profile::Profiles,
    unlock::{Method, Pin},
    virtual_meter::HouseholdOptions,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::{
    chance::{Chance, after},
    device::Device,
    faults::{Kind, Kinds},
    meter::{MeterKind, WallMeter},
    plan::{CERTIFICATE, PUTTING_UP, Plan},
    port::Shared,
    record::MeterRecord,
    server::{self, Server, TrueClock},
};

/// The households' meters, a list for each device.
const HOUSEHOLDS: [&[&[&str]]; 8] = [
    &[&["MT175"]],
    &[&["EHZ"]],
    &[&["MT681"]],
    &[&["MT175"]],
    &[&["EHZ"]],
    &[&["MT681"]],
    // One device reads both.
    &[&["MT175", "MT681"]],
    // Each meter has a device of its own.
    &[&["EHZ"], &["MT175"]],
];

/// How long certificates are valid that outlast the field test.
const LASTING: Duration = Duration::from_secs(86_400 * 200);

/// How long everything goes on after the last slot that counts, so that it can arrive.
const REST: SignedDuration = SignedDuration::from_hours(3);

/// What field test it shall be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose faults, households and rhythms.
    pub seed: u64,
    /// For so many days.
    pub days: u32,
    /// With which kinds of faults.
    pub faults: Kinds,
    /// From then on: the start of an hour.
    pub start: Timestamp,
}

/// The survey at its end.
pub struct Survey {
    /// What was asked.
    pub options: Options,
    /// The end of the last slot that counts.
    pub end: Timestamp,
    /// What went wrong.
    pub plan: Plan,
    /// The devices.
    pub devices: Vec<Device>,
    /// The meters.
    pub meters: Vec<MeterRecord>,
    /// The server.
    pub server: Server,
    /// How often something was done.
    pub steps: u64,
}

/// What participants do.
struct Participant {
    client: Client,
    grants: Option<Timestamp>,
    revokes: Option<Timestamp>,
}

/// Lets the weeks pass.
///
/// # Errors
/// Where something fails that no fault explains.
pub fn run(options: Options, folder: &Path) -> Result<Survey> {
    let Options { seed, days, .. } = options;
    let end = after(options.start, Duration::from_secs(86_400) * days);
    let start = options.start - PUTTING_UP;
    let counts = [HOUSEHOLDS.iter().map(|devices| devices.len())].into_iter().flatten().sum();
    let meters = HOUSEHOLDS.iter().flat_map(|devices| devices.iter()).map(|of| of.len()).sum();
    let mut plan = Plan::draw(seed, (options.start, days), &options.faults, (counts, meters));
    let clock = TrueClock::new(start);
    let lasting = match options.faults.has(Kind::Certificate) {
        true => CERTIFICATE,
        false => LASTING,
    };
    let mut server = Server::new(&folder.join("server"), &clock, lasting)?;
    server.start()?;
    let mut survey = Builder {
        seed,
        start,
        folder,
        clock: &clock,
        server: &server,
        plan: &mut plan,
        devices: Vec::new(),
        meters: Vec::new(),
        participants: Vec::new(),
        holders: Vec::new(),
        lasting,
    };
    for number in 0..HOUSEHOLDS.len() {
        survey.household(number).with_context(|| format!("household {number}"))?;
    }
    let Builder { devices, meters, participants, holders, .. } = survey;
    let mut survey = Survey { options, end, plan, devices, meters, server, steps: 0 };
    survey.pass(&clock, participants, &holders, lasting)?;
    Ok(survey)
}

impl Survey {
    /// How many certificates that devices had expired before its end.
    #[must_use]
    pub fn expired_certificates(&self) -> usize {
        let all = self.devices.iter().flat_map(|device| &device.life.certificates);
        all.filter(|until| **until < self.end).count()
    }

    fn pass(
        &mut self,
        clock: &TrueClock,
        mut participants: Vec<Participant>,
        holders: &[Holder],
        lasting: Duration,
    ) -> Result<()> {
        let over = self.end + REST;
        let mut now = self.options.start - PUTTING_UP;
        loop {
            let down = self.plan.server_down.at(now);
            let server = match down {
                Some(span) => span.to,
                None => self.plan.server_down.next(now).map_or(Timestamp::MAX, |span| span.from),
            };
            let people = participants.iter().flat_map(|p| [p.grants, p.revokes]).flatten();
            let devices = self.devices.iter().map(Device::next);
            now = devices.chain(people).chain([server]).min().unwrap_or(over).max(now);
            if now >= over {
                break;
            }
            clock.set(now);
            match (self.plan.server_down.at(now).is_some(), self.server.is_running()) {
                (true, true) => self.server.stop()?,
                (false, false) => self.server.start()?,
                _ => {}
            }
            for participant in &mut participants {
                self.steps += u64::from(participant.act(now, self.server.is_running())?);
            }
            for (device, Holder { email, uuid }) in self.devices.iter_mut().zip(holders) {
                if device.wants_certificate(now) {
                    self.server.issue(&device.files, email, Some(*uuid), lasting)?;
                    device.is_enrolled(now)?;
                }
            }
            let url = self.server.url();
            for (index, device) in self.devices.iter_mut().enumerate() {
                if device.next() <= now {
                    self.steps += 1;
                    device.live(now, &url).with_context(|| format!("device {index} at {now}"))?;
                }
            }
        }
        clock.set(over);
        if !self.server.is_running() {
            self.server.start()?;
        }
        Ok(())
    }
}

impl Participant {
    /// Does what is due, or tries again in a minute when the server is down.
    fn act(&mut self, now: Timestamp, is_running: bool) -> Result<bool> {
        let again = now + SignedDuration::from_mins(1);
        for (at, revokes) in [(&mut self.grants, false), (&mut self.revokes, true)] {
            if at.is_none_or(|due| due > now) {
                continue;
            }
            if !is_running {
                *at = Some(again);
                continue;
            }
            *at = None;
            if revokes {
                self.client.revoke_consent()?
            } else {
                self.client.grant_consent()?
            };
            return Ok(true);
        }
        Ok(false)
    }
}

/// Whose device it is, and which one to the server.
struct Holder {
    email: String,
    uuid: Uuid,
}

struct Builder<'a> {
    seed: u64,
    start: Timestamp,
    folder: &'a Path,
    clock: &'a Arc<TrueClock>,
    server: &'a Server,
    plan: &'a mut Plan,
    devices: Vec<Device>,
    meters: Vec<MeterRecord>,
    participants: Vec<Participant>,
    holders: Vec<Holder>,
    /// How long devices' certificates are valid.
    lasting: Duration,
}

impl Builder<'_> {
    fn household(&mut self, number: usize) -> Result<()> {
        let mut chance = Chance::new(self.seed, 10_000 + number as u64);
        let email = format!("participant{number}@example.org");
        let models: Vec<_> = HOUSEHOLDS[number].iter().flat_map(|of| of.iter().copied()).collect();
        let uuid = |what: u128, chance: &mut Chance| {
            Uuid::from_u128(
                what << 96 | u128::from(chance.number()) << 32 | u128::from(number as u64),
            )
        };
        let uuids: Vec<_> = models.iter().map(|_| uuid(2, &mut chance)).collect();
        let device = uuid(1, &mut chance);
        let registered = self.server.register(registration(&email, &models, &uuids, device)?)?;
        let household_power = HouseholdOptions {
            seed: chance.number().into(),
            pv_peak_watts: u32::try_from(chance.between(0, 12_000))?,
            battery_watt_hours: 0,
        };
        let mut place = 0;
        for (index, of) in HOUSEHOLDS[number].iter().enumerate() {
            let own = registered.meters[place..place + of.len()].to_vec();
            let device = match index {
                0 => registered.measurement_device,
                _ => self.server.add_device(registered.household, own.clone())?,
            };
            let folder = self.folder.join(format!("device{}", self.devices.len()));
            std::fs::create_dir_all(&folder)?;
            let files = self.server.files(&folder, "device");
            self.server.issue(&files, &email, Some(device), self.lasting)?;
            self.holders.push(Holder { email: email.clone(), uuid: device });
            let device_plan = std::mem::take(&mut self.plan.devices[self.devices.len()]);
            if index == 0 {
                let revokes = self.plan.revokes.filter(|(who, _)| *who == self.devices.len());
                let own = self.server.files(&folder, "participant");
                self.server.issue(&own, &email, None, LASTING)?;
                let client =
                    server::client(&self.server.url(), &own.identity()?, self.clock.clone())?;
                self.participants.push(Participant {
                    client,
                    grants: Some(device_plan.granted),
                    revokes: revokes.map(|(_, at)| at),
                });
            }
            let mut heads = Vec::new();
            for (model, meter) in of.iter().zip(&own) {
                let head = self.meter(model, *meter, household_power, &folder, &mut chance)?;
                self.meters.push(MeterRecord {
                    uuid: *meter,
                    household: registered.household,
                    model: (*model).to_owned(),
                    device: self.devices.len(),
                    wall: head.1.clone(),
                });
                heads.push(head);
            }
            // What a device is called decides when it reports: the one that the server names itself
            // goes by its meter, so that the same seed is the same field test.
            let name = if index == 0 { device } else { own[0] };
            let sky = self.plan.sky.clone();
            let chance = Chance::new(self.seed, 20_000 + self.devices.len() as u64);
            self.devices.push(Device::new(
                name,
                heads,
                folder.join("spool"),
                files,
                (device_plan, sky),
                (self.start, chance),
            ));
            std::fs::create_dir_all(folder.join("spool"))?;
            place += of.len();
        }
        Ok(())
    }

    fn meter(
        &mut self,
        model: &str,
        uuid: Uuid,
        household: HouseholdOptions,
        folder: &Path,
        chance: &mut Chance,
    ) -> Result<(ConfiguredMeter, Shared)> {
        let number = self.meters.len();
        let profiles = Profiles::embedded();
        let profile = profiles.get(model)?.clone();
        let kind = MeterKind {
            kind: MeterType::Electricity,
            household,
            // Three in four were unlocked by their owners before; the others wait for the device.
            unlocked: chance.percent(75),
            inf: true,
        };
        let digits = format!("{:04}", chance.between(0, 9999));
        let pin: Pin = digits.parse()?;
        let plan = std::mem::take(&mut self.plan.meters[number]);
        let meter_chance = Chance::new(self.seed, 30_000 + number as u64);
        let face = u32::try_from(chance.between(1, 99_999_999))?;
        let wall = WallMeter::new(&profile, face, &kind, pin, self.start, plan, meter_chance)?;
        let pin_file = folder.join(format!("pin{number}"));
        write_secret(&pin_file, &digits)?;
        let port = PortName::Path(format!("/dev/serial/by-id/head{number}").into());
        let driver = Arc::clone(Registry::from_profiles(&profiles).driver(model)?);
        let configured = ConfiguredMeter {
            options: driver.model().read,
            driver: Some(driver),
            pin_file: Some(pin_file),
            method: Method::ZeroBytes,
            reset_usb: chance.percent(50),
            ..ConfiguredMeter::new(uuid, port)
        };
        Ok((configured, Arc::new(std::sync::Mutex::new(wall))))
    }
}

fn write_secret(path: &Path, text: &str) -> Result<()> {
    use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt};
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

fn registration(
    email: &str,
    models: &[&str],
    uuids: &[Uuid],
    device: Uuid,
) -> Result<Registration> {
    let meters: Vec<_> = models
        .iter()
        .zip(uuids)
        .map(|(model, uuid)| json!({"uuid": uuid, "type": "ELECTRICITY", "model": model}))
        .collect();
    Ok(serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": email},
        "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "location": {"latitude": 50.8503, "longitude": 7.1017},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": false},
        "meters": meters,
        "measurement_device": device
    }))?)
}
