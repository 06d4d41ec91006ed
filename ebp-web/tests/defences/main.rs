//! Each attack on the participant's page fails, and succeeds once its one defence is switched off: so
//! none of these tests asserts nothing.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod attacks;
mod chromium;
#[path = "../device/driver.rs"]
mod driver;
#[path = "../device/lifelike.rs"]
mod lifelike;
#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "../device/world.rs"]
mod world;

use ebp_web::kit::defence::{Defence, Defences};

/// Tries an attack with all defences, and without those: it returns whether it succeeded.
async fn holds_by(defences: &[Defence], attack: impl AsyncFn() -> bool) {
    let all = Defences::take();
    assert!(!attack().await, "the attack succeeds");
    all.switch_off(defences);
    assert!(attack().await, "the attack fails for another reason than {defences:?}");
}
