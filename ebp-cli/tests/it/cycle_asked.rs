//! The measurement cycle with meters that must be asked (IEC 62056-21, modes A to C).

use std::{fs, time::Duration};

use crate::support::{
    asked::{AskedMeter, Manner},
    household::Household,
    server::Server,
};

const MODEL: &str = "MT174";

/// Registers between STX and ETX, with their check character.
fn block(registers: &str) -> Vec<u8> {
    let mut block = format!("{registers}!\r\n\x03").into_bytes();
    block.push(block.iter().fold(0, |check, byte| check ^ byte));
    block.insert(0, 2);
    block
}

/// The total comes last, behind a history.
fn history() -> Vec<u8> {
    let history: String =
        (1..90).map(|at| format!("1-0:1.8.0*{at:02}({at:09}.500*kWh)\r\n")).collect();
    block(&format!("{history}1-0:2.8.0*255(000000.125*kWh)\r\n1-0:1.8.0*255(004711.815*kWh)\r\n"))
}

/// An answer of minutes, ten times as fast: it takes longer than the 2 s that a meter is waited for.
#[test]
fn a_long_answer_becomes_a_whole_measurement() {
    let server = Server::start();
    let household = Household::register(&server, "erika@example.org", &[MODEL], "1m");
    let text = fs::read_to_string(&household.config).unwrap();
    let text = text.replace("timeout = \"10s\"", "timeout = \"2s\"");
    fs::write(&household.config, text).unwrap();
    let data = history();
    let pieces = u32::try_from(data.len() / 10).unwrap();
    let manner = Manner {
        name: b"/ISk5MT174-0001\r\n",
        slowness: Duration::from_secs(9) / pieces,
        ..Manner::answering(b"\x06050\r\n", 9600, data)
    };
    let _meter = AskedMeter::start(&household.folder.path().join(MODEL), manner);
    household.account(&server).grant();
    household.measure().done();
    let pending = household.spool().pending(10).unwrap();
    let [measurement] = &pending[..] else { panic!("{pending:?}") };
    let values: Vec<_> = measurement.data.iter().map(|point| point.value.to_string()).collect();
    assert_eq!(values, ["4711.815", "0.125"]);
    assert!(measurement.flags.is_empty(), "{:?}", measurement.flags);
}
