//! What an instruction does. Operands and results stand in the instruction, not here.
//!
//! GC operations stay whole until lowering, so that passes see meaning and not address arithmetic.
//! Everything without references is [`Op::Core`]: the decoded Wasm operator itself, with indices
//! into the original module's index spaces. Indices behind the end of an original space name what
//! lowering added (see `lower/index.rs`).

use super::debug::DebugOp;
use super::func::{Inst, Region};
use crate::types::{HeapType, RefType, TypeId};
use serde::{Deserialize, Serialize};
use wasmparser::Operator;

/// Why lowered code traps, in the vocabulary of the embedder's API.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum TrapCode {
    /// `unreachable`
    Unreachable,
    /// Use of a null reference.
    NullReference,
    /// Array index or range out of bounds.
    ArrayOutOfBounds,
    /// `ref.cast` of a value that is not of the type.
    CastFailure,
    /// An allocation that no heap could hold.
    AllocationTooLarge,
    /// Table index or range, or element segment range, out of bounds.
    TableOutOfBounds,
    /// Data segment range out of bounds.
    MemoryOutOfBounds,
    /// The shadow stack is exhausted.
    StackOverflow,
}

/// How a packed field is widened when it is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sign {
    /// The field is not packed.
    None,
    /// Sign-extend.
    Signed,
    /// Zero-extend.
    Unsigned,
}

/// Who is called.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Callee {
    /// A known function. Operands: arguments.
    Func(u32),
    /// `call_indirect`. Operands: arguments, then the table index.
    Indirect {
        /// Table index.
        table: u32,
        /// Type index (of the module's type section).
        ty: u32,
    },
    /// `call_ref`. Operands: arguments, then the function reference.
    Ref {
        /// Type index (of the module's type section).
        ty: u32,
    },
}

/// One target of a `br_table`, with how many of the operands are for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BrTarget {
    /// The control instruction, or `None` to return from the function.
    pub target: Option<Inst>,
    /// How many operands it takes, after those of the targets before it.
    pub args: u32,
}

/// An operation.
#[derive(Clone, Debug)]
pub enum Op<'a> {
    /// A block. Results: what reaches its end.
    Block {
        /// What it runs.
        body: Region,
    },
    /// A loop. Operands: initial values of the region's parameters. Results: what its end yields.
    Loop {
        /// What it repeats.
        body: Region,
    },
    /// A choice. Operand: the condition (`i32`). Results: what the arms yield.
    If {
        /// Runs when the condition is not zero.
        then: Region,
        /// Runs when the condition is zero.
        els: Region,
    },
    /// Unconditional branch (terminator). Operands: values for the target.
    Br {
        /// Where to.
        target: Inst,
    },
    /// Conditional branch. Operands: condition (`i32`), then values for the target.
    BrIf {
        /// Where to, when the condition is not zero.
        target: Inst,
    },
    /// Branch by index (terminator). Operands: index (`i32`), then the values for each target in
    /// turn. The last target is the default.
    BrTable {
        /// Where to.
        targets: Box<[BrTarget]>,
    },
    /// Ends a region (terminator). Operands: the results of the owner.
    Yield,
    /// Returns from the function (terminator). Operands: the function's results.
    Return,
    /// Traps (terminator).
    Trap(TrapCode),
    /// A call.
    Call(Callee),
    /// A tail call (terminator).
    ReturnCall(Callee),
    /// A Wasm operator with no reference in its type and no control in its meaning.
    Core(Operator<'a>),
    /// `select`. Operands: if so, if not, condition.
    Select,
    /// Reads and writes of globals of any type.
    Global(GlobalOp),
    /// Tables of any type.
    Table(TableOp),
    /// Structs.
    Struct(StructOp),
    /// Arrays.
    Array(ArrayOp),
    /// i31 references.
    I31(I31Op),
    /// References of any kind.
    Ref(RefOp),
    /// Exceptions.
    Exn(ExnOp),
    /// What lowering leaves for emission.
    Heap(HeapOp),
    /// What debuggers see.
    Debug(DebugOp),
}

/// Globals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GlobalOp {
    /// `global.get`
    Get(u32),
    /// `global.set`
    Set(u32),
}

