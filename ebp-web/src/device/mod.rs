//! The participant's page, on the household's own device and in its own network.
//!
//! Enters: requests of the household's browsers; the Data API through [`Cloud`], the measuring daemon
//! through [`Meterside`], the tunnel
//! through [`Tunnelside`]. Leaves: pages in German and English. Absent: the spool, reading heads, the
//! device's key and PINs, which this process never opens.

mod cloud;
mod cloud_client;
mod code_wait;
mod config;
mod consent;
mod consent_copy;
mod data;
mod devices;
mod document;
mod ended;
mod energy;
mod figure;
mod live;
mod local_socket;
mod map;
mod measurements;
mod message_form;
mod meterside;
mod money;
mod pending;
mod period;
mod problem;
mod purpose;
mod registration;
mod remote_access;
mod router;
mod serve;
mod sign_in;
mod sign_in_page;
mod site;
mod socket_meterside;
mod state;
mod stored_sessions;
mod submission;
mod survey_text;
mod today;
mod tunnelside;
mod visitor;

pub use cloud::{ByteSink, Cloud, CloudError, EnergyRequest, Sink};
pub use cloud_client::{CloudClient, ConnectError};
pub use config::{EXAMPLE, WebConfig, WebConfigError};
pub use ended::Ended;
pub use meterside::{Meterside, MetersideError};
pub use router::router;
pub use serve::{Opened, ServeError, open};
pub use socket_meterside::SocketMeterside;
pub use state::{DeviceWeb, Parts};
pub use tunnelside::{SocketTunnelside, Tunnelside, TunnelsideError};
