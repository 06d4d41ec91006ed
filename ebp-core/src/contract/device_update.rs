//! `POST /device/update`: what a device says of its updates, and what it is to run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::problem::Fault;
use crate::plain_text::find_hidden;

/// The longest version of a program, bytes.
pub const LONGEST_VERSION: usize = 48;

/// The longest text with which a device says why something was not done, characters.
pub const LONGEST_UPDATE_REASON: usize = 200;

/// Whether that is a version of the program: a digit, and then letters, digits, `.`, `-`, `+`, `~`.
#[must_use]
pub fn is_program_version(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-+~".contains(&byte);
    text.len() <= LONGEST_VERSION
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(is_part)
}

/// Who updates a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UpdateManager {
    /// The program itself.
    #[default]
    Ebp,
    /// Flux, on a device with Kubernetes.
    Flux,
}

/// What a device does about its updates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UpdatePhase {
    /// Nothing.
    #[default]
    Idle,
    /// It fetches a version.
    Fetching,
    /// A version is there, and no service has run it.
    Staged,
    /// Services run a version that has yet to prove itself.
    Trying,
    /// Services run what they ran before, and it is seen whether that works better.
    Returning,
}

macro_rules! names {
    ($type:ident { $($variant:ident $name:literal),* $(,)? }) => {
        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, as in JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {$(Self::$variant => $name),*}
            }

            /// The one of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(super) use names;

names!(UpdateManager { Ebp "ebp", Flux "flux" });
names!(UpdatePhase {
    Idle "idle", Fetching "fetching", Staged "staged", Trying "trying", Returning "returning",
});

/// A version that a device does not run, since it did not prove itself there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RevertedUpdate {
    /// Which.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9][0-9A-Za-z.+~-]{0,47}$"))]
    pub version: String,
    /// Why: a text for people.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 200,
            pattern = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$"
        )
    )]
    pub reason: String,
}

/// What a device says of its updates: it replaces what it said before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceUpdate {
    /// Who updates it.
    #[serde(default)]
    pub managed: UpdateManager,
    /// Whether its own configuration says which version it runs, so that no roll-out does.
    #[serde(default)]
    pub pinned: bool,
    /// What it does now.
    #[serde(default)]
    pub phase: UpdatePhase,
    /// The version that services run while none is tried out; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9][0-9A-Za-z.+~-]{0,47}$"))]
    pub kept: Option<String>,
    /// The last version that did not prove itself, unless another one was kept since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverted: Option<RevertedUpdate>,
    /// Why it did not get any further in its last round, if it did not: a text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 200,
            pattern = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$"
        )
    )]
    pub hindrance: Option<String>,
}

impl DeviceUpdate {
    /// What is wrong with it, by the place of each.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, pointer: &str, detail: &str| {
            if !holds {
                faults.push(Fault { pointer: pointer.to_owned(), detail: detail.to_owned() });
            }
        };
        let is_version = |version: Option<&String>| version.is_none_or(|v| is_program_version(v));
        let is_text = |text: Option<&String>| {
            text.is_none_or(|text| {
                text.chars().count() <= LONGEST_UPDATE_REASON && find_hidden(text).is_none()
            })
        };
        let reverted = self.reverted.as_ref();
        check(is_version(self.kept.as_ref()), "/kept", "is no version");
        let version = reverted.map(|reverted| &reverted.version);
        check(is_version(version), "/reverted/version", "is no version");
        let reason = reverted.map(|reverted| &reverted.reason);
        check(is_text(reason), "/reverted/reason", "must be a line of 200 characters at most");
        check(
            is_text(self.hindrance.as_ref()),
            "/hindrance",
            "must be a line of 200 characters at most",
        );
        faults
    }
}

/// What a device is to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateWish {
    /// What is wanted of it.
    pub wish: UpdateWishKind,
    /// The version that it should run, if one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What is wanted of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UpdateWishKind {
    /// There never was a roll-out: its own rule says.
    Any,
    /// It stays on what it runs.
    Stay,
    /// It runs the version that is named, as far as signed metadata permit.
    Run,
}

impl UpdateWish {
    /// Its own rule says.
    pub const ANY: Self = Self { wish: UpdateWishKind::Any, version: None };
    /// It stays on what it runs.
    pub const STAY: Self = Self { wish: UpdateWishKind::Stay, version: None };

    /// It runs that version.
    #[must_use]
    pub const fn run(version: String) -> Self {
        Self { wish: UpdateWishKind::Run, version: Some(version) }
    }
}

/// What a device last said of its updates, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportedUpdate {
    /// When.
    pub reported_at: Timestamp,
    /// What.
    pub update: DeviceUpdate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_their_places() {
        let long = "x".repeat(LONGEST_UPDATE_REASON + 1);
        let update = DeviceUpdate {
            kept: Some("v1".to_owned()),
            reverted: Some(RevertedUpdate { version: "../1".to_owned(), reason: long }),
            hindrance: Some("\0".to_owned()),
            ..DeviceUpdate::default()
        };
        let places: Vec<_> = update.faults().into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(places, ["/kept", "/reverted/version", "/reverted/reason", "/hindrance"]);
        assert_eq!(DeviceUpdate::default().faults(), Vec::new());
    }

    #[test]
    fn the_least_is_nothing_and_names_are_those_of_json() {
        let least: DeviceUpdate = serde_json::from_str("{}").unwrap();
        assert_eq!(least, DeviceUpdate::default());
        for phase in UpdatePhase::ALL {
            assert_eq!(serde_json::to_string(phase).unwrap(), format!("\"{phase}\""));
            assert_eq!(UpdatePhase::named(phase.name()), Some(*phase));
        }
        for manager in UpdateManager::ALL {
            assert_eq!(serde_json::to_string(manager).unwrap(), format!("\"{manager}\""));
        }
    }
}
