//! Globals and tables that live in the heap.
//!
//! A global is one word of a root area. A table that is known here is two (a small one that nobody sees from outside may be
//! its elements themselves, of which only lowered code knows: `lower/op/table.rs`): a reference to an array whose length is the
//! capacity, and the size as an i31. Root areas are scanned by every collection, so storing to a cell
//! needs no barrier; storing to a table's array does.

use super::memory::{read_word, write_word};
use super::store::{GcState, StoreData, alloc_error, ensure_heap, with_heap};
use super::{Error, Result};
use crate::heap::HeapMemory;
use crate::layout::object::{ARRAY_ELEMENTS, ARRAY_LENGTH};
use crate::layout::reference::{self, NULL};
use wasmtime::AsContextMut;

/// Tables can not be larger: their size is kept as an i31.
const MAX_TABLE: u64 = i32::MAX as u64;
/// Words of a table's cells.
const TABLE_WORDS: u32 = 2;

#[cold]
fn bad_cell() -> Error {
    Error::new(crate::fault::Error::bug("the cell of a global or table is out of bounds"))
}

/// Reads a global.
pub fn get<T: 'static>(cx: impl wasmtime::AsContext<Data = StoreData<T>>, cell: u32) -> Result<u32> {
    super::store::heap_word(cx, cell).ok_or_else(bad_cell)
}

/// Writes a global.
pub fn set<T: 'static>(cx: impl AsContextMut<Data = StoreData<T>>, cell: u32, word: u32) -> Result<()> {
    with_heap(cx, |_, mem| write_word(mem.bytes_mut(), cell, word))?.ok_or_else(bad_cell)
}

/// A new global, with a value.
pub fn new_global<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>, word: u32) -> Result<u32> {
    ensure_heap(&mut cx)?;
    let cell = with_heap(&mut cx, |state, mem| state.heap.alloc_root_area(mem, 1))?.map_err(alloc_error)?;
    set(cx, cell, word)?;
    Ok(cell)
}

/// A new table, with every element the same.
pub fn new_table<T: 'static>(
    mut cx: impl AsContextMut<Data = StoreData<T>>,
    size: u64,
    max: Option<u64>,
    init: u32,
) -> Result<u32> {
    ensure_heap(&mut cx)?;
    cx.as_context_mut().data_mut().new_table_allowed(size, max)?;
    let cell = with_heap(&mut cx, |state, mem| {
        // The initial value must be where a collection sees it.
        let scope = state.roots.enter_scope();
        let init = state.roots.push(init);
        let cell = state.heap.alloc_root_area(mem, TABLE_WORDS).map_err(alloc_error).and_then(|cell| {
            set_up_table(state, mem, cell, max)?;
            let init = state.roots.get(init).unwrap_or(NULL);
            let grown = grow(state, mem, cell, size, init)?;
            grown.map(|_| cell).ok_or_else(|| Error::msg("the table does not fit into the GC heap"))
        });
        state.roots.exit_scope(scope);
        cell
    })??;
    Ok(cell)
}

/// Makes the cells of a new table those of an empty one.
pub fn set_up_table(state: &mut GcState, mem: &mut dyn HeapMemory, cell: u32, max: Option<u64>) -> Result<()> {
    state.table_max.insert(cell, max.unwrap_or(u64::MAX));
    set_up_segment(mem, cell)
}

/// Makes an element segment empty. To be filled it grows like a table, but nobody limits it.
pub fn set_up_segment(mem: &mut dyn HeapMemory, cell: u32) -> Result<()> {
    write_word(mem.bytes_mut(), cell + 4, reference::i31(0)).ok_or_else(bad_cell)
}

/// The number of elements.
pub fn table_size<T: 'static>(cx: impl wasmtime::AsContext<Data = StoreData<T>>, cell: u32) -> Result<u32> {
    super::store::heap_word(cx, cell + 4).map(reference::i31_u).ok_or_else(bad_cell)
}

/// The element at an index; `None` if there is none.
pub fn table_get<T: 'static>(cx: impl AsContextMut<Data = StoreData<T>>, cell: u32, index: u64) -> Result<Option<u32>> {
    with_heap(cx, |_, mem| {
        let (array, size) = parts(mem, cell)?;
        if index >= u64::from(size) {
            return Ok(None);
        }
        read_word(mem.bytes(), element(array, index as u32)).map(Some).ok_or_else(bad_cell)
    })?
}

/// Sets elements; `false` if the range is out of bounds, and then nothing is changed.
pub fn table_fill<T: 'static>(
    cx: impl AsContextMut<Data = StoreData<T>>,
    cell: u32,
    start: u64,
    len: u64,
    word: u32,
) -> Result<bool> {
    with_heap(cx, |state, mem| {
        let (array, size) = parts(mem, cell)?;
        let Some(end) = start.checked_add(len).filter(|&end| end <= u64::from(size)) else { return Ok(false) };
        fill(state, mem, array, start as u32, end as u32, word)?;
        Ok(true)
    })?
}

/// Copies elements; `false` if a range is out of bounds, and then nothing is changed.
pub fn table_copy<T: 'static>(
    cx: impl AsContextMut<Data = StoreData<T>>,
    (dst, to): (u32, u64),
    (src, from): (u32, u64),
    len: u64,
) -> Result<bool> {
    with_heap(cx, |state, mem| {
        let place = |mem: &dyn HeapMemory, cell, start: u64| -> Result<Option<(u32, u32)>> {
            let (array, size) = parts(mem, cell)?;
            let fits = start.checked_add(len).is_some_and(|end| end <= u64::from(size));
            // The start is at most the size.
            Ok(fits.then_some((array, start as u32)))
        };
        let (Some(to), Some(from)) = (place(mem, dst, to)?, place(mem, src, from)?) else { return Ok(false) };
        if len == 0 {
            return Ok(true);
        }
        let start = element(from.0, from.1) as usize;
        let (range, at) = (start..start + 4 * len as usize, element(to.0, to.1) as usize);
        let bytes = mem.bytes_mut();
        if range.end > bytes.len() || at + range.len() > bytes.len() {
            return Err(bad_cell());
        }
        bytes.copy_within(range, at);
        state.heap.remember_elements(mem, to.0, to.1, len as u32);
        Ok(true)
    })?
}

