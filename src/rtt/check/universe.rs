//! What validation of a body looks things up in: `wasmparser` validates, and this answers for the dialect's types.
//!
//! References to defined types, `data` and RTTs are all references to type indices for it:
//!
//! | index | what |
//! |---|---|
//! | below `PSEUDO` | a defined type, by its place in the lowered type table |
//! | from `PSEUDO` on | `data`, then RTT types as they come up |
//! | from `SIGS` on | signatures of intrinsics, never in a reference |
//!
//! Equal types have equal indices, so that equality needs no question.

use super::arena::Arena;
use super::ids;
use crate::rtt::ast::{Def, Heap, Storage, Val};
use crate::rtt::structural::Structural;
use std::collections::HashMap;
use std::sync::RwLock;
use wasmparser as wp;
use wasmparser::WasmModuleResources;
use wasmparser::types::CoreTypeId;

/// The first index of types that are not defined.
pub const PSEUDO: u32 = 1 << 18;

/// The first index of signatures.
pub const SIGS: u32 = 1 << 19;

/// A module's declarations in the terms of the validator.
pub struct Universe {
    /// The types.
    pub types: Structural,
    /// By class: its index.
    pub index_of: Vec<u32>,
    /// By index: its class.
    pub class_at: HashMap<u32, u32>,
    /// By class, for functions: the signature.
    pub subs: HashMap<u32, wp::SubType>,
    /// Type indices of functions.
    pub funcs: Vec<u32>,
    /// Tables.
    pub tables: Vec<wp::TableType>,
    /// Memories.
    pub memories: Vec<wp::MemoryType>,
    /// Globals.
    pub globals: Vec<wp::GlobalType>,
    /// Types of element segments.
    pub elems: Vec<wp::RefType>,
    /// How many data segments there are.
    pub data: u32,
    pseudo: RwLock<(Vec<Heap>, HashMap<Heap, u32>)>,
    sigs: Arena<wp::SubType>,
    /// `(func)`
    nothing: wp::SubType,
    /// Intrinsics have function indices from here on, and the signature with the same number.
    pub intrinsics: u32,
}

impl Universe {
    /// One with types only.
    pub fn new(types: Structural, index_of: Vec<u32>) -> Universe {
        let class_at = (0u32..).zip(&index_of).map(|(class, &index)| (index, class)).collect();
        let mut universe = Universe {
            types,
            index_of,
            class_at,
            subs: HashMap::new(),
            funcs: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            elems: Vec::new(),
            data: 0,
            pseudo: RwLock::default(),
            sigs: Arena::default(),
            nothing: wp::SubType::func(wp::FuncType::new([], []), false),
            intrinsics: crate::parse::INTRINSICS,
        };
        for class in 0..universe.types.defs.len() as u32 {
            if let Some(Def::Func(sig)) = universe.types.defs.get(class as usize).cloned() {
                let sub = universe.sub_type(&sig.params, &sig.results);
                universe.subs.insert(class, sub);
            }
        }
        universe
    }

    /// All indices of types that are not defined, with what they are.
    pub fn pseudo(&self) -> Vec<(u32, Heap)> {
        let pseudo = read(&self.pseudo);
        (PSEUDO..).zip(pseudo.0.iter().copied()).collect()
    }

    /// A heap type over classes, as the validator keeps it.
    fn canonical(&self, heap: Heap) -> wp::HeapType {
        let mut ty = self.heap(heap);
        self.canonicalize(&mut ty);
        ty
    }

    /// Puts an id in the place of an index.
    fn canonicalize(&self, ty: &mut wp::HeapType) {
        if let wp::HeapType::Concrete(index) = ty
            && let Some(at) = index.as_module_index()
            && let Some(id) = ids::at(token(at))
        {
            *index = wp::UnpackedIndex::Id(id);
        }
    }

