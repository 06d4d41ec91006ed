//! What is entered into the form of a registration, right or wrong: kept until it is saved.
//!
//! Answers become JSON, against which the survey's own rules are held; a text that is no number stays a
//! text there, so that the fault names its place.

use std::collections::BTreeMap;

use ebp_core::{contract::Registration, model::Location};
use ebp_survey::Faults;
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

use super::question::{
    ADDRESS, ANSWERS, CONTACT, Choices, Kind, LOCATION, METER, Question, SYSTEM,
};
use crate::kit::{form::Fields, language::Language};

/// Meters and systems of a household, at most.
pub const MOST: usize = 100;

/// What is entered, by the fields' names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    answers: BTreeMap<String, String>,
    /// How many meters.
    pub meters: usize,
    /// How many photovoltaic systems.
    pub systems: usize,
}

/// What is wrong, by the fields' names, in the reader's language.
pub type FieldFaults = BTreeMap<String, String>;

/// All questions that are asked once.
fn once() -> impl Iterator<Item = &'static Question> {
    [CONTACT, ADDRESS, LOCATION, ANSWERS].into_iter().flatten()
}

/// The name of a meter's or system's field.
pub fn numbered(of: &str, place: usize, name: &str) -> String {
    format!("{of}-{place}-{name}")
}

impl Draft {
    /// An empty form, with one meter.
    #[must_use]
    pub fn empty() -> Self {
        let answers = [
            ("country", "DE"),
            ("battery", "unknown"),
            ("metering_concept", "unknown"),
            ("meter-0-type", "ELECTRICITY"),
        ];
        let answers =
            answers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { answers, meters: 1, systems: 0 }
    }

