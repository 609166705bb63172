//! What an instruction may read, write, or cause, beyond computing its results.
//!
//! Conservative: a set bit means "may". Optimiser passes ask this instead of matching on operations.

use super::debug::DebugOp;
use super::op::{ArrayOp, ExnOp, GlobalOp, HeapOp, I31Op, Op, RefOp, StructOp, TableOp};
use wasmparser::Operator;

/// A set of possible effects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// Reads fields or elements of heap objects.
    pub reads_heap: bool,
    /// Writes fields or elements of heap objects.
    pub writes_heap: bool,
    /// Reads globals, tables, memories, segments.
    pub reads_state: bool,
    /// Writes globals, tables, memories, segments.
    pub writes_state: bool,
    /// May run a collection: every reference that is live across must be in a root slot.
    pub collects: bool,
    /// May trap.
    pub traps: bool,
    /// Control may not simply continue behind it.
    pub control: bool,
}

impl Effects {
    /// No effect at all.
    pub const NONE: Effects = Effects {
        reads_heap: false,
        writes_heap: false,
        reads_state: false,
        writes_state: false,
        collects: false,
        traps: false,
        control: false,
    };
    /// Everything but control: a call.
    pub const CALL: Effects = Effects {
        reads_heap: true,
        writes_heap: true,
        reads_state: true,
        writes_state: true,
        collects: true,
        traps: true,
        control: false,
    };
    const CONTROL: Effects = Effects { control: true, ..Effects::NONE };
    const ALLOC: Effects = Effects { collects: true, traps: true, ..Effects::NONE };
    const READ: Effects = Effects { reads_heap: true, traps: true, ..Effects::NONE };
    const WRITE: Effects = Effects { writes_heap: true, traps: true, ..Effects::NONE };
    const TRAP: Effects = Effects { traps: true, ..Effects::NONE };

    /// Whether an instruction with these effects can go when its results are unused.
    pub fn removable(self) -> bool {
        !(self.writes_heap || self.writes_state || self.traps || self.control || self.collects)
    }

    /// The union.
    pub fn or(self, other: Effects) -> Effects {
        Effects {
            reads_heap: self.reads_heap | other.reads_heap,
            writes_heap: self.writes_heap | other.writes_heap,
            reads_state: self.reads_state | other.reads_state,
            writes_state: self.writes_state | other.writes_state,
            collects: self.collects | other.collects,
            traps: self.traps | other.traps,
            control: self.control | other.control,
        }
    }
}

/// The effects of an operation itself, without those of the regions that it owns.
pub fn effects(op: &Op<'_>) -> Effects {
    match op {
        Op::Block { .. } | Op::Loop { .. } | Op::If { .. } => Effects::CONTROL,
        Op::Br { .. } | Op::BrIf { .. } | Op::BrTable { .. } | Op::Yield | Op::Return => Effects::CONTROL,
        Op::Trap(_) => Effects { traps: true, ..Effects::CONTROL },
        Op::Call(_) => Effects::CALL,
        Op::ReturnCall(_) => Effects { control: true, ..Effects::CALL },
        Op::Core(op) => core(op),
        Op::Select => Effects::NONE,
        Op::Global(GlobalOp::Get(_)) => Effects { reads_state: true, ..Effects::NONE },
        Op::Global(GlobalOp::Set(_)) => Effects { writes_state: true, ..Effects::NONE },
        Op::Table(TableOp::Size(_)) => Effects { reads_state: true, ..Effects::NONE },
        Op::Table(TableOp::Get(_)) => Effects { reads_state: true, ..Effects::TRAP },
        Op::Table(TableOp::Grow(_)) => Effects { writes_state: true, reads_state: true, ..Effects::ALLOC },
        Op::Table(_) => Effects { writes_state: true, reads_state: true, ..Effects::TRAP },
        Op::Struct(StructOp::New(_) | StructOp::NewDefault(_) | StructOp::NewDesc(_) | StructOp::NewDefaultDesc(_)) => {
            Effects::ALLOC
        }
        Op::Struct(StructOp::Get { .. }) => Effects::READ,
        Op::Struct(StructOp::Set { .. }) => Effects::WRITE,
        Op::Array(op) => array(*op),
        Op::I31(I31Op::New) => Effects::NONE,
        Op::I31(I31Op::Get(_)) => Effects::TRAP,
        // The descriptor of an object never changes.
        Op::Ref(RefOp::AsNonNull | RefOp::Cast(_) | RefOp::GetDesc | RefOp::CastDesc(_) | RefOp::CastRtt(_)) => {
            Effects::TRAP
        }
        Op::Ref(RefOp::RttSub(_)) => Effects::ALLOC,
        Op::Ref(RefOp::Bind(_)) => Effects::CALL,
        Op::Ref(_) => Effects::NONE,
        Op::Exn(ExnOp::New(_)) => Effects::ALLOC,
        Op::Exn(ExnOp::Pending) => Effects { reads_state: true, ..Effects::NONE },
        Op::Exn(ExnOp::Raise | ExnOp::Take) => Effects { reads_state: true, writes_state: true, ..Effects::NONE },
        // Neither tag nor payload of an exception ever changes.
        Op::Exn(ExnOp::Is(_) | ExnOp::Payload { .. } | ExnOp::Unread) => Effects::NONE,
        Op::Heap(HeapOp::Alloc { .. } | HeapOp::AllocDynamic) => Effects::ALLOC,
        Op::Heap(_) => Effects { writes_state: true, reads_state: true, ..Effects::TRAP },
        Op::Debug(DebugOp::Set(_)) => Effects { writes_state: true, ..Effects::NONE },
        Op::Debug(DebugOp::Mark(_)) => Effects::CALL,
    }
}

