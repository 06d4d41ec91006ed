//! Bodies as they come in, each within its bound and all of them within one: what of them is in
//! memory is counted before it is kept.

use axum::body::{Body, Bytes, HttpBody};
use bytes::BytesMut;
use http_body_util::BodyExt;

use super::intake::{Intake, UNIT};
use crate::{
    limit::{ClientId, Full, Share},
    problem::ApiError,
};

/// What is taken at once for a body that says that it will be long.
const MOST_AHEAD: usize = 256 << 10;

/// Seconds after which a client may come again that has too much on its way.
const SOON: u64 = 2;

/// A body that is in. It counts until it is dropped.
pub struct Received {
    octets: Bytes,
    _share: Option<Share>,
}

impl AsRef<[u8]> for Received {
    fn as_ref(&self) -> &[u8] {
        &self.octets
    }
}

/// Receives a body of so many octets at most, within the time for bodies.
pub async fn receive(
    intake: &Intake,
    client: ClientId,
    body: Body,
    most: usize,
) -> Result<Received, ApiError> {
    check_length(&body, most)?;
    let receiving = take_in(intake, client, body, most);
    tokio::time::timeout(intake.patience, receiving).await.map_err(|_| ApiError::Timeout)?
}

/// Refuses a body whose length says that it is too long, before anything of it is read.
pub fn check_length(body: &Body, most: usize) -> Result<(), ApiError> {
    if HttpBody::size_hint(body).lower() > most as u64 { Err(too_large(most)) } else { Ok(()) }
}

async fn take_in(
    intake: &Intake,
    client: ClientId,
    mut body: Body,
    most: usize,
) -> Result<Received, ApiError> {
    let said = usize::try_from(HttpBody::size_hint(&body).lower()).unwrap_or(usize::MAX);
    let mut share: Option<Share> = None;
    // Most bodies come in one piece, which is kept as it is.
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::Invalid("the body broke off".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = first.len() + all.len() + data.len();
        if length > most {
            return Err(too_large(most));
        }
        let counted = length.saturating_sub(UNIT).div_ceil(UNIT);
        if counted > 0 {
            let grown = match &mut share {
                Some(share) => share.grow_to(counted),
                None => intake.receiving.take(client, counted).map(|taken| share = Some(taken)),
            };
            grown.map_err(|full| match full {
                Full::Client => ApiError::TooManyRequests(SOON),
                Full::All => intake.overload.put_off(),
            })?;
        }
        if length == data.len() {
            first = data;
        } else {
            if all.is_empty() {
                all.reserve(said.clamp(length, length.max(MOST_AHEAD)));
                all.extend_from_slice(&first);
                first.clear();
            }
            all.extend_from_slice(&data);
        }
    }
    let octets = if all.is_empty() { first } else { all.freeze() };
    Ok(Received { octets, _share: share })
}

fn too_large(most: usize) -> ApiError {
    ApiError::TooLarge(format!("the body has more than {most} bytes"))
}
