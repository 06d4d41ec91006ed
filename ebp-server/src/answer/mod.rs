//! What every answer says of itself, whatever its handler does.
//!
//! Enters: requests, answers. Leaves: answers that say how long they may be kept (`cache`) and
//! are compressed where that helps and harms nobody (`compress`). Absent: what is answered.

mod cache;
mod compress;
mod template;

pub(crate) use cache::{is_kept, say_how_long};
pub(crate) use compress::{Compressing, compress};
pub(crate) use template::Template;
