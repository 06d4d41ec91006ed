//! Undamaged data of other protocols, and values that were decoded already.

use super::*;

/// An HDLC frame with that information: addresses of one byte, control `UI`.
fn hdlc(information: &[u8]) -> Vec<u8> {
    let fcs = |bytes: &[u8]| {
        let crc = bytes.iter().fold(0xffff_u16, |crc, byte| {
            (0..8).fold(crc ^ u16::from(*byte), |crc, _| match crc & 1 {
                1 => crc >> 1 ^ 0x8408,
                _ => crc >> 1,
            })
        });
        (!crc).to_le_bytes()
    };
    let length = u8::try_from(2 + 3 + 2 + information.len() + 2).unwrap();
    let mut frame = vec![0xa0, length, 0xcf, 0x03, 0x13];
    frame.extend(fcs(&frame));
    frame.extend_from_slice(information);
    frame.extend(fcs(&frame));
    [&[0x7e][..], &frame, &[0x7e]].concat()
}

/// A long frame of M-Bus as DLMS meters send it.
fn mbus(data: &[u8]) -> Vec<u8> {
    let body = [&[0x53, 0xff, 0x00, 0x01, 0x67][..], data].concat();
    let length = u8::try_from(body.len()).unwrap();
    let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    [&[0x68, length, length, 0x68][..], &body, &[sum, 0x16]].concat()
}

/// An encrypted general-glo-ciphering: any bytes.
fn ciphered(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    let bytes = (0..length).map(|_| u8::try_from(random(&mut state, 256)).unwrap());
    [0xe6, 0xe7, 0x00, 0xdb, 0x08].into_iter().chain(bytes).collect()
}

#[test]
fn frames_of_standards() {
    // SNRM, as the Green Book has it (client 16, server 1), and an application reset of EN 13757-3.
    let snrm = [0x7e, 0xa0, 0x07, 0x03, 0x21, 0x93, 0x0f, 0x01, 0x7e];
    assert_eq!(diagnose(&snrm), Some(Cause::OtherProtocol(OtherProtocol::Hdlc)));
    let reset = [0x68, 0x03, 0x03, 0x68, 0x53, 0xfe, 0x50, 0xa1, 0x16];
    assert_eq!(diagnose(&reset), Some(Cause::OtherProtocol(OtherProtocol::MBus)));
    for at in 1..8 {
        let mut damaged = snrm;
        damaged[at] ^= 0x04;
        assert_eq!(diagnose(&damaged), None, "{at}");
    }
}

/// A recording begins and ends anywhere.
#[test]
fn frames_of_customer_interfaces() {
    for (frame, protocol) in
        [(hdlc(&ciphered(110)), OtherProtocol::Hdlc), (mbus(&ciphered(240)), OtherProtocol::MBus)]
    {
        let cause = Some(Cause::OtherProtocol(protocol));
        let stream = frame.repeat(4);
        for from in 0..frame.len() {
            assert_eq!(diagnose(&stream[from..]), cause, "{protocol:?} from {from}");
        }
        for to in 12..frame.len() {
            assert_eq!(diagnose(&stream[..to]), cause, "{protocol:?} to {to}");
        }
        let text: String = stream.iter().map(|byte| format!("{byte:02X} ")).collect();
        assert_eq!(diagnose(text.as_bytes()), cause, "as digits");
    }
}

#[test]
fn values_that_were_decoded() {
    for line in [
        "{\"power\":123,\"energy\":{\"in\":1234.5,\"out\":\"0.2\"}}\n",
        "{\"Time\":\"2024-01-14T11:55:48\",\"SML\":{\"Total_in\":1234.5,\"Power_curr\":-12}}\r\n",
        "1-0:1.8.0*255#12345.6#Wh\n",
        "Verbrauch: 1234,5 kWh; Leistung: 120 W\r\n",
        "meter,name=hall power=12,energy_in=1234.5 1700000000000000000\n",
        "# TYPE power gauge\npower 12\nenergy_in 1234.5\nenergy_out 0\n",
        "[12:34:56][D][sensor:094]: 'Power': Sending state 1234.00000 W with 0 decimals\n",
    ] {
        let stream = line.repeat(40);
        for from in [0, line.len() / 3] {
            let stream = &stream.as_bytes()[from..];
            assert_eq!(diagnose(stream), Some(Cause::DecodedText), "{line}");
        }
    }
    let alone = b"{\n  \"power\": 12,\n  \"in\": 1234.5\n}\n";
    assert_eq!(diagnose(alone), Some(Cause::DecodedText));
}

#[test]
fn words_and_registers_are_no_values() {
    for text in ["{\"error\":\"busy\",\"code\":5}", "Port already in use\r\n"] {
        assert!(matches!(diagnose(text.as_bytes()), Some(Cause::Words(_))), "{text}");
    }
    let registers = "1.8.0(000123.4*kWh)\r\n2.8.0(000000.0*kWh)\r\n1.7.0(0.1*kW)\r\n".repeat(9);
    assert_ne!(diagnose(registers.as_bytes()), Some(Cause::DecodedText));
    for bytes in [&b"1.8.0 00123\r\n"[..], &[0x7e; 300], &[0x68; 300], b"{}\n{}\n", b"[1,2,3]"] {
        let is_foreign = |cause| matches!(cause, Cause::OtherProtocol(_) | Cause::DecodedText);
        assert!(!diagnose(bytes).is_some_and(is_foreign), "{}", bytes.escape_ascii());
    }
}
