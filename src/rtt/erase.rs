//! The dialect's types as the rest of the crate knows types: nominal, canonical in the engine.
//!
//! Objects say what they are by their RTTs alone, and fields are where they are whatever the static type is. So a
//! struct type becomes its layout: references of all kinds are `anyref` there, functions too, because a field of a
//! supertype may be of type `anyref`. What makes the type itself is the *brand*: a second type in its recursion group
//! that spells the digest of its structure. It also stands as the descriptor of the first, which says that objects may
//! have records of their own: those that `rtt.sub` makes.
//!
//! Function types keep what says something, references to the branded types included. A group that says all that there
//! is to say has no brand, and is the very type of a standard module. Two views are taken of a type: the *shown* one,
//! by which modules are linked and the host is checked; and the one of IR, which knows of structs only that they are
//! structs, because what flows there obeys the dialect's subtyping and no declared one.

use super::ast::{Def, Field, Heap, Storage, Val};
use super::structural::{Structural, components, references};
use crate::fault::{Error, Result};
use crate::types::{
    self as t, CompositeKind, CompositeType, FieldType, FuncType, RecGroup, RefType, StorageType, SubType, TypeId,
    TypeRegistry, TypeTable, ValType,
};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The types through which fields are accessed have at most so many fields together, as they stay with the engine.
const MAX_LAYOUTS: usize = 1_000_000;

/// The types of a module after erasure.
pub struct Erased<'r> {
    registry: &'r TypeRegistry,
    /// By place in the table.
    pub by_index: Vec<TypeId>,
    /// By class: where in the table.
    pub index_of: Vec<u32>,
    /// By class.
    pub ids: Vec<TypeId>,
    /// Types of which only the layout matters.
    layouts: HashMap<Vec<FieldType>, TypeId>,
    /// How many fields those have together.
    spent: usize,
}

