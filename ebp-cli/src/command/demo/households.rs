//! The demo's households: two permanent ones, one that each run registers again and that revokes, and
//! neighbours that have a past alone.
//!
//! Enters: the demo's folder. Leaves: households with their meters and registrations. Absent: the
//! database, certificates.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use ebp_core::{
    contract::{Registration, RegistrationMeter, RegistrationPvSystem},
    cycle::Cycle,
    model::{
        Address, Battery, GenerationRegister, Location, Metadata, MeterType, MeteringConcept,
        Participant,
    },
};
use ebp_device::frontend::FrontendConfig;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    exit::{CommandResult, Context, Failure},
    file::write_whole,
};

/// The number of the household that leaves.
pub const LEAVING: u8 = 3;
/// The number of the last household.
pub const LAST: u8 = 8;
/// What each household reads: its meters' models and what they count.
const METERS: [&[(&str, MeterType)]; LAST as usize] = [
    &[("MT175", MeterType::Electricity), ("EHZ", MeterType::PvGeneration)],
    &[("MT681", MeterType::Electricity)],
    &[("MT691", MeterType::Electricity)],
    &[("MT681", MeterType::Electricity)],
    &[("MT175", MeterType::Electricity), ("EHZ", MeterType::PvGeneration)],
    &[("MT175", MeterType::Electricity)],
    &[("MT681", MeterType::Electricity)],
    &[("MT681", MeterType::Electricity)],
];

/// What happens to a neighbour, whose device does not run beside the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The device has no power since hours.
    Silent,
    /// The reading head of one of its meters says nothing since hours.
    Late,
    /// A power failure locked its meter, and nobody has the PIN.
    Incident,
    /// The device was never put up.
    NeverSpoke,
    /// The household has revoked its consent.
    Revoked,
}

impl Fate {
    /// All of them, in the order of the neighbours' numbers.
    pub const ALL: [Self; 5] =
        [Self::Silent, Self::Late, Self::Incident, Self::NeverSpoke, Self::Revoked];
}
/// Where the identifiers of the household that leaves are kept, in its folder.
const IDENTIFIERS: &str = "identifiers";
/// The contact of the household that leaves.
pub const LEAVING_EMAIL: &str = "lea@example.org";

/// A household of the demo.
pub struct DemoHousehold {
    /// 1, 2, [`LEAVING`], or that of a neighbour.
    pub number: u8,
    /// Its device's identifier.
    pub device: Uuid,
    /// Its meters.
    pub meters: Vec<DemoMeter>,
    /// Its device's configuration.
    pub device_config: PathBuf,
    /// The participant's own certificate.
    pub certificate: PathBuf,
    /// The participant's key.
    pub key: PathBuf,
    /// By which its load and its roof differ from others.
    pub seed: u64,
}

impl DemoHousehold {
    /// Whether it has a battery for its photovoltaic system.
    pub const fn has_battery(&self) -> bool {
        self.number == 1
    }

    /// The files of its device's page.
    pub fn page(&self) -> FrontendConfig {
        FrontendConfig { folder: self.folder().join("page"), owner: None }
    }

    /// Its own folder.
    pub fn folder(&self) -> &Path {
        self.device_config.parent().unwrap_or(Path::new("."))
    }
}

/// A meter of the demo.
pub struct DemoMeter {
    /// Its identifier.
    pub uuid: Uuid,
    /// Its model.
    pub model: &'static str,
    /// What it counts.
    pub kind: MeterType,
    /// The link to its pseudoterminal.
    pub link: PathBuf,
    /// Where its registers are kept between runs.
    pub registers: PathBuf,
    /// The recording that replaces it with `--replay`.
    pub recording: &'static str,
}

/// The demo's own identifiers, fixed so that a start continues what an earlier one began.
const fn id(number: u128) -> Uuid {
    Uuid::from_u128(0xeb9d_e301_0000_4000_8000_0000_0000_0000 + number)
}

/// The same in every run.
fn fixed(number: u8) -> Identifiers {
    let number = u128::from(number);
    Identifiers { device: id(number << 16), meters: vec![id(number << 8 | 1), id(number << 8 | 2)] }
}

/// The households whose identifiers are the same in every run.
pub fn staying(folder: &Path, seed: u64) -> Vec<DemoHousehold> {
    [1, 2].into_iter().map(|number| household(folder, number, &fixed(number), seed)).collect()
}

/// The neighbours, each with what happens to it.
pub fn neighbours(folder: &Path, seed: u64) -> Vec<(DemoHousehold, Fate)> {
    let neighbour = |(number, fate)| (household(folder, number, &fixed(number), seed), fate);
    (LEAVING + 1..).zip(Fate::ALL).map(neighbour).collect()
}

/// The meter that household 2 had before the one it has now.
pub fn exchanged(household: &DemoHousehold) -> Option<DemoMeter> {
    let meter = household.meters.first().filter(|_| household.number == 2)?;
    Some(DemoMeter {
        uuid: id(u128::from(household.number) << 8 | 9),
        model: "MT631",
        kind: meter.kind,
        link: meter.link.clone(),
        registers: meter.registers.with_file_name("MT631.json"),
        recording: meter.recording,
    })
}

/// A household's identifiers: what leaves is known for good as gone, so that each run needs others.
pub struct Identifiers {
    /// Its device's.
    pub device: Uuid,
    meters: Vec<Uuid>,
}

impl Identifiers {
    /// Those of a run that was ended before its household had left.
    pub fn kept(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(own(folder, LEAVING).join(IDENTIFIERS)).ok()?;
        let mut all = text.lines().map(str::parse::<Uuid>);
        let (device, meter) = (all.next()?.ok()?, all.next()?.ok()?);
        Some(Self { device, meters: vec![meter] })
    }

