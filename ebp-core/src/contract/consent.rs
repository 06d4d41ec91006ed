//! Bodies about consent: its state, what it was granted to, and how it was withdrawn.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::Language;
use crate::model::ConsentState;

/// The household's consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Consent {
    /// Its state.
    pub state: ConsentState,
    /// When it was granted.
    pub granted_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The text that was agreed to; absent where the survey had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<AgreedText>,
    /// By which way it was granted; absent of a grant before this was stored, and once it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_through: Option<GrantChannel>,
    /// How it was withdrawn; absent where the participant revoked it by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<Withdrawal>,
    /// Further purposes that the participant agreed to, each by itself; none once consent is revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<GivenPurpose>,
}

/// A further purpose that was agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GivenPurpose {
    /// Its name, such as `later-studies`.
    pub name: String,
    /// The language that its text was read in.
    pub language: Language,
    /// The text that was agreed to.
    pub text: String,
    /// When it was agreed to.
    pub given_at: Timestamp,
    /// When that was withdrawn; absent while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
}

/// `POST /household/consent/purpose/{purpose}`: agrees to a further purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PurposeGrant {
    /// The language that the participant read its text in.
    pub language: Language,
}

/// By which way consent was granted: the kind of identity that proved whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GrantChannel {
    /// On the household's page, which has a certificate of its own on the device.
    Page,
    /// By the program on the device (`ebp consent grant`), with the certificate that it measures by.
    Device,
    /// By the participant's own certificate, which belongs to no device.
    Certificate,
    /// By another client, with a bearer token.
    Token,
}

impl GrantChannel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Page, Self::Device, Self::Certificate, Self::Token];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Device => "device",
            Self::Certificate => "certificate",
            Self::Token => "token",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// The text that was agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgreedText {
    /// Its version.
    pub version: u32,
    /// The language that it was read in; absent once consent is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// `POST /household/consent`: what is agreed to. Both members are needed where the survey has texts,
/// and neither is permitted where it has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ConsentGrant {
    /// The version of the text that the participant agrees to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 2_147_483_647))]
    pub text_version: Option<u32>,
    /// The language that the participant read it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// `POST /management/household/{household}/revocation`: a withdrawal that came elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// When it came; the first day of that month once it is recorded.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub received_on: Date,
    /// How it came.
    pub channel: WithdrawalChannel,
}

/// How a withdrawal came that a participant did not make by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawalChannel {
    /// By letter.
    Letter,
    /// By phone.
    Phone,
    /// By e-mail.
    #[serde(rename = "e-mail")]
    Email,
    /// Said in person.
    InPerson,
}

impl WithdrawalChannel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Letter, Self::Phone, Self::Email, Self::InPerson];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Phone => "phone",
            Self::Email => "e-mail",
            Self::InPerson => "in-person",
        }
    }
}

impl fmt::Display for WithdrawalChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name of no channel.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown channel: there are letter, phone, e-mail and in-person")]
pub struct UnknownWithdrawalChannel;

impl FromStr for WithdrawalChannel {
    type Err = UnknownWithdrawalChannel;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|channel| channel.name() == text);
        named.ok_or(UnknownWithdrawalChannel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_names() {
        for channel in WithdrawalChannel::ALL {
            assert_eq!(channel.to_string().parse(), Ok(channel));
            assert_eq!(serde_json::to_value(channel).unwrap(), channel.name());
        }
        assert_eq!("fax".parse::<WithdrawalChannel>(), Err(UnknownWithdrawalChannel));
        for channel in GrantChannel::ALL {
            assert_eq!(GrantChannel::named(channel.name()), Some(channel));
            assert_eq!(serde_json::to_value(channel).unwrap(), channel.name());
        }
        assert_eq!(GrantChannel::named("fax"), None);
    }

    /// Servers and devices of before know three members.
    #[test]
    fn what_is_absent_is_left_out() {
        let consent: Consent =
            serde_json::from_str(r#"{"state":"not-granted","granted_at":null,"revoked_at":null}"#)
                .unwrap();
        assert_eq!(
            serde_json::to_string(&consent).unwrap(),
            r#"{"state":"not-granted","granted_at":null,"revoked_at":null}"#
        );
        assert_eq!(serde_json::to_string(&ConsentGrant::default()).unwrap(), "{}");
    }
}
