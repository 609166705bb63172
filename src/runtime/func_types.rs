//! The inner engine's function types and the original ones.
//!
//! Lowering gives each original function type whose recursion group mentions lowered references a
//! *branded* type of the inner engine, so that the two correspond one to one and the inner engine's
//! own subtyping agrees with the original. The inner API shows a function's type, but not its brand;
//! so each compiled module tells its pairs, and everything else is taken at its word.

use crate::types::{CompositeType, FuncType, HeapType, RecGroup, RefType, SubType, TypeId, TypeRegistry, ValType};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::RwLock;
use wasmtime::Finality;

/// How deep types that no module told about are followed; beyond it they count as `func`.
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

/// The pairs that compiled modules have told, and those found since.
#[derive(Default)]
pub struct FuncTypes {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    canon: HashMap<Lowered, TypeId>,
    lowered: HashMap<TypeId, wasmtime::FuncType>,
}

impl FuncTypes {
    /// Notes what a module tells. A type without a brand stands for whatever has its structure, which is
    /// found without being told.
    pub fn tell(&self, engine: &wasmtime::Engine, lowered: wasmtime::FuncType, id: TypeId) {
        let same = wasmtime::FuncType::with_finality_and_supertype(
            engine,
            lowered.finality(),
            lowered.supertype().as_ref(),
            lowered.params(),
            lowered.results(),
        );
        if same.is_ok_and(|same| !wasmtime::FuncType::eq(&same, &lowered)) {
            self.enter(lowered, id);
        }
    }

    fn enter(&self, lowered: wasmtime::FuncType, id: TypeId) {
        let mut inner = self.inner.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        inner.lowered.entry(id).or_insert_with(|| lowered.clone());
        inner.canon.entry(Lowered(lowered)).or_insert(id);
    }

    /// The original type for one of the inner engine's.
    pub fn canon(&self, registry: &TypeRegistry, ty: &wasmtime::FuncType) -> Option<TypeId> {
        self.canon_at(registry, ty, 0)
    }

    /// The original type of a value that is no lowered reference.
    pub fn canon_val(&self, registry: &TypeRegistry, ty: &wasmtime::ValType) -> Option<ValType> {
        self.canon_val_at(registry, ty, 0)
    }

    fn canon_at(&self, registry: &TypeRegistry, ty: &wasmtime::FuncType, depth: u32) -> Option<TypeId> {
        let key = Lowered(ty.clone());
        {
            let inner = self.inner.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(&id) = inner.canon.get(&key) {
                return Some(id);
            }
        }
        if depth >= MAX_DEPTH {
            return None;
        }
        let vals = |types: &mut dyn Iterator<Item = wasmtime::ValType>| {
            types.map(|ty| self.canon_val_at(registry, &ty, depth + 1)).collect::<Option<Box<[_]>>>()
        };
        let signature = FuncType { params: vals(&mut ty.params())?, results: vals(&mut ty.results())? };
        let supertype = match ty.supertype() {
            Some(sup) => Some(self.canon_at(registry, &sup, depth + 1)?),
            None => None,
        };
        let is_final = ty.finality() == Finality::Final;
        let sub = SubType::new(is_final, supertype, CompositeType::Func(signature));
        let id = registry.intern(RecGroup { types: vec![sub] }).ok()?;
        self.enter(ty.clone(), id);
        Some(id)
    }

    fn canon_val_at(&self, registry: &TypeRegistry, ty: &wasmtime::ValType, depth: u32) -> Option<ValType> {
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
            H::ConcreteFunc(func) => match self.canon_at(registry, func, depth) {
                Some(id) => HeapType::Concrete(crate::types::CompositeKind::Func, id),
                None => HeapType::Func,
            },
            // The inner engine runs without GC types.
            _ => return None,
        };
        Some(ValType::Ref(RefType::new(ty.is_nullable(), heap)))
    }

    /// The inner engine's type for an original one.
    pub fn lowered(
        &self,
        engine: &wasmtime::Engine,
        registry: &TypeRegistry,
        id: TypeId,
    ) -> Option<wasmtime::FuncType> {
        self.lowered_at(engine, registry, id, 0)
    }

    /// The inner engine's type for a value.
    pub fn lowered_val(
        &self,
        engine: &wasmtime::Engine,
        registry: &TypeRegistry,
        ty: ValType,
    ) -> Option<wasmtime::ValType> {
        self.lowered_val_at(engine, registry, ty, 0)
    }

    fn lowered_at(
        &self,
        engine: &wasmtime::Engine,
        registry: &TypeRegistry,
        id: TypeId,
        depth: u32,
    ) -> Option<wasmtime::FuncType> {
        {
            let inner = self.inner.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(ty) = inner.lowered.get(&id) {
                return Some(ty.clone());
            }
        }
        let def = registry.get(id)?;
        let CompositeType::Func(signature) = &def.sub.composite else { return None };
        let plain = |ty: &ValType| !ty.is_gc_ref();
        if depth >= MAX_DEPTH || def.group_len != 1 || !signature.params.iter().chain(&signature.results).all(plain) {
            return None;
        }
        let vals = |types: &[ValType]| {
            types.iter().map(|&ty| self.lowered_val_at(engine, registry, ty, depth + 1)).collect::<Option<Vec<_>>>()
        };
        let supertype = match def.sub.supertype {
            Some(sup) => Some(self.lowered_at(engine, registry, sup, depth + 1)?),
            None => None,
        };
        let finality = if def.sub.is_final { Finality::Final } else { Finality::NonFinal };
        let ty = wasmtime::FuncType::with_finality_and_supertype(
            engine,
            finality,
            supertype.as_ref(),
            vals(&signature.params)?,
            vals(&signature.results)?,
        )
        .ok()?;
        self.enter(ty.clone(), id);
        Some(ty)
    }

    fn lowered_val_at(
        &self,
        engine: &wasmtime::Engine,
        registry: &TypeRegistry,
        ty: ValType,
        depth: u32,
    ) -> Option<wasmtime::ValType> {
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
            HeapType::Concrete(_, id) => {
                wasmtime::HeapType::ConcreteFunc(self.lowered_at(engine, registry, id, depth)?)
            }
            _ => wasmtime::HeapType::Func,
        };
        Some(wasmtime::ValType::Ref(wasmtime::RefType::new(ty.nullable, heap)))
    }
}
