//! The hooks: what differs between heap flavours, and one method for each GC operation.
//!
//! The methods carry the names of Wasmtime's `FuncEnvironment` translation hooks. Their default
//! bodies are the lowerings of `op/`, which all flavours share as long as they share the layout; a
//! flavour gives the four required ones. A collector that is itself Wasm, or an engine without guard
//! pages, is another implementation and nothing else.

use super::bytes;
use super::env::{ModuleEnv, RuntimeFunc};
use super::helper::append_remembered;
use super::known::Known;
use super::op;
use super::op::memory::{load_word, null_fault};
use crate::fault::Error;
use crate::ir::{ArrayOp, Callee, Cursor, HeapOp, Op, StructOp, TrapCode, Value, memarg};
use crate::layout::reference;
use crate::types::{RefType, ValType};
use wasmparser::Operator;

/// The result of a hook.
pub type Lowering<T = ()> = Result<T, Error>;

/// One heap flavour's view of a module.
pub trait Environ<'a> {
    /// What all functions share.
    fn env(&self) -> &ModuleEnv<'_, 'a>;

    /// Known of arrays that are known in the function.
    fn known(&mut self) -> &mut Known;

    /// A raw object of a fixed size, small enough for the nursery.
    fn alloc(&mut self, c: &mut Cursor<'_, 'a>, bytes: u32, ty: ValType) -> Value;

    /// A raw object of a size that is an operand, of any size that the address space can hold.
    fn alloc_dynamic(&mut self, c: &mut Cursor<'_, 'a>, bytes: Value, ty: ValType) -> Value;

    /// A raw descriptor for objects of the type with this record: old, and never moved.
    fn alloc_descriptor(&mut self, c: &mut Cursor<'_, 'a>, rtt: Value, bytes: u32, ty: ValType) -> Value {
        let bytes = c.i32(bytes);
        let callee = Callee::Func(self.env().runtime(RuntimeFunc::AllocDescriptor));
        c.value(Op::Call(callee), &[rtt, bytes], ty)
    }

    /// Copies so many bytes in the heap; the ranges may overlap and are in bounds. Most copies are short, and the engine calls
    /// its runtime for each whose length it does not know.
    fn copy_bytes(&mut self, c: &mut Cursor<'_, 'a>, to: Value, from: Value, bytes: Value) {
        if self.is_small() || c.constant(bytes).is_some() {
            let heap = self.env().heap();
            c.effect(Operator::MemoryCopy { dst_mem: heap, src_mem: heap }, &[to, from, bytes]);
            return;
        }
        let (callee, heap) = (self.env().runtime(RuntimeFunc::CopyBytes), self.env().heap());
        let all = Operator::MemoryCopy { dst_mem: heap, src_mem: heap };
        bytes::by_length(c, (callee, bytes::MAX_COPIED), all, [to, from, bytes]);
    }

    /// Sets so many bytes in the heap, which are in bounds, to one value. The engine calls its runtime for each fill.
    fn fill_bytes(&mut self, c: &mut Cursor<'_, 'a>, to: Value, byte: Value, bytes: Value) {
        if self.is_small() {
            c.effect(Operator::MemoryFill { mem: self.env().heap() }, &[to, byte, bytes]);
            return;
        }
        let (callee, heap) = (self.env().runtime(RuntimeFunc::FillBytes), self.env().heap());
        bytes::by_length(c, (callee, bytes::MAX_FILLED), Operator::MemoryFill { mem: heap }, [to, byte, bytes]);
    }

    /// Whether code is to be small: it runs once, or is to be compiled soon.
    fn is_small(&self) -> bool;

    /// Before `value` is stored at byte `offset` from the address `base` in `object`. Nothing may come between
    /// them that collects.
    fn write_barrier(&mut self, c: &mut Cursor<'_, 'a>, object: Value, base: Value, offset: u32, value: Value);

    /// After many references were stored into `object`.
    fn write_barrier_object(&mut self, c: &mut Cursor<'_, 'a>, object: Value);
    /// The same for so many elements of an array of references, from an index on. It comes before they are stored, as a trap for
    /// want of fuel may come between.
    fn write_barrier_elements(&mut self, c: &mut Cursor<'_, 'a>, array: Value, from: Value, count: Value);

    /// Before an access through `reference` that faults by itself when that is null.
    fn null_check(&mut self, c: &mut Cursor<'_, 'a>, reference: Value) {
        let nullable = c.func.ty(reference).as_ref().is_none_or(|r| r.nullable);
        let def = c.func.def_inst(reference).map(|inst| &c.func.insts[inst].op);
        if matches!(def, Some(Op::Core(Operator::I32Const { value })) if *value == reference::NULL as i32) {
            // The engine moves loads at constant addresses, and then nobody knows where they fault.
            let always = c.i32(1);
            c.trap_if(always, TrapCode::NullReference);
        } else if self.env().explicit_null_checks && nullable {
            let null = c.i32(reference::NULL);
            let is_null = c.i32_op(Operator::I32Eq, reference, null);
            c.trap_if(is_null, TrapCode::NullReference);
        }
    }

    /// `struct.*`
    fn translate_struct(&mut self, c: &mut Cursor<'_, 'a>, op: StructOp, args: &[op::Arg]) -> Lowering<Option<op::Out>>
    where
        Self: Sized,
    {
        op::struct_::lower(self, c, op, args)
    }

    /// `array.*`
    fn translate_array(&mut self, c: &mut Cursor<'_, 'a>, op: ArrayOp, args: &[op::Arg]) -> Lowering<Option<op::Out>>
    where
        Self: Sized,
    {
        op::array::lower(self, c, op, args)
    }

    /// `ref.test`: an `i32`.
    fn translate_ref_test(
        &mut self,
        c: &mut Cursor<'_, 'a>,
        value: Value,
        from: RefType,
        to: RefType,
    ) -> Lowering<Value>
    where
        Self: Sized,
    {
        op::cast::test(self, c, value, from, to)
    }

    /// `ref.cast`: traps, or leaves the value as it is.
    fn translate_ref_cast(&mut self, c: &mut Cursor<'_, 'a>, value: Value, from: RefType, to: RefType) -> Lowering
    where
        Self: Sized,
    {
        op::cast::cast(self, c, value, from, to)
    }
}

