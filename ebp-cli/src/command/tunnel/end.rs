//! `ebp tunnel end`: ends an open session.

use uuid::Uuid;

use super::administrator::{Administrator, refused};
use crate::{
    exit::{CommandResult, Failure},
    stdout::print,
};

/// Which session.
#[derive(Debug, clap::Args)]
pub struct End {
    /// The session, as `ebp tunnel log` lists it.
    session: Uuid,

    #[command(flatten)]
    administrator: Administrator,
}

impl End {
    /// Ends it, and says how it ended.
    pub fn run(&self) -> CommandResult {
        let client = self.administrator.client()?;
        let session = client.end_tunnel_session(self.session).map_err(refused)?;
        let Some((ended_at, end)) = session.ended_at.zip(session.end) else {
            return Err(Failure::failed("the session has not ended yet")
                .remedy("it ends as soon as the server that carries it reaches the database"));
        };
        match &session.ended_by {
            Some(name) => print(format!("Ended at {ended_at} by {name}.\n")),
            None => print(format!("It had ended at {ended_at} already: {end}.\n")),
        }
    }
}
