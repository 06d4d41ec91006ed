//! The signed parts of roles as they are written.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};

use crate::{
    hex,
    json::{Json, object},
    key::PublicKey,
    role::{Header, RoleKeys, RoleName, SIGNED_AT},
};

/// The version of the specification that is followed.
const SPECIFICATION: &str = "1.0.34";

/// How long a role is valid from its signing or drafting on.
#[must_use]
pub const fn validity(role: RoleName) -> SignedDuration {
    const DAY: i64 = 24;
    SignedDuration::from_hours(match role {
        RoleName::Root => 1_826 * DAY,
        RoleName::Targets => 365 * DAY,
        RoleName::Snapshot => 30 * DAY,
        RoleName::Timestamp => 7 * DAY,
    })
}

/// Version and validity of a role that is made at that instant.
pub fn header_at(role: RoleName, version: u64, now: Timestamp) -> Header {
    let seconds = SignedDuration::from_secs(now.as_second());
    let whole = Timestamp::from_duration(seconds).unwrap_or(now);
    Header { version, expires: whole.checked_add(validity(role)).unwrap_or(Timestamp::MAX) }
}

/// A root role.
pub fn root(header: &Header, roles: &BTreeMap<RoleName, RoleKeys>) -> Json {
    let keys = roles.values().flat_map(|role| &role.keys);
    let keys = keys.map(|key| (key.id().to_string(), key.to_json())).collect();
    let role = |(name, role): (&RoleName, &RoleKeys)| {
        let id = |key: &PublicKey| Json::from(key.id().as_str());
        let members = [
            ("keyids", role.keys.iter().map(id).collect()),
            ("threshold", (role.threshold as u64).into()),
        ];
        (name.name().to_owned(), object(members))
    };
    signed(
        RoleName::Root,
        header,
        [
            ("consistent_snapshot", Json::Bool(true)),
            ("keys", Json::Object(keys)),
            ("roles", Json::Object(roles.iter().map(role).collect())),
        ],
    )
}

/// A targets role with those targets.
pub fn targets(header: &Header, targets: BTreeMap<String, Json>) -> Json {
    signed(RoleName::Targets, header, [("targets", Json::Object(targets))])
}

/// A snapshot role.
pub fn snapshot(header: &Header, targets: Json) -> Json {
    signed(RoleName::Snapshot, header, [("meta", object([("targets.json", targets)]))])
}

/// A timestamp role.
pub fn timestamp(header: &Header, snapshot: Json, signed_at: Timestamp) -> Json {
    let meta = object([("snapshot.json", snapshot)]);
    let at = Json::from(signed_at.to_string().as_str());
    signed(RoleName::Timestamp, header, [("meta", meta), (SIGNED_AT, at)])
}

/// What a role says of another one's file.
pub fn file_meta(version: u64, bytes: &[u8]) -> Json {
    let sha256 = hex::encode(digest(&SHA256, bytes).as_ref());
    object([
        ("version", version.into()),
        ("length", (bytes.len() as u64).into()),
        ("hashes", object([("sha256", sha256.as_str().into())])),
    ])
}

fn signed<const COUNT: usize>(
    role: RoleName,
    header: &Header,
    members: [(&str, Json); COUNT],
) -> Json {
    let common = [
        ("_type", Json::from(role.name())),
        ("spec_version", SPECIFICATION.into()),
        ("version", header.version.into()),
        ("expires", header.expires.to_string().as_str().into()),
    ];
    let members = common.into_iter().chain(members);
    Json::Object(members.map(|(name, value)| (name.to_owned(), value)).collect())
}
