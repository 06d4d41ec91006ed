//! What to tell of a port that gave no telegram.
//!
//! Enters: a session that waited in vain. Leaves: a failure with its remedy. Absent: waiting.

use std::time::Duration;

use ebp_meter::session::Session;

use crate::{
    exit::{Code, Failure},
    output::phrase::counted,
};

/// Why a live port gave no telegram within that time, as far as that can be told.
pub fn nothing_read(
    session: &Session,
    waited: Duration,
    seven_bits: bool,
    passed: Option<&str>,
) -> Failure {
    let waited = humantime::format_duration(waited);
    let port = session.name();
    if seven_bits {
        return Failure::new(Code::NothingRead, format!("{port} delivers only 7 of 8 bits"))
            .remedy("set the line or the bridge to 8 data bits, no parity (8N1)");
    }
    if session.received() == 0 {
        return Failure::new(Code::NothingRead, format!("{port} was silent for {waited}")).remedy(
            "check that the reading head sits on the meter's optical port with its cable downwards, \
             or wait longer with --timeout 30s",
        );
    }
    let mut message = format!(
        "{port} sent {} in {waited} but no whole telegram",
        counted(session.received(), "byte")
    );
    if let Some(passed) = passed {
        message.push_str(&format!(" ({passed})"));
    }
    Failure::new(Code::NothingRead, message)
        .remedy("align the reading head, or set the line by --protocol, --baud or --model")
}
