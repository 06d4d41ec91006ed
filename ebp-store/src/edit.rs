//! Changes of a registration by people: what is changed, by whom, and which version of the household
//! they saw.
//!
//! Enters: a change, the household before and after. Leaves: whether it may be made, and what the
//! history says of it. Absent: SQL; the rules of a change's content, which are in `change`.

use std::{fmt, str::FromStr};

use ebp_core::{
    contract::{
        ChangeKind, HouseholdChange, LABEL_LENGTH, ManagedHousehold, MeterChange, NewMeter,
        NewPvSystem, PvSystemChange,
    },
    plain_text::find_hidden,
    scope::Group,
};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::StoreError;

/// A change of a household's registration.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Contact, address, location or answers; the instant is that of revoking certificates if the
    /// e-mail address is another one.
    Household(Box<HouseholdChange>, Timestamp),
    /// Appends a meter.
    AddMeter(NewMeter),
    /// Changes a meter.
    ChangeMeter(Uuid, MeterChange),
    /// Removes a meter that was registered by mistake.
    RemoveMeter(Uuid),
    /// Appends a photovoltaic system.
    AddPvSystem(NewPvSystem),
    /// Changes a photovoltaic system.
    ChangePvSystem(Uuid, PvSystemChange),
    /// Removes a photovoltaic system that was registered by mistake.
    RemovePvSystem(Uuid),
    /// Adds a device, which reads these meters from now on.
    AddDevice(Vec<Uuid>),
}

impl Edit {
    /// What the history calls it.
    #[must_use]
    pub const fn kind(&self) -> ChangeKind {
        match self {
            Self::Household(..) => ChangeKind::Changed,
            Self::AddMeter(_) => ChangeKind::MeterAdded,
            Self::ChangeMeter(..) => ChangeKind::MeterChanged,
            Self::RemoveMeter(_) => ChangeKind::MeterRemoved,
            Self::AddPvSystem(_) => ChangeKind::PvSystemAdded,
            Self::ChangePvSystem(..) => ChangeKind::PvSystemChanged,
            Self::RemovePvSystem(_) => ChangeKind::PvSystemRemoved,
            Self::AddDevice(_) => ChangeKind::DeviceAdded,
        }
    }
}

/// The initials of who changes a registration: 1 to 16 characters, all visible.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(String);

/// A text is not what initials look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {LABEL_LENGTH} characters, none of them a control or an invisible character")]
pub struct InvalidLabel;

impl Label {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = InvalidLabel;

    fn try_from(text: String) -> Result<Self, InvalidLabel> {
        text.parse()
    }
}

impl FromStr for Label {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        let text = text.trim();
        let length = text.chars().take(LABEL_LENGTH + 1).count();
        if !(1..=LABEL_LENGTH).contains(&length) || find_hidden(text).is_some() {
            return Err(InvalidLabel);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Does not show the initials.
impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Label(redacted)")
    }
}

/// Who makes a change, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    /// The group whose secret was used.
    pub group: Group,
    /// The initials that were given with it.
    pub label: Option<Label>,
    /// When.
    pub at: Timestamp,
}

/// On what a change depends, and whether the history has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditOptions {
    /// Who makes the change; without one the history says nothing of it.
    pub editor: Option<Editor>,
    /// The household has to be one of these versions; any if absent.
    pub expected: Option<Vec<HouseholdVersion>>,
}

/// A version of a household with all that belongs to it: another one after each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HouseholdVersion([u8; 16]);

impl HouseholdVersion {
    /// That of this household.
    ///
    /// # Errors
    /// Returns [`StoreError::Damaged`] if it cannot be written as JSON.
    pub fn from_household(household: &ManagedHousehold) -> Result<Self, StoreError> {
        let text = serde_json::to_vec(household).map_err(|_| StoreError::Damaged("household"))?;
        let mut version = [0; 16];
        version.copy_from_slice(&digest(&SHA256, &text).as_ref()[..16]);
        Ok(Self(version))
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for HouseholdVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for HouseholdVersion {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(());
        }
        u128::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| ())
    }
}

impl EditOptions {
    /// Checks that the household is a version that may be changed.
    ///
    /// # Errors
    /// Returns [`StoreError::Changed`] if it is none of those.
    pub fn check(&self, before: &ManagedHousehold) -> Result<(), StoreError> {
        match &self.expected {
            Some(expected) if !expected.contains(&HouseholdVersion::from_household(before)?) => {
                Err(StoreError::Changed)
            }
            _ => Ok(()),
        }
    }

    /// Whether the household has to be read for it.
    #[must_use]
    pub const fn wants_household(&self) -> bool {
        self.editor.is_some() || self.expected.is_some()
    }
}

