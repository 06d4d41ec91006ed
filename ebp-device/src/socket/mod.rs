//! The measuring daemon's local socket: lines of JSON for other programs of the same device, such
//! as a web page. These must not open the spool or the reading heads, which the daemon uses.
//!
//! Enters: a request a line, [`Request`]. Leaves: an answer a line, in the order of the requests.
//! Absent: HTTP; requests that change what is measured.
//!
//! `{"ask": "status"}` is answered with a [`Status`], `{"ask": "now", "meter": UUID}` with the next
//! [`Telegram`] of that meter, which is read for the client, as long as consent is granted and no
//! measurement is due. `{"ask": "error", "group": …}` hands over a group of errors of a program that counts
//! them in a folder of its own, to be sent with the device's. A request that cannot be answered gets a
//! [`Refusal`].

mod client;
mod listener;
mod listening;
mod live;
mod message;
mod status;

pub use client::ask;
pub use listener::{Asked, Socket, SocketError};
pub use listening::HeardTelegram;
pub use live::LiveHeads;
pub use message::{Answer, MeterStatus, Reason, Refusal, Request, Status, Telegram};
pub use status::{meters, status};
