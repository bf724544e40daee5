//! The native host, seen from outside, on a module small enough to read.

mod count;
mod damage;
mod example;
mod oip;
mod records;
mod run;
