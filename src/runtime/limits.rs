//! What a store's limiter is asked.
//!
//! To the engine the heap is one more instance, with a memory and a table. To an embedder it is to be no more than Wasmtime's
//! own heap is, so that limits that suit a module there suit it here:
//!
//! - Nothing of it counts as an instance, a memory or a table. What does is counted here, as the engine would.
//! - Of its memory the limiter is told what is behind the fixed part (`layout/map.rs`): room for objects that live on, and
//!   for tables of references. The fixed part, with shadow stack and nursery, is the engine's own need, as stacks are.
//! - Tables of references, which the engine does not see, are asked for here.
//!
//! Where the engine makes the heap or lets it grow it asks a limiter of ours, which agrees.
//!
//! What this is not: waiting for a limiter that does not answer at once; that is `ready.rs`.

use super::code::Code;
use super::ready::{Growth, TableAnswers, at_once};
use super::store::StoreData;
use super::{Error, Result};
use std::pin::Pin;
use wasmtime::{ResourceLimiter, ResourceLimiterAsync, StoreContextMut};

/// Finds the limiter in the embedder's data.
pub enum Limiter<T> {
    /// One that answers.
    Sync(Box<dyn (FnMut(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync>),
    /// One that may have to wait before it answers.
    Async(Box<dyn (FnMut(&mut T) -> &mut dyn ResourceLimiterAsync) + Send + Sync>),
}

/// What the engine allows by itself, of each kind.
const UNLIMITED: usize = 10_000;

/// How many there are, or may be.
#[derive(Clone, Copy, Default)]
struct Counts {
    instances: usize,
    tables: usize,
    memories: usize,
}

impl Counts {
    /// What an instance of a module counts for, as the module was before lowering.
    fn of(code: &Code) -> Counts {
        let own = code.lowered.as_ref().map_or(0, |lowered| lowered.meta.own_tables.len());
        let needs = code.wasmtime.resources_required();
        Counts {
            instances: 1,
            tables: own.saturating_add(needs.num_tables as usize),
            memories: needs.num_memories as usize,
        }
    }
}

/// What the engine asks while this lives is the heap's matter.
pub struct ForHeap<'a, 'b, T: 'static>(pub &'a mut StoreContextMut<'b, StoreData<T>>);

impl<'a, 'b, T: 'static> ForHeap<'a, 'b, T> {
    /// From now on.
    pub fn new(cx: &'a mut StoreContextMut<'b, StoreData<T>>) -> ForHeap<'a, 'b, T> {
        cx.data_mut().limits.for_heap = true;
        ForHeap(cx)
    }
}

impl<T: 'static> Drop for ForHeap<'_, '_, T> {
    fn drop(&mut self) {
        self.0.data_mut().limits.for_heap = false;
    }
}

/// The limiter of a store, and what became of its answers.
pub struct Limits<T> {
    limiter: Option<Limiter<T>>,
    /// What it allows.
    most: Counts,
    /// What there is, whether there was a limiter already or not.
    made: Counts,
    /// Bytes at the beginning of the heap that it is not told of.
    fixed: u64,
    /// It is the heap's matter what the engine asks now.
    for_heap: bool,
    agreeing: Agreeing,
    /// What the limiter says of tables, while the host asks for something that it can wait for.
    pub(super) table_answers: Option<TableAnswers>,
}

impl<T> Limits<T> {
    /// No limits.
    pub fn none() -> Limits<T> {
        Limits {
            limiter: None,
            most: Counts { instances: UNLIMITED, tables: UNLIMITED, memories: UNLIMITED },
            made: Counts::default(),
            fixed: 0,
            for_heap: false,
            agreeing: Agreeing { most: Counts::default() },
            table_answers: None,
        }
    }
}

/// The limiter that the engine asks where it is the heap's matter.
struct Agreeing {
    /// With room for the heap.
    most: Counts,
}

impl ResourceLimiter for Agreeing {
    fn memory_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.most.instances
    }

    fn tables(&self) -> usize {
        self.most.tables
    }

    fn memories(&self) -> usize {
        self.most.memories
    }
}

/// What a limiter says that may have to wait.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>>;

