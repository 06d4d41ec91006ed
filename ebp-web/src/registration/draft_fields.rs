//! The fields of the form with what is entered.

use super::{
    draft::{Draft, FieldFaults, numbered},
    field::{Field, FieldOption, Group, Input},
    question::{Choices, Kind, METER, Question, SYSTEM},
};
use crate::kit::language::Language;

impl Draft {
    /// Enters a location.
    pub fn set_location(&mut self, language: Language, latitude: f64, longitude: f64) {
        self.set("latitude", degrees(language, latitude));
        self.set("longitude", degrees(language, longitude));
    }

    /// The form's fields of those questions.
    #[must_use]
    pub fn fields(
        &self,
        language: Language,
        questions: &[Question],
        faults: &FieldFaults,
    ) -> Vec<Field> {
        questions
            .iter()
            .map(|question| self.field(language, question, question.name.to_owned(), faults))
            .collect()
    }

    fn field(
        &self,
        language: Language,
        question: &Question,
        name: String,
        faults: &FieldFaults,
    ) -> Field {
        let hint = question.hint;
        let mut input = question.input(language);
        if let (Kind::Choice(Choices::Connected), Input::Choice(options)) =
            (question.kind, &mut input)
        {
            options.extend(self.generation_meters(language));
        }
        Field {
            label: language.say(question.label),
            value: self.get(&name).to_owned(),
            hint: if hint.is_empty() { String::new() } else { language.say(hint) },
            fault: faults.get(&name).cloned().unwrap_or_default(),
            is_required: question.is_required,
            input,
            name,
        }
    }

    /// Generation meters that a system can be connected to.
    fn generation_meters(&self, language: Language) -> Vec<FieldOption> {
        (0..self.meters)
            .filter(|place| self.get(&numbered("meter", *place, "type")) == "PV-GENERATION")
            .map(|place| FieldOption {
                value: place.to_string(),
                text: numbered_title(language, "reg-meter-number", place),
            })
            .collect()
    }

    /// The groups of all meters.
    #[must_use]
    pub fn meter_groups(&self, language: Language, faults: &FieldFaults) -> Vec<Group> {
        self.groups(language, "meter", METER, self.meters, faults, |place| {
            numbered_title(language, /* text */ "reg-meter-number", place)
        })
    }

    /// The groups of all systems.
    #[must_use]
    pub fn system_groups(&self, language: Language, faults: &FieldFaults) -> Vec<Group> {
        self.groups(language, "system", SYSTEM, self.systems, faults, |place| {
            numbered_title(language, /* text */ "reg-system-number", place)
        })
    }

    fn groups(
        &self,
        language: Language,
        of: &str,
        questions: &[Question],
        count: usize,
        faults: &FieldFaults,
        title: impl Fn(usize) -> String,
    ) -> Vec<Group> {
        let group = |place| {
            let named = |question: &Question| numbered(of, place, question.name);
            let fields = questions
                .iter()
                .map(|question| self.field(language, question, named(question), faults))
                .collect();
            let is_last = of == "meter" && count == 1;
            Group {
                id: format!("{of}-{place}"),
                title: title(place),
                fields,
                remove: (!is_last).then(|| format!("remove-{of}-{place}")),
            }
        };
        (0..count).map(group).collect()
    }
}

fn numbered_title(language: Language, id: &str, place: usize) -> String {
    language.say_with(id, [("number", (place + 1).to_string().into())])
}

/// Degrees as they are entered, to about a metre.
#[must_use]
pub fn degrees(language: Language, degrees: f64) -> String {
    let text = format!("{degrees:.5}");
    match language {
        Language::De => text.replace('.', ","),
        Language::En => text,
    }
}
