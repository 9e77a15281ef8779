//! What a listener counts, for `/metrics`.

use crate::enforce::Cause;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of one listener. They only rise, except `connections_open`.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: AtomicU64,)*
            /// Messages without a decision, by cause, in the order of [`Cause::ALL`].
            pub undecided: [AtomicU64; Cause::ALL.len()],
        }

        impl Counters {
            /// Name and value of each, `undecided` aside.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
                [$((stringify!($name), self.$name.load(Ordering::Relaxed))),*].into_iter()
            }
        }
    };
}

counters! {
    /// Connections accepted.
    connections_accepted,
    /// Connections open now, upstream connected.
    connections_open,
    /// Connections closed at once because `connections_max` was reached.
    connections_refused,
    /// Connections closed because no upstream accepted.
    upstream_failures,
    /// TLS handshakes that failed, on either side.
    tls_failures,
    /// PDUs from clients.
    pdus_from_client,
    /// PDUs from upstreams.
    pdus_from_server,
    /// Messages (parts, where there are several) that were judged.
    judged,
    /// Messages that passed with a report.
    flagged,
    /// Messages that passed and would have been stopped by a rule in shadow.
    shadowed,
    /// Messages answered with a status.
    rejected,
    /// Messages taken and dropped.
    dropped,
    /// Messages put off because no decision was to be had.
    deferred,
    /// Parts stopped because their message was bad already.
    parts_stopped,
    /// Hits that could not be reported because the spool did not take them.
    reports_lost,
    /// SIP requests that came again.
    requests_again,
    /// Calls put off because more came than could be served.
    shed,
    /// Calls that were answered, where the door sees it.
    calls_answered,
    /// Calls that their callers gave up, where the door sees it.
    calls_cancelled,
    /// Calls whose signature (STIR) holds.
    signatures_valid,
    /// Calls whose signature is wrong, or whose certificate isn't to be had.
    signatures_invalid,
    /// Requests that another next hop got because the first had no answer.
    hop_failovers,
    /// Times that a next hop was found not to answer.
    hops_lost,
    /// Times that a next hop answered again.
    hops_back,
    /// Datagrams that the socket did not take.
    datagrams_unsent,
    /// PDUs of a kind that carries a message, whose fields do not fit their length.
    malformed,
    /// Sessions ended because of a length that cannot be.
    frame_errors,
    /// Bytes of PDUs that were not complete when their sender closed; the policy for what is malformed decides whether they go on.
    truncated_bytes,
}

impl Counters {
    /// One more.
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// One message without a decision.
    pub(crate) fn add_undecided(&self, cause: Cause) {
        for (of, counter) in Cause::ALL.iter().zip(&self.undecided) {
            if *of == cause {
                Self::add(counter);
            }
        }
    }
}
