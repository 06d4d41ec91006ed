//! Bodies that unpack or parse to far more than they are: thirty at once of each kind, half of them
//! hung up after the last octet. The server's memory stays bounded, and others are served.

use std::{
    fs,
    io::Write,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ebp_needs::needs;
use flate2::{Compression, write::GzEncoder};

use crate::{
    cluster::Cluster,
    kills::block_on,
    raw::{connect, hang_up, rest, send, tls, upload_head},
    senders::{batch, client, granted_at, insist},
    support::{household::Household, server::Server},
};

/// At once.
const SENDERS: usize = 30;

/// More than an idle server has, in KiB.
const MOST_KIB: u64 = 100 << 10;

/// How long another one's upload may take.
const SOON: Duration = Duration::from_secs(20);

/// A body that is written piece by piece.
struct Kind {
    name: &'static str,
    open: &'static [u8],
    piece: Vec<u8>,
    times: usize,
    close: &'static [u8],
}

impl Kind {
    fn all() -> Vec<Self> {
        let list = |name, piece: &[u8], times| Self {
            name,
            open: b"{\"measurements\":[",
            piece: [piece, b","].concat(),
            times,
            close: b"0]}",
        };
        let deep = [vec![b'['; 16], vec![b']'; 16]].concat();
        let members: String = (0..10_000).map(|i| format!("\"m{i}\":0,")).collect();
        vec![
            list("two million objects", b"{\"a\":0}", 2_000_000),
            list("490,000 arrays 16 deep", &deep, 490_000),
            list("eight million numbers", b"0", 8_000_000),
            Self {
                name: "a string of 200 MB",
                open: b"{\"measurements\":[\"",
                piece: vec![b'a'; 1_000_000],
                times: 200,
                close: b"\"]}",
            },
            Self {
                name: "10,000 members in one object",
                open: b"{\"measurements\":[{",
                piece: members.into_bytes(),
                times: 1,
                close: b"\"m\":0}]}",
            },
        ]
    }

    fn write(&self, mut to: impl Write) {
        to.write_all(self.open).unwrap();
        for _ in 0..self.times {
            to.write_all(&self.piece).unwrap();
        }
        to.write_all(self.close).unwrap();
    }

    fn length(&self) -> usize {
        self.open.len() + self.piece.len() * self.times + self.close.len()
    }

    fn packed(&self, encoding: &str) -> Vec<u8> {
        let mut body = Vec::new();
        match encoding {
            "gzip" => {
                let mut packed = GzEncoder::new(&mut body, Compression::fast());
                self.write(std::io::BufWriter::with_capacity(1 << 20, &mut packed));
                packed.finish().unwrap();
            }
            _ => {
                let mut packed = zstd::stream::write::Encoder::new(&mut body, 3).unwrap();
                self.write(std::io::BufWriter::with_capacity(1 << 20, &mut packed));
                packed.finish().unwrap();
            }
        }
        body
    }
}

/// A line of the process's status, in KiB.
pub fn memory(server: &Server, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// One of the thirty.
#[derive(Clone, Copy)]
struct Sender {
    consents: bool,
    hangs_up: bool,
    in_chunks: bool,
}

/// Sends the body in one go, or as far as it is listened to, and returns the answer's status.
fn attack(
    server: &Server,
    household: &Household,
    sender: Sender,
    kind: &Kind,
    encoding: &str,
    body: Option<&[u8]>,
    start: &Barrier,
) -> Option<u16> {
    let connected = connect(server, &tls(server, &household.device_certificate));
    start.wait();
    let mut stream = connected.unwrap();
    let length = body.map_or_else(|| kind.length(), <[u8]>::len);
    let head = upload_head((!sender.in_chunks).then_some(length), encoding);
    let mut more = send(&mut stream, head.as_bytes());
    let mut write = |bytes: &[u8]| {
        if sender.in_chunks {
            more = more && send(&mut stream, format!("{:x}\r\n", bytes.len()).as_bytes());
        }
        more = more && send(&mut stream, bytes);
        if sender.in_chunks {
            more = more && send(&mut stream, b"\r\n");
        }
        more
    };
    match body {
        Some(body) => {
            write(body);
        }
        None => {
            let mut all = Vec::new();
            let piece = kind.piece.repeat((1 << 20) / kind.piece.len().min(1 << 20));
            let pieces = (kind.times * kind.piece.len()).div_ceil(piece.len());
            all.extend(kind.open);
            for _ in 0..pieces {
                all.extend(&piece);
                if !write(&all) {
                    break;
                }
                all.clear();
            }
            write(kind.close);
        }
    }
    if sender.in_chunks {
        send(&mut stream, b"0\r\n\r\n");
    }
    if sender.hangs_up {
        hang_up(&stream);
        return None;
    }
    let answer = rest(&mut stream);
    answer.get(9..12).and_then(|status| status.parse().ok())
}

fn hold(mut server: Server) {
    let consenting = Household::register(&server, "erika@example.org", &["MT175"], "15m");
    consenting.account(&server).grant();
    let hesitant = Household::register(&server, "max@example.org", &["MT175"], "15m");
    let other = Household::register(&server, "zoe@example.org", &["MT175"], "15m");
    other.account(&server).grant();
    let (since, device) = (granted_at(&server, &other), client(&server, &other));
    insist(&device, &batch(&other, since, 0, 1000));
    let idle = memory(&server, "VmRSS");
    let (mut number, mut worst) = (1000, (0, String::new()));
    for kind in Kind::all() {
        for encoding in ["", "gzip", "zstd"] {
            let body = (!encoding.is_empty()).then(|| kind.packed(encoding));
            let case =
                format!("{}, {}", kind.name, if encoding.is_empty() { "plain" } else { encoding });
            // The highest from here on.
            fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").unwrap();
            let (start, ended) = (Barrier::new(SENDERS), AtomicBool::new(false));
            let (mut served, mut longest) = (0, Duration::ZERO);
            thread::scope(|scope| {
                let senders: Vec<_> = (0..SENDERS)
                    .map(|i| {
                        let sender = Sender {
                            hangs_up: i % 2 == 0,
                            consents: i / 2 % 3 != 0,
                            in_chunks: i / 6 % 2 == 0,
                        };
                        let household = if sender.consents { &consenting } else { &hesitant };
                        let (server, kind, start) = (&server, &kind, &start);
                        let body = body.as_deref();
                        scope.spawn(move || {
                            attack(server, household, sender, kind, encoding, body, start)
                        })
                    })
                    .collect();
                let serve = scope.spawn(|| {
                    let (mut served, mut longest) = (0_usize, Duration::ZERO);
                    while !ended.load(Ordering::Relaxed) || served == 0 {
                        let before = Instant::now();
                        insist(&device, &batch(&other, since, number + served * 4, 4));
                        longest = longest.max(before.elapsed());
                        served += 1;
                        thread::sleep(Duration::from_millis(50));
                    }
                    (served, longest)
                });
                for sender in senders {
                    if let Some(status) = sender.join().unwrap() {
                        assert!([400, 409, 413, 429].contains(&status), "{case}: {status}");
                    }
                }
                ended.store(true, Ordering::Relaxed);
                (served, longest) = serve.join().unwrap();
            });
            number += served * 4;
            // What was hung up is still worked on for a moment.
            thread::sleep(Duration::from_millis(500));
            assert!(server.is_running(), "{case}: the server has ended");
            let more = memory(&server, "VmHWM").saturating_sub(idle);
            println!(
                "{case}: {more} KiB more than idle, {served} uploads of others, the longest {longest:?}"
            );
            assert!(longest < SOON, "{case}: others waited for {longest:?}");
            if more > worst.0 {
                worst = (more, case);
            }
        }
    }
    assert!(worst.0 < MOST_KIB, "{} KiB more than idle: {}", worst.0, worst.1);
}

const LIMITS: &str = "[limits]\nrequests_per_second = 0\n";

#[test]
fn memory_is_bounded_on_sqlite() {
    hold(Server::configured(LIMITS));
}

#[needs(postgresql)]
#[test]
fn memory_is_bounded_on_postgresql() {
    let cluster = Arc::new(Cluster::start(""));
    let (url, _) = block_on(cluster.database());
    hold(Server::configured(&format!("database_url = {url:?}\n{LIMITS}")));
}