    /// A heap type over classes, as operators name it.
    pub fn heap(&self, heap: Heap) -> wp::HeapType {
        use wp::AbstractHeapType as A;
        let abstract_type = |ty| wp::HeapType::Abstract { shared: false, ty };
        match heap {
            Heap::Any => abstract_type(A::Any),
            Heap::Eq => abstract_type(A::Eq),
            Heap::I31 => abstract_type(A::I31),
            Heap::Func => abstract_type(A::Func),
            Heap::Extern => abstract_type(A::Extern),
            Heap::Type(class) => {
                let index = self.index_of.get(class as usize).copied().unwrap_or(SIGS - 1);
                wp::HeapType::Concrete(wp::UnpackedIndex::Module(index))
            }
            Heap::Data | Heap::Rtt(..) => wp::HeapType::Concrete(wp::UnpackedIndex::Module(self.pseudo_index(heap))),
        }
    }

    fn pseudo_index(&self, heap: Heap) -> u32 {
        if let Some(&index) = read(&self.pseudo).1.get(&heap) {
            return index;
        }
        let mut pseudo = match self.pseudo.write() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        let (list, by_heap) = &mut *pseudo;
        *by_heap.entry(heap).or_insert_with(|| {
            list.push(heap);
            PSEUDO + list.len() as u32 - 1
        })
    }

    /// A reference type.
    pub fn reference(&self, null: bool, heap: Heap) -> wp::RefType {
        wp::RefType::new(null, self.canonical(heap)).unwrap_or(wp::RefType::ANYREF)
    }

    /// A value type over classes, as operators name it.
    pub fn named(&self, val: Val) -> wp::ValType {
        match val {
            Val::Ref(null, heap) => {
                wp::ValType::Ref(wp::RefType::new(null, self.heap(heap)).unwrap_or(wp::RefType::ANYREF))
            }
            val => self.val(val),
        }
    }

    /// A value type over classes, as the validator keeps it.
    pub fn val(&self, val: Val) -> wp::ValType {
        match val {
            Val::I32 => wp::ValType::I32,
            Val::I64 => wp::ValType::I64,
            Val::F32 => wp::ValType::F32,
            Val::F64 => wp::ValType::F64,
            Val::V128 => wp::ValType::V128,
            Val::Ref(null, heap) => wp::ValType::Ref(self.reference(null, heap)),
        }
    }

    /// What a field gives when it is read.
    pub fn unpacked(&self, storage: Storage) -> Val {
        match storage {
            Storage::I8 | Storage::I16 => Val::I32,
            Storage::Val(val) => val,
        }
    }

    /// Back: a value type, in either form.
    pub fn val_of(&self, ty: wp::ValType) -> Val {
        match ty {
            wp::ValType::I32 => Val::I32,
            wp::ValType::I64 => Val::I64,
            wp::ValType::F32 => Val::F32,
            wp::ValType::F64 => Val::F64,
            wp::ValType::V128 => Val::V128,
            wp::ValType::Ref(r) => Val::Ref(r.is_nullable(), self.heap_of(r.heap_type()).unwrap_or(Heap::Any)),
        }
    }

    fn heap_of(&self, ty: wp::HeapType) -> Option<Heap> {
        use wp::AbstractHeapType as A;
        Some(match ty {
            wp::HeapType::Abstract { ty: A::Any, .. } => Heap::Any,
            wp::HeapType::Abstract { ty: A::Eq, .. } => Heap::Eq,
            wp::HeapType::Abstract { ty: A::I31, .. } => Heap::I31,
            wp::HeapType::Abstract { ty: A::Func, .. } => Heap::Func,
            wp::HeapType::Abstract { ty: A::Extern, .. } => Heap::Extern,
            wp::HeapType::Abstract { .. } => return None,
            wp::HeapType::Concrete(index) | wp::HeapType::Exact(index) => {
                let index = match index {
                    wp::UnpackedIndex::Module(index) => index,
                    wp::UnpackedIndex::Id(id) => index_of_token(ids::number(id)?),
                    wp::UnpackedIndex::RecGroup(_) => return None,
                };
                match index.checked_sub(PSEUDO) {
                    Some(pseudo) => *read(&self.pseudo).0.get(pseudo as usize)?,
                    None => Heap::Type(*self.class_at.get(&index)?),
                }
            }
        })
    }

