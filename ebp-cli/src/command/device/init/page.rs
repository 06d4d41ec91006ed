//! The configuration of the household's page, beside the device's: what `ebp serve device` and the
//! renewal of its certificate read.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use ebp_core::owner::Owner;
use ebp_web::device::{EXAMPLE, WebConfig};

use super::value::quote;
use crate::{
    command::device::enroll::{UNITS_PAGE, is_for_units},
    exit::{CommandResult, Context, Failure},
    file::{absolute, read_text, write_whole},
    tell::tell,
};

/// Where the package's units have the daemon's socket, and the page's state.
const UNITS_SOCKET: &str = "/run/ebp/read.sock";
const UNITS_STATE: &str = "/var/lib/ebp-web";

/// Where the page's files are.
#[derive(Debug, clap::Args)]
pub struct PageOptions {
    /// The folder with the files of the page that shows the household its data, as `ebp device enroll`
    /// wrote them; `page.toml` and `page.env` are written there. By default `frontend` in the folder;
    /// with --folder /etc/ebp, on a machine with the package, /etc/ebp-web.
    #[arg(long, value_name = "FOLDER", help_heading = "The device's page")]
    frontend: Option<PathBuf>,

    /// Write no configuration of a page.
    #[arg(long, conflicts_with = "frontend", help_heading = "The device's page")]
    no_frontend: bool,
}

/// The page of a device.
pub struct Page {
    folder: PathBuf,
    /// Where the daemon answers it.
    socket: PathBuf,
    state: PathBuf,
    /// Whether its files are the daemons' user's, so that they can renew its certificate.
    is_renewed_by_daemons: bool,
}

impl PageOptions {
    /// The page of the device in that folder; none if it has no certificate for one.
    pub fn find(&self, device: &Path) -> Result<Option<Page>, Failure> {
        if self.no_frontend {
            return Ok(None);
        }
        let is_units = self.frontend.is_none() && is_for_units(device);
        let folder = match &self.frontend {
            Some(folder) => absolute(folder)?,
            None if is_units => UNITS_PAGE.into(),
            None => device.join("frontend"),
        };
        let certificate = folder.join("frontend.pem");
        if !certificate.exists() {
            return match self.frontend {
                Some(_) => {
                    Err(Failure::failed(format!("{} does not exist", certificate.display()))
                        .remedy(
                            "`ebp device enroll --frontend FOLDER` gets the page's certificate",
                        ))
                }
                None => Ok(None),
            };
        }
        let (socket, state) = match is_units || folder == Path::new(UNITS_PAGE) {
            true => (UNITS_SOCKET.into(), UNITS_STATE.into()),
            false => (device.join("read.sock"), folder.join("state")),
        };
        let owner = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.uid());
        let is_renewed_by_daemons = owner(&folder) == owner(device);
        Ok(Some(Page { folder, socket, state, is_renewed_by_daemons }))
    }
}

impl Page {
    /// What the device's configuration says of it, before and behind `[api]`.
    pub fn of_device(&self) -> (String, String) {
        let socket = format!("socket = {}\n", quote(&self.socket));
        let frontend = match self.is_renewed_by_daemons {
            true => format!("\n[frontend]\nfolder = {}\n", quote(&self.folder)),
            false => String::new(),
        };
        (socket, frontend)
    }

    /// Writes `page.toml` and `page.env`. Those that are there stay, if they name the same server.
    pub fn write(&self, url: &str) -> CommandResult {
        let owner = Owner::of_folder(&self.folder);
        let (config, variables) = (self.folder.join("page.toml"), self.folder.join("page.env"));
        let other = |path: &Path| {
            Failure::failed(format!("{} names another server", path.display()))
                .remedy("move it away, or leave it with --no-frontend")
        };
        if config.exists() {
            let known = WebConfig::load(&config).map_err(Failure::failed)?;
            if known.api.url.trim_end_matches('/') != url.trim_end_matches('/') {
                return Err(other(&config));
            }
            tell!("ebp: {} is there already, and stays as it is", config.display());
        } else {
            write_for(owner, &config, &self.text(url))?;
            tell!("ebp: {} is written: `ebp serve device` serves the page", config.display());
        }
        let line = format!("EBP_URL={url}\n");
        if variables.exists() {
            let is_same =
                |known: &str| known.trim_end_matches('/') == line.trim_end().trim_end_matches('/');
            return match read_text(&variables)?.lines().any(is_same) {
                true => Ok(()),
                false => Err(other(&variables)),
            };
        }
        write_for(owner, &variables, &line)
    }

    /// The example with the values of this device.
    fn text(&self, url: &str) -> String {
        let file = |name: &str| quote(self.folder.join(name));
        let values = [
            ("state", quote(&self.state)),
            ("sign_in_hash", file("sign-in")),
            ("socket", quote(&self.socket)),
            ("url", quote(Path::new(url))),
            ("ca", file("ca.pem")),
            ("certificate", file("frontend.pem")),
            ("key", file("frontend.key")),
        ];
        EXAMPLE.lines().fold(String::new(), |text, line| {
            let name = line.split(" = ").next().unwrap_or_default();
            match values.iter().find(|(own, _)| *own == name) {
                Some((name, value)) => text + &format!("{name} = {value}\n"),
                None => text + line + "\n",
            }
        })
    }
}

fn write_for(owner: Option<Owner>, path: &Path, text: &str) -> CommandResult {
    write_whole(path, text.as_bytes())?;
    match owner {
        Some(owner) => {
            owner.give(path).or_failed(format!("{} cannot be given away", path.display()))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_page_is_the_example_with_the_values_of_the_device() {
        let folder = tempfile::tempdir().unwrap();
        let page = Page {
            folder: folder.path().to_owned(),
            socket: "/run/read.sock".into(),
            state: "/var/lib/page".into(),
            is_renewed_by_daemons: false,
        };
        page.write("https://ebp.example.org:1").unwrap();
        let path = folder.path().join("page.toml");
        let config = WebConfig::load(&path).unwrap();
        assert_eq!(config.api.url, "https://ebp.example.org:1");
        assert_eq!(config.socket, Path::new("/run/read.sock"));
        assert_eq!(config.state, Path::new("/var/lib/page"));
        for (found, name) in [
            (&config.sign_in_hash, "sign-in"),
            (&config.api.ca, "ca.pem"),
            (&config.api.certificate, "frontend.pem"),
            (&config.api.key, "frontend.key"),
        ] {
            assert_eq!(*found, folder.path().join(name));
        }
        let lines = |text: &str| text.lines().count();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(lines(&text), lines(EXAMPLE));
        let variables = folder.path().join("page.env");
        assert_eq!(fs::read_to_string(&variables).unwrap(), "EBP_URL=https://ebp.example.org:1\n");

        // What somebody changed stays; what leads elsewhere is refused.
        fs::write(&path, text + "# mine\n").unwrap();
        fs::remove_file(&variables).unwrap();
        page.write("https://ebp.example.org:1/").unwrap();
        assert!(fs::read_to_string(&path).unwrap().ends_with("# mine\n"));
        assert!(variables.exists());
        let other = page.write("https://ebp.example.org:2").unwrap_err().to_string();
        assert!(other.contains("page.toml names another server"), "{other}");
    }
}
