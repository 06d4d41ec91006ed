//! `ebp device wipe`: nothing of a household stays on the device.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use ebp_device::{
    config::DeviceConfig,
    holdings::{Found, Holdings},
    wipe::{self, Gone, WipeError},
};

use crate::{
    command::confirm::{at_terminal, require_terminal, type_word, unchanged},
    exit::{Code, CommandResult, Failure, file},
    state,
    stdout::print,
    tell::tell,
};

/// The configuration that the package's units name.
const UNITS_CONFIG: &str = "/etc/ebp/device.toml";
/// The page's configuration that they name.
#[cfg(feature = "device-web")]
const UNITS_PAGE: &str = "/etc/ebp-web/page.toml";
/// The package's units that use what is wiped, or start those that do.
const UNITS: [&str; 12] = [
    "ebp-read.service",
    "ebp-read.timer",
    "ebp-transmit.service",
    "ebp-transmit.timer",
    "ebp-tunnel.service",
    "ebp-page.service",
    "ebp-page.socket",
    "ebp-page-renew.service",
    "ebp-page-renew.timer",
    "ebp-update.service",
    "ebp-update.timer",
    "ebp-update-boot.timer",
];

/// Which device.
#[derive(Debug, clap::Args)]
pub struct Wipe {
    /// The device's configuration. It stays, and says where everything lies.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// The page's configuration; /etc/ebp-web/page.toml if that is there and --config is
    /// /etc/ebp/device.toml.
    #[cfg(feature = "device-web")]
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,

    /// The folder of updates, whose state is wiped.
    #[arg(long, value_name = "FOLDER", default_value = ebp_update::layout::FOLDER)]
    updates: PathBuf,

    /// Show what would go, and change nothing.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    /// Don't ask for confirmation on the terminal.
    #[arg(long)]
    yes: bool,
}

impl Wipe {
    pub fn run(&self) -> CommandResult {
        let config = DeviceConfig::load(&self.config)?;
        let holdings = self.holdings(&config)?;
        let found = holdings.find().map_err(|(path, error)| file::unreadable(&path, &error))?;
        if self.dry_run {
            print(would_go(&found))?;
            return print(self.left(&config, &found));
        }
        self.refuse_while_used(&config, &found)?;
        if !self.yes {
            confirm(&found)?;
        }
        let mut failures = Vec::new();
        let mut text = String::new();
        for one in &found {
            match wipe::wipe(one) {
                Ok(gone) => text += &line(how(gone), one),
                Err(error) => failures.push(error),
            }
        }
        if failures.is_empty() {
            failures.extend(wipe::remove_folders(&holdings).err());
        }
        if found.is_empty() {
            text += "nothing was there to wipe\n";
        }
        print(text)?;
        // What was written meanwhile, by a program that began after the look for them.
        let again = holdings.find().map_err(|(path, error)| file::unreadable(&path, &error))?;
        match (failures.pop(), again.first()) {
            (Some(error), _) => {
                for other in failures {
                    tell!("ebp: {other}");
                }
                Err(explain(error))
            }
            (None, Some(one)) => Err(Failure::failed(format!(
                "{} is there again: a program writes it",
                one.path().display()
            ))
            .remedy("end that program, and run this command again")),
            (None, None) => print(self.left(&config, &[])),
        }
    }

    fn holdings(&self, config: &DeviceConfig) -> Result<Holdings, Failure> {
        let holdings = Holdings::from_config(config, &state::folder(config.state.as_deref())?)
            .with_updates(&self.updates);
        #[cfg(feature = "device-web")]
        let holdings = match self.page_config()? {
            Some(page) => holdings.with_page(&page),
            None => holdings,
        };
        Ok(holdings)
    }

    /// The files of the page, if it has a configuration.
    #[cfg(feature = "device-web")]
    fn page_config(&self) -> Result<Option<ebp_device::holdings::PageFiles>, Failure> {
        let usual = Path::new(UNITS_PAGE);
        let path = match &self.page {
            Some(path) => path,
            None if self.is_of_units() && usual.exists() => usual,
            None => return Ok(None),
        };
        let page = ebp_web::device::WebConfig::load(path)
            .map_err(|error| Failure::failed(error).remedy("name the page's own with --page"))?;
        let errors = page.errors.folder.clone();
        Ok(Some(ebp_device::holdings::PageFiles {
            errors: errors.unwrap_or_else(|| page.state.join("errors")),
            state: page.state,
            certificate: page.api.certificate,
            key: page.api.key,
            sign_in: page.sign_in_hash,
        }))
    }

