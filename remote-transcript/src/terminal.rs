//! Owns what a reader sees: how lines look, with and without colours, and their way to standard output. Knows nothing of
//! where they come from.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::io::{AsyncWriteExt, Stdout};

/// Standard output. Writers wait for it without blocking a thread of the runtime, so that a terminal that was stopped
/// (Ctrl-S) stops nothing else.
pub(crate) struct Screen {
    look: Look,
    output: tokio::sync::Mutex<Stdout>,
}

/// How lines look on a screen.
#[derive(Clone)]
pub(crate) struct Look {
    /// The bare text, a line each.
    pub(crate) plain: bool,
    /// Somebody looks at it: control characters of others must not reach the terminal.
    pub(crate) terminal: bool,
    /// With colours.
    pub(crate) colours: bool,
    /// Where the reader's clock is.
    pub(crate) zone: TimeZone,
}

impl Screen {
    /// Standard output as it is: a terminal or not.
    pub(crate) fn new(plain: bool) -> Screen {
        let terminal = io::stdout().is_terminal();
        let colours = terminal && colours_wanted();
        let look = Look { plain, terminal, colours, zone: TimeZone::system() };
        Screen { look, output: tokio::sync::Mutex::new(tokio::io::stdout()) }
    }

    /// How lines look here.
    pub(crate) fn look(&self) -> &Look {
        &self.look
    }

    /// Shows a remark of this program's own, if anybody still reads.
    pub(crate) async fn remark(&self, remark: &str) {
        let mut page = String::new();
        self.look.remark(&mut page, remark);
        let _ = self.print(&page).await; // whoever has more to show learns that nobody reads
    }

    /// Shows the text and waits until it is out.
    pub(crate) async fn print(&self, text: &str) -> io::Result<()> {
        let mut output = self.output.lock().await;
        output.write_all(text.as_bytes()).await?;
        output.flush().await
    }
}

impl Look {
    /// Adds a line: when it was said, by whom, and the text.
    pub(crate) fn line(&self, page: &mut String, time: i64, sender: &str, text: &str) {
        if self.plain {
            page.push_str(&if self.terminal { printable(text) } else { Cow::Borrowed(text) });
        } else {
            self.time(page, time);
            let sender = printable(sender);
            self.coloured(page, sender_colour(&sender), &sender);
            page.push_str(": ");
            page.push_str(&printable(text));
        }
        page.push('\n');
    }

    /// Adds something that happened, which nobody said.
    pub(crate) fn event(&self, page: &mut String, time: i64, event: &str) {
        self.time(page, time);
        self.coloured(page, DIM, &format!("* {}", printable(event)));
        page.push('\n');
    }

    /// Adds a remark of this program's own.
    pub(crate) fn remark(&self, page: &mut String, remark: &str) {
        self.coloured(page, DIM, &format!("... {}", printable(remark)));
        page.push('\n');
    }

    fn time(&self, page: &mut String, milliseconds: i64) {
        let time = match Timestamp::from_millisecond(milliseconds) {
            Ok(time) => time.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string(),
            Err(_) => "--:--:--".to_owned(), // a clock beyond the calendar, somewhere else
        };
        self.coloured(page, DIM, &time);
        page.push(' ');
    }

    fn coloured(&self, page: &mut String, colour: u8, text: &str) {
        if self.colours {
            write!(page, "\x1b[{colour}m{text}\x1b[0m").unwrap_or_default();
        } else {
            page.push_str(text);
        }
    }
}

/// Tells the user something beside the output: one line on standard error.
pub(crate) fn note(text: impl std::fmt::Display) {
    use std::io::Write as _;
    // With standard error closed nobody wants to know.
    let _ = writeln!(io::stderr(), "remote-transcript: {text}");
}

/// The time now, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Whether a terminal should have colours: <https://no-color.org>.
fn colours_wanted() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_some_and(|terminal| terminal != "dumb")
}

const DIM: u8 = 2;

/// Each sender in a colour of its own, always the same; red is left to errors.
fn sender_colour(sender: &str) -> u8 {
    const COLOURS: [u8; 10] = [32, 33, 34, 35, 36, 92, 93, 94, 95, 96];
    let sum =
        sender.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    COLOURS[sum % COLOURS.len()]
}

/// The text with everything that would move the cursor or turn the writing direction written out, so that nobody's line
/// can pass for somebody else's.
fn printable(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        (c.is_control() && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) { written.extend(c.escape_default()) } else { written.push(c) }
    }
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_700_049_600_000;

    fn look() -> Look {
        Look { plain: false, terminal: false, colours: false, zone: TimeZone::UTC }
    }

    fn rendered(look: &Look, sender: &str, text: &str) -> String {
        let mut page = String::new();
        look.line(&mut page, NOON, sender, text);
        page
    }

    #[test]
    fn a_line_says_when_and_who_in_the_readers_own_time() {
        assert_eq!(rendered(&look(), "ada", "hello"), "12:00:00 ada: hello\n");
        let tokyo = Look { zone: TimeZone::fixed(jiff::tz::offset(9)), ..look() };
        assert_eq!(rendered(&tokyo, "ada", "hello"), "21:00:00 ada: hello\n");
    }

    #[test]
    fn plain_is_the_text_as_it_is_unless_somebody_looks() {
        let plain = Look { plain: true, ..look() };
        assert_eq!(rendered(&plain, "ada", "a\x1b[2J\r"), "a\x1b[2J\r\n");
        let terminal = Look { plain: true, terminal: true, ..look() };
        assert_eq!(rendered(&terminal, "ada", "a\x1b[2J\tb"), "a\\u{1b}[2J\tb\n");
    }

    #[test]
    fn nobody_can_fake_a_line_or_a_sender() {
        assert_eq!(
            rendered(&look(), "a\nb", "x\r12:00:00 root: y"),
            "12:00:00 a\\nb: x\\r12:00:00 root: y\n"
        );
        assert_eq!(rendered(&look(), "ada", "\u{202e}olleh"), "12:00:00 ada: \\u{202e}olleh\n");
    }

    #[test]
    fn colours_only_when_asked_for() {
        let coloured = rendered(&Look { colours: true, ..look() }, "ada", "hello");
        assert!(coloured.starts_with("\x1b[2m12:00:00\x1b[0m \x1b["), "{coloured:?}");
        assert!(coloured.ends_with("ada\x1b[0m: hello\n"), "{coloured:?}");
        assert!(!rendered(&look(), "ada", "hello").contains('\x1b'));
    }

    #[test]
    fn a_time_beyond_the_calendar_is_shown_as_unknown() {
        let mut page = String::new();
        look().line(&mut page, i64::MAX, "ada", "hello");
        assert_eq!(page, "--:--:-- ada: hello\n");
    }
}
