//! Addresses are looked up at a service like Nominatim, imitated here over HTTP, by its policy.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ebp_core::{
    clock::{Clock, SystemClock},
    model::{Address, Precision},
};
use ebp_survey::geocoding::{Geocode, GeocodeError, Geocoder, GeocodingSettings, Located};
use jiff::{SignedDuration, Timestamp};

const HOUSE: &str = r#"[{"lat": "50.8512345", "lon": "7.1043210", "place_rank": 30,
    "addresstype": "building", "address": {"house_number": "17", "country_code": "de"}}]"#;

/// A request's first line and headers, and when it came.
type Seen = Arc<Mutex<Vec<(Instant, String)>>>;

/// A service that answers so, one after another; the last one again and again.
struct Nominatim {
    url: String,
    seen: Seen,
}

impl Nominatim {
    fn answering(answers: &[(u16, &str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers: Vec<String> = answers
            .iter()
            .map(|(status, headers, body)| {
                format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\
                     {headers}\r\n{body}",
                    body.len()
                )
            })
            .collect();
        let seen = Seen::default();
        let log = seen.clone();
        thread::spawn(move || {
            for (turn, stream) in listener.incoming().enumerate() {
                let answer = answers[turn.min(answers.len() - 1)].clone();
                let (stream, log) = (stream.unwrap(), log.clone());
                thread::spawn(move || serve(stream, &answer, &log));
            }
        });
        Self { url, seen }
    }

    fn geocoder(&self, cache: &Path) -> Geocoder {
        self.with_clock(cache, Arc::new(SystemClock))
    }

    fn with_clock(&self, cache: &Path, clock: Arc<dyn Clock>) -> Geocoder {
        let settings = GeocodingSettings {
            url: Some(self.url.clone()),
            contact: Some("research@example.org".into()),
            postal_codes: None,
            cache: cache.to_owned(),
        };
        Geocoder::new(settings, clock).unwrap()
    }

    fn requests(&self) -> Vec<(Instant, String)> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answer: &str, log: &Seen) {
    let begun = Instant::now();
    let mut head = String::new();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    while lines.read_line(&mut head).is_ok_and(|read| read > 2) {}
    log.lock().unwrap().push((begun, head));
    if answer.contains("999") {
        thread::sleep(Duration::from_secs(30));
    }
    let _ = stream.write_all(answer.as_bytes());
}

fn address(street: &str) -> Address {
    Address {
        street: street.into(),
        postal_code: "51147".into(),
        city: "Köln".into(),
        country: "DE".into(),
    }
}

const PATIENCE: Duration = Duration::from_secs(5);

fn at(located: Located) -> (Precision, f64, f64) {
    assert!(located.trouble.is_none(), "{:?}", located.trouble);
    let location = located.location.unwrap();
    (location.precision.unwrap(), location.latitude, location.longitude)
}

#[test]
fn asked_by_its_name_once_and_remembered_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let cache = &folder.path().join("a/cache");
    let service = Nominatim::answering(&[(200, "", HOUSE), (200, "", "[]")]);
    let geocoder = service.geocoder(cache);
    let found = (Precision::Address, 50.851_234_5, 7.104_321);
    assert_eq!(at(geocoder.locate(&address("Heidestraße 17"), PATIENCE)), found);
    // Written otherwise, and by another process.
    let other = service.geocoder(cache);
    assert_eq!(at(other.locate(&address("Heidestr. 17"), PATIENCE)), found);
    // Not found is remembered, too.
    for _ in 0..2 {
        let nowhere = geocoder.locate(&address("Nirgendweg 1"), PATIENCE);
        assert!(nowhere.location.is_none() && nowhere.trouble.is_none());
    }
    let requests = service.requests();
    assert_eq!(requests.len(), 2);
    let head = &requests[0].1;
    assert!(head.starts_with("GET /search?street=Heidestra%C3%9Fe+17&postalcode=51147&"), "{head}");
    assert!(head.contains("countrycodes=de&format=jsonv2"), "{head}");
    let agent = head.lines().find(|line| line.starts_with("user-agent: ebp/")).unwrap();
    assert!(agent.contains("contact: research@example.org"), "{agent}");

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(cache) & 0o077, 0);
    let mut files = 0;
    for entry in fs::read_dir(cache).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let content = fs::read(&path).unwrap();
        for needle in ["Heide", "heide", "50.85", "7.10", "51147"] {
            let found = content.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "{needle} in {}", path.display());
        }
        files += 1;
    }
    assert_eq!(files, 4, "two answers, the key, whose turn it is");

    // Forgotten, it is asked for again.
    geocoder.forget(&address("Heidestraße 17"));
    assert_eq!(fs::read_dir(cache).unwrap().count(), 3);
    assert!(geocoder.locate(&address("Heidestraße 17"), PATIENCE).location.is_none());
    assert_eq!(service.requests().len(), 3);
}

