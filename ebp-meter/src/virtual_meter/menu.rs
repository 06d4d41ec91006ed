//! The list behind the right PIN: which items a unit has, in which order, and what a long press at
//! each does. What must not happen by mistake is counted as [`Harm`].

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::profile;

/// An item of the list, by what the display shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MenuItem {
    /// The present power.
    P,
    /// The energy since its last reset.
    E,
    /// Sets the energy E to zero.
    EClr,
    /// The energy of the last day.
    Day,
    /// The energy of the last seven days.
    Week,
    /// The energy of the last thirty days.
    Month,
    /// The energy of the last year.
    Year,
    /// The list of past days.
    History,
    /// Deletes the history.
    HistoryClr,
    /// The parameter `0.2.2`, which acts on a long press: with some operators it switches the PIN
    /// query on.
    Parameter,
    /// The extended data of the optical port.
    Inf,
    /// The PIN query.
    Pin,
    /// Something that a long press does nothing to.
    Other,
}

impl MenuItem {
    /// Every item.
    pub const ALL: [Self; 13] = [
        Self::P,
        Self::E,
        Self::EClr,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Year,
        Self::History,
        Self::HistoryClr,
        Self::Parameter,
        Self::Inf,
        Self::Pin,
        Self::Other,
    ];

    /// What the display shows.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::P => "P",
            Self::E => "E",
            Self::EClr => "E CLR",
            Self::Day => "1d",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Year => "365d",
            Self::History => "HIS",
            Self::HistoryClr => "HIS CLR",
            Self::Parameter => "0.2.2",
            Self::Inf => "InF",
            Self::Pin => "PIN",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for MenuItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// No item is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no item of a meter's list: write P, E, E CLR, 1d, 7d, 30d, 365d, HIS, HIS CLR, 0.2.2, InF, PIN or other"
)]
pub struct UnknownItem(String);

impl FromStr for MenuItem {
    type Err = UnknownItem;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        Self::ALL
            .into_iter()
            .find(|item| item.text().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownItem(text.to_owned()))
    }
}

/// The items of a unit, in the order in which short presses show them; the first is shown when the
/// right PIN was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuList(Vec<MenuItem>);

impl MenuList {
    /// These items, as many as a unit can have.
    #[must_use]
    pub fn new(items: &[MenuItem]) -> Self {
        Self(items.iter().copied().take(usize::from(u8::MAX)).collect())
    }

    /// What a profile says of its model's list, filled up with the usual items. Where a source gives
    /// nothing but the presses to `InF`, the items before it are unknown and do nothing.
    #[must_use]
    pub fn from_profile(timing: &profile::Pin) -> Self {
        let Some(menu) = &timing.menu else { return Self(USUAL[..8].to_vec()) };
        let inf = usize::from(menu.inf_presses);
        let pin = menu.pin_presses.map(usize::from);
        let last = pin.unwrap_or(0).max(inf);
        let mut usual = USUAL.iter().copied().filter(|_| !menu.is_sourced());
        let items = (0..=last).map(|place| match place {
            _ if place == inf => MenuItem::Inf,
            _ if Some(place) == pin => MenuItem::Pin,
            _ => usual.next().unwrap_or(MenuItem::Other),
        });
        Self::new(&items.collect::<Vec<_>>())
    }

    /// The same without an item; the ones behind it move up.
    #[must_use]
    pub fn without(mut self, item: MenuItem) -> Self {
        self.0.retain(|own| *own != item);
        self
    }

    /// The items.
    #[must_use]
    pub fn items(&self) -> &[MenuItem] {
        &self.0
    }

    /// The item at that place.
    #[must_use]
    pub fn get(&self, place: u8) -> Option<MenuItem> {
        self.0.get(usize::from(place)).copied()
    }

    /// The place behind that one; behind the last comes the first.
    #[must_use]
    pub fn after(&self, place: u8) -> u8 {
        let next = place.saturating_add(1);
        if usize::from(next) < self.0.len() { next } else { 0 }
    }
}

/// `P, E, 1d, InF`.
impl FromStr for MenuList {
    type Err = UnknownItem;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let items = text.split(',').map(str::parse).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(&items))
    }
}

/// The usual order before `InF` and `PIN`, which is assumed of most models.
const USUAL: [MenuItem; 8] = [
    MenuItem::P,
    MenuItem::E,
    MenuItem::Day,
    MenuItem::Week,
    MenuItem::Month,
    MenuItem::Year,
    MenuItem::History,
    MenuItem::Parameter,
];

/// Unintended effects of long presses. Each counts up to 255.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Harm {
    /// The PIN query was switched off: the history on the display is open to everybody.
    pub pin_query_off: u8,
    /// The energy E was set to zero.
    pub energy_cleared: u8,
    /// The history was deleted. Some models ask for a second long press; this one does not.
    pub history_cleared: u8,
    /// `0.2.2` was acted on.
    pub parameter_acted: u8,
}

impl Harm {
    /// Whether none was done.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.pin_query_off, "the PIN query was switched off"),
            (self.energy_cleared, "the energy E was set to zero"),
            (self.history_cleared, "the history was deleted"),
            (self.parameter_acted, "0.2.2 was acted on"),
        ];
        let done: Vec<_> =
            all.into_iter().filter(|(count, _)| *count > 0).map(|(_, what)| what).collect();
        f.write_str(&if done.is_empty() { "no harm was done".to_owned() } else { done.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    #[test]
    fn lists_follow_the_profile_and_move_up_without_an_item() {
        let profiles = Profiles::embedded();
        let list = |model: &str| {
            MenuList::from_profile(profiles.get(model).unwrap().pin.as_ref().unwrap())
        };
        let mt175 = list("MT175");
        let text = |list: &MenuList| {
            list.items().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(text(&mt175), "P, E, 1d, 7d, 30d, 365d, HIS, 0.2.2, InF, PIN");
        assert_eq!(mt175.get(8), Some(MenuItem::Inf));
        assert_eq!((mt175.after(8), mt175.after(9)), (9, 0));
        let without = mt175.without(MenuItem::Inf);
        assert_eq!((without.get(8), without.get(9)), (Some(MenuItem::Pin), None));
        assert_eq!(list("MB310").get(13), Some(MenuItem::Inf));
        assert!(list("ED300L").items().iter().all(|item| *item != MenuItem::Inf));
        let own: MenuList = "P, e clr,his clr,0.2.2,InF,PIN".parse().unwrap();
        assert_eq!(text(&own), "P, E CLR, HIS CLR, 0.2.2, InF, PIN");
        assert!("P,,E".parse::<MenuList>().unwrap_err().to_string().contains("no item"));
    }

    #[test]
    fn harm_is_named() {
        assert_eq!(Harm::default().to_string(), "no harm was done");
        let harm = Harm { pin_query_off: 1, history_cleared: 2, ..Harm::default() };
        assert_eq!(harm.to_string(), "the PIN query was switched off, the history was deleted");
    }
}
