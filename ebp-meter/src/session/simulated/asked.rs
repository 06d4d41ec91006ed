//! Meters that wait to be asked.

use super::*;
use crate::diagnosis::Cause;

/// 190 registers, as many as a history of two years: three minutes at 300 baud.
fn history() -> Vec<u8> {
    let register =
        |count: u32| format!("1-0:1.8.0*{:02}({:09}.500*kWh)\r\n", count % 98, 4711 - count);
    let history: String = (1..190).map(register).collect();
    block(&format!("1-0:1.8.0*255(000125.25*kWh)\r\n{history}!\r\n"))
}

/// What `ebp read` does: it waits so long, and longer while an answer is under way.
fn patient(session: &mut Session, timeout: Duration) -> Option<Readout> {
    let mut deadline = session.pace.now() + timeout;
    loop {
        match session.next(deadline.saturating_sub(session.pace.now())).unwrap() {
            SessionEvent::Readout(readout) => return Some(*readout),
            SessionEvent::Noise(_) => {}
            SessionEvent::TimedOut => {
                let left = timeout.checked_sub(session.answering()?.silence)?;
                deadline = session.pace.now() + left;
            }
            SessionEvent::End => return None,
        }
    }
}

const TIMEOUT: Duration = Duration::from_secs(10);

#[test]
fn a_meter_that_wants_to_be_asked_is_asked_again_and_again() {
    let port = Simulated::new(Meter::Asked(Asked::default()));
    let (time, record) = (port.time.clone(), port.record.clone());
    let mut session = port.session(ReadOptions::default());
    let (protocol, at) = first(&mut session, &time);
    assert_eq!(protocol, Protocol::D0);
    assert!((4.5..7.5).contains(&at), "{at} s: silence at 9600 baud shows the way");
    assert_eq!(session.line(), Some(LineSettings::D0_PUSH), "it speaks faster than it is asked");
    let (_, again) = first(&mut session, &time);
    assert!((2.0..5.0).contains(&(again - at)), "{again} s");
    let written = record.written.lock().unwrap();
    assert_eq!(*written, [REQUEST, b"\x06050\r\n", REQUEST, b"\x06050\r\n"]);
}

/// Pafal 5EC3gr offers 9600 baud and answers at 300 alone.
#[test]
fn a_meter_that_does_not_do_what_it_offers_is_told_to_stay() {
    let answers = vec![(Some(&b"\x06000\r\n"[..]), 300, block(REGISTERS))];
    let port = Simulated::new(Meter::Asked(Asked { answers, ..Asked::default() }));
    let (time, record) = (port.time.clone(), port.record.clone());
    let mut session = port.session(ReadOptions::default());
    assert!(patient(&mut session, TIMEOUT).is_some());
    assert!(time.now() < Duration::from_secs(20), "{:?}", time.now());
    assert!(patient(&mut session, TIMEOUT).is_some());
    let written = record.written.lock().unwrap().clone();
    let (fast, slow) = (&b"\x06050\r\n"[..], &b"\x06000\r\n"[..]);
    assert_eq!(written, [REQUEST, fast, REQUEST, slow, REQUEST, slow], "what works is kept");
}

#[test]
fn the_speed_that_a_user_names_is_meant() {
    let options =
        ReadOptions { baud: Some(300), speed: AnswerSpeed::asked(Some(300)), ..Default::default() };
    let answers = vec![(Some(&b"\x06000\r\n"[..]), 300, block(REGISTERS))];
    let port = Simulated::new(Meter::Asked(Asked { answers, ..Asked::default() }));
    let (time, record) = (port.time.clone(), port.record.clone());
    assert!(patient(&mut port.session(options), TIMEOUT).is_some());
    assert!(time.now() < Duration::from_secs(6), "asked at once: {:?}", time.now());
    assert_eq!(*record.written.lock().unwrap(), [REQUEST, b"\x06000\r\n"]);
}

#[test]
fn an_answer_of_three_minutes_is_heard_and_nothing_is_sent_into_it() {
    for answers in [vec![(None, 300, history())], vec![(Some(&b"\x06000\r\n"[..]), 300, history())]]
    {
        let name: &[u8] =
            if answers[0].0.is_none() { b"/ELS@A1500\r\n" } else { b"/ELS0A1500\r\n" };
        let port = Simulated::new(Meter::Asked(Asked { name, answers, ..Asked::default() }));
        let (time, record) = (port.time.clone(), port.record.clone());
        let mut session = port.session(ReadOptions::default());
        let mut told = 0;
        while !matches!(session.next(Duration::from_secs(10)).unwrap(), SessionEvent::Readout(_)) {
            if let Some(progress) = session.answering() {
                told = progress.registers.max(told);
            }
            assert!(time.now() < Duration::from_secs(300));
        }
        assert!(told > 150, "{told} registers");
        assert!(time.now() > Duration::from_secs(150), "{:?}", time.now());
        let written = record.written.lock().unwrap().len();
        assert!(written <= 2, "{written} times something was sent");
    }
}

