//! Programs of this machine, run for a test.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    layout,
    programs::{ProgramError, Programs},
    version::Version,
};

/// Within this time a program prints its version.
pub(crate) const VERSION_TIME: Duration = Duration::from_secs(5);
/// Within this time a program tests itself: the server may take a while to answer.
const SELF_TEST_TIME: Duration = Duration::from_secs(120);
/// How often it is looked whether a program has ended.
const LOOK: Duration = Duration::from_millis(10);
/// Bytes of a program's output that are looked at.
const MOST_OUTPUT: u64 = 4096;
/// How often a program is started that is still open for writing in some process.
const MOST_STARTS: u32 = 20;

/// Programs in the updates' folder and the floor's, run as the services' user.
#[derive(Debug)]
pub struct MachinePrograms {
    updates: PathBuf,
    floor: PathBuf,
    config: PathBuf,
    user: Option<(u32, u32)>,
}

impl MachinePrograms {
    /// The programs of that updates' folder and the floor's, which test themselves with that
    /// configuration. With a user (its and its group's number) they run as that.
    ///
    /// Programs run in another folder than this one: paths are made absolute here.
    ///
    /// # Errors
    /// Returns an error if a path is empty, or the folder of this process is not known.
    pub fn new(
        updates: &Path,
        floor: &Path,
        config: &Path,
        user: Option<(u32, u32)>,
    ) -> io::Result<Self> {
        let absolute = |path: &Path| std::path::absolute(path);
        Ok(Self {
            updates: absolute(updates)?,
            floor: absolute(floor)?,
            config: absolute(config)?,
            user,
        })
    }

    fn command(&self, version: Option<&Version>) -> Command {
        let program = match version {
            Some(version) => layout::program_in(&self.updates, version),
            None => self.floor.clone(),
        };
        let mut command = Command::new(program);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command.current_dir("/");
        command
    }
}

impl Programs for MachinePrograms {
    fn version(&mut self, version: Option<&Version>) -> Result<Version, ProgramError> {
        printed_version(self.command(version))
    }

    fn self_test(&mut self, version: Option<&Version>) -> Result<(), ProgramError> {
        let mut command = self.command(version);
        command.args(["self-test", "--config"]).arg(&self.config);
        run(command, SELF_TEST_TIME).map(drop)
    }
}

/// The version that a program prints: the last word of `ebp 1.4.2`.
pub(crate) fn printed_version(mut command: Command) -> Result<Version, ProgramError> {
    command.arg("--version");
    let output = run(command, VERSION_TIME)?;
    let first = output.lines().next().unwrap_or_default();
    let word = first.split_ascii_whitespace().last().unwrap_or_default();
    word.parse().map_err(|_| ProgramError::NoVersion)
}

/// What a program prints that has to end with success within that time.
fn run(mut command: Command, within: Duration) -> Result<String, ProgramError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // It is no service, and must not answer for one.
    command.env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_USEC").env_remove("WATCHDOG_PID");
    let mut child = start(&mut command).map_err(|e| ProgramError::NotStarted(e.to_string()))?;
    let (output, errors) = (gather(child.stdout.take()), gather(child.stderr.take()));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < within => thread::sleep(LOOK),
            Ok(None) => {
                end(&mut child);
                return Err(ProgramError::Hangs(within));
            }
            Err(error) => return Err(ProgramError::NotStarted(error.to_string())),
        }
    };
    // Something that it started may keep its output open.
    let text = |lines: mpsc::Receiver<String>| {
        lines.recv_timeout(Duration::from_secs(1)).unwrap_or_default()
    };
    if status.success() {
        return Ok(text(output));
    }
    let errors = text(errors);
    let last = errors.lines().rfind(|line| !line.trim().is_empty());
    Err(ProgramError::Failed(last.map_or(status.to_string(), |line| line.trim().to_owned())))
}

fn start(command: &mut Command) -> io::Result<Child> {
    let mut starts = 0;
    loop {
        starts += 1;
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy && starts < MOST_STARTS =>
            {
                thread::sleep(Duration::from_millis(50));
            }
            started => return started,
        }
    }
}

/// Reads the beginning of an output, and the rest only so that nobody waits.
fn gather<R: Read + Send + 'static>(from: Option<R>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut from) = from {
        let read = move || {
            let mut bytes = Vec::new();
            let _ = from.by_ref().take(MOST_OUTPUT).read_to_end(&mut bytes);
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
            let _ = io::copy(&mut from, &mut io::sink());
        };
        // Without a thread nothing is known of what it prints.
        let _ = thread::Builder::new().name("output".to_owned()).spawn(read);
    }
    receiver
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// What an ELF file is built for: its class, order of bytes and machine; `None` for any other file.
pub(crate) fn built_for(path: &Path) -> io::Result<Option<[u8; 4]>> {
    let mut head = [0; 20];
    let read = File::open(path)?.take(20).read(&mut head)?;
    let is_elf = read == head.len() && head.starts_with(b"\x7fELF");
    Ok(is_elf.then(|| [head[4], head[5], head[18], head[19]]))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn script(folder: &Path, text: &str) -> Command {
        let path = folder.join("program");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Command::new(path)
    }

    #[test]
    fn versions_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let told = |text: &str| printed_version(script(folder.path(), text));
        assert_eq!(told("#!/bin/sh\necho ebp 1.4.2\n"), Ok("1.4.2".parse().unwrap()));
        assert_eq!(told("#!/bin/sh\necho hello\n"), Err(ProgramError::NoVersion));
        let failed = ProgramError::Failed("no way".to_owned());
        assert_eq!(told("#!/bin/sh\necho no way >&2\nexit 3\n"), Err(failed));
        let status = ProgramError::Failed("exit status: 3".to_owned());
        assert_eq!(told("#!/bin/sh\nexit 3\n"), Err(status));
        assert!(matches!(told("\0\0\0"), Err(ProgramError::NotStarted(_))));
        // Much output does not hold it up.
        let long = "#!/bin/sh\necho ebp 2.0\nhead -c 300000 /dev/zero\n";
        assert_eq!(told(long), Ok("2.0".parse().unwrap()));
    }

    /// `ebp update --config device.toml` in the folder of that file: the programs run elsewhere.
    #[test]
    fn a_path_is_that_of_the_folder_that_it_was_named_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.toml");
        fs::write(&path, "").unwrap();
        drop(script(folder.path(), "#!/bin/sh\ntest -e \"$3\" || { echo no $3 >&2; exit 1; }\n"));
        // As it is reached from here, whatever the folder of this process is.
        let here = std::env::current_dir().unwrap();
        let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
        let relative = |name: &str| up.join(folder.path().join(name).strip_prefix("/").unwrap());
        let (floor, config) = (relative("program"), relative("device.toml"));
        assert!(floor.is_relative() && floor.exists() && config.exists());
        let mut programs = MachinePrograms::new(&relative(""), &floor, &config, None).unwrap();
        assert_eq!(programs.self_test(None), Ok(()));
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let command = script(folder.path(), "#!/bin/sh\nexec sleep 100\n");
        let within = Duration::from_millis(200);
        assert_eq!(run(command, within), Err(ProgramError::Hangs(within)));
    }
}
