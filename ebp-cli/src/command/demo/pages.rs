//! The pages of the households that stay, each at a port of its own of this machine.
//!
//! Enters: the demo's state with its households' certificates. Leaves: pages until the demo ends, their
//! addresses and codes. Absent: what a page shows, and the sockets that it asks.

use std::{
    fs,
    net::TcpListener,
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
    thread,
};

use ebp_client::renewal;
use ebp_device::frontend::FrontendConfig;
use ebp_server::Settings;
use ebp_web::device::WebConfig;
use uuid::Uuid;

use super::{
    households::{DemoHousehold, LEAVING},
    progress::Progress,
    server::raised,
    sockets,
    state::{State, listen},
};
use crate::{
    command::{device_page, local_survey::with_survey},
    exit::{CommandResult, Context, Failure, device, server},
    file::write_whole,
};

/// Where the code is kept that would be on a real device's sheet, in the page's folder.
const CODE: &str = "sign-in-code";

/// The pages that are served.
pub struct Pages {
    shown: Vec<Shown>,
    threads: Vec<thread::JoinHandle<CommandResult>>,
}

/// Where a household's page is, and how one gets in.
struct Shown {
    household: u8,
    address: String,
    code: String,
}

impl Pages {
    /// Starts the page of each household that stays; none for a demo that ends after one round.
    ///
    /// # Errors
    /// Returns an error if a page's files cannot be written, or there is no port or thread for it.
    pub fn start(
        state: &State,
        settings: &Settings,
        once: bool,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let mut pages = Self { shown: Vec::new(), threads: Vec::new() };
        let staying = state.households.iter().filter(|household| household.number != LEAVING);
        for household in staying.filter(|_| !once) {
            let page = household.page();
            page.keep_authority(&state.ca).map_err(device::renewal)?;
            let code = sign_in_code(settings, household.device, &page)?;
            let (address, listener) = listen(&page.folder)?;
            listener.set_nonblocking(true).or_failed("the listener")?;
            let config = configure(state, &page, &listener)?;
            let address = format!("http://{address}/");
            pages.shown.push(Shown { household: household.number, address, code });
            pages.threads.extend(run(household, config, listener, stop)?);
        }
        Ok(pages)
    }

    /// Says where the pages are, and opens the first one if that is wanted.
    pub fn introduce(&self, progress: &Progress, open: bool) {
        for Shown { household, address, code } in &self.shown {
            progress.tell(&format!("The page of household {household}: {address} (code {code})"));
        }
        if let Some(first) = self.shown.first().filter(|_| open)
            && let Err(error) = open_browser(&first.address)
        {
            progress.tell(&format!("ebp: no browser can be opened here: {error}"));
        }
    }

    /// Waits for their end; the stop flag is set elsewhere.
    ///
    /// # Errors
    /// Returns the first page's error, if one has failed.
    pub fn end(self) -> CommandResult {
        let crashed = |_| Err(Failure::failed("a page crashed"));
        let ends: Vec<_> =
            self.threads.into_iter().map(|thread| thread.join().unwrap_or_else(crashed)).collect();
        ends.into_iter().collect()
    }
}

/// The threads of a household: its page, and the socket of its device.
fn run(
    household: &DemoHousehold,
    config: WebConfig,
    listener: TcpListener,
    stop: &Arc<AtomicBool>,
) -> Result<[thread::JoinHandle<CommandResult>; 2], Failure> {
    let start = |name: &str, work: Box<dyn FnOnce() -> CommandResult + Send>| {
        thread::Builder::new().name(name.into()).spawn(work).or_failed("a thread")
    };
    let ended = Arc::clone(stop);
    let page = start(
        "page",
        Box::new(move || {
            device_page::serve(&config, listener, async move || {
                raised(ended).await;
                Ok(())
            })
        }),
    )?;
    let (device, ended) = (household.device_config.clone(), Arc::clone(stop));
    let socket = start("read.sock", Box::new(move || sockets::answer(&device, &ended)))?;
    Ok([page, socket])
}

/// The code of a household's page: that of the last run, or a new one.
fn sign_in_code(
    settings: &Settings,
    device: Uuid,
    page: &FrontendConfig,
) -> Result<String, Failure> {
    let kept = page.folder.join(CODE);
    if page.sign_in().exists()
        && let Ok(code) = fs::read_to_string(&kept)
    {
        return Ok(code.trim().to_owned());
    }
    let (code, hash) = with_survey(
        settings,
        |survey| survey,
        async |survey| {
            let made = survey.create_sign_in_code(device, None).await.map_err(server::survey)?;
            let known = survey.sign_in(device).await.map_err(server::survey)?;
            Ok((made.sign_in_code, known.sign_in_hash))
        },
    )?;
    renewal::write_private(&kept, code.as_bytes()).map_err(device::renewal)?;
    page.keep_sign_in(&hash.unwrap_or_default()).map_err(device::renewal)?;
    Ok(code)
}

/// Writes the file that `ebp serve device --config` takes, too.
fn configure(
    state: &State,
    page: &FrontendConfig,
    listener: &TcpListener,
) -> Result<WebConfig, Failure> {
    let address = listener.local_addr().or_failed("the listener")?;
    let text = format!(
        "# The page of a household of the demo.\n\
         listen = \"{address}\"\nstate = \".\"\nsign_in_hash = \"sign-in\"\n\
         socket = \"../read.sock\"\n\n[api]\nurl = \"{}\"\nca = \"ca.pem\"\n\
         certificate = \"frontend.pem\"\nkey = \"frontend.key\"\n",
        state.url()
    );
    let path = page.folder.join("page.toml");
    write_whole(&path, text.as_bytes())?;
    WebConfig::load(&path).map_err(Failure::failed)
}

/// Opens an address in the browser that this desktop prefers.
fn open_browser(address: &str) -> std::io::Result<()> {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(opener);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop)
}
