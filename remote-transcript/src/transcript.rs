//! Owns the Transcript: its interface, the listener's, and the object that keeps the lines and tells the listeners. Knows
//! nothing of terminals and arguments.

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

/// How many bytes a line has at most.
pub(crate) const LONGEST_LINE: usize = 1 << 20;

/// What many processes write to and watch.
#[remote]
pub(crate) trait Transcript {
    /// Shows one line, with the name of the caller's node as its sender.
    async fn show(&self, text: &str) -> Result<(), TranscriptError>;

    /// Shows several lines, in their order, nobody else's between them.
    async fn show_all(&self, texts: &[String]) -> Result<(), TranscriptError>;

    /// Shows lines of the caller's series: what was shown this way under its name, numbered from 0. `first` is the number
    /// of the first. Those that have arrived before are not shown again, so whoever does not know how many did may send
    /// them all.
    async fn show_series(&self, first: u64, texts: &[String]) -> Result<(), TranscriptError>;

    /// How many lines of the caller's series have arrived.
    async fn arrived(&self) -> Result<u64, TranscriptError>;

    /// Tells the listener of every line from now on, and before those of the last `last` lines that are still kept. A
    /// listener that fails or goes away is told no more.
    async fn subscribe(
        &self,
        listener: Ref<dyn Listener>,
        last: u64,
    ) -> Result<(), TranscriptError>;
}

/// Who is told of the lines of a Transcript.
#[remote]
pub(crate) trait Listener {
    /// Lines in their order, the first of them number `first` of the Transcript. The next ones come after the answer;
    /// a listener that takes too long misses some and sees a gap in the numbers.
    async fn heard(&self, first: u64, lines: Vec<Line>) -> remote_core::Result<()>;

    /// The Transcript has ended, and the listener has heard all of it.
    async fn closed(&self) -> remote_core::Result<()>;
}

/// One line as it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// When it came, in milliseconds since 1970.
    pub(crate) time: i64,
    /// The name of the node that sent it.
    pub(crate) sender: String,
    /// The text, without an end.
    pub(crate) text: String,
}

/// Why a Transcript did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum TranscriptError {
    /// The text is longer than `LONGEST_LINE`: this many bytes.
    TooLong(u64),
    /// The text has a line end in it.
    SeveralLines,
    /// Lines of the caller's series are missing before the first of these: so many have arrived.
    Gap(u64),
    /// There are too many series already.
    TooManySeries,
    /// The Transcript has ended.
    Closed,
    /// The call failed.
    Call(remote_core::Error),
}

/// The Transcript that `serve` hosts.
#[derive(Remote)]
#[remote(Transcript, name = "remote_transcript::Board")]
pub(crate) struct Board {
    log: Arc<Log<Line>>,
    series: Series,
}

impl Board {
    /// An empty Transcript.
    pub(crate) fn new() -> Board {
        let size = |line: &Line| line.text.len() + line.sender.len() + size_of::<Line>();
        Board {
            log: Log::new(Bounds { capacity: 8 << 20, patience: Duration::from_secs(10), size }),
            series: Series::default(),
        }
    }

    /// Its lines; ending them ends it.
    pub(crate) fn log(&self) -> Arc<Log<Line>> {
        Arc::clone(&self.log)
    }
}

#[remote]
impl Transcript for Board {
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
            // Counted one by one, with no await between: a call may end at any.
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
        tokio::spawn(tell(self.log.reader(last), listener));
        Ok(())
    }
}

