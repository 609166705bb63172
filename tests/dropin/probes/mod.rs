//! What programs get to see: each probe does many things and writes down what came of each.
//!
//! The same source with either crate gives lists of lines, which `main.rs` holds against each other. So the text of
//! every error here is Wasmtime's, whatever it is; a test of `cases/` says what it should be.

use super::wasmtime;

pub mod debugging;
pub mod entities;
pub mod epochs;
pub mod errors;
pub mod guests;
pub mod objects;
pub mod settings;
pub mod strangers;
pub mod types;

use super::cases::{config, engine, instance, store};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmtime::{Config, Result, ThrownException, Trap};

/// A list of what happened.
#[derive(Default)]
pub struct Log(pub Vec<String>);

impl Log {
    /// Writes down a result: the value, or the error with its causes and its code.
    pub fn put<T: Debug>(&mut self, what: &str, result: Result<T>) {
        let text = match result {
            Ok(value) => format!("{value:?}"),
            Err(err) => {
                let thrown = if err.is::<ThrownException>() { " [thrown]" } else { "" };
                // Where errors have a backtrace of the host, it comes last.
                let text = format!("{err:?}");
                let text = text.split("\nStack backtrace:").next().unwrap_or_default().trim_end();
                format!("error: {text} [{:?}]{thrown}", err.downcast_ref::<Trap>())
            }
        };
        self.0.push(format!("{what}: {text}"));
    }

    /// Writes down a value.
    pub fn see(&mut self, what: &str, value: impl Debug) {
        self.0.push(format!("{what}: {value:?}"));
    }

    /// Writes down whether something panics.
    pub fn panics<T>(&mut self, what: &str, run: impl FnOnce() -> T) {
        let end = if catch_unwind(AssertUnwindSafe(run)).is_ok() { "returned" } else { "panicked" };
        self.0.push(format!("{what}: {end}"));
    }
}

/// What changes a configuration.
type Setting = fn(&mut Config) -> &mut Config;
