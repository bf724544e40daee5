//! Pieces that know the domain: runs, models, features, traffic.

pub mod account;
pub mod alarm_banner;
pub mod answer;
pub mod artifacts;
pub mod compare;
pub mod cost;
pub mod curves;
pub mod drift_card;
pub mod events;
pub mod fields;
pub mod file_view;
pub mod key_values;
pub mod model_card;
pub mod model_head;
pub mod operators;
pub mod origin;
pub mod performance;
pub mod run_columns;
pub mod run_list;
pub mod run_table;
pub mod signature;
pub mod status;
pub mod totals;
pub mod traffic;
pub mod version_card;
