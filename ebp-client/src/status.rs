//! The device's status.

use reqwest::Method;

use crate::{Client, ClientError};
use ebp_core::contract::{DeviceStatus, DeviceUpdate, UpdateWish, paths};

impl Client {
    /// Reports the device's status. Reporting the same again changes nothing.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 403 if the certificate is not a device's, 400 if a meter is not one that this device reads.
    pub fn report_status(&self, status: &DeviceStatus) -> Result<(), ClientError> {
        let path = paths::DEVICE_STATUS;
        self.receive(path, self.request(Method::PUT, path).json(status)).map(drop)
    }

    /// Tells what this device does about its updates, and asks what it is to run.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404
    /// if it is of a version without roll-outs.
    pub fn report_update(&self, update: &DeviceUpdate) -> Result<UpdateWish, ClientError> {
        let path = paths::DEVICE_UPDATE;
        self.answer(path, self.request(Method::POST, path).json(update))
    }
}
