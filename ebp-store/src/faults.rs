//! What is wrong with a body.

use ebp_core::contract::Fault;

/// What is wrong with a body: places and what must be there, without any value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Against its form, as the schemas say it.
    pub(super) form: Vec<Fault>,
    /// Against itself, or against what is registered.
    pub(super) conflicts: Vec<Fault>,
}

impl Faults {
    /// Notes a conflict unless `holds`; `pointer` is the place as RFC 6901 writes it. What is not
    /// even of its form conflicts with nothing.
    pub fn check(&mut self, holds: bool, pointer: impl Into<String>, detail: &str) {
        let pointer = pointer.into();
        if !holds && !self.form.iter().any(|fault| fault.pointer == pointer) {
            self.conflicts.push(Fault { pointer, detail: detail.to_owned() });
        }
    }

    /// Notes that the value at a place cannot be read, although the schema allows it.
    pub fn unreadable(&mut self, pointer: String) {
        self.form.push(Fault { pointer, detail: "is not written as it must be".to_owned() });
    }

    /// Notes that a member stands in its object more than once.
    pub fn repeated(&mut self, pointer: String) {
        self.form.push(Fault { pointer, detail: "stands more than once".to_owned() });
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.form.is_empty() && self.conflicts.is_empty()
    }

    /// Whether any is against the body's form.
    #[must_use]
    pub fn of_form(&self) -> bool {
        !self.form.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.form.iter().chain(&self.conflicts)
    }
}
