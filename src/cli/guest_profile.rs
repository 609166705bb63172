//! `run --profile=guest[,PATH[,INTERVAL]]`: samples of what runs, for <https://profiler.firefox.com/>.
//!
//! A thread ends an epoch after each interval, and at its end the store takes a backtrace. A program that waits in the host is
//! sampled when it comes back. Functions and offsets are those of the original module (see `api/profiler.rs`).
//!
//! What this is not: `--profile-calls`, which counts where calls go, for the compiler.

use super::options::time;
use super::say;
use super::wasi::Host;
use crate::api::{GuestProfiler, Module, Result, Store, Trap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use wasmtime::UpdateDeadline;

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
    ///
    /// # Errors
    ///
    /// When the engine is for debuggers.
    pub(super) fn begin(
        &self,
        store: &mut Store<Host>,
        name: &str,
        modules: Vec<(String, Module)>,
        timeout: Option<Duration>,
    ) -> Result<Sender<()>> {
        let engine = store.engine().clone();
        store.data_mut().profiler = Some(GuestProfiler::new(&engine, name, self.interval, modules)?);
        store.set_epoch_deadline(1);
        let begin = Instant::now();
        store.epoch_deadline_callback(move |mut store| {
            if let Some(mut profiler) = store.data_mut().profiler.take() {
                profiler.sample(&store, Duration::ZERO);
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
        Ok(sender)
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