/// The machine's clock, ahead.
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn nothing_is_remembered_for_longer_than_a_month() {
    let folder = tempfile::tempdir().unwrap();
    let service = Nominatim::answering(&[(200, "", HOUSE), (200, "", "[]"), (200, "", HOUSE)]);
    let clock = Arc::new(Ahead(AtomicI64::new(0)));
    let geocoder = service.with_clock(folder.path(), clock.clone());
    let (house, nowhere) = (address("Heidestraße 17"), address("Nirgendweg 1"));
    let found =
        |geocoder: &Geocoder, address| geocoder.locate(address, PATIENCE).location.is_some();
    assert!(found(&geocoder, &house) && !found(&geocoder, &nowhere));
    clock.0.store(2 * 86_400, Ordering::SeqCst);
    assert!(found(&geocoder, &house) && found(&geocoder, &nowhere));
    assert_eq!(service.requests().len(), 3);
    clock.0.store(31 * 86_400, Ordering::SeqCst);
    drop(service.with_clock(folder.path(), clock));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "key and turn");
}

/// Of all processes that share the folder.
#[test]
fn one_request_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let service = Nominatim::answering(&[(200, "", HOUSE)]);
    thread::scope(|scope| {
        for i in 0..4 {
            let geocoder = service.geocoder(folder.path());
            let wait = Duration::from_secs(30);
            scope.spawn(move || at(geocoder.locate(&address(&format!("Weg {i}")), wait)));
        }
    });
    let requests = service.requests();
    assert_eq!(requests.len(), 4);
    for pair in requests.windows(2) {
        let pause = pair[1].0 - pair[0].0;
        assert!(pause >= Duration::from_millis(950), "{pause:?}");
    }
    // Who does not want to wait for so long goes without.
    let (one, two) = (service.geocoder(folder.path()), service.geocoder(folder.path()));
    at(one.locate(&address("Gasse 1"), PATIENCE));
    let hurried = two.locate(&address("Gasse 2"), Duration::from_millis(100));
    assert!(matches!(hurried.trouble, Some(GeocodeError::Busy)), "{hurried:?}");
}

#[test]
fn put_off_it_waits_or_goes_without() {
    let folder = tempfile::tempdir().unwrap();
    let service = Nominatim::answering(&[
        (429, "retry-after: 2\r\n", ""),
        (200, "", HOUSE),
        (503, "retry-after: 600\r\n", ""),
    ]);
    let geocoder = service.geocoder(folder.path());
    at(geocoder.locate(&address("Heidestraße 17"), PATIENCE));
    let requests = service.requests();
    assert!(requests[1].0 - requests[0].0 >= Duration::from_millis(1_950));
    let begun = Instant::now();
    let put_off = geocoder.locate(&address("Heidestraße 18"), PATIENCE);
    assert!(matches!(put_off.trouble, Some(GeocodeError::Busy)), "{put_off:?}");
    assert!(begun.elapsed() < PATIENCE);
    // It is left alone, by all.
    let other = service.geocoder(folder.path()).locate(&address("Heidestraße 19"), PATIENCE);
    assert!(matches!(other.trouble, Some(GeocodeError::Busy)), "{other:?}");
    assert_eq!(service.requests().len(), 3);
}

