//! What lowering produces.

use super::debug::{DebugSpaces, DebugTable};
use crate::ir::{Inlined, SrcLoc, TrapCode};
use crate::types::{FuncType, RefType, TypeId, ValType};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A lowered module.
#[derive(Debug)]
pub struct Lowered {
    /// Core WebAssembly.
    pub wasm: Vec<u8>,
    /// Where its instructions come from.
    pub sites: Sites,
    /// What the runtime must provide and know.
    pub meta: Meta,
}

/// From offsets in the lowered module to the original module: for traps and backtraces.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Sites {
    /// One entry for each instruction that can trap or call, by ascending offset.
    pub entries: Vec<Site>,
    /// Places in functions that were put in the place of a call.
    pub inlined: Vec<Inlined>,
    /// For each function of the lowered module: index in the original module, `u32::MAX` for those
    /// that lowering added.
    pub funcs: Vec<u32>,
    /// For each *original* function: its name, if the module gives one.
    #[serde(serialize_with = "in_order")]
    pub names: HashMap<u32, String>,
    /// For each original *defined* function: the offset of its body in the original module.
    pub func_offsets: Vec<u32>,
    /// How many functions the original module imports.
    pub imported_funcs: u32,
    /// In code for debuggers: what they see.
    pub debug: Option<Box<DebugTable>>,
}

/// The same names are the same bytes.
fn in_order<S: serde::Serializer>(names: &HashMap<u32, String>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(names.iter().collect::<BTreeMap<_, _>>())
}

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Byte offset in the lowered module.
    pub lowered: u32,
    /// Byte offset in the original module; `u32::MAX` for none. From [`SrcLoc::INLINED`] on, an entry of
    /// [`Sites::inlined`].
    pub original: u32,
    /// What a trap of this instruction means, if not what the engine says.
    pub trap: Option<TrapCode>,
    /// Of a load or store in the heap memory: its constant offset. A null reference faults at
    /// 0xFFFF_FFFF and so many bytes.
    pub heap_offset: Option<u32>,
    /// A branch around a trap, which it stands for: it has no fault of its own.
    pub is_branch: bool,
}

impl Sites {
    /// The instruction at an offset of the lowered module.
    pub fn find(&self, lowered: u32) -> Option<Site> {
        let at = self.entries.binary_search_by_key(&lowered, |site| site.lowered).ok()?;
        self.entries.get(at).copied()
    }

    /// Where in the original the instruction at a site stands; `None` if lowering added it.
    pub fn place(&self, site: Site) -> Option<u32> {
        let loc = SrcLoc(site.original);
        let inlined = loc.entry().and_then(|entry| self.inlined.get(entry));
        Some(inlined.map_or(loc, |place| place.loc).0).filter(|&loc| loc != u32::MAX)
    }

    /// What stands at a site in the original: an instruction, and if that is in a function that was put in
    /// the place of a call, the call, and so on.
    pub fn stack(&self, site: Site) -> Vec<u32> {
        let mut loc = SrcLoc(site.original);
        let mut stack = Vec::new();
        // The call of an entry comes before it, so this ends.
        while let Some(place) = loc.entry().and_then(|entry| self.inlined.get(entry)) {
            stack.push(place.loc.0);
            loc = place.call;
        }
        stack.push(loc.0);
        stack
    }

    /// The original function in whose body an offset is, and where that body starts.
    pub fn func_at(&self, offset: u32) -> Option<(u32, u32)> {
        let defined = self.func_offsets.partition_point(|&start| start <= offset).checked_sub(1)?;
        Some((self.imported_funcs + defined as u32, *self.func_offsets.get(defined)?))
    }
}

