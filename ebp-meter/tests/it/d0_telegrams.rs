//! ASCII telegrams of the meters that send them. Written after public descriptions (the makers'
//! manuals of EasyMeter Q3D and eBZ DD3, owners' listings of Iskra MT174 and Apator / Pafal EC3);
//! numbers and identities are made up, none is a recording.

use ebp_meter::{
    d0::Decoder,
    decoder::{Decode, Event, Noise},
    readout::{Integrity, Protocol, Readout},
};

const Q3D: &str = "/ESY5Q3DA1004 V3.02\r\n\r\n\
    1-0:0.0.0*255(0273011000000)\r\n\
    1-0:1.8.0*255(00026107.7034231*kWh)\r\n\
    1-0:2.8.0*255(00000376.0128508*kWh)\r\n\
    1-0:21.7.255*255(000200.13*W)\r\n\
    1-0:41.7.255*255(000122.31*W)\r\n\
    1-0:61.7.255*255(-000014.01*W)\r\n\
    1-0:1.7.255*255(000308.43*W)\r\n\
    1-0:96.5.5*255(82)\r\n\
    0-0:96.1.255*255(1ESY1011000000)\r\n\
    !\r\n";

const DD3: &str = "/EBZ5DD32R06ETA_107\r\n\r\n\
    1-0:0.0.0*255(1EBZ0100000123)\r\n\
    1-0:96.1.0*255(1EBZ0100000123)\r\n\
    1-0:1.8.0*255(002714.12830185*kWh)\r\n\
    1-0:1.8.1*255(000001.203*kWh)\r\n\
    1-0:2.8.0*255(000001.20600000*kWh)\r\n\
    1-0:16.7.0*255(-000458.90*W)\r\n\
    1-0:32.7.0*255(232.4*V)\r\n\
    1-0:96.5.0*255(001C0104)\r\n\
    0-0:96.8.0*255(00104443)\r\n\
    !\r\n";

const MT174: &str = "1-0:0.9.1*255(182032)\r\n\
    1-0:0.9.2*255(1260131)\r\n\
    1-0:0.0.0*255(00000123)\r\n\
    1-0:1.8.0*255(0001798.478*kWh)\r\n\
    1-0:1.8.1*255(0001798.478*kWh)1-0:1.8.2*255(0000000.000*kWh)\r\n\
    1-0:2.8.0*255(0000012.300*kWh)\r\n\
    1-0:1.7.0*255(00.342*kW)\r\n\
    1-0:32.7.0*255(231*V)\r\n\
    0-0:C.1.0*255(12345678)\r\n\
    1-0:F.F.0*255(0000000)\r\n\
    !\r\n";

const EC3: &str = "/PAF5EC3gr00006\r\n\
    0.0.0(00000123)\r\n\
    0.0.1(PAF)\r\n\
    F.F(00)\r\n\
    0.2.0(1.29)\r\n\
    1.8.0*00(000001.83)\r\n\
    1.8.0(004051.8*kWh)\r\n\
    2.8.0(000010.3*kWh)\r\n\
    !\r\n";

/// A customer interface (DSMR P1, after the companion standard), with a gas meter behind it.
const P1: &str = "/ISk5\\2MT382-1003\r\n\r\n\
    1-3:0.2.8(50)\r\n\
    0-0:1.0.0(260125093026W)\r\n\
    0-0:96.1.1(3149534B30303739383131323939)\r\n\
    1-0:1.8.1(000512.345*kWh)\r\n\
    1-0:1.8.2(000100.000*kWh)\r\n\
    0-0:96.14.0(0001)\r\n\
    1-0:1.7.0(00.251*kW)\r\n\
    0-1:24.1.0(003)\r\n\
    0-1:96.1.0(4730303032333430303939393939393939)\r\n\
    0-1:24.2.1(260125090000W)(00671.790*m3)\r\n\
    !";

