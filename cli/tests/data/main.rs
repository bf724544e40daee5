//! `beira train` from the outside: sources, checks, features, and a tracking server that goes away.

mod kaggle;
mod outage;
mod support;
mod wrong;
