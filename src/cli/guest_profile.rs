//! `run --profile=guest[,PATH[,INTERVAL]]`: samples of what runs, for <https://profiler.firefox.com/>.
//!
//! A thread ends an epoch after each interval, and at its end the store takes a backtrace. A program that waits in the host is
//! sampled when it comes back. Functions and offsets are those of the original module (see `api/profiler.rs`). A component's
//! profile is Wasmtime's own.
//!
//! What this is not: `--profile-calls`, which counts where calls go, for the compiler.

use super::options::time;
use super::say;
use super::wasi::Host;
use crate::api::component::Component;
use crate::api::{Engine, GuestProfiler, Module, Result, Store, StoreContextMut, Trap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use wasmtime::UpdateDeadline;

/// Who takes samples.
pub(crate) enum Profiler {
    /// Of modules, as they were before lowering.
    Modules(Box<GuestProfiler>),
    /// Of a component.
    Component(Box<wasmtime::GuestProfiler>),
}

impl Profiler {
    /// Of modules by their names.
    ///
    /// # Errors
    ///
    /// When the engine is for debuggers.
    pub(super) fn of_modules(
        engine: &Engine,
        name: &str,
        samples: &Samples,
        modules: Vec<(String, Module)>,
    ) -> Result<Profiler> {
        GuestProfiler::new(engine, name, samples.interval, modules).map(Box::new).map(Profiler::Modules)
    }

    /// Of a component.
    ///
    /// # Errors
    ///
    /// When the engine is for debuggers.
    pub(super) fn of_component(
        engine: &Engine,
        name: &str,
        samples: &Samples,
        component: &Component,
    ) -> Result<Profiler> {
        let (engine, interval) = (engine.wasmtime(), samples.interval);
        let profiler = wasmtime::GuestProfiler::new_component(engine, name, interval, component.clone(), []);
        profiler.map(Box::new).map(Profiler::Component)
    }

    fn sample(&mut self, store: &StoreContextMut<'_, Host>) {
        match self {
            Profiler::Modules(profiler) => profiler.sample(store, Duration::ZERO),
            Profiler::Component(profiler) => profiler.sample(&store.inner, Duration::ZERO),
        }
    }

    fn finish(self, output: impl Write) -> Result<()> {
        match self {
            Profiler::Modules(profiler) => profiler.finish(output),
            Profiler::Component(profiler) => profiler.finish(output),
        }
    }
}

/// What is to be sampled how.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Samples {
    /// Where the profile is written.
    path: PathBuf,
    interval: Duration,
}

impl Samples {
    /// Of `PATH[,INTERVAL]`, or nothing for Wasmtime's defaults.
    pub(super) fn parse(text: &str) -> Result<Samples, String> {
        let mut parts = text.split(',');
        let path = parts.next().filter(|path| !path.is_empty()).unwrap_or("wasmtime-guest-profile.json").into();
        let interval = parts.next().map_or(Ok(Duration::from_millis(10)), time)?;
        match parts.next() {
            None => Ok(Samples { path, interval }),
            Some(_) => Err("write `guest[,PATH[,INTERVAL]]`".to_string()),
        }
    }

    /// Samples what a store runs from now on, for as long as what this gives is not dropped; and ends it at the first sample
    /// after a timeout.
    pub(super) fn begin(&self, store: &mut Store<Host>, profiler: Profiler, timeout: Option<Duration>) -> Sender<()> {
        let engine = store.engine().clone();
        store.data_mut().profiler = Some(profiler);
        store.set_epoch_deadline(1);
        let begin = Instant::now();
        store.epoch_deadline_callback(move |mut store| {
            if let Some(mut profiler) = store.data_mut().profiler.take() {
                profiler.sample(&store);
                store.data_mut().profiler = Some(profiler);
            }
            match timeout {
                Some(timeout) if begin.elapsed() >= timeout => Err(Trap::Interrupt.into()),
                _ => Ok(UpdateDeadline::Continue(1)),
            }
        });
        let (sender, receiver) = channel();
        let interval = self.interval;
        std::thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = receiver.recv_timeout(interval) {
                engine.increment_epoch();
            }
        });
        sender
    }

    /// Writes the profile. The program has run already, so that an error is told and no more.
    pub(super) fn finish(&self, store: &mut Store<Host>) {
        let Some(profiler) = store.data_mut().profiler.take() else { return };
        let write = || -> Result<()> {
            let mut file = BufWriter::new(File::create(&self.path)?);
            profiler.finish(&mut file)?;
            Ok(file.flush()?)
        };
        let path = self.path.display();
        match write() {
            Ok(()) => {
                say(format_args!("\nProfile written to: {path}\nView this profile at https://profiler.firefox.com/."))
            }
            Err(why) => say(format_args!("failed writing profile at {path}: {why:#}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_intervals_have_defaults() {
        let samples = |path: &str, ms| Ok(Samples { path: path.into(), interval: Duration::from_millis(ms) });
        assert_eq!(Samples::parse(""), samples("wasmtime-guest-profile.json", 10));
        assert_eq!(Samples::parse("a.json"), samples("a.json", 10));
        assert_eq!(Samples::parse("a.json,3ms"), samples("a.json", 3));
        assert!(Samples::parse("a.json,fast").is_err_and(|why| why.contains("is no time")));
        assert!(Samples::parse("a.json,3ms,b").is_err_and(|why| why.contains("PATH")));
    }
}
