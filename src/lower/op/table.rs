//! Tables. Tables of functions stay WebAssembly tables; all others live in the heap.
//!
//! A lowered table is two words of a root area: a reference to an array of the built-in table type,
//! whose length is the capacity, and the size as an i31. `table.get` is then an array access with the
//! table's own bound.
//!
//! A small table that never grows, and that nobody sees from outside, is *in line*: its elements are words of the root area
//! themselves, like globals. Its size is a constant, and a store to it needs no barrier.

use super::super::env::{ModuleEnv, Place, RuntimeFunc, TablePlace};
use super::super::environ::{Environ, Lowering, never_object};
use super::{Arg, Out, Repr, bulk, fill, func_ref, global, memory};
use crate::fault::Error;
use crate::ir::{Callee, Cursor, Op, TableOp, TrapCode, Value};
use crate::layout::object::ARRAY_ELEMENTS;
use crate::layout::{Width, reference};
use crate::types::{HeapType, RefType, ValType};
use wasmparser::Operator;

/// Lowers a table operation; `ty` is the type of its result.
pub fn lower<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    op: TableOp,
    args: &[Arg],
    ty: Option<ValType>,
) -> Lowering<Option<Out>> {
    let table = match op {
        TableOp::Get(t) | TableOp::Set(t) | TableOp::Size(t) | TableOp::Grow(t) | TableOp::Fill(t) => t,
        TableOp::Copy { dst, .. } => dst,
        TableOp::Init { table, .. } => table,
        TableOp::ElemDrop(elem) => return drop_segment(e, c, elem).map(|()| None),
    };
    let values = operands(e, c, table, args)?;
    let Some(this) = Table::of(e.env(), table) else {
        same_elements(e, c, op)?;
        let results: Vec<_> = ty.into_iter().collect();
        let inst = c.push(Op::Table(op), &values, &results);
        return Ok(c.func.results(inst).first().map(|&v| Repr::Plain(v)));
    };
    match op {
        TableOp::Get(_) => get(e, c, this, &values, ty).map(Some),
        TableOp::Set(_) => set(e, c, this, &values).map(|()| None),
        TableOp::Size(_) => {
            let size = this.size(e, c);
            Ok(Some(Repr::Plain(this.widened(c, size))))
        }
        TableOp::Grow(_) => Ok(Some(Repr::Plain(grow(e, c, this, &values)))),
        TableOp::Fill(_) => fill(e, c, this, &values).map(|()| None),
        TableOp::Copy { src, .. } => copy(e, c, this, src, &values).map(|()| None),
        TableOp::Init { elem, .. } => init(e, c, this, elem, &values).map(|()| None),
        TableOp::ElemDrop(_) => Ok(None),
    }
}

/// Lowered code has no `nofunc`, so that its nulls are of type `funcref`, and a table or a segment of
/// them can not be copied to a table of a narrower type.
fn same_elements<'a, E: Environ<'a>>(e: &E, c: &Cursor<'_, 'a>, op: TableOp) -> Lowering {
    let module = e.env().module;
    let table = |index: u32| module.tables.get(index as usize).map(|table| table.elem.heap);
    let (from, to) = match op {
        TableOp::Copy { dst, src } => (table(src), table(dst)),
        TableOp::Init { elem, table: to } => {
            (module.elems.get(elem as usize).map(|elem| e.env().elem_type(elem).heap), table(to))
        }
        _ => return Ok(()),
    };
    if from != Some(HeapType::NoFunc) || matches!(to, Some(HeapType::NoFunc | HeapType::Func)) {
        return Ok(());
    }
    Err(Error::Unsupported {
        offset: c.loc.0 as usize,
        feature: "copying from a table or segment of `nofunc` to a table of a function type".to_string(),
        remedy: "fill the table with nulls instead",
    })
}

/// The operands as values. A segment of functions holds handles as i31, so that the collector can
/// scan it like any other.
fn operands<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, table: u32, args: &[Arg]) -> Lowering<Vec<Value>> {
    let segment = e.env().segment_of(table).is_some();
    args.iter()
        .map(|&arg| match arg.ty {
            ValType::Ref(ty) if segment && ty.is_func() => {
                let handle = func_ref::handle(e, c, arg)?;
                let shift = c.i32(reference::I31_SHIFT);
                let ty = ValType::Ref(RefType::new(true, HeapType::I31));
                Ok(c.core(Operator::I32Shl, &[handle, shift], ty))
            }
            ValType::Ref(_) => {
                let elem = e.env().module.tables.get(table as usize).map(|t| ValType::Ref(t.elem));
                func_ref::native_as(e, c, arg, elem.unwrap_or(arg.ty))
            }
            _ => func_ref::native(e, c, arg),
        })
        .collect()
}

