//! Carries bytes between a stream of HTTP/2 and a connection, each direction to its own end.
//!
//! A direction that ends is told to the other side (half-close), and the other direction goes on. What
//! arrives by HTTP/2 is taken out of its frames at once and stored until it is written, bounded by the
//! stream's window: thousands of tiny frames that wait would otherwise end the whole connection. The
//! window opens again only by what was written.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use h2::{RecvStream, SendStream};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, sleep, sleep_until},
};

/// What is read at once.
const CHUNK: usize = 64 << 10;

/// Pieces below this size are joined while they wait.
const SMALL: usize = 4 << 10;

/// How many bytes a session has carried.
#[derive(Debug, Default)]
pub struct Carried {
    to_tunnel: AtomicU64,
    from_tunnel: AtomicU64,
}

impl Carried {
    /// Bytes from the connection into the tunnel.
    pub fn to_tunnel(&self) -> u64 {
        self.to_tunnel.load(Ordering::Relaxed)
    }

    /// Bytes from the tunnel to the connection.
    pub fn from_tunnel(&self) -> u64 {
        self.from_tunnel.load(Ordering::Relaxed)
    }

    fn all(&self) -> u64 {
        self.to_tunnel().wrapping_add(self.from_tunnel())
    }
}

/// How long a session may last.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Without a byte in either direction.
    pub idle: Duration,
    /// In all.
    pub longest: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle: Duration::from_secs(2 * 3_600), longest: Duration::from_secs(12 * 3_600) }
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayEnd {
    /// Both directions ended by themselves.
    Closed,
    /// A side broke off.
    Broken,
    /// It was idle for too long.
    Idle,
    /// It lasted too long.
    TooLong,
}

/// Carries bytes until both directions have ended, one breaks off, or a limit is reached.
pub async fn relay<S: AsyncRead + AsyncWrite>(
    connection: S,
    mut send: SendStream<Bytes>,
    mut receive: RecvStream,
    carried: &Arc<Carried>,
    limits: SessionLimits,
) -> RelayEnd {
    let (mut reader, mut writer) = tokio::io::split(connection);
    let both = async {
        tokio::try_join!(
            into_tunnel(&mut reader, &mut send, carried),
            out_of_tunnel(&mut receive, &mut writer, carried)
        )
    };
    tokio::select! {
        ended = both => match ended {
            Ok(_) => RelayEnd::Closed,
            Err(error) => {
                tracing::debug!(%error, "a session broke off");
                RelayEnd::Broken
            }
        },
        () = wait_until_idle(carried, limits.idle) => RelayEnd::Idle,
        () = sleep(limits.longest) => RelayEnd::TooLong,
    }
}

/// Carries bytes between two connections in the same way; `far` stands for the tunnel.
pub async fn splice<N, F>(
    near: N,
    far: F,
    carried: &Arc<Carried>,
    limits: SessionLimits,
) -> RelayEnd
where
    N: AsyncRead + AsyncWrite,
    F: AsyncRead + AsyncWrite,
{
    let (mut near_reader, mut near_writer) = tokio::io::split(near);
    let (mut far_reader, mut far_writer) = tokio::io::split(far);
    let both = async {
        tokio::try_join!(
            copy(&mut near_reader, &mut far_writer, &carried.to_tunnel),
            copy(&mut far_reader, &mut near_writer, &carried.from_tunnel)
        )
    };
    tokio::select! {
        ended = both => if ended.is_ok() { RelayEnd::Closed } else { RelayEnd::Broken },
        () = wait_until_idle(carried, limits.idle) => RelayEnd::Idle,
        () = sleep(limits.longest) => RelayEnd::TooLong,
    }
}

async fn copy<R, W>(reader: &mut R, writer: &mut W, count: &AtomicU64) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = reader.read(&mut buffer).await?;
        if length == 0 {
            return writer.shutdown().await;
        }
        writer.write_all(&buffer[..length]).await?;
        writer.flush().await?;
        count.fetch_add(length as u64, Ordering::Relaxed);
    }
}

