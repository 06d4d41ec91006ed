//! Processing of blocks by several threads, which returns the blocks in order.
//!
//! Enters: how a block is filled, worked on and emptied. Leaves: every block, processed, in the
//! order of filling. Absent: more than two blocks for each thread at a time.

use std::{sync::mpsc, thread};

/// Fills blocks (until `fill` returns false), processes each on one of the threads, and empties
/// them in order. The caller's thread fills and empties: with enough threads it is the bottleneck.
///
/// # Errors
/// Returns the first error of filling or emptying; nothing more is done after it.
pub fn in_order<B: Default + Send, E>(
    threads: usize,
    mut fill: impl FnMut(&mut B) -> Result<bool, E>,
    work: impl Fn(&mut B) + Sync,
    mut empty: impl FnMut(&mut B) -> Result<(), E>,
) -> Result<(), E> {
    let threads = threads.max(1);
    let work = &work;
    thread::scope(|scope| {
        let lane = |_| {
            let (to_worker, blocks) = mpsc::channel::<B>();
            let (done, from_worker) = mpsc::channel();
            scope.spawn(move || {
                for mut block in blocks {
                    work(&mut block);
                    // After an error the result is not needed.
                    if done.send(block).is_err() {
                        break;
                    }
                }
            });
            (to_worker, from_worker)
        };
        let lanes: Vec<_> = (0..threads).map(lane).collect();
        let mut spare: Vec<B> = (0..2 * threads).map(|_| B::default()).collect();
        let (mut filled, mut emptied, mut more) = (0, 0, true);
        loop {
            if more && let Some(mut block) = spare.pop() {
                more = fill(&mut block)?;
                // A worker that has ended has panicked: the end of the scope propagates that.
                if more && lanes[filled % threads].0.send(block).is_err() {
                    return Ok(());
                }
                filled += usize::from(more);
                continue;
            }
            if emptied == filled {
                return Ok(());
            }
            let Ok(mut block) = lanes[emptied % threads].1.recv() else { return Ok(()) };
            empty(&mut block)?;
            emptied += 1;
            spare.push(block);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_in_order() {
        for (threads, blocks) in [(0, 3), (1, 0), (1, 7), (3, 1), (3, 100)] {
            let (mut next, mut seen) = (0_u64, Vec::new());
            let fill = |block: &mut u64| {
                *block = next;
                next += 1;
                Ok::<_, ()>(*block < blocks)
            };
            let work = |block: &mut u64| {
                if block.is_multiple_of(5) {
                    thread::yield_now();
                }
                *block *= 2;
            };
            let empty = |block: &mut u64| {
                seen.push(*block);
                Ok(())
            };
            in_order(threads, fill, work, empty).unwrap();
            assert_eq!(seen, (0..blocks).map(|block| block * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_ends_it() {
        let mut emptied = 0;
        let empty = |_: &mut u8| {
            emptied += 1;
            if emptied == 3 { Err("full") } else { Ok(()) }
        };
        assert_eq!(in_order(2, |_| Ok(true), |_| {}, empty), Err("full"));
        assert_eq!(emptied, 3);
        assert_eq!(in_order(2, |_: &mut u8| Err("unread"), |_| {}, |_| Ok(())), Err("unread"));
    }

    #[test]
    #[should_panic(expected = "scoped thread panicked")]
    fn a_panic_is_passed_on() {
        let work = |_: &mut u8| panic!("as intended");
        let _ = in_order(2, |_| Ok::<_, ()>(true), work, |_| Ok(()));
    }
}
