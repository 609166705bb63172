//! How many instances, memories and tables a store has, against what its limiter allows.
//!
//! The heap is an instance with a memory and a table, which no embedder counts. So the engine is told one more of each
//! than the limiter says, and what it says is held here.

use super::code::Code;
use super::store::StoreData;
use super::{Error, Result};
use wasmtime::ResourceLimiter;

/// So many of each.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    instances: usize,
    memories: usize,
    tables: usize,
}

impl Counts {
    /// None.
    pub const NONE: Counts = Counts { instances: 0, memories: 0, tables: 0 };

    /// What a limiter allows.
    pub fn allowed(limiter: &dyn ResourceLimiter) -> Counts {
        Counts { instances: limiter.instances(), memories: limiter.memories(), tables: limiter.tables() }
    }

    /// What an instance of a module adds. Tables in the heap are tables.
    fn of(code: &Code) -> Counts {
        let native = code.wasmtime.resources_required();
        let in_heap = code.lowered.as_ref().map_or(0, |lowered| lowered.meta.own_tables.len());
        let count = |n: u32| n as usize;
        Counts { instances: 1, memories: count(native.num_memories), tables: count(native.num_tables) + in_heap }
    }

    /// Adds what an instance of a module needs.
    ///
    /// # Errors
    ///
    /// When that is more than is allowed.
    pub fn add(&mut self, code: &Code, allowed: Option<Counts>) -> Result<()> {
        let more = Counts::of(code);
        let add = |used: &mut usize, more: usize, most: fn(&Counts) -> usize, what: &str| {
            let sum = used.saturating_add(more);
            if allowed.is_some_and(|allowed| sum > most(&allowed)) {
                return Err(Error::msg(format!("resource limit exceeded: {what} count too high at {sum}")));
            }
            *used = sum;
            Ok(())
        };
        add(&mut self.instances, more.instances, |counts| counts.instances, "instance")?;
        add(&mut self.memories, more.memories, |counts| counts.memories, "memory")?;
        add(&mut self.tables, more.tables, |counts| counts.tables, "table")
    }
}

/// The engine's limiter: the embedder's, with room for the heap.
impl<T: 'static> ResourceLimiter for StoreData<T> {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.limiter().memory_growing(current, desired, maximum)
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        self.limiter().memory_grow_failed(error)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.limiter().table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        self.limiter().table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.allowed.map_or(wasmtime::DEFAULT_INSTANCE_LIMIT, |allowed| allowed.instances.saturating_add(1))
    }

    fn memories(&self) -> usize {
        self.allowed.map_or(wasmtime::DEFAULT_MEMORY_LIMIT, |allowed| allowed.memories.saturating_add(1))
    }

    fn tables(&self) -> usize {
        self.allowed.map_or(wasmtime::DEFAULT_TABLE_LIMIT, |allowed| allowed.tables.saturating_add(1))
    }
}
