//! The crate from outside: the worked examples, and what must hold for any readings.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod balance;
mod cases;
mod day;
mod household;
mod properties;
mod reference;
mod segments;
mod together;
mod truth;
mod zeros;
