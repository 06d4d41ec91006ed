//! What the pages of researchers and administrators share: signing in by the group's secret or a link,
//! sessions in the database, forms, pages that say what went wrong, the router.
//!
//! Enters: requests of browsers, operations of the survey. Leaves: pages in German and English. Absent:
//! SQL; the survey itself: a page has a [`GroupCaller`](ebp_survey::GroupCaller) alone, whose operations
//! decide what its group may.
//!
//! A page is a function that takes [`Researcher`] or [`Administrator`] (or [`ResearcherForm`] and
//! [`AdministratorForm`] for what a form sends), and returns [`Visitor::show`] of a template; its route
//! stands in the frontend's `router.rs`, and in `site.rs` if the menu has it.

mod browser;
mod document;
mod draft;
#[cfg(any(feature = "registration", feature = "status"))]
mod job_fault;
mod link;
mod problem;
mod router;
mod sign_in;
mod signed_in;
mod site;
mod state;
mod visitor;

#[cfg(any(feature = "registration", feature = "status"))]
pub use job_fault::job_fault;
pub use problem::Failed;
pub use router::router;
pub use signed_in::{Administrator, AdministratorForm, Researcher, ResearcherForm};
pub use site::{REGISTRATION, STATUS};
pub use state::{CloudParts, CloudWeb};
pub use visitor::Visitor;
