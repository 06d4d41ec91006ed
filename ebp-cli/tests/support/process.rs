//! Processes: run to their end, or kept alive for a while and watched.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{LIMIT, wait_for};

/// How a process ended and what it printed.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command to its end.
pub fn run(command: Command, stdin: &[u8]) -> Run {
    let output =
        assert_cmd::Command::from_std(command).write_stdin(stdin).timeout(LIMIT).output().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Run {
    /// It did what it should.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// It failed with that code, and said so in one line that has all of `words`, on standard error
    /// and nowhere else.
    #[track_caller]
    pub fn refused(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert_eq!(self.stdout, "", "{self:#?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:#?}");
        self.says(words)
    }

    /// It failed, and its last line has that.
    #[track_caller]
    pub fn refused_with(self, words: &str) -> Self {
        assert_eq!(self.code, Some(1), "{self:#?}");
        assert!(self.stderr.lines().last().unwrap_or_default().contains(words), "{self:#?}");
        self
    }

    /// Its standard error has all of `words`.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in {self:#?}");
        }
        self
    }

    /// The lines of its standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }
}

type Lines = Arc<Mutex<Vec<String>>>;

/// A process that lives until it is told to end, at the latest when this is dropped.
pub struct Running {
    child: Child,
    stdout: (Lines, Option<thread::JoinHandle<()>>),
    stderr: (Lines, Option<thread::JoinHandle<()>>),
}

impl Running {
    /// Starts it.
    pub fn start(command: Command) -> Self {
        Self::start_with(command, Stdio::null())
    }

    /// Starts it with that standard input.
    pub fn start_with(mut command: Command, stdin: Stdio) -> Self {
        let mut child =
            command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Its identifier.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it has printed to standard output so far, whole lines.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.0.lock().unwrap().clone()
    }

    /// What it has printed to standard error so far, whole lines.
    pub fn stderr(&self) -> Vec<String> {
        self.stderr.0.lock().unwrap().clone()
    }

    /// Waits until a line of standard error has `text`, and gives that line.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        wait_for(&format!("`{text}` on standard error"), || {
            let found = self.stderr().into_iter().find(|line| line.contains(text));
            if found.is_none()
                && let Some(status) = self.child.try_wait().unwrap()
            {
                // What it said last may still be on its way.
                self.join();
                let found = self.stderr().into_iter().find(|line| line.contains(text));
                assert!(found.is_some(), "{status} without `{text}`: {:#?}", self.stderr());
                return found;
            }
            found
        })
    }

    /// Waits until so many lines are on standard output.
    #[track_caller]
    pub fn wait_for_lines(&self, count: usize) -> Vec<String> {
        wait_for(&format!("{count} lines on standard output ({:#?})", self.stderr()), || {
            Some(self.stdout()).filter(|lines| lines.len() >= count)
        })
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Whether it lives.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self) -> Run {
        let status = wait_for("a process to end", || self.child.try_wait().unwrap());
        self.join();
        self.gather(status)
    }

    /// Ends it at once, as a power failure would.
    pub fn kill(mut self) -> Run {
        let _ = self.child.kill();
        let status = self.child.wait().unwrap();
        self.join();
        self.gather(status)
    }

    fn gather(&self, status: ExitStatus) -> Run {
        let text = |lines: Vec<String>| lines.iter().map(|line| format!("{line}\n")).collect();
        Run { code: status.code(), stdout: text(self.stdout()), stderr: text(self.stderr()) }
    }

    fn join(&mut self) {
        for (_, thread) in [&mut self.stdout, &mut self.stderr] {
            if let Some(thread) = thread.take() {
                thread.join().unwrap();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(pipe: impl std::io::Read + Send + 'static) -> (Lines, Option<thread::JoinHandle<()>>) {
    let lines = Lines::default();
    let shared = Arc::clone(&lines);
    let thread = thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            shared.lock().unwrap().push(line);
        }
    });
    (lines, Some(thread))
}