#[test]
fn bad_answers_are_told_without_the_address() {
    let elsewhere = Nominatim::answering(&[(200, "", HOUSE)]);
    let long = format!("[{}", " ".repeat(300_000));
    let redirect = format!("location: {}/search\r\n", elsewhere.url);
    let cases = [
        (200, "", "<html>garbage", "no result of a search"),
        (200, "", r#"[{"lat": "north", "lon": "7.1"}]"#, "no result of a search"),
        (200, "", long.as_str(), "no result of a search"),
        (302, redirect.as_str(), "", "status 302"),
        (500, "", "", "status 500"),
        (403, "", "", "status 403"),
    ];
    for (status, headers, body, says) in cases {
        let folder = tempfile::tempdir().unwrap();
        let service = Nominatim::answering(&[(status, headers, body)]);
        let located = service.geocoder(folder.path()).locate(&address("Heidestr 17"), PATIENCE);
        assert!(located.location.is_none());
        let error = located.trouble.unwrap();
        let told = format!("{error} {error:?}");
        assert!(told.contains(says), "{told}");
        for secret in ["Heide", "51147", "K\u{f6}ln"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    assert!(elsewhere.requests().is_empty(), "an address is told to nobody else");
}

#[test]
fn a_service_that_is_away_or_silent() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = Nominatim { url: format!("http://{free}"), seen: Seen::default() };
    let located = away.geocoder(folder.path()).locate(&address("Heidestraße 17"), PATIENCE);
    let error = located.trouble.unwrap().to_string();
    assert!(error.contains("cannot be reached") && !error.contains("Heide"), "{error}");

    let silent = Nominatim::answering(&[(999, "", "")]);
    let begun = Instant::now();
    let located = silent.geocoder(folder.path()).locate(&address("Heidestraße 17"), PATIENCE);
    let error = located.trouble.unwrap().to_string();
    assert!(error.contains("cannot be reached") && !error.contains("Heide"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn postal_codes_are_the_last_resort() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("codes.csv");
    fs::write(&table, "plz,lat,lon\n51147,50.86,7.08\n").unwrap();
    let service = Nominatim::answering(&[(200, "", "[]"), (500, "", "")]);
    let settings = |url: Option<String>| GeocodingSettings {
        url,
        contact: Some("https://example.org/survey".into()),
        postal_codes: Some(table.clone()),
        cache: folder.path().join("cache"),
    };
    let offline = Geocoder::new(settings(None), Arc::new(SystemClock)).unwrap();
    let rough = (Precision::PostalCode, 50.86, 7.08);
    assert_eq!(at(offline.locate(&address("Heidestraße 17"), PATIENCE)), rough);
    assert!(!folder.path().join("cache").exists());
    let both = Geocoder::new(settings(Some(service.url.clone())), Arc::new(SystemClock)).unwrap();
    assert_eq!(at(both.locate(&address("Heidestraße 17"), PATIENCE)), rough);
    let despite = both.locate(&address("Heidestraße 18"), PATIENCE);
    assert!(matches!(despite.trouble, Some(GeocodeError::Status(500))));
    assert_eq!(despite.location.unwrap().precision, Some(Precision::PostalCode));
    let mut foreign = address("Rue 1");
    foreign.country = "FR".into();
    assert!(offline.locate(&foreign, PATIENCE).location.is_none());

    fs::write(&table, "plz,lat,lon\n51147,here,7.08\n").unwrap();
    let error = Geocoder::new(settings(None), Arc::new(SystemClock)).err().unwrap().to_string();
    assert!(error.contains("codes.csv") && error.contains("line 2"), "{error}");
    let nobody = GeocodingSettings { contact: None, ..settings(Some(service.url.clone())) };
    let nobody = GeocodingSettings { postal_codes: None, ..nobody };
    let error = Geocoder::new(nobody, Arc::new(SystemClock)).err().unwrap();
    assert!(matches!(error, GeocodeError::NoContact));
}
