//! The table that the runner prints. It owns columns, units and widths, and must not know how figures are taken.

use std::fmt::Write;

use contract::Workload;

use crate::figures::Measure;
use crate::placement::Placement;
use crate::rounds::{Record, Rounds};
use crate::statistics::{median, median_ratio};

/// All others are compared with it.
const BASELINE: &str = "raw";

/// The tables of everything that was played, and what failed.
pub(crate) fn render(rounds: &Rounds, record: &Record) -> String {
    let mut text = String::new();
    for section in [&SPEED, &HELD] {
        let rows: Vec<usize> = (0..rounds.workloads.len())
            .filter(|row| (section.has)(rounds.workloads[*row]))
            .collect();
        if !rows.is_empty() {
            section.render(rounds, record, &rows, &mut text);
            text.push('\n');
        }
    }
    let seconds = rounds.length.as_secs_f64();
    let _ = writeln!(text, "Medians; rounds: {}, seconds: {seconds}.", rounds.rounds);
    if let Some(baseline) = baseline(rounds).filter(|_| rounds.contestants.len() > 1) {
        let name = &rounds.contestants[baseline].name;
        let _ = writeln!(
            text,
            "\"NAME / {name}\" are medians of same-round ratios: of rates, more is better; of all else, less."
        );
    }
    for failure in &record.failures {
        let _ = writeln!(text, "FAILED: {failure}");
    }
    text
}

struct Section {
    has: fn(Workload) -> bool,
    columns: &'static [(&'static str, Column)],
}

/// Where a column finds its figure.
enum Column {
    Of(Measure),
    /// Bytes a second where bytes are what counts, turns a second elsewhere.
    Speed,
}

const SPEED: Section = Section {
    has: |workload| !matches!(workload, Workload::Hold { .. }),
    columns: &[
        ("rate", Column::Speed),
        ("p50", Column::Of(Measure::Median)),
        ("p99", Column::Of(Measure::Tail)),
        ("CPU/call", Column::Of(Measure::Cpu)),
    ],
};

const HELD: Section = Section {
    has: |workload| matches!(workload, Workload::Hold { .. }),
    columns: &[
        ("made", Column::Of(Measure::Rate)),
        ("CPU/object", Column::Of(Measure::Cpu)),
        ("server/object", Column::Of(Measure::ServerMemory)),
        ("client/object", Column::Of(Measure::ClientMemory)),
        ("CPU at rest", Column::Of(Measure::Idle)),
    ],
};

impl Column {
    fn measure(&self, workload: Workload) -> Measure {
        match self {
            Self::Of(measure) => *measure,
            Self::Speed if workload.payload().is_some() => Measure::Volume,
            Self::Speed => Measure::Rate,
        }
    }
}

impl Section {
    fn render(&self, rounds: &Rounds, record: &Record, rows: &[usize], text: &mut String) {
        let labels = rows.iter().map(|row| label(rounds, *row)).collect();
        let mut blocks = vec![Block { title: String::new(), columns: vec![("", labels)] }];
        for contestant in 0..rounds.contestants.len() {
            let columns = self.columns.iter().map(|(head, column)| {
                let cell = |row: &usize| {
                    cell(rounds, record, contestant, *row, column.measure(rounds.workloads[*row]))
                };
                (*head, rows.iter().map(cell).collect())
            });
            blocks.push(Block { title: title(rounds, contestant), columns: columns.collect() });
        }
        lay_out(&blocks, rows.len(), text);
    }
}

fn label(rounds: &Rounds, workload: usize) -> String {
    let workload = rounds.workloads[workload];
    match rounds.one_core.placement(workload) {
        Placement::OneCore => format!("{workload}, one core"),
        Placement::Anywhere => workload.to_string(),
    }
}

fn baseline(rounds: &Rounds) -> Option<usize> {
    rounds.contestants.iter().position(|contestant| contestant.name == BASELINE)
}

/// The contestant that this one is compared with.
fn compared(rounds: &Rounds, contestant: usize) -> Option<usize> {
    baseline(rounds).filter(|baseline| *baseline != contestant)
}

fn title(rounds: &Rounds, contestant: usize) -> String {
    let name = |contestant: usize| &rounds.contestants[contestant].name;
    match compared(rounds, contestant) {
        Some(baseline) => format!("{} / {}", name(contestant), name(baseline)),
        None => name(contestant).clone(),
    }
}

fn cell(
    rounds: &Rounds,
    record: &Record,
    contestant: usize,
    workload: usize,
    measure: Measure,
) -> String {
    let values = |contestant| -> Vec<(u32, f64)> {
        let plays = record
            .plays
            .iter()
            .filter(|play| play.contestant == contestant && play.workload == workload);
        plays.filter_map(|play| Some((play.round, *play.figures.get(&measure)?))).collect()
    };
    let text = match compared(rounds, contestant) {
        Some(baseline) => median_ratio(&values(contestant), &values(baseline)).map(significant),
        None => median(values(contestant).into_iter().map(|(_, value)| value).collect())
            .map(|value| with_unit(measure, value)),
    };
    text.unwrap_or_else(|| "–".to_owned())
}

