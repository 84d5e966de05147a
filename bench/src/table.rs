//! The tables, in markdown that can also be read in a terminal.

use std::fmt::Write;

use crate::comparison::Comparison;
use crate::figures::Measure;

/// Returns the tables of one set: one for each measure, with a row for each workload and a column for each contestant.
pub(crate) fn render(comparison: Comparison<'_>) -> String {
    let mut text = format!("## {}\n", comparison.title);
    let (rounds, seconds) = (comparison.rounds.rounds, comparison.rounds.length.as_secs_f64());
    let _ = writeln!(text, "\nMedians; rounds: {rounds}, seconds: {seconds}.");
    if let Some(baseline) = comparison.baseline() {
        let name = comparison.name(baseline);
        let _ = writeln!(
            text,
            "Rates and times: the column `{name}` shows figures, the others medians of same-round ratios to `{name}`."
        );
    }
    for section in &SECTIONS {
        section.render(comparison, &mut text);
    }
    growth(comparison, &mut text);
    text
}

struct Section {
    title: &'static str,
    cells: Cells,
    /// Returns the measure for a workload.
    measure: fn(Comparison<'_>, usize) -> Measure,
}

enum Cells {
    /// Ratios to the baseline, since the machine's other work changes the figures.
    Ratios,
    /// Figures. The machine's other work hardly changes them, and those of the baseline may be 0.
    Figures,
}

const SECTIONS: [Section; 7] = [
    Section::new("Rate: more is better", Cells::Ratios, |comparison, row| comparison.speed(row)),
    Section::new("Median latency: less is better", Cells::Ratios, |_, _| Measure::Median),
    Section::new("99th percentile of latency: less is better", Cells::Ratios, |_, _| Measure::Tail),
    Section::new("CPU time per operation: less is better", Cells::Ratios, |_, _| Measure::Cpu),
    Section::new("Server memory per held object or connection", Cells::Figures, |_, _| {
        Measure::ServerMemory
    }),
    Section::new("Client memory per held object or connection", Cells::Figures, |_, _| {
        Measure::ClientMemory
    }),
    Section::new("CPU use without calls, of one core", Cells::Figures, |_, _| Measure::Idle),
];

impl Section {
    const fn new(
        title: &'static str,
        cells: Cells,
        measure: fn(Comparison<'_>, usize) -> Measure,
    ) -> Self {
        Self { title, cells, measure }
    }

    fn render(&self, comparison: Comparison<'_>, text: &mut String) {
        let rows = comparison.workloads().filter_map(|workload| {
            let measure = (self.measure)(comparison, workload);
            let cell = |contestant| match (&self.cells, comparison.baseline()) {
                (Cells::Ratios, Some(baseline)) if baseline != contestant => {
                    comparison.ratio(contestant, workload, measure).map(significant)
                }
                _ => comparison
                    .median(contestant, workload, measure)
                    .map(|value| with_unit(measure, value)),
            };
            row(comparison, workload, cell)
        });
        table(self.title, comparison, rows.collect(), text);
    }
}

/// Shows how the rate of each contestant changes with the size.
fn growth(comparison: Comparison<'_>, text: &mut String) {
    for group in comparison.growth_groups() {
        let title = format!("Rate relative to that of {}", comparison.label(group[0]));
        let rows = group[1..].iter().filter_map(|workload| {
            let cell =
                |contestant| comparison.growth(contestant, *workload, group[0]).map(significant);
            row(comparison, *workload, cell)
        });
        table(&title, comparison, rows.collect(), text);
    }
}

/// Returns the label and the cells of a row, or None if all cells are empty.
fn row(
    comparison: Comparison<'_>,
    workload: usize,
    cell: impl Fn(usize) -> Option<String>,
) -> Option<Vec<String>> {
    let cells: Vec<Option<String>> = comparison.contestants().map(cell).collect();
    cells.iter().any(Option::is_some).then(|| {
        let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "–".to_owned()));
        [comparison.label(workload)].into_iter().chain(cells).collect()
    })
}