async fn wait_until_idle(carried: &Carried, idle: Duration) {
    let (mut seen, mut since) = (carried.all(), Instant::now());
    loop {
        sleep_until(since + idle).await;
        let now = carried.all();
        if now == seen {
            return;
        }
        (seen, since) = (now, Instant::now());
    }
}

async fn into_tunnel<R: AsyncRead + Unpin>(
    reader: &mut R,
    send: &mut SendStream<Bytes>,
    carried: &Carried,
) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK);
        if reader.read_buf(&mut buffer).await? == 0 {
            send.send_data(Bytes::new(), true).map_err(io::Error::other)?;
            return Ok(());
        }
        let mut piece = buffer.split().freeze();
        while !piece.is_empty() {
            send.reserve_capacity(piece.len());
            let capacity = poll_fn(|context| send.poll_capacity(context)).await;
            let capacity = match capacity {
                Some(capacity) => capacity.map_err(io::Error::other)?,
                None => return Err(io::ErrorKind::BrokenPipe.into()),
            };
            let part = piece.split_to(capacity.min(piece.len()));
            carried.to_tunnel.fetch_add(part.len() as u64, Ordering::Relaxed);
            send.send_data(part, false).map_err(io::Error::other)?;
        }
    }
}

async fn out_of_tunnel<W: AsyncWrite + Unpin>(
    receive: &mut RecvStream,
    writer: &mut W,
    carried: &Carried,
) -> io::Result<()> {
    let mut waiting = Waiting::default();
    let (mut is_open, mut is_unflushed) = (true, false);
    while is_open || is_unflushed || !waiting.is_empty() {
        let write = async {
            match waiting.first() {
                Some(first) => writer.write(first).await.map(Some),
                None => writer.flush().await.map(|()| None),
            }
        };
        tokio::select! {
            piece = receive.data(), if is_open => match piece {
                Some(piece) => waiting.push(piece.map_err(io::Error::other)?),
                None => is_open = false,
            },
            written = write, if is_unflushed || !waiting.is_empty() => match written? {
                Some(0) => return Err(io::ErrorKind::WriteZero.into()),
                Some(length) => {
                    waiting.advance(length);
                    is_unflushed = true;
                    carried.from_tunnel.fetch_add(length as u64, Ordering::Relaxed);
                    receive.flow_control().release_capacity(length).map_err(io::Error::other)?;
                }
                None => is_unflushed = false,
            },
        }
    }
    writer.shutdown().await
}

/// Bytes that are to be written. The sender's window bounds them.
#[derive(Default)]
struct Waiting {
    pieces: VecDeque<Bytes>,
    /// Small pieces behind those, joined.
    small: BytesMut,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.small.is_empty()
    }

    fn first(&self) -> Option<&[u8]> {
        let first = self.pieces.front().map(|piece| &piece[..]);
        first.or((!self.small.is_empty()).then_some(&self.small[..]))
    }

    fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        // A first piece is written as it is: that is the usual case, and needs no copy.
        if piece.len() < SMALL && !self.is_empty() {
            self.small.extend_from_slice(&piece);
            return;
        }
        if !self.small.is_empty() {
            self.pieces.push_back(self.small.split().freeze());
        }
        self.pieces.push_back(piece);
    }

    fn advance(&mut self, length: usize) {
        match self.pieces.front_mut() {
            Some(first) if length < first.len() => first.advance(length),
            Some(_) => drop(self.pieces.pop_front()),
            None => self.small.advance(length.min(self.small.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_written_in_order_and_small_pieces_are_joined() {
        let (mut waiting, mut expected) = (Waiting::default(), Vec::new());
        for (number, length) in [1, 3, 5000, 2, 0, 4096, 7, 7, 7].into_iter().enumerate() {
            let piece = vec![u8::try_from(number).unwrap(); length];
            expected.extend_from_slice(&piece);
            waiting.push(piece.into());
        }
        assert!(waiting.pieces.len() <= 5, "{}", waiting.pieces.len());
        let mut written = Vec::new();
        while let Some(first) = waiting.first() {
            let some = first.len().div_ceil(2);
            written.extend_from_slice(&first[..some]);
            waiting.advance(some);
        }
        assert_eq!(written, expected);
    }
}
