//! The message for a port or a file without a telegram.
//!
//! Enters: a meter that was waited for in vain. Leaves: a failure with its cause, where the bytes show it,
//! and its remedy. Absent: waiting; recognising the cause, which [`ebp_meter::diagnosis`] does.

use std::time::Duration;

use ebp_meter::{
    diagnosis::Cause,
    interface::MeterInterface,
    port::{PortError, PortName},
};

use crate::{
    exit::{Code, Failure},
    output::phrase::counted,
};

/// Why no telegram was received at a port within that time, as far as it can be determined.
pub fn nothing_read(
    meter: &dyn MeterInterface,
    waited: Duration,
    seven_bits: bool,
    passed: Option<&str>,
) -> Failure {
    let waited = humantime::format_duration(waited);
    let port = meter.port_name();
    if seven_bits {
        return Failure::new(Code::NothingRead, format!("{port} delivers only 7 of 8 bits"))
            .remedy(EIGHT_BITS);
    }
    if meter.received() == 0 {
        return Failure::new(Code::NothingRead, format!("{port} was silent for {waited}")).remedy(
            "check that the reading head sits on the meter's optical port with its cable downwards, \
             or wait longer with --timeout 30s; some meters answer only to their number (--address)",
        );
    }
    let mut message = format!(
        "{port} sent {} in {waited} but no whole telegram",
        counted(meter.received(), "byte")
    );
    if let Some(passed) = passed {
        message.push_str(&format!(" ({passed})"));
    }
    with_cause(Code::NothingRead, message, meter).unwrap_or_else(|message| {
        let remedy = match Place::from_meter(meter) {
            Place::Bridge => UNKNOWN_BRIDGE,
            Place::Device(_) | Place::File => UNKNOWN,
        };
        Failure::new(Code::NothingRead, message).remedy(remedy)
    })
}

const EIGHT_BITS: &str = "set the line or the bridge to 8 data bits, no parity (8N1)";
/// Where the bytes of a bridge show nothing.
const UNKNOWN_BRIDGE: &str = "set the bridge's line to the meter's speed (mostly 9600 8N1), and check \
                              that the reading head sits on the meter's optical port, away from other \
                              light";
/// Where the bytes show nothing.
const UNKNOWN: &str = "set the line by --protocol, --baud or --model, and check that the reading head \
                       sits on the meter's optical port, away from other light";

/// Why a file or a pipe holds no telegram.
pub fn nothing_in_file(
    meter: &dyn MeterInterface,
    seven_bits: bool,
    passed: Option<&str>,
) -> Failure {
    // A telegram that the recording cut off is not damaged, nor is what was read from text of an
    // unknown form.
    let is_damage = !matches!(meter.cause(), Some(Cause::CutShort | Cause::UnknownByteText));
    let passed = passed.filter(|_| is_damage);
    let mut message = format!(
        "{} contains no telegram ({}",
        meter.port_name(),
        counted(meter.received(), "byte")
    );
    if let Some(passed) = passed {
        message.push_str(&format!("; {passed}"));
    }
    message.push(')');
    if seven_bits {
        return Failure::failed(format!("{message}; {}", Cause::SevenBits)).remedy(EIGHT_BITS);
    }
    with_cause(Code::Failed, message, meter).unwrap_or_else(|message| {
        Failure::failed(message)
            .remedy("give a recording of a meter's raw bytes, such as `ebp read --raw FILE` saves")
    })
}

/// The failure of a port that failed while it was listened to. A bridge may have said why it hung up.
pub fn lost(error: PortError, meter: &dyn MeterInterface) -> Failure {
    match &error {
        PortError::Vanished { port: PortName::Tcp(_) } if meter.cause().is_some() => {
            let bytes = counted(meter.received(), "byte");
            let message = format!("{} hung up after {bytes}", meter.port_name());
            with_cause(Code::Failed, message, meter).unwrap_or_else(|_| error.into())
        }
        PortError::Vanished { port: PortName::Tcp(_) } if meter.received() == 0 => Failure::failed(
            format!("{} hung up without a byte", meter.port_name()),
        )
        .remedy(
            "somebody else may be connected (many bridges serve one reader), or it is the port of \
                 another service",
        ),
        _ => error.into(),
    }
}

/// The message with the cause and its remedy, or the message alone where there is none.
fn with_cause(code: Code, message: String, meter: &dyn MeterInterface) -> Result<Failure, String> {
    match meter.cause() {
        Some(cause) => Ok(Failure::new(code, format!("{message}; {cause}"))
            .remedy(remedy(&cause, Place::from_meter(meter)))),
        None => Err(message),
    }
}

/// Where the bytes came from, as far as remedies differ by it.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Device(&'a PortName),
    Bridge,
    File,
}

impl<'a> Place<'a> {
    fn from_meter(meter: &'a dyn MeterInterface) -> Self {
        match meter.port_name() {
            PortName::Tcp(_) => Self::Bridge,
            port if meter.is_live() => Self::Device(port),
            _ => Self::File,
        }
    }
}

/// What helps against bits that are lost at random.
pub const ALIGN: &str =
    "align the reading head: turn and move it by millimetres, and keep other light away";

