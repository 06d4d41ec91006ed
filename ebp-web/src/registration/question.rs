//! What is asked of a household (thesis 3.1.2): each question with its place in a registration, and the
//! sentence that says what is expected.

use ebp_core::model::{Battery, GenerationRegister, MeterType, MeteringConcept};

use super::field::{FieldOption, Input};
use crate::kit::language::Language;

/// How an answer becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text: its keyboard, and what browsers may fill in.
    Text(&'static str, &'static str),
    /// A number.
    Number,
    /// A date.
    Day,
    /// Yes or no.
    Tick,
    /// One of some names.
    Choice(Choices),
}

/// The names of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choices {
    /// How photovoltaic systems feed in.
    Concept,
    /// Where the battery is.
    Battery,
    /// What a meter counts.
    Meter,
    /// By which register a generation meter counts.
    Register,
    /// To which meter a system is connected; made by the form.
    Connected,
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The field's name; of a meter or system the part after its number.
    pub name: &'static str,
    /// The place of the answer as RFC 6901 writes it; of a meter or system the part after its number.
    pub pointer: &'static str,
    /// What is asked.
    pub label: &'static str,
    /// What is expected; empty if that is clear.
    pub hint: &'static str,
    /// What is said if the answer is not as expected.
    pub fault: &'static str,
    /// How the answer becomes a value.
    pub kind: Kind,
    /// Whether it has to be answered.
    pub is_required: bool,
}

const TEXT: Kind = Kind::Text("text", "off");

macro_rules! questions {
    ($($name:literal $pointer:literal $label:literal $hint:literal $fault:literal $kind:expr, $required:literal;)*) => {
        &[$(Question {
            name: $name,
            pointer: $pointer,
            label: $label,
            hint: $hint,
            fault: $fault,
            kind: $kind,
            is_required: $required,
        }),*]
    };
}

/// Name and e-mail address.
pub const CONTACT: &[Question] = questions! {
    "name" "/participant/name" /* text */ "reg-name" "" /* text */ "reg-fault-text" TEXT, true;
    "email" "/participant/email" /* text */ "reg-email" /* text */ "reg-hint-email" /* text */ "reg-fault-email" Kind::Text("email", "off"), true;
};

/// The address.
pub const ADDRESS: &[Question] = questions! {
    "street" "/address/street" /* text */ "reg-street" "" /* text */ "reg-fault-text" TEXT, true;
    "postal_code" "/address/postal_code" /* text */ "reg-postal-code" "" /* text */ "reg-fault-postal-code" Kind::Text("numeric", "off"), true;
    "city" "/address/city" /* text */ "reg-city" "" /* text */ "reg-fault-text" TEXT, true;
    "country" "/address/country" /* text */ "reg-country" /* text */ "reg-hint-country" /* text */ "reg-fault-country" TEXT, true;
};

/// The location.
pub const LOCATION: &[Question] = questions! {
    "latitude" "/location/latitude" /* text */ "reg-latitude" /* text */ "reg-hint-location" /* text */ "reg-fault-latitude" Kind::Number, false;
    "longitude" "/location/longitude" /* text */ "reg-longitude" "" /* text */ "reg-fault-longitude" Kind::Number, false;
};

/// The answers about the household.
pub const ANSWERS: &[Question] = questions! {
    "children" "/metadata/children" /* text */ "reg-children" "" /* text */ "reg-fault-count" Kind::Number, true;
    "adults" "/metadata/adults" /* text */ "reg-adults" "" /* text */ "reg-fault-count" Kind::Number, true;
    "adults_with_job" "/metadata/adults_with_job" /* text */ "reg-working" "" /* text */ "reg-fault-working" Kind::Number, true;
    "electric_vehicle_charger" "/metadata/electric_vehicle_charger" /* text */ "reg-charger" "" /* text */ "reg-fault-text" Kind::Tick, false;
    "heat_pump" "/metadata/heat_pump" /* text */ "reg-heat-pump" "" /* text */ "reg-fault-text" Kind::Tick, false;
    "home_battery" "/metadata/home_battery" /* text */ "reg-home-battery" "" /* text */ "reg-fault-text" Kind::Tick, false;
    "battery" "/metadata/battery" /* text */ "reg-battery" "" /* text */ "reg-fault-battery" Kind::Choice(Choices::Battery), false;
    "metering_concept" "/metadata/metering_concept" /* text */ "reg-concept" "" /* text */ "reg-fault-text" Kind::Choice(Choices::Concept), false;
};

