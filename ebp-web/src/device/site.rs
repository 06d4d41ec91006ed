//! What all pages of the participant have in common.

use crate::kit::frame::Site;

/// The final page: nothing leads away from it.
pub static FINAL: Site = Site { brand: /* text */ "brand", pages: &[], documents: &[] };

/// The participant's pages.
pub static SITE: Site = Site {
    brand: /* text */ "brand",
    pages: &[
        ("/today", /* text */ "menu-today"),
        ("/measurements", /* text */ "menu-measurements"),
        ("/live", /* text */ "menu-live"),
        ("/registration", /* text */ "menu-registration"),
        ("/devices", /* text */ "menu-devices"),
        ("/consent", /* text */ "menu-consent"),
        ("/data", /* text */ "menu-data"),
    ],
    documents: &[
        ("/help", /* text */ "help-title"),
        ("/privacy", /* text */ "privacy-title"),
        ("/accessibility", /* text */ "accessibility-title"),
    ],
};

/// The page that has the form that is sent there.
#[must_use]
pub fn page_behind(path: &str) -> &str {
    match path {
        "/sign-in" | "/sign-out" => "/",
        "/registration/check" => "/registration",
        "/consent/confirm" | "/consent/grant" | "/consent/revoke" | "/consent/purpose" => {
            "/consent"
        }
        path => path,
    }
}
