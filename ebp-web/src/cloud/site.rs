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
