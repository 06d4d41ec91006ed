//! Many requests at once, answered by few statements.
//!
//! Enters: questions, one at a time. Leaves: their answers, one for each. Absent: what is asked,
//! and any waiting for more to come: who asks alone is answered at once. While a statement runs,
//! further questions gather, and the next statement is for all of them.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use crate::StoreError;

type Answer<A> = Result<A, StoreError>;

/// A question and where its answer goes.
pub struct Asked<Q, A> {
    /// The question.
    pub question: Q,
    answer: oneshot::Sender<Answer<A>>,
}

impl<Q, A> Asked<Q, A> {
    /// Answers. Whoever asked may have gone away.
    pub fn answer(self, answer: Answer<A>) {
        let _ = self.answer.send(answer);
    }
}

/// How much is answered by one statement.
pub struct Bounds<Q> {
    /// Questions at most.
    pub questions: usize,
    /// Their weight at most; a single one may have more.
    pub weight: usize,
    /// The weight of a question.
    pub weigh: fn(&Q) -> usize,
}

impl<Q> Bounds<Q> {
    /// So many questions.
    pub const fn questions(questions: usize) -> Self {
        Self { questions, weight: questions, weigh: |_| 1 }
    }
}

/// The queues of look-ups.
pub struct Gather<Q, A> {
    queue: mpsc::UnboundedSender<Asked<Q, A>>,
}

impl<Q: Send + 'static, A: Send + 'static> Gather<Q, A> {
    /// Starts so many workers, each of which answers a group at a time by `work`. They end with
    /// the last question after this is dropped.
    pub fn start<W, F>(workers: usize, bounds: Bounds<Q>, work: W) -> Self
    where
        W: Fn(Vec<Asked<Q, A>>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send,
    {
        let (queue, asked) = mpsc::unbounded_channel();
        let asked = Arc::new(Mutex::new(Queue { asked, left: None, bounds }));
        for _ in 0..workers.max(1) {
            let (asked, work) = (asked.clone(), work.clone());
            tokio::spawn(async move {
                loop {
                    let group = asked.lock().await.next().await;
                    if group.is_empty() {
                        return;
                    }
                    work(group).await;
                }
            });
        }
        Self { queue }
    }

    /// Asks, and waits for the answer. Once queued it is processed, even if the caller does not
    /// wait any more.
    pub async fn ask(&self, question: Q) -> Answer<A> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Asked { question, answer }).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

struct Queue<Q, A> {
    asked: mpsc::UnboundedReceiver<Asked<Q, A>>,
    /// One that did not fit into the last group.
    left: Option<Asked<Q, A>>,
    bounds: Bounds<Q>,
}

impl<Q, A> Queue<Q, A> {
    /// Waits for a question and takes with it what else is there. Nothing comes after the end.
    async fn next(&mut self) -> Vec<Asked<Q, A>> {
        let first = match self.left.take() {
            Some(left) => Some(left),
            None => self.asked.recv().await,
        };
        let Some(first) = first else { return Vec::new() };
        let mut weight = (self.bounds.weigh)(&first.question);
        let mut group = vec![first];
        while group.len() < self.bounds.questions {
            let Ok(next) = self.asked.try_recv() else { break };
            weight = weight.saturating_add((self.bounds.weigh)(&next.question));
            if weight > self.bounds.weight {
                self.left = Some(next);
                break;
            }
            group.push(next);
        }
        group
    }
}

/// Answers each of a group, or all with the error that none was spared.
pub fn answer_all<Q, A>(group: Vec<Asked<Q, A>>, answers: Result<Vec<Answer<A>>, StoreError>) {
    match answers {
        Ok(answers) => group.into_iter().zip(answers).for_each(|(asked, answer)| {
            asked.answer(answer);
        }),
        Err(error) => group.into_iter().for_each(|asked| asked.answer(Err(error.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: usize) -> (Asked<usize, usize>, oneshot::Receiver<Answer<usize>>) {
        let (answer, answered) = oneshot::channel();
        (Asked { question, answer }, answered)
    }

    #[tokio::test]
    async fn a_group_that_fails_together_has_one_error_each() {
        for error in [StoreError::ConsentRevoked, StoreError::NotFound, StoreError::Closed] {
            let (group, answers): (Vec<_>, Vec<_>) = (0..3).map(asked).unzip();
            answer_all(group, Err(error.clone()));
            for answer in answers {
                let told = answer.await.unwrap().unwrap_err();
                assert_eq!(format!("{told:?}"), format!("{error:?}"));
            }
        }
    }

    #[tokio::test]
    async fn groups_keep_their_bounds_and_lose_nothing() {
        let (queue, receiver) = mpsc::unbounded_channel();
        for weight in [1, 2, 9, 1, 1, 1, 1, 1] {
            queue.send(asked(weight).0).ok().unwrap();
        }
        drop(queue);
        let bounds = Bounds { questions: 3, weight: 5, weigh: |weight: &usize| *weight };
        let mut queue = Queue { asked: receiver, left: None, bounds };
        let mut groups = Vec::new();
        loop {
            let group = queue.next().await;
            if group.is_empty() {
                break;
            }
            groups.push(group.iter().map(|asked| asked.question).collect::<Vec<_>>());
        }
        assert_eq!(groups, [vec![1, 2], vec![9], vec![1, 1, 1], vec![1, 1]]);
    }

    #[tokio::test]
    async fn each_gets_its_own_answer() {
        let gather = Arc::new(Gather::start(2, Bounds::questions(16), async |group| {
            tokio::task::yield_now().await;
            let answers = group
                .iter()
                .map(|asked: &Asked<usize, usize>| match asked.question {
                    13 => Err(StoreError::NotFound),
                    question => Ok(question * 2),
                })
                .collect();
            answer_all(group, Ok(answers));
        }));
        let ask = |question: usize| {
            let gather = gather.clone();
            tokio::spawn(async move { (question, gather.ask(question).await) })
        };
        for task in (0..100).map(ask).collect::<Vec<_>>() {
            match task.await.unwrap() {
                (13, answer) => assert!(matches!(answer, Err(StoreError::NotFound))),
                (question, answer) => assert_eq!(answer.unwrap(), question * 2),
            }
        }
    }
}
