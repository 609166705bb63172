//! The inner engine's function types and the original ones.
//!
//! Lowering gives each original function type whose recursion group mentions lowered references a
//! *branded* type of the inner engine, so that the two correspond one to one and the inner engine's
//! own subtyping agrees with the original. The inner API shows a function's structure, but not its
//! brand; so compiled modules tell their pairs (see `type_probe.rs`). A type that nobody knows is
//! taken at its word, which is right for all that was never lowered.

use crate::types::{CompositeType, FuncType, HeapType, RecGroup, RefType, SubType, TypeId, TypeRegistry, ValType};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, RwLock};
use wasmtime::Finality;

/// How deep unknown types are followed through signatures; beyond it they count as `func`. Supertypes are followed to the end,
/// which there is: one in a type's own recursion group is never unknown (`Module::has_supertype_in_group` in `parse/sections.rs`).
const MAX_DEPTH: u32 = 8;

#[derive(Clone)]
struct Lowered(wasmtime::FuncType);

impl PartialEq for Lowered {
    fn eq(&self, other: &Lowered) -> bool {
        wasmtime::FuncType::eq(&self.0, &other.0)
    }
}

impl Eq for Lowered {}

impl Hash for Lowered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// Whether to take types that nobody knows at their word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// No: somebody may know and has not been asked.
    Ask,
    /// Yes.
    Trust,
}

/// The pairs that compiled modules have told, and those found since.
pub struct FuncTypes {
    engine: wasmtime::Engine,
    registry: Arc<TypeRegistry>,
    pairs: RwLock<Pairs>,
}

#[derive(Default)]
struct Pairs {
    canon: HashMap<Lowered, TypeId>,
    lowered: HashMap<TypeId, wasmtime::FuncType>,
}

impl FuncTypes {
    /// No pairs yet.
    pub fn new(engine: wasmtime::Engine, registry: Arc<TypeRegistry>) -> FuncTypes {
        FuncTypes { engine, registry, pairs: RwLock::default() }
    }

    /// Notes what a module tells. A type without a brand stands for whatever has its structure, which is
    /// found without being told.
    pub fn tell(&self, lowered: wasmtime::FuncType, id: TypeId) {
        if self.is_branded(&lowered) {
            self.enter(lowered, id);
        }
    }

    /// Whether a type is more than its structure.
    fn is_branded(&self, ty: &wasmtime::FuncType) -> bool {
        let same = wasmtime::FuncType::with_finality_and_supertype(
            &self.engine,
            ty.finality(),
            ty.supertype().as_ref(),
            ty.params(),
            ty.results(),
        );
        same.is_ok_and(|same| !wasmtime::FuncType::eq(&same, ty))
    }

    fn enter(&self, lowered: wasmtime::FuncType, id: TypeId) {
        let mut pairs = self.pairs.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        pairs.lowered.entry(id).or_insert_with(|| lowered.clone());
        pairs.canon.entry(Lowered(lowered)).or_insert(id);
    }

    fn known_canon(&self, ty: &wasmtime::FuncType) -> Option<TypeId> {
        let pairs = self.pairs.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        pairs.canon.get(&Lowered(ty.clone())).copied()
    }

    fn known_lowered(&self, id: TypeId) -> Option<wasmtime::FuncType> {
        let pairs = self.pairs.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        pairs.lowered.get(&id).cloned()
    }

    /// The original type for one of the inner engine's.
    pub fn canon(&self, ty: &wasmtime::FuncType, unknown: Unknown) -> Option<TypeId> {
        self.canon_at(ty, unknown, 0)
    }

    /// The original type of a value that is no lowered reference.
    pub fn canon_val(&self, ty: &wasmtime::ValType, unknown: Unknown) -> Option<ValType> {
        self.canon_val_at(ty, unknown, 0)
    }

    fn canon_at(&self, ty: &wasmtime::FuncType, unknown: Unknown, depth: u32) -> Option<TypeId> {
        if let Some(id) = self.known_canon(ty) {
            return Some(id);
        }
        if depth >= MAX_DEPTH || unknown == Unknown::Ask && self.is_branded(ty) {
            return None;
        }
        let vals = |types: &mut dyn Iterator<Item = wasmtime::ValType>| {
            types.map(|ty| self.canon_val_at(&ty, unknown, depth + 1)).collect::<Option<Box<[_]>>>()
        };
        let signature = FuncType { params: vals(&mut ty.params())?, results: vals(&mut ty.results())? };
        let supertype = match ty.supertype() {
            Some(sup) => Some(self.canon_at(&sup, unknown, depth)?),
            None => None,
        };
        let is_final = ty.finality() == Finality::Final;
        let sub = SubType::new(is_final, supertype, CompositeType::Func(signature));
        let id = self.registry.intern(RecGroup { types: vec![sub] }).ok()?;
        self.enter(ty.clone(), id);
        Some(id)
    }

