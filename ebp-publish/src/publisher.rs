//! Offers readings to all outputs, each at its own pace.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use uuid::Uuid;

use crate::{
    config::PublishConfig,
    error::PublishError,
    filter::RegisterFilter,
    mailbox::{Mailbox, Work},
    notice::{Hear, Notice},
    output::Output,
    reading::{Meter, Reading},
};

/// How long outputs get at the end to say that they are gone.
const FAREWELL: Duration = Duration::from_secs(2);

/// One output: its interval, and where its thread gets readings.
struct Outlet {
    interval: Duration,
    mailbox: Arc<Mailbox>,
    /// When each meter was published last, on the caller's clock.
    published: BTreeMap<Uuid, Duration>,
    /// Disconnected when its thread has ended.
    ended: mpsc::Receiver<()>,
}

/// Publishes readings to the outputs that are configured, until it is dropped.
pub struct Publisher {
    filters: BTreeMap<Uuid, RegisterFilter>,
    outlets: Vec<Outlet>,
}

impl Publisher {
    /// Starts the outputs; `meters` are those of which readings will be offered. What outputs have to
    /// say goes to `hear`, on their threads.
    ///
    /// # Errors
    /// Returns [`PublishError`] when a file of the configuration cannot be used, an address cannot be
    /// listened at, or the program was built without an output.
    pub fn start(
        config: &PublishConfig,
        meters: &[Meter],
        hear: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<Self, PublishError> {
        let hear: Hear = Arc::new(hear);
        #[cfg_attr(
            not(any(
                feature = "influx",
                feature = "json",
                feature = "mqtt",
                feature = "prometheus"
            )),
            allow(unused_mut, reason = "without any output nothing is added")
        )]
        let mut publisher = Self { filters: BTreeMap::new(), outlets: Vec::new() };
        if let Some(own) = &config.mqtt {
            #[cfg(feature = "mqtt")]
            publisher.add(Output::Mqtt, own.interval, crate::mqtt::start(own, meters, &hear)?)?;
            #[cfg(not(feature = "mqtt"))]
            return Err(not_built(Output::Mqtt, own.interval));
        }
        if let Some(own) = &config.influx {
            #[cfg(feature = "influx")]
            publisher.add(Output::Influx, own.interval, crate::influx::start(own, &hear)?)?;
            #[cfg(not(feature = "influx"))]
            return Err(not_built(Output::Influx, own.interval));
        }
        if let Some(own) = &config.prometheus {
            #[cfg(feature = "prometheus")]
            publisher.add(
                Output::Prometheus,
                own.interval,
                crate::prometheus::start(own, &hear)?,
            )?;
            #[cfg(not(feature = "prometheus"))]
            return Err(not_built(Output::Prometheus, own.interval));
        }
        if let Some(own) = &config.json {
            #[cfg(feature = "json")]
            publisher.add(Output::Json, own.interval, crate::json::start(own)?)?;
            #[cfg(not(feature = "json"))]
            return Err(not_built(Output::Json, own.interval));
        }
        let _ = (meters, hear);
        Ok(publisher)
    }

    #[allow(dead_code, reason = "without any output nothing is added")]
    fn add(&mut self, output: Output, interval: Duration, work: Work) -> Result<(), PublishError> {
        let mailbox = Arc::new(Mailbox::default());
        let (alive, ended) = mpsc::channel();
        let own = Arc::clone(&mailbox);
        thread::Builder::new()
            .name(output.to_string())
            .spawn(move || {
                work(&own);
                drop(alive);
            })
            .map_err(|error| PublishError::Thread(output, error))?;
        self.outlets.push(Outlet { interval, mailbox, published: BTreeMap::new(), ended });
        Ok(())
    }

    /// Takes a reading of an earlier run as published, so that the registers continue it.
    pub fn remember(&mut self, meter: &Meter, reading: &Reading) {
        self.filters.entry(meter.uuid).or_default().remember(reading);
    }

    /// Offers a reading that was complete at `now`, on any clock that does not go back. It never waits.
    pub fn offer(&mut self, meter: &Meter, reading: &Reading, now: Duration) {
        let reading = match self.filters.entry(meter.uuid).or_default().judge(reading) {
            Ok(reading) => reading,
            Err(why) => {
                tracing::debug!(?why, "a reading is not published");
                return;
            }
        };
        if reading.values().next().is_none() {
            return;
        }
        for outlet in &mut self.outlets {
            let is_due = outlet
                .published
                .get(&meter.uuid)
                .is_none_or(|last| now.saturating_sub(*last) >= outlet.interval);
            if is_due {
                outlet.published.insert(meter.uuid, now);
                outlet.mailbox.put(meter, reading.clone());
            }
        }
    }
}

/// Outputs say that they are gone, if they can do so soon.
impl Drop for Publisher {
    fn drop(&mut self) {
        self.outlets.iter().for_each(|outlet| outlet.mailbox.close());
        for outlet in &self.outlets {
            let _ = outlet.ended.recv_timeout(FAREWELL);
        }
    }
}

#[allow(dead_code, reason = "with all outputs nothing is refused")]
const fn not_built(output: Output, _: Duration) -> PublishError {
    PublishError::NotBuilt(output)
}
