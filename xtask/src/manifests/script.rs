//! The scripts that jobs run, on a PostgreSQL: a backup, its retention, and a restore after which nothing
//! revoked is there again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use super::start::{Running, ask, free_port};
use crate::{
    contract::cluster::Cluster,
    run::{output, shown, succeed, works},
};

const BACKUP: &str = "deploy/kustomize/database/backup.sh";
const RESTORE: &str = "deploy/kustomize/restore/restore.sh";

/// Backs up, revokes, restores and applies; skipped, loudly, where there is no PostgreSQL.
pub fn run(program: &Path) -> Result<()> {
    let Some(cluster) = Cluster::start()? else {
        eprintln!(
            "\n*** SKIPPED: backup and restore. They need PostgreSQL (Debian: postgresql). ***\n"
        );
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let workplace = Workplace { program, folder: folder.path() };
    let first = cluster.database()?;
    let data = folder.path().join("data");
    workplace.succeed(&first, &["ca", "init", "--data", &data.to_string_lossy()])?;
    let erika = workplace.register(&first, "Erika Beispiel", "erika@example.org")?;
    workplace.register(&first, "Max Muster", "max@example.org")?;
    let erikas = folder.path().join("erika");
    let issue = ["ca", "issue", "--household", &erika, "--output", &erikas.to_string_lossy()];
    workplace.succeed(&first, &issue)?;
    let (mut server, port) = workplace.serve(&first)?;
    workplace.consent(port, "grant")?;
    let backup = workplace.back_up(&first)?;
    workplace.consent(port, "revoke")?;
    server.end()?;
    ensure!(!workplace.has(&first, "Erika")?, "what was revoked is still there");
    let list = workplace.list(&first)?;
    println!(
        "images: a backup was taken, checked, and an old one removed; a household revoked later"
    );

    let second = cluster.database()?;
    // What goes on by the clock leaves a database alone that is made anew.
    let mut copying = workplace.script(BACKUP, &second)?;
    ensure!(!works(copying.env("DAYS", "30")), "an empty database was backed up");
    ensure!(workplace.list(&second).is_err(), "an empty database has a list of revocations");
    succeed(&mut workplace.restore(&second, &backup)?)?;
    // Without this the test would show nothing.
    ensure!(workplace.has(&second, "Erika")?, "the backup lacks the household");
    ensure!(
        !works(&mut workplace.restore(&second, &backup)?),
        "a database with tables was restored into"
    );
    // The list only grows: this database knows of no revocation.
    ensure!(
        fs::read_to_string(workplace.list(&second)?)?.contains(&month(&list)?),
        "a revocation left the list"
    );
    workplace.succeed(&second, &["serve", "revocations", "apply", &list.to_string_lossy()])?;
    ensure!(!workplace.has(&second, "Erika")?, "what was revoked is there again");
    ensure!(workplace.has(&second, "Max Muster")?, "who takes part is missing");
    println!("images: the restored database had the revoked household, and has it no more");

    let third = cluster.database()?;
    let bytes = fs::read(&backup)?;
    let torn = backup.with_file_name("ebp-torn.dump");
    fs::write(&torn, &bytes[..bytes.len() * 9 / 10])?;
    ensure!(!works(&mut workplace.restore(&third, &torn)?), "a torn backup was restored");
    succeed(&mut workplace.restore(&third, &backup)?)?;
    println!("images: a torn backup leaves the database empty");
    Ok(())
}

/// The first line of the list, by which it is recognised.
fn month(list: &Path) -> Result<String> {
    let text = fs::read_to_string(list)?;
    Ok(text.lines().next().context("the list of revocations is empty")?.to_owned())
}

struct Workplace<'a> {
    program: &'a Path,
    folder: &'a Path,
}

