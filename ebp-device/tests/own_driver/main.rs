//! The promises of `MeterInterface` on the driver of `examples/own_driver.rs`, at a port in memory and
//! in simulated time.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "../../../examples/own_driver/dialogue.rs"]
mod dialogue;
#[path = "../../../examples/own_driver/driver.rs"]
mod driver;
#[allow(dead_code, reason = "here it needs no pseudoterminal")]
#[path = "../../../examples/own_driver/meter.rs"]
mod meter;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use ebp_core::clock::{BootId, Clock, DeviceClock};
use ebp_meter::{
    interface::{
        Environment, Site,
        promises::{Pins, Stand, Start},
    },
    pace::Pace,
    port::{LineSettings, Port, PortError, PortName, Received},
    session::ReadOptions,
    unlock::Tries,
};
use jiff::{SignedDuration, Timestamp};
use meter::ImaginaryMeter;
use uuid::Uuid;

/// Time that passes only when somebody waits.
#[derive(Default)]
struct Time(Mutex<Duration>);

impl Pace for Time {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn sleep_until(&self, at: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = at.max(*now);
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        let since = SignedDuration::try_from(Pace::now(self)).unwrap();
        Timestamp::from_second(1_790_000_000).unwrap() + since
    }
}

impl DeviceClock for Time {
    fn boot(&self) -> BootId {
        BootId(Uuid::nil())
    }

    fn since_boot(&self) -> Duration {
        Pace::now(self)
    }

    fn synchronised(&self) -> bool {
        true
    }
}

/// A port to the meter; without one, to nothing.
struct MemoryPort {
    name: PortName,
    meter: Option<ImaginaryMeter>,
    time: Arc<Time>,
    answers: VecDeque<u8>,
}

impl Port for MemoryPort {
    fn name(&self) -> &PortName {
        &self.name
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError> {
        if self.answers.is_empty() {
            self.time.sleep_until(Pace::now(&*self.time) + wait);
            return Ok(Received::Nothing);
        }
        let count = buffer.len().min(self.answers.len());
        for (place, byte) in buffer.iter_mut().zip(self.answers.drain(..count)) {
            *place = byte;
        }
        Ok(Received::Bytes(count))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let answer = self.meter.as_ref().map(|meter| meter.hear(bytes)).unwrap_or_default();
        self.answers.extend(answer);
        Ok(())
    }

    fn set_line(&mut self, _: LineSettings) -> Result<bool, PortError> {
        Ok(true)
    }

    fn set_light(&mut self, _: bool) -> Result<bool, PortError> {
        Ok(false)
    }

    fn is_live(&self) -> bool {
        true
    }
}

fn put_up(start: Start) -> Stand {
    let pins = Pins { right: "090715", wrong: "123456" };
    let meter = ImaginaryMeter::new(pins.right, start == Start::Open);
    let (time, folder) = (Arc::new(Time::default()), tempfile::tempdir().unwrap());
    let heard = (start != Start::Silent).then(|| meter.clone());
    let passing = Arc::clone(&time);
    let environment = Environment {
        open: Arc::new(move |name: &PortName, _| -> Result<Box<dyn Port>, PortError> {
            let (name, answers) = (name.clone(), VecDeque::new());
            let (meter, time) = (heard.clone(), Arc::clone(&passing));
            Ok(Box::new(MemoryPort { name, meter, time, answers }))
        }),
        time: Some(time.clone()),
        clock: time.clone(),
        tries: Tries::in_folder(folder.path()),
        stop: Arc::default(),
    };
    let other = meter.clone();
    Stand {
        driver: Arc::new(driver::Polaris::new()),
        site: Site::new(PortName::Path("/dev/ttySIM0".into()), ReadOptions::default()),
        environment,
        clock: time,
        pins: Some(pins),
        keys: Box::new(move || meter.pins().0),
        wrong_pins: Box::new(move || other.pins().1),
        keep: Box::new(folder),
    }
}

ebp_meter::promises!(put_up);
