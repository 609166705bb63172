//! What every function's lowering shares: where things are, by virtual index and by address.
//!
//! Virtual indices (see `index.rs`) of what lowering adds, behind the original spaces:
//!
//! | space | offset | what |
//! |---|---|---|
//! | functions | `RuntimeFunc as u32` | imports of the runtime, then helpers that lowering defines |
//! | functions | `CASTS + type index` | `function_cast:` imports |
//! | functions | behind those, by type index | `function_cast_exact:` imports |
//! | functions | behind those, by type index | functions that stand in for values nobody reads |
//! | functions | behind those, by type index | `func_bind:` imports |
//! | functions | behind those | parts of the init function |
//! | globals | `0`, `1`, `2` | root area, function base, tag base |
//! | globals | behind those | cells of imported tables, identities of imported tags |
//! | globals | behind those | in relocatable code: address and id of each RTT record |
//! | memories | `0` | the heap |
//! | tables | `0` | the store's functions |

use super::context::LowerContext;
use super::output::Cell;
use super::scan::Facts;
use crate::fault::Error;
use crate::layout::{GcType, HeapMap};
use crate::opt::Passes;
use crate::parse::{Elem, Entity, Module, SegmentMode};
use crate::types::{CompositeKind, HeapType, RefType, TypeId};
use foldhash::{HashMap, HashMapExt};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// Functions that lowered code may call besides the original ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum RuntimeFunc {
    /// Import `alloc`.
    Alloc,
    /// Import `remember_object`.
    RememberObject,
    /// Import `remember_elements`.
    RememberElements,
    /// Import `table_grow`.
    TableGrow,
    /// Import `function_handle`.
    FunctionHandle,
    /// Import `alloc_descriptor`.
    AllocDescriptor,
    /// Defined by lowering: appends a slot to the remembered buffer, for code that is to be small.
    Remember,
    /// Defined by lowering: runs globals, tables, segments, start.
    Init,
    /// Import `rtt_sub`.
    RttSub,
    /// Defined by lowering: allocates so many bytes, for code that is to be small.
    Allocate,
    /// Import `profile_call`.
    ProfileCall,
    /// Import `profile_entry`.
    ProfileEntry,
    /// Defined by lowering: copies bytes, few of them without a call of the engine's.
    CopyBytes,
    /// Defined by lowering: sets bytes, few of them without a call of the engine's.
    FillBytes,
}

impl RuntimeFunc {
    /// Its virtual index in a module.
    pub fn index(self, module: &Module<'_>) -> u32 {
        module.funcs.len() as u32 + self as u32
    }
}

/// First virtual function index, behind the original ones, of `function_cast:` imports.
pub const CASTS: u32 = 16;

/// How many globals of addresses and numbers lowering may add besides those of imported tables and tags.
const FIXED_GLOBALS: u32 = 3;

/// Where a global or table is that lowering moved into the heap.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Virtual index of the `i32` global that holds the base address.
    pub base: u32,
    /// Byte offset from there.
    pub offset: u32,
}

/// So many elements of tables are words of the root area, of all tables of a module together: every collection looks at
/// each of them.
const MAX_IN_LINE: u32 = 1024;

/// Where a lowered table or element segment is.
#[derive(Clone, Copy, Debug)]
pub struct TablePlace {
    /// Its first word in a root area.
    pub place: Place,
    /// How many elements it has for good, which then are the words there; `None` for two words that tell where they are.
    pub in_line: Option<u32>,
}

/// What every function's lowering shares.
pub struct ModuleEnv<'m, 'a> {
    /// The module.
    pub module: &'m Module<'a>,
    /// The heap's fixed addresses.
    pub map: HeapMap,
    /// Whether null checks must be explicit.
    pub explicit_null_checks: bool,
    /// Whether an index that is known to be in bounds is not checked again.
    pub bounds: bool,
    /// Types that have objects.
    pub gc_types: HashMap<TypeId, Arc<GcType>>,
    /// The built-in array type of lowered tables and element segments.
    pub table_array: Arc<GcType>,
    /// The built-in type of host values.
    pub hosts: Arc<GcType>,
    /// Places of globals, by index; `None` for native ones.
    pub globals: Vec<Option<Place>>,
    /// Places of tables, by index; `None` for native ones.
    pub tables: Vec<Option<TablePlace>>,
    /// Place of each element segment, in the root area: two words like a table.
    pub elems: Vec<Place>,
    /// Words in the root area.
    pub area_words: u32,
    /// In relocatable code: the types that have objects, by canonical id, and the number of each.
    pub rtts: BTreeMap<TypeId, u32>,
    /// Offset from the function base of the handle of each function whose reference can be taken.
    pub handles: BTreeMap<u32, u32>,
    /// Which of them are of functions that the module defines, by type index; these are the first ones.
    own_handles: Vec<(u32, Range<u32>)>,
}