impl ResourceLimiterAsync for Agreeing {
    fn memory_growing<'a: 'b, 'b>(&'a mut self, _: usize, _: usize, _: Option<usize>) -> Answer<'b>
    where
        Self: 'b,
    {
        Box::pin(std::future::ready(Ok(true)))
    }

    fn table_growing<'a: 'b, 'b>(&'a mut self, _: usize, _: usize, _: Option<usize>) -> Answer<'b>
    where
        Self: 'b,
    {
        Box::pin(std::future::ready(Ok(true)))
    }

    fn instances(&self) -> usize {
        self.most.instances
    }

    fn tables(&self) -> usize {
        self.most.tables
    }

    fn memories(&self) -> usize {
        self.most.memories
    }
}

/// What the limiter says of the heap's growth.
pub enum HeapAnswer {
    /// It may grow.
    Yes,
    /// It may not.
    No,
    /// The limiter has to wait.
    Later,
}

/// Sets the limiter of a store.
pub fn set<T: 'static>(store: &mut wasmtime::Store<StoreData<T>>, limiter: Limiter<T>) {
    let waits = matches!(limiter, Limiter::Async(_));
    store.data_mut().set_limiter(limiter);
    // The engine asks at once how many of each there may be, and no more of that later: with room for the heap.
    store.data_mut().limits.for_heap = true;
    if waits {
        store.limiter_async(|data| data.engines_limiter_async());
    } else {
        store.limiter(|data| data.engines_limiter());
    }
    store.data_mut().limits.for_heap = false;
}

