//! `ebp device renew`: the next certificates of a device and its page.

use std::path::PathBuf;

use ebp_client::{Client, Validity, renewal};
use ebp_core::clock::{Clock, SystemClock};
use ebp_device::{
    config::{Api, DeviceConfig},
    frontend::FrontendConfig,
};

use super::connect::connect;
use crate::{
    exit::{CommandResult, Failure, device},
    tell::tell,
};

/// Whose certificates, and when.
#[derive(Debug, clap::Args)]
pub struct Renew {
    /// The device's configuration.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["folder", "frontend"])]
    config: Option<PathBuf>,

    /// The folder written by `ebp device enroll`, if there is no configuration yet.
    #[arg(long, value_name = "FOLDER", conflicts_with = "config", requires = "url")]
    folder: Option<PathBuf>,

    /// The Data API's address, with --folder or --frontend.
    #[arg(long, conflicts_with = "config")]
    url: Option<String>,

    /// Renew now, even if it is not due yet.
    #[arg(long)]
    now: bool,

    /// Renew only the page's certificate, in this folder, with itself: for the user that the page
    /// runs as, who may not use the device's. Needs --url and --ca.
    #[arg(long, value_name = "FOLDER", requires_all = ["url", "ca"], conflicts_with_all = ["config", "folder"],
        help_heading = "The device's page")]
    frontend: Option<PathBuf>,

    /// The authority's certificate (PEM), with --frontend.
    #[arg(long, value_name = "FILE", requires = "frontend", help_heading = "The device's page")]
    ca: Option<PathBuf>,
}

impl Renew {
    /// Renews what is due. A failure of one does not stop the other.
    pub fn run(&self) -> CommandResult {
        if let (Some(folder), Some(url), Some(ca)) = (&self.frontend, &self.url, &self.ca) {
            let page = FrontendConfig { folder: folder.clone(), owner: None };
            let api = Api::new(url.clone(), ca.clone(), page.certificate(), page.key());
            return self.by_itself(&page, &api);
        }
        let (api, page) = match &self.config {
            Some(path) => {
                let config = DeviceConfig::load(path)?;
                (config.api, config.frontend)
            }
            None => {
                let (Some(folder), Some(url)) = (&self.folder, &self.url) else {
                    return Err(Failure::usage("give --config, or --folder and --url"));
                };
                let [ca, certificate, key] =
                    ["ca.pem", "device.pem", "device.key"].map(|name| folder.join(name));
                (Api::new(url.clone(), ca, certificate, key), None)
            }
        };
        let own = self.own(&api);
        let of_page = page.map_or(Ok(()), |page| self.of_page(&page, &api));
        own.and(of_page)
    }

    fn own(&self, api: &Api) -> CommandResult {
        let _lock = renewal::lock(&api.key).map_err(device::renewal)?;
        renewal::settle(&api.certificate, &api.key).map_err(device::renewal)?;
        let validity = Validity::from_file(&api.certificate).map_err(device::validity)?;
        if !self.now && SystemClock.now() < validity.due_at() {
            tell!("ebp: the certificate is renewed from {} on", validity.due_at());
            return Ok(());
        }
        let client = connect(api)?;
        let renewed = renewal::renew(|key| client.renew(key), &api.certificate, &api.key);
        let until = renewed.map_err(device::renewal)?;
        tell!("ebp: the new certificate is valid until {until}");
        Ok(())
    }

    /// The page's, by the device's own.
    fn of_page(&self, page: &FrontendConfig, api: &Api) -> CommandResult {
        page.make_folder().map_err(device::renewal)?;
        page.keep_authority(&api.ca).map_err(device::renewal)?;
        let _lock = renewal::lock(&api.key).map_err(device::renewal)?;
        renewal::settle(&page.certificate(), &page.key()).map_err(device::renewal)?;
        if !self.now && !page.is_due(SystemClock.now()).map_err(device::renewal)? {
            tell!("ebp: the page's certificate is not due yet");
            return Ok(());
        }
        let client = connect(api)?;
        let until = page.obtain(ebp_client::KeyKind::default(), |key| client.frontend(key));
        let until = until.map_err(device::renewal)?;
        tell!("ebp: the page's new certificate is valid until {until}");
        Ok(())
    }

    /// The page's, by itself.
    fn by_itself(&self, page: &FrontendConfig, api: &Api) -> CommandResult {
        let _lock = renewal::lock(&api.key).map_err(device::renewal)?;
        renewal::settle(&api.certificate, &api.key).map_err(device::renewal)?;
        if !page.certificate().exists() {
            return Err(Failure::failed(format!("{} is missing", page.certificate().display()))
                .remedy("`ebp device enroll` makes it, or a daemon with [frontend] in its configuration"));
        }
        let client = connect(api)?;
        if !self.now && !page.is_due(SystemClock.now()).map_err(device::renewal)? {
            keep_sign_in(page, &client)?;
            tell!("ebp: the page's certificate is not due yet");
            return Ok(());
        }
        let until = page.obtain(ebp_client::KeyKind::default(), |key| client.renew(key));
        let until = until.map_err(device::renewal)?;
        tell!("ebp: the page's new certificate is valid until {until}");
        Ok(())
    }
}

/// Takes up another sign-in code.
fn keep_sign_in(page: &FrontendConfig, client: &Client) -> CommandResult {
    let sign_in = client.sign_in().map_err(device::client)?;
    match sign_in.sign_in_hash {
        Some(hash) => page.keep_sign_in(&hash).map_err(device::renewal),
        None => Ok(()),
    }
}
