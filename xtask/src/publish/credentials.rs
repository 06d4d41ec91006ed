//! What a registry is logged in to with: a file as `docker login` and `podman login` write it.

use std::{collections::BTreeMap, fmt, fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

/// A user of a registry. What it is never shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

impl Login {
    /// The login of that registry in the file.
    ///
    /// # Errors
    /// When the file cannot be read, is readable by others, or has no login of that registry.
    pub fn read(path: &Path, registry: &str) -> Result<Self> {
        let shown = || path.display().to_string();
        let mode = fs::metadata(path).with_context(shown)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            bail!("others may read {} (mode {mode:04o}): chmod 600 it", path.display());
        }
        let text = fs::read_to_string(path).with_context(shown)?;
        Self::find(&text, registry).with_context(shown)
    }

    fn find(text: &str, registry: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            auths: BTreeMap<String, Entry>,
        }
        #[derive(Deserialize)]
        struct Entry {
            auth: Option<String>,
            username: Option<String>,
            password: Option<String>,
        }
        // Serde's message would show what it stumbled over.
        let Ok(file) = serde_json::from_str::<File>(text) else {
            bail!("it is no file of credentials as `docker login` writes it");
        };
        let is_of = |name: &str| {
            let name = name.trim_start_matches("https://").trim_start_matches("http://");
            name.split('/').next() == Some(registry)
        };
        let entry = file.auths.into_iter().find(|(name, _)| is_of(name));
        let Some((_, Entry { auth, username, password })) = entry else {
            bail!("it has no login of {registry} (programs that keep credentials are not asked)");
        };
        if let (Some(user), Some(password)) = (username, password) {
            return Ok(Self { user, password });
        }
        let decoded = auth.and_then(|auth| STANDARD.decode(auth).ok());
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = text.as_deref().and_then(|text| text.split_once(':'));
        let Some((user, password)) = parts else {
            bail!("its login of {registry} is no `auth` of user and password");
        };
        Ok(Self { user: user.to_owned(), password: password.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_found_by_its_registry_and_never_shown() {
        let file = r#"{"auths": {
            "https://index.example.org/v1/": {"auth": "dXNlcjpwYXNzOndvcmQ="},
            "registry.example.org:5000": {"username": "a", "password": "b"},
            "broken.example.org": {"auth": "dXNlcg=="}}}"#;
        let login = Login::find(file, "index.example.org").unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("user", "pass:word"));
        assert_eq!(format!("{login:?}"), "Login");
        assert_eq!(Login::find(file, "registry.example.org:5000").unwrap().user, "a");
        for (text, registry) in [
            (file, "example.org"),
            (file, "broken.example.org"),
            (r#"{"auths": "dXNlcjpwYXNzOndvcmQ="}"#, "index.example.org"),
        ] {
            let error = format!("{:#}", Login::find(text, registry).unwrap_err());
            assert!(!error.contains("dXNl"), "{error}");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, r#"{"auths": {"a": {"username": "b", "password": "c"}}}"#).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Login::read(&path, "a").unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Login::read(&path, "a").unwrap().user, "b");
    }
}
