//! The port of a reading head that light is sent through.

use ebp_meter::{
    interface::read_options,
    port::{self, PortName},
    profile::Profile,
    session::Session,
};

use crate::exit::Failure;

/// Opens it for a meter of that model; a file is refused.
pub fn open(profile: &Profile, port: &PortName) -> Result<Session, Failure> {
    let session =
        Session::from_port(port::open(port, profile.line.settings())?, read_options(profile));
    if session.is_live() {
        return Ok(session);
    }
    Err(Failure::usage(format!("{port} is no meter that can be shone upon"))
        .remedy("give the serial device of the reading head, or tcp://host:port"))
}
