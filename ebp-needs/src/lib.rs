//! Marks tests that need something of the machine that not every machine has.
//!
//! Enters: tests, names of what they need. Leaves: the same tests, `#[ignore]`d with the reason where
//! something was missing when this crate was built, so that the runner lists and counts them as
//! ignored and no test returns early. Absent: whatever the tests need; `build.rs` looks for it.
//!
//! ```ignore
//! use ebp_needs::needs;
//!
//! #[needs(postgresql)]
//! #[test]
//! fn a_cluster_starts() {}
//! ```

use proc_macro::{TokenStream, TokenTree};

/// Names of what can be needed, and the reason that the runner shows.
const NEEDS: [(&str, &str); 24] = [
    ("postgresql", "needs PostgreSQL (Debian: postgresql)"),
    ("pgbouncer", "needs PgBouncer (Debian: pgbouncer)"),
    ("geodata", "needs the official geodata (EBP_GEODATA=FOLDER)"),
    ("postal_codes", "needs the postal codes' points (EBP_GEODATA=FOLDER)"),
    ("curl", "needs curl"),
    ("openssl", "needs the program openssl 3 (Debian: openssl)"),
    ("systemd_analyze", "needs systemd-analyze (Debian: systemd)"),
    ("mosquitto", "needs mosquitto (Debian: mosquitto, mosquitto-clients)"),
    ("influxd", "needs InfluxDB 1 (Debian: influxdb)"),
    ("promtool", "needs promtool (Debian: prometheus)"),
    ("python3", "needs Python 3 (Debian: python3)"),
    ("tar", "needs tar"),
    ("sshd", "needs OpenSSH's server (Debian: openssh-server)"),
    ("tinyproxy", "needs tinyproxy (Debian: tinyproxy-bin)"),
    ("rsync", "needs rsync (Debian: rsync)"),
    ("bash", "needs bash"),
    ("zsh", "needs zsh"),
    ("fish", "needs fish"),
    ("chromium", "needs Chromium and its driver (Debian: chromium, chromium-driver)"),
    ("dev_full", "needs /dev/full"),
    ("mount", "needs the right to mount file systems"),
    ("loop_device", "needs loop devices, and the right to mount them (Debian: e2fsprogs, mount)"),
    ("network_namespaces", "needs the right to make network namespaces, and ip (Debian: iproute2)"),
    ("other_users", "needs to run as root, to start programs as other users"),
];

/// What was missing when this was built, by name.
const MISSING: &str = env!("EBP_MISSING");

/// Ignores the test, with the reason, where one of the things named is missing:
/// `#[needs(postgresql, pgbouncer)]` above `#[test]` or `#[tokio::test]`.
#[proc_macro_attribute]
pub fn needs(names: TokenStream, test: TokenStream) -> TokenStream {
    match first_missing(names) {
        Ok(None) => test,
        Ok(Some(reason)) => [parse(&format!("#[ignore = {reason:?}]")), test].into_iter().collect(),
        Err(name) => [unknown(&name), test].into_iter().collect(),
    }
}

/// Holds a test program's modules, which are left out where the thing named first is missing. One
/// ignored test stands for them: `only_with! { postgresql: mod a; mod b; }`.
#[proc_macro]
pub fn only_with(input: TokenStream) -> TokenStream {
    let mut tokens = input.into_iter();
    let names: TokenStream = tokens
        .by_ref()
        .take_while(|token| !matches!(token, TokenTree::Punct(colon) if colon.as_char() == ':'))
        .collect();
    match first_missing(names) {
        Ok(None) => tokens.collect(),
        Ok(Some(reason)) => {
            parse(&format!("#[test] #[ignore = {reason:?}] fn all_tests_of_this_program() {{}}"))
        }
        Err(name) => unknown(&name),
    }
}

/// The reason for the first of the names that is missing, or the first name that is not known.
fn first_missing(names: TokenStream) -> Result<Option<&'static str>, String> {
    let names = names.into_iter().filter(|token| !matches!(token, TokenTree::Punct(_)));
    for name in names.map(|token| token.to_string()) {
        let Some((_, reason)) = NEEDS.iter().find(|(known, _)| *known == name) else {
            return Err(name);
        };
        if MISSING.split(' ').any(|missing| missing == name) {
            return Ok(Some(reason));
        }
    }
    Ok(None)
}

fn unknown(name: &str) -> TokenStream {
    let known: Vec<_> = NEEDS.iter().map(|(known, _)| *known).collect();
    let message = format!("`{name}` is not known here; there are {}", known.join(", "));
    parse(&format!("compile_error!({message:?});"))
}

/// Rust that this file wrote itself.
fn parse(rust: &str) -> TokenStream {
    rust.parse().unwrap_or_default()
}
