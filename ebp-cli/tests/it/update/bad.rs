//! Versions that no service should run, and configurations without updates.

use std::fs;

use super::{Device, FLOOR, script};

#[test]
fn versions_that_are_not_tried() {
    let device = Device::without_server();
    let elsewhere = [&b"\x7fELF\x02\x01\x01"[..], &[0; 9], &[2, 0, 243, 0], &[0; 100]].concat();
    let good = |version| script(version, "exit 0", "exec sleep 1000");
    for (version, program, reason) in [
        ("2.0.0", elsewhere, "it cannot be run"),
        ("2.0.1", b"no program at all".to_vec(), "it cannot be run"),
        ("2.0.2", good("9.9.9").into_bytes(), "it says that it is version 9.9.9"),
        ("2.0.3", b"#!/bin/sh\nexec sleep 1000\n".to_vec(), "it did not end within 5 s"),
    ] {
        device.desire(version, &program);
        device.round().done().says(&[&format!("version {version} is not run"), reason]);
        assert_eq!(device.launched(), FLOOR);
        device.round().done().says(&["was reverted and is refused"]);
    }
    let status = device.status();
    assert_eq!(status["refused"].as_object().unwrap().len(), 4, "{status}");
    assert_eq!(fs::read_dir(device.updates.join("versions")).unwrap().count(), 0);

    // What is not the release is fetched anew, three times.
    device.desire("2.0.4", good("2.0.4").as_bytes());
    let file = device.folder.path().join("source/ebp-2.0.4");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("sleep", "slepp")).unwrap();
    for _ in 0..2 {
        device.round().refused_with("has another hash");
    }
    device.round().done().says(&["what was fetched never had its hash"]);
    // What ends too early is waited for.
    device.desire("2.0.5", good("2.0.5").as_bytes());
    let file = device.folder.path().join("source/ebp-2.0.5");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..50]).unwrap();
    device.round().refused_with("it ends after 50 of");
    fs::write(&file, whole).unwrap();
    let run = device.round().done().says(&["from byte 50 of", "version 2.0.5 is kept"]);
    assert!(!run.stderr.contains("hash"), "{run:#?}");
}

#[test]
fn what_is_not_configured_is_said() {
    let device = Device::without_server();
    let text = fs::read_to_string(&device.config).unwrap();
    let told = |text: String, words: &[&str]| {
        fs::write(&device.config, text).unwrap();
        device.round().refused(2, words);
    };
    told(text.replace("source", "# source"), &["names no source of updates", "[update]"]);
    told(text.replace("socket", "# socket"), &["names no socket", "read.sock"]);
    let start = text.find("[update]").unwrap();
    let end = text.find("[cycle]").unwrap();
    let without = format!("{}{}", &text[..start], &text[end..]);
    told(without, &["has no updates", "add a section [update]"]);
    fs::write(&device.config, text.replace("trial", "managed = \"flux\"\ntrial")).unwrap();
    device.desire("2.0.0", script("2.0.0", "exit 0", "exec sleep 1000").as_bytes());
    // It tells the server so, which is not there.
    let words = ["Flux updates this device", "the server was not told of it"];
    let run = device.round().done().says(&words);
    assert_eq!(run.stderr.lines().count(), 2, "{run:#?}");
    assert!(!device.updates.exists());

    fs::write(&device.config, text).unwrap();
    fs::remove_dir_all(device.folder.path().join("source")).unwrap();
    device.round().refused_with("check `source` under [update]");
}