/// A lowered table or element segment.
#[derive(Clone, Copy)]
pub struct Table {
    /// Where its words are.
    place: Place,
    /// How many of them are its elements, if they are there.
    in_line: Option<u32>,
    /// Whether its indices are `i64`.
    wide: bool,
}

impl Table {
    /// A table by virtual index; `None` for a native one.
    fn of(env: &ModuleEnv<'_, '_>, table: u32) -> Option<Table> {
        let TablePlace { place, in_line } = env.table_place(table)?;
        Some(Table { place, in_line, wide: env.table_is_wide(table) })
    }

    /// An element segment.
    pub fn segment(env: &ModuleEnv<'_, '_>, elem: u32) -> Table {
        Table { place: env.elems[elem as usize], in_line: None, wide: false }
    }

    /// The array that holds the elements, or an address whose elements would be those of a table in line.
    pub fn array<'a, E: Environ<'a>>(self, e: &mut E, c: &mut Cursor<'_, 'a>) -> Value {
        if self.in_line.is_some() {
            let base = global::base(e, c, self.place);
            let ahead = c.i32(self.place.offset.wrapping_sub(ARRAY_ELEMENTS + reference::BIAS));
            return c.i32_op(Operator::I32Add, base, ahead);
        }
        let cell = (self.place.base, self.place.offset);
        if let Some(known) = e.known().cell(cell) {
            return known;
        }
        let base = global::base(e, c, self.place);
        let ty = ValType::Ref(RefType::new(true, HeapType::Array));
        let array = memory::load_word(e.env(), c, base, self.place.offset, ty);
        let region = c.region;
        e.known().set_cell(cell, array, region);
        array
    }

    /// How many elements there are, an `i32`.
    pub fn size<'a, E: Environ<'a>>(self, e: &mut E, c: &mut Cursor<'_, 'a>) -> Value {
        // That of a table in line is in no cell. It is remembered all the same: indices are known to be below a value.
        let cell = (self.place.base, self.place.offset + if self.in_line.is_some() { 1 } else { 4 });
        if let Some(known) = e.known().cell(cell) {
            return known;
        }
        let size = match self.in_line {
            Some(len) => c.i32(len),
            None => {
                let base = global::base(e, c, self.place);
                let size = memory::load_word(e.env(), c, base, self.place.offset + 4, ValType::I32);
                let shift = c.i32(reference::I31_SHIFT);
                c.i32_op(Operator::I32ShrU, size, shift)
            }
        };
        let region = c.region;
        e.known().set_cell(cell, size, region);
        size
    }

    fn widened(self, c: &mut Cursor<'_, '_>, value: Value) -> Value {
        if self.wide { c.core(Operator::I64ExtendI32U, &[value], ValType::I64) } else { value }
    }

    /// An index or count of the table's index type as an `i32`. What does not fit is out of bounds.
    fn narrowed(self, c: &mut Cursor<'_, '_>, value: Value) -> Value {
        if !self.wide || c.func.ty(value) == ValType::I32 {
            return value;
        }
        let most = c.core(Operator::I64Const { value: u32::MAX.into() }, &[], ValType::I64);
        let over = c.core(Operator::I64GtU, &[value, most], ValType::I32);
        c.trap_if(over, TrapCode::TableOutOfBounds);
        c.core(Operator::I32WrapI64, &[value], ValType::I32)
    }
}

fn check_index<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, table: Table, index: Value) -> Value {
    let index = table.narrowed(c, index);
    let size = table.size(e, c);
    bulk::check_index(e, c, index, size, TrapCode::TableOutOfBounds);
    index
}

/// The base of an access to an element, and the offset of it from there.
fn element<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, table: Table, index: Value) -> (Value, u32) {
    match table.in_line {
        Some(_) => {
            let base = global::base(e, c, table.place);
            (bulk::element(c, base, index, Width::Ref), table.place.offset)
        }
        None => {
            let array = table.array(e, c);
            (bulk::element(c, array, index, Width::Ref), ARRAY_ELEMENTS + reference::BIAS)
        }
    }
}

fn get<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    table: Table,
    args: &[Value],
    ty: Option<ValType>,
) -> Lowering<Out> {
    let index = check_index(e, c, table, args[0]);
    let (base, offset) = element(e, c, table, index);
    let ty = ty.ok_or_else(|| crate::fault::Error::bug("table.get without a result"))?;
    Ok(Repr::Plain(memory::load_word(e.env(), c, base, offset, ty)))
}

fn set<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, table: Table, args: &[Value]) -> Lowering {
    let index = check_index(e, c, table, args[0]);
    let (base, offset) = element(e, c, table, index);
    if table.in_line.is_none() {
        let array = table.array(e, c);
        e.write_barrier(c, array, base, offset, args[1]);
    }
    memory::store_word(e.env(), c, base, offset, args[1]);
    Ok(())
}

