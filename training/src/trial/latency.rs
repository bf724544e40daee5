//! Time for one row, of both models in turn in this process: what else the machine does then falls
//! on both alike.

use std::hint::black_box;
use std::time::Instant;

use host_native::{Batch, Module};

use super::subject::Run;

/// Rows that are asked for, one at a time.
const ROWS: usize = 32;
/// Turns; the median of their ratios is what counts.
const TURNS: usize = 31;
/// Seconds of one turn of one model, about.
const TURN: f64 = 2e-3;

/// Microseconds for a row, by model: of the last model its least disturbed turn, of the others that
/// times the median ratio of their turns. `None` for a model that does not answer.
pub(super) fn paired(runs: &[Run]) -> Vec<Option<f64>> {
    let asked: Vec<Option<(&Module, Vec<Batch>)>> = runs.iter().map(ready).collect();
    let calls: Vec<usize> = asked.iter().map(|asked| asked.as_ref().map_or(0, calls_of_a_turn)).collect();
    let mut turns: Vec<Vec<f64>> = vec![Vec::with_capacity(TURNS); runs.len()];
    for turn in 0..TURNS {
        for k in 0..runs.len() {
            // Each goes first as often as the other.
            let model = if turn % 2 == 0 { k } else { runs.len() - 1 - k };
            if let Some((module, rows)) = &asked[model] {
                turns[model].push(time(module, rows, calls[model]));
            }
        }
    }
    let last = turns.last().map_or(&[][..], Vec::as_slice);
    let base = last.iter().copied().reduce(f64::min);
    let relative = |own: &Vec<f64>| match base {
        Some(base) => median(own.iter().zip(last).map(|(own, last)| own / last).collect()).map(|ratio| base * ratio),
        None => own.iter().copied().reduce(f64::min),
    };
    turns.iter().map(relative).collect()
}

fn ready(run: &Run) -> Option<(&Module, Vec<Batch>)> {
    let module = run.module.as_ref().ok().filter(|_| !run.regions.is_empty())?;
    let batch = &run.batch;
    let row = |row: usize| Batch {
        rows: 1,
        inputs: (batch.inputs.iter())
            .map(|region| {
                let width = region.len() / batch.rows;
                region[row * width..][..width].to_vec()
            })
            .collect(),
    };
    let rows: Vec<Batch> = (0..batch.rows.min(ROWS)).map(row).collect();
    (!rows.is_empty()).then_some((module, rows))
}

fn calls_of_a_turn((module, rows): &(&Module, Vec<Batch>)) -> usize {
    time(module, rows, ROWS); // warm
    let microseconds = time(module, rows, ROWS).max(1e-3);
    ((TURN * 1e6 / microseconds) as usize).clamp(1, 10_000)
}

/// Microseconds for one call.
fn time(module: &Module, rows: &[Batch], calls: usize) -> f64 {
    let start = Instant::now();
    for row in rows.iter().cycle().take(calls) {
        let _ = black_box(module.run(black_box(row)));
    }
    start.elapsed().as_secs_f64() * 1e6 / calls as f64
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
