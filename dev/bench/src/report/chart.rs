//! Charts: a bar for each subject.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::{
    Color, DrawingArea, IntoDrawingArea, IntoFont, RGBColor, Rectangle, SVGBackend, Text, WHITE,
};

use super::number::number;
use crate::figure::{Figure, Layout};
use crate::measure::{CPU, HAND_OVER, PAIRS, PAIRS_OF_EIGHT, WAIT_FREE};

const WIDTH: i32 = 760;
const BAR: i32 = 18;
const HEAD: i32 = 44;
const LABELS: i32 = 260;
const ROOM: i32 = 110;
const SMALL: i32 = 15;
const LARGE: i32 = 18;

const INK: RGBColor = RGBColor(40, 44, 52);
const PINNED: RGBColor = RGBColor(37, 99, 160);
const UNPINNED: RGBColor = RGBColor(222, 142, 60);

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Whether a chart of it says more than its table.
pub(super) fn is_worth_one(group: &[Figure]) -> bool {
    [PAIRS, PAIRS_OF_EIGHT, WAIT_FREE, CPU, HAND_OVER].contains(&group[0].measure.as_str())
}

/// Writes the chart of one measure.
pub(super) fn draw(group: &[Figure], dir: &Path) -> Result<()> {
    let first = &group[0];
    let bars: Vec<&Figure> = group.iter().filter(|figure| figure.value.is_some()).collect();
    let height = HEAD + BAR * i32::try_from(bars.len())? + 12;
    let file = dir.join(format!("{}-{}.svg", first.database.name(), slug(&first.measure)));
    let size = (u32::try_from(WIDTH)?, u32::try_from(height)?);
    let area = SVGBackend::new(&file, size).into_drawing_area();
    paint(&area, &bars).map_err(|error| anyhow!("drawing {}: {error}", file.display()))?;
    Ok(())
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn paint(area: &Area<'_>, bars: &[&Figure]) -> Drawn {
    area.fill(&WHITE)?;
    let Some(first) = bars.first() else { return Ok(()) };
    let unit = if first.unit.is_empty() { String::new() } else { format!(" [{}]", first.unit) };
    let title = format!("{}: {}{unit}", first.database.title(), first.measure);
    write(area, title, (12, 12), LARGE)?;
    legend(area)?;
    let longest = bars.iter().filter_map(|bar| bar.value).fold(f64::EPSILON, f64::max);
    for (bar, top) in bars.iter().zip((HEAD..).step_by(usize::try_from(BAR)?)) {
        paint_bar(area, bar, top, longest)?;
    }
    area.present()?;
    Ok(())
}

fn paint_bar(area: &Area<'_>, bar: &Figure, top: i32, longest: f64) -> Drawn {
    let value = bar.value.unwrap_or_default();
    let end = LABELS + length(value / longest);
    let color = color(bar.layout);
    let corners = [(LABELS, top + 2), (end, top + BAR - 2)];
    area.draw(&Rectangle::new(corners, color.filled()))?;
    write(area, bar.subject.clone(), (12, top + 2), SMALL)?;
    let ratio = bar.ratio.map_or_else(String::new, |ratio| format!(" ({ratio:.2})"));
    write(area, format!("{}{ratio}", number(bar.value)), (end + 6, top + 2), SMALL)
}

/// The pixels of a share of the longest bar; a bar that goes the other way has none.
fn length(share: f64) -> i32 {
    let pixels = WIDTH - LABELS - ROOM;
    (0..pixels)
        .take_while(|pixel| f64::from(*pixel) < share * f64::from(pixels))
        .count()
        .try_into()
        .unwrap_or(pixels)
}

fn legend(area: &Area<'_>) -> Drawn {
    for (layout, left) in [(Layout::Pinned, 560), (Layout::Unpinned, 650)] {
        area.draw(&Rectangle::new([(left, 14), (left + 10, 24)], color(layout).filled()))?;
        write(area, layout.name().to_owned(), (left + 15, 13), SMALL)?;
    }
    Ok(())
}

fn color(layout: Layout) -> RGBColor {
    match layout {
        Layout::Pinned => PINNED,
        Layout::Unpinned | Layout::Neither => UNPINNED,
    }
}

fn write(area: &Area<'_>, text: String, at: (i32, i32), size: i32) -> Drawn {
    area.draw(&Text::new(text, at, ("sans-serif", size).into_font().color(&INK)))?;
    Ok(())
}

fn slug(measure: &str) -> String {
    let text: String = measure
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::{LABELS, ROOM, WIDTH, length, slug};

    #[test]
    fn a_measure_becomes_a_file_name() {
        assert_eq!(slug("client CPU per pair, 8 connections"), "client-CPU-per-pair-8-connections");
    }

    #[test]
    fn the_longest_bar_fills_the_room() {
        assert_eq!(length(1.0), WIDTH - LABELS - ROOM);
        assert_eq!((length(0.0), length(-1.0)), (0, 0));
    }
}
