//! Text of bytes: what is said of it only where a checksum proves how it is read.

use super::*;

/// How programs write a stream of bytes, each in a form of its own.
fn written(bytes: &[u8]) -> Vec<String> {
    let lines = |width: usize, line: &dyn Fn(usize, &[u8]) -> String| -> String {
        bytes.chunks(width).enumerate().map(|(at, part)| line(at * width, part) + "\n").collect()
    };
    let hex = |part: &[u8], separator: &str| {
        part.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator)
    };
    let decimal = |part: &[u8], separator: &str| {
        part.iter().map(u8::to_string).collect::<Vec<_>>().join(separator)
    };
    vec![
        lines(16, &|_, part| format!("12:34:56.789 -> {}", hex(part, " "))),
        lines(1, &|_, part| format!("12:34:56.789 -> {:X}", part[0])),
        lines(32, &|at, part| {
            format!("{at:08x}: {:65}  {}", hex(part, ""), "abcd ef 12".repeat(3))
        }),
        lines(16, &|at, part| format!("{at:07} {}", hex(part, " "))),
        lines(16, &|at, part| {
            let word = |word: &[u8]| hex(&word.iter().rev().copied().collect::<Vec<_>>(), "");
            format!("{at:08x}: {}", part.chunks(4).map(word).collect::<Vec<_>>().join(" "))
        }),
        lines(60, &|_, part| format!("[12:34:56][D][uart_debug:114]: <<< {}", decimal(part, ":"))),
        lines(60, &|_, part| format!("[Dec 01 12:34:56][d0] Received: {}", hex(part, " "))),
        format!("{{\"type\":\"Buffer\",\"data\":[{}]}}", decimal(bytes, ",")),
        format!("b'\\x{}'", hex(bytes, "\\x")),
        format!("{{\"SerialReceived\":\"{}\"}}\n", hex(bytes, "")),
    ]
}

#[test]
fn whole_telegrams_in_it_have_no_cause() {
    let stream: Vec<u8> = telegrams().collect::<Vec<_>>().concat();
    for text in written(&stream).iter().chain(&written(PAFAL)) {
        assert_eq!(diagnose(text.as_bytes()), None, "{}", &text[..200]);
    }
}

#[test]
fn what_a_checksum_proves_is_said() {
    for text in written(ICRNL) {
        let cause = Some(Cause::LineEnds(LineEnds::CrToLf));
        assert_eq!(diagnose(text.as_bytes()), cause, "{}", &text[..200]);
    }
}

/// Where the form may be read wrongly, nothing is wrong with the reading head.
#[test]
fn nothing_else_is_said_of_a_form_that_may_be_unknown() {
    for damaged in [BITS, BUFFER, &BITS[..200]] {
        for text in written(damaged) {
            let found = diagnose(text.as_bytes());
            assert_eq!(found, Some(Cause::UnknownByteText), "{}", &text[..200]);
        }
    }
    let stream: Vec<u8> = telegrams().collect::<Vec<_>>().concat();
    let unknown = |byte: fn(&u8) -> String| -> String {
        let line = |part: &[u8]| part.iter().map(byte).collect::<String>() + "\n";
        stream.chunks(16).map(line).collect()
    };
    for text in [
        // Inverted, each nibble swapped, in octal: nobody knows why.
        unknown(|byte| format!("{:02x} ", !byte)),
        unknown(|byte| format!("{:02x} ", byte.rotate_left(4))),
        unknown(|byte| format!("at 5: {:02x}{:02x}, ", byte, !byte)),
        unknown(|byte| format!("{byte:03o} ")),
    ] {
        let found = diagnose(text.as_bytes());
        let is_blamed = matches!(found, Some(Cause::BitsLost | Cause::BytesLost));
        assert!(!is_blamed, "{found:?} {}", &text[..200]);
    }
}

#[test]
fn plain_digits_are_certain() {
    for separator in ["", " ", ", ", ":"] {
        let digits = BITS.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>();
        assert_eq!(diagnose(digits.join(separator).as_bytes()), Some(Cause::BitsLost));
    }
}
