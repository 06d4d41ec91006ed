//! `ebp device` for administrators: adding, tokens, sheets; and a device that configures itself.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::json;

use super::people::Participant;
use crate::{
    run,
    support::{ebp, meter::Meter, process, process::Run, server::Server},
};

struct Administrator {
    server: Server,
    folder: tempfile::TempDir,
}

impl Administrator {
    fn new() -> Self {
        let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
        server.set_secrets();
        let secret = folder.path().join("secret");
        crate::support::write_private(&secret, "the secret of the administrators\n");
        Self { server, folder }
    }

    fn ask(&self, arguments: &[&str]) -> Run {
        let mut command = ebp();
        command.arg("device").args(arguments).args(["--url", &self.server.url()]);
        command.arg("--ca").arg(self.server.ca());
        command.arg("--secret-file").arg(self.folder.path().join("secret"));
        process::run(command, b"")
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The device's folder, filled by its token.
    fn enroll(&self, device: &str) -> String {
        let (file, folder) = (self.path("token"), self.path("enrolled"));
        self.ask(&["token", device, "--output", &file]).done();
        self.server.enroll(&file, &folder).done();
        folder
    }
}

fn mode(path: &str) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn devices_are_added_listed_shown_and_removed() {
    let administrator = Administrator::new();
    let erika = Participant::register(&administrator.server, "Erika", "erika@example.org");
    let (household, own) = (erika.household.to_string(), erika.device.to_string());
    let meter = erika.meter.to_string();
    let added = administrator.ask(&["add", &household, "--meter", &meter]).done();
    let device = added.stdout.trim().to_owned();
    let added = added.says(&["ebp device token"]);
    assert!(added.stderr.contains(&device), "{added:?}");
    let listed = administrator.ask(&["list", "--format", "json"]).done().json();
    let uuids: Vec<_> = listed.iter().map(|entry| entry["uuid"].as_str().unwrap()).collect();
    assert!(uuids.len() == 2 && uuids.contains(&&*device) && uuids.contains(&&*own), "{uuids:?}");
    let table = administrator.ask(&["list"]).done().stdout;
    assert!(table.contains("never") && table.contains(&household), "{table}");
    assert_eq!(administrator.ask(&["list", "--format", "csv"]).done().stdout.lines().count(), 3);
    let shown = administrator.ask(&["show", &device]).done().json().remove(0);
    assert_eq!(shown["meters"], json!([meter]));
    administrator.ask(&["remove", &device]).done();
    administrator.ask(&["show", &device]).refused(1, &["404", "`ebp device list`"]);
    administrator.ask(&["add", &meter]).refused(1, &["404"]);

    // One with a certificate stays, and it is said what ends it.
    administrator.enroll(&own);
    administrator.ask(&["remove", &own]).refused(1, &["409", "`ebp device revoke`"]);
}

#[test]
fn a_token_and_its_command_fit_together() {
    let administrator = Administrator::new();
    let erika = Participant::register(&administrator.server, "Erika", "erika@example.org");
    let device = erika.device.to_string();
    let file = administrator.path("its.token");
    let made = administrator.ask(&["token", &device, "--output", &file, "--hours", "1"]).done();
    assert_eq!((mode(&file), &*made.stdout), (0o600, ""));
    administrator.ask(&["token", &device, "--output", &file]).refused(1, &["exists already"]);
    // The command is typed as it is printed, but for the folder.
    let command = made.stderr.lines().find(|line| line.contains("device enroll")).unwrap().trim();
    let folder = administrator.path("device");
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let (last, words) = words.split_last().unwrap();
    assert_eq!(*last, "/etc/ebp");
    let typed = crate::support::run(words.iter().copied().chain([folder.as_str()])).done();
    typed.says(&["ebp device init --folder"]);
    assert!(Path::new(&folder).join("device.pem").exists());

    // With a wrong fingerprint the one that was met is shown, and no token is sent.
    let token = administrator.ask(&["token", &device]).done().stdout;
    let other = administrator.path("other.token");
    crate::support::write_private(Path::new(&other), &token);
    let met = words[words.iter().position(|word| *word == "--fingerprint").unwrap() + 1];
    let (wrong, elsewhere) = ("ab".repeat(32), administrator.path("elsewhere"));
    let enroll = |fingerprint: &str| {
        let trust = ["--fingerprint".as_ref(), fingerprint.as_ref()];
        administrator.server.enroll_trusting(trust, &other, &elsewhere)
    };
    enroll(&wrong).refused(1, &[met, "the token was not sent", "`ebp ca init`"]);
    enroll(met).done();
}

#[test]
fn ten_devices_get_a_sheet_and_a_private_token_each() {
    let administrator = Administrator::new();
    let erika = Participant::register(&administrator.server, "Erika", "erika@example.org");
    let (household, own) = (erika.household.to_string(), erika.device.to_string());
    let mut table = format!("household,meters,device\n,,{own}\n");
    for _ in 0..9 {
        table += &format!("{household},,\n");
    }
    let (file, output) = (administrator.path("devices.csv"), administrator.path("sheets"));
    fs::write(&file, &table).unwrap();
    let many = ["add", "--csv", &file, "--output", &output];
    let made = administrator.ask(&many).done().stdout;
    let devices: Vec<&str> = made.lines().collect();
    assert_eq!((devices.len(), devices[0]), (10, &*own));
    for device in &devices {
        let token = format!("{output}/{device}.token");
        assert_eq!(mode(&token), 0o600);
        let token = fs::read_to_string(token).unwrap();
        let sheet = fs::read_to_string(format!("{output}/{device}.txt")).unwrap();
        assert!(
            sheet.contains(&household) && sheet.contains(&format!("{device}.token")),
            "{sheet}"
        );
        assert!(sheet.contains("ebp device enroll --url https://localhost:"), "{sheet}");
        assert!(!sheet.contains(token.trim()), "the sheet holds the token");
        assert!(sheet.contains("The code to sign in to the device's page: "), "{sheet}");
        assert_eq!(mode(&format!("{output}/{device}.txt")), 0o600);
    }
    assert!(fs::read_to_string(format!("{output}/{own}.txt")).unwrap().contains("Meter "));
    let token = format!("{output}/{own}.token");
    administrator.server.enroll(&token, administrator.path("own")).done();

    fs::write(&file, format!("household\n{household}\nx\n")).unwrap();
    administrator.ask(&many).refused(2, &["devices.csv:3:", "UUID"]);
    fs::write(&file, format!("household\n{household}\n{own}\n")).unwrap();
    let half = administrator.ask(&many).says(&[
        "devices.csv:3:",
        "404",
        "1 device is prepared; take its row out",
    ]);
    assert_eq!((half.code, half.stdout.lines().count()), (Some(1), 1));
}

#[test]
fn a_device_configures_itself_for_what_speaks_at_its_ports() {
    let administrator = Administrator::new();
    let server = &administrator.server;
    let erika = Participant::register(server, "Erika", "erika@example.org");
    let folder = administrator.enroll(&erika.device.to_string());
    let own = Meter::quick(administrator.folder.path(), "MT175");
    let other = Meter::quick(administrator.folder.path(), "EHZ");
    let (own, other_port) = (own.link.to_str().unwrap().to_owned(), &other.link);
    let _own = Meter::start(&administrator.folder.path().join("again"), ["--model", "MT175"]);
    let spool = administrator.path("spool");
    let init = |arguments: &[&str]| {
        let mut command = ebp();
        command.args(["device", "init", "--folder", &folder, "--url", &server.url()]);
        command.args(["--spool", &spool]).args(arguments);
        process::run(command, b"")
    };
    let other_port = other_port.to_str().unwrap();
    let wrong = init(&["--port", other_port]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    wrong.says(&["registered as MT175", "EMH", "ebp household edit --meter"]);
    let config = Path::new(&folder).join("device.toml");
    assert!(!config.exists());
    let named = init(&["--port", "x=/dev/null", "--no-listen"]);
    named.refused(2, &["reads no meter `x`", &erika.meter.to_string()]);

    init(&["--port", other_port, "--port", &format!("MT175={own}"), "--no-listen"]).done();
    fs::remove_file(&config).unwrap();
    drop(init(&["--port", &own]).done().says(&["is written, with 1 meter"]));
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains(&erika.meter.to_string()) && text.contains("MT175"), "{text}");
    init(&["--port", &own]).refused(1, &["exists already"]);

    // It is what the daemons take.
    erika.account(server).grant();
    let config = config.to_str().unwrap();
    let status = run!("device", "status", "--config", config, "--format", "json").done();
    assert_eq!(status.json()[0]["meters"][0]["port"], json!(own));
    assert_eq!(status.json()[0]["spool"]["reasons"], json!({}));
}

/// The daemons start in another folder than the one in which the command is typed, and the page needs
/// a configuration of its own.
#[test]
fn a_configuration_has_absolute_paths_and_comes_with_the_pages() {
    let administrator = Administrator::new();
    let server = &administrator.server;
    let erika = Participant::register(server, "Erika", "erika@example.org");
    let folder = administrator.enroll(&erika.device.to_string());
    let above = Path::new(&folder).parent().unwrap().canonicalize().unwrap();
    let name = Path::new(&folder).file_name().unwrap().to_str().unwrap();
    let here = above.join("here");
    fs::create_dir(&here).unwrap();
    let init = |more: &[&str]| {
        let mut command = ebp();
        command.current_dir(&here).args(["device", "init", "--url", &server.url(), "--no-listen"]);
        command.arg("--folder").arg(format!("../{name}")).args(["--spool", "spool"]);
        command.args(["--port", "head", "--output", "own.toml"]).args(more);
        process::run(command, b"")
    };
    init(&["--frontend", "none"]).refused(1, &["none/frontend.pem does not exist", "enroll"]);
    init(&[]).done().says(&["page.toml is written", "own.toml is written, with 1 meter"]);
    let config = here.join("own.toml");
    let read = || toml::from_str::<toml::Value>(&fs::read_to_string(&config).unwrap()).unwrap();
    let is = |found: &toml::Value, wanted: &Path| {
        assert_eq!(found.as_str().map(Path::new), Some(wanted));
    };
    let (found, folder) = (read(), above.join(name));
    is(&found["spool"], &here.join("spool"));
    is(&found["socket"], &folder.join("read.sock"));
    for (entry, file) in [("ca", "ca.pem"), ("certificate", "device.pem"), ("key", "device.key")] {
        is(&found["api"][entry], &folder.join(file));
    }
    is(&found["frontend"]["folder"], &folder.join("frontend"));
    is(&found["meter"][0]["port"], &here.join("head"));

    // The page starts with what was written, from another folder.
    let page = folder.join("frontend/page.toml");
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains(&server.url()), "{text}");
    let variables = fs::read_to_string(folder.join("frontend/page.env")).unwrap();
    assert_eq!(variables, format!("EBP_URL={}\n", server.url()));
    fs::write(&page, text.replace("# listen = \"0.0.0.0:8080\"", "listen = \"127.0.0.1:0\""))
        .unwrap();
    let mut command = ebp();
    command.current_dir("/").args(["serve", "device", "--config"]).arg(&page);
    let mut served = process::Running::start(command);
    served.wait_for("serving the participant's page at http://127.0.0.1:");
    drop(served);

