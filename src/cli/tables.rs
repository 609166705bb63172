//! The option groups as tables: name, form of the value, help text, effect. Names are those of
//! `wasmtime`, but for `gc-nursery-size`, `gc-max-heap-size`, `gc-zeal`, `gc-verify`, `gc-check-roots`, `gc-stats`,
//! `gc-growth-factor`, `gc-growth-minimum`, `gc-incremental`, `gc-threads`, `gc-passes` and `explicit-null-checks`.

use super::options::Takes::{Bytes, Flag, Number, Time, Word};
use super::options::{Entry, Group};
use super::settings::{HOST_STACK, UnknownImports};
use std::num::NonZeroU32;
use wasmtime::{Collector, OptLevel, Strategy};

/// `-O`
pub(crate) static OPTIMIZE: Group = Group {
    letter: 'O',
    long: "optimize",
    entries: &[
        Entry {
            name: "opt-level",
            takes: Word("0|1|2|s"),
            help: "Optimization level of generated code (0-2, s; default: 2)",
            apply: |s, v| {
                s.config.cranelift_opt_level(match v.word() {
                    "0" => OptLevel::None,
                    "1" | "2" => OptLevel::Speed,
                    "s" => OptLevel::SpeedAndSize,
                    other => return Err(format!("unknown optimization level `{other}`, only 0,1,2,s accepted")),
                });
                Ok(())
            },
        },
        Entry {
            name: "signals-based-traps",
            takes: Flag,
            help: "Catch out-of-bounds and null accesses by signals and guard pages (default: yes)",
            apply: |s, v| {
                s.config.signals_based_traps(v.flag());
                Ok(())
            },
        },
        Entry {
            name: "memory-reservation",
            takes: Bytes,
            help: "Bytes of address space reserved for each linear memory",
            apply: |s, v| {
                s.config.memory_reservation(v.number());
                Ok(())
            },
        },
        Entry {
            name: "memory-guard-size",
            takes: Bytes,
            help: "Bytes of guard region after each linear memory",
            apply: |s, v| {
                s.config.memory_guard_size(v.number());
                Ok(())
            },
        },
        Entry {
            name: "gc-nursery-size",
            takes: Bytes,
            help: "Bytes of the GC heap in which new objects are allocated",
            apply: |s, v| {
                let bytes = v.size()?;
                if !(64 << 10..=256 << 20).contains(&bytes) {
                    return Err(format!("a nursery of {bytes} bytes is out of range, 65536 to 268435456"));
                }
                s.config.gc_nursery_size(bytes);
                Ok(())
            },
        },
        Entry {
            name: "gc-max-heap-size",
            takes: Bytes,
            help: "Bytes that the GC heap of a store may grow to",
            apply: |s, v| {
                s.config.gc_max_heap_size(v.number());
                Ok(())
            },
        },
        Entry {
            name: "gc-growth-factor",
            takes: Word("F"),
            help: "A major collection is due when old objects take F times what the last one left (default: 1.75)",
            apply: |s, v| {
                let factor = v.word().parse().ok().filter(|factor| (1.1..=1e6).contains(factor));
                let error = || format!("a growth factor is a number from 1.1 to 1000000, `{}` is not", v.word());
                s.config.gc_growth_factor(factor.ok_or_else(error)?);
                Ok(())
            },
        },
        Entry {
            name: "gc-growth-minimum",
            takes: Bytes,
            help: "... and at least N bytes (default: 48m)",
            apply: |s, v| {
                s.config.gc_growth_minimum(v.number());
                Ok(())
            },
        },
        Entry {
            name: "gc-incremental",
            takes: Flag,
            help: "Major collections that fall due mark in steps, not in one pause (default: yes)",
            apply: |s, v| {
                s.config.gc_incremental(v.flag());
                Ok(())
            },
        },
        Entry {
            name: "gc-threads",
            takes: Number,
            help: "Threads on which major collections mark, at most 64 (default: 2, or 1 on one processor)",
            apply: |s, v| {
                let threads = u32::try_from(v.number()).ok().filter(|threads| (1..=64).contains(threads));
                let error = || format!("collections mark on 1 to 64 threads, not on {}", v.number());
                s.config.gc_mark_threads(threads.ok_or_else(error)?);
                Ok(())
            },
        },
    ],
};

