//! The public keys of this machine's sshd, by which an administrator who connects through the tunnel
//! knows that it is this device.

use std::{fs, path::Path};

use ebp_core::contract::HostKey;

/// Keys that a status has, at most.
const MOST: usize = 16;

/// A longer file is no public key.
const LONGEST: u64 = 16 << 10;

/// The keys in a folder: its files `ssh_host_*_key.pub`. Those that cannot be read are left out.
#[must_use]
pub fn host_keys(folder: &Path) -> Vec<HostKey> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_key = |name: &str| name.starts_with("ssh_host_") && name.ends_with("_key.pub");
    let files = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let is_short = entry.metadata().is_ok_and(|file| file.is_file() && file.len() <= LONGEST);
        (is_short && is_key(entry.file_name().to_str()?)).then(|| entry.path())
    });
    let mut keys: Vec<HostKey> = files.filter_map(|file| public_key(&file)).collect();
    keys.sort_unstable();
    keys.truncate(MOST);
    keys
}

/// Type and key; the comment names a user and a host.
fn public_key(file: &Path) -> Option<HostKey> {
    let text = fs::read_to_string(file).ok()?;
    let mut words = text.split_ascii_whitespace();
    let (kind, key) = (words.next()?, words.next()?);
    format!("{kind} {key}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_are_read_without_comments_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let key = "AAAAC3NzaC1lZDI1NTE5AAAAIKl0xJk8Qd8zG7hZ0p1YwzM7Qm4b2s8Y5b7yq9s3d1fA";
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("ssh_host_ed25519_key.pub", &format!("ssh-ed25519 {key} root@host\n"));
        write("ssh_host_ed25519_key", "a private key");
        write("ssh_host_rsa_key.pub", "no key");
        write("ssh_host_dsa_key.pub", "");
        write("known_hosts", &format!("ssh-rsa {key}"));
        let keys = host_keys(dir.path());
        let texts: Vec<&str> = keys.iter().map(HostKey::as_str).collect();
        assert_eq!(texts, [format!("ssh-ed25519 {key}")]);
        assert_eq!(host_keys(&dir.path().join("nowhere")), []);
    }
}