impl Workplace<'_> {
    /// The program on that database.
    fn ebp(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.args(arguments).env("EBP_SERVER_DATABASE_URL", url);
        command.env("EBP_SERVER_DATA", self.folder.join("data"));
        command
    }

    fn succeed(&self, url: &str, arguments: &[&str]) -> Result<()> {
        succeed(self.ebp(url, arguments).stdout(Stdio::null()))
    }

    /// The identifier of a new household.
    fn register(&self, url: &str, name: &str, email: &str) -> Result<String> {
        let path = self.folder.join("registration.json");
        let registration = serde_json::json!({
            "participant": { "name": name, "email": email },
            "address": { "street": format!("Musterstraße {}", name.len()), "postal_code": "65183",
                         "city": "Wiesbaden", "country": "DE" },
            "location": { "latitude": 50.0826, "longitude": 8.24 },
            "metadata": { "children": 1, "adults": 2, "adults_with_job": 1,
                          "electric_vehicle_charger": false, "heat_pump": true, "home_battery": false },
            "meters": [{ "type": "ELECTRICITY", "model": "MT175" }],
        });
        fs::write(&path, registration.to_string())?;
        let path = path.to_string_lossy();
        let printed = output(&mut self.ebp(url, &["household", "add", "--format", "json", &path]))?;
        let household: serde_json::Value = serde_json::from_str(&printed)?;
        let found = household["household"].as_str().or_else(|| household["uuid"].as_str());
        Ok(found.with_context(|| format!("no household in {printed}"))?.to_owned())
    }

    /// A server of that database, with its port.
    fn serve(&self, url: &str) -> Result<(Running, u16)> {
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let mut server = Running(self.ebp(url, &["serve", "--listen", &listen]).spawn()?);
        ask(port, "/readyz", &mut server)?;
        Ok((server, port))
    }

    /// Grants or revokes consent as the participant whose certificate is in the folder.
    fn consent(&self, port: u16, what: &str) -> Result<()> {
        let mut command = Command::new(self.program);
        command.args(["consent", what, "--yes", "--url", &format!("https://127.0.0.1:{port}")]);
        command.arg("--folder").arg(self.folder.join("erika"));
        succeed(command.stdout(Stdio::null()))
    }

    fn script(&self, script: &str, url: &str) -> Result<Command> {
        let part = |name: &str| {
            let mut parts = url.split(' ').filter_map(|part| part.split_once('='));
            parts.find(|(own, _)| *own == name).map(|(_, value)| value).context("a URL without it")
        };
        let mut command = Command::new("/bin/sh");
        command.arg(script).env("PGHOST", part("host")?).env("PGUSER", part("user")?);
        command.env("PGDATABASE", part("dbname")?).env("FOLDER", self.folder.join("backup"));
        Ok(command)
    }

    /// Takes a backup beside others: an old one, a young one and a file of somebody else's.
    fn back_up(&self, url: &str) -> Result<PathBuf> {
        let folder = self.folder.join("backup");
        fs::create_dir(&folder)?;
        let planted = [
            ("ebp-old.dump", "31 days ago"),
            ("ebp-young.dump", "29 days ago"),
            ("thesis.pdf", "99 days ago"),
        ];
        for (name, age) in planted {
            fs::write(folder.join(name), "")?;
            succeed(Command::new("touch").args(["-d", age]).arg(folder.join(name)))?;
        }
        // One that cannot be taken removes nothing.
        let mut failing = self.script(BACKUP, url)?;
        failing.env("DAYS", "30").env("PGDATABASE", "missing");
        ensure!(!works(&mut failing), "a database that is missing was backed up");
        ensure!(
            folder.join("ebp-old.dump").exists(),
            "an old backup was removed without a new one"
        );
        succeed(self.script(BACKUP, url)?.env("DAYS", "30").stdout(Stdio::null()))?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        match names.as_slice() {
            [new, young, other]
                if new.starts_with("ebp-2")
                    && young == "ebp-young.dump"
                    && other == "thesis.pdf" =>
            {
                Ok(folder.join(new))
            }
            _ => bail!("the backup leaves {names:?}"),
        }
    }

    fn restore(&self, url: &str, backup: &Path) -> Result<Command> {
        let mut command = self.script(RESTORE, url)?;
        command.env("BACKUP", backup.file_name().context("a backup without a name")?);
        Ok(command)
    }

    /// Adds the database's revocations to the list.
    fn list(&self, url: &str) -> Result<PathBuf> {
        let list = self.folder.join("revocations.jsonl");
        self.succeed(url, &["serve", "revocations", "list", "--output", &list.to_string_lossy()])?;
        Ok(list)
    }

    /// Whether a text is anywhere in the database.
    fn has(&self, url: &str, text: &str) -> Result<bool> {
        let mut command = Command::new("pg_dump");
        command.args(["--data-only", "--dbname", url]);
        let dumped = command.output()?;
        ensure!(dumped.status.success(), "{} fails", shown(&command));
        Ok(String::from_utf8_lossy(&dumped.stdout).contains(text))
    }
}
