//! Counting the light that goes to a meter through its port.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    interface::Environment,
    port::{LineSettings, Port, PortError, PortName, Received},
};

/// The same environment, and how many presses of light went through its ports: breaks, and zero bytes
/// back to back.
pub fn count_light(environment: Environment) -> (Environment, Arc<AtomicU64>) {
    let (presses, open) = (Arc::new(AtomicU64::new(0)), environment.open.clone());
    let counter = Arc::clone(&presses);
    let open = Arc::new(move |name: &PortName, line: LineSettings| {
        let port = open(name, line)?;
        Ok(Box::new(Counted { port, presses: Arc::clone(&counter) }) as Box<dyn Port>)
    });
    (Environment { open, ..environment }, presses)
}

struct Counted {
    port: Box<dyn Port>,
    presses: Arc<AtomicU64>,
}

impl Port for Counted {
    fn name(&self) -> &PortName {
        self.port.name()
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError> {
        self.port.read(buffer, wait)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let is_light = bytes.contains(&0);
        self.presses.fetch_add(is_light.into(), Ordering::Relaxed);
        self.port.write(bytes)
    }

    fn set_line(&mut self, line: LineSettings) -> Result<bool, PortError> {
        self.port.set_line(line)
    }

    fn set_light(&mut self, on: bool) -> Result<bool, PortError> {
        let has_breaks = self.port.set_light(on)?;
        self.presses.fetch_add((has_breaks && on).into(), Ordering::Relaxed);
        Ok(has_breaks)
    }

    fn is_live(&self) -> bool {
        self.port.is_live()
    }
}