impl<T: 'static> StoreData<T> {
    fn set_limiter(&mut self, mut limiter: Limiter<T>) {
        let most = match &mut limiter {
            Limiter::Sync(limiter) => {
                let limiter = limiter(&mut self.user);
                Counts { instances: limiter.instances(), tables: limiter.tables(), memories: limiter.memories() }
            }
            Limiter::Async(limiter) => {
                let limiter = limiter(&mut self.user);
                Counts { instances: limiter.instances(), tables: limiter.tables(), memories: limiter.memories() }
            }
        };
        self.limits.limiter = Some(limiter);
        self.limits.most = most;
        // Debuggers have an instance for each start function.
        let more = if self.gc.engine.options.debug { usize::MAX } else { 1 };
        self.limits.agreeing.most = Counts {
            instances: most.instances.saturating_add(more),
            tables: most.tables.saturating_add(more),
            memories: most.memories.saturating_add(more),
        };
    }

    /// Whom the engine asks.
    fn engines_limiter(&mut self) -> &mut dyn ResourceLimiter {
        match &mut self.limits.limiter {
            Some(Limiter::Sync(limiter)) if !self.limits.for_heap => limiter(&mut self.user),
            _ => &mut self.limits.agreeing,
        }
    }

    /// The same, if it may have to wait.
    fn engines_limiter_async(&mut self) -> &mut dyn ResourceLimiterAsync {
        match &mut self.limits.limiter {
            Some(Limiter::Async(limiter)) if !self.limits.for_heap => limiter(&mut self.user),
            _ => &mut self.limits.agreeing,
        }
    }

    /// Counts an instance of a module.
    ///
    /// # Errors
    ///
    /// When there are too many, or too many tables or memories with its own.
    pub(super) fn count_instance(&mut self, code: &Code) -> Result<()> {
        let (needs, most, made) = (Counts::of(code), self.limits.most, &mut self.limits.made);
        let count = |slot: &mut usize, more: usize, most: usize, what: &str| {
            let new = slot.saturating_add(more);
            if new > most {
                return Err(Error::msg(format!("resource limit exceeded: {what} count too high at {new}")));
            }
            *slot = new;
            Ok(())
        };
        count(&mut made.instances, needs.instances, most.instances, "instance")?;
        count(&mut made.memories, needs.memories, most.memories, "memory")?;
        count(&mut made.tables, needs.tables, most.tables, "table")
    }

    /// Takes the count of an instance back, whose imports the engine has refused.
    pub(super) fn uncount_instance(&mut self, code: &Code) {
        let (needs, made) = (Counts::of(code), &mut self.limits.made);
        made.instances = made.instances.saturating_sub(needs.instances);
        made.memories = made.memories.saturating_sub(needs.memories);
        made.tables = made.tables.saturating_sub(needs.tables);
    }

    /// The heap has so many bytes that the limiter is not told of.
    pub(super) fn heap_is_fixed(&mut self, bytes: u64) {
        self.limits.fixed = bytes;
    }

    /// What the limiter is told of the heap's growth: `None` if that is nothing.
    fn heap_growth(&self, current: u64, desired: u64) -> Option<Growth> {
        let told = |bytes: u64| bytes.saturating_sub(self.limits.fixed);
        (told(desired) > 0).then(|| Growth::of(told(current), told(desired), told(1 << 32)))
    }

    /// Asks the limiter whether the heap may grow from so many bytes to so many.
    pub(super) fn heap_growing(&mut self, current: u64, desired: u64) -> HeapAnswer {
        let Some(Growth { current, desired, max }) = self.heap_growth(current, desired) else {
            return HeapAnswer::Yes;
        };
        let answer = match &mut self.limits.limiter {
            Some(Limiter::Sync(limiter)) => limiter(&mut self.user).memory_growing(current, desired, max),
            Some(Limiter::Async(limiter)) => {
                match at_once(limiter(&mut self.user).memory_growing(current, desired, max)) {
                    Some(answer) => answer,
                    None => return HeapAnswer::Later,
                }
            }
            None => Ok(true),
        };
        if answer.unwrap_or(false) { HeapAnswer::Yes } else { HeapAnswer::No }
    }

    /// The same, and waits for the answer.
    pub(super) async fn heap_growing_async(&mut self, current: u64, desired: u64) -> bool {
        let Some(Growth { current, desired, max }) = self.heap_growth(current, desired) else { return true };
        match &mut self.limits.limiter {
            Some(Limiter::Async(limiter)) => {
                limiter(&mut self.user).memory_growing(current, desired, max).await.unwrap_or(false)
            }
            _ => false,
        }
    }

    /// Tells the limiter that the heap has not grown although it might. The heap makes do with what it has, whatever the
    /// limiter says to that.
    pub(super) fn heap_grow_failed(&mut self, err: Error) {
        let _ = match &mut self.limits.limiter {
            Some(Limiter::Sync(limiter)) => limiter(&mut self.user).memory_grow_failed(err),
            Some(Limiter::Async(limiter)) => limiter(&mut self.user).memory_grow_failed(err),
            None => Ok(()),
        };
    }

    /// Asks the limiter whether a table in the heap may grow; `max` is `u64::MAX` for none.
    pub(crate) fn table_growing(&mut self, current: u64, desired: u64, max: u64) -> Result<bool> {
        let growth = Growth::of(current, desired, max);
        let limits = &mut self.limits;
        if limits.table_answers.as_mut().is_some_and(|answers| answers.has_allowed(growth)) {
            return Ok(true);
        }
        let Growth { current, desired, max } = growth;
        let answer = match &mut limits.limiter {
            Some(Limiter::Sync(limiter)) => limiter(&mut self.user).table_growing(current, desired, max),
            Some(Limiter::Async(limiter)) => {
                let Some(answer) = at_once(limiter(&mut self.user).table_growing(current, desired, max)) else {
                    limits.table_answers.iter_mut().for_each(|answers| answers.awaits(growth));
                    return Ok(false);
                };
                answer
            }
            None => Ok(true),
        };
        if let (Ok(true), Some(answers)) = (&answer, &mut limits.table_answers) {
            answers.allows(growth);
        }
        answer
    }

    /// Asks the limiter for a new table in the heap.
    pub(crate) fn new_table_allowed(&mut self, size: u64, max: Option<u64>) -> Result<()> {
        match self.table_growing(0, size, max.unwrap_or(u64::MAX))? {
            true => Ok(()),
            false => Err(Error::msg(format!("table minimum size of {size} elements exceeds table limits"))),
        }
    }

    /// Waits for what the limiter says of a table.
    pub(crate) async fn table_growing_async(&mut self, Growth { current, desired, max }: Growth) -> Result<bool> {
        match &mut self.limits.limiter {
            Some(Limiter::Async(limiter)) => limiter(&mut self.user).table_growing(current, desired, max).await,
            _ => Ok(false),
        }
    }

    /// Tells the limiter that it has allowed what can not be.
    pub(crate) fn table_grow_failed(&mut self, err: Error) -> Result<()> {
        match &mut self.limits.limiter {
            Some(Limiter::Sync(limiter)) => limiter(&mut self.user).table_grow_failed(err),
            Some(Limiter::Async(limiter)) => limiter(&mut self.user).table_grow_failed(err),
            None => Ok(()),
        }
    }
}
