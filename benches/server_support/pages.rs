//! How long answers to requests take that only read.

use std::time::{Duration, Instant};

use super::{client::Connection, parameter, quantile, server::Server};

/// The head of the table.
pub fn head() {
    println!(
        "{:<58} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "milliseconds; `server` is its processor time for one",
        "p50",
        "p99",
        "most",
        "server",
        "KiB"
    );
}

/// Asks in turn, `count` times or `EBP_BENCH_LISTS`.
pub async fn measure(
    what: &str,
    server: &Server,
    connection: &mut Connection,
    requests: &[Vec<u8>],
    count: usize,
) {
    // What is only done once: a secret is hashed, statements are prepared.
    let mut octets = 0;
    for request in requests {
        let answer = connection.send(request).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        octets = octets.max(answer.body.len());
    }
    let mut took = Vec::new();
    let before = server.process.cpu();
    for request in requests.iter().cycle().take(parameter("EBP_BENCH_LISTS", count)) {
        let start = Instant::now();
        assert_eq!(connection.send(request).await.unwrap().status, 200);
        took.push(start.elapsed());
    }
    let used = (server.process.cpu() - before) / u32::try_from(took.len()).unwrap();
    took.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{what:<58} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8}",
        ms(quantile(&took, 0.5)),
        ms(quantile(&took, 0.99)),
        ms(took[took.len() - 1]),
        ms(used),
        octets / 1024
    );
}