    /// Draws new ones and puts away what is left of the household before.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be written.
    pub fn draw(folder: &Path) -> Result<Self, Failure> {
        let own = own(folder, LEAVING);
        if own.exists() {
            fs::remove_dir_all(&own).or_failed(own.display())?;
        }
        let drawn = Self { device: Uuid::new_v4(), meters: vec![Uuid::new_v4()] };
        for meter in household(folder, LEAVING, &drawn, 0).meters {
            // There is none before the first run.
            let _ = fs::remove_file(meter.registers);
        }
        fs::create_dir_all(&own).or_failed(own.display())?;
        let text = format!("{}\n{}\n", drawn.device, drawn.meters[0]);
        write_whole(&own.join(IDENTIFIERS), text.as_bytes())?;
        Ok(drawn)
    }
}

/// The household that leaves.
pub fn leaving(folder: &Path, identifiers: &Identifiers, seed: u64) -> DemoHousehold {
    household(folder, LEAVING, identifiers, seed)
}

/// A household's folder.
pub fn own(folder: &Path, number: u8) -> PathBuf {
    folder.join(format!("household-{number}"))
}

fn household(folder: &Path, number: u8, identifiers: &Identifiers, seed: u64) -> DemoHousehold {
    let own = own(folder, number);
    let meters = METERS[usize::from(number) - 1].iter().zip(&identifiers.meters);
    // A neighbour may have a meter of the same model.
    let place = if number > LEAVING { own.join("meters") } else { folder.join("meters") };
    let meters = meters.map(|(&(model, kind), &uuid)| DemoMeter {
        uuid,
        model,
        kind,
        link: place.join(model),
        registers: place.join(format!("{model}.json")),
        recording: match model {
            "MT175" => "ISKRA_MT175_eHZ.bin",
            "MT691" => "ISKRA_MT691_eHZ-MS2020.bin",
            "EHZ" => "EMH_eHZ-HW8E2A5L0EK2P.bin",
            _ => "ISKRA_MT631-D1A52-K0z-H01_with_PIN.bin",
        },
    });
    DemoHousehold {
        number,
        device: identifiers.device,
        meters: meters.collect(),
        device_config: own.join("device.toml"),
        certificate: own.join("participant.pem"),
        key: own.join("participant.key"),
        seed: seed.wrapping_mul(1_000).wrapping_add(number.into()),
    }
}

/// Invented people in a real town; only the meters' models mean something.
pub fn registration(household: &DemoHousehold) -> Registration {
    let (name, email, street) = match household.number {
        1 => ("Erika Beispiel", "erika@example.org", "Musterstraße 1"),
        2 => ("Max Beispiel", "max@example.org", "Musterstraße 2"),
        4 => ("Stefan Still", "stefan@example.org", "Musterstraße 4"),
        5 => ("Vera Verspätet", "vera@example.org", "Musterstraße 5"),
        6 => ("Sven Störung", "sven@example.org", "Musterstraße 6"),
        7 => ("Nina Niegemeldet", "nina@example.org", "Musterstraße 7"),
        8 => ("Rita Rücktritt", "rita@example.org", "Musterstraße 8"),
        _ => ("Lea Beispiel", LEAVING_EMAIL, "Musterstraße 3"),
    };
    let pv_meter = household.meters.iter().position(|meter| meter.kind == MeterType::PvGeneration);
    Registration {
        participant: Participant { name: name.into(), email: email.into() },
        address: Address {
            street: street.into(),
            postal_code: "65183".into(),
            city: "Wiesbaden".into(),
            country: "DE".into(),
        },
        location: Some(Location::entered(50.0826, 8.2400)),
        metadata: Metadata {
            children: (household.number - 1).min(3),
            adults: 2,
            adults_with_job: 1,
            electric_vehicle_charger: household.number == 2,
            heat_pump: false,
            home_battery: household.has_battery(),
            metering_concept: MeteringConcept::SurplusFeedIn,
            battery: if household.has_battery() { Battery::Unknown } else { Battery::None },
        },
        meters: household
            .meters
            .iter()
            .map(|meter| RegistrationMeter {
                uuid: Some(meter.uuid),
                kind: meter.kind,
                model: meter.model.into(),
                generation_register: (meter.kind == MeterType::PvGeneration)
                    .then_some(GenerationRegister::Export),
            })
            .collect(),
        pv_systems: vec![RegistrationPvSystem {
            nominal_power: Decimal::new(984, 2),
            azimuth: Decimal::new(180, 0),
            tilt: Decimal::new(30, 0),
            installed_on: jiff::civil::date(2019, 6, 14),
            meter: pv_meter,
        }],
        measurement_device: Some(household.device),
    }
}

/// The file that `ebp read --config` and `ebp transmit --config` take, too.
pub fn device_config(
    household: &DemoHousehold,
    ca: &Path,
    address: SocketAddr,
    cycle: Cycle,
) -> CommandResult {
    let mut text = format!(
        "# A measurement device of the demo. Its cycle of {cycle} stands for a quarter of an hour.\n\
         spool = \"spool\"\nclock = \"trusted\"\nsocket = \"read.sock\"\n\n[api]\nurl = \"https://localhost:{}\"\nca = {ca:?}\n\
         certificate = \"device.pem\"\nkey = \"device.key\"\n\n\
         [cycle]\nmeasurement = \"{cycle}\"\ntimeout = \"10s\"\n",
        address.port()
    );
    for meter in &household.meters {
        text.push_str(&format!(
            "\n[[meter]]\nuuid = \"{}\"\nmodel = \"{}\"\nport = {:?}\n",
            meter.uuid, meter.model, meter.link
        ));
    }
    write_whole(&household.device_config, text.as_bytes())
}
