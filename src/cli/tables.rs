//! The option groups as tables: name, form of the value, help text, effect. Names are those of
//! `wasmtime`, but for `gc-nursery-size`, `gc-max-heap-size`, `gc-zeal`, `gc-verify`, `gc-check-roots`, `gc-stats`,
//! `gc-growth-factor`, `gc-growth-minimum`, `gc-incremental`, `gc-threads`, `gc-passes`, `explicit-null-checks`,
//! `custom-descriptors`, `legacy-exceptions` and `-S gc`.

use super::options::Takes::{Bytes, Choice, Flag, Number, Time, Word};
use super::options::{Entry, Group};
use super::settings::UnknownImports;
use std::num::{NonZeroU32, NonZeroUsize};
use wasmtime::{Collector, Enabled, Inlining, OptLevel, RegallocAlgorithm, Strategy};

/// This option is applied before all others, so that it can have exceptions.
pub(crate) const ALL_PROPOSALS: &str = "all-proposals";

/// Of the options of Wasmtime's own heap.
const STOCK_HEAP: &str = "Of Wasmtime's own GC heap, which components have: without effect on modules";

/// An option with an effect that is one expression.
macro_rules! option {
    ($name:expr, $takes:expr, $help:expr, |$s:pat_param, $v:ident| $effect:expr) => {
        Entry {
            name: $name,
            takes: $takes,
            help: $help,
            apply: |$s, $v| {
                $effect;
                Ok(())
            },
        }
    };
}

/// An option that is passed on to the engine.
macro_rules! passed {
    ($name:expr, $takes:expr, $setter:ident($value:ident), $help:expr) => {
        option!($name, $takes, $help, |s, v| s.config.$setter(v.$value()))
    };
}

/// One that switches a feature of the language.
macro_rules! feature {
    ($name:expr, $setter:ident, $what:expr) => {
        passed!($name, Flag, $setter(flag), concat!("Configures support for ", $what))
    };
}

/// One that is passed on to the pooling allocator.
macro_rules! pool {
    ($name:expr, $takes:expr, $setter:ident($value:ident), $help:expr) => {
        option!($name, $takes, $help, |s, v| s.pool.$setter(v.$value()?))
    };
}

/// A flag that is kept among the settings.
macro_rules! flag {
    ($name:expr, $($field:ident).+, $help:expr) => {
        option!($name, Flag, $help, |s, v| s.$($field).+ = v.flag())
    };
}

/// A flag that has another default than either.
macro_rules! maybe {
    ($name:expr, $($field:ident).+, $help:expr) => {
        option!($name, Flag, $help, |s, v| s.$($field).+ = Some(v.flag()))
    };
}

/// A number that is kept among the settings.
macro_rules! limit {
    ($name:expr, $takes:expr, $($field:ident).+, $help:expr) => {
        option!($name, $takes, $help, |s, v| s.$($field).+ = Some(v.size()?))
    };
}

