//! Arrays.
//!
//! ```wat
//! (array.get $bytes (local.get $a) (local.get $i))
//! ;; becomes
//! (if (i32.ge_u (local.get $i) (i32.load $heap offset=7 (local.get $a))) (then unreachable))
//! (i32.load8_u $heap offset=11 (i32.add (local.get $a) (local.get $i)))
//! ```
//!
//! The length load faults on null. Checks come in the specification's order: null, array bounds,
//! segment bounds, all before any write. A new object is filled before anything can collect.

use super::super::environ::{Environ, Lowering, never_object};
use super::table::Table;
use super::{Arg, Out, Repr, bulk, desc, fill, func_ref, memory, struct_};
use crate::fault::Error;
use crate::ir::{ArrayOp, Cursor, Sign, TrapCode, Value};
use crate::layout::map::MAX_HEAP_BYTES;
use crate::layout::object::{ARRAY_ELEMENTS, ARRAY_LENGTH, LARGE_OBJECT_BYTES, OBJECT_ALIGN};
use crate::layout::{ArrayLayout, GcType, ObjectLayout, Width};
use crate::types::{CompositeKind, CompositeType, HeapType, RefType, TypeId, ValType};
use std::sync::Arc;
use wasmparser::Operator;

/// An array of so many elements from a data segment is allocated before the segment's bounds are checked.
const FEW_ELEMENTS: u32 = 256;

/// Lowers an array operation.
pub fn lower<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    op: ArrayOp,
    args: &[Arg],
) -> Lowering<Option<Out>> {
    match op {
        ArrayOp::New(ty) => new_filled(e, c, ty, args[1], Some(args[0]), None).map(Some),
        ArrayOp::NewDefault(ty) => new_filled(e, c, ty, args[0], None, None).map(Some),
        ArrayOp::NewRtt(ty) => new_filled(e, c, ty, args[1], Some(args[0]), Some(args[2])).map(Some),
        ArrayOp::NewDefaultRtt(ty) => new_filled(e, c, ty, args[0], None, Some(args[1])).map(Some),
        ArrayOp::NewFixed(ty) => new_fixed(e, c, ty, args).map(Some),
        ArrayOp::NewData { ty, data } => new_data(e, c, ty, data, args).map(Some),
        ArrayOp::NewElem { ty, elem } => new_elem(e, c, ty, elem, args).map(Some),
        ArrayOp::Get { ty, sign } => get(e, c, ty, sign, args).map(Some),
        ArrayOp::Set(ty) => set(e, c, ty, args).map(|()| None),
        ArrayOp::Len => {
            let array = func_ref::native(e, c, args[0])?;
            Ok(Some(Repr::Plain(bulk::array_len(e, c, array))))
        }
        ArrayOp::Fill(ty) => fill(e, c, ty, args).map(|()| None),
        ArrayOp::Copy { dst, .. } => copy(e, c, dst, args).map(|()| None),
        ArrayOp::InitData { ty, data } => init_data(e, c, ty, data, args).map(|()| None),
        ArrayOp::InitElem { ty, elem } => init_elem(e, c, ty, elem, args).map(|()| None),
    }
}

/// The heap's view of an array type, with its element layout.
struct Array {
    ty: Arc<GcType>,
    layout: ArrayLayout,
    value: ValType,
    element: ValType,
}

impl Array {
    fn of<'a, E: Environ<'a>>(e: &E, id: TypeId) -> Result<Array, Error> {
        let ty = e.env().gc_type(id)?.clone();
        let (ObjectLayout::Array(layout), CompositeType::Array(field)) =
            (&ty.layout, &e.env().module.types.def(id).sub.composite)
        else {
            return Err(Error::bug("array operation on a struct type"));
        };
        let heap = HeapType::Concrete(CompositeKind::Array, id);
        let value = ValType::Ref(RefType { nullable: false, exact: true, heap });
        Ok(Array { layout: *layout, value, element: field.storage.unpack(), ty })
    }

    fn width(&self) -> Width {
        self.layout.element
    }
}

fn plain<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, arg: Arg) -> Lowering<Value> {
    func_ref::native(e, c, arg)
}