    /// Whether it is the device that the package's units run.
    fn is_of_units(&self) -> bool {
        fs::canonicalize(&self.config).is_ok_and(|path| path == Path::new(UNITS_CONFIG))
    }

    fn refuse_while_used(&self, config: &DeviceConfig, found: &[Found]) -> CommandResult {
        if self.is_of_units() {
            let own = config.update.iter().flat_map(|update| &update.units).map(String::as_str);
            let units = active(UNITS.into_iter().chain(own))?;
            if !units.is_empty() {
                let units = units.join(" ");
                return Err(Failure::failed(format!("services of this device run: {units}"))
                    .remedy(format!("sudo systemctl disable --now {units}")));
            }
        }
        let programs = wipe::programs(found).map_err(explain)?;
        let Some(first) = programs.first() else { return Ok(()) };
        let named: Vec<_> = programs.iter().map(|one| one.pid.to_string()).collect();
        Err(Failure::failed(format!(
            "`{}` (process {}) has a file of this device open",
            first.command, first.pid
        ))
        .remedy(format!("end it first, and what starts it: kill {}", named.join(" "))))
    }

    /// What stays when those files are gone, and what to do about it.
    fn left(&self, config: &DeviceConfig, going: &[Found]) -> String {
        let stays = |path: &Path| going.iter().all(|one| one.path() != path);
        let mut others = fs::read_dir(&config.spool).into_iter().flatten().flatten();
        let spool = match others.any(|file| stays(&file.path())) {
            true => {
                format!("- {}: files that are none of this program's\n", config.spool.display())
            }
            false => String::new(),
        };
        format!(
            "What is left:\n\
             {spool}\
             - {}: the configuration, with the identifiers of the meters\n\
             - the journal, with what the services told: \
             sudo journalctl --rotate && sudo journalctl --vacuum-time=1s\n\
             - what is none of this program's: the machine's name, its network's password, files that \
             you copied\n\
             - old blocks: flash memory keeps copies of what was overwritten, which no program reaches. \
             Destroy the card, or write a new image over all of it\n",
            self.config.display()
        )
    }
}

fn would_go(found: &[Found]) -> String {
    match found {
        [] => "nothing is there to wipe\n".to_owned(),
        found => found.iter().map(|one| line("would go", one)).collect(),
    }
}

fn line(what: &str, found: &Found) -> String {
    let (kind, path) = (found.kind.name(), found.path());
    format!("{what}: {} ({kind}, {} bytes)\n", path.display(), found.bytes)
}

const fn how(gone: Gone) -> &'static str {
    match gone {
        Gone::Overwritten => "wiped",
        Gone::OtherName => "removed, its bytes have another name and are still there",
        Gone::Link => "removed, what it leads to was not touched",
        Gone::Before => "gone already",
    }
}

fn confirm(found: &[Found]) -> CommandResult {
    require_terminal("confirm it with --yes: everything of the household on this device is lost")?;
    let question = format!(
        "{}Measurements that were not sent yet are lost, and the device has to be enrolled anew.\n\
         Type wipe to do it: ",
        would_go(found)
    );
    at_terminal(|terminal| match type_word(terminal, &question)? {
        Some(typed) if typed == "wipe" => Ok(()),
        _ => Err(unchanged("wipe")),
    })
}

/// Those of the units that run, or wait to start one that does; none without systemd.
fn active<'a>(units: impl Iterator<Item = &'a str>) -> Result<Vec<&'a str>, Failure> {
    let mut running = Vec::new();
    for unit in units {
        let asked = Command::new("systemctl").args(["is-active", unit]).output();
        let output = match asked {
            Ok(output) => output,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                let failure = format!("cannot see which services run: systemctl: {error}");
                return Err(Failure::failed(failure));
            }
        };
        let state = String::from_utf8_lossy(&output.stdout);
        let runs = ["active", "activating", "deactivating", "reloading"].contains(&state.trim());
        if runs && !running.contains(&unit) {
            running.push(unit);
        }
    }
    Ok(running)
}

#[track_caller]
fn explain(error: WipeError) -> Failure {
    let failure = Failure::caused_by(Code::Failed, &error);
    match &error {
        WipeError::File { source, .. } => match source.kind() {
            io::ErrorKind::PermissionDenied => failure.remedy(
                "run it as root, or as the user that the files belong to; what is wiped already is \
                 passed over",
            ),
            io::ErrorKind::ReadOnlyFilesystem => {
                failure.remedy("the card is read-only, as worn out ones are: destroy it")
            }
            _ => failure.remedy("run the command again; if that does not help, destroy the card"),
        },
        WipeError::Programs { .. } => failure.remedy("mount /proc, and run the command again"),
        _ => failure,
    }
}
