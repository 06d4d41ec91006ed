//! Fields of forms, as templates show them: label, value, hint, and the fault beside them.

/// How a field is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A line of text: its type, its keyboard (`inputmode`), and what browsers may fill in.
    Line(&'static str, &'static str, &'static str),
    /// One of these.
    Choice(Vec<FieldOption>),
    /// Yes or no.
    Tick,
}

/// What can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldOption {
    /// The value.
    pub value: String,
    /// What it says.
    pub text: String,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name, and its identifier in the page.
    pub name: String,
    /// What is asked.
    pub label: String,
    /// What was entered.
    pub value: String,
    /// What is expected.
    pub hint: String,
    /// What is wrong.
    pub fault: String,
    /// Whether it has to be filled in.
    pub is_required: bool,
    /// How it is entered.
    pub input: Input,
}

impl Field {
    /// Whether its tick is set.
    #[must_use]
    pub fn is_ticked(&self) -> bool {
        self.value == "yes"
    }

    /// What describes it: hint and fault.
    #[must_use]
    pub fn described_by(&self) -> String {
        match self.hint.is_empty() {
            true => format!("{}-fault", self.name),
            false => format!("{0}-hint {0}-fault", self.name),
        }
    }
}

/// Fields that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its identifier in the page.
    pub id: String,
    /// What they are about.
    pub title: String,
    /// The fields.
    pub fields: Vec<Field>,
    /// The value of the button that takes the group out.
    pub remove: Option<String>,
}
