//! The large cases as a picture: for each a bar for lowered execution, for Wasmtime's default collector, and for each
//! JavaScript engine. A bar's length is time, in times of lowered execution.

use super::program::Group;
use super::record::{Figures, Record};
use std::path::Path;
use svg::Document;
use svg::node::element::{Rectangle, Text};
use wasmtime::Result;

/// Lengths in pixels.
const NAMES: f64 = 170.0;
const BARS: f64 = 420.0;
const VALUES: f64 = 130.0;
const BAR: f64 = 13.0;
const GAP: f64 = 14.0;
const HEAD: f64 = 44.0;
/// A bar for more times than this is as long as one for this, and its value tells.
const MOST: f64 = 6.0;

/// One for each contender; readable on white and on black.
const COLOURS: &[&str] = &["#2563eb", "#9ca3af", "#d97706", "#059669", "#dc2626"];

/// Draws what was measured, unless nothing was.
pub fn draw(file: &Path, records: &[Record]) -> Result<()> {
    let rows: Vec<(&str, Vec<(&Figures, f64)>)> =
        records.iter().filter(|record| record.group == Group::Large).filter_map(row).collect();
    let longest = rows.iter().flat_map(|(_, bars)| bars.iter().map(|(_, times)| *times)).fold(1.0, f64::max).min(MOST);
    let mut y = HEAD;
    let title = "Time of whole programs, in times of wasmtime-gc: less is better";
    let mut document = Document::new().add(text(title, 8.0, 22.0).set("font-weight", "bold"));
    for (name, bars) in &rows {
        document = document.add(text(name, 8.0, y + BAR - 2.0));
        for (at, (figures, times)) in bars.iter().enumerate() {
            let width = BARS * times.min(longest) / longest;
            let bar = Rectangle::new().set("x", NAMES).set("y", y).set("width", width).set("height", BAR - 2.0);
            document = document.add(bar.set("fill", COLOURS[at % COLOURS.len()]));
            let value = format!("{} {times:.2}", label(figures));
            document = document.add(text(&value, NAMES + width + 6.0, y + BAR - 3.0));
            y += BAR;
        }
        y += GAP;
    }
    let width = NAMES + BARS + VALUES;
    let document = document.set("viewBox", (0, 0, width, y)).set("width", width).set("height", y);
    svg::save(file, &document)?;
    Ok(())
}

/// What is drawn of a program, lowered execution first.
fn row(record: &Record) -> Option<(&str, Vec<(&Figures, f64)>)> {
    let own = record.lowered().time()?;
    let shown = [record.lowered()].into_iter().chain(record.stock().first()).chain(record.peers());
    Some((&record.name, shown.filter_map(|figures| Some((figures, figures.time()? / own))).collect()))
}

fn label(figures: &Figures) -> String {
    match figures.name {
        "lowered" => "wasmtime-gc".to_string(),
        "copying" => "Wasmtime".to_string(),
        peer => peer.to_string(),
    }
}

fn text(content: &str, x: f64, y: f64) -> Text {
    // Grey is readable on white and on black.
    Text::new(content)
        .set("x", x)
        .set("y", y)
        .set("font-family", "sans-serif")
        .set("font-size", 12)
        .set("fill", "#737373")
}
