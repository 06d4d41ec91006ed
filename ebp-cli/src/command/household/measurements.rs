//! `ebp household measurements`: what was measured in a household, for researchers.

use ebp_client::Manager;
use uuid::Uuid;

use super::refusal::refused;
use crate::{command::stored::Wanted, exit::CommandResult};

/// Which measurements.
#[derive(Debug, clap::Args)]
pub struct Measurements {
    /// The household.
    household: Uuid,

    #[command(flatten)]
    wanted: Wanted,
}

impl Measurements {
    /// Prints them.
    pub fn run(&self, manager: &Manager) -> CommandResult {
        let meters = match self.wanted.meter {
            Some(meter) => vec![meter],
            None => {
                let household = manager.registration(self.household).map_err(refused)?;
                household.meters.iter().map(|meter| meter.uuid).collect()
            }
        };
        let ask = |meter, request: &_| manager.measurements_page(self.household, meter, request);
        self.wanted.print(&meters, ask, refused)
    }
}