/// The form in which modes A to C answer: STX, registers, ETX, block check character.
fn framed(registers: &str) -> Vec<u8> {
    let mut block = registers.as_bytes().to_vec();
    block.push(0x03);
    block.push(block.iter().fold(0, |check, byte| check ^ byte));
    [b"/ISk5MT174-0001\r\n\x02".as_slice(), &block].concat()
}

fn with_parity(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|b| b | if b.count_ones() % 2 == 1 { 0x80 } else { 0 }).collect()
}

fn decode(bytes: &[u8]) -> Vec<Event> {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    decoder.finish();
    std::iter::from_fn(|| decoder.next_event()).collect()
}

fn readout(bytes: &[u8]) -> Readout {
    match <[Event; 1]>::try_from(decode(bytes)).unwrap() {
        [Event::Readout(readout)] => readout,
        other => panic!("{other:?}"),
    }
}

fn survey(readout: &Readout) -> Vec<String> {
    let points = readout.survey();
    points.iter().map(|point| format!("{} {}", point.obis.short(), point.value)).collect()
}

#[test]
fn easymeter_q3d() {
    let readout = readout(Q3D.as_bytes());
    assert_eq!(readout.protocol, Protocol::D0);
    assert_eq!(readout.manufacturer.as_deref(), Some("ESY"));
    assert_eq!(readout.server_id.as_ref().unwrap().hex(), "0a014553591000a7d8c0");
    assert_eq!(readout.server_id.as_ref().unwrap().manufacturer().as_deref(), Some("ESY"));
    assert_eq!(readout.integrity, Integrity::Unchecked);
    assert_eq!(readout.bytes, Q3D.len());
    assert_eq!(readout.entries.len(), 9);
    assert_eq!(survey(&readout), ["1.8.0 26107.7034231", "2.8.0 376.0128508", "1.7.0 0.30843"]);
    let l3 = readout.entry("61.7.0".parse().unwrap()).unwrap();
    assert_eq!(l3.exact().unwrap().to_string(), "-14.01");
}

#[test]
fn ebz_dd3() {
    let readout = readout(DD3.as_bytes());
    assert_eq!(readout.manufacturer.as_deref(), Some("EBZ"));
    assert_eq!(readout.server_id.as_ref().unwrap().hex(), "0a0145425a010000007b");
    assert_eq!(survey(&readout), ["1.8.0 2714.12830185", "2.8.0 1.206", "16.7.0 -0.4589"]);
    assert!(!format!("{readout:?}").contains("0123"), "an identity in a debug text");
}

#[test]
fn iskra_mt174_answers_with_a_block_check() {
    let telegram = framed(MT174);
    let readout = readout(&telegram);
    assert_eq!(readout.manufacturer.as_deref(), Some("ISK"));
    assert_eq!(readout.integrity, Integrity::Ok);
    assert_eq!(readout.bytes, telegram.len());
    assert_eq!(readout.entries.len(), 11);
    assert_eq!(survey(&readout), ["1.8.0 1798.478", "2.8.0 12.3", "1.7.0 0.342"]);
}

#[test]
fn apator_ec3_in_short_forms() {
    let readout = readout(EC3.as_bytes());
    assert_eq!(readout.manufacturer.as_deref(), Some("PAF"));
    assert_eq!(survey(&readout), ["1.8.0 4051.8", "2.8.0 10.3"]);
    assert_eq!(readout.server_id.as_ref().unwrap().0[..], *b"00000123");
}

/// The gas meter's number is not the electricity meter's.
#[test]
fn a_customer_interface_has_the_electricity_meters_identity() {
    let telegram = [P1, "\r\n"].concat();
    let own = |telegram: &str| readout(telegram.as_bytes()).server_id.map(|id| id.hex());
    assert_eq!(own(&telegram).unwrap(), "0a0149534b0004c1d2e3");
    let without = telegram.replace("0-0:96.1.1(3149534B30303739383131323939)\r\n", "");
    assert_eq!(own(&without), None);
    for gas in ["7-0:96.1.0(1)\r\n", "7-1:0.0.0(12345678)\r\n", "0-2:96.1.255(7)\r\n"] {
        assert_eq!(own(&without.replace("0-1:24.1.0(003)\r\n", gas)), None, "{gas}");
    }
    assert_eq!(readout(telegram.as_bytes()).integrity, Integrity::Unchecked, "`!` alone");
}

