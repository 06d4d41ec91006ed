//! A disk that keeps durable and volatile state apart, and whose power fails when it is told to.

use std::{cell::RefCell, collections::BTreeMap, io, rc::Rc};

use crate::disk::{Disk, DiskError};

type Entries = BTreeMap<String, usize>;

#[derive(Debug, Clone)]
enum Node {
    /// Content and whether it may be run: now, and durable.
    File {
        now: (Vec<u8>, bool),
        durable: (Vec<u8>, bool),
    },
    /// Names now, durable ones, and the changes between them.
    Folder {
        now: Entries,
        durable: Entries,
        pending: Vec<Change>,
    },
    Link(String),
}

#[derive(Debug, Clone)]
enum Change {
    Add(String, usize),
    Remove(String),
    Rename(String, String, usize),
}

impl Change {
    fn apply(&self, entries: &mut Entries) {
        match self {
            Self::Add(name, node) => drop(entries.insert(name.clone(), *node)),
            Self::Remove(name) => drop(entries.remove(name)),
            Self::Rename(from, to, node) => {
                // The name that it had goes if it is still the same file's.
                if entries.get(from) == Some(node) {
                    entries.remove(from);
                }
                entries.insert(to.clone(), *node);
            }
        }
    }
}

/// The disk. Node 0 is the updates' folder.
#[derive(Debug, Clone)]
pub struct SimulatedDisk {
    nodes: Vec<Node>,
    /// Steps that succeed before the power fails.
    pub steps_left: Option<usize>,
    /// Steps that were done.
    pub steps: usize,
    /// Bytes that were written.
    pub written: u64,
    /// Its size, bytes.
    pub size: u64,
    pub read_only: bool,
}

/// How many ways there are to lose a change of a folder, and a file's content.
const CHANGE_WAYS: usize = 2;
const FILE_WAYS: usize = 4;

impl SimulatedDisk {
    pub fn new() -> Self {
        let folder =
            Node::Folder { now: Entries::new(), durable: Entries::new(), pending: Vec::new() };
        Self {
            nodes: vec![folder],
            steps_left: None,
            steps: 0,
            written: 0,
            size: 1 << 40,
            read_only: false,
        }
    }

    /// For everything that is not durable, in how many ways it can be after a power failure.
    pub fn losses(&self) -> Vec<usize> {
        let mut ways = Vec::new();
        for node in &self.nodes {
            match node {
                Node::File { now, durable } if now != durable => ways.push(FILE_WAYS),
                Node::Folder { pending, .. } => ways.extend(pending.iter().map(|_| CHANGE_WAYS)),
                _ => {}
            }
        }
        ways
    }

    /// The disk after a power failure: `choices` has a way for each of [`losses`](Self::losses).
    pub fn after_failure(&self, choices: &[usize]) -> Self {
        let mut choices = choices.iter();
        let mut next = || choices.next().copied().unwrap_or(0);
        let nodes = self.nodes.iter().map(|node| match node {
            Node::File { now, durable } if now != durable => {
                let kept = match next() {
                    0 => durable.clone(),
                    1 => now.clone(),
                    // The length is there, and what was written is not.
                    2 => (vec![0; now.0.len()], now.1),
                    _ => (now.0[..now.0.len() / 2].to_vec(), durable.1),
                };
                Node::File { now: kept.clone(), durable: kept }
            }
            Node::Folder { durable, pending, .. } => {
                let mut kept = durable.clone();
                for change in pending {
                    if next() == 1 {
                        change.apply(&mut kept);
                    }
                }
                Node::Folder { now: kept.clone(), durable: kept, pending: Vec::new() }
            }
            node => node.clone(),
        });
        Self { nodes: nodes.collect(), steps_left: None, ..self.clone() }
    }