    /// What was sent.
    #[must_use]
    pub fn from_fields(fields: &Fields) -> Self {
        let count = |name| fields.get(name).parse::<usize>().unwrap_or(0).min(MOST);
        let answers = fields
            .iter()
            .filter(|(name, _)| !matches!(*name, "token" | "do" | "meters" | "systems"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self { answers, meters: count("meters"), systems: count("systems") }
    }

    /// What is entered for a field.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.answers.get(name).map_or("", String::as_str)
    }

    /// Enters something.
    pub fn set(&mut self, name: &str, value: String) {
        self.answers.insert(name.to_owned(), value);
    }

    /// Adds a meter.
    pub fn add_meter(&mut self) {
        if self.meters < MOST {
            self.set(&numbered("meter", self.meters, "type"), "PV-GENERATION".to_owned());
            self.meters += 1;
        }
    }

    /// Adds a photovoltaic system.
    pub fn add_system(&mut self) {
        self.systems = (self.systems + 1).min(MOST);
    }

    /// Takes a meter out; systems that are connected to later ones stay connected to those.
    pub fn remove_meter(&mut self, place: usize) {
        if place >= self.meters {
            return;
        }
        self.remove("meter", METER, place, self.meters);
        self.meters -= 1;
        for system in 0..self.systems {
            let name = numbered("system", system, "meter");
            let connected = self.get(&name).parse::<usize>();
            match connected {
                Ok(meter) if meter == place => self.set(&name, String::new()),
                Ok(meter) if meter > place => self.set(&name, (meter - 1).to_string()),
                _ => {}
            }
        }
    }

    /// Takes a system out.
    pub fn remove_system(&mut self, place: usize) {
        if place < self.systems {
            self.remove("system", SYSTEM, place, self.systems);
            self.systems -= 1;
        }
    }

    fn remove(&mut self, of: &str, questions: &[Question], place: usize, count: usize) {
        for question in questions {
            for place in place..count {
                let next = self.answers.remove(&numbered(of, place + 1, question.name));
                let name = numbered(of, place, question.name);
                match next {
                    Some(next) => self.answers.insert(name, next),
                    None => self.answers.remove(&name),
                };
            }
        }
    }

    /// The entered location, if it is one.
    #[must_use]
    pub fn location(&self) -> Option<Location> {
        let degrees = |name, most: f64| {
            let degrees = point(self.get(name)).parse::<f64>().ok()?;
            (degrees.abs() <= most).then_some(degrees)
        };
        Some(Location::entered(degrees("latitude", 90.0)?, degrees("longitude", 180.0)?))
    }

    /// As a registration's JSON.
    #[must_use]
    pub fn value(&self) -> Value {
        let mut body = Value::Object(Map::new());
        for question in once() {
            let is_location = LOCATION.contains(question);
            if is_location && self.get("latitude").is_empty() && self.get("longitude").is_empty() {
                continue;
            }
            put(&mut body, question.pointer, answer(question, self.get(question.name)));
        }
        body["meters"] = self.list("meter", METER, self.meters);
        body["pv_systems"] = self.list("system", SYSTEM, self.systems);
        body
    }

    fn list(&self, of: &str, questions: &[Question], count: usize) -> Value {
        let item = |place| {
            let mut item = Value::Object(Map::new());
            for question in questions {
                let entered = self.get(&numbered(of, place, question.name));
                if question.is_required || !entered.is_empty() {
                    put(&mut item, question.pointer, answer(question, entered));
                }
            }
            item
        };
        Value::Array((0..count).map(item).collect())
    }

    /// The registration, or what is wrong with it by the survey's rules that need no database.
    ///
    /// # Errors
    /// Returns the faults by the fields' names.
    pub fn registration(&self, language: Language) -> Result<Registration, FieldFaults> {
        let value = self.value();
        let faults = Faults::of_json::<Registration>(&value);
        if !faults.is_empty() {
            return Err(self.faults(language, &faults));
        }
        serde_json::from_value(value).map_err(|_| {
            let text = language.say("reg-fault-text");
            FieldFaults::from([("name".to_owned(), text)])
        })
    }

    /// Faults of the survey by the fields' names, in the reader's language.
    #[must_use]
    pub fn faults(&self, language: Language, faults: &Faults) -> FieldFaults {
        let mut named = FieldFaults::new();
        for fault in faults.iter() {
            let (name, text) = Self::place(&fault.pointer);
            let text = known(&fault.detail).unwrap_or(text);
            named.entry(name).or_insert_with(|| language.say(text));
        }
        named
    }

    /// The label of the question at a place of a registration, and what is said of its fault; none if
    /// no question is asked there.
    #[must_use]
    pub fn said_of(language: Language, pointer: &str, detail: &str) -> Option<String> {
        let (name, text) = Self::place(pointer);
        let question = once().chain(METER).chain(SYSTEM);
        let question = question
            .filter(|question| {
                name == question.name || name.ends_with(&format!("-{}", question.name))
            })
            .find(|question| pointer.ends_with(question.pointer))?;
        let text = known(detail).unwrap_or(text);
        Some(format!("{}: {}", language.say(question.label), language.say(text)))
    }

    /// The field at a place of a registration, and what is said of it.
    fn place(pointer: &str) -> (String, &'static str) {
        if let Some(question) = once().find(|question| question.pointer == pointer) {
            return (question.name.to_owned(), question.fault);
        }
        for (of, list, questions) in
            [("meter", "/meters/", METER), ("system", "/pv_systems/", SYSTEM)]
        {
            let Some(rest) = pointer.strip_prefix(list) else { continue };
            let (place, member) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let place = place.parse().unwrap_or(0);
            let question = questions.iter().find(|question| question.pointer == member);
            let question = question.unwrap_or(&questions[0]);
            return (numbered(of, place, question.name), question.fault);
        }
        match pointer {
            "/meters" => ("add-meter".to_owned(), /* text */ "reg-fault-meters"),
            _ => ("name".to_owned(), /* text */ "reg-fault-other"),
        }
    }
}

/// What is said of an e-mail address that another participant has.
const EMAIL_TAKEN: &str = /* text */ "reg-fault-email-taken";

/// What is said of a text with a character that nobody sees.
const INVISIBLE: &str = /* text */ "reg-fault-invisible";

/// What is said of a fault that says more than its place does.
fn known(detail: &str) -> Option<&'static str> {
    if detail.starts_with("belongs to") {
        return Some(EMAIL_TAKEN);
    }
    detail.contains("the invisible character").then_some(INVISIBLE)
}

/// Puts a value at a place.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let place = pointer.split('/').skip(1).fold(body, |place, name| {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        &mut place[name]
    });
    *place = value;
}

/// An answer as a value; one that is not of its kind stays a text.
fn answer(question: &Question, entered: &str) -> Value {
    let entered = entered.trim();
    let text = || Value::String(entered.to_owned());
    match question.kind {
        Kind::Text(..) | Kind::Day => text(),
        Kind::Number => number_of(entered).map_or_else(text, Value::Number),
        Kind::Tick => Value::Bool(entered == "yes"),
        Kind::Choice(Choices::Connected) => {
            entered.parse::<u64>().map_or_else(|_| text(), Value::from)
        }
        Kind::Choice(_) => text(),
    }
}