/// A raw array of a length known only at run time: header and length are set.
fn alloc<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, array: &Array, len: Value) -> Value {
    let fixed = c.constant(len).and_then(|len| u32::try_from(array.layout.bytes(len)).ok());
    if let Some(bytes) = fixed.filter(|&bytes| bytes < LARGE_OBJECT_BYTES) {
        let object = e.alloc(c, bytes, array.value);
        set_up(e, c, array, object, len);
        let region = c.region;
        e.known().set(object, len, region);
        return object;
    }
    // So long that no heap could hold it, and so short that sizes can not wrap.
    let most = ((MAX_HEAP_BYTES - 64) / u64::from(array.width().bytes())) as u32;
    let most = c.i32(most);
    let over = c.i32_op(Operator::I32GtU, len, most);
    c.trap_if(over, TrapCode::AllocationTooLarge);
    let size = bulk::scaled(c, len, array.width());
    let aligned = array.width().bytes() >= OBJECT_ALIGN;
    let extra = c.i32(if aligned { ARRAY_ELEMENTS } else { ARRAY_ELEMENTS + OBJECT_ALIGN - 1 });
    let mut bytes = c.i32_op(Operator::I32Add, size, extra);
    if !aligned {
        let mask = c.i32(!(OBJECT_ALIGN - 1));
        bytes = c.i32_op(Operator::I32And, bytes, mask);
    }
    let object = e.alloc_dynamic(c, bytes, array.value);
    set_up(e, c, array, object, len);
    let region = c.region;
    e.known().set(object, len, region);
    object
}

fn set_up<'a, E: Environ<'a>>(e: &E, c: &mut Cursor<'_, 'a>, array: &Array, object: Value, len: Value) {
    let header = super::record::address(e.env(), c, &array.ty);
    memory::store(e.env(), c, object, 0, Width::I32, header, None);
    memory::store(e.env(), c, object, ARRAY_LENGTH, Width::I32, len, None);
}

fn new_filled<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    id: TypeId,
    len: Arg,
    init: Option<Arg>,
    rtt: Option<Arg>,
) -> Lowering<Out> {
    let array = Array::of(e, id)?;
    let len = plain(e, c, len)?;
    let rtt = rtt.map(|rtt| plain(e, c, rtt)).transpose()?;
    let value = match init {
        Some(init) => struct_::stored(e, c, array.width(), init)?,
        None => memory::default_value(c, array.width()),
    };
    let object = alloc(e, c, &array, len);
    if let Some(rtt) = rtt {
        let header = desc::record(c, rtt);
        memory::store(e.env(), c, object, 0, Width::I32, header, None);
    }
    let zero = c.i32(0);
    fill::fill(e, c, (object, zero), len, array.width(), value);
    Ok(Repr::Plain(object))
}

fn new_fixed<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, id: TypeId, args: &[Arg]) -> Lowering<Out> {
    let array = Array::of(e, id)?;
    let mut values = Vec::with_capacity(args.len());
    for &arg in args {
        values.push(struct_::stored(e, c, array.width(), arg)?);
    }
    let len = args.len() as u32;
    let bytes = u32::try_from(array.layout.bytes(len)).map_err(|_| Error::bug("array.new_fixed beyond 4 GiB"))?;
    let object = e.alloc(c, bytes, array.value);
    let len = c.i32(len);
    set_up(e, c, &array, object, len);
    for (offset, value) in (ARRAY_ELEMENTS..).step_by(array.width().bytes() as usize).zip(values) {
        memory::store(e.env(), c, object, offset, array.width(), value, None);
    }
    Ok(Repr::Plain(object))
}

/// Traps unless `start + count * size` bytes are in the data segment, dropped or not: that is what a
/// `memory.init` of no bytes at the range's end checks.
fn check_data<'a, E: Environ<'a>>(e: &E, c: &mut Cursor<'_, 'a>, data: u32, start: Value, count: Value, width: Width) {
    let wide = |c: &mut Cursor<'_, '_>, v| c.core(Operator::I64ExtendI32U, &[v], ValType::I64);
    let (first, count) = (wide(c, start), wide(c, count));
    let shift = c.core(Operator::I64Const { value: bulk::shift(width).into() }, &[], ValType::I64);
    let bytes = c.core(Operator::I64Shl, &[count, shift], ValType::I64);
    let end = c.core(Operator::I64Add, &[first, bytes], ValType::I64);
    let most = c.core(Operator::I64Const { value: u32::MAX.into() }, &[], ValType::I64);
    let over = c.core(Operator::I64GtU, &[end, most], ValType::I32);
    c.trap_if(over, TrapCode::MemoryOutOfBounds);
    let end = c.core(Operator::I32WrapI64, &[end], ValType::I32);
    let zero = c.i32(0);
    let init = Operator::MemoryInit { data_index: data, mem: e.env().heap() };
    c.effect(init, &[zero, end, zero]);
}

