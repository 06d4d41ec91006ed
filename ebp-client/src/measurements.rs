//! Endpoint 7: a meter's measurements, page by page.

use std::vec;

use jiff::Timestamp;
use reqwest::{Method, Url};
use uuid::Uuid;

use crate::{Client, ClientError};
use ebp_core::contract::{MeasurementPage, StoredMeasurement, paths};

/// Which of a meter's measurements to ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Measured at this instant or later.
    pub from: Option<Timestamp>,
    /// Measured before this instant.
    pub to: Option<Timestamp>,
    /// Where the page starts: the `next` of the page before.
    pub cursor: Option<String>,
    /// The maximum number of items; the server's default if absent.
    pub limit: Option<usize>,
}

impl Client {
    /// Endpoint 7: one page of a meter's measurements, oldest first.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if the household has no such meter.
    pub fn measurements_page(
        &self,
        meter: Uuid,
        request: &PageRequest,
    ) -> Result<MeasurementPage, ClientError> {
        self.page(&paths::measurements_of(meter), request)
    }

    /// A page of what is listed there.
    pub(super) fn page(
        &self,
        path: &str,
        request: &PageRequest,
    ) -> Result<MeasurementPage, ClientError> {
        let mut url = Url::parse(&format!("{}{path}", self.server))
            .map_err(|_| ClientError::InvalidUrl { url: self.server.clone() })?;
        let parameters = [
            ("from", request.from.map(|at| at.to_string())),
            ("to", request.to.map(|at| at.to_string())),
            ("cursor", request.cursor.clone()),
            ("limit", request.limit.map(|limit| limit.to_string())),
        ];
        for (name, value) in parameters {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        self.answer(path, self.http.request(Method::GET, url))
    }

    /// Endpoint 7: a meter's measurements from `from` to before `to`, oldest first, requested page
    /// by page while iterating.
    #[must_use]
    pub fn measurements(
        &self,
        meter: Uuid,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Measurements<'_> {
        let request = PageRequest { from, to, ..PageRequest::default() };
        Measurements { client: self, meter, request, page: Vec::new().into_iter(), ended: false }
    }
}

/// An iterator over a meter's measurements; it ends after an error.
pub struct Measurements<'a> {
    client: &'a Client,
    meter: Uuid,
    request: PageRequest,
    page: vec::IntoIter<StoredMeasurement>,
    ended: bool,
}

impl Measurements<'_> {
    fn turn_the_page(&mut self) -> Result<(), ClientError> {
        let page = self.client.measurements_page(self.meter, &self.request)?;
        if page.next.is_some() && page.next == self.request.cursor {
            return Err(ClientError::Garbled {
                server: self.client.server.clone(),
                path: paths::measurements_of(self.meter),
                reason: "the next page is the same page".into(),
            });
        }
        self.ended = page.next.is_none();
        self.request.cursor = page.next;
        self.page = page.items.into_iter();
        Ok(())
    }
}

impl Iterator for Measurements<'_> {
    type Item = Result<StoredMeasurement, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(measurement) = self.page.next() {
                return Some(Ok(measurement));
            }
            if self.ended {
                return None;
            }
            if let Err(error) = self.turn_the_page() {
                self.ended = true;
                return Some(Err(error));
            }
        }
    }
}