fn table(title: &str, comparison: Comparison<'_>, rows: Vec<Vec<String>>, text: &mut String) {
    if rows.is_empty() {
        return;
    }
    let names = comparison.contestants().map(|contestant| comparison.name(contestant).to_owned());
    let head: Vec<String> = ["workload".to_owned()].into_iter().chain(names).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([head[column].chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let _ = writeln!(text, "\n### {title}\n");
    line(&head, &widths, text);
    for (column, width) in widths.iter().enumerate() {
        let dashes = "-".repeat(width + 1);
        let _ = if column == 0 { write!(text, "|:{dashes}") } else { write!(text, "|{dashes}:") };
    }
    text.push_str("|\n");
    for row in &rows {
        line(row, &widths, text);
    }
}

/// Writes a row: the label at the left, numbers at the right.
fn line(cells: &[String], widths: &[usize], text: &mut String) {
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let _ = if column == 0 {
            write!(text, "| {cell:<width$} ")
        } else {
            write!(text, "| {cell:>width$} ")
        };
    }
    text.push_str("|\n");
}

pub(crate) fn with_unit(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Rate => scaled(value, &[(1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")]),
        Measure::Volume => scaled(value, &[(1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s")]),
        Measure::Median | Measure::Tail | Measure::Cpu => {
            scaled(value, &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")])
        }
        Measure::ServerMemory | Measure::ClientMemory => {
            scaled(value, &[(1e6, "MB"), (1e3, "kB"), (1.0, "B")])
        }
        Measure::Idle => scaled(value, &[(1e-2, "%")]),
    }
}

/// Formats a value in the first unit that is not larger than it, or else in the last.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let fitting = units.iter().find(|(size, _)| value >= *size).or(units.last());
    fitting.map_or_else(
        || significant(value),
        |(size, name)| format!("{} {name}", significant(value / size)),
    )
}

/// Formats a value with about three significant digits; more would be noise.
pub(crate) fn significant(value: f64) -> String {
    match value.abs() {
        tiny if tiny < 0.0995 && tiny > 0.0 => format!("{value:.3}"),
        small if small < 9.995 => format!("{value:.2}"),
        middle if middle < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::tests::{played, rounds};
    use crate::rounds::{Record, Rounds};

    fn rendered(rounds: &Rounds, record: &Record) -> String {
        render(Comparison { title: "All", rounds, record })
    }

    #[test]
    fn others_are_shown_as_ratios_to_the_baseline() {
        let rounds = rounds(&["raw", "ours"], &["lat", "echo:1000x1", "obj:1"]);
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
        let expected = "\
## All

Medians; rounds: 2, seconds: 0.5.
Rates and times: the column `raw` shows figures, the others medians of same-round ratios to `raw`.

### Rate: more is better

| workload      |       raw | ours |
|:--------------|----------:|-----:|
| lat, one core |  37.5 k/s | 0.80 |
| echo:1000x1   | 1.60 GB/s |    – |

### Median latency: less is better

| workload      |     raw | ours |
|:--------------|--------:|-----:|
| lat, one core | 27.0 µs | 1.11 |
";
        assert_eq!(rendered(&rounds, &record), expected);
    }

    #[test]
    fn without_the_baseline_all_columns_show_figures() {
        let rounds = rounds(&["ours"], &["hold:10"]);
        let figures =
            [(Measure::ServerMemory, 54.3), (Measure::ClientMemory, 230.0), (Measure::Idle, 0.001)];
        let record = Record { plays: vec![played(0, 0, 0, &figures)], failures: Vec::new() };
        let text = rendered(&rounds, &record);
        for shown in ["54.3 B", "230 B", "0.10 %"] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        assert!(!text.contains("latency") && !text.contains("ratios"), "{text}");
    }

    #[test]
    fn growth_has_a_table_of_its_own() {
        let rounds = rounds(&["ours"], &["table:10", "table:100"]);
        let rate = |rate| [(Measure::Rate, rate)];
        let plays = vec![played(0, 0, 0, &rate(200.0)), played(0, 0, 1, &rate(150.0))];
        let text = rendered(&rounds, &Record { plays, failures: Vec::new() });
        let expected = "\
### Rate relative to that of table:10

| workload  | ours |
|:----------|-----:|
| table:100 | 0.75 |
";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn numbers_have_three_digits() {
        let shown = [
            (0.0, "0.00"),
            (0.0123, "0.012"),
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
        assert_eq!(with_unit(Measure::Volume, 10.0), "0.010 kB/s");
    }
}
