//! Endpoints 7 and 8: measurements.
//!
//! Enters: queries and uploads. Leaves: pages, and what became of each item. Absent: the rules by
//! which one is refused; the store knows them.

mod body;
mod list;
mod upload;

pub use list::list;
pub use upload::upload;
