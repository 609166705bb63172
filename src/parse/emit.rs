//! The operand stack, turned into operands: what every operator without control needs.

use super::module::Module;
use crate::fault::Error;
use crate::fault::Result;
use crate::ir::{Cursor, Op, Value};
use crate::types::{CompositeType, TypeTable};
use crate::types::{FieldType, FuncType, HeapType, RefType, StorageType, TypeId, ValType};

/// Appends instructions that take their operands from a stack, and leave their results there.
pub(super) struct Emit<'e, 'f, 'a> {
    pub cursor: &'e mut Cursor<'f, 'a>,
    pub stack: &'e mut Vec<Value>,
    pub module: &'e Module<'a>,
    /// Where the operator is, in bytes from the start of the module.
    pub offset: usize,
}

impl<'a> Emit<'_, '_, 'a> {
    /// Takes the topmost operand.
    pub(super) fn pop(&mut self) -> Result<Value> {
        self.stack.pop().ok_or_else(|| Error::bug("operand stack underflow"))
    }

    /// The topmost operand, which stays.
    pub(super) fn peek(&self) -> Result<Value> {
        self.stack.last().copied().ok_or_else(|| Error::bug("operand stack underflow"))
    }

    /// The type of a value that validation says is a reference.
    pub(super) fn ref_ty(&self, value: Value) -> Result<RefType> {
        self.cursor.func.ty(value).as_ref().ok_or_else(|| Error::bug("a number where a reference is expected"))
    }

    /// Appends an operation that takes `args` operands and leaves `results`.
    pub(super) fn push(&mut self, op: Op<'a>, args: usize, results: &[ValType]) -> Result<()> {
        let at = self.stack.len().checked_sub(args).ok_or_else(|| Error::bug("operand stack underflow"))?;
        let inst = self.cursor.push(op, &self.stack[at..], results);
        self.stack.truncate(at);
        self.stack.extend_from_slice(self.cursor.func.results(inst));
        Ok(())
    }

    /// The same for the common case of one result.
    pub(super) fn value(&mut self, op: Op<'a>, args: usize, ty: ValType) -> Result<()> {
        self.push(op, args, &[ty])
    }

    /// The same without a result.
    pub(super) fn effect(&mut self, op: Op<'a>, args: usize) -> Result<()> {
        self.push(op, args, &[])
    }
}

/// The fields of a struct type by index.
pub(super) fn fields(types: &TypeTable, index: u32) -> Result<(TypeId, &[FieldType])> {
    let def = types.at(index);
    match &def.sub.composite {
        CompositeType::Struct(fields) => Ok((def.id, fields)),
        _ => Err(Error::bug("struct type expected after validation")),
    }
}

/// The element of an array type by index.
pub(super) fn element(types: &TypeTable, index: u32) -> Result<(TypeId, StorageType)> {
    let def = types.at(index);
    match &def.sub.composite {
        CompositeType::Array(field) => Ok((def.id, field.storage)),
        _ => Err(Error::bug("array type expected after validation")),
    }
}

/// The signature at a type index.
pub(super) fn signature<'m>(module: &'m Module<'_>, ty: u32) -> Result<&'m FuncType> {
    module.type_func(ty).ok_or_else(|| Error::bug("function type expected after validation"))
}

/// The signature of a function.
pub(super) fn func_signature<'m>(module: &'m Module<'_>, func: u32) -> Result<&'m FuncType> {
    module.func_type(func).ok_or_else(|| Error::bug("function expected after validation"))
}

/// The type of a value of type `from` that was found to be of type `to`: all that is known of it.
pub(super) fn meet(types: &TypeTable, from: RefType, to: RefType) -> RefType {
    let nullable = from.nullable && to.nullable;
    let exact = to.exact && from.heap == to.heap;
    if types.is_sub_heap(from.heap, to.heap) {
        RefType { nullable, exact: from.exact || exact, ..from }
    } else {
        RefType { nullable, ..to }
    }
}

/// `(ref heap)`
pub(super) fn non_null(heap: HeapType) -> ValType {
    ValType::Ref(RefType::new(false, heap))
}
