//! Running other programs.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Cargo, as it was called itself.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Shows the command, runs it and asks for its success.
pub fn succeed(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    eprintln!("+ {shown}");
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Installs a program of cargo's as its authors locked it. It is built to be there soon, not to be
/// fast: building it takes longer than what it does.
pub fn install(program: &str) -> Result<()> {
    let mut command = cargo();
    command.args(["install", "--locked", "--debug", program]).env("CARGO_PROFILE_DEV_DEBUG", "0");
    succeed(&mut command)
}

/// What the command prints, without the last line's end; its complaints are shown.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Which commit is worked on, for the book.
pub fn commit() -> Result<String> {
    output(Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]))
}

/// When what is built was written, for programs and packages that say so: the instant of the environment,
/// or that of the commit. Seconds since 1970.
pub fn source_date() -> Result<String> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => Ok(text),
        Err(_) => output(Command::new("git").args(["log", "-1", "--format=%ct"])),
    }
}

/// Whether the command can be run; its output is not shown.
pub fn works(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as one would type it.
pub fn shown(command: &Command) -> String {
    let name = std::path::Path::new(command.get_program()).file_name().unwrap_or_default();
    let mut text = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