#[test]
fn a_customer_interfaces_checksum_is_checked() {
    let right = [P1, "D4E9\r\n"].concat();
    let readout = readout(right.as_bytes());
    assert_eq!(readout.integrity, Integrity::Ok);
    assert_eq!(readout.bytes, right.len());
    assert_eq!(survey(&readout), ["1.8.0 612.345", "1.7.0 0.251"]);
    // In small letters, at the stream's end, and with another behind it.
    for ending in ["d4e9\r\n", "D4E9", "D4E9\n"] {
        let [Event::Readout(other)] = &decode([P1, ending].concat().as_bytes())[..] else {
            panic!("{ending:?}")
        };
        assert_eq!(other.integrity, Integrity::Ok, "{ending:?}");
    }
    for wrong in [
        right.replace("000512.345", "000912.345"),
        right.replace("!D4E9", "!D4EA"),
        right.replace("\r\n", "\n"),
    ] {
        let two = [wrong.as_str(), &right].concat();
        let events = decode(two.as_bytes());
        let [Event::Noise(Noise::WrongChecksum { bytes }), Event::Readout(_)] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(*bytes, wrong.len());
    }
    // What is no checksum is as it was: bytes beside a telegram.
    let other = [P1, "Jona\r\n"].concat();
    let events = decode(other.as_bytes());
    let [Event::Readout(readout), Event::Noise(Noise::Garbage { bytes: 4 })] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(readout.integrity, Integrity::Unchecked);
}

#[test]
fn the_acknowledgement_heard_by_ones_own_head_does_no_harm() {
    let mut telegram = framed(MT174);
    let at = telegram.iter().position(|&b| b == 0x02).unwrap();
    telegram.splice(at..at, *b"\x06050\r\n");
    assert_eq!(readout(&telegram).integrity, Integrity::Ok);
}

#[test]
fn eight_data_bits_read_the_same_but_for_nothing() {
    for telegram in [Q3D.as_bytes(), DD3.as_bytes(), EC3.as_bytes(), &framed(MT174)] {
        let parity = with_parity(telegram);
        assert_ne!(parity, telegram);
        assert_eq!(readout(&parity), readout(telegram));
        // A line at 7O1.
        let odd: Vec<u8> = parity.iter().map(|byte| byte ^ 0x80).collect();
        assert_eq!(readout(&odd), readout(telegram));
    }
}

/// EMH LZQJ (telegram `dataDump2` of EnergyICT's `LZQJTest`, its number replaced): energy in tariffs of
/// channel 1, the past under storage 00, and a pulse input in channel 2.
#[test]
fn tariffs_of_an_lzqj_beside_its_pulse_input() {
    let telegram = "/EMH4\\@01LZQJL0014F\r\n\r\nF.F(00000000)\r\n0.0.0(12345678)\r\n0.0.2()\r\n\
        0.9.1(115723)\r\n1-1:1.8.1(00000.001*kWh)\r\n1-1:1.8.1*00(00020.123*kWh)\r\n\
        1-1:1.8.2(00000.000*kWh)\r\n1-1:1.8.2*00(00000.000*kWh)\r\n1-1:2.8.1(00403.807*kWh)\r\n\
        1-1:2.8.2(00510.261*kWh)\r\n1-2:1.8.0(00000.000*kWh)\r\n1-2:1.8.0*00(00000.000*kWh)\r\n\
        31.25(0.0013*A)\r\n!\r\n";
    let figures = readout(telegram.as_bytes()).figures();
    let shown: Vec<_> =
        figures.iter().map(|figure| (figure.obis.short(), figure.value.to_string())).collect();
    assert_eq!(shown, [("1.8.0".into(), "0.001".into()), ("2.8.0".into(), "914.068".into())]);
    // A tariff that the meter names without a number leaves no total.
    let without = telegram.replace("2.8.2(00510.261*kWh)", "2.8.2(-----.---*kWh)");
    let figures = readout(without.as_bytes()).figures();
    assert_eq!(figures.iter().map(|figure| figure.obis.short()).collect::<Vec<_>>(), ["1.8.0"]);
}