/// What the runtime must know of a lowered module.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Meta {
    /// The module's name.
    pub name: Option<String>,
    /// Imports that the lowered module has before the original's, all from
    /// [`crate::layout::names::NAMESPACE`], by name. The original's imports follow one to one.
    pub runtime_imports: Vec<RuntimeImport>,
    /// The original's imports, in order.
    pub imports: Vec<ImportMeta>,
    /// The original's exports, in order.
    pub exports: Vec<ExportMeta>,
    /// Words of the instance's root area.
    pub area_words: u32,
    /// The instance's own lowered tables: offset of the two words in the root area, and type. The init
    /// function gives them their first elements by `table_grow`. `None` where the elements are in the root area.
    pub own_tables: Vec<(Option<u32>, TableMeta)>,
    /// The same for element segments, which have no type that anybody could ask for.
    pub own_segments: Vec<u32>,
    /// The signatures of the instance's own tags. It needs as many consecutive identities, from
    /// `tag_base` on.
    pub own_tags: Vec<TypeId>,
    /// How many consecutive function handles the instance needs, from `function_base` on. The module
    /// itself fills them, by an active element segment of the imported function table.
    pub function_handles: u32,
    /// Canonical types whose RTT records must be in the heap.
    pub types: Vec<TypeId>,
    /// Whether the original has a start function.
    pub has_start: bool,
    /// Canonical function types, with their indices in the lowered type section.
    pub func_types: Vec<(TypeId, u32)>,
    /// In code for debuggers: all that the module has.
    pub debug: Option<Box<DebugSpaces>>,
}

/// An import that the runtime answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeImport {
    /// A name of [`crate::layout::names`].
    pub name: String,
    /// For `function_cast:…`: the type that is cast to. For `rtt:…` and `rtt_id:…`: whose record it is.
    pub of_type: Option<TypeId>,
}

/// An import of the original module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportMeta {
    /// Module name.
    pub module: String,
    /// Field name.
    pub name: String,
    /// Original type, and how the lowered module takes it.
    pub ty: EntityMeta,
}

/// An export of the original module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportMeta {
    /// Its name.
    pub name: String,
    /// Original type, and how the lowered module gives it.
    pub ty: EntityMeta,
}

/// An imported or exported entity.
///
/// A lowered global or table is no WebAssembly global or table: it lives in the heap, at a *cell*. An
/// imported one is an immutable `i32` global import with the original names, whose value is the
/// cell's address; an exported one is not exported by the lowered module, the runtime finds it by
/// its [`Cell`]. A tag is the same with an identity in place of an address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum EntityMeta {
    /// A function; native. References in its signature are `i32`, but for function references.
    Func {
        /// Canonical type.
        id: TypeId,
        /// Signature in original types.
        ty: FuncType,
        /// Whether it is of this very type, not of a subtype.
        exact: bool,
    },
    /// A global with a numeric type or a function reference: native.
    Global {
        /// Type.
        ty: ValType,
        /// Whether it can be written.
        mutable: bool,
    },
    /// A global with any other reference type: one word.
    RefGlobal {
        /// Type.
        ty: RefType,
        /// Whether it can be written.
        mutable: bool,
        /// Where it is; `None` for imports.
        cell: Option<Cell>,
    },
    /// A table of function references: native.
    Table(TableMeta),
    /// A table of any other reference type: two words, a reference to an array of the built-in type
    /// [`crate::layout::rtt::RTT_OF_TABLES`] that holds the elements (its length is the capacity),
    /// and the table's size as an i31.
    RefTable {
        /// Type.
        ty: TableMeta,
        /// Where it is; `None` for imports.
        cell: Option<Cell>,
    },
    /// A memory; native.
    Memory,
    /// A tag: an identity, which is an `i32`.
    Tag {
        /// Canonical type of its signature.
        id: TypeId,
        /// Which of the instance's own tags, or which import; `None` for imports.
        cell: Option<Cell>,
    },
}

/// A table's type.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TableMeta {
    /// Type of the elements.
    pub elem: RefType,
    /// Initial size.
    pub min: u64,
    /// Largest size.
    pub max: Option<u64>,
    /// Indices are `i64`.
    pub table64: bool,
}

/// Where a lowered global or table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    /// At this byte offset of the instance's root area; of its own tags, the one with this index.
    Own(u32),
    /// Re-exported: the cell that the `n`th import of the original module has.
    Import(u32),
}
