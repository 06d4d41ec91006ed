//! Endpoints 7 and 8: measurements.

mod body;
mod list;
mod upload;

pub use list::list;
pub use upload::upload;
