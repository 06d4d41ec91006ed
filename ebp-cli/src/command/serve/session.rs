//! `ebp serve session`: who is signed in to the pages.

use uuid::Uuid;

use super::super::{local_survey::with_existing_survey, server_data::ServerData};
use crate::{
    exit::{CommandResult, Failure, server},
    stdout::print,
    tell::tell,
};

#[derive(Debug, clap::Subcommand)]
pub enum SessionAction {
    /// List them, oldest first: identifier, group, name, browser, beginning, last use.
    List,
    /// End one, at once and at all servers of the database.
    End {
        /// Its identifier.
        session: Uuid,
    },
}

impl SessionAction {
    /// Lists or ends sessions.
    pub fn run(&self, data: &ServerData) -> CommandResult {
        let settings = data.settings()?;
        match self {
            Self::List => {
                let sessions = with_existing_survey(
                    &settings,
                    |survey| survey,
                    async |survey| survey.web_sessions().await.map_err(server::survey),
                )?;
                let mut text = String::new();
                for session in sessions {
                    text.push_str(&format!(
                        "{}  {}  {}  {}  {:.0}  {:.0}\n",
                        session.uuid,
                        session.group,
                        session.label.as_deref().unwrap_or("-"),
                        session.browser.as_deref().unwrap_or("-"),
                        session.began_at,
                        session.seen_at,
                    ));
                }
                print(&text)
            }
            Self::End { session } => {
                with_existing_survey(
                    &settings,
                    |survey| survey,
                    async |survey| match survey.end_web_session(*session).await {
                        Err(ebp_survey::SurveyError::Store(ebp_store::StoreError::NotFound)) => {
                            Err(Failure::failed("there is no such session, or it has ended")
                                .remedy("`ebp serve session list` shows those that go on"))
                        }
                        ended => ended.map_err(server::survey),
                    },
                )?;
                tell!("ebp: the session is ended");
                Ok(())
            }
        }
    }
}
