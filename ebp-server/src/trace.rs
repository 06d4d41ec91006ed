//! The identifier of the request that a task answers, for problem documents and jobs.

use ebp_core::trace::TraceId;

tokio::task_local! {
    static TRACE: TraceId;
}

/// The identifier that the request has in all programs that it passes; none outside of a request.
pub(crate) fn trace_id() -> Option<TraceId> {
    TRACE.try_with(|trace| *trace).ok()
}

/// Answers a request that has this identifier.
pub(crate) async fn answer_as<T>(trace: TraceId, answer: impl Future<Output = T>) -> T {
    TRACE.scope(trace, answer).await
}
