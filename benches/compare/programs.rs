//! The micro-benchmarks: `benches/programs/*.wat` with their parameters.
//!
//! Parameters are chosen so that a run takes some tens of milliseconds.

use super::program::{Class, Entry, Group, Program};
use wasmtime::Result;
use wasmtime::error::Context;

/// A program with the parameters of its rows, and the one for test mode.
struct Micro {
    name: &'static str,
    text: &'static str,
    parameters: &'static [i32],
    test: i32,
    class: Class,
}

macro_rules! micro {
    ($($class:ident $name:literal $parameters:expr, $test:expr;)*) => {
        const MICRO: &[Micro] = &[$(Micro {
            name: $name,
            text: include_str!(concat!("../programs/", $name, ".wat")),
            parameters: &$parameters,
            test: $test,
            class: Class::$class,
        }),*];
    };
}

micro! {
    Other "alloc_struct" [10_000_000], 5000;
    Other "alloc_array" [3_000_000], 5000;
    Other "binary_trees" [4, 10, 16], 4;
    Other "old_to_young" [2_000_000], 200_000;
    Other "old_to_old" [10_000_000], 5000;
    Other "list_walk" [2000], 1;
    Other "array_sum" [5000], 1;
    Other "array_refs" [2000], 1;
    VirtualCalls "virtual_calls" [10_000], 2;
    VirtualCalls "virtual_plain" [10_000], 2;
    Casts "cast_test" [5000], 2;
    Casts "cast_ref" [5000], 2;
    Casts "br_on_cast" [1000], 1;
    Other "br_on_cast_final" [1000], 1;
    Other "br_on_cast_any" [5000], 1;
    Other "closures" [2_000_000], 2000;
    Other "iterators" [100_000], 200;
    Other "continuations" [28], 10;
    Other "i31" [20_000_000], 1000;
    Other "global_refs" [10_000_000], 2000;
    Other "table_refs" [10_000_000], 2000;
    Other "array_copy_i8" [8, 256, 65_536], 65_536;
    Other "array_copy_i32" [8, 256, 65_536], 65_536;
    Other "array_copy_ref" [8, 256, 65_536], 65_536;
    Other "array_fill_i8" [8, 256, 65_536], 65_536;
    Other "array_fill_i32" [8, 256, 65_536], 65_536;
    Other "array_fill_ref" [8, 256, 65_536], 65_536;
    Other "fib" [34], 10;
    Other "fib_may_throw" [34], 10;
    Other "throw_same" [100_000], 100;
    Other "throw_payload" [100_000], 100;
    Other "throw_depth" [1, 10, 100], 3;
    Other "string_concat" [2_000_000], 2000;
    Other "string_compare" [5000], 1;
    Other "string_hash" [50_000], 10;
}

/// One program for each row.
pub fn all() -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    for micro in MICRO {
        let wasm = wat::parse_str(micro.text).with_context(|| format!("benches/programs/{}.wat", micro.name))?;
        for parameter in micro.parameters {
            programs.push(micro.program(*parameter, wasm.clone()));
        }
    }
    Ok(programs)
}

impl Micro {
    fn program(&self, parameter: i32, wasm: Vec<u8>) -> Program {
        let name = match self.parameters {
            [_] => format!("micro/{}", self.name),
            _ => format!("micro/{}:{parameter}", self.name),
        };
        let entry = Entry::Invoke { export: "run".to_string(), args: vec![parameter], returns: None };
        Program { name, group: Group::Micro, wasm, file: None, entry, test: self.test, class: self.class }
    }
}