    fn canon_val_at(&self, ty: &wasmtime::ValType, unknown: Unknown, depth: u32) -> Option<ValType> {
        use wasmtime::HeapType as H;
        let ty = match ty {
            wasmtime::ValType::I32 => return Some(ValType::I32),
            wasmtime::ValType::I64 => return Some(ValType::I64),
            wasmtime::ValType::F32 => return Some(ValType::F32),
            wasmtime::ValType::F64 => return Some(ValType::F64),
            wasmtime::ValType::V128 => return Some(ValType::V128),
            wasmtime::ValType::Ref(ty) => ty,
        };
        let heap = match ty.heap_type() {
            H::Extern => HeapType::Extern,
            H::NoExtern => HeapType::NoExtern,
            H::NoFunc => HeapType::NoFunc,
            H::Func => HeapType::Func,
            H::ConcreteFunc(_) if depth >= MAX_DEPTH => HeapType::Func,
            H::ConcreteFunc(func) => {
                HeapType::Concrete(crate::types::CompositeKind::Func, self.canon_at(func, unknown, depth)?)
            }
            // The inner engine runs without GC types.
            _ => return None,
        };
        Some(ValType::Ref(RefType::new(ty.is_nullable(), heap)))
    }

    /// The inner engine's type for an original one; `None` if it holds lowered references and nobody
    /// knows it.
    pub fn lowered(&self, id: TypeId, unknown: Unknown) -> Option<wasmtime::FuncType> {
        self.lowered_at(id, unknown, 0)
    }

    /// The inner engine's type for a value: references become `i32`, but for function references.
    pub fn lowered_val(&self, ty: ValType, unknown: Unknown) -> Option<wasmtime::ValType> {
        self.lowered_val_at(ty, unknown, 0)
    }

    /// A type of the inner engine with the structure of an original one, which is not entered as standing for it.
    pub fn unnamed(&self, id: TypeId) -> Option<wasmtime::FuncType> {
        let def = self.registry.get(id)?;
        let CompositeType::Func(signature) = &def.sub.composite else { return None };
        let vals = |types: &[ValType]| {
            types.iter().map(|&ty| self.lowered_val(ty, Unknown::Trust)).collect::<Option<Vec<_>>>()
        };
        let (params, results) = (vals(&signature.params)?, vals(&signature.results)?);
        wasmtime::FuncType::with_finality_and_supertype(&self.engine, Finality::NonFinal, None, params, results).ok()
    }

    fn lowered_at(&self, id: TypeId, unknown: Unknown, depth: u32) -> Option<wasmtime::FuncType> {
        if let Some(ty) = self.known_lowered(id) {
            return Some(ty);
        }
        let def = self.registry.get(id)?;
        let CompositeType::Func(signature) = &def.sub.composite else { return None };
        let types = || signature.params.iter().chain(&signature.results);
        // What lowering never brands: see `lower/types.rs`.
        let plain = def.group_len == 1 && def.sub.is_final && def.sub.supertype.is_none();
        // The null of functions is any function to lowered code, so its brand is all that tells the two apart.
        let branded = |ty: &ValType| ty.is_gc_ref() || ty.as_ref().is_some_and(|ty| ty.heap == HeapType::NoFunc);
        if depth >= MAX_DEPTH || unknown == Unknown::Ask && !plain || types().any(branded) {
            return None;
        }
        let vals = |types: &[ValType]| {
            types.iter().map(|&ty| self.lowered_val_at(ty, unknown, depth + 1)).collect::<Option<Vec<_>>>()
        };
        let supertype = match def.sub.supertype {
            Some(sup) => Some(self.lowered_at(sup, unknown, depth)?),
            None => None,
        };
        let finality = if def.sub.is_final { Finality::Final } else { Finality::NonFinal };
        let ty = wasmtime::FuncType::with_finality_and_supertype(
            &self.engine,
            finality,
            supertype.as_ref(),
            vals(&signature.params)?,
            vals(&signature.results)?,
        )
        .ok()?;
        self.enter(ty.clone(), id);
        Some(ty)
    }

    fn lowered_val_at(&self, ty: ValType, unknown: Unknown, depth: u32) -> Option<wasmtime::ValType> {
        let ty = match ty {
            ValType::I32 => return Some(wasmtime::ValType::I32),
            ValType::I64 => return Some(wasmtime::ValType::I64),
            ValType::F32 => return Some(wasmtime::ValType::F32),
            ValType::F64 => return Some(wasmtime::ValType::F64),
            ValType::V128 => return Some(wasmtime::ValType::V128),
            ValType::Ref(ty) if !ty.is_func() => return Some(wasmtime::ValType::I32),
            ValType::Ref(ty) => ty,
        };
        let heap = match ty.heap {
            HeapType::Concrete(_, id) => wasmtime::HeapType::ConcreteFunc(self.lowered_at(id, unknown, depth)?),
            _ => wasmtime::HeapType::Func,
        };
        Some(wasmtime::ValType::Ref(wasmtime::RefType::new(ty.nullable, heap)))
    }
}
