//! Charts: pure arithmetic (scales, reduction, smoothing, paths) and the SVG components drawn with it.

pub mod bars;
pub mod cursor;
pub mod histogram;
pub mod line;
pub mod path;
pub mod reduce;
pub mod scale;
pub mod scene;
pub mod smooth;
pub mod sparkline;
pub mod width;

pub use bars::{Bars, StackedBars};
pub use histogram::{Histogram, Histograms};
pub use line::{LineChart, Series, XAxis};
pub use sparkline::Sparkline;
