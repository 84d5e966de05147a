//! The format of lines, with and without colours, and writing them to standard output. It must not know where they come
//! from.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::io::{AsyncWriteExt, Stdout};

/// Standard output. Writers do not block a thread of the runtime, so that a stopped terminal (Ctrl-S) delays nothing
/// else.
pub(crate) struct Screen {
    format: Format,
    output: tokio::sync::Mutex<Stdout>,
}

/// The format of lines.
#[derive(Clone)]
pub(crate) struct Format {
    /// True for the text only, without time and sender.
    pub(crate) plain: bool,
    /// True if the output is a terminal: control characters in texts of peers are escaped.
    pub(crate) terminal: bool,
    /// True for colours.
    pub(crate) colours: bool,
    /// The time zone of the reader.
    pub(crate) zone: TimeZone,
}

impl Screen {
    /// Opens standard output, and detects if it is a terminal.
    pub(crate) fn new(plain: bool) -> Screen {
        let terminal = io::stdout().is_terminal();
        let colours = terminal && colours_wanted();
        let format = Format { plain, terminal, colours, zone: TimeZone::system() };
        Screen { format, output: tokio::sync::Mutex::new(tokio::io::stdout()) }
    }

    /// Returns the format of lines.
    pub(crate) fn format(&self) -> &Format {
        &self.format
    }

    /// Prints a remark of this program. Errors are ignored.
    pub(crate) async fn remark(&self, remark: &str) {
        let mut page = String::new();
        self.format.remark(&mut page, remark);
        let _ = self.print(&page).await; // the next line that is printed reports the error
    }

    /// Prints the text and waits until it is written.
    pub(crate) async fn print(&self, text: &str) -> io::Result<()> {
        let mut output = self.output.lock().await;
        output.write_all(text.as_bytes()).await?;
        output.flush().await
    }
}

impl Format {
    /// Appends a line: time, sender and text.
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

    /// Appends an event that is not the text of a sender.
    pub(crate) fn event(&self, page: &mut String, time: i64, event: &str) {
        self.time(page, time);
        self.coloured(page, DIM, &format!("* {}", printable(event)));
        page.push('\n');
    }

    /// Appends a remark of this program.
    pub(crate) fn remark(&self, page: &mut String, remark: &str) {
        self.coloured(page, DIM, &format!("... {}", printable(remark)));
        page.push('\n');
    }

    fn time(&self, page: &mut String, milliseconds: i64) {
        let time = match Timestamp::from_millisecond(milliseconds) {
            Ok(time) => time.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string(),
            Err(_) => "--:--:--".to_owned(), // a peer can send any number
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

/// Prints a note: one line on standard error.
pub(crate) fn note(text: impl std::fmt::Display) {
    use std::io::Write as _;
    // An error means that standard error is closed.
    let _ = writeln!(io::stderr(), "remote-transcript: {text}");
}

/// Returns the current time, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Returns true if a terminal should have colours: <https://no-color.org>.
fn colours_wanted() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_some_and(|terminal| terminal != "dumb")
}

const DIM: u8 = 2;

/// Returns the colour of a sender: one of ten by its name, not red.
fn sender_colour(sender: &str) -> u8 {
    const COLOURS: [u8; 10] = [32, 33, 34, 35, 36, 92, 93, 94, 95, 96];
    let sum =
        sender.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    COLOURS[sum % COLOURS.len()]
}

/// Escapes all characters that move the cursor or change the writing direction, so that a line of one sender cannot be
/// made to look like that of another.
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

    fn format() -> Format {
        Format { plain: false, terminal: false, colours: false, zone: TimeZone::UTC }
    }

    fn rendered(format: &Format, sender: &str, text: &str) -> String {
        let mut page = String::new();
        format.line(&mut page, NOON, sender, text);
        page
    }

    #[test]
    fn a_line_has_local_time_and_sender() {
        assert_eq!(rendered(&format(), "ada", "hello"), "12:00:00 ada: hello\n");
        let tokyo = Format { zone: TimeZone::fixed(jiff::tz::offset(9)), ..format() };
        assert_eq!(rendered(&tokyo, "ada", "hello"), "21:00:00 ada: hello\n");
    }

    #[test]
    fn plain_text_is_escaped_only_on_a_terminal() {
        let plain = Format { plain: true, ..format() };
        assert_eq!(rendered(&plain, "ada", "a\x1b[2J\r"), "a\x1b[2J\r\n");
        let terminal = Format { plain: true, terminal: true, ..format() };
        assert_eq!(rendered(&terminal, "ada", "a\x1b[2J\tb"), "a\\u{1b}[2J\tb\n");
    }

    #[test]
    fn control_characters_cannot_forge_a_line_or_a_sender() {
        assert_eq!(
            rendered(&format(), "a\nb", "x\r12:00:00 root: y"),
            "12:00:00 a\\nb: x\\r12:00:00 root: y\n"
        );
        assert_eq!(rendered(&format(), "ada", "\u{202e}olleh"), "12:00:00 ada: \\u{202e}olleh\n");
    }

    #[test]
    fn colours_are_optional() {
        let coloured = rendered(&Format { colours: true, ..format() }, "ada", "hello");
        assert!(coloured.starts_with("\x1b[2m12:00:00\x1b[0m \x1b["), "{coloured:?}");
        assert!(coloured.ends_with("ada\x1b[0m: hello\n"), "{coloured:?}");
        assert!(!rendered(&format(), "ada", "hello").contains('\x1b'));
    }

    #[test]
    fn a_time_out_of_range_is_printed_as_unknown() {
        let mut page = String::new();
        format().line(&mut page, i64::MAX, "ada", "hello");
        assert_eq!(page, "--:--:-- ada: hello\n");
    }
}
