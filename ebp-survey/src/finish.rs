//! Work that is completed even if the request is cancelled.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

/// Polls `work` where it is awaited, which costs no task of its own. If the awaiting task is
/// dropped before it is done, it continues in the background.
pub fn finish<W>(work: W) -> Finish<W>
where
    W: Future + Send + 'static,
    W::Output: Send + 'static,
{
    Finish(Some(Box::pin(work)))
}

/// What [`finish`] returns.
pub struct Finish<W>(Option<Pin<Box<W>>>)
where
    W: Future + Send + 'static,
    W::Output: Send + 'static;

impl<W> Future for Finish<W>
where
    W: Future + Send + 'static,
    W::Output: Send + 'static,
{
    type Output = W::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<W::Output> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let output = std::task::ready!(work.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(output)
    }
}

impl<W> Drop for Finish<W>
where
    W: Future + Send + 'static,
    W::Output: Send + 'static,
{
    fn drop(&mut self) {
        // Without a runtime the process is about to end. A panic of the work has ended it.
        if let (Some(work), Ok(runtime), false) =
            (self.0.take(), Handle::try_current(), std::thread::panicking())
        {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn it_is_awaited_or_goes_on_by_itself() {
        assert_eq!(finish(async { 5 }).await, 5);

        let (go, gone_on) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let work = finish(async {
            gone_on.await.unwrap();
            done.send(()).unwrap();
        });
        tokio::time::timeout(Duration::from_millis(10), work).await.unwrap_err();
        go.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(60), is_done).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_was_never_polled_is_done_too() {
        let (done, is_done) = oneshot::channel();
        drop(finish(async { done.send(()).unwrap() }));
        tokio::time::timeout(Duration::from_secs(60), is_done).await.unwrap().unwrap();
    }
}
