//! What every frontend needs: the frame of pages, languages, numbers and times for people, forms,
//! sessions, the sign-in code, the checks of a request, charts, static files and the listener.
//!
//! Enters: requests, a clock's readings as arguments. Leaves: answers with every header that a page
//! needs. Absent: any domain: nothing here knows of meters, households or consent.

pub mod chart;
pub mod check;
pub mod code;
pub mod defence;
pub mod file;
pub mod form;
pub mod frame;
pub mod host;
pub mod language;
pub mod listener;
pub mod markdown;
pub mod moment;
pub mod number;
pub mod page;
pub mod request_id;
pub mod session;
