//! Households revoke at a real server: masked at once, withheld until it can be, killed in between;
//! nothing of what was removed is in any file or in the log.

use std::{collections::BTreeMap, fs, thread, time::Duration};

use crate::run;
use crate::support::{
    survey::{Consenting, Survey, holding},
    wait_for,
};
use serde_json::{Value, json};

/// Nothing has to be configured for it.
#[test]
fn masked_by_the_regions_that_are_built_in() {
    let mut survey = Survey::new();
    let mut server = survey.start();
    let line = server.wait_for("are masked by the regions that are built in");
    assert!(line.contains("NUTS5000_N3.shp") && line.contains("31.12.2018"), "{line}");
    let wanda = survey.household("wanda", 1);
    survey.api(&wanda).revoke();
    let masked = survey.revoked().remove(0)["location"]["masked"]["nuts3"].to_string();
    assert!(masked.starts_with("\"DE7"), "in Hesse or next to it: {masked}");
    survey.assert_absent(&wanda.needles, &server.stderr());
    server.signal(rustix::process::Signal::INT);
    server.end().done();

    // What masked it is told to who looks at the survey.
    run!("household", "mask", "--pending", "--data", survey.data())
        .done()
        .says(&["regions: NUTS5000_N3.shp"]);
    run!("report", "--data", survey.data()).done().says(&["were masked by NUTS5000_N3.shp"]);
    // From now on others are another vintage.
    survey.make_regions("regions.ebpgeo", 1365.0);
    survey.configure("regions = \"regions.ebpgeo\"\n");
    survey.refuses_to_start(&["another vintage", "NUTS5000_N3.shp", "--new-regions"]);
}

/// In Austria, where the regions that are built in end; they had masked nobody, so that the survey's
/// own take their place.
#[test]
fn withheld_outside_of_all_regions_and_masked_with_them() {
    let mut survey = Survey::new();
    let server = survey.start();
    let wanda = survey.household_at("wanda", (47.412_345_678, 9.712_345_678));
    let olga = survey.household_at("olga", (47.415_345_678, 9.715_345_678));
    assert!(holding(&survey.data(), &wanda.needles).len() >= 6, "it is there");
    survey.api(&wanda).revoke();
    // At once, and for good; the location alone waits, shown to nobody.
    assert_eq!(survey.api(&wanda).try_get("/household/consent").unwrap().status(), 410);
    assert!(survey.show(&wanda).is_none() && survey.show(&olga).is_some());
    let list = survey.as_researcher(&["list"]).done();
    assert!(!list.stdout.contains(&wanda.uuid) && list.stdout.contains(&olga.uuid));
    survey.assert_absent(&wanda.needles[..6], &server.stderr());
    assert_eq!(holding(&survey.data(), &wanda.needles[6..]).len() / 2, 1, "nothing is lost");
    server.signal(rustix::process::Signal::INT);
    server.end().done();
    assert!(!survey.data().join("release.key").exists(), "there is no secret function");

    // By hand, while no server runs.
    survey.make_region("regions.ebpgeo", "AT342", (47, 9), 1365.0);
    let still = run!("household", "mask", "--pending", "--data", survey.data()).done();
    assert!(still.stdout.contains("1 stays withheld: its location lies outside"), "{still:?}");
    survey.configure("regions = \"regions.ebpgeo\"\n");
    let masked =
        run!("household", "mask", "--pending", "--config", survey.at("server.toml")).done();
    assert_eq!(masked.stdout, "1 household masked\n");
    survey.assert_absent(&wanda.needles, &[]);

    let mut server = survey.start();
    assert!(survey.show(&wanda).is_none(), "it is called something else");
    let shown = survey.revoked().remove(0);
    let location = &shown["location"];
    assert_eq!(location["masked"], json!({"nuts3": "AT342"}));
    for member in [&shown["registered_at"], &shown["consent"]["revoked_at"]] {
        assert!(member.as_str().unwrap().ends_with("-01T00:00:00Z"), "{member}");
    }
    let six = |degrees: &Value| {
        let text = degrees.to_string();
        text.split('.').nth(1).unwrap().len() <= 6
    };
    assert!(six(&location["latitude"]) && six(&location["longitude"]), "{location}");
    assert!(shown["address"].is_null() && shown["participant"].is_null());
    assert_eq!(shown["pv_systems"][0]["nominal_power"].to_string(), "7");
    assert_eq!(shown["pv_systems"][0]["installed_on"], "2019-01-01");
    assert_eq!(survey.api(&wanda).try_get("/household/consent").unwrap().status(), 410);

    // Masked in the transaction itself.
    survey.api(&olga).revoke();
    assert!(survey.show(&olga).is_none());
    let revoked = survey.revoked();
    assert_eq!(revoked.len(), 2);
    assert!(revoked.iter().all(|shown| shown["location"]["masked"].is_object()));
    survey.assert_absent(&olga.needles, &server.stderr());
    server.wait_for("route=\"/household/consent\"");
    server.signal(rustix::process::Signal::INT);
    let said = server.end().done();
    survey.assert_absent(&[olga.needles, wanda.needles].concat(), &[said.stderr]);
}

