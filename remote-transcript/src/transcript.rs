//! The Transcript: its interface, the interface of its listeners, and the object that keeps the lines and sends them to
//! the listeners. It must not know terminals and arguments.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use remote_core::{Ref, Remote, caller, remote};
use serde::{Deserialize, Serialize};

use crate::log::{Bounds, Closed, Log, Reader};
use crate::series::{Series, TooMany};
use crate::terminal::now;

/// The name under which a server publishes its Transcript.
pub(crate) const NAME: &str = "transcript";

/// The most bytes of a line.
pub(crate) const LONGEST_LINE: usize = 1 << 20;

/// Lines that many processes append to and listen to.
#[remote]
pub(crate) trait Transcript {
    /// Appends one line, with the name of the caller's node as its sender.
    async fn show(&self, text: &str) -> Result<(), TranscriptError>;

    /// Appends several lines, in their order, with no others between them.
    async fn show_all(&self, texts: &[String]) -> Result<(), TranscriptError>;

    /// Appends lines of the caller's series: the lines that were sent with this method under its name, numbered from 0.
    /// `first` is the number of the first one. Lines that have arrived before are not appended again, so that a caller
    /// that does not know how many did can send all of them.
    async fn show_series(&self, first: u64, texts: &[String]) -> Result<(), TranscriptError>;

    /// Returns how many lines of the caller's series have arrived.
    async fn arrived(&self) -> Result<u64, TranscriptError>;

    /// Sends the listener the last `last` lines that are still kept, and then every new line. Stops when the listener
    /// returns an error or has ended.
    async fn subscribe(
        &self,
        listener: Ref<dyn Listener>,
        last: u64,
    ) -> Result<(), TranscriptError>;
}

/// Receives the lines of a Transcript.
#[remote]
pub(crate) trait Listener {
    /// Takes lines in their order, the first of them number `first` of the Transcript. The next ones are sent after the
    /// reply; a listener that replies too late misses some, and sees a gap in the numbers.
    async fn lines(&self, first: u64, lines: Vec<Line>) -> remote_core::Result<()>;

    /// Takes the end: the Transcript is closed, and all lines have been sent.
    async fn closed(&self) -> remote_core::Result<()>;
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The time of its arrival, in milliseconds since 1970.
    pub(crate) time: i64,
    /// The name of the node that sent it.
    pub(crate) sender: String,
    /// The text, without a line end.
    pub(crate) text: String,
}

/// The error of a call to a Transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum TranscriptError {
    /// The text has this many bytes, more than `LONGEST_LINE`.
    TooLong(u64),
    /// The text contains a line end.
    SeveralLines,
    /// Lines of the caller's series are missing before the first of these: only this many have arrived.
    Gap(u64),
    /// The server cannot keep another series.
    TooManySeries,
    /// The Transcript is closed.
    Closed,
    /// The call failed.
    Call(remote_core::Error),
}

/// The Transcript that `serve` hosts.
#[derive(Remote)]
#[remote(Transcript, name = "remote_transcript::HostedTranscript")]
pub(crate) struct HostedTranscript {
    log: Arc<Log<Line>>,
    series: Series,
}

impl HostedTranscript {
    /// Creates an empty Transcript.
    pub(crate) fn new() -> HostedTranscript {
        let size = |line: &Line| line.text.len() + line.sender.len() + size_of::<Line>();
        HostedTranscript {
            log: Log::new(Bounds { capacity: 8 << 20, timeout: Duration::from_secs(10), size }),
            series: Series::default(),
        }
    }

    /// Returns the log of its lines; finishing the log closes the Transcript.
    pub(crate) fn log(&self) -> Arc<Log<Line>> {
        Arc::clone(&self.log)
    }
}

#[remote]
impl Transcript for HostedTranscript {
    async fn show(&self, text: &str) -> Result<(), TranscriptError> {
        self.append(&[text]).await
    }

    async fn show_all(&self, texts: &[String]) -> Result<(), TranscriptError> {
        self.append(texts).await
    }

    async fn show_series(&self, first: u64, texts: &[String]) -> Result<(), TranscriptError> {
        check(texts)?;
        let (sender, time) = (sender(), now());
        let mut arrived = self.series.of(&sender)?.lock_owned().await;
        let Some(known) = arrived.checked_sub(first) else {
            return Err(TranscriptError::Gap(*arrived));
        };
        for text in texts.iter().skip(known.try_into().unwrap_or(usize::MAX)) {
            let line = Line { time, sender: sender.clone(), text: text.clone() };
            self.log.append([line]).await?;
            // No await between appending and counting: the call can be cancelled at every await.
            *arrived += 1;
        }
        Ok(())
    }

    async fn arrived(&self) -> Result<u64, TranscriptError> {
        Ok(*self.series.of(&sender())?.lock_owned().await)
    }

    async fn subscribe(
        &self,
        listener: Ref<dyn Listener>,
        last: u64,
    ) -> Result<(), TranscriptError> {
        tokio::spawn(send_lines(self.log.reader(last), listener));
        Ok(())
    }
}

impl HostedTranscript {
    async fn append(&self, texts: &[impl AsRef<str> + Sync]) -> Result<(), TranscriptError> {
        check(texts)?;
        let (sender, time) = (sender(), now());
        let line = |text: &_| Line {
            time,
            sender: sender.clone(),
            text: AsRef::<str>::as_ref(text).to_owned(),
        };
        Ok(self.log.append(texts.iter().map(line)).await?)
    }
}

