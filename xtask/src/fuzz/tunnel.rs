//! Seeds of what a server sends at a device's end of the tunnel: bytes at rest, and frames of HTTP/2
//! (RFC 9113, section 4.1) with header blocks that keep no table (RFC 7541, section 6.2.2).

const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;
const DATA: u8 = 0;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const RST_STREAM: u8 = 3;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// Inputs of the target: the first byte says whether HTTP/2 begins at once.
pub fn seeds() -> Vec<Vec<u8>> {
    let connect = |stream, service: &str| {
        let session = "00000000-0000-4000-8000-000000000001";
        let block = [
            // The names of RFC 7541's table: `:method` is its second, `:authority` its first.
            named(2, "CONNECT"),
            named(1, service),
            literal("ebp-administrator", "erika"),
            literal("ebp-session", session),
        ];
        frame(HEADERS, END_HEADERS, stream, &block.concat())
    };
    // `:path` is its fourth, `https` its seventh, whole.
    let post = |path: &str| {
        let block = [named(2, "POST"), named(4, path), vec![0x87], named(1, "localhost")];
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &block.concat())
    };
    let begin = frame(SETTINGS, 0, 0, &[]);
    let small = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1, 0, 5, 0, 0, 0x40, 0]);
    let http = [
        [begin.clone(), frame(SETTINGS, ACK, 0, &[]), connect(1, "ssh")].concat(),
        [
            begin.clone(),
            connect(1, "ssh"),
            frame(DATA, 0, 1, b"hello"),
            frame(DATA, END_STREAM, 1, &[]),
        ]
        .concat(),
        [small.clone(), connect(1, "nothing"), frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])].concat(),
        [begin.clone(), frame(PING, 0, 0, &[7; 8]), frame(PING, ACK, 0, &[7; 8])].concat(),
        [begin.clone(), frame(WINDOW_UPDATE, 0, 0, &[0, 0x10, 0, 0]), post("/move")].concat(),
        [begin.clone(), post("/superseded"), frame(GOAWAY, 0, 0, &[0; 8])].concat(),
        // More sessions than there are places.
        (0..9).fold(begin, |frames, number| [frames, connect(2 * number + 1, "ssh")].concat()),
        (0..40).fold(small, |frames, _| [frames, frame(DATA, 0, 1, b"x")].concat()),
    ];
    let rest = [vec![0, 0, 0], vec![0, 2], vec![3], vec![9], vec![0, 1, b'P']];
    let led = |first: u8, bytes: Vec<u8>| [vec![first], bytes].concat();
    let http = http.into_iter().map(|bytes| led(1, bytes));
    http.chain(rest.into_iter().map(|bytes| led(0, bytes))).collect()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u32;
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A field whose name is that of the static table.
fn named(name: u8, value: &str) -> Vec<u8> {
    [vec![name], text(value)].concat()
}

fn literal(name: &str, value: &str) -> Vec<u8> {
    [vec![0], text(name), text(value)].concat()
}

/// Shorter than 127 octets.
fn text(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}