/// What Wasmtime's command has and this one has not: it can only be switched off.
macro_rules! absent {
    ($name:expr, $why:expr) => {
        option!($name, Flag, concat!("Not supported: ", $why), |_, v| if v.flag() {
            return Err(concat!("not supported: ", $why).to_string());
        })
    };
}

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
        passed!(
            "signals-based-traps",
            Flag,
            signals_based_traps(flag),
            "Catch out-of-bounds and null accesses by signals and guard pages (default: yes)"
        ),
        passed!(
            "memory-reservation",
            Bytes,
            memory_reservation(number),
            "Bytes of address space reserved for each linear memory"
        ),
        passed!(
            "memory-guard-size",
            Bytes,
            memory_guard_size(number),
            "Bytes of guard region after each linear memory"
        ),
        option!("regalloc-algorithm", Word("backtracking|single-pass"), "Cranelift's register allocator", |s, v| {
            s.config.cranelift_regalloc_algorithm(match v.word() {
                "backtracking" => RegallocAlgorithm::Backtracking,
                "single-pass" => RegallocAlgorithm::SinglePass,
                other => return Err(format!("unknown algorithm `{other}`, only backtracking,single-pass accepted")),
            })
        }),
        passed!("memory-may-move", Flag, memory_may_move(flag), "Memories and the GC heap may move (default: yes)"),
        passed!(
            "memory-reservation-for-growth",
            Bytes,
            memory_reservation_for_growth(number),
            "Bytes reserved behind a linear memory that moves, for its growth"
        ),
        passed!(
            "guard-before-linear-memory",
            Flag,
            guard_before_linear_memory(flag),
            "Whether there is a guard region in front of each linear memory, too (default: yes)"
        ),
        passed!(
            "memory-init-cow",
            Flag,
            memory_init_cow(flag),
            "Initialize linear memories by copy-on-write mappings (default: yes)"
        ),
        passed!(
            "memory-guaranteed-dense-image-size",
            Bytes,
            memory_guaranteed_dense_image_size(number),
            "Bytes of the largest memory image that is kept in one piece in any case"
        ),
        passed!(
            "table-lazy-init",
            Flag,
            table_lazy_init(flag),
            "Fill tables when elements are first read (default: no)"
        ),
        passed!("dynamic-memory-guard-size", Bytes, memory_guard_size(number), "Older name of `memory-guard-size`"),
        passed!("static-memory-guard-size", Bytes, memory_guard_size(number), "Older name of `memory-guard-size`"),
        passed!("static-memory-maximum-size", Bytes, memory_reservation(number), "Older name of `memory-reservation`"),
        passed!(
            "dynamic-memory-reserved-for-growth",
            Bytes,
            memory_reservation_for_growth(number),
            "Older name of `memory-reservation-for-growth`"
        ),
        option!("static-memory-forced", Flag, "Older name of `memory-may-move=n`", |s, v| {
            s.config.memory_may_move(!v.flag())
        }),
        passed!("gc-heap-may-move", Flag, gc_heap_may_move(flag), STOCK_HEAP),
        passed!("gc-heap-reservation", Bytes, gc_heap_reservation(number), STOCK_HEAP),
        passed!("gc-heap-reservation-for-growth", Bytes, gc_heap_reservation_for_growth(number), STOCK_HEAP),
        passed!("gc-heap-guard-size", Bytes, gc_heap_guard_size(number), STOCK_HEAP),
        passed!("gc-heap-initial-size", Bytes, gc_heap_initial_size(number), STOCK_HEAP),
        flag!("pooling-allocator", pooling, "Instances come from a pool (default: no)"),
        limit!("pooling-max-memory-size", Bytes, pool_memory_size, "Bytes of a memory in the pool, or of the GC heap"),
        limit!("pooling-table-elements", Number, pool_table_elements, "Elements of a table in the pool"),
        pool!("pooling-total-core-instances", Number, total_core_instances(count), "Instances, the heap's included"),
        pool!("pooling-total-component-instances", Number, total_component_instances(count), "Components in the pool"),
        pool!("pooling-total-gc-heaps", Number, total_gc_heaps(count), "Heaps of Wasmtime's own collectors"),
        pool!("pooling-total-memories", Number, total_memories(count), "Memories in the pool, the GC heap included"),
        pool!("pooling-total-tables", Number, total_tables(count), "Tables in the pool"),
        pool!("pooling-total-stacks", Number, total_stacks(count), "Stacks in the pool"),
        pool!("pooling-max-tables-per-module", Number, max_tables_per_module(count), "Tables of a lowered module"),
        pool!(
            "pooling-max-memories-per-module",
            Number,
            max_memories_per_module(count),
            "Memories of a lowered module"
        ),
        pool!(
            "pooling-max-component-instance-size",
            Bytes,
            max_component_instance_size(size),
            "Bytes of a component's metadata"
        ),
        pool!(
            "pooling-max-core-instances-per-component",
            Number,
            max_core_instances_per_component(count),
            "Instances of modules in a component"
        ),
        pool!(
            "pooling-max-memories-per-component",
            Number,
            max_memories_per_component(count),
            "Memories of a component"
        ),
        pool!("pooling-max-tables-per-component", Number, max_tables_per_component(count), "Tables of a component"),
        pool!("pooling-max-core-instance-size", Bytes, max_core_instance_size(size), "Bytes of an instance's metadata"),
        pool!("pooling-max-unused-warm-slots", Number, max_unused_warm_slots(count), "Slots kept for their modules"),
        pool!("pooling-decommit-batch-size", Number, decommit_batch_size(size), "Slots that are decommitted together"),
        pool!("pooling-memory-keep-resident", Bytes, linear_memory_keep_resident(size), "Bytes that a memory keeps"),
        pool!("pooling-table-keep-resident", Bytes, table_keep_resident(size), "Bytes that a table keeps"),
        pool!("pooling-async-stack-keep-resident", Bytes, async_stack_keep_resident(size), "Bytes that a stack keeps"),
        option!("pooling-pagemap-scan", Choice("y|n|auto"), "Find by `PAGEMAP_SCAN` what was written to", |s, v| {
            s.pool.pagemap_scan(match v.word() {
                "y" | "yes" | "true" => Enabled::Yes,
                "n" | "no" | "false" => Enabled::No,
                "auto" => Enabled::Auto,
                other => return Err(format!("unknown flag `{other}`, only yes,no,auto,<nothing> accepted")),
            })
        }),
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
        passed!("gc-max-heap-size", Bytes, gc_max_heap_size(number), "Bytes that the GC heap of a store may grow to"),
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
        passed!(
            "gc-growth-minimum",
            Bytes,
            gc_growth_minimum(number),
            "... and at least N bytes (default: 48m; up to that less where little is alive)"
        ),
        passed!(
            "gc-incremental",
            Flag,
            gc_incremental(flag),
            "Major collections that fall due mark in steps, not in one pause (default: from 16 MiB on)"
        ),
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
            help: "Choice among Wasmtime's own collectors, for components: without effect on modules",
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
        passed!(
            "parallel-compilation",
            Flag,
            parallel_compilation(flag),
            "Compile functions in parallel (default: yes)"
        ),
        flag!("cache", cache, "Keep compiled code for the next run (default: no)"),
        option!("cache-config", Word("PATH"), "With `cache`: a file that configures it", |s, v| {
            s.cache_config = Some(v.word().into());
        }),
        passed!("cranelift-debug-verifier", Flag, cranelift_debug_verifier(flag), "Check Cranelift's own output"),
        passed!("native-unwind-info", Flag, native_unwind_info(flag), "Unwind information for native tools"),
        option!(
            "inlining",
            Choice("y|n|gc|inter-module|intrinsics"),
            "Whether Cranelift inlines calls, too; never within a module, where lowering does",
            |s, v| { s.config.compiler_inlining(v.word().parse::<Inlining>().map_err(|err| err.to_string())?) }
        ),
        passed!(
            "metadata-for-internal-asserts",
            Flag,
            metadata_for_internal_asserts(flag),
            "Tell failed assertions of compiled code apart"
        ),
        passed!(
            "metadata-for-gc-heap-corruption",
            Flag,
            metadata_for_gc_heap_corruption(flag),
            "Tell corruption of Wasmtime's own GC heap apart"
        ),
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
        passed!(
            "gc-verify",
            Flag,
            gc_verify(flag),
            "Check the whole heap and every root before and after each collection"
        ),
        passed!(
            "gc-check-roots",
            Flag,
            gc_check_roots(flag),
            "Check the root slots of every lowered function by an independent checker"
        ),
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
        passed!("debug-info", Flag, debug_info(flag), "Debug information in compiled code, of what lowering leaves"),
        passed!("guest-debug", Flag, guest_debug(flag), "Compile for debuggers of guests, without optimizations"),
        passed!("address-map", Flag, generate_address_map(flag), "Backtraces have offsets in modules (default: yes)"),
        passed!("symbols", Flag, debug_symbols(flag), "Compiled modules have symbols for native tools"),
        option!("max-backtrace", Number, "Frames of a backtrace at most (default: 20)", |s, v| {
            if let Some(frames) = NonZeroUsize::new(v.size()?) {
                s.config.wasm_backtrace_max_frames(Some(frames));
            }
        }),
        absent!("logging", "this command writes no logs"),
        absent!("log-to-files", "this command writes no logs"),
        flag!("gc-stats", gc_stats, "Print statistics of the GC heap to standard error at exit"),
        passed!(
            "explicit-null-checks",
            Flag,
            explicit_null_checks(flag),
            "Compare references with null before each access instead of relying on guard pages"
        ),
    ],
};

