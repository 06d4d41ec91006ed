//! Tests of what [`MeterInterface`](super::MeterInterface) guarantees, for any implementation.
//!
//! Enters: a function that sets up a meter ([`Stand`]). Leaves: a test of each guarantee, which
//! panics if the guarantee is broken. Absent: the meters.
//!
//! The tests of a driver enable the feature `promises`, and run the whole suite with
//!
//! ```ignore
//! ebp_meter::promises!(put_up);
//! ```
//!
//! where `fn put_up(start: Start) -> Stand` sets up a meter of that driver.
mod count;
mod light;
mod reading;
mod stand;

pub use count::count_light;
pub use light::{
    a_model_without_a_lock_gets_no_light, a_wrong_pin_counts_once, an_open_meter_gets_no_light,
    keeping_open_needs_a_lock, no_pin_is_shown, stopped_before_it_begins_nothing_is_sent,
    stopped_in_the_midst_the_try_stays_counted, unlocking_twice_is_unlocking_once,
    used_up_tries_forbid_another,
};
pub use reading::{
    dropping_it_frees_the_port, identifying_leaves_the_meter_as_it_is,
    measuring_gives_what_the_meter_shows, reading_sends_no_light, silence_ends_in_time,
    stopping_ends_reading,
};
pub use stand::{Pins, Stand, Start};

/// Makes a test for each guarantee, with a meter that `put_up` sets up: `promises!(put_up)` for a
/// model with a lock, `promises!(put_up, without_lock)` for a model without one.
/// `promises!(put_up, [a_wrong_pin_counts_once])` makes only the named tests.
#[macro_export]
macro_rules! promises {
    ($put_up:path) => {
        $crate::promises!(
            $put_up,
            [
                measuring_gives_what_the_meter_shows,
                silence_ends_in_time,
                stopping_ends_reading,
                reading_sends_no_light,
                identifying_leaves_the_meter_as_it_is,
                dropping_it_frees_the_port,
                an_open_meter_gets_no_light,
                unlocking_twice_is_unlocking_once,
                a_wrong_pin_counts_once,
                used_up_tries_forbid_another,
                stopped_before_it_begins_nothing_is_sent,
                stopped_in_the_midst_the_try_stays_counted,
                keeping_open_needs_a_lock,
                no_pin_is_shown,
            ]
        );
    };
    ($put_up:path, without_lock) => {
        $crate::promises!(
            $put_up,
            [
                measuring_gives_what_the_meter_shows,
                silence_ends_in_time,
                stopping_ends_reading,
                reading_sends_no_light,
                identifying_leaves_the_meter_as_it_is,
                dropping_it_frees_the_port,
                a_model_without_a_lock_gets_no_light,
                keeping_open_needs_a_lock,
            ]
        );
    };
    ($put_up:path, [$($promise:ident),* $(,)?]) => {
        $(
            #[test]
            fn $promise() {
                $crate::interface::promises::$promise($put_up);
            }
        )*
    };
}
