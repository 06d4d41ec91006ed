//! A house with everything in it: a meter on its wall, a device that reads and sends, the device's page,
//! and the survey's server somewhere else.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use ebp_testkit::browser::{Browser, View};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    operate::{
        agreement::{as_researcher, server_with_texts},
        people::registration,
    },
    support::{
        ebp,
        meter::Meter,
        process::{self, Run, Running},
        server::Server,
        write_private,
    },
};

/// The device's name in its network.
pub const HOST: &str = "ebp-7k3f.local";
/// The width of a telephone's screen, CSS pixels.
pub const WIDTH: u32 = 390;
/// The meter's model, and the name of its port.
pub const MODEL: &str = "MT175";

/// What somebody with that language reads.
pub struct Texts([&'static str; 2]);

pub const GERMAN: Texts = Texts([
    include_str!("../../../../ebp-web/locales/de/kit.ftl"),
    include_str!("../../../../ebp-web/locales/de/device.ftl"),
]);
pub const ENGLISH: Texts = Texts([
    include_str!("../../../../ebp-web/locales/en/kit.ftl"),
    include_str!("../../../../ebp-web/locales/en/device.ftl"),
]);

impl Texts {
    /// A text of the pages, up to its first variable.
    #[track_caller]
    pub fn say(&self, name: &str) -> &'static str {
        let start = format!("{name} = ");
        let mut lines = self.0.iter().flat_map(|texts| texts.lines());
        let text = lines.find_map(|line| line.strip_prefix(start.as_str()));
        let text = text.unwrap_or_else(|| panic!("no text `{name}`"));
        text.split('{').next().unwrap_or_default().trim_end()
    }
}

/// A household whose device is enrolled. Nothing of it runs yet.
pub struct House {
    pub server: Server,
    pub household: String,
    pub device: String,
    /// The code on the sheet.
    pub code: String,
    pub port: u16,
    folder: TempDir,
    _texts: TempDir,
}

impl House {
    /// Registers the household and enrols its device.
    pub fn enrol() -> Self {
        let (server, texts) = server_with_texts();
        server.set_secrets();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("registration.json");
        let household = registration("Erika Beispiel", "erika@example.org");
        fs::write(&file, household.to_string()).unwrap();
        let added = ["household", "add", file.to_str().unwrap(), "--format", "json"];
        let registered = server.run(added, "").done().json().remove(0);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let device = text(&registered["measurement_device"]);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for name in ["page", "ports", "run", "spool", "state"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let mut house = Self {
            household: text(&registered["household"]),
            device,
            code: String::new(),
            folder,
            port,
            server,
            _texts: texts,
        };
        house.enrol_device();
        house.configure(&text(&registered["meters"][0]));
        house
    }

    fn enrol_device(&mut self) {
        let (secret, token) = (self.at("secret-of-administrators"), self.at("token"));
        write_private(&secret, "the secret of the administrators\n");
        let mut command = ebp();
        command.args(["device", "token", &self.device, "--url", &self.server.url(), "--ca"]);
        command.arg(self.server.ca()).arg("--secret-file").arg(secret);
        command.arg("--output").arg(&token);
        let printed = process::run(command, b"").done().stderr;
        let line = printed.lines().find(|line| line.contains("shown once")).unwrap();
        self.code = line.rsplit(' ').next().unwrap().to_owned();
        self.server.enroll(&token, self.at("device")).done();
        // The page's files are for the page alone.
        fs::rename(self.at("device/frontend"), self.at("web")).unwrap();
        write_private(&self.at("meter.pin"), "2718\n");
    }

    fn configure(&self, meter: &str) {
        let url = self.server.url();
        let device = format!(
            "spool = \"spool\"\nstate = \"state\"\nclock = \"trusted\"\nsocket = \"run/read.sock\"\n\
             [api]\nurl = \"{url}\"\nca = \"device/ca.pem\"\ncertificate = \"device/device.pem\"\n\
             key = \"device/device.key\"\n\
             [frontend]\nfolder = \"web\"\n\
             [cycle]\nmeasurement = \"2s\"\nreport = \"2s\"\ntimeout = \"10s\"\nincident_after = 1\n\
             [[meter]]\nuuid = \"{meter}\"\nmodel = \"{MODEL}\"\nport = \"ports/{MODEL}\"\n\
             pin_file = \"meter.pin\"\n\
             [tunnel]\naccess = \"until-switched-on\"\nsocket = \"run/tunnel.sock\"\n"
        );
        fs::write(self.at("device.toml"), device).unwrap();
        let page = format!(
            "listen = \"127.0.0.1:{}\"\nnames = [\"{HOST}\"]\nstate = \"page\"\n\
             sign_in_hash = \"web/sign-in\"\nsocket = \"run/read.sock\"\n\
             tunnel_socket = \"run/tunnel.sock\"\n\
             [api]\nurl = \"{url}\"\nca = \"web/ca.pem\"\n\
             certificate = \"web/frontend.pem\"\nkey = \"web/frontend.key\"\n",
            self.port
        );
        fs::write(self.at("page.toml"), page).unwrap();
    }

    /// A file of the house.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address that stands on the sheet.
    pub fn address(&self) -> String {
        format!("http://{HOST}:{}", self.port)
    }

    /// A browser in this house.
    pub fn browse(&self, language: &str, has_script: bool) -> Browser {
        Browser::open(View { hosts: &[HOST], width: WIDTH, language, has_script, switches: &[] })
    }

    /// The meter begins to send.
    pub fn start_meter(&self) -> Meter {
        Meter::quick(&self.at("ports"), MODEL)
    }

    /// Starts the daemon that measures, `read`, or the one that sends, `transmit`.
    pub fn start_daemon(&self, name: &str) -> Running {
        let mut command = ebp();
        command.args([name, "--every", "--config"]).arg(self.at("device.toml"));
        Running::start(command)
    }

    /// Starts the page.
    pub fn start_page(&self) -> Running {
        self.start_page_by(ebp())
    }

    /// Starts the page as that program.
    pub fn start_page_by(&self, mut command: Command) -> Running {
        command.args(["serve", "device", "--config"]).arg(self.at("page.toml"));
        let mut page = Running::start(command);
        page.wait_for("serving the participant's page at http://");
        page
    }

    /// A researcher's command.
    pub fn as_researcher(&self, arguments: &[&str]) -> Run {
        as_researcher(&self.server, self.folder.path(), arguments, "")
    }
}

/// Ends a process as the service manager does.
pub fn end(process: Running) -> Run {
    process.signal(Signal::TERM);
    process.end()
}

/// Nothing was asked of another host than the page, and the console said nothing but that the page
/// answered with those statuses.
#[track_caller]
pub fn assert_quiet(browser: &Browser, house: &House, statuses: &[u16]) {
    assert_eq!(browser.console(statuses), [""; 0]);
    let own = house.address().replace("http://", "");
    let foreign: Vec<_> = browser.asked_hosts().into_iter().filter(|host| *host != own).collect();
    assert_eq!(foreign, [""; 0]);
}

/// Removes a folder of the device, as the loss of its memory card does.
pub fn lose(folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
}
