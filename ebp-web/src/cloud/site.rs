//! What the pages of a group have in common: their menus. Whoever adds a page to a menu adds it here.

use ebp_core::scope::Group;

use crate::kit::frame::Site;

/// Documents at the foot of each page.
const DOCUMENTS: &[(&str, &str)] = &[
    ("/privacy", /* text */ "cloud-privacy-title"),
    ("/accessibility", /* text */ "cloud-accessibility-title"),
];

/// Pages for whoever is not signed in.
pub static PUBLIC: Site =
    Site { brand: /* text */ "cloud-brand", pages: &[], documents: DOCUMENTS };

/// The researchers' pages.
pub static REGISTRATION: Site = Site {
    brand: /* text */ "cloud-brand",
    pages: &[
        ("/registration", /* text */ "menu-households"),
        ("/registration/new", /* text */ "menu-new-household"),
        ("/registration/import", /* text */ "menu-import"),
        ("/registration/messages", /* text */ "menu-messages"),
        ("/registration/consents", /* text */ "menu-consents"),
        ("/registration/geodata", /* text */ "menu-geodata"),
    ],
    documents: DOCUMENTS,
};

/// The administrators' pages.
pub static STATUS: Site = Site {
    brand: /* text */ "cloud-brand",
    pages: &[
        ("/status", /* text */ "status-menu-overview"),
        ("/status/alerts", /* text */ "status-menu-alerts"),
        ("/status/rollout", /* text */ "status-menu-rollout"),
        ("/status/server", /* text */ "status-menu-server"),
    ],
    documents: DOCUMENTS,
};

/// A group's pages.
pub const fn of_group(group: Group) -> &'static Site {
    match group {
        Group::Researchers => &REGISTRATION,
        Group::Administrators => &STATUS,
    }
}

/// A group's first page.
pub const fn home(group: Group) -> &'static str {
    match group {
        Group::Researchers => "/registration",
        Group::Administrators => "/status",
    }
}

/// The page that has the form that is sent there.
#[must_use]
pub fn page_behind(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts[..] {
        ["sign-out"] => "/sign-in".to_owned(),
        ["signed-in"] => "/".to_owned(),
        ["registration", "check"] => "/registration/new".to_owned(),
        ["registration", "import", "check" | "run"] => "/registration/import".to_owned(),
        ["registration", "message", _] => "/registration/messages".to_owned(),
        ["registration", "household", household, "device", ..] => {
            format!("/registration/household/{household}")
        }
        ["status", "device", device, "silence" | "token" | "session", ..] => {
            format!("/status/device/{device}")
        }
        ["status", "alerts", "test"] => "/status/alerts".to_owned(),
        ["status", "rollout", _] => "/status/rollout".to_owned(),
        ["status", "server", "job", ..] => "/status/server".to_owned(),
        _ => path.to_owned(),
    }
}
