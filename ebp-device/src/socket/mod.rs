//! The measuring daemon's local socket: lines of JSON for other programs of the same device, such as a
//! web page. They must touch neither the spool nor the reading heads, which the daemon holds.
//!
//! Enters: a request a line, [`Request`]. Leaves: an answer a line, in the order of the requests.
//! Absent: HTTP; whatever changes anything.
//!
//! `{"ask": "status"}` is answered with a [`Status`], `{"ask": "now", "meter": UUID}` with the next
//! [`Telegram`] of that meter, which is read for whoever asks, as long as consent is granted and no
//! measurement is due. What cannot be answered is a [`Refusal`].

mod listener;
mod live;
mod message;
mod status;

pub use listener::{Asked, Socket, SocketError};
pub use live::LiveHeads;
pub use message::{Answer, MeterStatus, Reason, Refusal, Request, Status, Telegram};
pub use status::{meters, status};
