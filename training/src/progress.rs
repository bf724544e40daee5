//! Who watches a training: a terminal, the server, or nobody.

use indicatif::{ProgressBar, ProgressStyle};

/// What is told while a pipeline runs.
pub trait Progress: Send {
    /// A sentence about what happens now.
    fn say(&mut self, sentence: &str);
    /// A learner begins; it takes at most `steps` steps.
    fn start(&mut self, learner: &'static str, steps: usize);
    /// A learner did step `step` (from 0); its metrics by key.
    fn step(&mut self, learner: &'static str, step: usize, metrics: &[(&str, f64)]);
    /// A learner is done.
    fn end(&mut self, learner: &'static str);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn say(&mut self, _: &str) {}
    fn start(&mut self, _: &'static str, _: usize) {}
    fn step(&mut self, _: &'static str, _: usize, _: &[(&str, f64)]) {}
    fn end(&mut self, _: &'static str) {}
}

/// A bar on stderr where that is a terminal, plain lines elsewhere.
#[derive(Default)]
pub(crate) struct Terminal {
    bar: Option<ProgressBar>,
    last: String,
}

impl Progress for Terminal {
    fn say(&mut self, sentence: &str) {
        eprintln!("{sentence}");
    }

    fn start(&mut self, learner: &'static str, steps: usize) {
        let bar = ProgressBar::new(steps as u64);
        if bar.is_hidden() {
            eprintln!("fitting {learner}, at most {steps} steps");
        }
        if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {bar:30} {pos:>4}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(learner);
        self.bar = Some(bar);
        self.last = String::new();
    }

    fn step(&mut self, learner: &'static str, step: usize, metrics: &[(&str, f64)]) {
        let Some(bar) = &self.bar else { return };
        let short = |key: &str| key.split_once('.').map_or(key, |(_, key)| key).replace('_', " ");
        let texts: Vec<String> = metrics.iter().map(|(key, value)| format!("{} {value:.4}", short(key))).collect();
        self.last = texts.join(", ");
        bar.set_position(step as u64 + 1);
        bar.set_message(self.last.clone());
        if bar.is_hidden() && (step + 1).is_multiple_of(50) {
            eprintln!("{learner} {}: {}", step + 1, self.last);
        }
    }

    fn end(&mut self, learner: &'static str) {
        let Some(bar) = self.bar.take() else { return };
        if bar.is_hidden() {
            eprintln!("{learner} done after {} steps: {}", bar.position(), self.last);
        }
        bar.abandon();
    }
}
