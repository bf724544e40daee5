//! A drawing under construction: text and shapes with classes, colours by the page's scheme.

use std::fmt::Write;

/// Colours of series, readable on both backgrounds.
pub(super) const SERIES: usize = 6;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#3f4652}.title{font-weight:600;font-size:15px;fill:#171b24}\
.small{font-size:11.5px}.paper{fill:#fff}.axis{stroke:#c6ccd6;fill:none}.guide{stroke:#9aa3b2;stroke-dasharray:4 4;fill:none}\
.line{fill:none;stroke-width:2;stroke-linejoin:round}.dot{stroke:none}.cell{fill:#2f6fed}.strong{fill:#fff}\
.s0{stroke:#2f6fed;fill:#2f6fed}.s1{stroke:#d9662b;fill:#d9662b}.s2{stroke:#1f9d6b;fill:#1f9d6b}\
.s3{stroke:#9a5fd0;fill:#9a5fd0}.s4{stroke:#b8891a;fill:#b8891a}.s5{stroke:#cf4a77;fill:#cf4a77}path.line{fill:none}\
@media(prefers-color-scheme:dark){text{fill:#b9c1ce}.title{fill:#eef1f6}.paper{fill:#12161e}.axis{stroke:#38404e}\
.guide{stroke:#6b7585}.cell{fill:#5b8def}.strong{fill:#0b0e14}\
.s0{stroke:#79a6ff;fill:#79a6ff}.s1{stroke:#f29a6b;fill:#f29a6b}.s2{stroke:#5fd0a0;fill:#5fd0a0}\
.s3{stroke:#c39bee;fill:#c39bee}.s4{stroke:#e0b95a;fill:#e0b95a}.s5{stroke:#f287aa;fill:#f287aa}path.line{fill:none}}";

/// A drawing.
pub(super) struct Svg {
    body: String,
    width: f64,
    height: f64,
}

impl Svg {
    /// An empty sheet with a title.
    pub fn new(width: f64, height: f64, title: &str) -> Svg {
        let mut svg = Svg { body: String::new(), width, height };
        svg.rect("paper", (0.0, 0.0), (width, height), 1.0);
        svg.text("title", (20.0, 28.0), "start", title);
        svg
    }

    /// Text at a point; `anchor` is `start`, `middle` or `end`.
    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: &str, text: &str) {
        let text = escape(text);
        let _ =
            writeln!(self.body, r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#);
    }

    /// A rectangle from its upper left corner.
    pub fn rect(&mut self, class: &str, (x, y): (f64, f64), (w, h): (f64, f64), opacity: f64) {
        let shape = format!(r#"x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{h:.1}" fill-opacity="{opacity:.2}""#);
        let _ = writeln!(self.body, r#"<rect class="{class}" {shape} stroke="none"/>"#);
    }

    /// A line through points.
    pub fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut d = String::new();
        for (i, (x, y)) in points.iter().enumerate() {
            let _ = write!(d, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
        }
        let _ = writeln!(self.body, r#"<path class="{class}" d="{d}"/>"#);
    }

    /// A dot.
    pub fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64, opacity: f64) {
        let shape = format!(r#"cx="{x:.1}" cy="{y:.1}" r="{radius:.1}" fill-opacity="{opacity:.2}""#);
        let _ = writeln!(self.body, r#"<circle class="{class} dot" {shape}/>"#);
    }

    /// The file.
    pub fn finish(self) -> String {
        let (w, h) = (self.width, self.height);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\">\n\
             <style>{STYLE}</style>\n{}</svg>\n",
            self.body
        )
    }
}

/// A square field with axes from `low` to `high` either way, and the points in it.
pub(super) struct Field {
    low: (f64, f64),
    high: (f64, f64),
}

/// Upper left corner and side of the field.
const FIELD: (f64, f64, f64) = (64.0, 66.0, 340.0);

impl Field {
    /// Width and height of a sheet that holds a field.
    pub const SHEET: (f64, f64) = (430.0, 458.0);

    /// Draws axes, ticks and their names.
    pub fn new(svg: &mut Svg, low: (f64, f64), high: (f64, f64), names: (&str, &str)) -> Field {
        let field = Field { low, high };
        for i in 0..=4 {
            let share = f64::from(i) / 4.0;
            let (x, y) = (low.0 + share * (high.0 - low.0), low.1 + share * (high.1 - low.1));
            let (at_x, at_y) = (field.at((x, low.1)), field.at((low.0, y)));
            svg.path("axis", &[at_x, field.at((x, high.1))]);
            svg.path("axis", &[at_y, field.at((high.0, y))]);
            svg.text("small", (at_x.0, at_x.1 + 18.0), "middle", &tick(x));
            svg.text("small", (at_y.0 - 8.0, at_y.1 + 4.0), "end", &tick(y));
        }
        svg.text("small", (FIELD.0 + FIELD.2 / 2.0, FIELD.1 + FIELD.2 + 38.0), "middle", names.0);
        svg.text("small", (20.0, FIELD.1 - 14.0), "start", names.1);
        field
    }

    /// Where a point is on the sheet.
    pub fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |value: f64, low: f64, high: f64| if high > low { (value - low) / (high - low) } else { 0.5 };
        let (sx, sy) = (share(x, self.low.0, self.high.0), share(y, self.low.1, self.high.1));
        (FIELD.0 + sx * FIELD.2, FIELD.1 + (1.0 - sy) * FIELD.2)
    }
}

fn tick(value: f64) -> String {
    match value.abs() {
        size if size == 0.0 || (0.01..10.0).contains(&size) => format!("{value:.2}"),
        size if (10.0..100_000.0).contains(&size) => format!("{value:.0}"),
        _ => format!("{value:.1e}"),
    }
}

fn escape(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
