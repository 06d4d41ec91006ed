//! Fetching a release, and checking it before services run it.

use ring::digest::{Context, SHA256};

use super::{Updater, download::Download};
use crate::{
    error::UpdateError,
    event::{Event, Next},
    layout,
    release::{Digest, Release, SupplyError},
    state::{Phase, RevertReason},
    version::Version,
};

/// After so many bytes what was fetched is made durable.
const SYNC_EVERY: u64 = 1 << 20;

impl Updater<'_> {
    pub(super) fn fetch(&mut self) -> Result<Next, UpdateError> {
        let Phase::Fetching { release, damaged } = self.state.phase.clone() else {
            return Ok(Next::Now);
        };
        if !self.is_still_wanted(&release)? {
            return Ok(Next::Now);
        }
        let mut download = match self.download.take() {
            Some(download) => download,
            None => self.begin_download(&release)?,
        };
        let left = release.length.saturating_sub(download.offset);
        if left == 0 {
            return self.finish_download(release, damaged, download);
        }
        let part = layout::part(&release.version);
        let mut buffer =
            vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(self.limits.chunk)];
        let read = self.supply.read(&release, download.offset, &mut buffer);
        let Some(bytes) = buffer.get(..read?).filter(|bytes| !bytes.is_empty()) else {
            let place = format!("version {}", release.version);
            let reason = format!("it ends after {} of {} bytes", download.offset, release.length);
            return Err(SupplyError::Unavailable { place, reason }.into());
        };
        self.disk.write_at(&part, download.offset, bytes)?;
        download.context.update(bytes);
        download.offset += bytes.len() as u64;
        if download.offset - download.synced >= SYNC_EVERY {
            self.disk.sync(&part)?;
            download.synced = download.offset;
        }
        self.download = Some(download);
        Ok(Next::Now)
    }

    /// Makes room, and goes on behind what an earlier round has fetched.
    fn begin_download(&mut self, release: &Release) -> Result<Download, UpdateError> {
        let version = &release.version;
        self.clean(Some(version))?;
        self.disk.make_folder(layout::VERSIONS)?;
        self.disk.sync_folder("")?;
        self.disk.make_folder(&layout::folder(version))?;
        self.disk.sync_folder(layout::VERSIONS)?;
        let part = layout::part(version);
        let there = match self.disk.length(&part)? {
            // More than there may be: it is none of ours.
            Some(length) if length > release.length => None,
            there => there,
        };
        let begun = self.hash(&part, there.unwrap_or(0))?;
        if there.is_none() {
            let room = release.length.saturating_mul(2);
            let (needed, free) = (room.saturating_add(self.limits.keep_free), self.disk.free()?);
            if free < needed {
                return Err(UpdateError::NoRoom { version: version.clone(), needed, free });
            }
            self.disk.create(&part)?;
            if let Err(full) = self.disk.reserve(&part, room) {
                // A part of the room may have been given.
                self.disk.remove(&part)?;
                return Err(full.into());
            }
        }
        let (context, offset) = begun;
        self.events.push(Event::Fetching(release.clone(), offset));
        Ok(Download { context, offset, synced: offset, resumed: offset > 0 })
    }

    /// The hash of a file's first bytes, to go on with, and of how many it is.
    fn hash(&self, path: &str, length: u64) -> Result<(Context, u64), UpdateError> {
        let mut context = Context::new(&SHA256);
        let mut buffer = vec![0; self.limits.chunk];
        let mut offset = 0;
        while offset < length {
            let read = self.disk.read_at(path, offset, &mut buffer)?;
            let left = usize::try_from(length - offset).unwrap_or(usize::MAX);
            let Some(bytes) = buffer.get(..read.min(left)).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            context.update(bytes);
            offset += bytes.len() as u64;
        }
        Ok((context, offset))
    }

    fn finish_download(
        &mut self,
        release: Release,
        damaged: u32,
        download: Download,
    ) -> Result<Next, UpdateError> {
        let version = release.version.clone();
        let part = layout::part(&version);
        if !is_digest(download.context, &release.sha256) {
            let times = if download.resumed { 0 } else { 1 };
            return self.fetch_anew(release, damaged + times, &part);
        }
        self.disk.cut(&part, release.length)?;
        self.disk.make_executable(&part)?;
        self.disk.sync(&part)?;
        self.disk.rename(&part, &layout::program(&version))?;
        self.disk.sync_folder(&layout::folder(&version))?;
        self.state.phase = Phase::Staged { release, damaged };
        self.save()?;
        self.events.push(Event::Fetched(version));
        Ok(Next::Now)
    }

    /// What was fetched is not the release: once more, in the next round, but not for ever.
    fn fetch_anew(
        &mut self,
        release: Release,
        damaged: u32,
        file: &str,
    ) -> Result<Next, UpdateError> {
        let version = release.version.clone();
        self.disk.remove(file)?;
        self.disk.sync_folder(&layout::folder(&version))?;
        if damaged >= self.limits.damaged {
            return self.give_up(version, RevertReason::Damaged);
        }
        self.state.phase = Phase::Fetching { release, damaged };
        self.save()?;
        Err(UpdateError::Damaged(version))
    }

    pub(super) fn check_staged(&mut self) -> Result<Next, UpdateError> {
        let Phase::Staged { release, damaged } = self.state.phase.clone() else {
            return Ok(Next::Now);
        };
        if !self.is_still_wanted(&release)? {
            return Ok(Next::Now);
        }
        if self.passed.as_ref() == Some(&release) {
            return self.begin_trial(release);
        }
        let version = release.version.clone();
        let program = layout::program(&version);
        let (context, length) = self.hash(&program, release.length)?;
        let is_whole = length == release.length
            && self.disk.length(&program)? == Some(length)
            && is_digest(context, &release.sha256);
        if !is_whole {
            return self.fetch_anew(release, damaged + 1, &program);
        }
        match self.programs.version(Some(&version)) {
            Ok(own) if own == version => {}
            Ok(version) => {
                return self.give_up(release.version, RevertReason::OtherVersion { version });
            }
            Err(error) => {
                let detail = error.to_string();
                return self.give_up(version, RevertReason::NotRunnable { detail });
            }
        }
        if let Err(error) = self.programs.self_test(Some(&version)) {
            let detail = error.to_string();
            let before = self.committed_version();
            if self.programs.self_test(before.as_ref()).is_ok() {
                return self.give_up(version, RevertReason::SelfTest { detail });
            }
            self.events.push(Event::SelfTestNoBetter(detail));
        }
        self.passed = Some(release.clone());
        self.begin_trial(release)
    }

    pub(super) fn committed_version(&self) -> Option<Version> {
        self.state.committed.as_ref().map(|release| release.version.clone())
    }
}

fn is_digest(context: Context, wanted: &Digest) -> bool {
    context.finish().as_ref() == wanted.0
}
