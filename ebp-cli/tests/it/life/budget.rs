//! How much memory the page's process takes: of the build of tests, or of the program that
//! `EBP_TEST_DEVICE_PROGRAM` names, which has to be the device's build.

use std::{
    env, fs,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use super::house::House;
use crate::{
    operate::page::Browser,
    support::{clean, ebp, process::Running},
};

/// Names the device's build.
const PROGRAM: &str = "EBP_TEST_DEVICE_PROGRAM";
/// Anonymous memory at rest and at most, KiB.
const AT_REST: u64 = 4 << 10;
const AT_MOST: u64 = 10 << 10;
/// What the build of tests takes besides: addresses in a program twenty times as large, which the
/// loader writes into its memory.
const OF_TESTS: u64 = 2 << 10;
/// So many sign in at once.
const AT_ONCE: usize = 50;

/// A line of the process's status, KiB.
fn memory(page: &Running, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", page.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn fifty_sign_ins_at_once_fit_into_ten_megabytes() {
    let house = House::enrol();
    let (command, besides) = match env::var_os(PROGRAM) {
        Some(program) => (clean(Command::new(program)), 0),
        None => (ebp(), OF_TESTS),
    };
    let page = house.start_page_by(command);
    let at_rest = memory(&page, "RssAnon");
    assert!(at_rest < AT_REST + besides, "{at_rest} KiB at rest");
    let (is_over, mut most) = (AtomicBool::new(false), 0);
    let signed_in = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut most = 0;
            while !is_over.load(Ordering::Relaxed) {
                most = most.max(memory(&page, "RssAnon"));
                thread::sleep(Duration::from_millis(1));
            }
            most
        });
        let tries: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| {
                    let browser = Browser::at(format!("http://127.0.0.1:{}", house.port));
                    let fields = format!("code={}", house.code);
                    browser.submit("/sign-in", &fields).status().as_u16()
                })
            })
            .collect();
        let statuses = tries.into_iter().map(|one| one.join().unwrap());
        let signed_in = statuses.filter(|status| *status == 303).count();
        is_over.store(true, Ordering::Relaxed);
        most = watch.join().unwrap();
        signed_in
    });
    eprintln!("at rest {at_rest} KiB, at most {most} KiB, {}", memory(&page, "VmHWM"));
    assert_eq!(signed_in, AT_ONCE);
    // One code is verified at a time, with 6 MiB.
    assert!((6 << 10..AT_MOST + besides).contains(&most), "{most} KiB at most");
}
