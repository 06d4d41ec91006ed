//! The new digest as a commit in the repository that Flux follows.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use crate::run::{output, succeed, works};

/// Where the digest is written.
#[derive(Debug, Clone)]
pub struct Target {
    /// A URL, or a folder, as Git takes it.
    pub repository: String,
    /// A `kustomization.yaml` in it, whose `images` name the image.
    pub file: PathBuf,
    pub branch: String,
    /// Name and address of who commits; Git's own without this.
    pub author: Option<(String, String)>,
}

/// The image's name in manifests, before Kustomize replaces it.
const NAME: &str = "ebp";

/// Commits and pushes the digest; false if it is there already.
///
/// # Errors
/// When Git fails, or the file does not name the image once.
pub fn write(target: &Target, image: &str, digest: &str, version: &str) -> Result<bool> {
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
    ensure!(target.file.components().all(inside), "{} leads outside", target.file.display());
    let folder = tempfile::tempdir()?;
    let clone = folder.path().join("clone");
    let mut command = Command::new("git");
    command.args(["clone", "--quiet", "--branch", &target.branch, "--", &target.repository]);
    succeed(command.arg(&clone))?;
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(&clone).args(arguments);
        command
    };
    // Somebody else may push meanwhile.
    for _ in 0..3 {
        let path = clone.join(&target.file);
        let text = fs::read_to_string(&path).with_context(|| target.file.display().to_string())?;
        let pinned =
            pin(&text, image, digest).with_context(|| target.file.display().to_string())?;
        if pinned == text {
            return Ok(false);
        }
        fs::write(&path, pinned)?;
        let mut commit = git(&["commit", "--quiet", "--all"]);
        if let Some((name, address)) = &target.author {
            commit.env("GIT_AUTHOR_NAME", name).env("GIT_AUTHOR_EMAIL", address);
            commit.env("GIT_COMMITTER_NAME", name).env("GIT_COMMITTER_EMAIL", address);
        }
        succeed(commit.arg("--message").arg(message(version, digest)))?;
        if works(&mut git(&["push", "--quiet", "origin", &target.branch])) {
            return Ok(true);
        }
        output(&mut git(&["fetch", "--quiet", "origin", &target.branch]))?;
        output(&mut git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]))?;
    }
    bail!("{} takes no push to {}", target.repository, target.branch)
}

fn message(version: &str, digest: &str) -> String {
    format!("Run ebp {version}\n\nThe image is {digest}.")
}

/// The file with that image in place of the one that it names.
fn pin(text: &str, image: &str, digest: &str) -> Result<String> {
    let (mut lines, mut inside, mut found) = (Vec::new(), None, (0, 0));
    for line in text.lines() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if bare == format!("- name: {NAME}") {
            inside = Some(indent);
        } else if !bare.is_empty() && inside.is_some_and(|outer| indent <= outer) {
            inside = None;
        }
        let blank = " ".repeat(indent);
        match bare.split_once(':') {
            Some(("newTag", _)) if inside.is_some() => {
                bail!("it names the image by a tag (newTag): write `digest` instead")
            }
            Some(("newName", _)) if inside.is_some() => {
                found.0 += 1;
                lines.push(format!("{blank}newName: {image}"));
            }
            Some(("digest", _)) if inside.is_some() => {
                found.1 += 1;
                lines.push(format!("{blank}digest: {digest}"));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    ensure!(
        found == (1, 1),
        "its `images` have to name `{NAME}` once, with newName and digest, not {found:?} times"
    );
    Ok(lines.join("\n") + "\n")
}

/// A repository with such a file, for tests; it takes pushes.
///
/// # Errors
/// When Git fails.
pub fn test_repository(folder: &Path) -> Result<Target> {
    let (bare, clone) = (folder.join("flux.git"), folder.join("flux"));
    let git = |arguments: &[&str]| succeed(Command::new("git").args(arguments));
    let shown = |path: &Path| path.display().to_string();
    git(&["init", "--quiet", "--bare", "--initial-branch", "main", &shown(&bare)])?;
    git(&["clone", "--quiet", &shown(&bare), &shown(&clone)])?;
    let file = PathBuf::from("rings/canary/kustomization.yaml");
    fs::create_dir_all(clone.join("rings/canary"))?;
    let text = "# The first ring.\nresources: [../../base]\nimages:\n  - name: ebp\n    newName: old\n    \
                digest: sha256:0\n  - name: other\n    digest: sha256:1\n";
    fs::write(clone.join(&file), text)?;
    let at = shown(&clone);
    git(&["-C", &at, "checkout", "--quiet", "-B", "main"])?;
    git(&["-C", &at, "add", "."])?;
    let (name, address) = ("user.name=Release", "user.email=release@example.org");
    git(&["-C", &at, "-c", name, "-c", address, "commit", "--quiet", "--message", "Begin"])?;
    git(&["-C", &at, "push", "--quiet", "origin", "main"])?;
    let author = Some(("Release".to_owned(), "release@example.org".to_owned()));
    Ok(Target { repository: shown(&bare), file, branch: "main".to_owned(), author })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_image_is_replaced() {
        let text = "images:\n  - name: ebp\n    newName: a\n    digest: sha256:0\n  - name: b\n    \
                    digest: sha256:1\n";
        let pinned = pin(text, "registry.example.org/ebp", "sha256:2").unwrap();
        assert_eq!(
            pinned,
            "images:\n  - name: ebp\n    newName: registry.example.org/ebp\n    digest: sha256:2\n  \
             - name: b\n    digest: sha256:1\n"
        );
        assert_eq!(pin(&pinned, "registry.example.org/ebp", "sha256:2").unwrap(), pinned);
    }

    #[test]
    fn a_file_that_does_not_name_the_image_once_is_refused() {
        for text in [
            "images:\n  - name: other\n    newName: a\n    digest: sha256:0\n",
            "images:\n  - name: ebp\n    newName: a\n    newTag: latest\n",
            "images:\n  - name: ebp\n    digest: sha256:0\n",
        ] {
            assert!(pin(text, "a", "sha256:2").is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_outside_is_refused() {
        let target = Target {
            repository: "/nowhere".to_owned(),
            file: "../a".into(),
            branch: "main".to_owned(),
            author: None,
        };
        assert!(write(&target, "a", "b", "c").unwrap_err().to_string().contains("outside"));
    }
}
