//! `ebp update exec`: the launcher. It becomes the program that it chooses, so that the process keeps
//! its number, by which systemd knows it.

use std::{
    env,
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use ebp_update::{launcher, layout};

use crate::{
    exit::{CommandResult, Context, Failure},
    tell::tell,
};

#[derive(Debug, clap::Args)]
pub struct Exec {
    /// Become the version that is kept, never one on trial: for `ebp update` itself.
    #[arg(long)]
    judge: bool,

    /// The folder with versions and state.
    #[arg(long, value_name = "FOLDER", default_value = layout::FOLDER)]
    folder: PathBuf,

    /// The program's arguments, after `--`.
    #[arg(last = true, required = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

impl Exec {
    pub fn run(&self) -> CommandResult {
        let floor = env::current_exe().or_failed("this program's own file")?;
        let choose = if self.judge { launcher::for_judge } else { launcher::for_service };
        let choice = choose(&self.folder, &floor);
        if let Some(reason) = &choice.instead {
            tell!("ebp: starting the package's program, since {reason}");
        }
        let error = self.become_program(&choice.program);
        if choice.program != floor {
            tell!(
                "ebp: starting the package's program, since {}: {error}",
                choice.program.display()
            );
            return Err(failed(&floor, &self.become_program(&floor)));
        }
        Err(failed(&floor, &error))
    }

    /// Returns only if that fails.
    fn become_program(&self, program: &Path) -> std::io::Error {
        Command::new(program).args(&self.arguments).exec()
    }
}

fn failed(program: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot start {}: {error}", program.display()))
}
