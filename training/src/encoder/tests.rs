//! Small tables and what a learner sees of them.

use super::Encoder;
use crate::data::Data;
use crate::{Pipeline, read};

const CSV: &str = "\
n,m,t,d,at,y
1,2,a,1999-12-31,2024-02-29 23:59:59,0
-3,0,b,2000-01-01,1969-12-31 00:00:00,1
,4,,,,0
7,2,a,1970-01-01,2023-01-01 12:30:00,1
";

/// Names of the columns, then a line for each row; all rows are training rows.
fn check(features: &str, expected: &str) {
    let yaml = format!("{{name: t, source: {{csv: t}}, target: y, features: {features}}}");
    let pipeline = Pipeline::parse(&yaml, "p").unwrap();
    let data = Data::new(&read::parse(CSV.as_bytes(), "t").unwrap(), &pipeline).unwrap();
    let rows: Vec<usize> = (0..data.rows).collect();
    let text = match Encoder::fit(&data, &rows, &pipeline) {
        Ok(encoder) => {
            let wanted = expected.lines().next().unwrap_or_default();
            let kept: Vec<usize> =
                (0..encoder.width()).filter(|i| wanted.split(' ').any(|name| name == encoder.names()[*i])).collect();
            let matrix = encoder.raw(&data, &rows);
            let line = |row: &[f32]| kept.iter().map(|i| row[*i].to_string()).collect::<Vec<_>>().join(" ");
            let names = kept.iter().map(|i| encoder.names()[*i].clone()).collect::<Vec<_>>().join(" ");
            std::iter::once(names).chain(matrix.rows().map(line)).collect::<Vec<_>>().join("\n")
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(text, expected, "{features}");
}

#[test]
fn numbers() {
    check("{}", "n m\n1 2\n-3 0\nNaN 4\n7 2");
    check("{n: {impute: median}}", "n\n1\n-3\n1\n7");
    check("{n: {impute: mean}}", "n\n1\n-3\n1.6666666\n7");
    check("{n: {impute: 5}}", "n\n1\n-3\n5\n7");
    check("{n: {log: true}}", "n\n0.6931472\n-1.3862944\nNaN\n2.0794415");
    check("{n: {bucket: [1, 2]}}", "n\n1\n0\nNaN\n2");
    check("{n: {bucket: [1, 2], one_hot: true}}", "n=0 n=1 n=2\n0 1 0\n1 0 0\n0 0 0\n0 0 1");
    check("{m: {bucket: 2}}", "m\n1\n0\n1\n1");
    check("{n: {scale: min_max}}", "n\n0.4\n0\nNaN\n1");
    check("{m: {scale: standard}}", "m\n0\n-1.4142135\n1.4142135\n0");
    check("{r: {ratio: [n, m]}}", "r\n0.5\nNaN\nNaN\n3.5");
    check("{more: {from: n, impute: 0}}", "n more\n1 1\n-3 -3\nNaN 0\n7 7");
}

#[test]
fn texts() {
    check("{}", "t=a t=b\n1 0\n0 1\n0 0\n1 0");
    check("{t: {impute: most_frequent}}", "t=a t=b\n1 0\n0 1\n1 0\n1 0");
    check("{t: {impute: none}}", "t=a t=b t=none\n1 0 0\n0 1 0\n0 0 1\n1 0 0");
    check("{t: {ordinal: true}}", "t\n0\n1\nNaN\n0");
    check("{t: {ordinal: [b, x, a], impute: x}}", "t\n2\n0\n1\n2");
    check("{t: {ordinal: [b]}}", "t\nNaN\n0\nNaN\nNaN");
}

#[test]
fn dates() {
    check(
        "{}",
        "d.days d.year d.month d.day d.weekday\n10956 1999 12 31 4\n10957 2000 1 1 5\nNaN NaN NaN NaN NaN\n0 1970 1 1 3",
    );
    check(
        "{at: {date: [days, quarter, weekday, hour, minute]}}",
        "at.days at.quarter at.weekday at.hour at.minute\n19782 1 3 23 59\n-1 4 2 0 0\nNaN NaN NaN NaN NaN\n19358 1 6 12 30",
    );
}

#[test]
fn errors_name_the_feature() {
    check(
        "{x: {log: true}}",
        "pipeline: features.x: there is no column `x` to start from (or it is the target, or `ignore`)",
    );
    check("{r: {ratio: [n, t]}}", "pipeline: features.r: the column `t` holds no numbers");
    check(
        "{t: {log: true}}",
        "pipeline: features.t: the column holds texts; only `impute`, `one_hot` and `ordinal` take them",
    );
    check(
        "{n: {one_hot: true}}",
        "pipeline: features.n: the column holds numbers; `one_hot`, `ordinal` and `date` take others",
    );
    check("{d: {date: [hour]}}", "pipeline: features.d: date: no `hour` in dates of the format %Y-%m-%d");
    check("{t: {ordinal: [a], impute: z}}", "pipeline: features.t: impute: the text is not in the list of `ordinal`");
    check("{n: {impute: maen}}", "pipeline: features.n: impute: `mean`, `median` or a number is needed");
}
