//! Other time series servers from Debian's packages, over their HTTP APIs.

use std::{
    fmt::Write as _,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use ebp_core::model::Measurement;

use super::{
    client::{Connection, get},
    process::Process,
};

/// A server that takes points in InfluxDB's line protocol.
pub struct Rival {
    pub name: &'static str,
    /// What an acknowledgement means there.
    pub promise: &'static str,
    pub address: SocketAddr,
    pub process: Process,
    child: Child,
    folder: tempfile::TempDir,
}

/// Those that are installed, and what is missing.
pub async fn all() -> (Vec<Rival>, Vec<&'static str>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (name, package, start) in [
        ("VictoriaMetrics", "victoria-metrics", victoria as fn(&Path, SocketAddr) -> Command),
        ("InfluxDB", "influxdb", influx),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = start(folder.path(), address);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            missing.push(package);
            continue;
        };
        let promise = match name {
            "InfluxDB" => "synced",
            _ => "in memory, on disk seconds later",
        };
        let process = Process(child.id());
        let rival = Rival { name, promise, address, process, child, folder };
        rival.ready().await;
        found.push(rival);
    }
    (found, missing)
}

fn victoria(folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new("victoria-metrics");
    command.arg(format!("-storageDataPath={}", folder.join("data").display()));
    command.arg(format!("-httpListenAddr={address}")).arg("-retentionPeriod=100y");
    command
}

fn influx(folder: &Path, address: SocketAddr) -> Command {
    let config = folder.join("influxdb.conf");
    let at = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        "reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n[meta]\ndir = \"{}\"\n\
         [data]\ndir = \"{}\"\nwal-dir = \"{}\"\nmax-series-per-database = 0\n\
         [http]\nbind-address = \"{address}\"\nlog-enabled = false\n[monitor]\nstore-enabled = false\n",
        at("meta"),
        at("data"),
        at("wal")
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new("influxd");
    command.arg("-config").arg(config);
    command
}

impl Rival {
    async fn ready(&self) {
        let start = Instant::now();
        let create = get("/query?q=CREATE%20DATABASE%20ebp", "content-length: 0\r\n");
        let create = [b"POST", &create[3..]].concat();
        while start.elapsed() < Duration::from_secs(20) {
            if let Ok(mut connection) = Connection::plain(self.address).await
                && connection.send(&create).await.is_ok()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} does not answer; its folder was {}", self.name, self.folder.path().display());
    }

    /// The request that writes these: a point for each register.
    pub fn report(rows: &[Measurement]) -> Vec<u8> {
        let mut lines = String::new();
        for row in rows {
            write!(lines, "m,meter={} ", row.meter).unwrap();
            for (place, point) in row.data.iter().enumerate() {
                let comma = if place == 0 { "" } else { "," };
                write!(lines, "{comma}{}={}", point.obis, point.value).unwrap();
            }
            writeln!(lines, " {}", row.measured_at.as_second()).unwrap();
        }
        super::client::post("/write?db=ebp&precision=s", lines.as_bytes())
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
