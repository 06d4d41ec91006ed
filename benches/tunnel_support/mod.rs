//! What the tunnel's benchmark carries connections with, and between.

pub mod ends;
pub mod identity;
pub mod rivals;
pub mod services;

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::Child,
    time::Duration,
};

use crate::process::Process;

/// What a visitor reaches: one that takes everything, one that sends, one that greets and answers.
pub const SERVICES: [&str; 3] = ["sink", "source", "echo"];

/// Both ends of a tunnel, and where a visitor enters for each service.
pub struct Rival {
    pub name: &'static str,
    pub ports: [u16; SERVICES.len()],
    pub ends: [Ended; 2],
}

impl Rival {
    /// Processor time of both ends so far.
    pub fn cpu(&self) -> Duration {
        self.ends.iter().map(|end| Process(end.0.id()).cpu()).sum()
    }

    /// Waits until a visitor is let in.
    pub fn wait(self) -> Self {
        use std::io::Read;
        for _ in 0..200 {
            let greeting = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports[2]))
                .and_then(|mut stream| stream.read_exact(&mut [0]));
            if greeting.is_ok() {
                return self;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{}: nobody is let in", self.name);
    }
}

/// A process, ended with this.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[allow(clippy::cast_precision_loss, reason = "figures")]
pub fn as_f64(number: usize) -> f64 {
    number as f64
}
