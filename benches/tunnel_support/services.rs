//! The services at the device's side, each connection on a thread of its own.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
};

use super::SERVICES;

pub struct Services {
    pub ports: [u16; SERVICES.len()],
}

impl Services {
    /// Starts them; the one that sends sends so many bytes.
    pub fn start(length: usize) -> Self {
        let sink = serve(|stream| {
            let mut piece = vec![0; 64 << 10];
            while (&stream).read(&mut piece).is_ok_and(|read| read > 0) {}
            let _ = (&stream).write_all(&[1]);
        });
        let source = serve(move |stream| {
            let piece = vec![0xa5; 64 << 10];
            for _ in 0..length / piece.len() {
                if (&stream).write_all(&piece).is_err() {
                    break;
                }
            }
        });
        let echo = serve(|stream| {
            let mut piece = [0; 4096];
            let mut answer: &[u8] = &[1];
            loop {
                if (&stream).write_all(answer).is_err() {
                    break;
                }
                match (&stream).read(&mut piece) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => answer = &piece[..read],
                }
            }
        });
        Self { ports: [sink, source, echo] }
    }
}

fn serve(answer: impl Fn(TcpStream) + Send + Clone + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            let _ = stream.set_nodelay(true);
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}
