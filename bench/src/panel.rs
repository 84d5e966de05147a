//! The panels of the plot: what is shown, and where in the coordinates of the data.

use std::ops::Range;

use contract::Workload;
use plotters::style::RGBColor;

use crate::comparison::Comparison;
use crate::table::with_unit;

/// Distinct colours, in the order of contestants.
pub(crate) const COLOURS: [RGBColor; 10] = [
    RGBColor(127, 127, 127),
    RGBColor(31, 119, 180),
    RGBColor(23, 190, 207),
    RGBColor(148, 103, 189),
    RGBColor(255, 127, 14),
    RGBColor(44, 160, 44),
    RGBColor(214, 39, 40),
    RGBColor(140, 86, 75),
    RGBColor(227, 119, 194),
    RGBColor(188, 189, 34),
];

/// Values of several contestants for several workloads, on a logarithmic scale.
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) series: Vec<Series>,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Bars that begin at 1.
    Ratios,
    /// Lines from workload to workload.
    Rates,
}

pub(crate) struct Column {
    pub(crate) label: String,
    /// The figure that ratios are relative to.
    pub(crate) note: Option<String>,
}

pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) colour: RGBColor,
    pub(crate) values: Vec<Option<f64>>,
}

/// A group of workloads that are compared by ratios.
struct Group {
    title: &'static str,
    contains: fn(Workload) -> bool,
}

const GROUPS: [Group; 3] = [
    Group {
        title: "calls",
        contains: |workload| {
            matches!(
                workload,
                Workload::Latency | Workload::Throughput { .. } | Workload::Connections { .. }
            )
        },
    },
    Group { title: "payloads", contains: |workload| workload.payload().is_some() },
    Group {
        title: "objects and chains",
        contains: |workload| {
            matches!(
                workload,
                Workload::Objects { .. }
                    | Workload::Hold { .. }
                    | Workload::Chain { .. }
                    | Workload::ChainAwaited { .. }
            )
        },
    },
];

/// Returns the panels of a comparison.
pub(crate) fn panels(comparison: Comparison<'_>) -> Vec<Panel> {
    let mut panels = Vec::new();
    if let Some(baseline) = comparison.baseline() {
        let name = comparison.name(baseline);
        for Group { title, contains } in GROUPS {
            let rows: Vec<usize> =
                comparison.workloads().filter(|row| contains(comparison.workload(*row))).collect();
            let set = comparison.title;
            let title = format!("{set}, {title}: rate relative to {name} (more is better)");
            let value = |contestant, row| {
                let ratio = comparison.ratio(contestant, row, comparison.speed(row));
                ratio.filter(|_| contestant != baseline)
            };
            panels.push(panel(comparison, title, &rows, Kind::Ratios, value));
        }
    }
    for rows in comparison.growth_groups() {
        let title = format!("{}: calls per second (more is better)", comparison.title);
        let value = |contestant, row| comparison.median(contestant, row, comparison.speed(row));
        panels.push(panel(comparison, title, &rows, Kind::Rates, value));
    }
    panels.retain(|panel| !panel.series.is_empty());
    panels
}

/// Collects the positive values of a panel. Contestants without any are left out.
fn panel(
    comparison: Comparison<'_>,
    title: String,
    rows: &[usize],
    kind: Kind,
    value: impl Fn(usize, usize) -> Option<f64>,
) -> Panel {
    let series = comparison.contestants().map(|contestant| Series {
        name: comparison.name(contestant).to_owned(),
        colour: COLOURS[contestant % COLOURS.len()],
        values: rows
            .iter()
            .map(|row| value(contestant, *row).filter(|value| *value > 0.0))
            .collect(),
    });
    let series = series.filter(|series| series.values.iter().any(Option::is_some)).collect();
    let baseline = comparison.baseline().filter(|_| kind == Kind::Ratios);
    let column = |row: &usize| Column {
        label: comparison.label(*row),
        note: baseline.and_then(|baseline| {
            let measure = comparison.speed(*row);
            let figure = with_unit(measure, comparison.median(baseline, *row, measure)?);
            Some(format!("{}: {figure}", comparison.name(baseline)))
        }),
    };
    Panel { title, columns: rows.iter().map(column).collect(), series, kind }
}