    fn find(&self, path: &str) -> Option<usize> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(0, |node, name| {
            match &self.nodes[node] {
                Node::Folder { now, .. } => now.get(name).copied(),
                _ => None,
            }
        })
    }

    fn entries(&mut self, folder: &str) -> Result<(&mut Entries, &mut Vec<Change>), DiskError> {
        let node = self.find(folder).ok_or_else(|| fault(folder, io::ErrorKind::NotFound))?;
        match &mut self.nodes[node] {
            Node::Folder { now, pending, .. } => Ok((now, pending)),
            _ => Err(fault(folder, io::ErrorKind::NotADirectory)),
        }
    }

    fn change(&mut self, path: &str, change: Change) -> Result<(), DiskError> {
        let (folder, _) = parts(path);
        let (now, pending) = self.entries(folder)?;
        change.apply(now);
        pending.push(change);
        Ok(())
    }

    /// A step begins, if the power is still there.
    fn begin(&mut self, path: &str) -> Result<(), DiskError> {
        if let Some(left) = &mut self.steps_left {
            *left = left.checked_sub(1).ok_or_else(|| fault(path, io::ErrorKind::Interrupted))?;
        }
        self.steps += 1;
        if self.read_only { Err(fault(path, io::ErrorKind::ReadOnlyFilesystem)) } else { Ok(()) }
    }

    fn file(&mut self, path: &str) -> Result<&mut (Vec<u8>, bool), DiskError> {
        let node = self.find(path).ok_or_else(|| fault(path, io::ErrorKind::NotFound))?;
        match &mut self.nodes[node] {
            Node::File { now, .. } => Ok(now),
            _ => Err(fault(path, io::ErrorKind::IsADirectory)),
        }
    }

    fn used(&self) -> u64 {
        let length = |node: &Node| match node {
            Node::File { now, .. } => now.0.len() as u64,
            _ => 0,
        };
        self.nodes.iter().map(length).sum()
    }

    /// The content of a program that may be run.
    pub fn program(&self, path: &str) -> Option<&[u8]> {
        match &self.nodes[self.find(path)?] {
            Node::File { now: (content, true), .. } => Some(content),
            _ => None,
        }
    }
}

fn fault(path: &str, kind: io::ErrorKind) -> DiskError {
    DiskError::new(path, kind.into())
}