#[test]
fn only_the_meter_of_that_address_answers() {
    let meter = || Meter::Asked(Asked { request: b"/?12345678!\r\n", ..Asked::default() });
    let address = "12345678".parse().ok();
    let mut session =
        Simulated::new(meter()).session(ReadOptions { address, ..ReadOptions::default() });
    assert!(patient(&mut session, TIMEOUT).is_some());
    let mut session = Simulated::new(meter()).session(ReadOptions::default());
    assert_eq!(patient(&mut session, TIMEOUT), None);
    assert_eq!(session.cause(), Some(Cause::OwnEcho));
}

#[test]
fn a_line_without_settings_is_asked_with_and_without_parity_bits() {
    for parity in [false, true] {
        let answers = vec![(Some(&b"\x06000\r\n"[..]), 9600, block(REGISTERS))];
        let meter = Asked { answers, echo: false, ..Asked::default() };
        let mut port = Simulated::new(Meter::Asked(meter));
        (port.adjustable, port.parity) = (false, parity);
        let (time, record) = (port.time.clone(), port.record.clone());
        let mut session = port.session(ReadOptions::default());
        assert!(patient(&mut session, TIMEOUT).is_some(), "parity: {parity}");
        assert!(time.now() < TIMEOUT, "{:?}", time.now());
        let written = record.written.lock().unwrap().len();
        assert_eq!(written, if parity { 3 } else { 2 });
    }
}

#[test]
fn a_meter_that_falls_silent_is_given_up_and_named() {
    let port = Simulated::new(Meter::Asked(Asked { answers: Vec::new(), ..Asked::default() }));
    let (time, record) = (port.time.clone(), port.record.clone());
    let mut session = port.session(ReadOptions::default());
    assert_eq!(patient(&mut session, TIMEOUT), None);
    assert!(time.now() < Duration::from_secs(35), "{:?}", time.now());
    assert_eq!(session.cause(), Some(Cause::Named { manufacturer: "ISK".to_owned() }));
    let written = record.written.lock().unwrap();
    assert!(written.contains(&b"\x06050\r\n".to_vec()), "both speeds were tried");
    assert!(written.contains(&b"\x06000\r\n".to_vec()), "both speeds were tried");
}

#[test]
fn a_few_bytes_of_noise_do_not_delay_the_request() {
    let mut port = Simulated::new(Meter::Asked(Asked::default()));
    for (millis, byte) in [(10, 0x00), (900, 0xff), (2500, 0x80)] {
        let noise = (Duration::from_millis(millis), LineSettings::SML, vec![byte]);
        port.under_way.push_back(noise);
    }
    let time = port.time.clone();
    assert!(patient(&mut port.session(ReadOptions::default()), TIMEOUT).is_some());
    assert!(time.now() < Duration::from_secs(8), "{:?}", time.now());
}

/// Elster AS1440 pushes 257 registers: longer than the time-out, and heard from its middle at first.
#[test]
fn a_pushed_telegram_may_take_longer_than_the_time_out() {
    let body: String =
        (1..254).map(|at| format!("1-1:1.8.1*{:02}(0004711.815*kWh)\r\n", at % 98)).collect();
    let telegram =
        format!("/ELS5AS1440\r\n\r\n1-0:1.8.0(004711.815*kWh)\r\n{body}!\r\n").into_bytes();
    let line = LineSettings { baud: 4800, ..LineSettings::D0_PUSH };
    let takes = 2 * telegram.len() as u64;
    assert!(takes > 14_000);
    for adjustable in [true, false] {
        let mut port = Simulated::new(push(line, takes + 2500, telegram.clone()));
        port.adjustable = adjustable;
        // Its last part is under way.
        port.under_way.push_back((Duration::from_millis(50), line, telegram[1000..].to_vec()));
        let record = port.record.clone();
        let options = ReadOptions { baud: adjustable.then_some(4800), ..ReadOptions::default() };
        assert!(patient(&mut port.session(options), TIMEOUT).is_some());
        assert!(record.written.lock().unwrap().is_empty(), "nothing was sent into it");
    }
}
