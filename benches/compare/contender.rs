//! What takes part: one interface over Wasmtime's collectors and lowered execution.

use super::program::{Entry, Outcome, Program};
use super::{clock, lowered, stock, whole};
use std::process::Command;
use std::time::Duration;
use wasmtime::Result;
use wasmtime::error::Context;

/// An engine with a way to collect garbage. Everything about it that is not its name is a default.
pub trait Contender {
    /// `lowered`, or the name of a collector of Wasmtime.
    fn name(&self) -> &'static str;
    /// Whether a store keeps all garbage, so that every sample needs a new one.
    fn keeps_garbage(&self) -> bool {
        false
    }
    /// Whether it is no engine of this process; its compile time is not comparable.
    fn is_peer(&self) -> bool {
        false
    }
    /// A process that runs a `large` program once and prints an object with its `number`, and with `kib`, by how much
    /// resident memory grew at most if that is asked for.
    fn process(&self, program: &Program, memory: bool) -> Result<Command> {
        whole::process(program, self.name(), memory)
    }
    /// From the binary to code that can be run.
    fn compile(&self, wasm: &[u8]) -> Result<Box<dyn Compiled>>;
}

/// Machine code.
pub trait Compiled {
    /// Bytes of machine code, where it is known.
    fn code_bytes(&self) -> Option<usize>;
    /// A new store with an instance in it, ready to be started.
    fn instantiate(&self, entry: &Entry) -> Result<Box<dyn Running>>;
}

/// An instance.
pub trait Running {
    /// Starts the program once and waits for its end.
    fn run(&mut self) -> Result<Outcome>;
    /// The clock that its runs are measured by.
    fn clock(&self) -> Duration {
        clock::now()
    }
    /// What its heap has done since the store was made.
    fn heap(&self) -> HeapFigures;
}

/// Figures of a store's GC heap.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeapFigures {
    /// The largest length of the heap memory, in bytes. What `ResourceLimiter` sees.
    pub peak_bytes: u64,
    /// Pauses, where the collector counts them.
    pub pauses: Option<Pauses>,
}

/// Pauses of a collector.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pauses {
    pub longest: Duration,
    pub total: Duration,
    /// Collections of the young generation alone, and of everything.
    pub minor: u64,
    pub major: u64,
    /// Bytes that grew old.
    pub promoted_bytes: u64,
}

/// One of those that are part of this process.
pub fn named(name: &str) -> Result<Box<dyn Contender>> {
    all()?.into_iter().find(|contender| contender.name() == name).with_context(|| format!("no contender `{name}`"))
}

/// Those that are part of this process: lowered execution first, then Wasmtime's collectors, its default one first.
pub fn all() -> Result<Vec<Box<dyn Contender>>> {
    let mut contenders: Vec<Box<dyn Contender>> = vec![Box::new(lowered::Lowered::new()?)];
    contenders.extend(stock::all()?.into_iter().map(|stock| Box::new(stock) as Box<dyn Contender>));
    Ok(contenders)
}
