//! The search in simulated time.

use proptest::prelude::*;

use super::*;
use crate::session::AnswerSpeed;

const AUTO: ReadOptions =
    ReadOptions { protocol: None, baud: None, address: None, speed: AnswerSpeed::Offered };

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn lines(options: ReadOptions) -> Vec<String> {
    let steps = Detection::new(options).steps;
    let name = |step: &Step| format!("{}{}", step.line, if step.request { " ?" } else { "" });
    steps.iter().map(name).collect()
}

#[test]
fn the_options_leave_steps_open() {
    assert_eq!(lines(AUTO), ["9600 8N1", "9600 7E1", "300 7E1 ?"]);
    let of = |protocol, baud| lines(ReadOptions { protocol, baud, ..ReadOptions::default() });
    assert_eq!(of(None, Some(19_200)), ["19200 8N1", "19200 7E1", "19200 7E1 ?"]);
    assert_eq!(of(Some(Protocol::Sml), None), ["9600 8N1"]);
    assert_eq!(of(Some(Protocol::D0), None), ["9600 7E1", "300 7E1 ?"]);
    for protocol in [Some(Protocol::D0), None] {
        assert_eq!(of(protocol, Some(300)), ["300 7E1 ?"]);
    }
}

#[test]
fn silence_leads_through_all_steps_and_round_again() {
    let mut detection = Detection::new(AUTO);
    detection.begin(Duration::ZERO);
    assert_eq!(detection.due(seconds(4.4)), None);
    let mut now = Duration::ZERO;
    let mut seen = Vec::new();
    for _ in 0..4 {
        now = detection.deadline().unwrap();
        let step = detection.due(now).unwrap();
        detection.begin(now);
        seen.push((step.line.to_string(), step.request));
    }
    let seen: Vec<_> = seen.iter().map(|(line, request)| (line.as_str(), *request)).collect();
    // Where nothing comes at 9600 8N1, nothing is pushed at 9600 7E1.
    assert_eq!(
        seen,
        [("300 7E1", true), ("9600 8N1", false), ("300 7E1", true), ("9600 8N1", false)]
    );
    assert_eq!(now, seconds(4.5 + 3.0 + 4.5 + 3.0));
}

#[test]
fn silence_of_a_port_that_cannot_be_written_to_is_listened_to() {
    let mut detection = Detection::new(AUTO);
    detection.begin(Duration::ZERO);
    detection.cannot_ask();
    assert_eq!(detection.due(seconds(4.5)).unwrap().line, LineSettings::SML);
}

#[test]
fn an_answer_is_under_way_from_its_first_byte_to_its_end() {
    let mut detection = Detection::new(ReadOptions {
        protocol: Some(Protocol::D0),
        baud: Some(300),
        ..ReadOptions::default()
    });
    detection.begin(Duration::ZERO);
    assert_eq!(detection.answering(seconds(1.0)), None, "nothing has come");
    detection.hear(b"/?!\r\n", seconds(0.3));
    assert_eq!(detection.answering(seconds(0.3)), None, "its own echo");
    detection.hear(b"/ISk5MT174\r\n", seconds(1.0));
    assert_eq!(detection.answering(seconds(1.5)), Some(seconds(0.5)));
    detection.identified();
    detection.hear(b"1.8.0(", seconds(2.0));
    assert_eq!(detection.answering(seconds(2.0)), Some(Duration::ZERO));
    detection.settle(seconds(3.0));
    assert_eq!(detection.answering(seconds(3.0)), None, "it is whole");
    let mut pushed = Detection::new(AUTO);
    pushed.begin(Duration::ZERO);
    pushed.hear(b"\x1b\x1b", seconds(1.0));
    assert_eq!(pushed.answering(seconds(1.0)), None, "nobody was asked");
}

#[test]
fn text_with_parity_leads_to_seven_bits_at_once() {
    let mut detection = Detection::new(AUTO);
    detection.begin(Duration::ZERO);
    let text: Vec<u8> = b"1-0:1.8.0*255(00026107.7034231*kWh)\r\n1-0:2.8.0*255(0000"
        .iter()
        .map(|b| b | if b.count_ones() % 2 == 1 { 0x80 } else { 0 })
        .collect();
    detection.hear(&text[..20], seconds(0.5));
    assert_eq!(detection.due(seconds(0.5)), None, "too little");
    detection.hear(&text[20..], seconds(0.6));
    let step = detection.due(seconds(0.6)).unwrap();
    assert_eq!(step.line, LineSettings::D0_PUSH);
}

