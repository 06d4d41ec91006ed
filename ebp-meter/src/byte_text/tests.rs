//! Every form, with a telegram that must come back byte by byte, and what is none.

use proptest::{collection::vec, prelude::*};

use super::*;

/// A telegram of an L+G E320, as it was posted (its README says where).
const TELEGRAM: &str = include_str!("../../tests/damaged/s10_lgz_hex.txt");

fn telegram() -> Vec<u8> {
    digits::bytes_of(TELEGRAM.trim()).unwrap()
}

/// Which forms give back these bytes.
fn forms(text: &str, bytes: &[u8]) -> Vec<Form> {
    Form::ALL.into_iter().filter(|form| undo(*form, text.as_bytes()) == bytes).collect()
}

fn is_read_as(text: &str, form: Form) {
    let bytes = telegram();
    let found = undo(form, text.as_bytes());
    let at = found.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
    let beginning: String = text.chars().take(300).collect();
    assert_eq!((found.len(), at), (bytes.len(), bytes.len()), "{beginning}");
    let is_short = text.lines().all(|line| line.len() < 60);
    assert!(is_short || is_byte_text(text.as_bytes()), "{beginning}");
}

fn hex(bytes: &[u8], separator: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator)
}

/// The characters of a dump's last column, spaces among them.
fn characters(bytes: &[u8]) -> String {
    let shown = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' };
    bytes.iter().map(shown).collect()
}

/// Lines of so many bytes, each as it is made from its offset and bytes.
fn lines(width: usize, line: impl Fn(usize, &[u8]) -> String) -> String {
    let bytes = telegram();
    bytes.chunks(width).enumerate().map(|(at, part)| line(at * width, part) + "\n").collect()
}

#[test]
fn prefixes_of_logs() {
    for prefix in [
        "12:34:56.789 -> ",
        "[Dec 01 12:34:56][d0] Received: ",
        "Dec 01 12:34:56 host vzlogger[123]: ",
        "2024-01-14 11:55:48.711 RX: ",
        "2024-01-14T11:55:48.711Z,",
        "11:55:48.711-027 : ",
        "\u{1b}[0;36m[12:34:56][D][uart_debug:114]: <<< ",
        "[0;36m[D][uart_debug:158]: <<< ",
        "0.001234 ",
        "> ",
        "",
    ] {
        for separator in [" ", ", ", ":", ""] {
            let text = lines(16, |_, part| format!("{prefix}{}", hex(part, separator)));
            is_read_as(&text, Form::Hexadecimal);
            is_read_as(&text.to_uppercase().replace('\n', "\r\n"), Form::Hexadecimal);
        }
    }
    // A byte to a line, as the Arduino IDE shows what `Serial.println(byte, HEX)` prints.
    let one = lines(1, |_, part| format!("12:34:56.789 -> {:X}", part[0]));
    assert_eq!(undo(Form::Hexadecimal, one.as_bytes()), telegram());
    // A logic analyser's table.
    let table = lines(1, |at, part| format!("0.{at:06},0x{:02X},,", part[0]));
    let table = format!("Time [s],Value,Parity Error,Framing Error\n{table}");
    assert_eq!(undo(Form::Hexadecimal, table.as_bytes()), telegram());
}

#[test]
fn dumps_of_any_width() {
    for width in [4, 8, 12, 16, 20, 24, 32, 64] {
        let words = |part: &[u8], size: usize| {
            part.chunks(size).map(|word| hex(word, "")).collect::<Vec<_>>().join(" ")
        };
        // Spaces fill the last line up to its characters.
        let xxd = lines(width, |at, part| {
            let room = width / 2 * 5 + 1;
            format!("{at:08x}: {:room$} {}", words(part, 2), characters(part))
        });
        is_read_as(&xxd, Form::Hexadecimal);
        let bytes = lines(width, |at, part| format!("{at:07} {}", words(part, 1)));
        is_read_as(&bytes, Form::Hexadecimal);
        let octal = lines(width, |at, part| format!("{at:07o} {}", words(part, 1)));
        is_read_as(&format!("{octal}{:07o}\n", telegram().len()), Form::Hexadecimal);
        let little = lines(width, |at, part| {
            let word = |word: &[u8]| {
                let reversed: Vec<u8> = word.iter().rev().copied().collect();
                format!("{:>8}", hex(&reversed, ""))
            };
            let words = part.chunks(4).map(word).collect::<Vec<_>>().join(" ");
            format!("{at:08x}: {words:room$}  {}", characters(part), room = width / 4 * 9)
        });
        is_read_as(&little, Form::Reversed);
    }
}

#[test]
fn two_halves_before_characters() {
    for (middle, before) in [("  ", "  "), ("  ", "   "), (" ", "  ")] {
        let text = lines(16, |at, part| {
            let (first, second) = part.split_at(part.len().min(8));
            let row = format!("{}{middle}{}", hex(first, " "), hex(second, " "));
            format!("{at:08X}  {row:48}{before}{}", characters(part))
        });
        is_read_as(&text, Form::Hexadecimal);
        // Without offsets, a block to a time: jpnevator, socat.
        let text = lines(16, |_, part| {
            let row = hex(part, " ").to_uppercase();
            format!(
                "2024-01-14 11:55:48.711000: /dev/ttyUSB0\n{row:48}{before}{}",
                characters(part)
            )
        });
        let found = undo(Form::Hexadecimal, text.as_bytes());
        assert!(found.starts_with(&telegram()[..16 * (telegram().len() / 16)]), "{text}");
    }
    let socat = lines(90, |at, part| {
        let (length, to) = (part.len(), at + part.len() - 1);
        let head = format!("< 2024/01/14 11:55:48.711000  length={length} from={at} to={to}");
        format!("{head}\n {}\n--", hex(part, " "))
    });
    is_read_as(&socat, Form::Hexadecimal);
    // Each line with the other direction between.
    let sent = "> 2024/01/14 11:55:48.000000  length=5 from=0 to=4\n/?!\\r\\n\n--\n";
    is_read_as(&format!("{sent}{socat}"), Form::Hexadecimal);
}

