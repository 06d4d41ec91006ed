//! What households write to the research group, and the answers.
//!
//! Enters: messages of households, answers of researchers. Leaves: pages of messages. Absent: who
//! may. A revocation of consent deletes a household's messages in its transaction.

use async_trait::async_trait;
use ebp_core::contract::{Message, NewMessage, limits};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{HouseholdId, ListCursor, ListPage, ListQuery, StoreError};

/// What a store does about messages.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Stores a message of a household.
    ///
    /// # Errors
    /// [`StoreError::TooManyMessages`] if the household has as many as it may have;
    /// [`StoreError::ConsentRevoked`].
    async fn add_message(
        &self,
        household: HouseholdId,
        message: NewMessage,
        at: Timestamp,
    ) -> Result<Message, StoreError>;

    /// A page of a household's messages, oldest first.
    ///
    /// # Errors
    /// [`StoreError::ConsentRevoked`] if the household is not known (any more).
    async fn household_messages(
        &self,
        household: HouseholdId,
        query: ListQuery,
    ) -> Result<ListPage<Message>, StoreError>;

    /// A page of all messages, oldest first: those that are open or closed, or both.
    async fn messages(
        &self,
        open: Option<bool>,
        query: ListQuery,
    ) -> Result<ListPage<Message>, StoreError>;

    /// Closes a message, with an answer or without.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such message (any more);
    /// [`StoreError::MessageClosed`] if it is closed.
    async fn close_message(
        &self,
        message: Uuid,
        answer: Option<String>,
        at: Timestamp,
    ) -> Result<Message, StoreError>;
}

/// Whether a household with so many messages, and so many open ones, may write another one.
///
/// # Errors
/// [`StoreError::TooManyMessages`] with what there may be.
pub(crate) fn require_room(all: usize, open: usize) -> Result<(), StoreError> {
    if open >= limits::OPEN_MESSAGES {
        return Err(StoreError::TooManyMessages { open: true, limit: limits::OPEN_MESSAGES });
    }
    if all >= limits::MESSAGES {
        return Err(StoreError::TooManyMessages { open: false, limit: limits::MESSAGES });
    }
    Ok(())
}

/// A message as it is stored first.
pub(crate) fn written(household: HouseholdId, new: &NewMessage, at: Timestamp) -> Message {
    Message {
        uuid: Uuid::new_v4(),
        household: household.0,
        about: new.about,
        text: new.text.0.clone(),
        written_at: at,
        answer: None,
        closed_at: None,
    }
}

/// Where a message stands in a list.
pub(crate) fn place(message: &Message) -> ListCursor {
    ListCursor { registered_at: message.written_at.as_microsecond(), uuid: message.uuid }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_up_to_the_limits() {
        assert!(require_room(999, 99).is_ok());
        assert!(matches!(
            require_room(999, 100),
            Err(StoreError::TooManyMessages { open: true, limit: 100 })
        ));
        assert!(matches!(
            require_room(1000, 0),
            Err(StoreError::TooManyMessages { open: false, limit: 1000 })
        ));
    }
}
