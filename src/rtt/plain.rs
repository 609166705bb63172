//! Instructions that the dialect shares with the standard: their names, from `wasmparser`'s own list.
//!
//! Here are those without types in them: arithmetic, vectors, loads and stores. What names something of the module
//! (`call`, `br`, `table.get`) is in `text/instr.rs`.

use std::collections::HashMap;
use std::sync::LazyLock;
use wasmparser::{MemArg, Operator};

/// What an instruction takes besides operands, and how it is made.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Nothing.
    Bare(fn() -> Operator<'static>),
    /// An offset and an alignment.
    Memory(fn(MemArg) -> Operator<'static>),
    /// Those and a lane.
    MemoryLane(fn(MemArg, u8) -> Operator<'static>),
    /// A lane.
    Lane(fn(u8) -> Operator<'static>),
}

macro_rules! shape {
    ($op:ident) => {
        Some(Shape::Bare(|| Operator::$op))
    };
    ($op:ident memarg) => {
        Some(Shape::Memory(|memarg| Operator::$op { memarg }))
    };
    ($op:ident memarg lane) => {
        Some(Shape::MemoryLane(|memarg, lane| Operator::$op { memarg, lane }))
    };
    ($op:ident lane) => {
        Some(Shape::Lane(|lane| Operator::$op { lane }))
    };
    ($op:ident $($other:ident)*) => {
        None
    };
}

macro_rules! pattern {
    ($of:ident $op:ident memarg) => {
        if let Operator::$op { memarg } = $of {
            return Some(Immediates { memarg: Some(*memarg), lane: None });
        }
    };
    ($of:ident $op:ident memarg lane) => {
        if let Operator::$op { memarg, lane } = $of {
            return Some(Immediates { memarg: Some(*memarg), lane: Some(*lane) });
        }
    };
    ($of:ident $op:ident lane) => {
        if let Operator::$op { lane } = $of {
            return Some(Immediates { memarg: None, lane: Some(*lane) });
        }
    };
    ($of:ident $op:ident $($other:ident)*) => {};
}

/// What stands behind the name of an instruction.
pub(super) struct Immediates {
    pub memarg: Option<MemArg>,
    pub lane: Option<u8>,
}

/// The immediates of an instruction of this table.
pub(super) fn immediates(op: &Operator<'_>) -> Option<Immediates> {
    macro_rules! all {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* $(,)? })? => $visit:ident ($($ann:tt)*))*) => {
            $( pattern!(op $op $($($arg)*)?); )*
        };
    }
    wasmparser::for_each_operator!(all);
    None
}

/// An operator that the dialect shares with the standard, without a borrow; `None` for any other.
pub(super) fn owned(op: &Operator<'_>) -> Option<Operator<'static>> {
    use Operator as O;
    Some(match *op {
        O::Br { relative_depth } => O::Br { relative_depth },
        O::BrIf { relative_depth } => O::BrIf { relative_depth },
        O::Call { function_index } => O::Call { function_index },
        O::ReturnCall { function_index } => O::ReturnCall { function_index },
        O::CallIndirect { type_index, table_index } => O::CallIndirect { type_index, table_index },
        O::ReturnCallIndirect { type_index, table_index } => O::ReturnCallIndirect { type_index, table_index },
        O::LocalGet { local_index } => O::LocalGet { local_index },
        O::LocalSet { local_index } => O::LocalSet { local_index },
        O::LocalTee { local_index } => O::LocalTee { local_index },
        O::GlobalGet { global_index } => O::GlobalGet { global_index },
        O::GlobalSet { global_index } => O::GlobalSet { global_index },
        O::TableGet { table } => O::TableGet { table },
        O::TableSet { table } => O::TableSet { table },
        O::TableSize { table } => O::TableSize { table },
        O::TableGrow { table } => O::TableGrow { table },
        O::TableFill { table } => O::TableFill { table },
        O::TableCopy { dst_table, src_table } => O::TableCopy { dst_table, src_table },
        O::TableInit { elem_index, table } => O::TableInit { elem_index, table },
        O::ElemDrop { elem_index } => O::ElemDrop { elem_index },
        O::MemorySize { mem } => O::MemorySize { mem },
        O::MemoryGrow { mem } => O::MemoryGrow { mem },
        O::MemoryFill { mem } => O::MemoryFill { mem },
        O::MemoryCopy { dst_mem, src_mem } => O::MemoryCopy { dst_mem, src_mem },
        O::MemoryInit { data_index, mem } => O::MemoryInit { data_index, mem },
        O::DataDrop { data_index } => O::DataDrop { data_index },
        O::I32Const { value } => O::I32Const { value },
        O::I64Const { value } => O::I64Const { value },
        O::F32Const { value } => O::F32Const { value },
        O::F64Const { value } => O::F64Const { value },
        O::V128Const { value } => O::V128Const { value },
        O::I8x16Shuffle { lanes } => O::I8x16Shuffle { lanes },
        ref other => {
            let immediates = immediates(other);
            let (memarg, lane) = immediates.map_or((None, None), |found| (found.memarg, found.lane));
            match (by_name(&name_of(other))?, memarg, lane) {
                (Shape::Bare(make), None, None) => make(),
                (Shape::Memory(make), Some(memarg), None) => make(memarg),
                (Shape::MemoryLane(make), Some(memarg), Some(lane)) => make(memarg, lane),
                (Shape::Lane(make), None, Some(lane)) => make(lane),
                _ => return None,
            }
        }
    })
}

/// The numbers behind the name of an operator that [`owned`] names itself, in the order of the text.
pub(super) fn numbers(op: &Operator<'_>) -> Vec<u32> {
    use Operator as O;
    match *op {
        O::Br { relative_depth: n } | O::BrIf { relative_depth: n } => vec![n],
        O::BrOnNull { relative_depth: n } | O::BrOnNonNull { relative_depth: n } => vec![n],
        O::Call { function_index: n } | O::ReturnCall { function_index: n } => vec![n],
        O::LocalGet { local_index: n } | O::LocalSet { local_index: n } | O::LocalTee { local_index: n } => vec![n],
        O::GlobalGet { global_index: n } | O::GlobalSet { global_index: n } => vec![n],
        O::TableGet { table: n } | O::TableSet { table: n } | O::TableSize { table: n } => vec![n],
        O::TableGrow { table: n } | O::TableFill { table: n } => vec![n],
        O::TableCopy { dst_table, src_table } => vec![dst_table, src_table],
        O::TableInit { elem_index, table } => vec![table, elem_index],
        O::ElemDrop { elem_index: n } | O::DataDrop { data_index: n } => vec![n],
        O::MemorySize { mem } | O::MemoryGrow { mem } | O::MemoryFill { mem } => vec![mem],
        O::MemoryCopy { dst_mem, src_mem } => vec![dst_mem, src_mem],
        O::MemoryInit { data_index, mem } => vec![mem, data_index],
        _ => Vec::new(),
    }
}

static BY_NAME: LazyLock<HashMap<String, Shape>> = LazyLock::new(|| {
    macro_rules! all {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* $(,)? })? => $visit:ident ($($ann:tt)*))*) => {
            [$( (stringify!($proposal), stringify!($visit), shape!($op $($($arg)*)?)) ),*]
        };
    }
    let all: [(&str, &str, Option<Shape>); _] = wasmparser::for_each_operator!(all);
    let of_proposal = all.into_iter().filter(|(proposal, ..)| PROPOSALS.contains(proposal));
    of_proposal.filter_map(|(_, visit, shape)| Some((name(visit), shape?))).collect()
});

