//! The comparison of measured figures with recorded ones, and the verdict. It must not know how they were measured.

use crate::figures::Growth;

/// The percentage by which a path's instructions may grow, or shrink without a report.
const TOLERANCE: u64 = 5;
/// The factor by which a frame's instructions may grow from small tables to large ones.
const FACTOR: f64 = 2.0;

/// The verdict on a figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Verdict {
    HonestClient,
    /// It became better: it should be recorded, so that it stays so.
    Better,
    /// There is no recorded figure.
    New,
    Worse,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::HonestClient => "",
            Verdict::Better => "better",
            Verdict::New => "not recorded",
            Verdict::Worse => "FAILED",
        }
    }

    /// Returns true if the check fails.
    pub(crate) fn fails(self) -> bool {
        matches!(self, Verdict::New | Verdict::Worse)
    }
}

/// Returns the change from `recorded` to `now`, in percent.
fn change(recorded: u64, now: u64) -> f64 {
    (now as f64 / recorded as f64 - 1.0) * 100.0
}

/// Compares the instructions of a path with the recorded ones.
pub(crate) fn judge_path(recorded: Option<u64>, now: u64) -> Verdict {
    let Some(recorded) = recorded else { return Verdict::New };
    if now * 100 > recorded * (100 + TOLERANCE) {
        Verdict::Worse
    } else if now * 100 < recorded * (100 - TOLERANCE) {
        Verdict::Better
    } else {
        Verdict::HonestClient
    }
}

/// Compares the growth of a frame's instructions with the permitted factor.
pub(crate) fn judge_frame(now: &Growth) -> Verdict {
    match (now.factor() > FACTOR, &now.known) {
        (true, None) => Verdict::Worse,
        (false, Some(_)) => Verdict::Better,
        (true, Some(_)) | (false, None) => Verdict::HonestClient,
    }
}

/// Formats the row of a path.
pub(crate) fn path_row(name: &str, recorded: Option<u64>, now: u64) -> String {
    let verdict = judge_path(recorded, now).word();
    match recorded {
        Some(recorded) => {
            let change = change(recorded, now);
            format!("{name:48} {recorded:>9} {now:>9} {change:>+7.1} %  {verdict}")
        }
        None => format!("{name:48} {:>9} {now:>9} {:>9}  {verdict}", "", ""),
    }
}

/// Formats the row of a frame.
pub(crate) fn frame_row(name: &str, now: &Growth) -> String {
    let Growth { few, many, known } = now;
    let verdict = match (judge_frame(now), known) {
        (Verdict::HonestClient, Some(known)) => format!("known: {known}"),
        (verdict, _) => verdict.word().to_owned(),
    };
    format!("{name:48} {few:>9} {many:>9} {:>9.2}  {verdict}", now.factor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fails_when_it_grows_by_more_than_five_in_a_hundred() {
        assert_eq!(judge_path(Some(1000), 1050), Verdict::HonestClient);
        assert_eq!(judge_path(Some(1000), 1051), Verdict::Worse);
        assert_eq!(judge_path(Some(1000), 950), Verdict::HonestClient);
        assert_eq!(judge_path(Some(1000), 949), Verdict::Better);
        assert!(judge_path(None, 1).fails());
    }

    #[test]
    fn a_frame_fails_when_it_grows_by_more_than_a_factor_of_two_without_a_reason() {
        let growth =
            |many, known: Option<&str>| Growth { few: 100, many, known: known.map(str::to_owned) };
        assert_eq!(judge_frame(&growth(200, None)), Verdict::HonestClient);
        assert_eq!(judge_frame(&growth(201, None)), Verdict::Worse);
        assert_eq!(judge_frame(&growth(201, Some("it is searched"))), Verdict::HonestClient);
        assert_eq!(judge_frame(&growth(200, Some("it is searched"))), Verdict::Better);
    }
}