#[test]
fn decimal_numbers() {
    let decimal = |part: &[u8], separator: &str| {
        part.iter().map(u8::to_string).collect::<Vec<_>>().join(separator)
    };
    for separator in [":", ", ", " ", ";"] {
        let log = lines(60, |_, part| {
            let other = "[12:34:56][D][sensor:094]: 'Power': Sending state 4.00000 W";
            format!("{other}\n[12:34:56][D][uart_debug:114]: <<< {}", decimal(part, separator))
        });
        is_read_as(&log, Form::Decimal);
        let coloured = log.replace("\n[12:34:56][D][u", "\u{1b}[0m\n\u{1b}[0;36m[12:34:56][D][u");
        is_read_as(&coloured, Form::Decimal);
    }
    let node = format!("{{\"type\":\"Buffer\",\"data\":[{}]}}\n", decimal(&telegram(), ","));
    is_read_as(&node, Form::Decimal);
    let pretty = format!(
        "{{\n  \"type\": \"Buffer\",\n  \"data\": [\n    {}\n  ]\n}}\n",
        decimal(&telegram(), ",\n    ")
    );
    assert_eq!(undo(Form::Decimal, pretty.as_bytes()), telegram());
    let numbered = lines(1, |at, part| format!("{at};{}", part[0]));
    assert_eq!(undo(Form::Decimal, format!("index;byte\n{numbered}").as_bytes()), telegram());
}

/// As Python writes bytes.
fn repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let shown = |byte: &u8| match byte {
        b'\\' => "\\\\".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\'' if quote == '\'' => "\\'".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!("\\x{other:02x}"),
    };
    format!("b{quote}{}{quote}", bytes.iter().map(shown).collect::<String>())
}

#[test]
fn literals() {
    is_read_as(&repr(&telegram()), Form::Escaped);
    is_read_as(&lines(50, |_, part| format!("DEBUG:root:{}", repr(part))), Form::Escaped);
    is_read_as(
        &format!("[{}]", lines(40, |_, part| repr(part) + ",").replace('\n', " ")),
        Form::Escaped,
    );
    let bare = format!("\\x{}", hex(&telegram(), "\\x"));
    is_read_as(&bare, Form::Escaped);
    let json: String = telegram().iter().map(|byte| format!("\\u{byte:04x}")).collect();
    assert_eq!(undo(Form::Escaped, format!("{{\"data\":\"{json}\"}}").as_bytes()), telegram());
    let octal: String = telegram().iter().map(|byte| format!("\\{byte:03o}")).collect();
    assert_eq!(undo(Form::Escaped, octal.as_bytes()), telegram());
    // Other strings are none.
    assert_eq!(undo(Form::Escaped, b"'Power': \"Sending state\""), b"");
}

#[test]
fn rows_of_digits_among_other_things() {
    let text = lines(40, |_, part| {
        format!(
            "18:44:46.123 RSL: RESULT = {{\"SerialReceived\":\"{}\"}}",
            hex(part, "").to_uppercase()
        )
    });
    is_read_as(&text, Form::LongWords);
    assert_eq!(forms("id deadbeef, 1 of 2\n", b""), Form::ALL);
}

#[test]
fn what_is_no_text_of_bytes() {
    for other in [
        "Port already in use\r\n",
        "{\"power\":123,\"in\":1234.5}\n",
        "/ISk5\\2MT382\r\n0-0:96.1.1(3149534B30303739383131323939)\r\n1-0:1.8.1(00051.3*kWh)\r\n!\r\n",
        "1-0:1.8.0*255#12345.6#Wh\n",
        "2024-01-14 11:55:48;1234;5678;9012;3456\n",
        "",
    ] {
        assert!(!is_byte_text(other.as_bytes()), "{other}");
    }
    assert!(!is_byte_text(&telegram()));
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same(
        text in vec("[0-9a-fx ,:\\[\\]>'\\\\.b\u{1b}-]{0,60}", 0..9),
        size in 1_usize..9,
    ) {
        let text = text.join("\n");
        for form in Form::ALL {
            let (mut decoder, mut pieces) = (ByteText::new(form), Vec::new());
            text.as_bytes().chunks(size).for_each(|piece| decoder.undo(piece, &mut pieces));
            decoder.finish(&mut pieces);
            prop_assert_eq!(undo(form, text.as_bytes()), pieces);
        }
    }

    #[test]
    fn any_bytes_are_passed_over(bytes in vec(any::<u8>(), 0..300)) {
        for form in Form::ALL {
            let _ = undo(form, &bytes);
        }
        let _ = is_byte_text(&bytes);
    }
}
