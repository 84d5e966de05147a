//! The plot: a PNG with one panel for each group of workloads.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use contract::Result;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

use crate::comparison::Comparison;
use crate::panel::{Kind, Panel, grid, panels};
use crate::table::significant;

const WIDTH: u32 = 1600;
const LEGEND_WIDTH: u32 = 160;
const HEAD_HEIGHT: u32 = 60;
const PANEL_HEIGHT: u32 = 380;
const FONT: &str = "sans-serif";

/// Draws the panels of all comparisons into a PNG file. Returns false if there is nothing to draw.
///
/// # Errors
/// Returns an error if the file cannot be written.
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
        let right = self.columns.len() as f64;
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, text(20))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(70)
            .build_cartesian_2d(0.0..right, range.clone().log_scale())?;
        // Text has a size in pixels, so that it is placed in the coordinates of the area.
        let (first_x, first_y) = area.get_base_pixel();
        let at = |(x, y): (i32, i32)| (x - first_x, y - first_y);
        for value in grid(&range) {
            let ends = [(0.0, value), (right, value)];
            chart.draw_series([PathElement::new(ends, RGBColor(225, 225, 225))])?;
            let (x, y) = at(chart.backend_coord(&ends[0]));
            let style = text(15).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw(&Text::new(axis_label(value), (x - 8, y), style))?;
        }
        for (index, column) in self.columns.iter().enumerate() {
            let (x, y) = at(chart.backend_coord(&(index as f64 + 0.5, range.start)));
            let style = text(16).pos(Pos::new(HPos::Center, VPos::Top));
            area.draw(&Text::new(column.label.as_str(), (x, y + 8), style.clone()))?;
            if let Some(note) = &column.note {
                let style = style.color(&RGBColor(100, 100, 100));
                area.draw(&Text::new(note.as_str(), (x, y + 28), style))?;
            }
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
                    let style = text(14).pos(Pos::new(HPos::Center, vertical));
                    area.draw(&Text::new(significant(bar.value), (x, y), style))?;
                }
                let ends = [(0.0, 1.0), (right, 1.0)];
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
    use crate::comparison::tests::rounds;
    use crate::panel::COLOURS;
    use crate::panel::tests::record;

    #[test]
    fn large_values_have_a_prefix() {
        let labels = [0.05, 1.0, 500.0, 50e3, 2e6].map(axis_label);
        assert_eq!(labels, ["0.05", "1", "500", "50 k", "2 M"]);
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