#[test]
fn escapes_of_sml_lead_back_to_eight_bits() {
    let mut detection = Detection::new(ReadOptions::default());
    detection.skip();
    detection.begin(Duration::ZERO);
    // The start sequence as a 7E1 line gives it: the driver makes NUL of wrong parity.
    detection.hear(b"\x1b\x1b", seconds(0.1));
    detection.hear(b"\x1b\x1b\0\0\0\0", seconds(0.1));
    assert_eq!(detection.due(seconds(0.1)).unwrap().line, LineSettings::SML);
    let mut only_d0 = Detection::new(ReadOptions {
        protocol: Some(Protocol::D0),
        baud: None,
        ..ReadOptions::default()
    });
    only_d0.hear(b"\x1b\x1b\x1b\x1b", seconds(0.1));
    assert_eq!(only_d0.due(seconds(0.1)), None);
}

#[test]
fn neither_sml_nor_plain_text_is_taken_for_parity() {
    let sml: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let text = [b'1'; 1000];
    for bytes in [&sml[..], &text] {
        let mut detection = Detection::new(AUTO);
        detection.begin(Duration::ZERO);
        detection.hear(bytes, seconds(1.0));
        assert_eq!(detection.due(seconds(1.0)), None);
        assert_eq!(detection.due(seconds(6.9)), None);
        assert_eq!(detection.due(seconds(7.0)).unwrap().line, LineSettings::D0_PUSH);
    }
}

#[test]
fn what_spoke_is_stayed_with() {
    let mut detection = Detection::new(AUTO);
    detection.begin(Duration::ZERO);
    detection.settle(seconds(1.0));
    assert_eq!((detection.deadline(), detection.due(seconds(9e6))), (None, None));
}

#[test]
fn who_was_asked_is_asked_again() {
    let mut detection = Detection::new(ReadOptions {
        protocol: Some(Protocol::D0),
        baud: Some(300),
        ..ReadOptions::default()
    });
    detection.begin(Duration::ZERO);
    detection.hear(b"/ISk5MT174\r\n", seconds(1.0));
    detection.identified();
    assert_eq!(detection.deadline(), Some(seconds(4.0)));
    detection.settle(seconds(3.0));
    assert_eq!(detection.due(seconds(4.9)), None);
    assert!(detection.due(seconds(5.0)).unwrap().request);
    detection.begin(seconds(5.0));
    assert!(detection.due(seconds(8.0)).unwrap().request, "no answer: again");
}

#[test]
fn noise_does_not_keep_a_request_waiting() {
    let mut detection = Detection::new(AUTO);
    detection.skip();
    detection.skip();
    detection.begin(Duration::ZERO);
    for tenth in 0..=60 {
        detection.hear(b"\xaa", seconds(f64::from(tenth) / 10.0));
    }
    assert!(detection.due(seconds(5.9)).is_none());
    assert_eq!(detection.due(seconds(6.0)).unwrap().line, LineSettings::SML);
}

#[test]
fn a_port_without_line_settings_is_listened_to() {
    let mut detection = Detection::new(AUTO);
    detection.fix_line();
    assert_eq!(detection.steps(), 2, "and asked in silence");
    let options =
        ReadOptions { protocol: Some(Protocol::D0), baud: None, ..ReadOptions::default() };
    let mut detection = Detection::new(options);
    detection.fix_line();
    assert_eq!(detection.steps(), 2);
    detection.cannot_ask();
    assert_eq!((detection.steps(), detection.step().request), (1, false));
}

proptest! {
    /// Whatever comes, as long as nothing is understood every way of listening gets its turn.
    #[test]
    fn no_noise_holds_the_search(
        noise in proptest::collection::vec((0_u32..3000, any::<[u8; 16]>()), 1..50),
        protocol in prop_oneof![Just(None), Just(Some(Protocol::D0))],
    ) {
        let mut detection = Detection::new(ReadOptions { protocol, baud: None, ..ReadOptions::default() });
        let (mut now, mut seen) = (Duration::ZERO, vec![0; detection.steps()]);
        detection.begin(now);
        for (millis, bytes) in noise.iter().cycle() {
            let next = now + Duration::from_millis(u64::from(*millis) + 1);
            now = detection.deadline().map_or(next, |deadline| deadline.min(next));
            if now == next {
                detection.hear(bytes, now);
            }
            if detection.due(now).is_some() {
                seen[detection.at] += 1;
                detection.begin(now);
            }
            if seen.iter().all(|times| *times > 0) || now > Duration::from_secs(60) {
                break;
            }
        }
        prop_assert!(seen.iter().all(|times| *times > 0), "{seen:?} after {now:?}");
    }
}