/// Folder and name.
fn parts(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The disk, shared between the engine and what else uses it.
#[derive(Debug, Clone)]
pub struct SharedDisk(pub Rc<RefCell<SimulatedDisk>>);

impl Disk for SharedDisk {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, DiskError> {
        let mut disk = self.0.borrow_mut();
        if disk.find(path).is_none() {
            Ok(None)
        } else {
            disk.file(path).map(|f| Some(f.0.clone()))
        }
    }

    fn length(&self, path: &str) -> Result<Option<u64>, DiskError> {
        Ok(self.read(path)?.map(|content| content.len() as u64))
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let content = self.read(path)?.ok_or_else(|| fault(path, io::ErrorKind::NotFound))?;
        let rest = content.get(offset as usize..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, DiskError> {
        let disk = self.0.borrow();
        Ok(disk.find(path).and_then(|node| match &disk.nodes[node] {
            Node::Link(target) => Some(target.clone()),
            _ => None,
        }))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, DiskError> {
        let mut disk = self.0.borrow_mut();
        if disk.find(path).is_none() {
            return Ok(Vec::new());
        }
        Ok(disk.entries(path)?.0.keys().cloned().collect())
    }

    fn free(&self) -> Result<u64, DiskError> {
        let disk = self.0.borrow();
        Ok(disk.size.saturating_sub(disk.used()))
    }

    fn make_folder(&mut self, path: &str) -> Result<(), DiskError> {
        let mut disk = self.0.borrow_mut();
        disk.begin(path)?;
        if disk.find(path).is_some() {
            return Ok(());
        }
        let folder =
            Node::Folder { now: Entries::new(), durable: Entries::new(), pending: Vec::new() };
        disk.nodes.push(folder);
        let node = disk.nodes.len() - 1;
        disk.change(path, Change::Add(parts(path).1.to_owned(), node))
    }

    fn create(&mut self, path: &str) -> Result<(), DiskError> {
        self.remove(path)?;
        let mut disk = self.0.borrow_mut();
        disk.begin(path)?;
        disk.nodes.push(Node::File { now: (Vec::new(), false), durable: (Vec::new(), false) });
        let node = disk.nodes.len() - 1;
        disk.change(path, Change::Add(parts(path).1.to_owned(), node))
    }

    fn reserve(&mut self, path: &str, bytes: u64) -> Result<(), DiskError> {
        let mut disk = self.0.borrow_mut();
        disk.begin(path)?;
        if disk.used() + bytes > disk.size {
            Err(fault(path, io::ErrorKind::StorageFull))
        } else {
            Ok(())
        }
    }

    fn write_at(&mut self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let mut disk = self.0.borrow_mut();
        disk.begin(path)?;
        if disk.used() + bytes.len() as u64 > disk.size {
            return Err(fault(path, io::ErrorKind::StorageFull));
        }
        disk.written += bytes.len() as u64;
        let (content, _) = disk.file(path)?;
        let end = offset as usize + bytes.len();
        content.resize(content.len().max(end), 0);
        content[offset as usize..end].copy_from_slice(bytes);
        Ok(())
    }

    fn cut(&mut self, path: &str, length: u64) -> Result<(), DiskError> {
        let mut disk = self.0.borrow_mut();
        disk.begin(path)?;
        disk.file(path)?.0.resize(length as usize, 0);
        Ok(())
    }

    fn make_executable(&mut self, path: &str) -> Result<(), DiskError> {
        let mut disk = self.0.borrow_mut();
        disk.begin(path)?;
        disk.file(path)?.1 = true;
        Ok(())
    }

    fn sync(&mut self, path: &str) -> Result<(), DiskError> {
        let mut disk = self.0.borrow_mut();
        disk.begin(path)?;
        let node = disk.find(path).ok_or_else(|| fault(path, io::ErrorKind::NotFound))?;
        if let Node::File { now, durable } = &mut disk.nodes[node] {
            durable.clone_from(now);
        }
        Ok(())
    }

    fn sync_folder(&mut self, path: &str) -> Result<(), DiskError> {
        let mut disk = self.0.borrow_mut();
        disk.begin(path)?;
        let node = disk.find(path).ok_or_else(|| fault(path, io::ErrorKind::NotFound))?;
        if let Node::Folder { now, durable, pending } = &mut disk.nodes[node] {
            durable.clone_from(now);
            pending.clear();
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        let mut disk = self.0.borrow_mut();
        disk.begin(to)?;
        let node = disk.find(from).ok_or_else(|| fault(from, io::ErrorKind::NotFound))?;
        let (from, to_name) = (parts(from).1.to_owned(), parts(to).1.to_owned());
        disk.change(to, Change::Rename(from, to_name, node))
    }

    fn link(&mut self, target: &str, path: &str) -> Result<(), DiskError> {
        let mut disk = self.0.borrow_mut();
        disk.begin(path)?;
        if disk.find(path).is_some() {
            return Err(fault(path, io::ErrorKind::AlreadyExists));
        }
        disk.nodes.push(Node::Link(target.to_owned()));
        let node = disk.nodes.len() - 1;
        disk.change(path, Change::Add(parts(path).1.to_owned(), node))
    }

    fn remove(&mut self, path: &str) -> Result<(), DiskError> {
        let mut disk = self.0.borrow_mut();
        if disk.find(path).is_none() {
            return Ok(());
        }
        disk.begin(path)?;
        disk.change(path, Change::Remove(parts(path).1.to_owned()))
    }

    fn remove_folder(&mut self, path: &str) -> Result<(), DiskError> {
        self.remove(path)
    }
}