/// `-C`
pub(crate) static CODEGEN: Group = Group {
    letter: 'C',
    long: "codegen",
    entries: &[
        Entry {
            name: "compiler",
            takes: Word("cranelift|winch"),
            help: "Compiler for lowered modules (Winch: without typed function references and tail calls)",
            apply: |s, v| {
                s.config.strategy(match v.word() {
                    "auto" => Strategy::Auto,
                    "cranelift" => Strategy::Cranelift,
                    "winch" => Strategy::Winch,
                    other => return Err(format!("unknown compiler `{other}`, `cranelift` and `winch` are supported")),
                });
                Ok(())
            },
        },
        Entry {
            name: "collector",
            takes: Word("drc|null|copying"),
            help: "Choice among Wasmtime's own collectors: noted, without effect (the one here is generational)",
            apply: |s, v| {
                s.config.collector(match v.word() {
                    "drc" => Collector::DeferredReferenceCounting,
                    "null" => Collector::Null,
                    "copying" => Collector::Copying,
                    "auto" | "generational" => Collector::Auto,
                    other => return Err(format!("unknown collector `{other}`, only drc,null,copying accepted")),
                });
                Ok(())
            },
        },
        Entry {
            name: "parallel-compilation",
            takes: Flag,
            help: "Compile functions in parallel (default: yes)",
            apply: |s, v| {
                s.config.parallel_compilation(v.flag());
                Ok(())
            },
        },
        Entry {
            name: "cache",
            takes: Flag,
            help: "Keep compiled code for the next run (default: no)",
            apply: |s, v| {
                s.cache = v.flag();
                Ok(())
            },
        },
    ],
};

/// `-D`
pub(crate) static DEBUG: Group = Group {
    letter: 'D',
    long: "debug",
    entries: &[
        Entry {
            name: "gc-zeal",
            takes: Number,
            help: "Collect at each Nth allocation, by turns moving every object and in steps",
            apply: |s, v| {
                let every = u32::try_from(v.number()).map_err(|_| "value is too large".to_string())?;
                s.config.gc_zeal(NonZeroU32::new(every));
                Ok(())
            },
        },
        Entry {
            name: "gc-verify",
            takes: Flag,
            help: "Check the whole heap and every root before and after each collection",
            apply: |s, v| {
                s.config.gc_verify(v.flag());
                Ok(())
            },
        },
        Entry {
            name: "gc-check-roots",
            takes: Flag,
            help: "Check the root slots of every lowered function by an independent checker",
            apply: |s, v| {
                s.config.gc_check_roots(v.flag());
                Ok(())
            },
        },
        Entry {
            name: "gc-passes",
            takes: Word("all|none[+NAME][-NAME].."),
            help: "Which passes of the optimizer run, as in `all-inline`; to measure what one brings",
            apply: |s, v| s.config.gc_passes(v.word()).map(drop).map_err(|err| err.to_string()),
        },
        Entry {
            name: "coredump",
            takes: Word("PATH"),
            help: "Write a core dump of a trap to this file",
            apply: |s, v| {
                s.config.coredump_on_trap(true);
                s.coredump = Some(v.word().to_string());
                Ok(())
            },
        },
        Entry {
            name: "gc-stats",
            takes: Flag,
            help: "Print statistics of the GC heap to standard error at exit",
            apply: |s, v| {
                s.gc_stats = v.flag();
                Ok(())
            },
        },
        Entry {
            name: "explicit-null-checks",
            takes: Flag,
            help: "Compare references with null before each access instead of relying on guard pages",
            apply: |s, v| {
                s.config.explicit_null_checks(v.flag());
                Ok(())
            },
        },
    ],
};

/// `-S`
pub(crate) static WASI: Group = Group {
    letter: 'S',
    long: "wasi",
    entries: &[
        Entry {
            name: "cli",
            takes: Flag,
            help: "WASI preview 1 (default: yes)",
            apply: |s, v| {
                s.wasi = v.flag();
                Ok(())
            },
        },
        Entry {
            name: "gc",
            takes: Flag,
            help: "Weak references, finalizers, collections and statistics as imports (default: no)",
            apply: |s, v| {
                s.gc_imports = v.flag();
                Ok(())
            },
        },
        Entry {
            name: "inherit-env",
            takes: Flag,
            help: "The program sees all environment variables of this process (default: no)",
            apply: |s, v| {
                s.inherit_env = v.flag();
                Ok(())
            },
        },
    ],
};