/// A meter.
pub const METER: &[Question] = questions! {
    "type" "/type" /* text */ "reg-meter-type" "" /* text */ "reg-fault-meter-type" Kind::Choice(Choices::Meter), true;
    "model" "/model" /* text */ "reg-meter-model" /* text */ "reg-hint-model" /* text */ "reg-fault-model" TEXT, true;
    "register" "/generation_register" /* text */ "reg-register" "" /* text */ "reg-fault-register" Kind::Choice(Choices::Register), false;
};

/// A photovoltaic system.
pub const SYSTEM: &[Question] = questions! {
    "power" "/nominal_power" /* text */ "reg-power" "" /* text */ "reg-fault-power" Kind::Number, true;
    "azimuth" "/azimuth" /* text */ "reg-azimuth" /* text */ "reg-hint-azimuth" /* text */ "reg-fault-azimuth" Kind::Number, true;
    "tilt" "/tilt" /* text */ "reg-tilt" /* text */ "reg-hint-tilt" /* text */ "reg-fault-tilt" Kind::Number, true;
    "installed" "/installed_on" /* text */ "reg-installed" "" /* text */ "reg-fault-installed" Kind::Day, true;
    "meter" "/meter" /* text */ "reg-connected" "" /* text */ "reg-fault-connected" Kind::Choice(Choices::Connected), false;
};

impl Choices {
    /// What can be chosen, but for what the form knows.
    #[must_use]
    pub fn options(self, language: Language) -> Vec<FieldOption> {
        let option = |value: &str, text: String| FieldOption { value: value.to_owned(), text };
        match self {
            Self::Concept => MeteringConcept::ALL
                .into_iter()
                .map(|concept| option(concept.name(), concept_text(language, concept)))
                .collect(),
            Self::Battery => Battery::ALL
                .into_iter()
                .map(|battery| option(battery.name(), battery_text(language, battery)))
                .collect(),
            Self::Meter => [MeterType::Electricity, MeterType::PvGeneration]
                .into_iter()
                .map(|kind| option(kind.name(), meter_text(language, kind)))
                .collect(),
            Self::Register => {
                let registers = GenerationRegister::ALL
                    .into_iter()
                    .map(|register| option(register.name(), register.name().to_owned()));
                let unknown = option("", language.say("reg-not-said"));
                [unknown].into_iter().chain(registers).collect()
            }
            Self::Connected => vec![option("", language.say("reg-not-connected"))],
        }
    }
}

impl Question {
    /// How it is entered.
    #[must_use]
    pub fn input(&self, language: Language) -> Input {
        match self.kind {
            Kind::Text("email", fills) => Input::Line("email", "email", fills),
            Kind::Text(mode, fills) => Input::Line("text", mode, fills),
            Kind::Number => Input::Line("text", "decimal", "off"),
            Kind::Day => Input::Line("date", "text", "off"),
            Kind::Tick => Input::Tick,
            Kind::Choice(choices) => Input::Choice(choices.options(language)),
        }
    }
}

/// How the photovoltaic systems feed in.
#[must_use]
pub fn concept_text(language: Language, concept: MeteringConcept) -> String {
    match concept {
        MeteringConcept::SurplusFeedIn => language.say("reg-surplus"),
        MeteringConcept::FullFeedIn => language.say("reg-full"),
        MeteringConcept::Cascade => language.say("reg-cascade"),
        MeteringConcept::NoSystem => language.say("reg-no-system"),
        MeteringConcept::Unknown => language.say("reg-not-said"),
    }
}

/// Where the battery is.
#[must_use]
pub fn battery_text(language: Language, battery: Battery) -> String {
    match battery {
        Battery::None => language.say("reg-no-battery"),
        Battery::Ac => language.say("reg-battery-ac"),
        Battery::Dc => language.say("reg-battery-dc"),
        Battery::Unknown => language.say("reg-not-said"),
    }
}

/// What a meter counts.
#[must_use]
pub fn meter_text(language: Language, kind: MeterType) -> String {
    match kind {
        MeterType::Electricity => language.say("reg-grid-meter"),
        MeterType::PvGeneration => language.say("reg-generation-meter"),
    }
}
