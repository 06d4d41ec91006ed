//! A hundred clients ask for a large page at the same time and read none of it.

use std::{fs, thread, time::Duration};

use crate::{
    memory::memory,
    raw::{connect, rest, send, tls},
    senders::{batch, client, granted_at, insist},
    support::{household::Household, server::Server},
};

/// Clients at the same time.
const CLIENTS: usize = 100;
/// How much more memory than an idle server the answers take, KiB: each page is 0.6 MB of JSON.
const MOST_KIB: u64 = 250 << 10;

#[test]
fn memory_of_large_answers_is_bounded() {
    let mut server = Server::configured("[limits]\nrequests_per_second = 0\n");
    let household = Household::register(&server, "erika@example.org", &["MT175"], "15m");
    household.account(&server).grant();
    let (since, device) = (granted_at(&server, &household), client(&server, &household));
    for part in 0..3 {
        insist(&device, &batch(&household, since, part * 1_000, 1_000));
    }
    let tls = tls(&server, &household.participant);
    let path = format!("/household/meter/{}/measurement?limit=3000", household.meters[0]);
    let mut peaks = Vec::new();
    for encoding in ["identity", "gzip", "zstd"] {
        thread::sleep(Duration::from_millis(500));
        let idle = memory(&server, "VmRSS");
        fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             accept-encoding: {encoding}\r\n\r\n"
        );
        let mut streams: Vec<_> = (0..CLIENTS).map(|_| connect(&server, &tls).unwrap()).collect();
        for stream in &mut streams {
            assert!(send(stream, head.as_bytes()));
        }
        // Until nothing grows any more.
        let (mut last, mut steady) = (0, 0);
        while steady < 5 {
            thread::sleep(Duration::from_millis(300));
            let now = memory(&server, "VmRSS");
            steady = if now.abs_diff(last) < 512 { steady + 1 } else { 0 };
            last = now;
        }
        let mut octets = 0;
        for stream in &mut streams {
            let answer = rest(stream);
            assert!(answer.starts_with("HTTP/1.1 200 "), "{}", &answer[..answer.len().min(300)]);
            octets += answer.len();
        }
        assert!(server.is_running(), "{encoding}: the server has ended");
        let more = memory(&server, "VmHWM").saturating_sub(idle);
        println!("{encoding}: {more} KiB more than before, {octets} octets of text were read");
        peaks.push(more);
    }
    let [plain, gzip, zstd] = peaks[..] else { panic!("{peaks:?}") };
    assert!(plain < MOST_KIB && gzip < MOST_KIB && zstd < MOST_KIB, "{peaks:?}");
}
