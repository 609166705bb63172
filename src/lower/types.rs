//! The type section of the lowered module: function types only, as exact as they were.
//!
//! References become `i32`, so signatures that differed may now be equal. Where anybody can tell,
//! each original recursion group becomes a group with one function type more, never used, that
//! encodes the group's digest: its *brand*. Wasmtime's own canonicalisation then keeps the types
//! apart, in `call_indirect`, in import matching and between modules, and declared subtyping stays.
//!
//! ```wat
//! (type $visit (func (param (ref $shape))))
//! ;; becomes
//! (rec (type $visit (func (param i32)))
//!      (type $brand (func (param funcref (ref $brand) ...))))  ;; 64 parameters: 128 bits
//! ```
//!
//! The parameters are function references, because the engine compiles a trampoline for each signature that
//! differs in more than the types of references. Brands of numbers cost more time than small modules.
//!
//! A group is *plain* when its lowered form says all that the original said: function types over numbers
//! and plain function references. Plain types are never branded, so that modules without any GC type
//! link with lowered ones.

use super::index::Space;
use crate::fault::Error;
use crate::parse::Module;
use crate::types::{CompositeType, FuncType, HeapType, RefType, SubType, TypeDef, TypeId, TypeTable, ValType};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use wasm_encoder as enc;

/// Bits of a group's digest in its brand.
const BRAND_BITS: usize = 128;

/// The lowered type section and where the original types went.
pub struct Types {
    /// The section.
    pub section: enc::TypeSection,
    /// Final index by original type index.
    pub space: Space,
    /// Final index by canonical function type.
    pub func_types: HashMap<TypeId, u32>,
    /// How many types the section has.
    pub len: u32,
}

impl Types {
    /// Lowers a module's type section. `casts_functions`: whether any body tests for a concrete
    /// function type.
    ///
    /// # Errors
    ///
    /// When a type is a subtype of another only as a parameter of type `nofunc` is below every function type: lowered
    /// code has none.
    pub fn new(module: &Module<'_>, casts_functions: bool) -> Result<Types, Error> {
        let plain = Plain::of(&module.types);
        let branded = casts_functions || needs_brands(module, &plain);
        Types::of_table(&module.types, module.types_at, branded.then_some(&plain))
    }

    /// Lowers types that no module need have, as any module has them that anybody can tell apart.
    ///
    /// # Errors
    ///
    /// As [`Types::new`].
    pub fn shown(table: &TypeTable) -> Result<Types, Error> {
        Types::of_table(table, 0, Some(&Plain::of(table)))
    }

    /// `plain`: which groups need no brand; `None` if no group does.
    fn of_table(table: &TypeTable, offset: usize, plain: Option<&Plain>) -> Result<Types, Error> {
        let mut types = Types {
            section: enc::TypeSection::new(),
            space: Space { map: vec![u32::MAX; table.len()] },
            func_types: HashMap::new(),
            len: 0,
        };
        let mut index = 0;
        while index < table.len() as u32 {
            let len = table.at(index).group_len.max(1);
            types.group((table, offset), index, len, plain)?;
            index += len;
        }
        Ok(types)
    }

    /// Adds a function type of lowering's own.
    pub fn add(&mut self, params: &[enc::ValType], results: &[enc::ValType]) -> u32 {
        self.section.ty().function(params.iter().copied(), results.iter().copied());
        self.len += 1;
        self.len - 1
    }

    /// The lowered form of a value type.
    pub fn val_type(&self, ty: ValType) -> enc::ValType {
        val_type(ty, &self.func_types)
    }