/// Tables. Operands as in Wasm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableOp {
    /// `table.get`
    Get(u32),
    /// `table.set`
    Set(u32),
    /// `table.size`
    Size(u32),
    /// `table.grow`
    Grow(u32),
    /// `table.fill`
    Fill(u32),
    /// `table.copy`
    Copy {
        /// Destination table.
        dst: u32,
        /// Source table.
        src: u32,
    },
    /// `table.init`
    Init {
        /// Element segment.
        elem: u32,
        /// Table.
        table: u32,
    },
    /// `elem.drop`
    ElemDrop(u32),
}

/// Structs. Operands as in Wasm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StructOp {
    /// `struct.new`
    New(TypeId),
    /// `struct.new_default`
    NewDefault(TypeId),
    /// `struct.new_desc`; the descriptor is the last operand, and not null.
    NewDesc(TypeId),
    /// `struct.new_default_desc`
    NewDefaultDesc(TypeId),
    /// `struct.get`, `_s`, `_u`
    Get {
        /// Struct type.
        ty: TypeId,
        /// Field index.
        field: u32,
        /// How a packed field is widened.
        sign: Sign,
    },
    /// `struct.set`
    Set {
        /// Struct type.
        ty: TypeId,
        /// Field index.
        field: u32,
    },
}

/// Arrays. Operands as in Wasm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArrayOp {
    /// `array.new`
    New(TypeId),
    /// `array.new_default`
    NewDefault(TypeId),
    /// `array.new` with an RTT, the last operand, which is not null.
    NewRtt(TypeId),
    /// `array.new_default` with an RTT.
    NewDefaultRtt(TypeId),
    /// `array.new_fixed`; as many operands as elements.
    NewFixed(TypeId),
    /// `array.new_data`
    NewData {
        /// Array type.
        ty: TypeId,
        /// Data segment.
        data: u32,
    },
    /// `array.new_elem`
    NewElem {
        /// Array type.
        ty: TypeId,
        /// Element segment.
        elem: u32,
    },
    /// `array.get`, `_s`, `_u`
    Get {
        /// Array type.
        ty: TypeId,
        /// How a packed element is widened.
        sign: Sign,
    },
    /// `array.set`
    Set(TypeId),
    /// `array.len`
    Len,
    /// `array.fill`
    Fill(TypeId),
    /// `array.copy`
    Copy {
        /// Destination type.
        dst: TypeId,
        /// Source type.
        src: TypeId,
    },
    /// `array.init_data`
    InitData {
        /// Array type.
        ty: TypeId,
        /// Data segment.
        data: u32,
    },
    /// `array.init_elem`
    InitElem {
        /// Array type.
        ty: TypeId,
        /// Element segment.
        elem: u32,
    },
}

/// i31 references.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum I31Op {
    /// `ref.i31`
    New,
    /// `i31.get_s`, `i31.get_u`
    Get(Sign),
}

/// What is known of an RTT that objects are tested against.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RttBound {
    /// No object has an RTT below it, only the very one.
    Lowest,
    /// So many RTTs are above it.
    Depth(u32),
    /// At most so many RTTs are above it.
    AtMost(u32),
    /// Nothing.
    Unknown,
}

/// References of any kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefOp {
    /// `ref.null`
    Null(HeapType),
    /// `ref.func`
    Func(u32),
    /// `ref.is_null`
    IsNull,
    /// `ref.as_non_null`
    AsNonNull,
    /// `ref.eq`
    Eq,
    /// `ref.test`
    Test(RefType),
    /// `ref.cast`
    Cast(RefType),
    /// Whether a function reference is to this function of the module: an `i32`. Zero may mean that it is not
    /// known.
    IsFunc(u32),
    /// `ref.get_desc`
    GetDesc,
    /// Whether an object has a descriptor: an `i32`. Operands: the value, the descriptor, which is not
    /// null. What null answers is in the type.
    TestDesc(RefType),
    /// `ref.cast_desc_eq`. Operands as those of `TestDesc`.
    CastDesc(RefType),
    /// The operand, known to be of the result's type on this path (after a branch that tested it).
    /// Costs nothing when lowered.
    Refine,
    /// `any.convert_extern`
    AnyConvertExtern,
    /// `extern.convert_any`
    ExternConvertAny,
    /// The canonical RTT of a type.
    RttCanon(TypeId),
    /// `rtt.sub`: the RTT of a type below another RTT, which is the operand and not null.
    RttSub(TypeId),
    /// Whether a value is an object whose RTT is another or below it: an `i32`. Operands: the value, the RTT,
    /// which is not null.
    TestRtt(RttBound),
    /// A trap unless a value is an object whose RTT is another or below it: 1. Operands as those of `TestRtt`.
    CastRtt(RttBound),
    /// A function reference as a value of the `any` hierarchy.
    FuncToAny,
    /// Back: the operand is null, or a function of this type.
    AnyToFunc(RefType),
    /// Whether a value of the `any` hierarchy is a function: an `i32`.
    AnyIsFunc,
    /// A function of a type that calls another with an environment as first argument. Operands: the
    /// environment, the other function. Neither is null.
    Bind(TypeId),
}

