//! Unlocking in real time over a real pty: light as zero bytes, telegrams as SML, nothing simulated
//! but the meter. The other models go through simulated time (see `unlock_simulated.rs`).

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use ebp_core::{model::MeterType, obis::ObisCode};
use ebp_meter::{
    interface::{self, Environment, MeterInterface, Registry, Site},
    port::{self, LineSettings, PortError, PortName},
    profile::{Profile, Profiles},
    unlock::{Lasting, Phase, Progress, Refused, Tries, UnlockError, UnlockOptions, Variant},
    virtual_meter::{
        Button, Energies, HouseholdOptions, LockOptions, MeterOptions, Source, Tempo, VirtualMeter,
        run,
    },
};

/// A locked meter at work on a thread of its own.
struct Running {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Source>>,
}

impl Running {
    fn start(profile: &Profile, pin: &str, options: LockOptions) -> Self {
        let meter = MeterOptions {
            kind: MeterType::Electricity,
            number: 7_654_321,
            household: HouseholdOptions { seed: 1, pv_peak_watts: 5_000, battery_watt_hours: 0 },
            locked: true,
            start: "2026-06-21T10:00:00Z".parse().unwrap(),
            energies: Energies::from_watt_hours(1_234, 2_345).unwrap(),
        };
        let button = Button::new(profile, pin.parse().unwrap(), options).unwrap();
        let meter = VirtualMeter::new(profile, meter).unwrap().with_button(button);
        let mut source = Source::Meter(Box::new(meter));
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, path) = mpsc::channel();
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let on_ready = |path: &std::path::Path| drop(ready.send(path.to_owned()));
                run(&mut source, None, None, Tempo::default(), &stop, on_ready).unwrap();
                source
            }
        });
        let path = path.recv_timeout(Duration::from_secs(10)).unwrap();
        Self { path, stop, thread: Some(thread) }
    }

    fn end(mut self) -> VirtualMeter {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.take().unwrap().join().unwrap() {
            Source::Meter(meter) => *meter,
            Source::Replay(_) => unreachable!("it was a meter"),
        }
    }
}

fn environment(folder: &std::path::Path) -> Environment {
    Environment::for_machine(Tries::in_folder(folder), Arc::default())
}

/// The meter at that port, of a model of the registry.
fn open(
    registry: &Registry,
    model: &str,
    port: &PortName,
    around: &Environment,
) -> Box<dyn MeterInterface> {
    let driver = registry.driver(model).unwrap();
    driver.open(&Site::new(port.clone(), driver.model().read), around).unwrap()
}

/// The models of the program, and the quick one.
fn with_quick() -> Registry {
    let mut profiles = Profiles::embedded();
    profiles.add("quick.toml", &quick_text()).unwrap();
    Registry::from_profiles(&profiles)
}

/// MT175 for the impatient: everything five to ten times as fast, so that InF and its confirmation
/// fit into a test.
fn quick_text() -> String {
    include_str!("../../profiles/mt175.toml")
        .lines()
        .map(|line| match line.split(" =").next().unwrap_or_default() {
            "push_interval_ms" => "push_interval_ms = 600".to_owned(),
            "short_press" => interval("short_press", 100, 130, [60, 290]),
            "long_press" => interval("long_press", 500, 600, [400, 2000]),
            "between_presses" => interval("between_presses", 120, 150, [60, 580]),
            "after_wake" => interval("after_wake", 200, 250, [60, 580]),
            "next_digit" => interval("next_digit", 900, 950, [600, 1150]),
            "return_to_normal_s" => "return_to_normal_s = 5".to_owned(),
            "name" => "name = \"QUICK\"".to_owned(),
            "aliases" => String::new(),
            // The display of this one was looked at.
            "source" if line.contains("the usual order") => "source = \"test\"".to_owned(),
            _ => line.to_owned(),
        })
        .map(|line| line + "\n")
        .collect()
}

fn quick() -> Profile {
    Profile::parse("quick.toml", &quick_text()).unwrap()
}

fn interval(name: &str, send: u32, slower: u32, accept: [u32; 2]) -> String {
    format!(
        "{name} = {{ send_ms = {send}, slower_ms = {slower}, accept_ms = {accept:?}, source = \"test\" }}"
    )
}

#[test]
fn a_quick_meter_opens_for_good_though_its_head_hears_itself() {
    let profile = quick();
    let options = LockOptions { echoes: true, ..LockOptions::default() };
    let running = Running::start(&profile, "1020", options);
    let folder = tempfile::tempdir().unwrap();
    let name = PortName::Path(running.path.clone());
    let around = environment(folder.path());
    let mut meter = open(&with_quick(), "quick", &name, &around);

    let locked = interface::read(&mut *meter, Duration::from_secs(10), &around).unwrap();
    assert!(!meter.is_detailed(&locked));
    assert!(locked.entry(ObisCode::SUM_POWER).is_none());
    let busy = port::open(&name, LineSettings::SML).err().unwrap();
    assert!(matches!(busy, PortError::Busy { .. }), "a second process is kept out: {busy}");

    let mut seen = Vec::new();
    let pin = "1020".parse().unwrap();
    let options = UnlockOptions::default();
    let progress = &mut |step| seen.push(step);
    let unlocked = meter.enable_detailed_readout(&pin, &options, progress).unwrap();
    assert_eq!((unlocked.variant, unlocked.lasting), (Some(Variant::Normal), Lasting::Permanent));
    assert!(seen.contains(&Progress::Verifying) && seen.contains(&Progress::SwitchingInf));
    let readout = interface::read(&mut *meter, Duration::from_secs(10), &around).unwrap();
    assert!(meter.is_detailed(&readout));
    assert!(readout.entry(ObisCode::SUM_POWER).is_some());
    drop(meter);
    assert!(running.end().button_mut().unwrap().lock().is_inf_on());
}

