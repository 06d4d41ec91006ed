//! The history that connections have met, and the one that is served.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::History;

/// The cluster and the database in it, and the timeline. A standby in recovery has no timeline of
/// its own yet; it accepts no changes, and is recognised by that.
const HISTORY: &str = "
    SELECT (SELECT system_identifier FROM pg_control_system()) || '/'
            || (SELECT oid FROM pg_database WHERE datname = current_database()),
        CASE WHEN pg_is_in_recovery() THEN NULL
            ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END";

/// The history that a store's connections go on with.
#[derive(Debug, Clone, Default)]
pub struct Histories(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    served: Mutex<Option<History>>,
    met_another: Notify,
    warned: OnceLock<()>,
}

impl Histories {
    /// Admits a connection that goes on with that history, or says why it is not used. The first
    /// history is served; a connection whose history cannot be read is admitted.
    pub fn admit(&self, met: Option<History>) -> Result<(), &'static str> {
        let Some(met) = met else { return Ok(()) };
        let mut served = self.served();
        match served.as_ref() {
            Some(served) if *served == met => Ok(()),
            Some(served) if met.is_before(served) => {
                Err("it is a primary from before a failover; end it")
            }
            Some(_) => {
                self.0.met_another.notify_one();
                Err("it goes on with another history, to which revocations are being applied")
            }
            None => {
                *served = Some(met);
                Ok(())
            }
        }
    }

    /// Reads a connection's history; `None` if it cannot be read.
    pub async fn ask(&self, client: &Client) -> Result<Option<History>, tokio_postgres::Error> {
        match client.simple_query(HISTORY).await {
            Ok(messages) => Ok(messages.iter().find_map(history)),
            // A managed database may not permit these functions.
            Err(error) if error.as_db_error().is_some() => {
                self.0.warned.get_or_init(|| {
                    tracing::warn!(
                        "the database does not tell its timeline (EXECUTE on pg_control_system and \
                         pg_walfile_name): restart every server after a failover"
                    );
                });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until a connection met another history than the served one.
    pub(super) async fn met_another(&self) {
        self.0.met_another.notified().await;
    }

    pub(super) fn served(&self) -> MutexGuard<'_, Option<History>> {
        self.0.served.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn history(message: &SimpleQueryMessage) -> Option<History> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    let timeline = u32::from_str_radix(row.get(1)?, 16).ok()?;
    Some(History { database: row.get(0)?.to_owned(), timeline })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn another_history_waits_until_it_is_served() {
        let history = |timeline| Some(History { database: "1/5".to_owned(), timeline });
        let other = Some(History { database: "2/5".to_owned(), timeline: 1 });
        let histories = Histories::default();
        assert_eq!(histories.admit(None), Ok(()), "it does not tell");
        assert_eq!(histories.admit(history(1)), Ok(()));
        assert_eq!(histories.admit(history(1)), Ok(()));
        assert!(histories.admit(history(2)).unwrap_err().contains("are being applied"));
        histories.0.met_another.notified().await;
        assert_eq!(histories.admit(history(1)), Ok(()), "it is still the served one");

        *histories.served() = history(2);
        assert_eq!(histories.admit(history(2)), Ok(()));
        assert!(histories.admit(history(1)).unwrap_err().contains("end it"));
        let met_another = histories.0.met_another.notified();
        assert!(futures_util::FutureExt::now_or_never(met_another).is_none());
        assert!(histories.admit(other).unwrap_err().contains("are being applied"));
    }
}