impl<'m, 'a> ModuleEnv<'m, 'a> {
    /// The type of a segment's elements. Lowered code has no `nofunc`; where it goes to one table only, it
    /// has that table's type.
    pub fn elem_type(&self, elem: &Elem<'_>) -> RefType {
        match elem.mode {
            SegmentMode::Active { index, .. } if elem.ty.heap == HeapType::NoFunc => {
                let heap = self.module.tables.get(index as usize).map_or(elem.ty.heap, |table| table.elem.heap);
                RefType { heap, ..elem.ty }
            }
            _ => elem.ty,
        }
    }

    /// Decides where everything is.
    ///
    /// # Errors
    ///
    /// When the engine's address space of RTT records is used up.
    pub fn new(module: &'m Module<'a>, facts: &Facts, cx: &LowerContext<'_>) -> Result<Self, Error> {
        let mut gc_types = HashMap::new();
        for &id in module.types.ids() {
            if module.types.def(id).sub.composite.kind() == CompositeKind::Func || gc_types.contains_key(&id) {
                continue;
            }
            let ty = cx.gc_types.ensure(id).ok_or(crate::types::TypesError::Full)?;
            gc_types.insert(id, ty);
        }
        for &id in &module.rtt_types {
            gc_types.insert(id, cx.gc_types.ensure_record(id).ok_or(crate::types::TypesError::Full)?);
        }
        for &id in &module.tag_types {
            gc_types.insert(id, cx.gc_types.ensure(id).ok_or(crate::types::TypesError::Full)?);
        }
        let mut env = ModuleEnv {
            module,
            map: cx.map,
            explicit_null_checks: cx.explicit_null_checks,
            bounds: cx.passes.at_level(cx.opt_level).has(Passes::BOUNDS),
            gc_types,
            table_array: cx.gc_types.builtin(crate::layout::rtt::RTT_OF_TABLES),
            hosts: cx.gc_types.builtin(crate::layout::rtt::RTT_OF_HOSTS),
            globals: Vec::new(),
            tables: Vec::new(),
            elems: Vec::new(),
            area_words: 0,
            rtts: BTreeMap::new(),
            handles: BTreeMap::new(),
            own_handles: Vec::new(),
        };
        if cx.relocatable {
            env.rtts = env.gc_types.keys().copied().collect::<BTreeSet<_>>().into_iter().zip(0..).collect();
        }
        env.place(facts);
        env.assign_handles();
        Ok(env)
    }

    fn place(&mut self, facts: &Facts) {
        let area = self.area_global();
        let mut words = 0;
        let mut own = |count: u32| {
            let place = Place { base: area, offset: words * 4 };
            words += count;
            place
        };
        for (index, global) in (0u32..).zip(&self.module.globals) {
            self.globals.push(match (global.ty.is_gc_ref(), &global.init) {
                (false, _) => None,
                (true, None) => Some(Place { base: index, offset: 0 }),
                (true, Some(_)) => Some(own(1)),
            });
        }
        let mut room = MAX_IN_LINE;
        for (index, table) in (0u32..).zip(&self.module.tables) {
            let in_line =
                u32::try_from(table.min).ok().filter(|len| (1..=room).contains(len) && self.is_in_line(index, facts));
            room -= in_line.unwrap_or(0);
            let place = match (table.elem.is_func(), table.imported, in_line) {
                (true, ..) => None,
                // An imported table's cell address arrives as a global: those stand behind the first three.
                (false, true, _) => Some(Place { base: area + FIXED_GLOBALS + index, offset: 0 }),
                (false, false, Some(len)) => Some(own(len)),
                (false, false, None) => Some(own(2)),
            };
            self.tables.push(place.map(|place| TablePlace { place, in_line }));
        }
        self.elems = self.module.elems.iter().map(|_| own(2)).collect();
        self.area_words = words;
    }

    /// Whether a table is the module's own and seen by nothing else, and never grows.
    fn is_in_line(&self, table: u32, facts: &Facts) -> bool {
        let exported = || self.module.exports.iter().any(|export| export.entity == Entity::Table(table));
        let decl = self.module.tables.get(table as usize);
        // A debugger finds tables by their two words.
        !self.module.debug
            && decl.is_some_and(|decl| !decl.imported && !decl.elem.is_func())
            && !facts.grown_tables.contains(&table)
            && !exported()
    }