fn copy_data<'a, E: Environ<'a>>(
    e: &E,
    c: &mut Cursor<'_, 'a>,
    data: u32,
    (object, at): (Value, Value),
    start: Value,
    count: Value,
    width: Width,
) {
    let to = bulk::address(c, object, at, width);
    let bytes = bulk::scaled(c, count, width);
    let init = Operator::MemoryInit { data_index: data, mem: e.env().heap() };
    c.effect(init, &[to, start, bytes]);
}

fn new_data<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    id: TypeId,
    data: u32,
    args: &[Arg],
) -> Lowering<Out> {
    let array = Array::of(e, id)?;
    let (start, len) = (plain(e, c, args[0])?, plain(e, c, args[1])?);
    // What holds no references may be left half made by a trap. If it is small, it is not missed either.
    if c.constant(len).is_none_or(|len| len > FEW_ELEMENTS) {
        check_data(e, c, data, start, len, array.width());
    }
    let object = alloc(e, c, &array, len);
    let zero = c.i32(0);
    copy_data(e, c, data, (object, zero), start, len, array.width());
    Ok(Repr::Plain(object))
}

fn new_elem<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    id: TypeId,
    elem: u32,
    args: &[Arg],
) -> Lowering<Out> {
    let array = Array::of(e, id)?;
    let (start, len) = (plain(e, c, args[0])?, plain(e, c, args[1])?);
    let segment = Table::segment(e.env(), elem);
    let available = segment.size(e, c);
    bulk::check_range(c, start, len, available, TrapCode::TableOutOfBounds);
    let object = alloc(e, c, &array, len);
    // Read behind the allocation, which may move it. No barrier: the object is fresh, and a large one
    // is scanned whole at the next collection.
    let source = segment.array(e, c);
    let zero = c.i32(0);
    copy_segment(e, c, (object, zero), (source, start), len, array.width());
    Ok(Repr::Plain(object))
}

/// Copies elements of a segment, which holds function handles as i31.
fn copy_segment<'a, E: Environ<'a>>(
    e: &E,
    c: &mut Cursor<'_, 'a>,
    (object, at): (Value, Value),
    (source, start): (Value, Value),
    count: Value,
    width: Width,
) {
    let env = e.env();
    let to = bulk::address(c, object, at, width);
    let from = bulk::address(c, source, start, width);
    let bytes = bulk::scaled(c, count, width);
    if width != Width::FuncHandle {
        return copy_unless_empty(e, c, count, (to, from, bytes));
    }
    let end = c.i32_op(Operator::I32Add, to, bytes);
    let distance = c.i32_op(Operator::I32Sub, from, to);
    bulk::loop_while(
        c,
        to,
        |c, at| c.i32_op(Operator::I32Ne, at, end),
        |c, at| {
            let from = c.i32_op(Operator::I32Add, at, distance);
            let encoded = memory::load_word(env, c, from, 0, ValType::I32);
            let shift = c.i32(crate::layout::reference::I31_SHIFT);
            // Sign-extending: the null handle is all ones either way.
            let handle = c.i32_op(Operator::I32ShrS, encoded, shift);
            memory::store_word(env, c, at, 0, handle);
            let four = c.i32(4);
            c.i32_op(Operator::I32Add, at, four)
        },
    );
}

/// `memory.copy` in the heap, unless there is nothing to copy: the addresses mean nothing then.
fn copy_unless_empty<'a, E: Environ<'a>>(
    e: &E,
    c: &mut Cursor<'_, 'a>,
    count: Value,
    (to, from, bytes): (Value, Value, Value),
) {
    let heap = e.env().heap();
    c.if_else(
        count,
        &[],
        |c| {
            c.effect(Operator::MemoryCopy { dst_mem: heap, src_mem: heap }, &[to, from, bytes]);
            c.yield_(&[]);
        },
        |c| c.yield_(&[]),
    );
}

fn check_index<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, object: Value, index: Value) {
    let len = bulk::array_len(e, c, object);
    bulk::check_index(e, c, index, len, TrapCode::ArrayOutOfBounds);
}