/// Exceptions. A throw is no jump: it leaves the exception *pending* and returns, and whoever called
/// asks. Translation writes both down as ordinary control (see `parse/exceptions.rs`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExnOp {
    /// A new exception of a tag. Operands: its payload.
    New(u32),
    /// Makes an exception pending. Operand: the exception, not null.
    Raise,
    /// Whether an exception is pending: an `i32` that is zero if none is.
    Pending,
    /// The pending exception, which is pending no more.
    Take,
    /// Whether an exception is of a tag: an `i32`. Operand: the exception, not null.
    Is(u32),
    /// A value of an exception's payload. Operand: an exception of the tag.
    Payload {
        /// The tag.
        tag: u32,
        /// Which value.
        index: u32,
    },
    /// A value that nobody will read: the result of a function that leaves an exception pending.
    Unread,
}

/// What lowering leaves for root assignment and emission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeapOp {
    /// Bump allocation of so many bytes; the cold path calls the collector. Result: a reference to
    /// the raw object. Refreshes the values in [`super::Func::refresh`] in place.
    Alloc {
        /// Size in bytes; a multiple of the object alignment, below the large-object size.
        bytes: u32,
    },
    /// The same with the size as an operand: any multiple of the alignment. Large objects always take
    /// the cold path.
    AllocDynamic,
    /// Stores the operand in a root slot of the frame.
    Spill {
        /// Which slot.
        slot: u32,
    },
    /// Loads a reference from a root slot: where it is after a safepoint.
    Reload {
        /// Which slot.
        slot: u32,
    },
    /// Overwrites a root slot that is dead but about to be scanned with null.
    Clear {
        /// Which slot.
        slot: u32,
    },
    /// Publishes that slots `0..slots` are roots, before a safepoint.
    SetTop {
        /// How many.
        slots: u32,
    },
}

impl Op<'_> {
    /// Whether control never continues behind this instruction in its region.
    pub fn is_terminator(&self) -> bool {
        matches!(self, Op::Br { .. } | Op::BrTable { .. } | Op::Yield | Op::Return | Op::Trap(_) | Op::ReturnCall(_))
    }

    /// The regions that this instruction owns, in order of text.
    pub fn regions(&self) -> impl DoubleEndedIterator<Item = Region> + use<> {
        let (a, b) = match *self {
            Op::Block { body } | Op::Loop { body } => (Some(body), None),
            Op::If { then, els } => (Some(then), Some(els)),
            _ => (None, None),
        };
        a.into_iter().chain(b)
    }

    /// The instructions that this branch leads to: the start of a loop, or the end of another construct. None for what
    /// returns or is no branch.
    pub fn targets(&self) -> impl Iterator<Item = Inst> {
        let (one, many) = match self {
            Op::Br { target } | Op::BrIf { target } => (Some(*target), None),
            Op::BrTable { targets } => (None, Some(targets.iter().filter_map(|to| to.target))),
            _ => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Whether this is a number, which costs nothing to make again. Those of vectors take 16 bytes of code.
    pub fn is_number(&self) -> bool {
        use Operator::{F32Const, F64Const, I32Const, I64Const};
        matches!(self, Op::Core(I32Const { .. } | I64Const { .. } | F32Const { .. } | F64Const { .. }))
    }
}
