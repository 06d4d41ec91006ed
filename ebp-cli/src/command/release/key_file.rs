//! Files of keys that `ebp release` is given.

use std::path::{Path, PathBuf};

use ebp_release::{
    PublicKey,
    author::{SigningKey, parse_public_key},
};

use crate::{
    exit::Failure,
    file::{read_private, read_text},
};

/// Public keys, in the order of their files.
pub fn public_keys(paths: &[PathBuf]) -> Result<Vec<PublicKey>, Failure> {
    paths.iter().map(|path| public_key(path)).collect()
}

/// A public key; the error names its file.
pub fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let named = |error| Failure::usage(format!("{}: {error}", path.display()));
    parse_public_key(&read_text(path)?)
        .map_err(|error| named(error).remedy("give the file that ends with .pub"))
}

/// A private key, which only its owner may read; the error names its file.
pub fn private_key(path: &Path) -> Result<SigningKey, Failure> {
    let named = |error| Failure::usage(format!("{}: {error}", path.display()));
    SigningKey::from_pem(&read_private(path)?)
        .map_err(|error| named(error).remedy("give the file that `ebp release key` made"))
}
