//! The crate from outside: the worked examples, and what must hold for any readings.

mod cases;
mod household;
mod properties;
mod truth;
