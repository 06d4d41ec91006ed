//! The rows of a file, given series by series, so that files can be read beside one another.

use std::{
    io,
    path::Path,
    sync::mpsc::{Receiver, sync_channel},
    thread::{Builder, Scope},
};

use crate::files::{
    column::Table,
    read::{Value, read_rows},
    write::Format,
};

/// The rows of one series.
type Group<T> = (String, Vec<T>);

/// A file that is read as far as its rows are asked for: two series of it are in memory.
pub(super) struct Feed<T> {
    groups: Option<Receiver<Group<T>>>,
    next: Option<Group<T>>,
}

impl<T: Send> Feed<T> {
    /// Of a file that is not there.
    pub const fn empty() -> Self {
        Self { groups: None, next: None }
    }

    /// Opens a file whose series are named by that column. Rows of which `take` makes nothing are
    /// left out. Faults of the file itself are found elsewhere.
    ///
    /// # Errors
    /// The operating system's, where it starts no thread.
    pub fn open<'scope, 'env: 'scope>(
        scope: &'scope Scope<'scope, 'env>,
        (path, table, format): (&'env Path, &'static Table, Format),
        series: &'static str,
        take: impl Fn(u64, &[Value]) -> Option<T> + Send + 'scope,
    ) -> io::Result<Self>
    where
        T: 'scope,
    {
        let (sender, receiver) = sync_channel(0);
        let place = table.place(series);
        let read = move || {
            let mut group: Option<Group<T>> = None;
            let _ = read_rows(path, table, format, &mut |number, values| {
                let name = place.and_then(|place| values.get(place)).and_then(Value::text);
                let (Some(name), Some(row)) = (name, take(number, values)) else { return };
                match &mut group {
                    Some((last, rows)) if last == name => rows.push(row),
                    _ => {
                        if let Some(done) = group.replace((name.to_owned(), vec![row])) {
                            // Nobody wants it where the reader of the other files has ended.
                            _ = sender.send(done);
                        }
                    }
                }
            });
            if let Some(done) = group {
                _ = sender.send(done);
            }
        };
        Builder::new().spawn_scoped(scope, read)?;
        let next = receiver.recv().ok();
        Ok(Self { groups: Some(receiver), next })
    }

    /// The rows of that series, if it is the next one.
    pub fn rows_of(&mut self, name: &str) -> Vec<T> {
        let Some((_, rows)) = self.next.take_if(|(next, _)| next == name) else {
            return Vec::new();
        };
        self.next = self.groups.as_ref().and_then(|groups| groups.recv().ok());
        rows
    }

    /// The series that is next.
    pub fn next(&self) -> Option<&str> {
        self.next.as_ref().map(|(name, _)| name.as_str())
    }
}