/// What of the standard the dialect has. Exceptions came later; the GC operators are its own.
const PROPOSALS: &[&str] = &[
    "mvp",
    "sign_extension",
    "saturating_float_to_int",
    "bulk_memory",
    "reference_types",
    "simd",
    "relaxed_simd",
    "threads",
    "wide_arithmetic",
];

/// The instruction of a name.
pub(super) fn by_name(name: &str) -> Option<Shape> {
    BY_NAME.get(name).copied()
}

/// The name of an instruction in the text, if it is of this table or a plain one otherwise.
pub(super) fn name_of(op: &Operator<'_>) -> String {
    macro_rules! all {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* $(,)? })? => $visit:ident ($($ann:tt)*))*) => {
            match op {
                $( Operator::$op { .. } => stringify!($visit), )*
                _ => "visit_unknown",
            }
        };
    }
    name(wasmparser::for_each_operator!(all))
}

/// `visit_i32_trunc_sat_f32_s` is called `i32.trunc_sat_f32_s`.
fn name(visit: &str) -> String {
    let plain = visit.strip_prefix("visit_").unwrap_or(visit);
    match plain {
        "br_if"
        | "br_table"
        | "call_indirect"
        | "return_call"
        | "return_call_indirect"
        | "br_on_null"
        | "br_on_non_null"
        | "call_ref"
        | "return_call_ref" => return plain.to_string(),
        "atomic_fence" => return "atomic.fence".to_string(),
        _ => {}
    }
    let mut name = plain.replacen('_', ".", 1);
    for (from, to) in [(".atomic_rmw_", ".atomic.rmw."), (".atomic_", ".atomic.")] {
        if name.contains(from) {
            name = name.replacen(from, to, 1);
            break;
        }
    }
    // `i32.atomic.rmw8_add_u` has one more.
    for width in ["8", "16", "32"] {
        name = name.replacen(&format!(".atomic.rmw{width}_"), &format!(".atomic.rmw{width}."), 1);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_text_format() {
        let names = ["i32.add", "i64.trunc_sat_f32_u", "i8x16.extract_lane_s", "v128.load8_lane", "i32.extend8_s"];
        let atomics = ["memory.atomic.notify", "i64.atomic.rmw8.add_u", "i32.atomic.rmw.cmpxchg", "i32.atomic.load8_u"];
        for name in names.iter().chain(&atomics) {
            assert!(by_name(name).is_some(), "{name}");
        }
        assert!(by_name("struct.get").is_none() && by_name("ref.eq").is_none());
        assert_eq!(
            name_of(&Operator::I32Load16S { memarg: MemArg { align: 0, max_align: 1, offset: 0, memory: 0 } }),
            "i32.load16_s"
        );
    }
}