impl Board {
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

/// Refuses texts of which one is no line.
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

/// What the node calls itself that sent the message, or else the beginning of its identity.
fn sender() -> String {
    let caller = caller();
    match caller.name() {
        "" => caller.id().to_string().chars().take(8).collect(),
        name => name.to_owned(),
    }
}

/// Tells one listener until it goes away or the log ends.
async fn tell(mut lines: Reader<Line>, listener: Ref<dyn Listener>) {
    let gone = Ref::monitor(&listener);
    let telling = async {
        while let Some(batch) = lines.next().await {
            listener.heard(batch.first, batch.entries).await?;
        }
        listener.closed().await
    };
    // A listener that fails is told no more, as its interface says; there is nobody else to tell of its failure.
    tokio::select! {
        _ = gone => {}
        _ = telling => {}
    }
}

impl fmt::Display for TranscriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TranscriptError::TooLong(bytes) => {
                write!(
                    f,
                    "a line of {bytes} bytes is over the limit of {LONGEST_LINE}: break it up"
                )
            }
            TranscriptError::SeveralLines => {
                write!(f, "the text has a line end in it: send a line each")
            }
            TranscriptError::Gap(arrived) => {
                write!(f, "another process goes on in this name: {arrived} lines have arrived")
            }
            TranscriptError::TooManySeries => {
                write!(f, "the server has no room for another name to go on in")
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

    /// Passes on what it hears, and fails when nobody takes it.
    #[derive(Remote)]
    #[remote(Listener, name = "remote_transcript::transcript::tests::Ear")]
    struct Ear(mpsc::UnboundedSender<Option<String>>);

    #[remote]
    impl Listener for Ear {
        async fn heard(&self, _first: u64, lines: Vec<Line>) -> remote_core::Result<()> {
            let passed_on = lines.into_iter().try_for_each(|line| self.0.send(Some(line.text)));
            passed_on.map_err(|_| remote_core::Error::Cancelled)
        }

        async fn closed(&self) -> remote_core::Result<()> {
            self.0.send(None).map_err(|_| remote_core::Error::Cancelled)
        }
    }

    fn ear() -> (Ref<dyn Listener>, mpsc::UnboundedReceiver<Option<String>>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Ref::new(Ear(sender)), receiver)
    }

    #[tokio::test]
    async fn a_text_that_is_no_line_is_refused_and_nothing_of_it_is_shown() {
        let transcript = Ref::<dyn Transcript>::new(Board::new());
        let (listener, mut heard) = ear();
        transcript.subscribe(listener, 0).await.unwrap();
        assert_eq!(transcript.show("two\nlines").await, Err(TranscriptError::SeveralLines));
        let too_long = ["fine".to_owned(), "x".repeat(LONGEST_LINE + 1)];
        let refused = transcript.show_all(&too_long).await;
        assert_eq!(refused, Err(TranscriptError::TooLong(LONGEST_LINE as u64 + 1)));
        transcript.show("one line").await.unwrap();
        assert_eq!(heard.recv().await.unwrap().unwrap(), "one line");
    }

    #[tokio::test]
    async fn of_a_series_each_line_is_shown_once_however_often_it_is_sent() {
        let transcript = Ref::<dyn Transcript>::new(Board::new());
        let (listener, mut heard) = ear();
        transcript.subscribe(listener, 0).await.unwrap();
        let texts = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!(transcript.arrived().await, Ok(0));
        transcript.show_series(0, &texts[..2]).await.unwrap();
        assert_eq!(transcript.arrived().await, Ok(2));
        transcript.show_series(1, &texts[1..3]).await.unwrap();
        assert_eq!(transcript.show_series(4, &texts[..1]).await, Err(TranscriptError::Gap(3)));
        transcript.show("of no series").await.unwrap();
        transcript.show_series(0, &texts[..1]).await.unwrap();
        transcript.show_series(0, &texts).await.unwrap();
        assert_eq!(transcript.arrived().await, Ok(4));
        for text in ["a", "b", "c", "of no series", "d"] {
            assert_eq!(heard.recv().await.unwrap().unwrap(), text);
        }
    }

    #[tokio::test]
    async fn a_listener_that_fails_is_told_no_more_and_the_others_are() {
        let board = Board::new();
        let log = board.log();
        let transcript = Ref::<dyn Transcript>::new(board);
        let ((deaf, nobody), (listener, mut heard)) = (ear(), ear());
        drop(nobody);
        transcript.subscribe(deaf, 0).await.unwrap();
        transcript.subscribe(listener, 0).await.unwrap();
        transcript.show("hello").await.unwrap();
        log.finish().await; // ends although one of the two never heard
        assert_eq!(heard.recv().await.unwrap().unwrap(), "hello");
        assert_eq!(heard.recv().await.unwrap(), None, "it is told of the end");
        assert_eq!(transcript.show("too late").await, Err(TranscriptError::Closed));
    }
}