    /// Every function whose reference can be taken. Handles are only needed when objects can hold
    /// functions.
    fn assign_handles(&mut self) {
        use crate::layout::{ObjectLayout, Width};
        let holds = |ty: &Arc<GcType>| match &ty.layout {
            ObjectLayout::Struct(s) => s.fields.iter().any(|f| f.width == Width::FuncHandle),
            ObjectLayout::Array(a) => a.element == Width::FuncHandle,
        };
        if !self.module.has_func_words && !self.gc_types.values().any(holds) {
            return;
        }
        // Those of one type side by side, and last those that are imported, whose type may be below what is declared.
        let funcs = &self.module.funcs;
        let decl = |func: &u32| funcs.get(*func as usize).map(|decl| (decl.imported, decl.ty));
        let mut referable: Vec<u32> = self.module.referable().into_iter().collect();
        referable.sort_by_key(|func| (decl(func), *func));
        for (func, handle) in referable.into_iter().zip(0..) {
            self.handles.insert(func, handle);
            match (decl(&func), self.own_handles.last_mut()) {
                (Some((false, ty)), Some((last, range))) if *last == ty => range.end = handle + 1,
                (Some((false, ty)), _) => self.own_handles.push((ty, handle..handle + 1)),
                _ => {}
            }
        }
    }