/// The generational heap: bump allocation with a collecting slow path, and a write barrier that
/// remembers slots of old objects that may hold young ones.
pub struct Generational<'m, 'a> {
    env: &'m ModuleEnv<'m, 'a>,
    /// Allocate, copy and fill by calls: for code that runs once, or is to be compiled soon.
    small: bool,
    known: Known,
}

impl<'m, 'a> Generational<'m, 'a> {
    /// For one function of a module. `small`: allocate, copy and fill by calls, for code that runs once, or is to be
    /// compiled soon.
    pub fn new(env: &'m ModuleEnv<'m, 'a>, small: bool) -> Self {
        Generational { env, small, known: Known::default() }
    }

    fn remember(&self, c: &mut Cursor<'_, 'a>, base: Value, offset: u32) {
        let offset = c.i32(offset);
        let slot = c.i32_op(Operator::I32Add, base, offset);
        if self.small {
            c.push(Op::Call(Callee::Func(self.env.runtime(RuntimeFunc::Remember))), &[slot], &[]);
        } else {
            append_remembered(self.env, c, slot);
        }
        c.yield_(&[]);
    }
}

impl<'a> Environ<'a> for Generational<'_, 'a> {
    fn env(&self) -> &ModuleEnv<'_, 'a> {
        self.env
    }

    fn known(&mut self) -> &mut Known {
        &mut self.known
    }

    fn is_small(&self) -> bool {
        self.small
    }

    fn alloc(&mut self, c: &mut Cursor<'_, 'a>, bytes: u32, ty: ValType) -> Value {
        let large = bytes >= crate::layout::object::LARGE_OBJECT_BYTES;
        if self.small || large {
            let bytes = c.i32(bytes);
            let callee = if large { RuntimeFunc::Alloc } else { RuntimeFunc::Allocate };
            return c.value(Op::Call(Callee::Func(self.env.runtime(callee))), &[bytes], ty);
        }
        c.alloc(bytes, ty)
    }