fn with_unit(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Rate => scaled(value, &[(1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")]),
        Measure::Volume => scaled(value, &[(1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s")]),
        Measure::Median | Measure::Tail | Measure::Cpu => {
            scaled(value, &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")])
        }
        Measure::ServerMemory | Measure::ClientMemory => scaled(value, &[(1.0, "B")]),
        Measure::Idle => scaled(value, &[(1e-2, "%")]),
    }
}

/// In the first unit that is no larger than the value, or else the last.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let fitting = units.iter().find(|(size, _)| value >= *size).or(units.last());
    fitting.map_or_else(
        || significant(value),
        |(size, name)| format!("{} {name}", significant(value / size)),
    )
}

/// Three digits that mean something; more would be noise.
fn significant(value: f64) -> String {
    match value.abs() {
        small if small < 9.995 => format!("{value:.2}"),
        middle if middle < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Columns under one title.
struct Block {
    title: String,
    columns: Vec<(&'static str, Vec<String>)>,
}

fn lay_out(blocks: &[Block], rows: usize, text: &mut String) {
    let (mut titles, mut heads, mut lines) =
        (String::new(), String::new(), vec![String::new(); rows]);
    for (place, block) in blocks.iter().enumerate() {
        let between = if place == 0 { "" } else { "   " };
        let mut head = String::new();
        let mut parts = vec![String::new(); rows];
        for (name, cells) in &block.columns {
            let longest = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
            let width = longest.max(name.chars().count());
            let gap = if head.is_empty() { "" } else { "  " };
            // Labels begin at the left, numbers end at the right.
            let pad = |cell: &str| {
                if place == 0 { format!("{cell:<width$}") } else { format!("{gap}{cell:>width$}") }
            };
            head.push_str(&pad(name));
            for (part, cell) in parts.iter_mut().zip(cells) {
                part.push_str(&pad(cell));
            }
        }
        let width = head.chars().count();
        let _ = write!(titles, "{between}{:<width$}", block.title);
        let _ = write!(heads, "{between}{head}");
        for (line, part) in lines.iter_mut().zip(parts) {
            let _ = write!(line, "{between}{part}");
        }
    }
    for line in [titles, heads].into_iter().chain(lines) {
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contestant::Contestant;
    use crate::figures::Figures;
    use crate::placement::OneCore;
    use crate::rounds::Played;

    fn rounds(names: &[&str], workloads: &[&str]) -> Rounds {
        Rounds {
            contestants: names
                .iter()
                .map(|name| Contestant { name: (*name).into(), binary: "".into() })
                .collect(),
            workloads: workloads.iter().map(|text| text.parse().expect("known")).collect(),
            rounds: 2,
            length: Duration::from_millis(500),
            one_core: OneCore::Latency,
        }
    }

    fn played(
        round: u32,
        contestant: usize,
        workload: usize,
        figures: &[(Measure, f64)],
    ) -> Played {
        Played {
            round,
            contestant,
            workload,
            figures: figures.iter().copied().collect::<Figures>(),
        }
    }

    #[test]
    fn others_are_shown_as_ratios_to_the_baseline() {
        let rounds = rounds(&["raw", "ours"], &["lat", "echo:1000x1"]);
        let mut record = Record::default();
        for round in 0..2 {
            let slower = f64::from(round + 1);
            let raw = [(Measure::Rate, 50_000.0 / slower), (Measure::Median, 18e-6 * slower)];
            let ours = [(Measure::Rate, 40_000.0 / slower), (Measure::Median, 20e-6 * slower)];
            record.plays.push(played(round, 0, 0, &raw));
            record.plays.push(played(round, 1, 0, &ours));
            record.plays.push(played(
                round,
                0,
                1,
                &[(Measure::Volume, 1.6e9), (Measure::Rate, 1.0)],
            ));
        }
        record.failures.push("round 1: echo:1000x1, ours: broken".into());
        let text = render(&rounds, &record);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            ["raw", "ours", "/", "raw"],
            "{text}"
        );
        let heads = ["rate", "p50", "p99", "CPU/call"];
        assert_eq!(
            lines[1].split_whitespace().collect::<Vec<_>>(),
            [heads, heads].concat(),
            "{text}"
        );
        assert_eq!(
            lines[2].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>(),
            ["lat, one core", "37.5 k/s", "27.0 µs", "–", "–", "0.80", "1.11", "–", "–"],
            "{text}"
        );
        assert!(lines[3].starts_with("echo:1000x1") && lines[3].contains("1.60 GB/s"), "{text}");
        assert!(text.contains("Medians; rounds: 2, seconds: 0.5."), "{text}");
        assert!(text.ends_with("FAILED: round 1: echo:1000x1, ours: broken\n"), "{text}");
    }

    #[test]
    fn without_the_baseline_all_figures_stand_for_themselves() {
        let rounds = rounds(&["ours"], &["hold:10"]);
        let figures =
            [(Measure::ServerMemory, 54.3), (Measure::ClientMemory, 230.0), (Measure::Idle, 0.001)];
        let record = Record { plays: vec![played(0, 0, 0, &figures)], failures: Vec::new() };
        let text = render(&rounds, &record);
        for shown in ["server/object", "54.3 B", "230 B", "0.10 %", "–"] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        assert!(!text.contains("p50") && !text.contains("ratios"), "{text}");
    }

    #[test]
    fn numbers_keep_three_digits() {
        let shown = [
            (0.5, "0.50"),
            (9.99, "9.99"),
            (9.999, "10.0"),
            (12.34, "12.3"),
            (99.99, "100"),
            (1234.5, "1234"),
        ];
        for (value, text) in shown {
            assert_eq!(significant(value), text);
        }
        assert_eq!(with_unit(Measure::Rate, 2_210_000.0), "2.21 M/s");
        assert_eq!(with_unit(Measure::Cpu, 6.6e-7), "660 ns");
        assert_eq!(with_unit(Measure::Cpu, 0.0), "0.00 ns");
        assert_eq!(with_unit(Measure::Volume, 10.0), "0.01 kB/s");
    }
}
