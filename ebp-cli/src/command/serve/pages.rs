//! The pages of researchers and administrators, put together.

use std::net::SocketAddr;

use ebp_server::{OwnPages, PageParts};
use ebp_web::{
    cloud::{CloudParts, router},
    kit::{host::HostNames, moment::time_zone},
};
use jiff::tz::TimeZone;
use tokio::net::TcpListener;

use crate::exit::{Context, Failure};

/// Listens for browsers. Returns the pages with where they are.
///
/// # Errors
/// Returns a failure if the address is taken.
pub async fn bind(address: SocketAddr) -> Result<(OwnPages, SocketAddr), Failure> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!("cannot listen on {address} for browsers: {error}"))
            .remedy("choose another address with `listen` of [web] in the configuration")
    })?;
    let address = listener.local_addr().or_failed("the listener")?;
    Ok((serve_on(listener), address))
}

/// The pages, on a socket that listens.
#[must_use]
pub fn serve_on(listener: TcpListener) -> OwnPages {
    let pages = |parts| {
        let PageParts { survey, secrets, server, zone, hostnames, scheme } = parts;
        // The configuration has checked it.
        let zone = time_zone(&zone).unwrap_or(TimeZone::UTC);
        let hosts = HostNames::new("", &hostnames);
        router(CloudParts { survey, secrets, server, zone, hosts, scheme })
    };
    OwnPages { pages: Box::new(pages), listener }
}
