//! Index spaces while a module is lowered.
//!
//! IR speaks in *virtual* indices: the original index space, extended behind its end by what lowering
//! adds. Wasm wants imports first, so what is added as an import moves everything else. [`IndexMap`]
//! is the one place that knows; emission asks it for every index it writes.

use foldhash::HashMap;

/// One index space.
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// For each virtual index: the final index. `u32::MAX` for what no longer exists.
    pub map: Vec<u32>,
}

impl Space {
    /// The final index of a virtual one.
    pub fn get(&self, index: u32) -> u32 {
        self.map.get(index as usize).copied().unwrap_or(u32::MAX)
    }
}

/// All index spaces of a module under lowering.
#[derive(Clone, Debug, Default)]
pub struct IndexMap {
    /// Functions.
    pub funcs: Space,
    /// Tables.
    pub tables: Space,
    /// Memories.
    pub memories: Space,
    /// Globals.
    pub globals: Space,
    /// Types: only function types survive.
    pub types: Space,
    /// Element segments.
    pub elems: Space,
    /// Data segments.
    pub data: Space,
    /// Final indices of the globals that hold references to functions, by virtual function index.
    pub func_refs: HashMap<u32, u32>,
    /// Virtual index of the heap memory.
    pub heap_memory: u32,
    /// Virtual index of the import `alloc`.
    pub alloc_func: u32,
}