    fn alloc_dynamic(&mut self, c: &mut Cursor<'_, 'a>, bytes: Value, ty: ValType) -> Value {
        if self.small {
            return c.value(Op::Call(Callee::Func(self.env.runtime(RuntimeFunc::Allocate))), &[bytes], ty);
        }
        c.value(Op::Heap(HeapOp::AllocDynamic), &[bytes], ty)
    }

    /// ```wat
    /// (if (i32.and (i32.ge_u object OLD) (i32.lt_u value (i32.load BOUNDARY)))
    ///   (then
    ///     (local.set $before (i32.load (i32.add base offset)))
    ///     (if (i32.eqz (i32.and (i32.lt_u $before OLD) $before))
    ///       (then (append_remembered (i32.add base offset))))))
    /// ```
    /// A slot that refers to a young object is remembered already; so each is remembered once, however often
    /// it is stored to. An i31 below the boundary is remembered for nothing, which is harmless, but no reason
    /// not to remember: its lowest bit is clear. Null is above the boundary. The boundary for values is in a cell:
    /// while a collection marks in steps, every reference that is stored into an old object is below it.
    fn write_barrier(&mut self, c: &mut Cursor<'_, 'a>, object: Value, base: Value, offset: u32, value: Value) {
        if never_object(c, value) {
            return;
        }
        let old = c.i32(self.env.map.young_boundary());
        let is_old = c.i32_op(Operator::I32GeU, object, old);
        let zero = c.i32(0);
        let boundary = load_word(self.env, c, zero, self.env.map.boundary_cell(), ValType::I32);
        let is_below = c.i32_op(Operator::I32LtU, value, boundary);
        let both = c.i32_op(Operator::I32And, is_old, is_below);
        // The object may be null, which counts as old.
        let fault = null_fault(c, object);
        let barrier = c.if_else(
            both,
            &[],
            |c| {
                let memarg = memarg(self.env.heap(), u64::from(offset));
                let before = c.load(Operator::I32Load { memarg }, base, ValType::I32, fault);
                let was_below = c.i32_op(Operator::I32LtU, before, old);
                let was_young = c.i32_op(Operator::I32And, was_below, before);
                let known = c.if_else(was_young, &[], |c| c.yield_(&[]), |c| self.remember(c, base, offset));
                c.func.likely[known] = Some(true);
                c.yield_(&[]);
            },
            |c| c.yield_(&[]),
        );
        c.func.likely[barrier] = Some(false);
    }

    fn write_barrier_object(&mut self, c: &mut Cursor<'_, 'a>, object: Value) {
        self.remember_if_old(c, RuntimeFunc::RememberObject, object, &[object]);
    }

    fn write_barrier_elements(&mut self, c: &mut Cursor<'_, 'a>, array: Value, from: Value, count: Value) {
        self.remember_if_old(c, RuntimeFunc::RememberElements, array, &[array, from, count]);
    }
}

impl<'a> Generational<'_, 'a> {
    /// Tells the runtime what is stored into an object, unless that is young, or the one that it was told of last as a whole.
    fn remember_if_old(&mut self, c: &mut Cursor<'_, 'a>, remember: RuntimeFunc, object: Value, args: &[Value]) {
        let remember = self.env.runtime(remember);
        let old = c.i32(self.env.map.young_boundary());
        let is_old = c.i32_op(Operator::I32GeU, object, old);
        let zero = c.i32(0);
        let known = load_word(self.env, c, zero, self.env.map.remembered_object_cell(), ValType::I32);
        let is_other = c.i32_op(Operator::I32Ne, object, known);
        let both = c.i32_op(Operator::I32And, is_old, is_other);
        c.if_else(
            both,
            &[],
            |c| {
                c.push(Op::Call(Callee::Func(remember)), args, &[]);
                c.yield_(&[]);
            },
            |c| c.yield_(&[]),
        );
    }
}

/// Whether a value is no object by its type or origin: null, or an i31.
pub fn never_object(c: &Cursor<'_, '_>, value: Value) -> bool {
    use crate::types::HeapType;
    if matches!(c.func.ty(value).as_ref(), Some(r) if r.heap.is_bottom() || r.heap == HeapType::I31) {
        return true;
    }
    let def = c.func.def_inst(value).map(|inst| &c.func.insts[inst].op);
    matches!(def, Some(Op::Core(Operator::I32Const { .. })))
}
