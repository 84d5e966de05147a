//! The plot: a PNG with one panel for each group of workloads.

use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::path::Path;

use contract::{Result, Workload};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

use crate::comparison::Comparison;
use crate::table::significant;

const WIDTH: u32 = 1600;
const LEGEND_WIDTH: u32 = 160;
const HEAD_HEIGHT: u32 = 60;
const PANEL_HEIGHT: u32 = 380;
const FONT: &str = "sans-serif";

/// Distinct colours, in the order of contestants.
const COLOURS: [RGBColor; 10] = [
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

/// Draws the panels of all comparisons into a PNG file. Returns false if there is nothing to draw.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn draw(comparisons: &[Comparison<'_>], machine: &str, path: &Path) -> Result<bool> {
    let panels: Vec<Panel> =
        comparisons.iter().flat_map(|comparison| panels(*comparison)).collect();
    if panels.is_empty() {
        return Ok(false);
    }
    let height = HEAD_HEIGHT + PANEL_HEIGHT * u32::try_from(panels.len())?;
    let mut pixels = vec![0; 3 * WIDTH as usize * height as usize];
    // Not `Send`, unlike the errors of this crate.
    paint(&mut pixels, height, &panels, machine).map_err(|error| error.to_string())?;
    let out =
        BufWriter::new(File::create(path).map_err(|error| format!("{}: {error}", path.display()))?);
    let mut encoder = png::Encoder::new(out, WIDTH, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(true)
}

/// Values of several contestants for several workloads, on a logarithmic scale.
struct Panel {
    title: String,
    labels: Vec<String>,
    series: Vec<Series>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Bars that begin at 1.
    Ratios,
    /// Lines from workload to workload.
    Rates,
}

struct Series {
    name: String,
    colour: RGBColor,
    values: Vec<Option<f64>>,
}

/// The groups of workloads that are compared by ratios.
const GROUPS: [(&str, fn(Workload) -> bool); 3] = [
    ("calls", |workload| {
        matches!(
            workload,
            Workload::Latency | Workload::Throughput { .. } | Workload::Connections { .. }
        )
    }),
    ("payloads", |workload| workload.payload().is_some()),
    ("objects and chains", |workload| {
        matches!(
            workload,
            Workload::Objects { .. }
                | Workload::Hold { .. }
                | Workload::Chain { .. }
                | Workload::ChainAwaited { .. }
        )
    }),
];

fn panels(comparison: Comparison<'_>) -> Vec<Panel> {
    let mut panels = Vec::new();
    if let Some(baseline) = comparison.baseline() {
        let name = comparison.name(baseline);
        for (group, has) in GROUPS {
            let rows: Vec<usize> =
                comparison.workloads().filter(|row| has(comparison.workload(*row))).collect();
            let title =
                format!("{}, {group}: rate relative to {name} (more is better)", comparison.title);
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
    let labels = rows.iter().map(|row| comparison.label(*row)).collect();
    Panel { title, labels, series, kind }
}

type Painted = std::result::Result<(), Box<dyn std::error::Error>>;
type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

fn paint(pixels: &mut [u8], height: u32, panels: &[Panel], machine: &str) -> Painted {
    // An embedded font, so that the plot does not depend on the fonts of the system.
    register_font(FONT, FontStyle::Normal, dejavu::sans::regular()).map_err(|_| "a broken font")?;
    let area = BitMapBackend::with_buffer(pixels, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let (head, rest) = area.split_vertically(HEAD_HEIGHT);
    head.draw(&Text::new(machine, (20, 20), text(22)))?;
    for (panel, area) in panels.iter().zip(rest.split_evenly((panels.len(), 1))) {
        let (chart, legend) = area.split_horizontally(WIDTH - LEGEND_WIDTH);
        panel.paint(&chart)?;
        panel.paint_legend(&legend)?;
    }
    area.present()?;
    Ok(())
}

impl Panel {
    fn paint(&self, area: &Area<'_>) -> Painted {
        let range = self.range();
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, text(20))
            .margin(12)
            .x_label_area_size(30)
            .y_label_area_size(70)
            .build_cartesian_2d(0.0..self.labels.len() as f64, range.clone().log_scale())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .y_label_formatter(&|value| axis_label(*value))
            .y_label_style(text(15))
            .light_line_style(RGBColor(240, 240, 240))
            .bold_line_style(RGBColor(215, 215, 215))
            .draw()?;
        // Text has sizes in pixels, so that it is placed in the coordinates of the area.
        let (left, top) = area.get_base_pixel();
        let at = |(x, y): (i32, i32)| (x - left, y - top);
        for (column, label) in self.labels.iter().enumerate() {
            let (x, y) = at(chart.backend_coord(&(column as f64 + 0.5, range.start)));
            let style = text(16).pos(Pos::new(HPos::Center, VPos::Top));
            area.draw(&Text::new(label.as_str(), (x, y + 8), style))?;
        }
        match self.kind {
            Kind::Ratios => {
                for bar in self.bars() {
                    let corners = [(bar.left, 1.0), (bar.right, bar.value)];
                    chart.draw_series([Rectangle::new(corners, bar.colour.filled())])?;
                    let end = ((bar.left + bar.right) / 2.0, bar.value);
                    let (x, y) = at(chart.backend_coord(&end));
                    let (y, vertical) =
                        if bar.value < 1.0 { (y + 3, VPos::Top) } else { (y - 3, VPos::Bottom) };
                    let style = text(12).pos(Pos::new(HPos::Center, vertical));
                    area.draw(&Text::new(significant(bar.value), (x, y), style))?;
                }
                let ends = [(0.0, 1.0), (self.labels.len() as f64, 1.0)];
                chart.draw_series([PathElement::new(ends, BLACK)])?;
            }
            Kind::Rates => {
                for series in &self.series {
                    let points: Vec<(f64, f64)> = series.points().collect();
                    let style = series.colour.stroke_width(3);
                    chart.draw_series([PathElement::new(points.clone(), style)])?;
                    chart.draw_series(
                        points.iter().map(|at| Circle::new(*at, 5, series.colour.filled())),
                    )?;
                }
            }
        }
        Ok(())
    }

    fn paint_legend(&self, area: &Area<'_>) -> Painted {
        for (line, series) in (0..).zip(&self.series) {
            let y = 50 + 24 * line;
            area.draw(&Rectangle::new([(0, y), (16, y + 14)], series.colour.filled()))?;
            let style = text(16).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(series.name.as_str(), (24, y + 7), style))?;
        }
        Ok(())
    }

    /// Returns the range of the values, with room at both ends for text.
    fn range(&self) -> Range<f64> {
        let values = self.series.iter().flat_map(|series| series.values.iter().copied().flatten());
        let all: Vec<f64> = match self.kind {
            Kind::Ratios => values.chain([1.0]).collect(),
            Kind::Rates => values.collect(),
        };
        let lowest = all.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = all.iter().copied().fold(0.0, f64::max);
        // In a panel of about 300 pixels, a line of text is this share of the logarithmic range.
        let room = (highest / lowest).powf(0.12).max(1.25);
        lowest / room..highest * room
    }

    /// Places the bars: those of one workload side by side, with a gap between workloads.
    fn bars(&self) -> impl Iterator<Item = Bar> {
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

struct Bar {
    left: f64,
    right: f64,
    value: f64,
    colour: RGBColor,
}

impl Series {
    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        let values = self.values.iter().enumerate();
        values.filter_map(|(column, value)| Some((column as f64 + 0.5, (*value)?)))
    }
}

fn text(size: i32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&BLACK)
}

/// Formats a value of the axis: ratios as they are, rates in thousands or millions.
fn axis_label(value: f64) -> String {
    match value {
        large if large >= 1e6 => format!("{} M", large / 1e6),
        large if large >= 1e3 => format!("{} k", large / 1e3),
        small => format!("{small}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::tests::{played, rounds};
    use crate::figures::Measure;
    use crate::rounds::Record;

    fn record(rates: &[&[f64]]) -> Record {
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
        assert_eq!(panels[0].labels, ["lat, one core", "tput:16"]);
        assert_eq!(panels[0].series.len(), 1);
        assert_eq!(panels[0].series[0].values, [Some(0.5), Some(1.5)]);
        assert_eq!(panels[2].series[0].values, [Some(40.0), Some(50.0)]);
        let range = panels[0].range();
        assert!(range.start < 0.5 && range.end > 1.5, "{range:?}");
    }

    #[test]
    fn the_file_is_a_png_with_all_panels() {
        let rounds = rounds(&["raw", "ours"], &["lat", "table:10", "table:20"]);
        let record = record(&[&[10.0, 40.0, 50.0], &[5.0, 20.0, 20.0]]);
        let comparison = Comparison { title: "All", rounds: &rounds, record: &record };
        let path = std::env::temp_dir().join(format!("bench-plot-{}.png", std::process::id()));
        assert!(draw(&[comparison], "a machine", &path).expect("drawn"));
        let file = std::io::BufReader::new(File::open(&path).expect("written"));
        let mut image = png::Decoder::new(file).read_info().expect("a PNG");
        let mut pixels = vec![0; image.output_buffer_size().expect("it fits")];
        let info = image.next_frame(&mut pixels).expect("whole");
        assert_eq!((info.width, info.height), (WIDTH, HEAD_HEIGHT + 2 * PANEL_HEIGHT));
        // Both colours of the contestants appear.
        for colour in &COLOURS[..2] {
            let bytes = [colour.0, colour.1, colour.2];
            assert!(pixels.chunks(3).any(|pixel| pixel == bytes), "{colour:?}");
        }
        std::fs::remove_file(&path).expect("there");
    }

    #[test]
    fn nothing_to_compare_is_no_plot() {
        let rounds = rounds(&["ours"], &["lat"]);
        let record = record(&[&[10.0]]);
        let comparison = Comparison { title: "All", rounds: &rounds, record: &record };
        assert!(!draw(&[comparison], "a machine", Path::new("/no/such")).expect("not drawn"));
    }
}