#[test]
fn a_start_by_files_that_do_not_fit_is_refused() {
    let mut survey = Survey::new();
    survey.configure("regions = \"regions.ebpgeo\"\n");
    survey.refuses_to_start(&["regions.ebpgeo", "No such file"]);
    survey.make_regions("regions.ebpgeo", 1365.0);
    let whole = fs::read(survey.at("regions.ebpgeo")).unwrap();
    fs::write(survey.at("regions.ebpgeo"), &whole[..whole.len() - 9]).unwrap();
    survey.refuses_to_start(&["regions.ebpgeo", "damaged", "ebp geodata import"]);
    fs::write(survey.at("regions.ebpgeo"), "id,latitude\n").unwrap();
    survey.refuses_to_start(&["regions.ebpgeo", "no file of `ebp geodata import`"]);
    fs::write(survey.at("regions.ebpgeo"), &whole).unwrap();
    drop(survey.start());

    survey.make_regions("regions.ebpgeo", 99.0);
    survey.refuses_to_start(&["another vintage", "--new-regions"]);
    run!("household", "mask", "--new-regions", "--config", survey.at("server.toml")).done();
    drop(survey.start());
}

/// Killed at whatever instant, a household has revoked wholly or not at all.
#[test]
fn killed_in_the_midst_of_revocations() {
    let mut survey = Survey::new();
    survey.make_regions("regions.ebpgeo", 1365.0);
    survey.configure("regions = \"regions.ebpgeo\"\n");
    let mut server = survey.start();
    let mut waiting: Vec<Consenting> = (0..12)
        .map(|i| survey.household(&format!("kill{}", char::from(b'a' + i)), u32::from(i)))
        .collect();
    let mut done: Vec<Consenting> = Vec::new();
    let (mut cut, mut kept) = (0, BTreeMap::new());
    for round in 0..8_u64 {
        thread::scope(|scope| {
            for household in &waiting {
                let api = survey.api(household);
                // It may be answered or not.
                scope.spawn(move || api.try_delete("/household/consent").is_ok());
            }
            thread::sleep(Duration::from_millis(2 + 3 * round));
            server.signal(rustix::process::Signal::KILL);
        });
        let said = server.kill().stderr;
        server = survey.start();
        let mut left = Vec::new();
        for household in waiting {
            if survey.show(&household).is_none() {
                survey.assert_absent(&household.needles, std::slice::from_ref(&said));
                done.push(household);
            } else {
                left.push(household);
            }
        }
        waiting = left;
        cut += usize::from(!done.is_empty() && !waiting.is_empty());
        let all = survey.all();
        assert_eq!(all.len(), done.len() + waiting.len());
        let mut now = BTreeMap::new();
        for shown in all {
            let revoked = shown["consent"]["state"] == "revoked";
            for member in ["participant", "address"] {
                assert_eq!(shown[member].is_null(), revoked, "{shown}");
            }
            assert_eq!(shown["location"]["masked"].is_object(), revoked, "{shown}");
            let power = shown["pv_systems"][0]["nominal_power"].to_string();
            assert_eq!(power, if revoked { "7" } else { "7.48" });
            if revoked {
                now.insert(shown["uuid"].to_string(), shown["location"].to_string());
            }
        }
        assert_eq!(now.len(), done.len());
        assert!(kept.iter().all(|(uuid, location)| now.get(uuid) == Some(location)), "once");
        kept = now;
        if waiting.is_empty() {
            break;
        }
    }
    for household in waiting {
        survey.api(&household).revoke();
        done.push(household);
    }
    wait_for("all to have revoked", || {
        done.iter()
            .all(|household| {
                survey
                    .api(household)
                    .try_get("/household/consent")
                    .is_ok_and(|got| got.status() == 410)
            })
            .then_some(())
    });
    eprintln!("{cut} times killed when some had revoked and some not");
}
