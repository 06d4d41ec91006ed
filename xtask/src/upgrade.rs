//! `cargo xtask long upgrade`: two servers on one PostgreSQL are exchanged one by one for those of another
//! release and back, while devices send.
//!
//! Enters: an earlier commit or its program, PostgreSQL. Leaves: how many answers there were, or a
//! failure: an answer that is a server's error, or an acknowledged measurement that is not there.
//! Absent: releases whose servers cannot use the newer schema.

mod load;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use ebp_testkit::postgresql::{as_postgres, binaries};

use self::load::Load;
use crate::{
    contract::cluster::Cluster,
    manifests::start::{Running, ask, free_port},
    options::Options,
    run::{cargo, output, succeed},
    survey::Survey,
    target, test,
};

const USAGE: &str = "cargo xtask long upgrade [--from COMMIT] [--from-program FILE] \
    [--to-program FILE] [--seconds 10]";

/// The migrations, in which those are marked that an older server cannot use.
const MIGRATIONS: &str = "ebp-store/migrations/postgres";
const BREAKS: &str = "-- Breaks older servers:";

/// Devices that send at the same time.
const DEVICES: usize = 4;

/// Upgrades and rolls back; skipped, loudly, where there is no PostgreSQL.
///
/// # Errors
/// When an answer was wrong, a measurement is lost, or a program cannot be built or started.
pub fn run(arguments: &[String]) -> Result<()> {
    let known = ["from", "from-program", "to-program", "seconds"];
    let options = Options::parse(arguments, &known, USAGE)?;
    let while_of = options.last("seconds").unwrap_or("10").parse().context(USAGE)?;
    let Some(cluster) = Cluster::start()? else {
        eprintln!("\n*** SKIPPED: the upgrade. It needs PostgreSQL (Debian: postgresql). ***\n");
        return Ok(());
    };
    let older = match options.last("from-program") {
        Some(program) => PathBuf::from(program),
        None => build_older(options.last("from"))?,
    };
    let newer = match options.last("to-program") {
        Some(program) => PathBuf::from(program),
        None => {
            test::build_program()?;
            target().join("debug/ebp")
        }
    };
    ensure!(fs::read(&older)? != fs::read(&newer)?, "the older program is the newer one");
    exchange(&cluster, &older, &newer, Duration::from_secs(while_of))
}

/// The program of that commit; without one, of the oldest commit whose servers can use today's schema.
fn build_older(commit: Option<&str>) -> Result<PathBuf> {
    let commit = match commit {
        Some(commit) => commit.to_owned(),
        None => oldest_neighbour()?,
    };
    println!("upgrade: from {commit}");
    let folder = target().join("upgrade");
    let source = folder.join("source");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).arg(&source);
        command
    };
    if source.exists() {
        succeed(&mut git(&["worktree", "remove", "--force"]))?;
    }
    succeed(git(&["worktree", "add", "--detach"]).arg(&commit))?;
    let mut command = cargo();
    command.args(["build", "--locked", "--package", "ebp-cli", "--bin", "ebp"]);
    command.current_dir(&source).env("CARGO_TARGET_DIR", folder.join("build"));
    let built = succeed(&mut command);
    succeed(&mut git(&["worktree", "remove", "--force"]))?;
    built?;
    Ok(folder.join("build/debug/ebp"))
}

/// The commit that added the last migration that older servers cannot use.
fn oldest_neighbour() -> Result<String> {
    let mut breaking = Vec::new();
    for file in fs::read_dir(MIGRATIONS).context(MIGRATIONS)? {
        let path = file?.path();
        if fs::read_to_string(&path)?.contains(BREAKS) {
            breaking.push(path);
        }
    }
    let last = breaking.iter().max().context("no migration ever broke an older server")?;
    let mut log = Command::new("git");
    log.args(["log", "-1", "--diff-filter=A", "--format=%h", "--"]).arg(last);
    let commit = output(&mut log)?;
    ensure!(!commit.is_empty(), "no commit has {}", last.display());
    Ok(commit)
}

/// One of the two servers.
struct Server<'a> {
    survey: &'a Survey,
    port: u16,
    running: Running,
}

impl<'a> Server<'a> {
    fn start(survey: &'a Survey, program: &Path, port: u16) -> Result<Self> {
        let listen = format!("127.0.0.1:{port}");
        let mut command = survey.ebp_of(program, &["serve", "--listen", &listen]);
        // As many measurements as the devices have time for.
        command.env("EBP_SERVER_LIMITS__SLOTS_PERCENT", "0");
        let mut running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        ask(port, "/readyz", &mut running)?;
        Ok(Self { survey, port, running })
    }

    /// Ends it and starts another program in its place, once it has ended.
    fn replace(&mut self, program: &Path) -> Result<()> {
        self.running.end()?;
        *self = Self::start(self.survey, program, self.port)?;
        Ok(())
    }
}

fn exchange(cluster: &Cluster, older: &Path, newer: &Path, pause: Duration) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let database = cluster.database()?;
    let survey = Survey::create(older, folder.path(), Some(database.clone()))?;
    let first_migration = ask_database(&database, "SELECT max(version) FROM schema_migration")?;
    let mut households = Vec::new();
    for number in 1..=DEVICES {
        households.push(survey.register(number)?);
    }
    let mut servers = Vec::new();
    for _ in 0..2 {
        servers.push(Server::start(&survey, older, free_port()?)?);
    }
    let url = format!("https://localhost:{}", servers[0].port);
    for household in &households {
        survey.enroll(household, Command::new(older), &url)?;
    }
    let load = Load::start(&households, &servers.iter().map(|own| own.port).collect::<Vec<_>>())?;
    let step = |what: &str| -> Result<()> {
        let before = load.answers();
        sleep(pause);
        println!("upgrade: {what}: {}", load.tell());
        ensure!(load.answers() > before, "no device had an answer meanwhile");
        Ok(())
    };
    step("two older servers")?;
    for (index, program, what) in [
        (0, newer, "one newer and one older"),
        (1, newer, "two newer"),
        (1, older, "one newer and one older again"),
        (0, older, "two older again"),
        (0, newer, "one newer"),
        (1, newer, "two newer"),
    ] {
        let server = servers.get_mut(index).context("two servers")?;
        server.replace(program)?;
        step(what)?;
    }
    let result = load.end()?;
    let last_migration = ask_database(&database, "SELECT max(version) FROM schema_migration")?;
    println!("upgrade: the schema went from {first_migration} to {last_migration}");
    let stored = ask_database(&database, "SELECT uuid FROM measurement WHERE uuid IS NOT NULL")?;
    let stored: BTreeSet<_> = stored.lines().collect();
    let lost = result.acknowledged.iter().filter(|uuid| !stored.contains(uuid.as_str())).count();
    println!(
        "upgrade: {} answers, {} repeated at the other server; {} measurements acknowledged, {lost} lost",
        result.answers,
        result.repeated,
        result.acknowledged.len()
    );
    for wrong in &result.wrong {
        eprintln!("upgrade: {wrong}");
    }
    if lost > 0 || !result.wrong.is_empty() {
        bail!("{} wrong answers, {lost} measurements lost", result.wrong.len());
    }
    Ok(())
}

/// What a query's rows are, one a line.
fn ask_database(database: &str, query: &str) -> Result<String> {
    let psql = binaries().context("no PostgreSQL")?.join("psql");
    let program = as_postgres(&psql);
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).args(["--no-psqlrc", "--tuples-only", "--no-align", "--command"]);
    output(command.args([query, database]).current_dir("/"))
}
