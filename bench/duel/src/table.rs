//! The table: the rows of each scenario, and the format of the cells.
//!
//! It must not know how a scenario was run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use crate::outcome::{FinalState, Record};
use crate::scenario::{Played, Scenario, Terms};

/// A row, and the function that computes the cell of a contestant.
struct Row {
    measure: &'static str,
    cell: Cell,
}

type Cell = fn(&[Record], Terms) -> String;

/// Renders the table. Each contestant has a column: its name, and its lease.
pub(crate) fn render(columns: &[(String, String)], terms: Terms, played: &[Played]) -> String {
    let mut table = String::new();
    line(&mut table, "", columns.iter().map(|(name, _)| name.clone()));
    line(&mut table, "---", columns.iter().map(|_| "---".to_owned()));
    line(&mut table, "lease", columns.iter().map(|(_, terms)| terms.clone()));
    for Played { scenario, records, .. } in played {
        line(
            &mut table,
            &format!("**{}**", title(*scenario, terms)),
            columns.iter().map(|_| String::new()),
        );
        for Row { measure, cell } in rows(*scenario) {
            line(&mut table, measure, records.iter().map(|records| cell(records, terms)));
        }
    }
    let _ = write!(table, "\n{} pairs of each contestant.", terms.pairs);
    for Played { scenario, packets, .. } in played {
        if let Some(packets) = packets {
            let _ = write!(table, " {packets} packets hit: {}.", title(*scenario, terms));
        }
    }
    table.push('\n');
    table
}

fn line(table: &mut String, measure: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.collect();
    let _ = writeln!(table, "| {measure} | {} |", cells.join(" | "));
}

fn title(scenario: Scenario, terms: Terms) -> String {
    match scenario {
        Scenario::Calm => format!("no fault for {}", seconds(terms.loss())),
        Scenario::Killed => "holder killed, its connections closed".to_owned(),
        Scenario::Vanished => "holder vanished without a packet".to_owned(),
        Scenario::Silent => format!("no packet arrives for {}", seconds(terms.cut())),
        Scenario::Reset => format!("connections reset for {}", seconds(terms.cut())),
        Scenario::Restarted => "owner restarted on its port".to_owned(),
        Scenario::Loss => format!("20 % of packets lost for {}", seconds(terms.loss())),
    }
}

fn rows(scenario: Scenario) -> Vec<Row> {
    let row = |measure, cell: Cell| Row { measure, cell };
    let mut rows: Vec<Row> = Vec::new();
    match scenario {
        Scenario::Killed | Scenario::Vanished => {
            rows.push(row("object freed after", |records, terms| {
                durations(
                    records,
                    Record::freed,
                    &format!("not in {}", seconds(terms.free_limit())),
                )
            }));
        }
        Scenario::Restarted => {
            rows.push(row("old references at the end", |records, _| final_states(records)));
            rows.push(row("replies from another object", |records, _| {
                records.iter().map(Record::wrong).sum::<usize>().to_string()
            }));
            rows.push(row("first failed call after", |records, _| {
                durations(records, Record::first_failure, "never")
            }));
        }
        Scenario::Calm | Scenario::Silent | Scenario::Reset | Scenario::Loss => {
            rows.push(row("live references at the end", |records, _| final_states(records)));
            rows.push(row("failed calls", |records, _| failures(records)));
            rows.push(row("longest pause of live references", |records, _| {
                let pause = |record: &Record| alive(record).then(|| record.pause());
                let alive: Vec<Record> =
                    records.iter().filter(|record| alive(record)).cloned().collect();
                durations(&alive, pause, "")
            }));
            rows.push(row("objects of lost references freed after", |records, _| {
                let lost: Vec<Record> =
                    records.iter().filter(|record| !alive(record)).cloned().collect();
                durations(&lost, Record::freed, "never while watched")
            }));
            rows.push(row("objects freed under a live reference", |records, _| {
                let freed =
                    records.iter().filter(|record| alive(record) && record.freed().is_some());
                freed.count().to_string()
            }));
        }
    }
    if matches!(scenario, Scenario::Calm | Scenario::Loss) {
        rows.push(row("dropped objects not freed", |records, _| {
            let leaked: usize = records.iter().map(Record::leaked).sum();
            let dropped: usize = records.iter().map(Record::dropped).sum();
            format!("{leaked} of {dropped}")
        }));
    }
    rows
}

fn alive(record: &Record) -> bool {
    record.final_state() == FinalState::Alive
}

