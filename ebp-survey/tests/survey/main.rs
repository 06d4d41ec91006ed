//! After each operation that ends or changes an address, nothing of the old one is left in the
//! geocoder's memory: on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod applied;
#[cfg(feature = "dataset")]
mod contradictions;
#[cfg(feature = "dataset")]
mod dataset;
mod ended;
#[cfg(feature = "dataset")]
mod ends;
#[cfg(feature = "dataset")]
mod exchanged;
#[cfg(feature = "dataset")]
mod forged;
mod geocoder;
mod others;
#[cfg(feature = "dataset")]
mod release;
#[cfg(feature = "dataset")]
mod released_exchange;
#[cfg(feature = "dataset")]
mod roles;
#[cfg(feature = "dataset")]
mod stretch;
#[cfg(feature = "dataset")]
mod tamper;
mod world;

use ebp_testkit::cluster;

/// Makes of each function a test on SQLite and one on PostgreSQL.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(crate::world::World::on_sqlite().await).await;
                }
            )*
        }
        mod postgresql {
            $(
                #[ebp_needs::needs(postgresql)]
                #[tokio::test]
                async fn $test() {
                    super::$test(crate::world::World::on_postgresql().await).await;
                }
            )*
        }
    };
}
use on_both;