/// A number as people of both languages write it: `7,48` and `7.48`.
fn number_of(entered: &str) -> Option<Number> {
    let decimal: Decimal = point(entered).parse().ok()?;
    decimal.to_string().parse().ok()
}

fn point(entered: &str) -> String {
    entered.trim().replace(',', ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(pairs: &[(&str, &str)]) -> Draft {
        let pairs = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Draft::from_fields(&Fields::from_pairs(pairs))
    }

    const WHOLE: &[(&str, &str)] = &[
        ("name", " Erika "),
        ("email", "erika@example.org"),
        ("street", "Gasse 1"),
        ("postal_code", "01067"),
        ("city", "Dresden"),
        ("country", "DE"),
        ("latitude", "51,05"),
        ("longitude", "13.74"),
        ("children", "0"),
        ("adults", "2"),
        ("adults_with_job", "1"),
        ("heat_pump", "yes"),
        ("battery", "none"),
        ("metering_concept", "surplus-feed-in"),
        ("meters", "2"),
        ("meter-0-type", "ELECTRICITY"),
        ("meter-0-model", "MT175"),
        ("meter-1-type", "PV-GENERATION"),
        ("meter-1-model", "EHZ"),
        ("meter-1-register", "2.8.0"),
        ("systems", "1"),
        ("system-0-power", "7,48"),
        ("system-0-azimuth", "180"),
        ("system-0-tilt", "35"),
        ("system-0-installed", "2019-05-03"),
        ("system-0-meter", "1"),
    ];

    #[test]
    fn answers_become_a_registration() {
        let made = draft(WHOLE).registration(Language::De).unwrap();
        assert_eq!(
            (made.participant.name.as_str(), made.address.city.as_str()),
            ("Erika", "Dresden")
        );
        assert_eq!(
            made.location.unwrap(),
            Location { precision: None, ..Location::entered(51.05, 13.74) }
        );
        assert!(made.metadata.heat_pump && !made.metadata.home_battery);
        assert_eq!(made.pv_systems[0].nominal_power.to_string(), "7.48");
        assert_eq!(made.pv_systems[0].meter, Some(1));
        assert_eq!(made.meters[1].generation_register.unwrap().name(), "2.8.0");
    }

    #[test]
    fn each_fault_is_beside_its_field() {
        let mut wrong = draft(WHOLE);
        for (name, value) in [
            ("email", "erika"),
            ("postal_code", "5114"),
            ("latitude", "100"),
            ("adults_with_job", "3"),
            ("meter-0-model", ""),
            ("system-0-power", "viel"),
            ("system-0-installed", ""),
        ] {
            wrong.set(name, value.to_owned());
        }
        let faults = wrong.registration(Language::En).unwrap_err();
        let names: Vec<_> = faults.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "adults_with_job",
                "email",
                "latitude",
                "meter-0-model",
                "postal_code",
                "system-0-installed",
                "system-0-power"
            ]
        );
        assert!(faults.values().all(|text| !text.contains("viel") && text.contains(' ')));
        let empty = Draft::empty().registration(Language::De).unwrap_err();
        assert!(empty.contains_key("name") && empty.contains_key("meter-0-model"), "{empty:?}");
    }

    #[test]
    fn what_is_taken_out_leaves_the_rest_as_it_is() {
        let mut draft = draft(WHOLE);
        draft.add_system();
        draft.set("system-1-power", "3".into());
        draft.remove_system(0);
        assert_eq!((draft.systems, draft.get("system-0-power")), (1, "3"));
        draft.set("system-0-meter", "1".into());
        draft.remove_meter(0);
        assert_eq!((draft.meters, draft.get("meter-0-model")), (1, "EHZ"));
        assert_eq!(draft.get("system-0-meter"), "0");
        draft.remove_meter(0);
        assert_eq!((draft.meters, draft.get("system-0-meter")), (0, ""));
        draft.remove_meter(5);
        for _ in 0..200 {
            draft.add_meter();
            draft.add_system();
        }
        assert_eq!((draft.meters, draft.systems), (MOST, MOST));
    }
}
