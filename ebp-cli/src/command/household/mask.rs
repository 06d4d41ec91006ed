//! `ebp household mask`: what a server does at its start about withheld households, by hand.

use ebp_store::PendingReport;

use crate::{
    command::server_data::ServerData,
    exit::{CommandResult, Failure, server},
    output::phrase::{counted, counted_as},
    stdout::print,
    tell::tell,
};

/// What is to be masked.
#[derive(Debug, clap::Args)]
pub struct Mask {
    /// Mask those that are withheld, by the configuration's `regions` or the embedded ones.
    #[arg(long, group = "what")]
    pending: bool,

    /// Accept other regions or densities than those by which households were masked so far; these
    /// households are not changed.
    #[arg(long, group = "what")]
    new_regions: bool,
}

impl Mask {
    /// Runs the command.
    pub fn run(&self, data: &ServerData) -> CommandResult {
        let settings = data.settings()?;
        if settings.masking.regions.is_none() && ebp_anon::embedded().is_none() {
            return Err(Failure::usage("no regions are configured").remedy(
                "name the file of `ebp geodata import` as `regions` in the configuration",
            ));
        }
        let report = crate::runtime::on_this_thread()?.block_on(async {
            let store = ebp_store::open_store(&settings.database).await.map_err(server::store)?;
            ebp_survey::masking::mask_by(&store, &settings.masking, self.new_regions)
                .await
                .map_err(server::open)?;
            if let Some(by) = store.masked_by().await.map_err(server::store)? {
                tell!("regions: {}", by.description);
            }
            let report = match self.pending {
                true => store.mask_pending().await.map_err(server::store)?,
                false => PendingReport::default(),
            };
            store.close().await.map_err(server::store)?;
            Ok::<_, Failure>(report)
        })?;
        let PendingReport { masked, outside, without_location } = report;
        let mut text = format!("{} masked\n", counted(masked, "household"));
        if outside > 0 {
            text += &counted_as(
                outside,
                "stays withheld: its location lies outside of all regions\n",
                "stay withheld: their locations lie outside of all regions\n",
            );
        }
        if without_location > 0 {
            text += &counted_as(
                without_location,
                "stays withheld: its location is unknown\n",
                "stay withheld: their location is unknown\n",
            );
        }
        print(&text)
    }
}
