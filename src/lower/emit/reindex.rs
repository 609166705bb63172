//! Wasm operators with new indices, and which of them can trap or call.

use super::code::Code;
use super::{EmitContext, EmittedBody};
use crate::fault::Error;
use crate::ir::SrcLoc;
use crate::lower::index::Space;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{Encode, Instruction};
use wasmparser::{MemArg, Operator};

/// Maps every index by the module's [`crate::lower::index::IndexMap`].
pub(super) struct Reindex<'c>(pub &'c EmitContext<'c>);

type Mapped = Result<u32, reencode::Error<Error>>;

fn map(space: &Space, index: u32, what: &str) -> Mapped {
    match space.get(index) {
        u32::MAX => Err(reencode::Error::UserError(Error::bug(format!("{what} {index} is gone after lowering")))),
        index => Ok(index),
    }
}

impl Reencode for Reindex<'_> {
    type Error = Error;

    fn data_index(&mut self, data: u32) -> Mapped {
        map(&self.0.index.data, data, "data segment")
    }
    fn element_index(&mut self, element: u32) -> Mapped {
        map(&self.0.index.elems, element, "element segment")
    }
    fn function_index(&mut self, func: u32) -> Mapped {
        map(&self.0.index.funcs, func, "function")
    }
    fn global_index(&mut self, global: u32) -> Mapped {
        map(&self.0.index.globals, global, "global")
    }
    fn memory_index(&mut self, memory: u32) -> Mapped {
        map(&self.0.index.memories, memory, "memory")
    }
    fn table_index(&mut self, table: u32) -> Mapped {
        map(&self.0.index.tables, table, "table")
    }
    fn type_index(&mut self, ty: u32) -> Mapped {
        map(&self.0.index.types, ty, "type")
    }
}

impl Reindex<'_> {
    /// One operator.
    pub(super) fn operator<'a>(&mut self, op: Operator<'a>) -> Result<Instruction<'a>, Error> {
        match op {
            Operator::RefFunc { function_index } => self.func_ref(function_index),
            op => self.instruction(op).map_err(error),
        }
    }

    /// A reference to a function: from its global, if it has one.
    pub(super) fn func_ref(&mut self, index: u32) -> Result<Instruction<'static>, Error> {
        match self.0.index.func_refs.get(&index) {
            Some(&global) => Ok(Instruction::GlobalGet(global)),
            None => self.func(index).map(Instruction::RefFunc),
        }
    }

    /// The final index of a function.
    pub(super) fn func(&mut self, index: u32) -> Result<u32, Error> {
        self.function_index(index).map_err(error)
    }

    /// The final index of a table.
    pub(super) fn table(&mut self, index: u32) -> Result<u32, Error> {
        self.table_index(index).map_err(error)
    }

    /// The final index of a type.
    pub(super) fn ty(&mut self, index: u32) -> Result<u32, Error> {
        self.type_index(index).map_err(error)
    }
}

pub(super) fn error(err: reencode::Error<Error>) -> Error {
    match err {
        reencode::Error::UserError(err) => err,
        reencode::Error::ParseError(err) => err.into(),
        other => Error::bug(format!("re-encoding: {other}")),
    }
}

/// A whole body, operator by operator.
pub(super) fn body(body: &wasmparser::FunctionBody<'_>, cx: &EmitContext<'_>) -> Result<EmittedBody, Error> {
    let mut reindex = Reindex(cx);
    let mut locals = Vec::new();
    for run in body.get_locals_reader()? {
        let (count, ty) = run?;
        locals.push((count, reindex.val_type(ty).map_err(error)?));
    }
    let mut code = Code::new(&locals);
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let (op, offset) = operators.read_with_offset()?;
        let loc = SrcLoc(u32::try_from(offset).unwrap_or(u32::MAX));
        if traps_or_calls(&op) {
            code.site(loc, None);
        } else if let Operator::If { .. }
        | Operator::BrIf { .. }
        | Operator::BrTable { .. }
        | Operator::BrOnNull { .. }
        | Operator::BrOnNonNull { .. } = op
        {
            // One that leads to a trap is a conditional trap to the engine, and that has the place of the branch.
            code.branch_site(loc, None);
        }
        reindex.operator(op)?.encode(&mut code.bytes);
    }
    Ok(code.finish())
}

macro_rules! define_has_memarg {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        /// Whether an operator accesses a memory at an operand's address.
        fn has_memarg(op: &Operator<'_>) -> bool {
            match op {
                $( Operator::$op { .. } => is_memarg(&[$($(stringify!($arg)),*)?]), )*
                _ => false,
            }
        }
    };
}
wasmparser::for_each_operator!(define_has_memarg);

fn is_memarg(fields: &[&str]) -> bool {
    fields.contains(&"memarg")
}

/// Where a load or store of those that lowering uses accesses memory.
pub(super) fn memarg<'o>(op: &'o Operator<'_>) -> Option<&'o MemArg> {
    use Operator::*;
    match op {
        I32Load { memarg }
        | I32Load8S { memarg }
        | I32Load8U { memarg }
        | I32Load16S { memarg }
        | I32Load16U { memarg }
        | I64Load { memarg }
        | F32Load { memarg }
        | F64Load { memarg }
        | V128Load { memarg }
        | I32Store { memarg }
        | I32Store8 { memarg }
        | I32Store16 { memarg }
        | I64Store { memarg }
        | F32Store { memarg }
        | F64Store { memarg }
        | V128Store { memarg } => Some(memarg),
        _ => None,
    }
}

/// Whether an operator can trap, or leaves the function's own code, so that a backtrace can show it.
pub(super) fn traps_or_calls(op: &Operator<'_>) -> bool {
    use Operator::*;
    match op {
        Unreachable
        | Call { .. }
        | CallIndirect { .. }
        | CallRef { .. }
        | ReturnCall { .. }
        | ReturnCallIndirect { .. }
        | ReturnCallRef { .. } => true,
        I32DivS | I32DivU | I32RemS | I32RemU | I64DivS | I64DivU | I64RemS | I64RemU => true,
        I32TruncF32S | I32TruncF32U | I32TruncF64S | I32TruncF64U => true,
        I64TruncF32S | I64TruncF32U | I64TruncF64S | I64TruncF64U => true,
        MemoryGrow { .. } | MemoryInit { .. } | MemoryCopy { .. } | MemoryFill { .. } | DataDrop { .. } => true,
        TableGet { .. }
        | TableSet { .. }
        | TableGrow { .. }
        | TableInit { .. }
        | TableCopy { .. }
        | TableFill { .. }
        | ElemDrop { .. } => true,
        RefAsNonNull | RefCastNonNull { .. } | RefCastNullable { .. } => true,
        op => has_memarg(op),
    }
}
