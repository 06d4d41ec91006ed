//! The engine on a simulated machine: its disk loses what was not made durable, its releases are good
//! or bad in every way, its power fails at every instant.

mod crash;
mod disk;
mod hundred;
mod trial;
mod world;
