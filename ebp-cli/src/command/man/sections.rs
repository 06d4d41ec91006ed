//! Additional sections of the manual pages: exit codes, variables, files, examples.

/// A thing and what it is.
type Entry = (&'static str, &'static str);

/// How every command ends.
pub const EXIT_STATUS: &[Entry] = &[
    ("0", "Done."),
    ("1", "Failed; one line on standard error says why and what to do."),
    ("2", "Wrong usage."),
    ("3", "Nothing was read in time."),
    ("4", "Refused for lack of consent."),
    ("5", "Not authorized."),
];

const LOG: Entry =
    ("EBP_LOG", "Of what is logged how much, such as info or ebp_meter=debug; beats -v.");
const PIN: Entry = ("EBP_PIN", "The meter's PIN, if no file with it is given.");
const STATE: Entry = (
    "XDG_STATE_HOME",
    "Where tries to unlock are remembered (ebp/unlock-tries.json in it); ~/.local/state without it.",
);
const SERVER: Entry = (
    "EBP_SERVER_…",
    "Each setting of the server, such as EBP_SERVER_DATA; with _FILE appended the content of that file.",
);
const ERRORS: Entry = (
    "EBP_ERRORS_DSN",
    "The error tracking service, instead of the configuration's; with _FILE appended the file of it.",
);
const SERVER_CONFIG: Entry = ("EBP_SERVER_CONFIG", "The server's configuration, as --config.");

/// The variables that a command goes by.
pub fn environment(path: &[&str]) -> Vec<Entry> {
    let own: &[Entry] = match path.first().copied().unwrap_or_default() {
        "unlock" => &[PIN, STATE],
        "simulate" => &[PIN],
        "read" | "transmit" | "tunnel" | "errors" => &[ERRORS],
        "serve" => &[SERVER_CONFIG, SERVER, ERRORS],
        "ca" | "household" | "report" | "export" => &[SERVER_CONFIG, SERVER],
        "" => &[PIN, STATE, ERRORS, SERVER_CONFIG, SERVER],
        _ => &[],
    };
    own.iter().chain([&LOG]).copied().collect()
}

const PORTS: Entry = ("/dev/ttyUSB0, /dev/serial/by-id/…", "Reading heads.");
const DEVICE: Entry = (
    "/etc/ebp/device.toml",
    "A device's configuration by custom: its spool, the Data API, its meters. --config names it.",
);
const SPOOL: Entry =
    ("spool.sqlite", "What a device has measured and not yet sent, in the folder `spool`.");
const TRIES: Entry =
    ("unlock-tries.json", "Wrong PINs of each meter, so that none is ever blocked.");
const CONFIG: Entry =
    ("/etc/ebp/server.toml", "A server's configuration by custom; --config names it.");
const DATA: Entry =
    ("ebp-data/", "The server's default folder: ebp.sqlite, server.key, authority/.");
const UPDATES: Entry = (
    "/var/lib/ebp-update/",
    "Versions of the program beside the package's, current and state.json; --folder names another one.",
);
const PARTICIPANT: Entry = (
    "NAME.pem, NAME.key, ca.pem",
    "A participant's certificate, its key and the authority's certificate; --folder names their folder.",
);
const NONE: Entry = ("none", "It reads and writes what its arguments name.");

/// The files that a command goes by.
pub fn files(path: &[&str]) -> Vec<Entry> {
    let own: &[Entry] = match path.first().copied().unwrap_or_default() {
        "read" => &[PORTS, DEVICE, SPOOL, TRIES],
        "unlock" => &[PORTS, TRIES],
        "meter" => &[PORTS],
        "transmit" | "device" => &[DEVICE, SPOOL],
        "update" => &[DEVICE, UPDATES],
        "self-test" => &[DEVICE, SPOOL],
        "serve" | "ca" | "household" | "report" | "export" => &[CONFIG, DATA],
        "consent" | "measurements" | "participant" => &[PARTICIPANT],
        "demo" => &[("demo-state/", "Everything of the demo, from which it starts again.")],
        "" => &[PORTS, DEVICE, SPOOL, TRIES, CONFIG, DATA],
        _ => &[NONE],
    };
    own.to_vec()
}

