//! The faults of a body.

use ebp_core::contract::Fault;

/// The faults of a body: places and what is expected there, without any value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Faults against the schemas.
    pub(super) form: Vec<Fault>,
    /// Contradictions within the body, or to what is registered.
    pub(super) conflicts: Vec<Fault>,
}

impl Faults {
    /// Records a conflict unless `holds`; `pointer` is the place as RFC 6901 writes it. A place
    /// that does not match its schema gets no conflict.
    pub fn check(&mut self, holds: bool, pointer: impl Into<String>, detail: &str) {
        let pointer = pointer.into();
        if !holds && !self.form.iter().any(|fault| fault.pointer == pointer) {
            self.conflicts.push(Fault { pointer, detail: detail.to_owned() });
        }
    }

    /// Records that the value at a place cannot be read, although the schema allows it.
    pub fn unreadable(&mut self, pointer: String) {
        self.form.push(Fault { pointer, detail: "is not written as it must be".to_owned() });
    }

    /// Records that an object contains a member more than once.
    pub fn repeated(&mut self, pointer: String) {
        self.form.push(Fault { pointer, detail: "occurs more than once".to_owned() });
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.form.is_empty() && self.conflicts.is_empty()
    }

    /// Whether any is a fault against the schema.
    #[must_use]
    pub fn of_form(&self) -> bool {
        !self.form.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.form.iter().chain(&self.conflicts)
    }
}
