//! What an output says of itself: each failure once, and when it works again.

use std::sync::Arc;

use crate::{error::PublishError, output::Output};

/// What an output says.
#[derive(Debug)]
pub enum Notice {
    /// It does not work; it tries again by itself. A failure that lasts is told once.
    Failed(Output, PublishError),
    /// It works, or works again.
    Works(Output),
}

/// Who hears notices, on the outputs' threads.
pub(crate) type Hear = Arc<dyn Fn(Notice) + Send + Sync>;

/// Tells a failure once for as long as it lasts.
pub(crate) struct Teller {
    output: Output,
    hear: Hear,
    /// The failure that was told last, none while it works; not even that at the start.
    told: Option<Option<String>>,
}

impl Teller {
    pub(crate) const fn new(output: Output, hear: Hear) -> Self {
        Self { output, hear, told: None }
    }

    /// It works.
    pub(crate) fn works(&mut self) {
        if self.told.replace(None) != Some(None) {
            (self.hear)(Notice::Works(self.output));
        }
    }

    /// It failed.
    pub(crate) fn failed(&mut self, error: PublishError) {
        let text = Some(error.to_string());
        if self.told.as_ref() != Some(&text) {
            self.told = Some(text);
            (self.hear)(Notice::Failed(self.output, error));
        }
    }
}
