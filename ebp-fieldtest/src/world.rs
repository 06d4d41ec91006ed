//! The survey: ten meters on nine devices in eight households, as many as the thesis' field test had
//! (chapter 5), or more of the same, and the weeks that pass over them.
//!
//! Enters: options. Leaves: the [`Survey`] as it is at the end. Absent: the verdict.

use std::{iter, num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use ebp_core::{contract::Registration, model::MeterType};
use ebp_meter::{
    aggregator::ConfiguredMeter,
    interface::Registry,
    port::PortName,
    profile::Profiles,
    unlock::{Method, Pin},
    virtual_meter::HouseholdOptions,
};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::{
    chance::{Chance, after},
    device::Device,
    faults::{Kind, Kinds},
    meter::{MeterKind, WallMeter},
    passing::{Holder, Participant, Passing, People},
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

/// So many devices they have.
pub const DEVICES: usize = 9;

/// How much longer than the field test certificates are valid that outlast it.
const LONGER: Duration = Duration::from_secs(86_400 * 200);

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
    /// Households until there are so many devices.
    pub devices: usize,
    /// On so many threads; what comes of it is the same for any number.
    pub threads: NonZeroUsize,
}

impl Options {
    /// Three weeks from 2 March 2026, with every fault, of as many devices as the thesis' field test
    /// had, on one thread.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let start = Timestamp::from_second(1_772_409_600).unwrap_or_default();
        let (days, devices, threads) = (21, DEVICES, NonZeroUsize::MIN);
        Self { seed, days, faults: Kinds::all(), start, devices, threads }
    }
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
    /// How many households they are in.
    pub households: usize,
    /// The server.
    pub server: Server,
    /// How often something was done.
    pub steps: u64,
}

/// Lets the weeks pass.
///
/// # Errors
/// Where something fails that no fault explains.
pub fn run(options: Options, folder: &Path) -> Result<Survey> {
    let Options { seed, days, .. } = options;
    let span = Duration::from_secs(86_400) * days;
    let end = after(options.start, span);
    let start = options.start - PUTTING_UP;
    let households = households(options.devices);
    let devices = households.iter().map(|of| of.len()).sum();
    let meters = households.iter().copied().flatten().map(|of| of.len()).sum();
    let mut plan = Plan::draw(seed, (options.start, days), &options.faults, (devices, meters));
    let clock = TrueClock::new(start);
    let outlasting = span + LONGER;
    let lasting = match options.faults.has(Kind::Certificate) {
        true => CERTIFICATE,
        false => outlasting,
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
        people: People { participants: Vec::new(), holders: Vec::new(), lasting },
        outlasting,
    };
    for (number, household) in households.iter().enumerate() {
        survey.household(number, household).with_context(|| format!("household {number}"))?;
    }
    let Builder { mut devices, meters, people, .. } = survey;
    let passing = Passing {
        clock: &clock,
        server: &mut server,
        down: &plan.server_down,
        devices: &mut devices,
        people,
        threads: options.threads,
    };
    let steps = passing.pass(start, end)?;
    Ok(Survey { options, end, plan, devices, meters, households: households.len(), server, steps })
}

/// The meters of a household, a list for each device.
type Household = &'static [&'static [&'static str]];

/// Households with so many devices, or with one more where the last household has two.
fn households(devices: usize) -> Vec<Household> {
    let mut all = Vec::new();
    let mut count = 0;
    for household in iter::repeat(HOUSEHOLDS).flatten() {
        if count >= devices {
            break;
        }
        count += household.len();
        all.push(household);
    }
    all
}

impl Survey {
    /// How many certificates that devices had expired before its end.
    #[must_use]
    pub fn expired_certificates(&self) -> usize {
        let all = self.devices.iter().flat_map(|device| &device.life.certificates);
        all.filter(|until| **until < self.end).count()
    }
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
    people: People,
    /// How long a certificate is valid that outlasts the field test.
    outlasting: Duration,
}

impl Builder<'_> {
    fn household(&mut self, number: usize, household: Household) -> Result<()> {
        let mut chance = Chance::new(self.seed, 10_000 + number as u64);
        let email = format!("participant{number}@example.org");
        let models: Vec<_> = household.iter().flat_map(|of| of.iter().copied()).collect();
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
        for (index, of) in household.iter().enumerate() {
            let own = registered.meters[place..place + of.len()].to_vec();
            let device = match index {
                0 => registered.measurement_device,
                _ => self.server.add_device(registered.household, own.clone())?,
            };
            let folder = self.folder.join(format!("device{}", self.devices.len()));
            std::fs::create_dir_all(&folder)?;
            let files = self.server.files(&folder, "device");
            self.server.issue(&files, &email, Some(device), self.people.lasting)?;
            self.people.holders.push(Holder { email: email.clone(), uuid: device });
            let device_plan = std::mem::take(&mut self.plan.devices[self.devices.len()]);
            if index == 0 {
                let revokes = self.plan.revokes.filter(|(who, _)| *who == self.devices.len());
                let own = self.server.files(&folder, "participant");
                self.server.issue(&own, &email, None, self.outlasting)?;
                let client =
                    server::client(&self.server.url(), &own.identity()?, self.clock.clone())?;
                self.people.participants.push(Participant {
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
