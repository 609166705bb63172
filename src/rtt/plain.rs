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