/// Which members a change has changed, as JSON pointers; `None` if it changed nothing, which the
/// history need not say.
pub fn changed_fields(
    edit: &Edit,
    before: &ManagedHousehold,
    after: &ManagedHousehold,
) -> Result<Option<Vec<String>>, StoreError> {
    let json = |household: &ManagedHousehold| {
        serde_json::to_value(household).map_err(|_| StoreError::Damaged("household"))
    };
    let (before, after) = (json(before)?, json(after)?);
    let mut fields = Vec::new();
    match edit {
        Edit::Household(..) => {
            for member in ["participant", "address", "location", "metadata"] {
                compare(&format!("/{member}"), &before[member], &after[member], &mut fields);
            }
        }
        Edit::ChangeMeter(uuid, _) => {
            compare(
                "",
                member(&before["meters"], *uuid),
                member(&after["meters"], *uuid),
                &mut fields,
            );
        }
        Edit::ChangePvSystem(uuid, _) => {
            let [before, after] = [&before, &after].map(|household| &household["pv_systems"]);
            compare("", member(before, *uuid), member(after, *uuid), &mut fields);
        }
        _ => return Ok(Some(fields)),
    }
    Ok((!fields.is_empty()).then_some(fields))
}

/// The member of a list with that identifier.
fn member(list: &Value, uuid: Uuid) -> &Value {
    let named = |item: &&Value| item["uuid"].as_str() == Some(&*uuid.to_string());
    list.as_array().into_iter().flatten().find(named).unwrap_or(&Value::Null)
}

/// The members of an object that differ.
fn compare(place: &str, before: &Value, after: &Value, fields: &mut Vec<String>) {
    let mut names: Vec<&String> =
        [before, after].into_iter().filter_map(Value::as_object).flat_map(|it| it.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let differing = names.into_iter().filter(|name| before.get(name) != after.get(name));
    fields.extend(differing.map(|name| format!("{place}/{name}")));
}

/// The fields as the databases store them, and back.
pub fn fields_text(fields: &[String]) -> String {
    fields.join(" ")
}

/// From their text.
pub fn fields_from(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A kind from its column.
pub fn kind_from(text: &str) -> Result<ChangeKind, StoreError> {
    let kind = ChangeKind::ALL.into_iter().find(|kind| kind.name() == text);
    kind.ok_or(StoreError::Damaged("change"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn household(street: &str, model: &str) -> ManagedHousehold {
        serde_json::from_value(json!({
            "uuid": Uuid::nil(), "registered_at": "2026-01-01T00:00:00Z",
            "participant": {"name": "Erika", "email": "erika@example.org"},
            "participant_uuid": Uuid::nil(),
            "address": {"street": street, "postal_code": "51147", "city": "Köln", "country": "DE"},
            "location": null, "metadata": null,
            "consent": {"state": "not-granted", "granted_at": null, "revoked_at": null},
            "meters": [{"uuid": Uuid::nil(), "type": "ELECTRICITY", "model": model,
                        "measurement_device": null}],
            "pv_systems": [], "measurement_devices": []
        }))
        .unwrap()
    }

    #[test]
    fn a_version_is_another_one_after_each_change() {
        let version = HouseholdVersion::from_household(&household("a", "MT175")).unwrap();
        assert_eq!(version.to_string().parse(), Ok(version));
        assert_eq!(HouseholdVersion::from_household(&household("a", "MT175")).unwrap(), version);
        for other in [household("b", "MT175"), household("a", "MT681")] {
            assert_ne!(HouseholdVersion::from_household(&other).unwrap(), version);
        }
        for text in ["", "0", "zz", &"+".repeat(32), &"0".repeat(33)] {
            assert_eq!(text.parse::<HouseholdVersion>(), Err(()), "{text}");
        }
    }

    #[test]
    fn fields_are_those_that_differ_and_values_are_in_none() {
        let (before, after) = (household("Heidestraße 17", "MT175"), household("Gasse 2", "MT681"));
        let edit = Edit::Household(Box::default(), Timestamp::UNIX_EPOCH);
        let fields = changed_fields(&edit, &before, &after).unwrap();
        assert_eq!(fields, Some(vec!["/address/street".to_owned()]));
        assert_eq!(changed_fields(&edit, &before, &before).unwrap(), None);
        let edit = Edit::ChangeMeter(Uuid::nil(), MeterChange::default());
        let fields = changed_fields(&edit, &before, &after).unwrap();
        assert_eq!(fields, Some(vec!["/model".to_owned()]));
        let edit = Edit::RemoveMeter(Uuid::nil());
        assert_eq!(changed_fields(&edit, &before, &after).unwrap(), Some(Vec::new()));
    }

    #[test]
    fn initials_are_short_and_hidden() {
        assert_eq!(" ÄM ".parse::<Label>().unwrap().as_str(), "ÄM");
        assert!("Ω".repeat(16).parse::<Label>().is_ok());
        for text in ["", "  ", &"Ω".repeat(17), "a\nb", "\u{0}", "E\u{200b}M", "\u{202e}ME"] {
            assert_eq!(text.parse::<Label>(), Err(InvalidLabel), "{text}");
        }
        assert!(!format!("{:?}", "EM".parse::<Label>()).contains("EM"));
    }
}