fn array(op: ArrayOp) -> Effects {
    match op {
        ArrayOp::New(_)
        | ArrayOp::NewDefault(_)
        | ArrayOp::NewRtt(_)
        | ArrayOp::NewDefaultRtt(_)
        | ArrayOp::NewFixed(_) => Effects::ALLOC,
        ArrayOp::NewData { .. } | ArrayOp::NewElem { .. } => Effects { reads_state: true, ..Effects::ALLOC },
        // The length of an array never changes.
        ArrayOp::Len => Effects::TRAP,
        ArrayOp::Get { .. } => Effects::READ,
        ArrayOp::Set(_) | ArrayOp::Fill(_) => Effects::WRITE,
        ArrayOp::Copy { .. } => Effects { reads_heap: true, ..Effects::WRITE },
        ArrayOp::InitData { .. } | ArrayOp::InitElem { .. } => Effects { reads_state: true, ..Effects::WRITE },
    }
}

/// Wasm operators: arithmetic that can not trap is pure, everything unknown is taken to do all but
/// collect.
fn core(op: &Operator<'_>) -> Effects {
    use Operator::*;
    match op {
        I32Const { .. } | I64Const { .. } | F32Const { .. } | F64Const { .. } => Effects::NONE,
        I32Eqz | I32Eq | I32Ne | I32LtS | I32LtU | I32GtS | I32GtU | I32LeS | I32LeU | I32GeS | I32GeU => Effects::NONE,
        I64Eqz | I64Eq | I64Ne | I64LtS | I64LtU | I64GtS | I64GtU | I64LeS | I64LeU | I64GeS | I64GeU => Effects::NONE,
        F32Eq | F32Ne | F32Lt | F32Gt | F32Le | F32Ge | F64Eq | F64Ne | F64Lt | F64Gt | F64Le | F64Ge => Effects::NONE,
        I32Clz | I32Ctz | I32Popcnt | I32Add | I32Sub | I32Mul | I32And | I32Or | I32Xor | I32Shl | I32ShrS
        | I32ShrU | I32Rotl | I32Rotr => Effects::NONE,
        I64Clz | I64Ctz | I64Popcnt | I64Add | I64Sub | I64Mul | I64And | I64Or | I64Xor | I64Shl | I64ShrS
        | I64ShrU | I64Rotl | I64Rotr => Effects::NONE,
        F32Abs | F32Neg | F32Ceil | F32Floor | F32Trunc | F32Nearest | F32Sqrt | F32Add | F32Sub | F32Mul | F32Div
        | F32Min | F32Max | F32Copysign => Effects::NONE,
        F64Abs | F64Neg | F64Ceil | F64Floor | F64Trunc | F64Nearest | F64Sqrt | F64Add | F64Sub | F64Mul | F64Div
        | F64Min | F64Max | F64Copysign => Effects::NONE,
        I32WrapI64 | I64ExtendI32S | I64ExtendI32U | F32ConvertI32S | F32ConvertI32U | F32ConvertI64S
        | F32ConvertI64U | F32DemoteF64 | F64ConvertI32S | F64ConvertI32U | F64ConvertI64S | F64ConvertI64U
        | F64PromoteF32 | I32ReinterpretF32 | I64ReinterpretF64 | F32ReinterpretI32 | F64ReinterpretI64
        | I32Extend8S | I32Extend16S | I64Extend8S | I64Extend16S | I64Extend32S => Effects::NONE,
        I32TruncSatF32S | I32TruncSatF32U | I32TruncSatF64S | I32TruncSatF64U | I64TruncSatF32S | I64TruncSatF32U
        | I64TruncSatF64S | I64TruncSatF64U => Effects::NONE,
        I32DivS | I32DivU | I32RemS | I32RemU | I64DivS | I64DivU | I64RemS | I64RemU | I32TruncF32S | I32TruncF32U
        | I32TruncF64S | I32TruncF64U | I64TruncF32S | I64TruncF32U | I64TruncF64S | I64TruncF64U => Effects::TRAP,
        I32Load { .. }
        | I64Load { .. }
        | F32Load { .. }
        | F64Load { .. }
        | I32Load8S { .. }
        | I32Load8U { .. }
        | I32Load16S { .. }
        | I32Load16U { .. }
        | I64Load8S { .. }
        | I64Load8U { .. }
        | I64Load16S { .. }
        | I64Load16U { .. }
        | I64Load32S { .. }
        | I64Load32U { .. }
        | MemorySize { .. } => Effects { reads_state: true, ..Effects::TRAP },
        _ => Effects { reads_state: true, writes_state: true, ..Effects::TRAP },
    }
}
