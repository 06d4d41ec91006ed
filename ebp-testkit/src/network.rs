//! A network apart from the machine's: two ends, and between them a router that can let packets vanish.
//!
//! Enters: what is to run at which end. Leaves: its result. Absent: everything outside; nothing of the
//! machine's own network is changed. A test that asks for it is marked with `needs(network_namespaces)`.
//!
//! Between the ends no address is translated and no carrier is lost: while packets vanish neither end
//! is told anything, as when a line is cut behind the next router.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    net::Ipv4Addr,
    os::fd::AsFd,
    process::{Child, Command, Stdio},
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where the far end is reached from the near one.
pub const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 6);
/// Where the near end is.
pub const NEAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// Three network namespaces, which end with this.
pub struct Network {
    near: Namespace,
    router: Namespace,
    far: Namespace,
}

impl Network {
    /// One whose packets arrive.
    pub fn start() -> Self {
        let [near, router, far] = std::array::from_fn(|_| Namespace::start());
        router.configure(&format!(
            "link add near type veth peer name eth netns {}\n\
             link add far type veth peer name eth netns {}\n\
             address add 192.0.2.1/30 dev near\n\
             address add 192.0.2.5/30 dev far\n\
             link set near up\n\
             link set far up\n",
            near.keeper.id(),
            far.keeper.id()
        ));
        router.enter(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap());
        for (end, address, gateway) in [(&near, NEAR, "192.0.2.1"), (&far, FAR, "192.0.2.5")] {
            end.configure(&format!(
                "address add {address}/30 dev eth\nlink set eth up\nlink set lo up\n\
                 route add default via {gateway}\n"
            ));
        }
        Self { near, router, far }
    }

    /// Runs this at the near end: on a thread of its own, so that runtimes and processes that it starts
    /// are there as well.
    pub fn near<T: Send>(&self, run: impl FnOnce() -> T + Send) -> T {
        self.near.enter(run)
    }

    /// Runs this at the far end.
    pub fn far<T: Send>(&self, run: impl FnOnce() -> T + Send) -> T {
        self.far.enter(run)
    }

    /// From now on every packet vanishes, in both directions.
    pub fn lose_everything(&self) {
        self.router.configure(&routes("add"));
    }

    /// From now on packets arrive again.
    pub fn pass_again(&self) {
        self.router.configure(&routes("del"));
    }
}

fn routes(what: &str) -> String {
    format!("route {what} blackhole {NEAR}/32\nroute {what} blackhole {FAR}/32\n")
}

struct Namespace {
    /// Waits for its input to end.
    keeper: Child,
}

impl Namespace {
    fn start() -> Self {
        let mut keeper = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo apart; read nothing"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Before this it is still where everybody is.
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "apart\n");
        Self { keeper }
    }

    fn enter<T: Send>(&self, run: impl FnOnce() -> T + Send) -> T {
        let file = File::open(format!("/proc/{}/ns/net", self.keeper.id())).unwrap();
        let inside = || {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            run()
        };
        let done = thread::scope(|scope| scope.spawn(inside).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Runs these commands of `ip`, a line each.
    fn configure(&self, lines: &str) {
        self.enter(|| {
            let mut ip =
                Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
            ip.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
            assert!(ip.wait().unwrap().success(), "{lines}");
        });
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
