//! The Data API's refusals, for a researcher.

use ebp_client::ClientError;
use ebp_core::scope::Group;

use crate::{command::group_api, exit::Failure};

/// The client's errors, for a researcher.
pub fn refused(error: ClientError) -> Failure {
    group_api::refused(Group::Researchers, error)
}
