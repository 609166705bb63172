//! Types of the binary format to canonical types.
//!
//! Every reference to a defined type arrives as a type index, because only what the readers deliver
//! is converted, never what the validator keeps (its ids mean nothing here). The result of an
//! instruction is typed from its operands and the declarations of the module instead.

use super::unsupported::Feature;
use crate::fault::Error;
use crate::fault::Result;
use crate::types::{
    CompositeKind, CompositeType, FieldType, FuncType, HeapType, RecGroup, RefType, StorageType, SubType, TypeId,
    TypeRegistry, TypeTable, ValType,
};
use wasmparser::{AbstractHeapType, CompositeInnerType, TypeSectionReader, UnpackedIndex};

/// What a type index stands for, to whoever converts types.
trait Resolve {
    fn resolve(&self, index: u32) -> Option<(CompositeKind, TypeId)>;

    /// What a reference to it has as heap type.
    fn view(&self, index: u32) -> Option<HeapType> {
        self.resolve(index).map(|(kind, id)| HeapType::Concrete(kind, id))
    }
}

impl Resolve for TypeTable {
    fn resolve(&self, index: u32) -> Option<(CompositeKind, TypeId)> {
        let id = *self.ids().get(index as usize)?;
        Some((self.def(id).sub.composite.kind(), id))
    }

    fn view(&self, index: u32) -> Option<HeapType> {
        TypeTable::view(self, index)
    }
}

/// A type section under construction: the groups before are canonical, the last one is local.
struct Section {
    canon: Vec<TypeId>,
    kinds: Vec<CompositeKind>,
}

impl Resolve for Section {
    fn resolve(&self, index: u32) -> Option<(CompositeKind, TypeId)> {
        let kind = *self.kinds.get(index as usize)?;
        let id = match self.canon.get(index as usize) {
            Some(&id) => id,
            None => RecGroup::local(index - self.canon.len() as u32),
        };
        Some((kind, id))
    }
}

/// Interns the recursion groups of a validated type section.
pub(super) fn type_section(section: TypeSectionReader<'_>, registry: &TypeRegistry) -> Result<TypeTable> {
    let mut known = Section { canon: Vec::new(), kinds: Vec::new() };
    for group in section.into_iter_with_offsets() {
        let (offset, group) = group?;
        for ty in group.types() {
            known.kinds.push(kind(ty, offset)?);
        }
        let types: Vec<SubType> = group.types().map(|ty| sub_type(&known, ty, offset)).collect::<Result<_>>()?;
        let len = types.len() as u32;
        if len > 0 {
            let first = registry.intern(RecGroup { types })?;
            known.canon.extend((0..len).map(|n| TypeId(first.0 + n)));
        }
    }
    Ok(TypeTable::new(registry, known.canon))
}

fn kind(ty: &wasmparser::SubType, offset: usize) -> Result<CompositeKind> {
    let composite = &ty.composite_type;
    if composite.shared {
        return Err(Feature::Shared.at(offset));
    }
    match composite.inner {
        CompositeInnerType::Func(_) => Ok(CompositeKind::Func),
        CompositeInnerType::Array(_) => Ok(CompositeKind::Array),
        CompositeInnerType::Struct(_) => Ok(CompositeKind::Struct),
        CompositeInnerType::Cont(_) => Err(Feature::Continuations.at(offset)),
    }
}

fn sub_type(known: &Section, ty: &wasmparser::SubType, offset: usize) -> Result<SubType> {
    let supertype = match ty.supertype_idx {
        Some(index) => Some(concrete(known, index.unpack())?.1),
        None => None,
    };
    let vals = |types: &[wasmparser::ValType]| -> Result<Box<[_]>> {
        types.iter().map(|&ty| convert(known, ty, offset)).collect()
    };
    let composite = match &ty.composite_type.inner {
        CompositeInnerType::Func(f) => {
            CompositeType::Func(FuncType { params: vals(f.params())?, results: vals(f.results())? })
        }
        CompositeInnerType::Array(a) => CompositeType::Array(field(known, &a.0, offset)?),
        CompositeInnerType::Struct(s) => {
            CompositeType::Struct(s.fields.iter().map(|f| field(known, f, offset)).collect::<Result<_>>()?)
        }
        CompositeInnerType::Cont(_) => return Err(Feature::Continuations.at(offset)),
    };
    let other = |index: Option<UnpackedIndex>| -> Result<Option<TypeId>> {
        index.map(|index| Ok(concrete(known, index)?.1)).transpose()
    };
    let descriptor = other(ty.composite_type.descriptor_idx.map(|index| index.unpack()))?;
    let describes = other(ty.composite_type.describes_idx.map(|index| index.unpack()))?;
    Ok(SubType { descriptor, describes, ..SubType::new(ty.is_final, supertype, composite) })
}

