//! A disk that is full or read-only.

use std::process::Command;

use ebp_needs::needs;
use ebp_testkit::small_disk::SmallDisk;

use super::{Device, FLOOR, script};

#[needs(mount)]
#[test]
fn without_room_or_right_nothing_changes_and_with_it_the_update_goes_on() {
    let disk = SmallDisk::mount(40);
    let mut device = Device::without_server();
    device.updates = disk.path().join("updates");
    device.desire("2.0.0", script("2.0.0", "exit 0", "exec sleep 1000").as_bytes());
    let mounted = |how: &str| {
        let options = format!("remount,{how}");
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", &options]).arg(disk.path()).status().unwrap().success());
    };
    mounted("ro");
    device.round().refused_with("mount that file system for writing");
    mounted("rw");
    disk.fill_but(8 << 10);
    device.round().refused_with("version 2.0.0 needs");
    assert_eq!(device.launched(), FLOOR);
    // Not even the state has room.
    disk.free();
    disk.fill();
    device.round().refused_with("make room on the disk");
    disk.free();
    device.round().done().says(&["version 2.0.0 is kept"]);
    assert_eq!(device.launched(), "2.0.0");
    // A full disk does not keep services from starting.
    disk.fill();
    assert_eq!(device.launched(), "2.0.0");
    // A disk from which nothing may be executed: the floor.
    mounted("noexec");
    assert_eq!(device.launched(), FLOOR);
}