/// An entry that switches a feature of the language.
macro_rules! feature {
    ($name:literal, $setter:ident, $what:literal) => {
        Entry {
            name: $name,
            takes: Flag,
            help: concat!("Configures support for ", $what),
            apply: |s, v| {
                s.config.$setter(v.flag());
                Ok(())
            },
        }
    };
}

/// `-W`
pub(crate) static WASM: Group = Group {
    letter: 'W',
    long: "wasm",
    entries: &[
        Entry {
            name: "fuel",
            takes: Number,
            help: "Trap after about N instructions",
            apply: |s, v| {
                s.config.consume_fuel(true);
                s.fuel = Some(v.number());
                Ok(())
            },
        },
        Entry {
            name: "timeout",
            takes: Time,
            help: "Trap after this time: seconds, or e.g. `10s`, `100ms`",
            apply: |s, v| {
                s.timeout = Some(v.time());
                s.config.epoch_interruption(true);
                Ok(())
            },
        },
        Entry {
            name: "max-wasm-stack",
            takes: Bytes,
            help: "Bytes of stack that WebAssembly may use",
            apply: |s, v| {
                let bytes = v.size()?;
                s.max_wasm_stack = Some(bytes);
                // Wasmtime wants to know that the stack of a future would have the room.
                s.config.max_wasm_stack(bytes).async_stack_size(bytes.saturating_add(HOST_STACK));
                Ok(())
            },
        },
        Entry {
            name: "max-memory-size",
            takes: Bytes,
            help: "Bytes that each linear memory, and the GC heap, may grow to",
            apply: |s, v| {
                let bytes = v.size()?;
                s.max_memory_size = Some(bytes);
                s.config.cap_gc_heap(bytes as u64);
                Ok(())
            },
        },
        Entry {
            name: "max-table-elements",
            takes: Number,
            help: "Elements that each table may grow to",
            apply: |s, v| {
                s.max_table_elements = Some(v.size()?);
                Ok(())
            },
        },
        Entry {
            name: "trap-on-grow-failure",
            takes: Flag,
            help: "Growing a memory or table past a limit is a trap instead of -1",
            apply: |s, v| {
                s.trap_on_grow_failure = v.flag();
                Ok(())
            },
        },
        Entry {
            name: "unknown-imports-trap",
            takes: Flag,
            help: "Functions that are imported but unknown trap when they are called",
            apply: |s, v| {
                s.unknown_imports = if v.flag() { UnknownImports::Trap } else { UnknownImports::Error };
                Ok(())
            },
        },
        Entry {
            name: "unknown-imports-default",
            takes: Flag,
            help: "Functions that are imported but unknown do nothing and return zeros and nulls",
            apply: |s, v| {
                s.unknown_imports = if v.flag() { UnknownImports::Default } else { UnknownImports::Error };
                Ok(())
            },
        },
        Entry {
            name: "nan-canonicalization",
            takes: Flag,
            help: "Make the bits of every NaN the same everywhere",
            apply: |s, v| {
                s.config.cranelift_nan_canonicalization(v.flag());
                Ok(())
            },
        },
        feature!("bulk-memory", wasm_bulk_memory, "bulk memory operations"),
        feature!("custom-descriptors", wasm_custom_descriptors, "custom descriptors and exact types"),
        feature!("custom-page-sizes", wasm_custom_page_sizes, "custom page sizes"),
        feature!("exceptions", wasm_exceptions, "exception handling"),
        feature!("legacy-exceptions", wasm_legacy_exceptions, "exception handling of before the standard"),
        feature!("extended-const", wasm_extended_const, "extended constant expressions"),
        feature!("function-references", wasm_function_references, "typed function references"),
        feature!("gc", wasm_gc, "garbage collection"),
        feature!("memory64", wasm_memory64, "64-bit memories and tables"),
        feature!("multi-memory", wasm_multi_memory, "several memories"),
        feature!("multi-value", wasm_multi_value, "several results"),
        feature!("reference-types", wasm_reference_types, "reference types"),
        feature!("relaxed-simd", wasm_relaxed_simd, "relaxed SIMD"),
        feature!("shared-memory", shared_memory, "making of shared memories, with threads"),
        feature!("simd", wasm_simd, "SIMD"),
        feature!("threads", wasm_threads, "threads and shared memories"),
        feature!("tail-call", wasm_tail_call, "tail calls"),
        feature!("wide-arithmetic", wasm_wide_arithmetic, "wide arithmetic"),
    ],
};