    // Once more, as after power was lost: what there is of the page stays, unless it leads elsewhere.
    fs::remove_file(&config).unwrap();
    init(&[]).done().says(&["page.toml is there already"]);
    fs::remove_file(&config).unwrap();
    fs::write(&page, text.replace(&server.url(), "https://other.example.org")).unwrap();
    init(&[]).refused(1, &["page.toml names another server", "--no-frontend"]);
    assert!(!config.exists());
    init(&["--no-frontend"]).done();
    assert!(read().get("socket").is_none() && read().get("frontend").is_none());
}

/// What the server knows otherwise than the configuration is told when the device starts.
#[test]
fn a_configuration_of_other_meters_is_told() {
    let administrator = Administrator::new();
    let server = &administrator.server;
    let erika = Participant::register(server, "Erika", "erika@example.org");
    let folder = administrator.enroll(&erika.device.to_string());
    let text = format!(
        "spool = \"spool\"\n[api]\nurl = \"{}\"\nca = \"ca.pem\"\ncertificate = \"device.pem\"\n\
         key = \"device.key\"\n[[meter]]\nuuid = \"{}\"\nmodel = \"EHZ\"\nport = \"none\"\n",
        server.url(),
        erika.meter
    );
    let config = Path::new(&folder).join("device.toml");
    fs::write(&config, text).unwrap();
    let status = run!("device", "status", "--config", config).done();
    status.says(&["configured as EHZ", "registered as MT175"]);
}