impl Panel {
    /// Returns the range of the values, with room at both ends for text.
    pub(crate) fn range(&self) -> Range<f64> {
        let values = self.series.iter().flat_map(|series| series.values.iter().copied().flatten());
        let all: Vec<f64> = match self.kind {
            Kind::Ratios => values.chain([1.0]).collect(),
            Kind::Rates => values.collect(),
        };
        let lowest = all.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = all.iter().copied().fold(0.0, f64::max);
        // A line of text takes this share of the logarithmic range in a panel of about 300 pixels. Rates have at least a
        // decade, so that small differences look small.
        let room = (highest / lowest).powf(0.12).max(1.25);
        let room = match self.kind {
            Kind::Ratios => room,
            Kind::Rates => room.max((10.0 * lowest / highest).sqrt()),
        };
        lowest / room..highest * room
    }

    /// Places the bars: those of one workload side by side, with a gap between workloads.
    pub(crate) fn bars(&self) -> impl Iterator<Item = Bar> {
        let width = 0.86 / self.series.len() as f64;
        self.series.iter().enumerate().flat_map(move |(place, series)| {
            let values = series.values.iter().enumerate();
            values.filter_map(move |(column, value)| {
                let left = column as f64 + 0.07 + width * place as f64;
                let right = left + width * 0.92;
                Some(Bar { left, right, value: (*value)?, colour: series.colour })
            })
        })
    }
}

pub(crate) struct Bar {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) value: f64,
    pub(crate) colour: RGBColor,
}

impl Series {
    /// Returns the values with the middles of their columns.
    pub(crate) fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        let values = self.values.iter().enumerate();
        values.filter_map(|(column, value)| Some((column as f64 + 0.5, (*value)?)))
    }
}

/// Returns the values that have a line across the panel: 1, 2 and 5 in each decade, or only 1 if there are many decades.
pub(crate) fn grid(range: &Range<f64>) -> impl Iterator<Item = f64> {
    let (first, last) = (range.start.log10().floor() as i32, range.end.log10().ceil() as i32);
    let steps: &[i32] = if last - first > 4 { &[1] } else { &[1, 2, 5] };
    let values = (first..last).flat_map(move |decade| {
        // Powers of ten with a negative exponent are not exact; quotients print as they are meant.
        steps.iter().map(move |step| match decade {
            negative if negative < 0 => f64::from(*step) / 10f64.powi(-negative),
            _ => f64::from(*step) * 10f64.powi(decade),
        })
    });
    values.filter(|value| range.contains(value))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::comparison::tests::{played, rounds};
    use crate::figures::Measure;
    use crate::rounds::Record;

    /// Returns a record with one rate for each workload of each contestant.
    pub(crate) fn record(rates: &[&[f64]]) -> Record {
        let mut record = Record::default();
        for (contestant, rates) in rates.iter().enumerate() {
            for (workload, rate) in rates.iter().enumerate() {
                let figures = [(Measure::Rate, *rate)];
                record.plays.push(played(0, contestant, workload, &figures));
            }
        }
        record
    }

    #[test]
    fn panels_follow_the_groups_of_workloads() {
        let rounds = rounds(&["raw", "ours"], &["lat", "tput:16", "obj:1", "table:10", "table:20"]);
        let record = record(&[&[10.0, 20.0, 30.0, 40.0, 50.0], &[5.0, 30.0, 15.0, 20.0, 20.0]]);
        let panels = panels(Comparison { title: "All", rounds: &rounds, record: &record });
        let kinds: Vec<Kind> = panels.iter().map(|panel| panel.kind).collect();
        assert_eq!(kinds, [Kind::Ratios, Kind::Ratios, Kind::Rates]);
        // The baseline of ratios is the line at 1.
        let columns = panels[0].columns.iter().map(|column| {
            (column.label.as_str(), column.note.as_deref().expect("ratios have a base"))
        });
        let expected = [("lat, one core", "raw: 10.0 /s"), ("tput:16", "raw: 20.0 /s")];
        assert_eq!(columns.collect::<Vec<_>>(), expected);
        assert_eq!(panels[0].series.len(), 1);
        assert_eq!(panels[0].series[0].values, [Some(0.5), Some(1.5)]);
        assert_eq!(panels[2].series[0].values, [Some(40.0), Some(50.0)]);
        let range = panels[0].range();
        assert!(range.start < 0.5 && range.end > 1.5, "{range:?}");
    }

    #[test]
    fn the_grid_has_round_values() {
        let labels = |range| grid(&range).map(|value| value.to_string()).collect::<Vec<_>>();
        assert_eq!(labels(0.04..3.0), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(
            labels(30e3..2.5e6),
            ["50000", "100000", "200000", "500000", "1000000", "2000000"]
        );
        assert_eq!(labels(0.5..2e5), ["1", "10", "100", "1000", "10000", "100000"]);
    }
}
