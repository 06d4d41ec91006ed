//! The command line itself: help, completions, manual pages, wrong usage.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::run;
use crate::support::{ebp, process};
use ebp_needs::needs;

const SUBCOMMANDS: &[&[&str]] = &[
    &[],
    &["read"],
    &["unlock"],
    &["meter"],
    &["meter", "list"],
    &["meter", "show"],
    &["meter", "identify"],
    &["meter", "bundle"],
    &["transmit"],
    &["errors"],
    &["errors", "list"],
    &["errors", "test"],
    &["simulate"],
    &["tunnel"],
    &["tunnel", "connect"],
    &["tunnel", "end"],
    &["tunnel", "list"],
    &["tunnel", "log"],
    &["tunnel", "ports"],
    &["tunnel", "ssh-config"],
    &["update"],
    &["update", "exec"],
    &["update", "status"],
    &["update", "retry"],
    &["self-test"],
    &["serve"],
    &["serve", "secret"],
    &["serve", "secret", "remove"],
    &["serve", "secret", "set"],
    &["serve", "secret", "unblock"],
    &["serve", "backup"],
    &["serve", "restore"],
    &["serve", "device"],
    &["serve", "revocations"],
    &["serve", "revocations", "list"],
    &["serve", "revocations", "apply"],
    &["serve", "texts"],
    &["serve", "texts", "new"],
    &["serve", "texts", "check"],
    &["serve", "sign-in-link"],
    &["serve", "session"],
    &["serve", "session", "list"],
    &["serve", "session", "end"],
    &["ca"],
    &["ca", "init"],
    &["ca", "issue"],
    &["ca", "revoke"],
    &["ca", "list"],
    &["ca", "crl"],
    &["household"],
    &["household", "add"],
    &["household", "list"],
    &["household", "show"],
    &["household", "edit"],
    &["household", "revoke"],
    &["household", "remove"],
    &["household", "import"],
    &["household", "mask"],
    &["household", "measurements"],
    &["household", "history"],
    &["household", "forget-labels"],
    &["job"],
    &["job", "list"],
    &["job", "show"],
    &["job", "result"],
    &["job", "cancel"],
    &["job", "retry"],
    &["job", "import"],
    &["job", "export"],
    &["job", "fetch"],
    &["job", "risk-report"],
    &["message"],
    &["message", "list"],
    &["message", "answer"],
    &["message", "close"],
    &["alert"],
    &["alert", "list"],
    &["alert", "show"],
    &["alert", "rules"],
    &["alert", "change"],
    &["alert", "changes"],
    &["alert", "test"],
    &["rollout"],
    &["rollout", "start"],
    &["rollout", "list"],
    &["rollout", "show"],
    &["rollout", "advance"],
    &["rollout", "halt"],
    &["rollout", "resume"],
    &["rollout", "end"],
    &["consent"],
    &["consent", "show"],
    &["consent", "grant"],
    &["consent", "revoke"],
    &["consent", "export"],
    &["measurements"],
    &["participant"],
    &["participant", "pkcs12"],
    &["report"],
    &["export"],
    &["export", "confirm"],
    &["device"],
    &["device", "enroll"],
    &["device", "init"],
    &["device", "list"],
    &["device", "fleet"],
    &["device", "errors"],
    &["device", "coverage"],
    &["device", "history"],
    &["device", "silence"],
    &["device", "show"],
    &["device", "add"],
    &["device", "token"],
    &["device", "remove"],
    &["device", "sign-in-code"],
    &["device", "renew"],
    &["device", "revoke"],
    &["device", "certificates"],
    &["device", "status"],
    &["device", "wipe"],
    &["anonymize"],
    &["geodata"],
    &["geodata", "import"],
    &["geodata", "show"],
    &["release"],
    &["release", "key"],
    &["release", "init"],
    &["release", "add"],
    &["release", "sign"],
    &["release", "publish"],
    &["release", "renew"],
    &["release", "rotate"],
    &["release", "recall"],
    &["release", "status"],
    &["demo"],
    &["completions"],
    &["man"],
];