#[test]
fn a_model_of_the_survey_opens_at_its_own_pace() {
    let profiles = Profiles::embedded();
    let profile = profiles.get("MT175").unwrap();
    let running = Running::start(profile, "0110", LockOptions::default());
    let folder = tempfile::tempdir().unwrap();
    let name = PortName::Path(running.path.clone());
    let mut meter =
        open(&Registry::from_profiles(&profiles), "MT175", &name, &environment(folder.path()));
    let options = UnlockOptions { inf: false, ..UnlockOptions::default() };
    let pin = "0110".parse().unwrap();
    let unlocked = meter.enable_detailed_readout(&pin, &options, &mut |_| {}).unwrap();
    assert_eq!(unlocked.variant, Some(Variant::Normal));
    assert_eq!(unlocked.lasting, Lasting::WhileOpen(Duration::from_secs(120)));
    drop(meter);
    let mut meter = running.end();
    assert_eq!(meter.button_mut().unwrap().lock().wrong_pins(), 0);
}

#[test]
fn stopped_in_the_midst_of_a_pty() {
    let profile = quick();
    let running = Running::start(&profile, "5555", LockOptions::default());
    let folder = tempfile::tempdir().unwrap();
    let name = PortName::Path(running.path.clone());
    let around = environment(folder.path());
    let stop = Arc::clone(&around.stop);
    let mut meter = open(&with_quick(), "QUICK", &name, &around);
    let progress = &mut |step| {
        if let Progress::Step { phase: Phase::Digit { number: 3, .. }, .. } = step {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let (pin, options) = ("5555".parse().unwrap(), UnlockOptions::default());
    let result = meter.enable_detailed_readout(&pin, &options, progress);
    assert!(matches!(result, Err(UnlockError::Interrupted { .. })), "{result:?}");
    let text = std::fs::read_to_string(folder.path().join("unlock-tries.json")).unwrap();
    assert!(text.contains("\"wrong\": 1"), "{text}");
    // The meter fixes the missing digits as zeros by itself, and counts.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(running.end().button_mut().unwrap().lock().wrong_pins(), 1);
}

const PORT: &str = "EBP_TEST_UNLOCK_PORT";
const STATE: &str = "EBP_TEST_UNLOCK_STATE";

#[test]
#[ignore = "the process that the next test starts and kills"]
fn the_one_to_be_killed() {
    let (Ok(port), Ok(state)) = (std::env::var(PORT), std::env::var(STATE)) else { return };
    let around = environment(std::path::Path::new(&state));
    let mut meter = open(&with_quick(), "QUICK", &port.parse().unwrap(), &around);
    let (pin, options) = ("5555".parse().unwrap(), UnlockOptions::default());
    let _ = meter.enable_detailed_readout(&pin, &options, &mut |_| {});
}

#[test]
fn a_killed_process_leaves_its_try_counted_and_the_meter_at_rest() {
    let profile = quick();
    let running = Running::start(&profile, "5555", LockOptions::default());
    let name = PortName::Path(running.path.clone());
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "unlock_pty::the_one_to_be_killed", "--ignored"])
        .env(PORT, &running.path)
        .env(STATE, folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let file = folder.path().join("unlock-tries.json");
    for _ in 0..300 {
        if file.exists() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    // Long enough for the presses that lead to PIN entry.
    thread::sleep(Duration::from_millis(1000));
    let busy = port::open(&name, LineSettings::SML).err().unwrap();
    assert!(matches!(busy, PortError::Busy { .. }), "{busy}");
    child.kill().unwrap();
    child.wait().unwrap();

    let mut meter = open(&with_quick(), "QUICK", &name, &environment(folder.path()));
    let options = UnlockOptions { wait_for_rest: false, ..UnlockOptions::default() };
    let pin = "5555".parse().unwrap();
    let result = meter.enable_detailed_readout(&pin, &options, &mut |_| {});
    assert!(matches!(result, Err(UnlockError::Refused(Refused::Resting { .. }))), "{result:?}");
    assert!(std::fs::read_to_string(file).unwrap().contains("\"wrong\": 1"));
    drop(meter);
    // The meter sets zeros by itself meanwhile, and counts.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(running.end().button_mut().unwrap().lock().wrong_pins(), 1);
}
