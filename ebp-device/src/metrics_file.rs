//! How the device is, as a file for node_exporter's textfile collector: no port, nothing of what its
//! meters show.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ebp_core::model::{ConsentState, IncidentType};

use crate::{
    device::Device,
    spool::{Spool, SpoolError},
};

/// Why the file is not written.
#[derive(Debug, thiserror::Error)]
pub enum MetricsFileError {
    /// The spool cannot be read.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The file cannot be replaced.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Replaces the file that the configuration names, if it names one. `version` is the program's.
///
/// # Errors
/// Returns [`MetricsFileError`] when the spool cannot be read, or the file cannot be written.
pub fn write(device: &Device, version: &str) -> Result<(), MetricsFileError> {
    let Some(path) = &device.config.metrics_file else { return Ok(()) };
    let meters: Vec<_> = device.config.meters.iter().map(|meter| meter.uuid).collect();
    let text = text(&device.spool, device.clock.synchronised(), &meters, version)?;
    replace(path, &text).map_err(|source| MetricsFileError::File { path: path.clone(), source })
}

/// The collector never sees half a file.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    fs::write(&temporary, text)?;
    fs::rename(&temporary, path)
}

fn text(
    spool: &Spool,
    is_synchronised: bool,
    meters: &[uuid::Uuid],
    version: &str,
) -> Result<String, SpoolError> {
    let is_granted = spool.consent()?.is_some_and(|known| known.state == ConsentState::Granted);
    let (mut measured, mut incidents) = (None, 0_u64);
    for meter in meters {
        measured = measured.max(spool.last_reading(*meter)?.map(|last| last.measured_at));
        for kind in IncidentType::ALL {
            incidents += u64::from(spool.has_incident(*meter, kind)?);
        }
    }
    let mut text = String::new();
    let mut gauge = |name: &str, about: &str, values: &[(String, String)]| {
        text.push_str(&format!(
            "# HELP ebp_device_{name} {about}\n# TYPE ebp_device_{name} gauge\n"
        ));
        for (labels, value) in values {
            text.push_str(&format!("ebp_device_{name}{labels} {value}\n"));
        }
    };
    let one = |value: String| [(String::new(), value)];
    gauge("info", "The program's version.", &[(format!("{{version={version:?}}}"), "1".into())]);
    let counts = [
        ("pending", spool.len()?),
        ("unplaced", spool.unplaced_len()?),
        ("refused", spool.refused_len()?),
    ];
    gauge(
        "spool_measurements",
        "Measurements to send, without a time yet, and refused by the server.",
        &counts.map(|(state, count)| (format!("{{state={state:?}}}"), count.to_string())),
    );
    gauge("spool_bytes", "The spool on the disk.", &one(spool.bytes_on_disk().to_string()));
    gauge(
        "clock_synchronised",
        "Whether the clock is right.",
        &one(u8::from(is_synchronised).to_string()),
    );
    gauge("consent_granted", "Whether it may measure.", &one(u8::from(is_granted).to_string()));
    gauge("incidents", "Incidents that are open.", &one(incidents.to_string()));
    if let Some(at) = measured {
        gauge(
            "measured_timestamp_seconds",
            "When a meter was measured last.",
            &one(at.as_second().to_string()),
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_device_has_nothing_yet() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        let text = text(&spool, true, &[uuid::Uuid::nil()], "1.2.3").unwrap();
        for line in [
            "ebp_device_info{version=\"1.2.3\"} 1",
            "ebp_device_spool_measurements{state=\"pending\"} 0",
            "ebp_device_clock_synchronised 1",
            "ebp_device_consent_granted 0",
            "ebp_device_incidents 0",
        ] {
            assert!(text.lines().any(|own| own == line), "{line}: {text}");
        }
        assert!(!text.contains("measured_timestamp"), "{text}");
        let path = folder.path().join("ebp.prom");
        replace(&path, &text).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert!(!folder.path().join("ebp.prom.part").exists());
    }
}