#[test]
fn a_flipped_bit_is_seen_where_anything_checks() {
    let damaged = |telegram: &[u8], at: usize, bit: u8| {
        let mut telegram = telegram.to_vec();
        telegram[at] ^= bit;
        decode(&telegram)
    };
    let parity = with_parity(DD3.as_bytes());
    for at in 21..parity.len() - 3 {
        for bit in 0..8 {
            let events = damaged(&parity, at, 1 << bit);
            assert!(!events.iter().any(|e| matches!(e, Event::Readout(_))), "byte {at} bit {bit}");
        }
    }
    let checked = framed(MT174);
    let start = checked.iter().position(|&b| b == 0x02).unwrap() + 1;
    for at in start..checked.len() {
        for bit in 0..7 {
            let events = damaged(&checked, at, 1 << bit);
            assert!(!events.iter().any(|e| matches!(e, Event::Readout(_))), "byte {at} bit {bit}");
        }
    }
    // At 7 data bits the driver puts NUL in place of a character of wrong parity.
    let mut nul = DD3.as_bytes().to_vec();
    nul[100] = 0;
    assert!(matches!(
        decode(&nul).as_slice(),
        [Event::Noise(Noise::Unreadable { bytes, .. })] if *bytes == DD3.len()
    ));
}

#[test]
fn a_wrong_block_check_is_told_and_the_next_telegram_read() {
    let mut wrong = framed(MT174);
    let bytes = wrong.len();
    wrong[40] ^= 1;
    wrong.extend(framed(MT174));
    assert!(matches!(
        decode(&wrong).as_slice(),
        [Event::Noise(Noise::WrongChecksum { bytes: b }), Event::Readout(_)] if *b == bytes
    ));
}

#[test]
fn a_stream_entered_and_cut_anywhere() {
    let stream = [Q3D, Q3D, DD3].concat();
    for start in 1..Q3D.len() {
        let events = decode(&stream.as_bytes()[start..]);
        let readouts = events.iter().filter(|e| matches!(e, Event::Readout(_))).count();
        assert_eq!(readouts, 2, "from byte {start}");
    }
    let cut = [&Q3D[..150], DD3].concat();
    assert!(matches!(
        decode(cut.as_bytes()).as_slice(),
        [Event::Noise(Noise::Unreadable { bytes: 150, .. }), Event::Readout(_)]
    ));
}

#[test]
fn what_is_no_telegram() {
    assert_eq!(decode(b""), []);
    assert_eq!(decode(b"/?!\r\n"), [Event::Noise(Noise::Garbage { bytes: 3 })]);
    assert_eq!(decode(b"\x1b\x1b\x1b\x1b/ab"), [Event::Noise(Noise::Garbage { bytes: 7 })]);
    assert!(matches!(
        decode(b"/ESY5Q3D\r\n\r\n!\r\n").as_slice(),
        [Event::Noise(Noise::Unreadable { .. })]
    ));
    let endless = ["/ESY5Q3D\r\n", &"x".repeat(1 << 17), Q3D].concat();
    let events = decode(endless.as_bytes());
    assert!(matches!(
        events.as_slice(),
        [
            Event::Noise(Noise::Unreadable { bytes: 0x1_0000, .. }),
            Event::Noise(Noise::Garbage { .. }),
            Event::Readout(_)
        ]
    ));
}
