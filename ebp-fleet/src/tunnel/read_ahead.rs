//! A connection that is read in large pieces while much arrives.
//!
//! TLS asks a connection for 4 KiB at a time (rustls 0.23), each by a call of the system, though a
//! record has up to 16 KiB. Whoever fills such a request entirely probably has more: from then on
//! larger pieces are read, until nothing more is there. A connection at rest has no buffer.

use std::{
    future::Future,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What is read at once, and at most held.
const AHEAD: usize = 32 << 10;

/// A stream that is read ahead.
#[derive(Debug)]
pub struct ReadAhead<S> {
    stream: S,
    ahead: BytesMut,
    /// Whether the last read filled what there was to fill.
    is_busy: bool,
}

impl<S> ReadAhead<S> {
    /// That stream, of which nothing was read yet.
    pub fn new(stream: S) -> Self {
        Self { stream, ahead: BytesMut::new(), is_busy: false }
    }

    /// The stream itself.
    pub const fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, ahead, is_busy } = &mut *self;
        let room = buffer.remaining();
        if ahead.is_empty() {
            if !*is_busy || room >= AHEAD {
                let before = buffer.filled().len();
                ready!(Pin::new(stream).poll_read(context, buffer))?;
                *is_busy = buffer.filled().len() - before == room;
                return Poll::Ready(Ok(()));
            }
            ahead.reserve(AHEAD);
            let read = pin!(stream.read_buf(ahead)).poll(context);
            if !matches!(read, Poll::Ready(Ok(_))) {
                (*is_busy, *ahead) = (false, BytesMut::new());
            }
            ready!(read)?;
        }
        let length = ahead.len().min(room);
        buffer.put_slice(&ahead[..length]);
        ahead.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadAhead<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// Counts how often it is read.
    struct CountedReads<'a>(&'a [u8], usize);

    impl AsyncRead for CountedReads<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let (now, later) = self.0.split_at(buffer.remaining().min(self.0.len()));
            buffer.put_slice(now);
            (self.0, self.1) = (later, self.1 + 1);
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn much_is_read_in_large_pieces_and_little_as_it_comes() {
        let much: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut stream = ReadAhead::new(CountedReads(&much, 0));
        let (mut all, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let length = stream.read(&mut piece).await.unwrap();
            all.extend_from_slice(&piece[..length]);
            if length == 0 {
                break;
            }
        }
        assert!(all == much, "as it was sent");
        // Of 4 KiB each there would be 49.
        assert!(stream.stream.1 <= 9, "{} reads", stream.stream.1);

        let (mut sender, receiver) = tokio::io::duplex(1 << 20);
        let mut stream = ReadAhead::new(receiver);
        for _ in 0..3 {
            sender.write_all(&much[..10]).await.unwrap();
            assert_eq!(stream.read(&mut piece).await.unwrap(), 10);
            assert!(!stream.is_busy && stream.ahead.capacity() == 0, "nothing is held");
        }
        sender.write_all(&much[..4096 + 100]).await.unwrap();
        assert_eq!(stream.read(&mut piece).await.unwrap(), 4096);
        assert_eq!(stream.read(&mut piece[..60]).await.unwrap(), 60);
        assert_eq!(stream.read(&mut piece).await.unwrap(), 40);
        assert_eq!(poll_once(&mut stream, &mut piece), None);
        assert_eq!(stream.ahead.capacity(), 0, "at rest again");
        drop(sender);
        assert_eq!(stream.read(&mut piece).await.unwrap(), 0);
    }

    /// What is there at once, if anything is.
    fn poll_once<S: AsyncRead + Unpin>(
        stream: &mut ReadAhead<S>,
        piece: &mut [u8],
    ) -> Option<usize> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match pin!(stream.read(piece)).poll(&mut context) {
            Poll::Ready(length) => Some(length.unwrap()),
            Poll::Pending => None,
        }
    }
}
