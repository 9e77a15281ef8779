//! What a modem is told before it is listened to (3GPP TS 27.005 §3, 27.007 §7.6).

/// A step of set-up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// The command, without its end.
    pub(crate) command: &'static str,
    /// What follows where the modem says `ERROR`.
    pub(crate) on_error: OnError,
}

/// What follows where a modem says `ERROR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnError {
    /// The modem can't do it, and needn't.
    GoOn,
    /// Nothing works without it: from the beginning, after a pause.
    Again,
}

/// The steps, in order.
pub(crate) const STEPS: &[Step] = &[
    Step { command: "AT", on_error: OnError::Again },
    Step { command: "ATE0V1", on_error: OnError::Again },
    Step { command: "AT+CMEE=1", on_error: OnError::GoOn },
    // Until a SIM is ready there are no messages.
    Step { command: "AT+CPIN?", on_error: OnError::Again },
    // PDUs: a text mode would hide headers and codings.
    Step { command: "AT+CMGF=0", on_error: OnError::Again },
    ACKNOWLEDGED,
    // Messages as they come, not by way of the store; status reports too.
    Step { command: "AT+CNMI=2,2,0,1,0", on_error: OnError::GoOn },
    // The network's time, where the modem takes it.
    Step { command: "AT+CTZU=1", on_error: OnError::GoOn },
    Step { command: "AT+CCLK?", on_error: OnError::GoOn },
    Step { command: "AT+CLIP=1", on_error: OnError::GoOn },
];

/// The step after which messages are acknowledged, where the modem takes it (27.005 §3.2.1, phase 2+).
pub(crate) const ACKNOWLEDGED: Step = Step { command: "AT+CSMS=1", on_error: OnError::GoOn };

/// Whether a command of the telephone side would take the guard's eyes or ears: it is answered, and not passed on.
pub(crate) fn is_ours(command: &str) -> bool {
    const OURS: [&str; 6] = ["AT+CMGF=", "AT+CNMI=", "AT+CSMS=", "AT+CLIP=", "ATZ", "AT&F"];
    OURS.iter().any(|ours| command.get(..ours.len()).is_some_and(|start| start.eq_ignore_ascii_case(ours)))
}