fn field(known: &Section, field: &wasmparser::FieldType, offset: usize) -> Result<FieldType> {
    let storage = match field.element_type {
        wasmparser::StorageType::I8 => StorageType::I8,
        wasmparser::StorageType::I16 => StorageType::I16,
        wasmparser::StorageType::Val(ty) => StorageType::Val(convert(known, ty, offset)?),
    };
    Ok(FieldType { storage, mutable: field.mutable })
}

/// The struct that holds an exception of a tag: the tag's identity, then the payload. It is no type
/// that a module could name, since exceptions have a hierarchy of their own.
///
/// # Errors
///
/// When the registry is full.
pub fn exception_type(registry: &TypeRegistry, sig: &FuncType) -> Result<TypeId> {
    let field = |ty| FieldType { storage: StorageType::Val(ty), mutable: false };
    let fields = [ValType::I32].into_iter().chain(sig.params.iter().copied()).map(field).collect();
    let composite = CompositeType::Struct(fields);
    Ok(registry.intern(RecGroup { types: vec![SubType::new(true, None, composite)] })?)
}

/// A value type of a validated module.
pub(super) fn val_type(types: &TypeTable, ty: wasmparser::ValType, offset: usize) -> Result<ValType> {
    convert(types, ty, offset)
}

/// A reference type of a validated module.
pub(super) fn ref_type(types: &TypeTable, ty: wasmparser::RefType, offset: usize) -> Result<RefType> {
    convert_ref(types, ty.is_nullable(), ty.heap_type(), offset)
}

/// A reference to a heap type of a validated module.
pub(super) fn ref_to(types: &TypeTable, nullable: bool, ty: wasmparser::HeapType, offset: usize) -> Result<RefType> {
    convert_ref(types, nullable, ty, offset)
}

fn convert(known: &impl Resolve, ty: wasmparser::ValType, offset: usize) -> Result<ValType> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(r) => ValType::Ref(convert_ref(known, r.is_nullable(), r.heap_type(), offset)?),
    })
}

fn convert_ref(known: &impl Resolve, nullable: bool, ty: wasmparser::HeapType, offset: usize) -> Result<RefType> {
    let exact = matches!(ty, wasmparser::HeapType::Exact(_));
    Ok(RefType { nullable, exact, heap: convert_heap(known, ty, offset)? })
}

fn convert_heap(known: &impl Resolve, ty: wasmparser::HeapType, offset: usize) -> Result<HeapType> {
    use AbstractHeapType as A;
    match ty {
        wasmparser::HeapType::Abstract { shared: true, .. } => Err(Feature::Shared.at(offset)),
        wasmparser::HeapType::Concrete(index) | wasmparser::HeapType::Exact(index) => {
            let view = index.as_module_index().and_then(|index| known.view(index));
            view.ok_or_else(|| Error::bug(format!("type {index} after validation")))
        }
        wasmparser::HeapType::Abstract { shared: false, ty } => match ty {
            A::Func => Ok(HeapType::Func),
            A::Extern => Ok(HeapType::Extern),
            A::Any => Ok(HeapType::Any),
            A::None => Ok(HeapType::None),
            A::NoExtern => Ok(HeapType::NoExtern),
            A::NoFunc => Ok(HeapType::NoFunc),
            A::Eq => Ok(HeapType::Eq),
            A::Struct => Ok(HeapType::Struct),
            A::Array => Ok(HeapType::Array),
            A::I31 => Ok(HeapType::I31),
            A::Exn => Ok(HeapType::Exn),
            A::NoExn => Ok(HeapType::NoExn),
            A::Cont | A::NoCont => Err(Feature::Continuations.at(offset)),
        },
    }
}

fn concrete(known: &impl Resolve, index: UnpackedIndex) -> Result<(CompositeKind, TypeId)> {
    let resolved = index.as_module_index().and_then(|index| known.resolve(index));
    resolved.ok_or_else(|| Error::bug(format!("type {index} after validation")))
}

/// Whether a value type that is not validated yet is a reference outside the `func` hierarchy, or exact.
/// `false` for what validation will refuse.
pub(super) fn is_gc(types: &TypeTable, ty: wasmparser::ValType) -> bool {
    matches!(ty, wasmparser::ValType::Ref(r) if is_gc_heap(types, r.heap_type()))
}

/// The same for a heap type.
pub(super) fn is_gc_heap(types: &TypeTable, ty: wasmparser::HeapType) -> bool {
    match ty {
        wasmparser::HeapType::Exact(_) => true,
        // `nofunc` is of the `func` hierarchy, but a type of the GC proposal.
        wasmparser::HeapType::Abstract { ty, .. } => ty != AbstractHeapType::Func,
        wasmparser::HeapType::Concrete(index) => {
            let resolved = index.as_module_index().and_then(|index| types.resolve(index));
            resolved.is_some_and(|(kind, _)| kind != CompositeKind::Func)
        }
    }
}

/// Whether a signature has a reference outside the `func` hierarchy.
pub(super) fn has_gc(sig: &FuncType) -> bool {
    sig.params.iter().chain(&sig.results).any(|ty| ty.is_lowered())
}