    fn sub_type(&self, params: &[Val], results: &[Val]) -> wp::SubType {
        let vals = |vals: &[Val]| vals.iter().map(|&val| self.val(val)).collect::<Vec<_>>();
        wp::SubType::func(wp::FuncType::new(vals(params), vals(results)), false)
    }

    /// The number of a new signature.
    pub fn add_sig(&self, params: &[Val], results: &[Val]) -> u32 {
        self.sigs.push(self.sub_type(params, results))
    }
}

/// Numbers of ids: those of defined types are even, of all others odd.
fn token(index: u32) -> u32 {
    match index.checked_sub(PSEUDO) {
        Some(pseudo) => 2 * pseudo + 1,
        None => 2 * index,
    }
}

fn index_of_token(token: u32) -> u32 {
    token / 2 + if token % 2 == 1 { PSEUDO } else { 0 }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    match lock.read() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}

impl WasmModuleResources for Universe {
    fn table_at(&self, at: u32) -> Option<wp::TableType> {
        self.tables.get(at as usize).copied()
    }

    fn memory_at(&self, at: u32) -> Option<wp::MemoryType> {
        self.memories.get(at as usize).copied()
    }

    fn tag_at(&self, _: u32) -> Option<&wp::FuncType> {
        None
    }

    fn global_at(&self, at: u32) -> Option<wp::GlobalType> {
        self.globals.get(at as usize).copied()
    }

    fn sub_type_at(&self, at: u32) -> Option<&wp::SubType> {
        match at.checked_sub(SIGS) {
            Some(sig) => self.sigs.get(sig),
            None => self.subs.get(self.class_at.get(&at)?),
        }
    }

    fn sub_type_at_id(&self, id: CoreTypeId) -> &wp::SubType {
        let sub = ids::number(id).and_then(|number| self.sub_type_at(index_of_token(number)));
        sub.unwrap_or(&self.nothing)
    }

    fn type_id_of_function(&self, _: u32) -> Option<CoreTypeId> {
        None
    }

    fn type_index_of_function(&self, at: u32) -> Option<u32> {
        match at.checked_sub(self.intrinsics) {
            Some(intrinsic) => Some(SIGS + intrinsic),
            None => self.funcs.get(at as usize).copied(),
        }
    }

    fn element_type_at(&self, at: u32) -> Option<wp::RefType> {
        self.elems.get(at as usize).copied()
    }

    fn is_subtype(&self, a: wp::ValType, b: wp::ValType) -> bool {
        a == b || self.types.is_sub_val(self.val_of(a), self.val_of(b))
    }

    fn is_shared(&self, _: wp::RefType) -> bool {
        false
    }

    fn check_heap_type(&self, ty: &mut wp::HeapType, offset: usize) -> Result<(), wp::BinaryReaderError> {
        match self.heap_of(*ty) {
            Some(_) => {
                self.canonicalize(ty);
                Ok(())
            }
            // Indices are checked before; an error can only be had from a reader.
            None => wp::BinaryReader::new(&[], offset).read_u8().map(drop),
        }
    }

    fn top_type(&self, ty: &wp::HeapType) -> wp::HeapType {
        match self.heap_of(*ty) {
            Some(Heap::Func) => self.heap(Heap::Func),
            Some(Heap::Extern) => self.heap(Heap::Extern),
            Some(heap @ Heap::Type(_)) if self.types.is_sub(heap, Heap::Func) => self.heap(Heap::Func),
            _ => self.heap(Heap::Any),
        }
    }

    fn element_count(&self) -> u32 {
        self.elems.len() as u32
    }

    fn data_count(&self) -> Option<u32> {
        Some(self.data)
    }

    fn is_function_referenced(&self, _: u32) -> bool {
        true
    }

    fn has_function_exact_type(&self, _: u32) -> bool {
        false
    }
}