/// Returns an error if one of the texts is not a valid line.
fn check(texts: &[impl AsRef<str>]) -> Result<(), TranscriptError> {
    for text in texts.iter().map(AsRef::as_ref) {
        if text.len() > LONGEST_LINE {
            return Err(TranscriptError::TooLong(text.len() as u64));
        }
        if text.contains('\n') {
            return Err(TranscriptError::SeveralLines);
        }
    }
    Ok(())
}

/// Returns the name of the calling node, or the beginning of its id if it has no name.
fn sender() -> String {
    let caller = caller();
    match caller.name() {
        "" => caller.id().to_string().chars().take(8).collect(),
        name => name.to_owned(),
    }
}

/// Sends lines to one listener until it ends or returns an error, or the log ends.
async fn send_lines(mut lines: Reader<Line>, listener: Ref<dyn Listener>) {
    let ended = Ref::monitor(&listener);
    let sending = async {
        while let Some(batch) = lines.next().await {
            listener.lines(batch.first, batch.entries).await?;
        }
        listener.closed().await
    };
    // An error of the listener ends the subscription; it is not reported to anyone.
    tokio::select! {
        _ = ended => {}
        _ = sending => {}
    }
}

impl fmt::Display for TranscriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TranscriptError::TooLong(bytes) => {
                write!(f, "a line of {bytes} bytes exceeds the limit of {LONGEST_LINE}: split it")
            }
            TranscriptError::SeveralLines => {
                write!(f, "the text contains a line end: send each line by itself")
            }
            TranscriptError::Gap(arrived) => {
                write!(
                    f,
                    "another process sends with --continue under this name: {arrived} lines have arrived"
                )
            }
            TranscriptError::TooManySeries => {
                write!(f, "the server cannot keep another name for --continue")
            }
            TranscriptError::Closed => write!(f, "the server has shut down"),
            TranscriptError::Call(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TranscriptError {}

impl From<remote_core::Error> for TranscriptError {
    fn from(error: remote_core::Error) -> TranscriptError {
        TranscriptError::Call(error)
    }
}

impl From<TooMany> for TranscriptError {
    fn from(TooMany: TooMany) -> TranscriptError {
        TranscriptError::TooManySeries
    }
}

impl From<Closed> for TranscriptError {
    fn from(Closed: Closed) -> TranscriptError {
        TranscriptError::Closed
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    /// Passes the lines on, and returns an error when the receiver was dropped.
    #[derive(Remote)]
    #[remote(Listener, name = "remote_transcript::transcript::tests::Recorder")]
    struct Recorder(mpsc::UnboundedSender<Option<String>>);

    #[remote]
    impl Listener for Recorder {
        async fn lines(&self, _first: u64, lines: Vec<Line>) -> remote_core::Result<()> {
            let sent = lines.into_iter().try_for_each(|line| self.0.send(Some(line.text)));
            sent.map_err(|_| remote_core::Error::Cancelled)
        }

        async fn closed(&self) -> remote_core::Result<()> {
            self.0.send(None).map_err(|_| remote_core::Error::Cancelled)
        }
    }

    fn recorder() -> (Ref<dyn Listener>, mpsc::UnboundedReceiver<Option<String>>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Ref::new(Recorder(sender)), receiver)
    }

    #[tokio::test]
    async fn an_invalid_line_is_refused_with_all_lines_of_its_call() {
        let transcript = Ref::<dyn Transcript>::new(HostedTranscript::new());
        let (listener, mut received) = recorder();
        transcript.subscribe(listener, 0).await.unwrap();
        assert_eq!(transcript.show("two\nlines").await, Err(TranscriptError::SeveralLines));
        let too_long = ["fine".to_owned(), "x".repeat(LONGEST_LINE + 1)];
        let refused = transcript.show_all(&too_long).await;
        assert_eq!(refused, Err(TranscriptError::TooLong(LONGEST_LINE as u64 + 1)));
        transcript.show("one line").await.unwrap();
        assert_eq!(received.recv().await.unwrap().unwrap(), "one line");
    }

    #[tokio::test]
    async fn each_line_of_a_series_is_appended_once() {
        let transcript = Ref::<dyn Transcript>::new(HostedTranscript::new());
        let (listener, mut received) = recorder();
        transcript.subscribe(listener, 0).await.unwrap();
        let texts = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!(transcript.arrived().await, Ok(0));
        transcript.show_series(0, &texts[..2]).await.unwrap();
        assert_eq!(transcript.arrived().await, Ok(2));
        transcript.show_series(1, &texts[1..3]).await.unwrap();
        assert_eq!(transcript.show_series(4, &texts[..1]).await, Err(TranscriptError::Gap(3)));
        transcript.show("not in the series").await.unwrap();
        transcript.show_series(0, &texts[..1]).await.unwrap();
        transcript.show_series(0, &texts).await.unwrap();
        assert_eq!(transcript.arrived().await, Ok(4));
        for text in ["a", "b", "c", "not in the series", "d"] {
            assert_eq!(received.recv().await.unwrap().unwrap(), text);
        }
    }

    #[tokio::test]
    async fn a_listener_that_fails_is_unsubscribed() {
        let hosted = HostedTranscript::new();
        let log = hosted.log();
        let transcript = Ref::<dyn Transcript>::new(hosted);
        let ((failing, dropped), (listener, mut received)) = (recorder(), recorder());
        drop(dropped);
        transcript.subscribe(failing, 0).await.unwrap();
        transcript.subscribe(listener, 0).await.unwrap();
        transcript.show("hello").await.unwrap();
        log.finish().await; // returns although one listener failed
        assert_eq!(received.recv().await.unwrap().unwrap(), "hello");
        assert_eq!(received.recv().await.unwrap(), None, "the end is sent");
        assert_eq!(transcript.show("too late").await, Err(TranscriptError::Closed));
    }
}
