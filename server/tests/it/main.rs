//! The server seen from outside: each file is a conversation with one part of it.

mod accounts;
mod artifacts;
mod bad_input;
mod database;
mod logs;
mod pages;
mod production;
mod routes;
mod serving;
mod signin;
mod support;
mod traces;
mod tracking;
mod vulnerabilities;
mod watch;
