//! Every way in which bytes are written, and what is none.

use proptest::{collection::vec, prelude::*};

use super::*;

const START: [u8; 8] = [0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1];

#[test]
fn every_way_of_writing_it() {
    for text in [
        "1b1b1b1b01010101",
        "1B 1B 1B 1B 01 01 01 01\r\n",
        "1B 1B 1B 1B 1 1 1 1 ",
        "0x1b,0x1b,0x1b,0x1b,0x01,0x01,0x01,0x01",
        "{0x1B, 0x1B, 0x1B, 0x1B, 0x1, 0x1, 0x1, 0x1};",
        "\\x1b\\x1b\\x1b\\x1b\\x01\\x01\\x01\\x01",
        "1b:1b:1b:1b:01:01:01:01",
        "1b1b1b1\nb0101\r\n0101",
        "1b1b1b1b-01010101",
        "['1b', '1b', '1b', '1b', '01', '01', '01', '01']",
    ] {
        assert_eq!(undo(text.as_bytes()).as_deref(), Some(&START[..]), "{text}");
    }
}

#[test]
fn dumps() {
    let bytes: Vec<u8> = START.iter().copied().chain(0x61..0x75).collect();
    for dump in [
        "00000000: 1b1b 1b1b 0101 0101 6162 6364 6566 6768  ........abcdefgh\n\
         00000010: 696a 6b6c 6d6e 6f70 7172 7374            ijklmnopqrst\n",
        "00000000  1b 1b 1b 1b 01 01 01 01  61 62 63 64 65 66 67 68  |........abcdefgh|\r\n\
         00000010  69 6a 6b 6c 6d 6e 6f 70  71 72 73 74              |ijklmnopqrst|\r\n\
         0000001c\r\n",
        "0000: 1B 1B 1B 1B 01 01 01 01 61 62 63 64 65 66 67 68\n\
         0010: 69 6A 6B 6C 6D 6E 6F 70 71 72 73 74\n",
    ] {
        let decoded = undo(dump.as_bytes()).unwrap();
        assert!(decoded.starts_with(&bytes), "{dump}: {decoded:02x?}");
    }
    // `od -t x1`, whose numbers are octal; `hexdump` and `od -x`, which write words of a
    // little-endian machine.
    for dump in [
        "0000000 1b 1b 1b 1b 01 01 01 01 61 62 63 64 65 66 67 68\n\
         0000020 69 6a 6b 6c 6d 6e 6f 70 71 72 73 74\n\
         0000034\n",
        "0000000 1b1b 1b1b 0101 0101 6261 6463 6665 6867\n\
         0000010 6a69 6c6b 6e6d 706f 7271 7473          \n\
         000001c\n",
        "0000000 1b1b 1b1b 0101 0101 6261 6463 6665 6867\n\
         0000020 6a69 6c6b 6e6d 706f 7271 7473\n\
         0000034\n",
    ] {
        let decoded = undo(dump.as_bytes()).unwrap();
        assert!(decoded.starts_with(&bytes), "{dump}: {decoded:02x?}");
    }
    // A line of eight bytes, whose characters are digits.
    let short = "00000000: 1b1b 1b1b 0101 0101                      abcdef00\n";
    assert_eq!(undo(short.as_bytes()).unwrap(), START);
}

#[test]
fn logs_of_esphome() {
    let bytes = [&START[..], b"\"va\\\r\n\xc8"].concat();
    for log in [
        "[12:34:55][C][uart.arduino_esp8266:102]:   Baud Rate: 9600 baud\n\
         [12:34:56][D][uart_debug:114]: <<< 1B:1B:1B:1B:01:01\n\
         [12:34:56][D][sensor:094]: 'Power': Sending state 1234.00000 W\n\
         [12:34:56][D][uart_debug:114]: >>> 2F:3F:21:0D:0A\n\
         [12:34:57.113][D][uart_debug:114]: <<< 01:01:22:76:61:5C:0D:0A:C8\n",
        "\u{1b}[0;36m[D][uart_debug:158]: <<< 1B 1B 1B 1B 01 01\u{1b}[0m\r\n\
         [0;36m[D][uart_debug:158]: <<< 01 01 22 76 61 5C 0D 0A C8[0m\r\n",
        "10:00:24 [0] [uart_debug:158] <<< \"\\x1B\\x1B\\e\\e\\x01\\x01\"\n\
         10:00:25 [0] [uart_debug:158] <<< \"\\x01\\x01\\\"va\\\\\\r\\n\\xC8\"\n",
        "<<< 1B,1B,1B,1B,01,01,01,01,22,76,61,5C,0D,0A,C8",
    ] {
        assert_eq!(undo(log.as_bytes()).as_deref(), Some(&bytes[..]), "{log}");
    }
}

/// As in github.com/arendst/Tasmota, issues 24472 and 8790, with lines of other parts between.
#[test]
fn logs_of_tasmota() {
    for log in [
        "11:55:48.100 CMD: sensor53 d1\n\
         11:55:48.120 RSL: RESULT = {\"Time\":\"2024-01-14T11:55:48\",\"SML\":{\"CMD\":\"dump: 1\"}}\n\
         11:55:48.711 : 1b 1b 1b 1b \n\
         11:55:48.802 MQT: tele/tasmota_8BD1DC/STATE = {\"UptimeSec\":512420}\n\
         11:55:49.001 : 01 01 01 01 \n",
        "22:05:01 : 1b 1b 1b \r\n22:05:02 : 1b 01 01 01 01 \r\n",
        "15:21:04.622 :>1b 1b 1b 1b 01 01 \n15:21:04.624 :>01 01 \n",
    ] {
        assert_eq!(undo(log.as_bytes()).as_deref(), Some(&START[..]), "{log}");
    }
    let bytes = undo(b"01:01:01:01:01:01:01:01").unwrap();
    assert_eq!(bytes, [1; 8], "bytes between colons are no time");
}

#[test]
fn text_of_sixteen_bits_a_character() {
    let text: Vec<u8> =
        "\u{feff}1B1B1B1B01010101\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(undo(&text).as_deref(), Some(&START[..]));
}

#[test]
fn other_text_and_bytes_are_none() {
    for other in [
        "Dear Sir or Madam, the meter said 1b1b1b1b01010101 to me",
        "1b1b",
        "",
        "\u{1b}\u{1b}\u{1b}\u{1b}\u{1}\u{1}",
    ] {
        assert_eq!(undo(other.as_bytes()), None, "{other:?}");
    }
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same(text in "[0-9a-fA-FxX ,:|\r\ng<\\\"]{0,200}", size in 1_usize..9) {
        let (mut at_once, mut pieces) = (Vec::new(), Vec::new());
        let text = format!("0000: 12\n0001: {text}");
        HexText::default().undo(text.as_bytes(), &mut at_once);
        let mut decoder = HexText::default();
        text.as_bytes().chunks(size).for_each(|piece| decoder.undo(piece, &mut pieces));
        prop_assert_eq!(at_once, pieces);
    }

    #[test]
    fn digits_come_back(bytes in vec(any::<u8>(), 8..200), width in 1_usize..40) {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let lines: Vec<u8> = text.as_bytes().chunks(2 * width).collect::<Vec<_>>().join(&b'\n');
        prop_assert_eq!(undo(&lines), Some(bytes));
    }
}
