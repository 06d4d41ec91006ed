//! The Data API of the `ebp` measurement system.
pub mod authority;
pub mod store;