/// Growing is the runtime's: it allocates, and it alone knows the maximum.
fn grow<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, table: Table, args: &[Value]) -> Value {
    let (init, delta) = (args[0], args[1]);
    let import = e.env().runtime(RuntimeFunc::TableGrow);
    let base = global::base(e, c, table.place);
    let call = |c: &mut Cursor<'_, 'a>, delta: Value| {
        let offset = c.i32(table.place.offset);
        let address = c.i32_op(Operator::I32Add, base, offset);
        c.value(Op::Call(Callee::Func(import)), &[address, delta, init], ValType::I32)
    };
    if !table.wide {
        return call(c, delta);
    }
    // More than 32 bits can not be had: -1.
    let most = c.core(Operator::I64Const { value: u32::MAX.into() }, &[], ValType::I64);
    let over = c.core(Operator::I64GtU, &[delta, most], ValType::I32);
    let inst = c.if_else(
        over,
        &[ValType::I64],
        |c| {
            let failed = c.core(Operator::I64Const { value: -1 }, &[], ValType::I64);
            c.yield_(&[failed]);
        },
        |c| {
            let delta = c.core(Operator::I32WrapI64, &[delta], ValType::I32);
            let old = call(c, delta);
            let old = c.core(Operator::I64ExtendI32S, &[old], ValType::I64);
            c.yield_(&[old]);
        },
    );
    c.func.results(inst)[0]
}

fn fill<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, table: Table, args: &[Value]) -> Lowering {
    let (start, value, count) = (table.narrowed(c, args[0]), args[1], table.narrowed(c, args[2]));
    let size = table.size(e, c);
    bulk::check_range(c, start, count, size, TrapCode::TableOutOfBounds);
    let array = table.array(e, c);
    if table.in_line.is_none() && !never_object(c, value) {
        remember_unless_empty(e, c, array, start, count);
    }
    fill::fill(e, c, (array, start), count, Width::Ref, value);
    Ok(())
}

/// An empty table may have no array.
fn remember_unless_empty<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    array: Value,
    start: Value,
    count: Value,
) {
    c.if_else(
        count,
        &[],
        |c| {
            e.write_barrier_elements(c, array, start, count);
            c.yield_(&[]);
        },
        |c| c.yield_(&[]),
    );
}

fn copy<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, dst: Table, src: u32, args: &[Value]) -> Lowering {
    let Some(src) = Table::of(e.env(), src) else {
        return Err(crate::fault::Error::bug("table.copy between hierarchies"));
    };
    let (dst_start, src_start) = (dst.narrowed(c, args[0]), src.narrowed(c, args[1]));
    let count = if dst.wide && src.wide { dst.narrowed(c, args[2]) } else { args[2] };
    let dst_size = dst.size(e, c);
    let src_size = src.size(e, c);
    bulk::check_range(c, dst_start, count, dst_size, TrapCode::TableOutOfBounds);
    bulk::check_range(c, src_start, count, src_size, TrapCode::TableOutOfBounds);
    move_elements(e, c, (dst, dst_start), (src, src_start), count);
    Ok(())
}

fn init<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, table: Table, elem: u32, args: &[Value]) -> Lowering {
    let (start, from, count) = (table.narrowed(c, args[0]), args[1], args[2]);
    let size = table.size(e, c);
    bulk::check_range(c, start, count, size, TrapCode::TableOutOfBounds);
    let segment = Table::segment(e.env(), elem);
    let available = segment.size(e, c);
    bulk::check_range(c, from, count, available, TrapCode::TableOutOfBounds);
    move_elements(e, c, (table, start), (segment, from), count);
    Ok(())
}

/// Copies elements; the ranges are in bounds. An empty table may have no array.
fn move_elements<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    (dst, dst_start): (Table, Value),
    (src, src_start): (Table, Value),
    count: Value,
) {
    let (from, to) = (src.array(e, c), dst.array(e, c));
    c.if_else(
        count,
        &[],
        |c| {
            if dst.in_line.is_none() {
                e.write_barrier_elements(c, to, dst_start, count);
            }
            bulk::copy(e, c, (to, dst_start), (from, src_start), count, Width::Ref);
            c.yield_(&[]);
        },
        |c| c.yield_(&[]),
    );
}

/// `elem.drop`: the segment becomes empty. Segments of functions also exist natively.
fn drop_segment<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, elem: u32) -> Lowering {
    let place = e.env().elems[elem as usize];
    let base = global::base(e, c, place);
    let null = c.i32(reference::NULL);
    memory::store_word(e.env(), c, base, place.offset, null);
    let zero = c.i32(reference::i31(0));
    memory::store_word(e.env(), c, base, place.offset + 4, zero);
    if e.env().module.elems[elem as usize].ty.is_func() {
        c.push(Op::Table(TableOp::ElemDrop(elem)), &[], &[]);
    }
    Ok(())
}