#[test]
fn help() {
    for subcommand in SUBCOMMANDS {
        let mut command = ebp();
        // The width of the page is that of the terminal; here there is none.
        command.args(*subcommand).arg("--help").env("COLUMNS", "100");
        let run = process::run(command, b"").done();
        assert_eq!(run.stderr, "");
        let name = ["help"].iter().chain(*subcommand).copied().collect::<Vec<_>>().join("_");
        insta::assert_snapshot!(name, run.stdout);
        // The short help is there, too, and shorter.
        let mut command = ebp();
        command.args(*subcommand).arg("-h").env("COLUMNS", "100");
        let short = process::run(command, b"").done();
        assert!(short.stdout.lines().count() <= run.stdout.lines().count(), "{subcommand:?}");
    }
}

/// More than a handful of options stand in groups: what a command is mostly used with under
/// `Options`, and the rest under headings of their own.
#[test]
fn many_options_stand_under_headings() {
    // Those of every command: -v, -h, -V.
    const COMMON: usize = 3;
    for subcommand in SUBCOMMANDS {
        let mut command = ebp();
        command.args(*subcommand).arg("-h").env("COLUMNS", "100");
        let help = process::run(command, b"").done().stdout;
        let options = help.split("\nOptions:\n").nth(1).unwrap();
        let options = options.split("\n\n").next().unwrap();
        let is_option = |line: &&str| line.trim_start().starts_with('-');
        let count = options.lines().filter(is_option).count() - COMMON;
        assert!(count <= 6, "{subcommand:?} has {count} options without a heading");
    }
}

#[test]
fn a_devices_cycle_is_neither_watched_nor_printed() {
    run!("read", "--config", "a", "--watch").refused(2, &["--watch", "--every", "-v"]);
    let run = run!("read", "--config", "a", "--format", "json");
    run.refused(2, &["--format", "spool", "ebp device status"]);
    let example = run!("read", "--print-example").done().stdout;
    assert!(example.contains("[[meter]]") && example.contains("spool = "), "{example}");
}

/// Every subcommand that there is has its snapshot above.
#[test]
fn no_subcommand_is_left_out() {
    for above in SUBCOMMANDS {
        let mut command = ebp();
        command.args(*above).arg("-h");
        let help = process::run(command, b"").done().stdout;
        let Some(list) = help.split("Commands:\n").nth(1) else { continue };
        for line in list.lines().take_while(|line| line.starts_with("  ")) {
            let Some(name) = line
                .split_whitespace()
                .next()
                .filter(|_| line.starts_with("  ") && !line.starts_with("   "))
            else {
                continue;
            };
            let below: Vec<_> = above.iter().chain([&name]).copied().collect();
            assert!(name == "help" || SUBCOMMANDS.contains(&below.as_slice()), "{below:?}");
        }
    }
}

#[test]
fn version() {
    let run = run!("--version").done();
    assert_eq!(run.stdout, format!("ebp {}\n", env!("CARGO_PKG_VERSION")));
    let run = run!("read", "--version").done();
    assert!(run.stdout.contains(env!("CARGO_PKG_VERSION")), "{}", run.stdout);
}

#[test]
fn wrong_usage_is_code_2() {
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["read", "--no-such-option"],
        &["read", "--format", "xml", "-"],
        &["read", "--timeout", "soon", "-"],
        &["read", "--baud", "fast", "-"],
        &["read", "--baud", "1", "-"],
        &["read", "--every"],
        &["read", "--port", "a", "b"],
        &["read", "--config", "a", "--port", "b"],
        &["read", "--config", "a", "--baud", "9600"],
        &["read", "--config", "a", "--profiles", "b"],
        &["read", "--print-example", "--port", "b"],
        &["transmit"],
        &["simulate"],
        &["simulate", "--model", "MT175", "--replay", "file"],
        &["simulate", "--model", "MT175", "--speed", "0"],
        &["ca", "issue"],
        &["ca", "issue", "--email", "a@b.de", "--scope", "everything"],
        &["household", "add"],
        &["demo", "--cycle", "0s"],
        &["completions", "cobol"],
        &["man", "no-such-command"],
        &["man", "meter", "no-such-command"],
        &["man", "help"],
    ] {
        let run = crate::support::run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:#?}");
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = run!("completions", shell).done();
        assert!(run.stdout.contains("COMPLETE"), "{shell}: it asks the program: {}", run.stdout);
        assert_eq!(run.stderr, "", "{shell}");
    }
}

#[needs(bash)]
#[test]
fn completions_can_be_parsed_by_bash() {
    parse_completions("bash");
}

