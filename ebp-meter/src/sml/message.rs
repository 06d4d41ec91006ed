//! From a frame's data to messages.
//!
//! Enters: the data of a frame. Leaves: [`Message`]s, borrowed, and of those that list values the
//! [`ListResponse`]. Absent: frames, and what is in a list.
//!
//! A message is a list of six: transaction id, group, abort on error, body (a list of two: tag and
//! content), checksum over all before it, end marker. The meters' values are in the content of
//! `GetList.Res`, tag 0x0701. Everything else is passed over by its structure.

use super::{
    crc::Checksum,
    cursor::{Cursor, Malformed, word},
    end::End,
    list::ListResponse,
    time::common_time,
};

/// The tag of `GetList.Res` (BSI TR-03109-1 annex IV, 6.2.1).
pub const LIST_RESPONSE: u64 = 0x0701;

/// Elements of a message.
const MESSAGE: usize = 6;

/// The messages in a frame's data.
///
/// ```
/// # use ebp_meter::sml::{encode, message};
/// # let telegram = encode::Telegram { server_id: vec![1], file_id: 1, sec_index: None, list_name: None, entries: vec![] };
/// let file = encode::encode_file(&telegram).unwrap();
/// let tags: Vec<_> = message::messages(&file).map(|m| m.unwrap().tag).collect();
/// assert_eq!(tags, [0x0101, 0x0701, 0x0201]);
/// ```
#[must_use]
pub fn messages(data: &[u8]) -> Messages<'_> {
    Messages { cursor: Cursor::new(data), last: None, broken: false, error: None }
}

/// Iterates over messages. Behind one that has no end, nothing has a known place: it is the last.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    cursor: Cursor<'a>,
    last: Option<Message<'a>>,
    broken: bool,
    error: Option<Malformed>,
}

impl<'a> Messages<'a> {
    /// What has not been read: nothing, or what lies behind the beginning of a message that is
    /// broken.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.cursor.rest()
    }

    /// Passes over the message that was given last, where that has not been done.
    #[inline(never)]
    fn pass_over(&mut self) {
        // By reference: a copy would wait for fields that were written just before.
        if let Some(last) = &self.last {
            match last.end() {
                Some(end) => self.cursor = end.behind,
                None => {
                    self.cursor = last.content;
                    self.broken = true;
                }
            }
            self.last = None;
        }
    }

    /// Tells where the message just given ends, so that it need not be looked for again.
    #[inline]
    pub fn resume(&mut self, end: &End<'a>) {
        self.resume_at(end.behind);
    }

    /// The next message, or nothing at the end or where its head is broken, of which
    /// [`Messages::take_error`] tells. An error in the same place as a message would place both in
    /// memory, and the message waited for.
    #[inline(always)]
    pub(super) fn next_whole(&mut self) -> Option<Message<'a>> {
        if self.last.is_some() {
            self.pass_over();
        }
        // End markers are passed over here, be there none, one or several.
        self.cursor.skip_zeros();
        if self.broken || self.cursor.rest().is_empty() {
            return None;
        }
        let from = self.cursor.rest();
        let tag = match common_head(&mut self.cursor) {
            Some(tag) => tag,
            None => self.any_head()?,
        };
        let message = Message { tag, content: self.cursor, from };
        self.last = Some(message);
        Some(message)
    }

    /// What is wrong with the head of a message, once.
    pub(super) fn take_error(&mut self) -> Option<Malformed> {
        self.error.take()
    }

    #[inline(never)]
    fn any_head(&mut self) -> Option<u64> {
        match any_head(&mut self.cursor) {
            Ok(tag) => Some(tag),
            Err(error) => {
                self.broken = true;
                self.error = Some(error);
                None
            }
        }
    }

    /// As [`Messages::resume`], with the place behind that end.
    #[inline]
    pub(super) fn resume_at(&mut self, behind: Cursor<'a>) {
        self.last = None;
        self.cursor = behind;
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.next_whole() {
            Some(message) => Some(Ok(message)),
            None => self.take_error().map(Err),
        }
    }
}

/// One message.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// What kind it is of.
    pub tag: u64,
    content: Cursor<'a>,
    from: &'a [u8],
}

impl<'a> Message<'a> {
    /// The message's end, or nothing where its structure does not hold up to there.
    #[inline]
    #[must_use]
    pub fn end(&self) -> Option<End<'a>> {
        match pass_over_common(self.content) {
            Some(behind) => End::read(self.from, behind),
            None => self.end_of_any(),
        }
    }

    #[inline(never)]
    fn end_of_any(&self) -> Option<End<'a>> {
        let mut behind = self.content;
        behind.skip().ok()?;
        End::read(self.from, behind)
    }

    /// The list response that this message is, or nothing where it is of another kind.
    ///
    /// # Errors
    /// Returns an error if the message has the tag of one but another structure.
    #[inline]
    pub fn list_response(&self) -> Option<Result<ListResponse<'a>, Malformed>> {
        (self.tag == LIST_RESPONSE).then(|| ListResponse::read(self.content, self.from))
    }

    /// The list response that this message is, where it is one of the usual shape.
    #[inline(always)]
    pub(super) fn common_list_response(&self) -> Option<ListResponse<'a>> {
        if self.tag != LIST_RESPONSE {
            return None;
        }
        ListResponse::read_common(self.content, self.from)
    }
}

/// Reads a message's elements before its body's content as meters send them: a short transaction
/// id, then two numbers of a byte and a list; returns the tag.
#[inline(always)]
fn common_head(cursor: &mut Cursor<'_>) -> Option<u64> {
    let [0x76, id @ 0x01..=0x0f, rest @ ..] = cursor.rest() else { return None };
    let [0x62, _, 0x62, _, 0x72, rest @ ..] = rest.get(usize::from(*id) - 1..)? else {
        return None;
    };
    let (tag, rest) = word(rest)?;
    *cursor = Cursor::new(rest);
    Some(tag.bits)
}

/// The same of any message.
fn any_head(cursor: &mut Cursor<'_>) -> Result<u64, Malformed> {
    if cursor.list()? != MESSAGE {
        return Err(Malformed::Unexpected);
    }
    cursor.octets()?;
    cursor.optional_int()?;
    cursor.optional_int()?;
    if cursor.list()? != 2 {
        return Err(Malformed::Unexpected);
    }
    Ok(cursor.int()?.bits)
}

/// Passes over the content of the two messages around a list as meters send them: an open response
/// (codepage, client, file, server, time, version) and a close response (signature).
#[inline]
fn pass_over_common(content: Cursor<'_>) -> Option<Cursor<'_>> {
    let mut cursor = match content.rest() {
        [0x71, 0x01, rest @ ..] => return Some(Cursor::new(rest)),
        [0x76, rest @ ..] => Cursor::new(rest),
        _ => return None,
    };
    for _ in 0..4 {
        cursor.short_octets()?;
    }
    if !cursor.is_absent() {
        cursor = Cursor::new(common_time(cursor.rest())?.1);
    }
    cursor.is_absent().then_some(cursor)
}

/// Whether a whole list response that is right by that checksum begins at the first of `bytes`;
/// `looked` counts how often it was worth a closer look.
pub(super) fn intact_list<'a>(
    bytes: &'a [u8],
    checksum: Checksum,
    looked: &mut usize,
) -> Option<(Message<'a>, &'a [u8])> {
    let message = messages(bytes).next()?.ok()?;
    if message.tag != LIST_RESPONSE {
        return None;
    }
    *looked += 1;
    let end = message.end()?;
    (end.checked(checksum)? == checksum).then(|| (message, end.behind.rest()))
}