    /// The functions that have handles, in the order of these.
    pub fn functions_with_handles(&self) -> Vec<u32> {
        let mut rows: Vec<(u32, u32)> = self.handles.iter().map(|(&func, &handle)| (handle, func)).collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, func)| func).collect()
    }

    /// How many functions of the module's own have handles, which are the first ones; and which of those are of a type.
    /// `None` where that is not worth it, as they are of many types.
    pub fn handles_of(&self, to: RefType) -> Option<(u32, Vec<Range<u32>>)> {
        /// So many types are looked at for each test.
        const MAX_TYPES: usize = 64;
        /// So many ranges are compared with.
        const MAX_RANGES: usize = 4;
        let own = self.own_handles.last().filter(|_| self.own_handles.len() <= MAX_TYPES)?.1.end;
        let types = &self.module.types;
        let mut found = Vec::<Range<u32>>::new();
        for (ty, range) in &self.own_handles {
            let heap = HeapType::Concrete(CompositeKind::Func, types.id(*ty));
            let is = if to.exact { heap == to.heap } else { types.is_sub_heap(heap, to.heap) };
            match found.last_mut() {
                Some(last) if is && last.end == range.start => last.end = range.end,
                _ if is => found.push(range.clone()),
                _ => {}
            }
        }
        (found.len() <= MAX_RANGES).then_some((own, found))
    }

    /// Virtual index of a function that lowering adds.
    pub fn runtime(&self, func: RuntimeFunc) -> u32 {
        func.index(self.module)
    }

    /// Whether a function of lowering's own may collect; `None` for an original function.
    pub fn runtime_collects(&self, virt: u32) -> Option<bool> {
        let own = virt.checked_sub(self.module.funcs.len() as u32)?;
        let quiet = [
            RuntimeFunc::RememberObject,
            RuntimeFunc::RememberElements,
            RuntimeFunc::FunctionHandle,
            RuntimeFunc::Remember,
            RuntimeFunc::ProfileCall,
            RuntimeFunc::ProfileEntry,
            RuntimeFunc::CopyBytes,
            RuntimeFunc::FillBytes,
        ];
        Some(!(quiet.iter().any(|&f| f as u32 == own) || self.cast_index(virt).is_some()))
    }

    /// Virtual index of the import that casts to a function type.
    pub fn cast_func(&self, id: TypeId, exact: bool) -> Option<u32> {
        let types = self.module.types.len() as u32;
        Some(self.module.funcs.len() as u32 + CASTS + u32::from(exact) * types + self.module.types.index_of(id)?)
    }

    /// The type index behind a virtual function index of a cast, and whether the cast is exact.
    pub fn cast_index(&self, virt: u32) -> Option<(u32, bool)> {
        let types = self.module.types.len() as u32;
        let index = virt.checked_sub(self.module.funcs.len() as u32 + CASTS)?;
        (index < 2 * types).then(|| (index % types, index >= types))
    }

    /// Virtual index of a function of a type that nobody calls, defined by lowering.
    pub fn stand_in(&self, ty: RefType) -> Option<u32> {
        let types = &self.module.types;
        let index = (0u32..).zip(types.ids()).find(|&(_, &id)| {
            let kind = types.def(id).sub.composite.kind();
            kind == CompositeKind::Func && types.is_sub_heap(HeapType::Concrete(kind, id), ty.heap)
        });
        Some(self.module.funcs.len() as u32 + CASTS + 2 * types.len() as u32 + index?.0)
    }

    /// The type index behind a virtual function index of a stand-in.
    pub fn stand_in_type(&self, virt: u32) -> Option<u32> {
        let types = self.module.types.len() as u32;
        let index = virt.checked_sub(self.module.funcs.len() as u32 + CASTS + 2 * types)?;
        (index < types).then_some(index)
    }

    /// Virtual index of the import that binds functions to a type.
    pub fn bind_func(&self, id: TypeId) -> Option<u32> {
        let types = self.module.types.len() as u32;
        Some(self.module.funcs.len() as u32 + CASTS + 3 * types + self.module.types.index_of(id)?)
    }

    /// The type index behind a virtual function index of such an import.
    pub fn bind_index(&self, virt: u32) -> Option<u32> {
        let types = self.module.types.len() as u32;
        let index = virt.checked_sub(self.module.funcs.len() as u32 + CASTS + 3 * types)?;
        (index < types).then_some(index)
    }

    /// Virtual index of a part of the init function.
    pub fn init_part(&self, part: u32) -> u32 {
        self.module.funcs.len() as u32 + CASTS + 4 * self.module.types.len() as u32 + part
    }

    /// Virtual index of the global that holds the root area's address.
    pub fn area_global(&self) -> u32 {
        self.module.globals.len() as u32
    }

    /// Virtual index of the global that holds the first function handle.
    pub fn function_base_global(&self) -> u32 {
        self.module.globals.len() as u32 + 1
    }

    /// Virtual index of the global that holds the identity of the instance's first tag.
    pub fn tag_base_global(&self) -> u32 {
        self.module.globals.len() as u32 + 2
    }

    /// Virtual index of the global that holds the address or identity of an imported table's or tag's.
    pub fn imported_table_global(&self, table: u32) -> u32 {
        self.area_global() + FIXED_GLOBALS + table
    }

    /// The same for an imported tag.
    pub fn imported_tag_global(&self, tag: u32) -> u32 {
        self.imported_table_global(self.module.tables.len() as u32) + tag
    }

    /// Virtual index of the global that holds the address of a type's record, or its id; `None` where they are
    /// constants.
    pub fn rtt_global(&self, ty: &GcType, id: bool) -> Option<u32> {
        let number = self.rtts.get(&ty.id?)?;
        Some(self.imported_tag_global(self.module.imported_tags) + 2 * number + u32::from(id))
    }

    /// The type whose record's address or id a global holds.
    pub fn rtt_of_global(&self, global: u32) -> Option<(TypeId, bool)> {
        let at = global.checked_sub(self.imported_tag_global(self.module.imported_tags))?;
        let (&ty, _) = self.rtts.iter().find(|&(_, &number)| number == at / 2)?;
        Some((ty, at % 2 == 1))
    }

    /// The identity of a tag: a global, and what is to be added to it.
    pub fn tag(&self, tag: u32) -> Place {
        match tag.checked_sub(self.module.imported_tags) {
            Some(own) => Place { base: self.tag_base_global(), offset: own },
            None => Place { base: self.imported_tag_global(tag), offset: 0 },
        }
    }

    /// Virtual index of the heap memory.
    pub fn heap(&self) -> u32 {
        self.module.memories.len() as u32
    }

    /// Virtual index of the store's function table.
    pub fn functions(&self) -> u32 {
        self.module.tables.len() as u32
    }

    /// The heap type at a canonical id.
    pub fn gc_type(&self, id: TypeId) -> Result<&Arc<GcType>, Error> {
        self.gc_types.get(&id).ok_or_else(|| Error::bug(format!("{id:?} has no objects")))
    }

    /// The virtual table index under which an element segment is filled and copied from.
    pub fn segment_table(&self, elem: u32) -> u32 {
        self.functions() + 1 + elem
    }

    /// The element segment that a virtual table index stands for.
    pub fn segment_of(&self, table: u32) -> Option<u32> {
        table.checked_sub(self.functions() + 1).filter(|&elem| (elem as usize) < self.elems.len())
    }

    /// Where a lowered table or segment is; `None` for a native table.
    pub fn table_place(&self, table: u32) -> Option<TablePlace> {
        match self.segment_of(table) {
            Some(elem) => self.elems.get(elem as usize).map(|&place| TablePlace { place, in_line: None }),
            None => self.tables.get(table as usize).copied().flatten(),
        }
    }

    /// Whether a table is native: it holds functions.
    pub fn native_table(&self, table: u32) -> bool {
        self.tables.get(table as usize).is_none_or(Option::is_none)
    }

    /// Whether a table's indices are `i64`.
    pub fn table_is_wide(&self, table: u32) -> bool {
        self.module.tables.get(table as usize).is_some_and(|t| t.table64)
    }

    /// The cell of a lowered global or table as the runtime finds it.
    pub fn cell(&self, place: Place, import: Option<u32>) -> Cell {
        match import {
            Some(n) => Cell::Import(n),
            None => Cell::Own(place.offset),
        }
    }
}
