//! What the frame around every page shows.

use jiff::Timestamp;

use super::{
    defence::Defence,
    file,
    language::{Argument, Language},
    markdown,
    moment::Moments,
    page::{Preferences, Theme},
};

/// What all pages of a frontend have in common: addresses with the identifiers of their texts.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// The frontend's name.
    pub brand: &'static str,
    /// The pages of the menu.
    pub pages: &'static [(&'static str, &'static str)],
    /// The documents at the foot of each page.
    pub documents: &'static [(&'static str, &'static str)],
}

/// A form that the switches of language and theme send instead of following a link: what is entered
/// goes along, and comes back in the other language. The form has that `id`, and its answer is asked
/// for by `do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchForm {
    /// The form's `id`.
    pub id: &'static str,
    /// Where it is sent to by a switch.
    pub action: String,
    /// What `do` says then: to show what was entered, and to save nothing.
    pub asks: &'static str,
    /// Name and value of the form's own first button, by which the Enter key sends it: browsers take
    /// the first button of all, which would be the switch's. Empty if that button has no name.
    pub enter: (&'static str, &'static str),
}

/// A link of a switch or menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where to.
    pub address: String,
    /// What it says.
    pub text: String,
    /// Its language, if it is another one.
    pub lang: &'static str,
    /// Whether it is what is shown.
    pub is_current: bool,
}

/// The frame around a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The title, and the one `h1`.
    pub title: String,
    /// Language and zone.
    pub moments: Moments,
    /// The time at which the page is made.
    pub now: Timestamp,
    /// The theme.
    pub theme: Theme,
    /// Whether somebody is signed in.
    pub is_signed_in: bool,
    /// What forms carry.
    pub form_token: String,
    site: &'static Site,
    preferences: Preferences,
    switch_form: Option<SwitchForm>,
}

impl Frame {
    /// A frame for those preferences.
    #[must_use]
    pub fn new(
        site: &'static Site,
        title: String,
        preferences: Preferences,
        moments: Moments,
        now: Timestamp,
        form_token: Option<String>,
    ) -> Self {
        Self {
            title,
            moments,
            now,
            theme: preferences.theme,
            is_signed_in: form_token.is_some(),
            form_token: form_token.unwrap_or_default(),
            site,
            preferences,
            switch_form: None,
        }
    }

    /// The same frame with switches that send a form.
    #[must_use]
    pub fn switched_by(mut self, form: SwitchForm) -> Self {
        self.preferences.path.clone_from(&form.action);
        self.switch_form = Some(form);
        self
    }

    /// The path of the page.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.preferences.path
    }

    /// The form that switches send.
    #[must_use]
    pub const fn switch_form(&self) -> Option<&SwitchForm> {
        self.switch_form.as_ref()
    }

    /// The language.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.moments.language
    }

    /// A text.
    #[must_use]
    pub fn say(&self, id: &str) -> String {
        self.language().say(id)
    }

    /// A text with one argument.
    #[must_use]
    pub fn say_one(&self, id: &str, name: &str, argument: impl Into<Argument>) -> String {
        self.language().say_with(id, [(name, argument.into())])
    }

    /// A text in Markdown, as HTML.
    #[must_use]
    pub fn markdown(&self, id: &str) -> String {
        markdown::html(&self.say(id), 2)
    }

    /// Whether the page is asked for anew when Back shows it: browsers may take it out of their memory
    /// in spite of `no-store`.
    #[must_use]
    pub fn stays_fresh(&self) -> bool {
        self.is_signed_in && Defence::NoStore.is_on()
    }

    /// The path of a static file.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        file::path(name)
    }

    /// The version of the program.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// The frontend's name.
    #[must_use]
    pub fn brand(&self) -> String {
        self.say(self.site.brand)
    }

    /// The menu.
    #[must_use]
    pub fn menu(&self) -> Vec<Link> {
        self.links(self.site.pages)
    }

    /// The documents at the foot.
    #[must_use]
    pub fn documents(&self) -> Vec<Link> {
        self.links(self.site.documents)
    }

    fn links(&self, pages: &[(&str, &str)]) -> Vec<Link> {
        let link = |(path, text): &(&str, &str)| Link {
            address: (*path).to_owned(),
            text: self.say(text),
            lang: self.language().code(),
            is_current: self.preferences.path == *path,
        };
        pages.iter().map(link).collect()
    }

    /// The switch of the language.
    #[must_use]
    pub fn languages(&self) -> Vec<Link> {
        let link = |language: Language| Link {
            address: self.preferences.address_with("lang", language.code()),
            text: language.name().to_owned(),
            lang: language.code(),
            is_current: language == self.language(),
        };
        Language::ALL.into_iter().map(link).collect()
    }

    /// The switch of the theme.
    #[must_use]
    pub fn themes(&self) -> Vec<Link> {
        let text = |theme| match theme {
            Theme::System => self.say("theme-system"),
            Theme::Light => self.say("theme-light"),
            Theme::Dark => self.say("theme-dark"),
        };
        let link = |theme: Theme| Link {
            address: self.preferences.address_with("theme", theme.name()),
            text: text(theme),
            lang: self.language().code(),
            is_current: theme == self.theme,
        };
        Theme::ALL.into_iter().map(link).collect()
    }

    /// A `<time>` element.
    #[must_use]
    pub fn when(&self, at: Timestamp) -> String {
        self.moments.element(at, self.now)
    }

    /// How long ago.
    #[must_use]
    pub fn ago(&self, at: Timestamp) -> String {
        self.moments.ago(at, self.now)
    }
}