/// Counts the final states: `4 alive, 1 lost (Stale)`.
fn final_states(records: &[Record]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for record in records {
        let final_state = match record.final_state() {
            FinalState::Alive => "alive".to_owned(),
            FinalState::Wrong => "another object".to_owned(),
            FinalState::Lost(kind) => format!("lost ({kind})"),
            FinalState::Hangs => "hanging".to_owned(),
        };
        *counts.entry(final_state).or_default() += 1;
    }
    listed(counts.into_iter().map(|(final_state, count)| format!("{count} {final_state}")))
}

/// Counts the failed calls of all pairs, by kind.
fn failures(records: &[Record]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (kind, count) in records.iter().flat_map(Record::failures) {
        *counts.entry(kind).or_default() += count;
    }
    if counts.is_empty() {
        "0".to_owned()
    } else {
        listed(counts.into_iter().map(|(kind, count)| format!("{count} {kind}")))
    }
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// Formats the median and the range of a duration, and the number of pairs without one.
fn durations(
    records: &[Record],
    figure: impl Fn(&Record) -> Option<Duration>,
    none: &str,
) -> String {
    let mut there: Vec<Duration> = records.iter().filter_map(figure).collect();
    there.sort_unstable();
    let missing = records.len() - there.len();
    let (Some(least), Some(most)) = (there.first(), there.last()) else {
        return if records.is_empty() { "–".to_owned() } else { none.to_owned() };
    };
    let median = (there[(there.len() - 1) / 2] + there[there.len() / 2]) / 2;
    let mut text = if there.len() == 1 {
        seconds(median)
    } else {
        format!("{} ({}–{})", seconds(median), figure_of(*least), figure_of(*most))
    };
    if missing > 0 {
        let _ = write!(text, "; {missing} {none}");
    }
    text
}

pub(crate) fn seconds(duration: Duration) -> String {
    format!("{} s", figure_of(duration))
}

/// Formats seconds: with tenths unless they are 0, and with hundredths below one second.
fn figure_of(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let text = if seconds < 1.0 { format!("{seconds:.2}") } else { format!("{seconds:.1}") };
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::process::Line;

    const TERMS: Terms = Terms { lease: Duration::from_secs(10), pairs: 2 };

    /// Makes a record from second 0 to 40.
    fn record(owner: &[(u64, &str)], holder: &[(u64, &str)]) -> Record {
        let begin = Instant::now();
        let lines = |lines: &[(u64, &str)]| {
            let line = |(at, report): &(u64, &str)| Line {
                at: begin + Duration::from_secs(*at),
                report: report.parse().expect("a valid report"),
            };
            lines.iter().map(line).collect()
        };
        Record {
            begin,
            end: begin + Duration::from_secs(40),
            owner: lines(owner),
            holder: lines(holder),
        }
    }

    #[test]
    fn durations_have_median_range_and_gaps() {
        let freed = |seconds| record(&[(seconds, "freed 1.1")], &[]);
        let show = |records: &[Record]| durations(records, Record::freed, "not in 30 s");
        assert_eq!(show(&[freed(12), freed(11), freed(15)]), "12 s (11–15)");
        assert_eq!(show(&[freed(12), freed(11)]), "11.5 s (11–12)");
        assert_eq!(show(&[freed(12), record(&[], &[])]), "12 s; 1 not in 30 s");
        assert_eq!(show(&[record(&[], &[])]), "not in 30 s");
        assert_eq!(show(&[]), "–");
        assert_eq!(figure_of(Duration::from_millis(47)), "0.05");
        assert_eq!(figure_of(Duration::from_millis(12_340)), "12.3");
    }

    #[test]
    fn a_table_has_a_column_for_each_contestant_and_a_row_for_each_measure() {
        let kept = record(&[], &[(0, "alive"), (2, "failed Reset"), (7, "alive"), (39, "alive")]);
        let lost = record(&[(14, "freed 1.1")], &[(0, "alive"), (39, "failed Gone")]);
        let played = Played {
            scenario: Scenario::Reset,
            records: vec![vec![kept.clone(), kept], vec![lost.clone(), lost]],
            packets: Some(8),
        };
        let columns =
            [("one".to_owned(), "10 s".to_owned()), ("two".to_owned(), "none".to_owned())];
        let expected = "\
|  | one | two |
| --- | --- | --- |
| lease | 10 s | none |
| **connections reset for 5 s** |  |  |
| live references at the end | 2 alive | 2 lost (Gone) |
| failed calls | 2 Reset | 2 Gone |
| longest pause of live references | 32 s (32–32) | – |
| objects of lost references freed after | – | 14 s (14–14) |
| objects freed under a live reference | 0 | 0 |

2 pairs of each contestant. 8 packets hit: connections reset for 5 s.
";
        assert_eq!(render(&columns, TERMS, &[played]), expected);
    }
}
