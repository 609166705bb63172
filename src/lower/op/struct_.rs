//! Structs.
//!
//! ```wat
//! (struct.new $pair (local.get $a) (local.get $b))
//! ;; becomes
//! (local.set $p (alloc 12))                          ;; inline bump, cold path to the collector
//! (i32.store $heap offset=3 (local.get $p) (i32.const RTT))
//! (i32.store $heap offset=7 (local.get $p) (local.get $a))
//! (i32.store $heap offset=11 (local.get $p) (local.get $b))
//! ```

use super::super::environ::{Environ, Lowering};
use super::{Arg, Out, Repr, desc, func_ref, memory};
use crate::fault::Error;
use crate::ir::{Cursor, Sign, StructOp, Value};
use crate::layout::{FieldLayout, GcType, ObjectLayout, StructLayout, Width};
use crate::types::{CompositeKind, CompositeType, HeapType, RefType, StorageType, TypeId, ValType};
use std::sync::Arc;

/// Lowers a struct operation.
pub fn lower<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    op: StructOp,
    args: &[Arg],
) -> Lowering<Option<Out>> {
    match op {
        StructOp::New(ty) => new(e, c, ty, Some(args), None).map(Some),
        StructOp::NewDefault(ty) => new(e, c, ty, None, None).map(Some),
        StructOp::NewDesc(ty) | StructOp::NewDefaultDesc(ty) => {
            let Some((&descriptor, fields)) = args.split_last() else {
                return Err(Error::bug("an allocation without its descriptor"));
            };
            let fields = matches!(op, StructOp::NewDesc(_)).then_some(fields);
            new(e, c, ty, fields, Some(descriptor)).map(Some)
        }
        StructOp::Get { ty, field, sign } => get(e, c, ty, field, sign, args).map(Some),
        StructOp::Set { ty, field } => set(e, c, ty, field, args).map(|()| None),
    }
}

/// The type of a fresh struct.
fn fresh(ty: TypeId) -> ValType {
    let heap = HeapType::Concrete(CompositeKind::Struct, ty);
    ValType::Ref(RefType { nullable: false, exact: true, heap })
}

fn layout(ty: &GcType) -> Result<&StructLayout, Error> {
    match &ty.layout {
        ObjectLayout::Struct(layout) => Ok(layout),
        ObjectLayout::Array(_) => Err(Error::bug("struct operation on an array type")),
    }
}

/// Where a field is.
pub fn field<'a, E: Environ<'a>>(e: &E, id: TypeId, index: u32) -> Lowering<FieldLayout> {
    let gc = e.env().gc_type(id)?;
    layout(gc)?.fields.get(index as usize).copied().ok_or_else(|| Error::bug("no such field"))
}

fn field_type<'a, E: Environ<'a>>(e: &E, ty: TypeId, field: u32) -> Result<StorageType, Error> {
    match &e.env().module.types.def(ty).sub.composite {
        CompositeType::Struct(fields) => fields.get(field as usize).map(|f| f.storage),
        _ => None,
    }
    .ok_or_else(|| Error::bug("no such field"))
}

/// A field's value in the form in which objects hold it.
pub fn stored<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, width: Width, arg: Arg) -> Lowering<Value> {
    match width {
        Width::FuncHandle => func_ref::handle(e, c, arg),
        _ => func_ref::native(e, c, arg),
    }
}

fn new<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    id: TypeId,
    args: Option<&[Arg]>,
    descriptor: Option<Arg>,
) -> Lowering<Out> {
    let ty: Arc<GcType> = e.env().gc_type(id)?.clone();
    let layout = layout(&ty)?;
    // Handles are made first: making one can call the host.
    let mut values = Vec::with_capacity(layout.fields.len());
    for (i, field) in layout.fields.iter().enumerate() {
        values.push(match args {
            Some(args) => stored(e, c, field.width, args[i])?,
            None => memory::default_value(c, field.width),
        });
    }
    // The descriptor is a root across the allocation, and an address only behind it.
    let descriptor = descriptor.map(|arg| func_ref::native(e, c, arg)).transpose()?;
    let describes = e.env().module.types.def(id).sub.describes;
    let object = match describes {
        Some(of) => {
            let rtt = super::record::address(e.env(), c, e.env().gc_type(of)?);
            e.alloc_descriptor(c, rtt, layout.bytes, fresh(id))
        }
        None => e.alloc(c, layout.bytes, fresh(id)),
    };
    let header = match descriptor {
        Some(descriptor) => desc::record(c, descriptor),
        None => super::record::address(e.env(), c, &ty),
    };
    memory::store(e.env(), c, object, 0, Width::I32, header, None);
    for (field, value) in layout.fields.iter().zip(values) {
        memory::store(e.env(), c, object, field.offset, field.width, value, None);
    }
    if describes.is_some() && args.is_some() && !layout.refs.is_empty() {
        e.write_barrier_object(c, object);
    }
    Ok(Repr::Plain(object))
}

fn get<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    id: TypeId,
    field: u32,
    sign: Sign,
    args: &[Arg],
) -> Lowering<Out> {
    let object = func_ref::native(e, c, args[0])?;
    e.null_check(c, object);
    let ty = field_type(e, id, field)?.unpack();
    let gc = e.env().gc_type(id)?.clone();
    let layout = layout(&gc)?.fields[field as usize];
    let fault = memory::null_fault(c, object);
    let value = memory::load(e.env(), c, object, layout.offset, (layout.width, sign, ty), fault);
    Ok(if layout.width == Width::FuncHandle { Repr::Handle(value) } else { Repr::Plain(value) })
}

fn set<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, id: TypeId, field: u32, args: &[Arg]) -> Lowering {
    let object = func_ref::native(e, c, args[0])?;
    let gc = e.env().gc_type(id)?.clone();
    let layout = layout(&gc)?.fields[field as usize];
    let value = stored(e, c, layout.width, args[1])?;
    e.null_check(c, object);
    let fault = memory::null_fault(c, object);
    if layout.width == Width::Ref {
        let distance = layout.offset + crate::layout::reference::BIAS;
        e.write_barrier(c, object, object, distance, value);
    }
    memory::store(e.env(), c, object, layout.offset, layout.width, value, fault);
    Ok(())
}
