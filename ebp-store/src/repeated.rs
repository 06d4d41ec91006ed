//! Detects a registration that repeats a stored one: the same participant at the same address.

use ebp_core::model::Address;
use uuid::Uuid;

use super::StoreError;
use crate::address::normalised;

/// Looks for the address among those of the same participant's households, however it is written.
///
/// # Errors
/// Returns [`StoreError::RegisteredAlready`] with the first household at that address.
pub fn refuse(
    address: &Address,
    households: impl IntoIterator<Item = (Uuid, Address)>,
) -> Result<(), StoreError> {
    let wanted = normalised(address);
    let mut households = households.into_iter();
    match households.find(|(_, address)| normalised(address) == wanted) {
        Some((household, _)) => Err(StoreError::RegisteredAlready(household)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(street: &str, city: &str) -> Address {
        let [street, city] = [street, city].map(str::to_owned);
        Address { street, postal_code: "51147".into(), city, country: "DE".into() }
    }

    #[test]
    fn a_house_is_the_same_however_it_is_written() {
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let known =
            || [(first, address("Heidestraße 17", "Köln")), (second, address("Gasse 1", "Köln"))];
        let found = |street| match refuse(&address(street, "Porz"), known()) {
            Err(StoreError::RegisteredAlready(household)) => Some(household),
            other => other.map(|()| None).unwrap(),
        };
        assert_eq!(found("Heidestr. 17"), Some(first));
        assert_eq!(found("GASSE 1"), Some(second));
        assert_eq!(found("Heidestraße 17 a"), None);
    }
}
