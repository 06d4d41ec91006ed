//! What Prometheus is told.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    str::FromStr,
};

use ebp_needs::needs;

use super::people::{Participant, anybody, as_group};
use crate::{metrics_file::promtool_accepts, support::server::Server};

/// Each sample by its name and labels; asserts the form of OpenMetrics as far as it is used.
fn parse(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut types = BTreeMap::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} twice");
        } else if !line.starts_with('#') {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let name = sample.split('{').next().unwrap();
            let family = ["_total", "_bucket", "_sum", "_count"]
                .iter()
                .find_map(|ending| name.strip_suffix(ending).filter(|n| types.contains_key(*n)))
                .unwrap_or(name);
            assert!(types.contains_key(family), "{line} has no type");
            samples.insert(sample.to_owned(), value.parse().unwrap());
        }
    }
    samples
}

fn ask(server: &Server) -> String {
    let answer = as_group(server, "administrators", "/metrics", None);
    assert_eq!(answer.status(), 200);
    answer.text().unwrap()
}

/// What stands behind that name in the metrics, if it is there.
pub fn sample<T: FromStr>(server: &Server, name: &str) -> Option<T> {
    let text = ask(server);
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|value| value.trim().parse().ok())
}

#[test]
fn everything_that_happened_is_counted() {
    let server = Server::start();
    server.set_secrets();
    let before = parse(&ask(&server));
    assert_eq!(before["ebp_tls_handshakes_total{outcome=\"failed\"}"], 0.0);
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    erika.account(&server).grant();
    assert_eq!(erika.report(&server, 0..4).unwrap().0, 200);
    assert_eq!(erika.report(&server, 2..6).unwrap().0, 200);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let _ = stream.read_to_end(&mut Vec::new());

    let text = ask(&server);
    let after = parse(&text);
    let is =
        |sample: &str, value: f64| assert_eq!(after.get(sample), Some(&value), "{sample}\n{text}");
    is("ebp_uploads_total", 2.0);
    is("ebp_measurements_total{outcome=\"accepted\"}", 6.0);
    is("ebp_measurements_total{outcome=\"duplicate\"}", 2.0);
    is("ebp_measurements_total{outcome=\"refused\"}", 0.0);
    is("ebp_tls_handshakes_total{outcome=\"failed\"}", 1.0);
    is("ebp_devices{state=\"active\"}", 1.0);
    for state in ["silent", "never", "revoked"] {
        is(&format!("ebp_devices{{state=\"{state}\"}}"), 0.0);
    }
    let upload = "route=\"/household/meter/measurement\"";
    is(&format!("ebp_requests_total{{method=\"POST\",{upload},status=\"200\"}}"), 2.0);
    is(&format!("ebp_request_duration_seconds_count{{{upload}}}"), 2.0);
    assert!(after["ebp_connections"] >= 1.0, "{text}");
    assert!(!text.contains(&erika.meter.to_string()) && !text.contains("example.org"), "{text}");
}

/// It knows the older format only.
#[needs(promtool)]
#[test]
fn the_tool_of_prometheus_finds_no_fault() {
    let server = Server::start();
    server.set_secrets();
    let request = anybody(&server).get(format!("{}/metrics", server.url()));
    let request = request.basic_auth("administrators", Some("the secret of the administrators"));
    let text = request.header("accept", "text/plain").send().unwrap().text().unwrap();
    promtool_accepts(&text);
}

#[needs(postgresql)]
#[test]
fn the_pool_of_postgresql_is_counted() {
    let cluster = crate::cluster::shared();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (url, _) = runtime.block_on(cluster.database());
    let server = Server::start_in(&[
        ("EBP_SERVER_DATABASE_URL", &url),
        ("EBP_SERVER_DATABASE_CONNECTIONS", "3"),
    ]);
    server.set_secrets();
    let samples = parse(&ask(&server));
    assert_eq!(samples["ebp_database_connections{state=\"most\"}"], 3.0);
    let open = samples["ebp_database_connections{state=\"idle\"}"]
        + samples["ebp_database_connections{state=\"used\"}"];
    assert!((1.0..=3.0).contains(&open), "{samples:?}");
}