fn remedy(cause: &Cause, place: Place<'_>) -> String {
    match (cause, place) {
        (Cause::OwnEcho, _) => {
            "the reading head hears its own light, and the meter does not answer: put the head on the \
             meter's optical port with its cable downwards; some meters answer only to their number \
             (--address)"
                .to_owned()
        }
        (Cause::WebServer, _) => {
            "give the bridge's raw port, not that of its web pages (its settings name it); what a page \
             answers is read with `curl -s ADDRESS | ebp read -`"
                .to_owned()
        }
        (Cause::Words(_), Place::Bridge) => {
            "these are the bridge's own words: end what else reads through it, or look them up in its \
             manual"
                .to_owned()
        }
        (Cause::Words(_), Place::Device(_)) => {
            "the text is from a device that is not a reading head: give the head's port".to_owned()
        }
        (Cause::Words(_), Place::File) => {
            "these are words and no telegram: record what the meter sends".to_owned()
        }
        (Cause::OtherProtocol(_), _) => {
            "put the reading head on the meter's optical port, which sends SML or IEC 62056-21; a \
             customer interface needs a program for DLMS, mostly with a key of the network operator"
                .to_owned()
        }
        (Cause::UnknownByteText, Place::File) => {
            "give the raw bytes, such as `ebp read --raw FILE` saves, or two digits a byte and nothing \
             else (`xxd -p`)"
                .to_owned()
        }
        (Cause::UnknownByteText, _) => {
            "let what is at the port pass on the meter's bytes as they are, and no text of them"
                .to_owned()
        }
        (Cause::DecodedText, Place::Bridge) => {
            "give the bridge's raw port, or let it pass on the meter's bytes as they are".to_owned()
        }
        (Cause::DecodedText, Place::Device(_)) => {
            "the device at this port decodes by itself: let it pass on the meter's bytes as they are"
                .to_owned()
        }
        (Cause::DecodedText, Place::File) => {
            "record what the meter sends: its raw bytes, before anything decodes them".to_owned()
        }
        (Cause::Telnet, _) => RAW_ACCEPTER.to_owned(),
        (Cause::Named { .. }, Place::Bridge) => {
            "set the bridge to the speed at which the meter answers (mostly 300 baud, 7E1), and move the \
             reading head until its light reaches the meter"
                .to_owned()
        }
        (Cause::Named { .. }, Place::Device(_)) => {
            "move the reading head until its light reaches the meter; --baud 300 keeps a meter at its \
             slow speed"
                .to_owned()
        }
        (Cause::Named { .. }, Place::File) => {
            "record until the registers have come, which takes minutes at 300 baud".to_owned()
        }
        (Cause::SevenBits, _) => EIGHT_BITS.to_owned(),
        (Cause::LineEnds(_) | Cause::TerminalEdits, Place::Device(port)) => {
            format!("make it raw: `stty -F {port} raw`")
        }
        (Cause::LineEnds(_) | Cause::TerminalEdits, Place::Bridge) => {
            "make it raw where the bridge has the reading head: `stty -F DEVICE raw`, and no option \
             that translates line ends"
                .to_owned()
        }
        (Cause::LineEnds(_) | Cause::TerminalEdits, Place::File) => {
            "make it raw and record again: `stty -F DEVICE raw`".to_owned()
        }
        (Cause::TextConverted, _) => {
            "pass the bytes on as they are (binary), in the bridge and in whatever records them: no \
             text of any character set"
                .to_owned()
        }
        (Cause::TabsExpanded, _) => {
            "pass the bytes on as they are (binary): a terminal or an editor on the way expands tabs \
             (`stty -F DEVICE raw`)"
                .to_owned()
        }
        (Cause::BytesInserted, _) => {
            "pass the bytes on as they are (binary): no line ends, counts or messages of what hands \
             them on"
                .to_owned()
        }
        (Cause::ByteLeftOut { .. }, _) => {
            "pass the bytes on as they are (binary): texts of C and a shell's variables drop the byte \
             00, and Telnet the byte ff"
                .to_owned()
        }
        (Cause::CutShort, Place::File) => {
            "record longer: two telegrams, some 10 s".to_owned()
        }
        (Cause::CutShort, _) => {
            "wait longer (--timeout 30s); if it stops there each time, check what hands the bytes on"
                .to_owned()
        }
        (Cause::BufferTooSmall { .. } | Cause::BytesLostAtOnePlace, _) => {
            "give the bridge a larger receive buffer, of 1024 bytes or more (ESPHome: `rx_buffer_size` \
             of the `uart`)"
                .to_owned()
        }
        (Cause::BytesLost, _) => {
            "check what hands the bytes on: a bridge that is too slow or short of memory, a USB hub, \
             radio"
                .to_owned()
        }
        (Cause::BitsLost, _) => ALIGN.to_owned(),
        (_, _) => UNKNOWN.to_owned(),
    }
}

/// What is better than a Telnet bridge.
pub const RAW_ACCEPTER: &str =
    "set the bridge to raw TCP (ser2net: `accepter: tcp,PORT` without `telnet`)";
