//! Each attack on the pages of researchers and administrators fails, and succeeds once its defence is
//! switched off: so none of these tests asserts nothing.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod attacks;
mod status;
#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "../cloud/world.rs"]
mod world;

use ebp_web::kit::defence::{Defence, Defences};

/// Tries an attack with all defences, and without those: it returns whether it succeeded.
async fn holds_by(defences: &[Defence], attack: impl AsyncFn() -> bool) {
    let all = Defences::take();
    assert!(!attack().await, "the attack succeeds");
    all.switch_off(defences);
    assert!(attack().await, "the attack fails for another reason than {defences:?}");
}