/// Grows a table: its former size; `None` if it can not, or if the store's limiter refuses.
pub fn table_grow<T: 'static>(
    mut cx: impl AsContextMut<Data = StoreData<T>>,
    cell: u32,
    delta: u64,
    init: u32,
) -> Result<Option<u32>> {
    let (size, max) = with_heap(&mut cx, |state, mem| {
        // The first elements were granted before there was a table.
        let granted = state.table_granted.remove(&cell);
        let max = state.table_max.get(&cell).copied().filter(|_| !granted);
        parts(mem, cell).map(|(_, size)| (u64::from(size), max))
    })??;
    if let (Some(max), 1..) = (max, delta) {
        let mut cx = cx.as_context_mut();
        let data = cx.data_mut();
        let Some(new) = size.checked_add(delta) else {
            data.table_grow_failed(Error::msg("overflow calculating new table size"))?;
            return Ok(None);
        };
        if !data.table_growing(size, new, max)? {
            return Ok(None);
        }
        if new > max {
            data.table_grow_failed(Error::msg("Table maximum size exceeded"))?;
            return Ok(None);
        }
    }
    let grown = with_heap(&mut cx, |state, mem| grow(state, mem, cell, delta, init))??;
    if grown.is_none() {
        let full = Error::msg("the table does not fit into the GC heap");
        cx.as_context_mut().data_mut().table_grow_failed(full)?;
    }
    Ok(grown)
}

/// The array of elements, and how many of them are in use.
fn parts(mem: &dyn HeapMemory, cell: u32) -> Result<(u32, u32)> {
    let bytes = mem.bytes();
    let word = |at| read_word(bytes, at).ok_or_else(bad_cell);
    Ok((word(cell)?, reference::i31_u(word(cell + 4)?)))
}

/// The address of an element. Arrays are far smaller than the address space.
fn element(array: u32, index: u32) -> u32 {
    reference::header(array).wrapping_add(ARRAY_ELEMENTS).wrapping_add(index.wrapping_mul(4))
}

fn fill(state: &mut GcState, mem: &mut dyn HeapMemory, array: u32, start: u32, end: u32, word: u32) -> Result<()> {
    if start == end {
        return Ok(());
    }
    let range = element(array, start) as usize..element(array, end) as usize;
    let bytes = mem.bytes_mut().get_mut(range).ok_or_else(bad_cell)?;
    bytes.as_chunks_mut::<4>().0.fill(word.to_le_bytes());
    if reference::is_object(word) {
        state.heap.remember_elements(mem, array, start, end - start);
    }
    Ok(())
}

fn grow(state: &mut GcState, mem: &mut dyn HeapMemory, cell: u32, delta: u64, init: u32) -> Result<Option<u32>> {
    let (array, size) = parts(mem, cell)?;
    let max = state.table_max.get(&cell).map_or(MAX_TABLE, |&max| max.min(MAX_TABLE));
    let Some(new) = u64::from(size).checked_add(delta).filter(|&new| new <= max) else { return Ok(None) };
    // At most `MAX_TABLE`.
    let new = new as u32;
    let capacity = state.heap.array_len(mem, array).unwrap_or(0);
    let (array, init) = if new > capacity {
        let want = u64::from(new).max(2 * u64::from(capacity)).min(max.max(u64::from(new))) as u32;
        match enlarge(state, mem, cell, size, [want, new], init)? {
            Some(parts) => parts,
            None => return Ok(None),
        }
    } else {
        (array, init)
    };
    fill(state, mem, array, size, new, init)?;
    write_word(mem.bytes_mut(), cell + 4, reference::i31(new)).ok_or_else(bad_cell)?;
    Ok(Some(size))
}

/// Moves a table's elements to a new array, of one of the capacities that are tried in order: it and
/// the initial value, which may have moved; `None` if there is no room.
fn enlarge(
    state: &mut GcState,
    mem: &mut dyn HeapMemory,
    cell: u32,
    size: u32,
    capacities: [u32; 2],
    init: u32,
) -> Result<Option<(u32, u32)>> {
    let rtt = state.table_rtt;
    let scope = state.roots.enter_scope();
    let root = state.roots.push(init);
    let array =
        capacities.into_iter().find_map(|capacity| state.heap.alloc_array(mem, &mut state.roots, rtt, capacity).ok());
    let init = state.roots.get(root).unwrap_or(NULL);
    state.roots.exit_scope(scope);
    let Some(array) = array else { return Ok(None) };
    let capacity = read_word(mem.bytes(), reference::header(array) + ARRAY_LENGTH).ok_or_else(bad_cell)?;
    fill(state, mem, array, size, capacity, NULL)?;
    let (old, _) = parts(mem, cell)?;
    if size > 0 {
        let from = element(old, 0) as usize..element(old, size) as usize;
        let to = element(array, 0) as usize;
        let bytes = mem.bytes_mut();
        if from.end > bytes.len() || to + 4 * size as usize > bytes.len() {
            return Err(bad_cell());
        }
        bytes.copy_within(from, to);
        state.heap.remember_elements(mem, array, 0, size);
    }
    write_word(mem.bytes_mut(), cell, array).ok_or_else(bad_cell)?;
    Ok(Some((array, init)))
}
