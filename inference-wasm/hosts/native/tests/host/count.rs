//! Counting a batch.

use contract::telemetry::FeatureCounts;
use host_native::count::count;

use crate::example::{batch, loaded};

#[test]
fn features_and_score_fall_into_their_bins() {
    let module = loaded();
    let profile = module.seal().unwrap().profile.as_ref().unwrap();
    let mut counters = monitoring::count::empty(Some(profile));
    let rows = batch(&[(0.5, 0, 3), (1.0, -1, 10), (f32::NAN, -2, 99), (7.0, 1, 0)]);
    count(module.manifest(), profile, &rows, &module.run(&rows).unwrap(), &mut counters);
    assert_eq!(counters.predictions, 4);
    assert_eq!(
        counters.features,
        [
            FeatureCounts { counts: vec![1, 1, 1], missing: 1, unseen: 0 },
            FeatureCounts { counts: vec![1, 1], missing: 1, unseen: 1 },
            FeatureCounts { counts: vec![2, 2], missing: 0, unseen: 0 },
        ]
    );
    assert_eq!(counters.score, [2, 1]); // 0.125, 0.125; NaN is counted nowhere; 1.875
}