fn get<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, id: TypeId, sign: Sign, args: &[Arg]) -> Lowering<Out> {
    let array = Array::of(e, id)?;
    let (object, index) = (plain(e, c, args[0])?, plain(e, c, args[1])?);
    check_index(e, c, object, index);
    let base = bulk::element(c, object, index, array.width());
    let value = memory::load(e.env(), c, base, ARRAY_ELEMENTS, (array.width(), sign, array.element), None);
    Ok(if array.width() == Width::FuncHandle { Repr::Handle(value) } else { Repr::Plain(value) })
}

fn set<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, id: TypeId, args: &[Arg]) -> Lowering {
    let array = Array::of(e, id)?;
    let (object, index) = (plain(e, c, args[0])?, plain(e, c, args[1])?);
    let value = struct_::stored(e, c, array.width(), args[2])?;
    check_index(e, c, object, index);
    let base = bulk::element(c, object, index, array.width());
    if array.width() == Width::Ref {
        let distance = ARRAY_ELEMENTS + crate::layout::reference::BIAS;
        e.write_barrier(c, object, base, distance, value);
    }
    memory::store(e.env(), c, base, ARRAY_ELEMENTS, array.width(), value, None);
    Ok(())
}

fn fill<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, id: TypeId, args: &[Arg]) -> Lowering {
    let array = Array::of(e, id)?;
    let (object, start) = (plain(e, c, args[0])?, plain(e, c, args[1])?);
    let value = struct_::stored(e, c, array.width(), args[2])?;
    let count = plain(e, c, args[3])?;
    let len = bulk::array_len(e, c, object);
    bulk::check_range(c, start, count, len, TrapCode::ArrayOutOfBounds);
    if array.width() == Width::Ref && !never_object(c, value) {
        e.write_barrier_elements(c, object, start, count);
    }
    fill::fill(e, c, (object, start), count, array.width(), value);
    Ok(())
}

fn copy<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, id: TypeId, args: &[Arg]) -> Lowering {
    let array = Array::of(e, id)?;
    let (dst, dst_start) = (plain(e, c, args[0])?, plain(e, c, args[1])?);
    let (src, src_start) = (plain(e, c, args[2])?, plain(e, c, args[3])?);
    let count = plain(e, c, args[4])?;
    let dst_len = bulk::array_len(e, c, dst);
    let src_len = bulk::array_len(e, c, src);
    bulk::check_range(c, dst_start, count, dst_len, TrapCode::ArrayOutOfBounds);
    bulk::check_range(c, src_start, count, src_len, TrapCode::ArrayOutOfBounds);
    if array.width() == Width::Ref {
        e.write_barrier_elements(c, dst, dst_start, count);
    }
    bulk::copy(e, c, (dst, dst_start), (src, src_start), count, array.width());
    Ok(())
}

fn init_data<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, id: TypeId, data: u32, args: &[Arg]) -> Lowering {
    let array = Array::of(e, id)?;
    let (object, at) = (plain(e, c, args[0])?, plain(e, c, args[1])?);
    let (start, count) = (plain(e, c, args[2])?, plain(e, c, args[3])?);
    let len = bulk::array_len(e, c, object);
    bulk::check_range(c, at, count, len, TrapCode::ArrayOutOfBounds);
    check_data(e, c, data, start, count, array.width());
    copy_data(e, c, data, (object, at), start, count, array.width());
    Ok(())
}

fn init_elem<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, id: TypeId, elem: u32, args: &[Arg]) -> Lowering {
    let array = Array::of(e, id)?;
    let (object, at) = (plain(e, c, args[0])?, plain(e, c, args[1])?);
    let (start, count) = (plain(e, c, args[2])?, plain(e, c, args[3])?);
    let len = bulk::array_len(e, c, object);
    bulk::check_range(c, at, count, len, TrapCode::ArrayOutOfBounds);
    let segment = Table::segment(e.env(), elem);
    let available = segment.size(e, c);
    bulk::check_range(c, start, count, available, TrapCode::TableOutOfBounds);
    let source = segment.array(e, c);
    if array.width() == Width::Ref {
        e.write_barrier_elements(c, object, at, count);
    }
    copy_segment(e, c, (object, at), (source, start), count, array.width());
    Ok(())
}