/// `-S`
pub(crate) static WASI: Group = Group {
    letter: 'S',
    long: "wasi",
    entries: &[
        flag!("cli", wasi.linked, "WASI preview 1, or 0.2 for components (default: yes)"),
        option!("cli-exit-with-code", Flag, "Programs choose their exit codes: they always do", |_, v| {
            if !v.flag() {
                return Err("that can not be switched off any more".to_string());
            }
        }),
        flag!("common", wasi.linked, "Older name of `cli`"),
        flag!("preview0", wasi.preview0, "`wasi_unstable`, which was before preview 1 (default: yes)"),
        option!("preview2", Flag, "Preview 1 by the implementation of preview 2: there is no other", |_, v| {
            if !v.flag() {
                return Err("there is no other implementation of preview 1 any more".to_string());
            }
        }),
        flag!("gc", gc_imports, "Weak references, finalizers, collections and statistics as imports (default: no)"),
        flag!("inherit-env", wasi.inherit_env, "The program sees all of our environment variables (default: no)"),
        flag!("inherit-stdin", wasi.inherit_stdin, "The program reads our standard input (default: yes)"),
        flag!("inherit-stdout", wasi.inherit_stdout, "The program writes to our standard output (default: yes)"),
        flag!("inherit-stderr", wasi.inherit_stderr, "The program writes to our standard error (default: yes)"),
        limit!("max-resources", Number, wasi.max_resources, "Files, folders and so on that the program can have open"),
        limit!("hostcall-fuel", Bytes, wasi.hostcall_fuel, "Bytes that a call of the host may copy from the program"),
        limit!(
            "max-component-handles",
            Number,
            wasi.max_component_handles,
            "Resources and so on that a component can hold"
        ),
        option!("max-random-size", Bytes, "Random bytes that a component can ask for at once", |s, v| {
            s.wasi.max_random_size = Some(v.number())
        }),
        option!("cwd", Word("PATH"), "The folder that a component is told to be in", |s, v| {
            s.wasi.cwd = Some(v.word().to_string())
        }),
        flag!("inherit-network", wasi.inherit_network, "Components can use every address and port (default: no)"),
        maybe!(
            "allow-ip-name-lookup",
            wasi.allow_ip_name_lookup,
            "Components can look up names of hosts (default: no)"
        ),
        maybe!("tcp", wasi.tcp, "Components can make sockets of TCP"),
        maybe!("udp", wasi.udp, "Components can make sockets of UDP"),
        flag!(
            "network-error-code",
            wasi.network_error_code,
            "WASI's `network-error-code`, which is not stable (default: no)"
        ),
        absent!("p3", "this command has WASI 0.2 for components"),
        absent!("config", "this command has not this part of WASI"),
        absent!("http", "this command has not this part of WASI"),
        absent!("keyvalue", "this command has not this part of WASI"),
        absent!("tls", "this command has not this part of WASI"),
        absent!("nn", "this command has no neural networks"),
        absent!("threads", "Wasmtime has it no more"),
    ],
};

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
        option!("timeout", Time, "Trap after this time: seconds, or e.g. `10s`, `100ms`", |s, v| {
            s.timeout = Some(v.time())
        }),
        passed!("epoch-interruption", Flag, epoch_interruption(flag), "Code looks at the epoch, as for `timeout`"),
        limit!("max-wasm-stack", Bytes, max_wasm_stack, "Bytes of stack that WebAssembly may use"),
        limit!("async-stack-size", Bytes, async_stack_size, "Bytes of stack for WebAssembly and what it calls"),
        passed!("async-stack-zeroing", Flag, async_stack_zeroing(flag), "Zero that stack before it is used"),
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
        limit!("max-table-elements", Number, max_table_elements, "Elements that each table may grow to"),
        limit!("max-instances", Number, max_instances, "Instances that there may be"),
        limit!("max-tables", Number, max_tables, "Tables that there may be"),
        limit!("max-memories", Number, max_memories, "Linear memories that there may be"),
        flag!(
            "trap-on-grow-failure",
            trap_on_grow_failure,
            "Growing a memory or table past a limit is a trap instead of -1"
        ),
        flag!("unknown-exports-allow", unknown_exports, "Preloaded commands may export what is no function"),
        option!(
            "unknown-imports-trap",
            Flag,
            "Functions that are imported but unknown trap when they are called",
            |s, v| s.set_unknown_imports(UnknownImports::Trap, v.flag())
        ),
        option!(
            "unknown-imports-default",
            Flag,
            "Functions that are imported but unknown do nothing and return zeros and nulls",
            |s, v| s.set_unknown_imports(UnknownImports::Default, v.flag())
        ),
        passed!(
            "nan-canonicalization",
            Flag,
            cranelift_nan_canonicalization(flag),
            "Make the bits of every NaN the same everywhere"
        ),
        passed!(
            "relaxed-simd-deterministic",
            Flag,
            relaxed_simd_deterministic(flag),
            "Relaxed SIMD gives the same results everywhere"
        ),
        option!(ALL_PROPOSALS, Flag, "Configures support for all proposals, but for those that are named", |s, v| {
            let on = v.flag();
            s.config.wasm_simd(on).wasm_relaxed_simd(on).wasm_bulk_memory(on).wasm_multi_value(on);
            s.config.wasm_tail_call(on).wasm_multi_memory(on).wasm_memory64(on).wasm_custom_page_sizes(on);
            s.config.wasm_wide_arithmetic(on).wasm_extended_const(on).wasm_threads(on).wasm_gc(on);
            s.config.wasm_reference_types(on).wasm_function_references(on);
            s.config.wasm_exceptions(on).wasm_legacy_exceptions(on).wasm_custom_descriptors(on);
            s.config.wasm_component_model(on).wasm_component_model_async(on).wasm_component_model_threading(on);
            s.config.wasm_component_model_more_async_builtins(on).wasm_component_model_async_stackful(on);
            s.config.wasm_component_model_error_context(on).wasm_component_model_map(on);
            s.config.wasm_component_model_fixed_length_lists(on).wasm_component_model_implements(on);
            s.config.wasm_component_model_memory64(on);
        }),
        feature!("branch-hinting", wasm_branch_hinting, "hints about branches"),
        feature!("bulk-memory", wasm_bulk_memory, "bulk memory operations"),
        feature!("custom-descriptors", wasm_custom_descriptors, "custom descriptors and exact types"),
        feature!("custom-page-sizes", wasm_custom_page_sizes, "custom page sizes"),
        feature!("exceptions", wasm_exceptions, "exception handling"),
        feature!("legacy-exceptions", wasm_legacy_exceptions, "exception handling of before the standard"),
        feature!("extended-const", wasm_extended_const, "extended constant expressions"),
        feature!("function-references", wasm_function_references, "typed function references"),
        feature!("gc-support", gc_support, "GC types of any kind"),
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
        feature!("component-model", wasm_component_model, "components"),
        feature!("component-model-async", wasm_component_model_async, "asynchronous functions of components"),
        feature!(
            "component-model-more-async-builtins",
            wasm_component_model_more_async_builtins,
            "more of what such functions are made of"
        ),
        feature!("component-model-async-stackful", wasm_component_model_async_stackful, "such functions with stacks"),
        feature!("component-model-threading", wasm_component_model_threading, "threads of components"),
        feature!("component-model-error-context", wasm_component_model_error_context, "error contexts of components"),
        feature!("component-model-gc", wasm_component_model_gc, "GC types where components meet"),
        feature!("component-model-map", wasm_component_model_map, "maps of components"),
        feature!("component-model-memory64", wasm_component_model_memory64, "64-bit memories of components"),
        feature!(
            "component-model-fixed-length-lists",
            wasm_component_model_fixed_length_lists,
            "lists of fixed length of components"
        ),
        feature!("component-model-implements", wasm_component_model_implements, "`implements` of components"),
        passed!(
            "concurrency-support",
            Flag,
            concurrency_support(flag),
            "Whether asynchronous functions of components can run at all (default: yes)"
        ),
    ],
};