impl<'r> Erased<'r> {
    /// Enters all classes in the registry.
    ///
    /// # Errors
    ///
    /// When the registry is full, or there are too many types.
    pub fn new(types: &Structural, registry: &'r TypeRegistry) -> Result<Erased<'r>> {
        let count = types.defs.len();
        let mut erased = Erased {
            registry,
            by_index: Vec::new(),
            index_of: vec![u32::MAX; count],
            ids: vec![TypeId(0); count],
            layouts: HashMap::new(),
            spent: 0,
        };
        for (class, def) in (0u32..).zip(&types.defs) {
            let composite = match def {
                Def::Struct(fields) => CompositeType::Struct(fields.iter().map(|&f| erase_field(f)).collect()),
                Def::Array(elem) => CompositeType::Array(erase_field(*elem)),
                Def::Func(_) => continue,
                Def::Import { .. } => CompositeType::Struct([].into()),
            };
            let id = erased.branded(composite, &types.digests[class as usize])?;
            erased.enter(class, id, 2);
        }
        let is_func = |class: u32| matches!(types.defs.get(class as usize), Some(Def::Func(_)));
        let edges = |class: u32| {
            let mut out = Vec::new();
            if is_func(class) {
                references_of_func(&types.defs[class as usize], |to| out.push(to));
                out.retain(|&to| is_func(to));
            }
            out
        };
        for component in components(count as u32, edges) {
            if component.iter().all(|&class| is_func(class)) {
                erased.funcs(types, component)?;
            }
        }
        Ok(erased)
    }

    fn enter(&mut self, class: u32, first: TypeId, group: u32) {
        self.ids[class as usize] = first;
        self.index_of[class as usize] = self.by_index.len() as u32;
        self.by_index.extend((0..group).map(|n| TypeId(first.0 + n)));
    }

    fn branded(&self, composite: CompositeType, digest: &[u8]) -> Result<TypeId> {
        branded(self.registry, composite, digest)
    }

    /// Function types that refer to each other.
    fn funcs(&mut self, types: &Structural, mut component: Vec<u32>) -> Result<()> {
        component.sort_by_key(|&class| types.digests[class as usize]);
        let places: HashMap<u32, u32> = (0u32..).zip(&component).map(|(n, &class)| (class, n)).collect();
        let (mut subs, mut says_all) = (Vec::new(), true);
        for &class in &component {
            let Some(Def::Func(sig)) = types.defs.get(class as usize) else { continue };
            let mut val = |val: &Val| {
                says_all &= match val {
                    Val::Ref(_, heap) => *heap != Heap::Data,
                    _ => true,
                };
                self.shown_in(types, *val, &places)
            };
            let params = sig.params.iter().map(&mut val).collect();
            let results = sig.results.iter().map(&mut val).collect();
            subs.push(SubType::new(true, None, CompositeType::Func(FuncType { params, results })));
        }
        let count = subs.len() as u32;
        if !says_all || count > 1 {
            let mut whole = Sha256::new();
            component.iter().for_each(|&class| whole.update(types.digests[class as usize]));
            subs.push(brand(&whole.finalize()));
        }
        let group = subs.len() as u32;
        let first = self.registry.intern(RecGroup { types: subs })?;
        let index = self.by_index.len() as u32;
        for (class, n) in places {
            self.ids[class as usize] = TypeId(first.0 + n);
            self.index_of[class as usize] = index + n;
        }
        self.by_index.extend((0..group).map(|n| TypeId(first.0 + n)));
        Ok(())
    }

    /// What references to a heap type are taken for in IR.
    pub fn view(&self, types: &Structural, heap: Heap) -> t::HeapType {
        match heap {
            Heap::Any => t::HeapType::Any,
            Heap::Eq | Heap::Data | Heap::Rtt(..) => t::HeapType::Eq,
            Heap::I31 => t::HeapType::I31,
            Heap::Func => t::HeapType::Func,
            Heap::Extern => t::HeapType::Extern,
            Heap::Type(class) => match types.defs.get(class as usize) {
                Some(Def::Struct(_)) => t::HeapType::Struct,
                Some(Def::Array(_)) => t::HeapType::Array,
                Some(Def::Func(_)) => t::HeapType::Concrete(CompositeKind::Func, self.ids[class as usize]),
                // Whatever it will be, the module knows no more than the bound.
                Some(&Def::Import { bound, .. }) => match bound {
                    Heap::Type(_) if types.is_sub(bound, Heap::Func) => t::HeapType::Func,
                    Heap::Type(_) => t::HeapType::Eq,
                    bound => self.view(types, bound),
                },
                None => t::HeapType::Any,
            },
        }
    }

    /// A value type as IR has it.
    pub fn val(&self, types: &Structural, val: Val) -> ValType {
        self.val_type(val, |heap| self.view(types, heap))
    }

    /// A value type as other modules and the host see it.
    pub fn shown(&self, types: &Structural, val: Val) -> ValType {
        self.shown_in(types, val, &HashMap::new())
    }

    /// The same in a group under construction.
    fn shown_in(&self, types: &Structural, val: Val, places: &HashMap<u32, u32>) -> ValType {
        self.val_type(val, |heap| match heap {
            Heap::Rtt(depth, of) => {
                let of = of.map_or_else(|| any_type(self.registry), |class| Some(self.ids[class as usize]));
                match of.and_then(|of| rtt_type(self.registry, depth, of)) {
                    Some(id) => t::HeapType::Concrete(CompositeKind::Struct, id),
                    None => t::HeapType::Eq,
                }
            }
            Heap::Type(class) => {
                let id = match places.get(&class) {
                    Some(&n) => RecGroup::local(n),
                    None => self.ids[class as usize],
                };
                match types.defs.get(class as usize) {
                    Some(Def::Func(_)) => t::HeapType::Concrete(CompositeKind::Func, id),
                    Some(Def::Array(_)) => t::HeapType::Concrete(CompositeKind::Array, id),
                    _ => t::HeapType::Concrete(CompositeKind::Struct, id),
                }
            }
            heap => self.view(types, heap),
        })
    }

    fn val_type(&self, val: Val, heap: impl Fn(Heap) -> t::HeapType) -> ValType {
        match val {
            Val::I32 => ValType::I32,
            Val::I64 => ValType::I64,
            Val::F32 => ValType::F32,
            Val::F64 => ValType::F64,
            Val::V128 => ValType::V128,
            Val::Ref(null, of) => ValType::Ref(RefType::new(null, heap(of))),
        }
    }

    /// The table of a module with these types.
    pub fn table(&self, types: &Structural, pseudo: &[(u32, Heap)]) -> TypeTable {
        let mut table = TypeTable::new(self.registry, self.by_index.clone());
        for (class, def) in types.defs.iter().enumerate() {
            if let Def::Func(sig) = def {
                let vals = |vals: &[Val]| vals.iter().map(|&val| self.val(types, val)).collect();
                let sig = FuncType { params: vals(&sig.params), results: vals(&sig.results) };
                table.set_signature(self.ids[class], sig);
            }
        }
        let defined = (0u32..).zip(&self.index_of).map(|(class, &index)| (index, Heap::Type(class)));
        let views = defined.chain(pseudo.iter().copied());
        table.set_views(views.map(|(index, heap)| (index, self.view(types, heap))).collect());
        table
    }

    /// The type through which a field is read and written: the fields up to it, so that it is the same whatever the
    /// static type of the object.
    pub fn access(&mut self, fields: &[Field], field: usize) -> Result<TypeId> {
        let layout: Vec<FieldType> = fields.iter().take(field + 1).map(|&f| erase_field(f)).collect();
        self.layout(layout)
    }

    /// A struct type of which only the layout matters.
    fn layout(&mut self, layout: Vec<FieldType>) -> Result<TypeId> {
        if let Some(&id) = self.layouts.get(&layout) {
            return Ok(id);
        }
        self.spent += layout.len();
        if self.spent > MAX_LAYOUTS {
            let what = "it accesses too many fields of large structures; split them".to_string();
            return Err(Error::TooComplex { func: 0, what });
        }
        let composite = CompositeType::Struct(layout.clone().into());
        let id = self.branded(composite, b"wasmtime-gc rtt layout")?;
        self.by_index.extend([id, TypeId(id.0 + 1)]);
        self.layouts.insert(layout, id);
        Ok(id)
    }

    /// The type of environments that hold such values.
    pub fn environment(&mut self, values: &[Val]) -> Result<TypeId> {
        let field = |&val: &Val| erase_field(Field { storage: Storage::Val(val), mutable: false });
        self.layout(values.iter().map(field).collect())
    }

    /// A type with the layout of a class that is nobody's: objects of it pass no cast.
    pub fn opaque(&mut self, types: &Structural, class: u32) -> Result<TypeId> {
        let def = self.registry.get(self.ids[class as usize]);
        let composite = def.map(|def| def.sub.composite.clone()).ok_or_else(|| Error::bug("a class without type"))?;
        let digest = Sha256::new().chain_update(b"opaque").chain_update(types.digests[class as usize]).finalize();
        let id = self.branded(composite, &digest)?;
        self.by_index.extend([id, TypeId(id.0 + 1)]);
        Ok(id)
    }

    /// The type of `rtt.anyref`, which has no objects.
    pub fn any(&mut self) -> Result<TypeId> {
        let id = any_type(self.registry).ok_or(t::TypesError::Full)?;
        self.by_index.extend([id, TypeId(id.0 + 1)]);
        Ok(id)
    }
}

/// The type of `rtt.anyref`; `None` when the registry is full.
fn any_type(registry: &TypeRegistry) -> Option<TypeId> {
    branded(registry, CompositeType::Struct([].into()), b"wasmtime-gc rtt any").ok()
}

/// A group of a type and its brand.
fn branded(registry: &TypeRegistry, composite: CompositeType, digest: &[u8]) -> Result<TypeId> {
    let sub = SubType { descriptor: Some(RecGroup::local(1)), ..SubType::new(true, None, composite) };
    Ok(registry.intern(RecGroup { types: vec![sub, brand(digest)] })?)
}

/// The type that RTTs of a type are shown as: of exactly so many RTTs above, below the type of any number of them.
/// `None` when the registry is full.
pub fn rtt_type(registry: &TypeRegistry, depth: Option<u32>, of: TypeId) -> Option<TypeId> {
    let digest = registry.get(of)?.digest;
    let sup = match depth {
        Some(_) => Some(rtt_type(registry, None, of)?),
        None => None,
    };
    let shape = SubType::new(depth.is_some(), sup, CompositeType::Struct([].into()));
    let spelled = Sha256::new().chain_update(b"rtt").chain_update(digest).chain_update(format!("{depth:?}")).finalize();
    registry.intern(RecGroup { types: vec![shape, brand(&spelled)] }).ok()
}

fn references_of_func(def: &Def, mut each: impl FnMut(u32)) {
    references(def, &mut each);
}

/// A field as objects hold it.
fn erase_field(field: Field) -> FieldType {
    let storage = match field.storage {
        Storage::I8 => StorageType::I8,
        Storage::I16 => StorageType::I16,
        Storage::Val(Val::I32) => StorageType::Val(ValType::I32),
        Storage::Val(Val::I64) => StorageType::Val(ValType::I64),
        Storage::Val(Val::F32) => StorageType::Val(ValType::F32),
        Storage::Val(Val::F64) => StorageType::Val(ValType::F64),
        Storage::Val(Val::V128) => StorageType::Val(ValType::V128),
        Storage::Val(Val::Ref(..)) => StorageType::Val(ValType::Ref(RefType::new(true, t::HeapType::Any))),
    };
    FieldType { storage, mutable: field.mutable }
}

/// A type that spells a digest, half a byte in each field.
fn brand(digest: &[u8]) -> SubType {
    let digest: [u8; 32] = Sha256::digest(digest).into();
    let any = ValType::Ref(RefType::new(true, t::HeapType::Any));
    let letters = [
        StorageType::I8,
        StorageType::I16,
        StorageType::Val(ValType::I32),
        StorageType::Val(ValType::I64),
        StorageType::Val(ValType::F32),
        StorageType::Val(ValType::F64),
        StorageType::Val(ValType::V128),
        StorageType::Val(any),
    ];
    let field = |half: u8| FieldType { storage: letters[usize::from(half & 7)], mutable: half & 8 != 0 };
    let fields = digest.iter().flat_map(|&byte| [field(byte & 15), field(byte >> 4)]).collect();
    SubType::new(true, None, CompositeType::Struct(fields))
}