    fn group(
        &mut self,
        (table, offset): (&TypeTable, usize),
        start: u32,
        len: u32,
        plain: Option<&Plain>,
    ) -> Result<(), Error> {
        let funcs: Vec<(u32, &TypeDef)> =
            (start..start + len).map(|i| (i, &**table.at(i))).filter(|(_, def)| def.sub.composite.is_func()).collect();
        let Some(&(_, first)) = funcs.first() else { return Ok(()) };
        // A repeated group is the same types. Lowered again, it would refer to the first one where that
        // refers to itself, and be another.
        if self.func_types.contains_key(&first.id) {
            for &(index, def) in &funcs {
                self.space.map[index as usize] = self.func_types.get(&def.id).copied().unwrap_or(u32::MAX);
            }
            return Ok(());
        }
        funcs.iter().try_for_each(|&(index, def)| stays_subtype((table, offset), index, def))?;
        for (n, &(index, def)) in (self.len..).zip(&funcs) {
            self.space.map[index as usize] = n;
            self.func_types.insert(def.id, n);
        }
        let brand = plain.is_some_and(|plain| !plain.contains(first));
        let mut lowered: Vec<enc::SubType> = funcs.iter().map(|(_, def)| self.sub_type(table, def)).collect();
        if brand {
            let index = self.len + funcs.len() as u32;
            lowered.push(brand_type(table, first, index));
        }
        self.len += lowered.len() as u32;
        match <[_; 1]>::try_from(lowered) {
            Ok([single]) => self.section.ty().subtype(&single),
            Err(group) => self.section.ty().rec(group),
        }
        Ok(())
    }

    fn sub_type(&self, table: &TypeTable, def: &TypeDef) -> enc::SubType {
        let CompositeType::Func(FuncType { params, .. }) = &def.sub.composite else {
            return func_sub_type(true, None, Vec::new(), Vec::new());
        };
        let results = table.results_without_nofunc(def.id);
        let map = |types: &[ValType]| types.iter().map(|&ty| self.val_type(ty)).collect::<Vec<_>>();
        let supertype = def.sub.supertype.and_then(|id| self.func_types.get(&id).copied());
        func_sub_type(def.sub.is_final, supertype, map(params), map(&results))
    }
}

fn func_sub_type(
    is_final: bool,
    supertype_idx: Option<u32>,
    params: Vec<enc::ValType>,
    results: Vec<enc::ValType>,
) -> enc::SubType {
    enc::SubType {
        is_final,
        supertype_idx,
        composite_type: enc::CompositeType {
            inner: enc::CompositeInnerType::Func(enc::FuncType::new(params, results)),
            shared: false,
            descriptor: None,
            describes: None,
        },
    }
}

/// Whether a function type still matches its supertype where parameters of type `nofunc` are of type `func`.
fn stays_subtype((table, offset): (&TypeTable, usize), index: u32, def: &TypeDef) -> Result<(), Error> {
    let sup = def.sub.supertype.map(|id| &table.def(id).sub.composite);
    let (CompositeType::Func(sub), Some(CompositeType::Func(sup))) = (&def.sub.composite, sup) else { return Ok(()) };
    let is = |ty: &ValType, heaps: &[HeapType]| ty.as_ref().is_some_and(|r| heaps.contains(&r.heap));
    let matches = |(below, above): (&ValType, &ValType)| {
        !is(below, &[HeapType::NoFunc]) || is(above, &[HeapType::NoFunc, HeapType::Func])
    };
    if sup.params.iter().zip(&sub.params).all(matches) {
        return Ok(());
    }
    Err(Error::Unsupported {
        offset,
        feature: format!(
            "type {index}, below a function type with a parameter of type `nofunc`, has another type there"
        ),
        remedy: "give both the same type there",
    })
}

/// A value type in lowered code.
pub fn val_type(ty: ValType, func_types: &HashMap<TypeId, u32>) -> enc::ValType {
    match ty {
        ValType::I32 => enc::ValType::I32,
        ValType::I64 => enc::ValType::I64,
        ValType::F32 => enc::ValType::F32,
        ValType::F64 => enc::ValType::F64,
        ValType::V128 => enc::ValType::V128,
        ValType::Ref(r) if r.is_func() => enc::ValType::Ref(ref_type(r, func_types)),
        ValType::Ref(_) => enc::ValType::I32,
    }
}

