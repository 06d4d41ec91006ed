//! What stands beside the tables: descriptions for programs and people, all made of the same
//! declarations.
//!
//! Enters: what is said of a set ([`Described`]), the tables' declarations. Leaves: texts of files.
//! Absent: the files' rows.

mod citation;
mod croissant;
mod described;
mod oemetadata;
mod package;
mod pages;
mod release;

pub use citation::{citation, licence};
pub use croissant::croissant;
pub use described::{Described, FileEntry, Lost, MeterQuality};
pub use oemetadata::oemetadata;
pub use package::data_package;
pub(super) use package::resource;
pub use pages::{quality_page, readme};
pub(super) use release::opening;
pub use release::release_readme;