/// Examples by command; a command without examples uses those of its parent.
const EXAMPLES: &[(&[&str], &[Entry])] = &[
    (
        &[],
        &[
            ("ebp read", "Finds the reading head and prints the meter's figures."),
            ("ebp demo", "The whole chain on this machine, with virtual meters."),
        ],
    ),
    (
        &["read"],
        &[
            ("ebp read", "Finds the reading head, the protocol and the speed."),
            (
                "ebp read --watch --format json --port /dev/ttyUSB0",
                "Every telegram, a JSON object a line.",
            ),
            ("ebp read tcp://192.168.1.20:3333", "Behind a bridge such as ser2net."),
            (
                "ebp read --config /etc/ebp/device.toml --every -v",
                "A device's daemon, each measurement told.",
            ),
        ],
    ),
    (
        &["errors"],
        &[
            (
                "ebp errors list --config /etc/ebp/device.toml",
                "What has failed on this device, in groups.",
            ),
            (
                "ebp errors test --config /etc/ebp/device.toml",
                "Sends a report to the service that is configured.",
            ),
        ],
    ),
    (
        &["unlock"],
        &[
            ("ebp unlock --model MT175 --dry-run", "What would be done, without a meter."),
            (
                "ebp unlock --port /dev/ttyUSB0 --model MT175 --pin-file pin",
                "Enters the PIN by light.",
            ),
        ],
    ),
    (
        &["meter"],
        &[
            ("ebp meter list", "The models that are known."),
            (
                "ebp meter identify --port /dev/ttyUSB0",
                "Which meter is there, and what to do next.",
            ),
        ],
    ),
    (
        &["meter", "show"],
        &[("ebp meter show MT175", "All that is known of a model, with its sources.")],
    ),
    (
        &["meter", "bundle"],
        &[(
            "ebp meter bundle --port /dev/ttyUSB0 --output bundle.tar",
            "A report without identifying numbers.",
        )],
    ),
    (
        &["simulate"],
        &[
            (
                "ebp simulate --model MT175 --link /tmp/meter",
                "A virtual meter that `ebp read --port /tmp/meter` reads.",
            ),
            (
                "ebp simulate --model MT175 --locked --pin 1234 --link /tmp/meter",
                "One to practise unlocking on.",
            ),
            (
                "ebp simulate --replay meter.bin --link /tmp/meter",
                "A recording, at the line's speed.",
            ),
        ],
    ),
    (
        &["transmit"],
        &[
            ("ebp transmit --config /etc/ebp/device.toml", "One report, now."),
            (
                "ebp transmit --config /etc/ebp/device.toml --due",
                "For a timer that starts it every minute.",
            ),
            ("ebp transmit --config /etc/ebp/device.toml --every", "A daemon."),
        ],
    ),
    (
        &["device"],
        &[
            (
                "ebp device enroll --url https://ebp.example.org:8443 --fingerprint HEX --token-file token --output /etc/ebp",
                "Gets the device its certificate.",
            ),
            ("ebp device status --config /etc/ebp/device.toml", "How the device is."),
        ],
    ),
    (
        &["update"],
        &[
            (
                "ebp update --config /etc/ebp/device.toml",
                "One round, as the timer runs it; as root.",
            ),
            ("ebp update status", "Which version runs, which is tried, what is missing."),
            ("ebp update retry 1.4.2", "Lets a version be tried again."),
            (
                "ebp update exec -- read --config /etc/ebp/device.toml --every",
                "A service, as the units start it.",
            ),
        ],
    ),
    (
        &["self-test"],
        &[("ebp self-test --config /etc/ebp/device.toml", "Would this program work here?")],
    ),
    (
        &["serve"],
        &[
            ("ebp serve --data /var/lib/ebp --listen 0.0.0.0:8443", "Serves the Data API."),
            ("ebp serve --print-config", "A commented configuration."),
            (
                "ebp serve secret set researchers --data /var/lib/ebp",
                "Asks for the researchers' shared secret.",
            ),
            (
                "ebp serve backup --data /var/lib/ebp --output /backup/ebp.sqlite",
                "Copies the database while the server is running.",
            ),
        ],
    ),
    (
        &["ca"],
        &[
            ("ebp ca init --data /var/lib/ebp", "Makes the certificate authority."),
            (
                "ebp ca issue --data /var/lib/ebp --email erika@example.org",
                "A participant's certificate.",
            ),
            ("ebp ca list --data /var/lib/ebp", "The certificates."),
        ],
    ),
    (
        &["household"],
        &[
            ("ebp household add --data /var/lib/ebp registration.toml", "Registers a household."),
            (
                "ebp household list --url https://ebp.example.org:8443 --ca ca.pem --secret-file secret",
                "From anywhere, as a researcher.",
            ),
        ],
    ),
    (
        &["job"],
        &[
            (
                "ebp job import --dry-run --url https://ebp.example.org:8443 --ca ca.pem households.csv",
                "What would become of each line, as the job's result.",
            ),
            (
                "ebp job list --group administrators --url https://ebp.example.org:8443 --ca ca.pem",
                "What the servers are at.",
            ),
        ],
    ),
    (
        &["participant"],
        &[(
            "ebp participant pkcs12 --folder survey --output survey.p12",
            "Asks for a password, and writes certificate and key into one file.",
        )],
    ),
    (
        &["report"],
        &[
            (
                "ebp report --data /var/lib/ebp --from 2026-03-01 --to 2026-03-22",
                "Was every slot measured?",
            ),
            (
                "ebp report --input measurements.csv --plot gaps.svg",
                "The same of a table, with a picture.",
            ),
        ],
    ),
    (
        &["export"],
        &[
            (
                "ebp export --data /var/lib/ebp --output ebp-2026-11",
                "Writes the data set of the survey, or continues writing it.",
            ),
            ("ebp export --check ebp-2026-11", "Is every file as it was written?"),
            (
                "ebp export --data /var/lib/ebp --release research --recipient 'University X' \
                 --certificate alice.pem --key alice.key --output release-1",
                "Makes a draft of what may leave the research group.",
            ),
            (
                "ebp export confirm release-1 --data /var/lib/ebp --certificate bob.pem --key bob.key",
                "Confirms it, as a second administrator.",
            ),
        ],
    ),
    (
        &["release"],
        &[
            ("ebp release key ada.key --name Ada", "Makes a key; ada.key.pub goes to the others."),
            (
                "ebp release add releases ebp --release 1.4.2 --architecture aarch64",
                "Drafts a release.",
            ),
            ("ebp release sign releases --key ada.key", "Signs it, as one of two people."),
            (
                "ebp release publish releases --key online.key",
                "Publishes it, on the machine that has the online key.",
            ),
            ("ebp release status releases", "Which roles there are, until when, signed by whom."),
        ],
    ),
    (
        &["anonymize"],
        &[(
            "ebp anonymize --input households.csv --output masked.csv --stats",
            "Masks a table of locations.",
        )],
    ),
    (
        &["geodata"],
        &[
            (
                "ebp geodata import --nuts NUTS5000_N3.shp --density 04-kreise.xlsx --output regions.ebpgeo",
                "Regions and densities from official geodata.",
            ),
            ("ebp geodata show regions.ebpgeo", "What is in such a file."),
        ],
    ),
    (
        &["demo"],
        &[("ebp demo", "Goes on until Ctrl-C."), ("ebp demo --once", "Ends after one round.")],
    ),
    (
        &["completions"],
        &[(
            "ebp completions bash > ~/.local/share/bash-completion/completions/ebp",
            "For bash; open a new shell.",
        )],
    ),
    (
        &["man"],
        &[
            ("ebp man read | man -l -", "Reads a page."),
            ("ebp man --output /usr/local/share/man/man1", "Writes all pages."),
        ],
    ),
];

/// Examples of the command, or else of the nearest one above it.
pub fn examples(path: &[&str]) -> &'static [Entry] {
    let own = EXAMPLES.iter().filter(|(command, _)| path.starts_with(command));
    own.max_by_key(|(command, _)| command.len()).map_or(&[], |(_, examples)| examples)
}