/// A function reference type in lowered code.
pub fn ref_type(ty: RefType, func_types: &HashMap<TypeId, u32>) -> enc::RefType {
    let heap_type = match ty.heap {
        HeapType::Concrete(_, id) => match func_types.get(&id) {
            Some(&index) => enc::HeapType::Concrete(index),
            None => enc::HeapType::FUNC,
        },
        // `nofunc` is a type of the GC proposal. Its only value is null, which `lower/op/func_ref.rs`
        // makes anew wherever a narrower type is expected.
        _ => enc::HeapType::FUNC,
    };
    enc::RefType { nullable: ty.nullable, heap_type }
}

/// The types that say no more than their lowered form, group by group: a group is plain when all of it
/// is function types over numbers, functions of any type, and plain function types.
struct Plain(HashSet<TypeId>);

impl Plain {
    fn of(table: &TypeTable) -> Plain {
        let mut plain = Plain(HashSet::new());
        let ids = table.ids();
        let mut index = 0;
        while index < ids.len() {
            let len = table.at(index as u32).group_len.max(1) as usize;
            let group = &ids[index..(index + len).min(ids.len())];
            // A group may refer to itself.
            plain.0.extend(group);
            if !group.iter().all(|&id| plain.is(&table.def(id).sub)) {
                group.iter().for_each(|id| {
                    plain.0.remove(id);
                });
            }
            index += len;
        }
        plain
    }

    fn is(&self, ty: &SubType) -> bool {
        let CompositeType::Func(sig) = &ty.composite else { return false };
        ty.supertype.is_none_or(|sup| self.0.contains(&sup))
            && sig.params.iter().chain(&sig.results).all(|&ty| match ty {
                ValType::Ref(RefType { exact: false, heap: HeapType::Func, .. }) => true,
                ValType::Ref(RefType { exact: false, heap: HeapType::Concrete(_, id), .. }) => self.0.contains(&id),
                ValType::Ref(_) => false,
                _ => true,
            })
    }

    fn contains(&self, def: &TypeDef) -> bool {
        self.0.contains(&def.id)
    }
}

/// Whether anybody can tell function types apart that lower to the same: a dynamic check in the
/// module, or a function reference that can come in or get out.
fn needs_brands(module: &Module<'_>, plain: &Plain) -> bool {
    use crate::parse::Entity;
    let speaks = |entity: Entity| match entity {
        Entity::Func(f) => {
            let def = module.types.at(module.funcs[f as usize].ty);
            let has_refs = module
                .func_type(f)
                .is_some_and(|ty| ty.params.iter().chain(&ty.results).any(|ty| matches!(ty, ValType::Ref(_))));
            has_refs || !plain.contains(def)
        }
        Entity::Table(_) | Entity::Tag(_) => true,
        Entity::Global(g) => matches!(module.globals[g as usize].ty, ValType::Ref(_)),
        Entity::Memory(_) => false,
    };
    !module.tables.is_empty()
        || module.imports.iter().any(|i| speaks(i.entity))
        || module.exports.iter().any(|e| speaks(e.entity))
}

/// The brand of a group: 64 parameters of four types each, 128 bits of the digest. `index`: of the brand.
fn brand_type(table: &TypeTable, first: &TypeDef, index: u32) -> enc::SubType {
    // The first type of the whole group, not of its function types: the digest names the group.
    let digest = table.def(first.group_start()).digest;
    let heap = [enc::HeapType::FUNC, enc::HeapType::Concrete(index)];
    let kind = |bits: u8| enc::RefType { nullable: bits & 1 == 0, heap_type: heap[usize::from(bits >> 1 & 1)] };
    let params = digest[..BRAND_BITS / 8]
        .iter()
        .flat_map(|byte| (0..4).map(move |n| enc::ValType::Ref(kind(byte >> (2 * n)))))
        .collect();
    func_sub_type(true, None, params, Vec::new())
}