#[needs(zsh)]
#[test]
fn completions_can_be_parsed_by_zsh() {
    parse_completions("zsh");
}

#[needs(fish)]
#[test]
fn completions_can_be_parsed_by_fish() {
    parse_completions("fish");
}

fn parse_completions(shell: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(shell);
    fs::write(&file, run!("completions", shell).done().stdout).unwrap();
    let parse = Command::new(shell).arg("-n").arg(&file).stderr(Stdio::piped()).output();
    let parsed = parse.unwrap();
    let errors = String::from_utf8_lossy(&parsed.stderr);
    assert!(parsed.status.success() && errors.is_empty(), "{shell}: {errors}");
}

/// What a shell is told when the key is pressed behind these words.
fn completed(words: &[&str], folder: &std::path::Path) -> String {
    let mut command = ebp();
    command.env("COMPLETE", "fish").current_dir(folder).args(["--", "ebp"]).args(words);
    let run = process::run(command, b"").done();
    assert_eq!(run.stderr, "", "{words:?}");
    run.stdout
}

#[test]
fn values_are_completed() {
    let folder = tempfile::tempdir().unwrap();
    let names = |words: &[&str]| -> Vec<String> {
        let text = completed(words, folder.path());
        text.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
    };
    assert!(names(&["simu"]).contains(&"simulate".to_owned()));
    assert_eq!(names(&["read", "--model", "mt17"]), ["MT174", "MT175"]);
    assert_eq!(names(&["meter", "show", "Q3"]), ["Q3C", "Q3D"]);
    fs::write(folder.path().join("recording.bin"), "").unwrap();
    assert_eq!(names(&["read", "rec"]), ["recording.bin"]);
    let meter = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002";
    let config = format!("[[meter]]\nuuid = {meter:?}\nmodel = \"MT175\"\n");
    fs::write(folder.path().join("device.toml"), config).unwrap();
    assert_eq!(names(&["household", "remove", "--meter", "6e"]), [meter]);
}

#[test]
fn a_manual_page_for_every_subcommand() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    run!("man", "--output", pages).done();
    for subcommand in SUBCOMMANDS {
        let name = ["ebp"].iter().chain(*subcommand).copied().collect::<Vec<_>>().join("-");
        let path = pages.join(format!("{name}.1"));
        let page = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{name}");
        for section in ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
            assert!(page.contains(&format!(".SH \"{section}\"\n.TP")), "{section} of {name}");
        }
        let printed = crate::support::run(["man"].iter().chain(*subcommand)).done().stdout;
        assert_eq!(printed, page, "{name}");
    }
    let pages: Vec<_> = fs::read_dir(&pages)
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(pages.len(), SUBCOMMANDS.len(), "and none else: {pages:?}");
    assert!(!pages.iter().any(|page| page.contains("help")), "{pages:?}");
    assert!(run!("man").done().stdout.contains("ebp"));
    assert!(run!("man", "read").done().stdout.contains("timeout"));
}

/// `ebp completions bash | head -1` and the like.
#[test]
fn everything_that_prints_ends_quietly_at_a_closed_pipe() {
    for arguments in [&["completions", "bash"][..], &["man", "read"], &["--help"], &["read", "-h"]]
    {
        let mut command = ebp();
        let mut child =
            command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

/// `ebp simulate 2>&1 | head -1`, or a daemon whose log's reader was restarted.
#[test]
fn a_closed_standard_error_ends_nothing() {
    let mut command = ebp();
    let mut child = command.args(["read", "/no/such/port"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));

    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("meter");
    let mut command = ebp();
    command.args(["-vv", "simulate", "--model", "MT175", "--interval", "300ms", "--link"]);
    let mut meter = command.arg(&link).stderr(Stdio::piped()).spawn().unwrap();
    drop(meter.stderr.take());
    crate::support::wait_for("the meter", || link.exists().then_some(()));
    let mut command = ebp();
    command.args(["-vv", "read", "--port"]).arg(&link).args(["--format", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.starts_with(b"{"));
    meter.kill().unwrap();
    meter.wait().unwrap();
}

/// Starting is cheap: nothing is opened, parsed or asked for that the command does not need.
#[test]
fn it_needs_no_home_and_no_environment() {
    let mut command = ebp();
    command.env_clear().current_dir("/").arg("--version");
    process::run(command, b"").done();
}
