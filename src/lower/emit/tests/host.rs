//! A module around one emitted function, and a toy heap around the module.
//!
//! Virtual function indices: 0 the function, then [`LOG`], [`PAIR`], [`GC`], `alloc`, [`MIX`] and [`COLD`]. The toy
//! collector copies nothing; it adds a constant to every reference to an object in a published root
//! slot.

use super::super::{EmitContext, EmittedBody, emit_func};
use crate::ir::{Func, verify};
use crate::layout::reference::is_object;
use crate::layout::{HeapMap, MapParams};
use crate::lower::index::{IndexMap, Space};
use crate::types::ValType;
use foldhash::HashMap;
use wasm_encoder as enc;
use wasmtime::{Caller, Engine, Instance, Memory, Module, Store, Val};

/// `(i32) -> i32`: records its argument.
pub const LOG: u32 = 1;
/// `(i64, i32) -> (i64, i32)`: records its arguments.
pub const PAIR: u32 = 2;
/// `()`: collects.
pub const GC: u32 = 3;
const ALLOC: u32 = 4;
/// `(i32, i32, i32) -> ()`: records its arguments.
pub const MIX: u32 = 5;
/// `(i32, i32) -> i32`: records its arguments and collects.
pub const COLD: u32 = 6;
/// Virtual index of the heap memory.
pub const HEAP: u32 = 1;
/// Bytes that fit between the nursery's start and the limit.
pub const NURSERY: u32 = 64;

/// The heap's map in these tests.
pub fn heap_map() -> HeapMap {
    HeapMap::new(MapParams { stack_bytes: 1, nursery_bytes: 1 })
}

/// First address that a function under test may use as it likes.
pub fn data_start() -> u32 {
    heap_map().nursery_end
}

/// What a collection makes of a reference.
pub fn moved(reference: u32) -> u32 {
    if is_object(reference) { reference.wrapping_add(0x1000) } else { reference }
}

/// What `LOG` returns.
pub fn log_result(arg: u32) -> u32 {
    arg.rotate_left(7) ^ 0x5bd1
}

/// What running a function did.
#[derive(Debug, PartialEq, Clone)]
pub struct Outcome {
    /// Results, all as 64 bits; `None` for a trap.
    pub results: Option<Vec<u64>>,
    /// What the imports were called with.
    pub log: Vec<u64>,
    /// The words from `data_start()` on.
    pub data: Vec<u32>,
}

fn index_map() -> IndexMap {
    IndexMap {
        funcs: Space { map: vec![6, 0, 1, 2, 3, 4, 5] },
        memories: Space { map: vec![u32::MAX, 0] },
        heap_memory: HEAP,
        alloc_func: ALLOC,
        ..IndexMap::default()
    }
}

/// Emits a function.
pub fn emit(func: &Func<'_>) -> EmittedBody {
    verify::verify(func).expect("the function is valid IR");
    let (index, func_types) = (index_map(), HashMap::default());
    let cx = EmitContext { map: heap_map(), index: &index, func_types: &func_types, originals: u32::MAX };
    emit_func(func, &cx).expect("emission succeeds")
}

/// A module that exports the function as `f` and the heap as `heap`.
pub fn module(func: &Func<'_>, body: &EmittedBody) -> Vec<u8> {
    let (index, func_types) = (index_map(), HashMap::default());
    let cx = EmitContext { map: heap_map(), index: &index, func_types: &func_types, originals: u32::MAX };
    let mut types = enc::TypeSection::new();
    let (i32, i64) = (enc::ValType::I32, enc::ValType::I64);
    types.ty().function([i32], [i32]);
    types.ty().function([i64, i32], [i64, i32]);
    types.ty().function([], []);
    types.ty().function([i32, i32, i32], []);
    types.ty().function([i32, i32], [i32]);
    let params: Vec<_> = func.params().iter().map(|&v| cx.val_type(func.ty(v))).collect();
    types.ty().function(params, func.results.iter().map(|&ty| cx.val_type(ty)));
    let mut imports = enc::ImportSection::new();
    for (name, ty) in [("log", 0), ("pair", 1), ("gc", 2), ("alloc", 0), ("mix", 3), ("cold", 4)] {
        imports.import("", name, enc::EntityType::Function(ty));
    }
    let mut funcs = enc::FunctionSection::new();
    funcs.function(5);
    let mut memories = enc::MemorySection::new();
    let minimum = u64::from(data_start() / 65536 + 1);
    memories.memory(enc::MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = enc::ExportSection::new();
    exports.export("f", enc::ExportKind::Func, 6).export("heap", enc::ExportKind::Memory, 0);
    let mut code = enc::CodeSection::new();
    code.raw(&body.body);
    let mut module = enc::Module::new();
    module.section(&types).section(&imports).section(&funcs).section(&memories).section(&exports).section(&code);
    module.finish()
}

fn heap(caller: &mut Caller<'_, Vec<u64>>) -> Memory {
    caller.get_export("heap").and_then(|export| export.into_memory()).expect("the module exports its heap")
}

fn word(data: &[u8], at: u32) -> u32 {
    let bytes = data[at as usize..at as usize + 4].try_into().expect("four bytes");
    u32::from_le_bytes(bytes)
}

fn set_word(data: &mut [u8], at: u32, word: u32) {
    data[at as usize..at as usize + 4].copy_from_slice(&word.to_le_bytes());
}

fn collect(data: &mut [u8]) {
    let map = heap_map();
    for at in (word(data, map.sp_cell())..map.stack_top).step_by(4) {
        let moved = moved(word(data, at));
        set_word(data, at, moved);
    }
}

fn instantiate(engine: &Engine, wasm: &[u8]) -> (Store<Vec<u64>>, Instance) {
    let module = Module::new(engine, wasm)
        .unwrap_or_else(|err| panic!("{err:?}\n{}", wasmprinter::print_bytes(wasm).unwrap_or_default()));
    let mut store = Store::new(engine, Vec::new());
    let mut linker = wasmtime::Linker::<Vec<u64>>::new(engine);
    let log = |mut caller: Caller<'_, Vec<u64>>, arg: u32| {
        caller.data_mut().push(u64::from(arg));
        log_result(arg)
    };
    let pair = |mut caller: Caller<'_, Vec<u64>>, a: u64, b: u32| {
        caller.data_mut().extend([a, u64::from(b)]);
        (a ^ u64::from(b), b.wrapping_add(1))
    };
    let gc = |mut caller: Caller<'_, Vec<u64>>| {
        let heap = heap(&mut caller);
        collect(heap.data_mut(&mut caller));
    };
    let alloc = |mut caller: Caller<'_, Vec<u64>>, bytes: u32| {
        let heap = heap(&mut caller);
        let data = heap.data_mut(&mut caller);
        collect(data);
        set_word(data, heap_map().bump_cell(), heap_map().nursery_start.wrapping_add(bytes));
        heap_map().nursery_start - 3
    };
    linker.func_wrap("", "log", log).expect("log");
    linker.func_wrap("", "pair", pair).expect("pair");
    linker.func_wrap("", "gc", gc).expect("gc");
    linker.func_wrap("", "alloc", alloc).expect("alloc");
    let mix = |mut caller: Caller<'_, Vec<u64>>, a: u32, b: u32, c: u32| {
        caller.data_mut().extend([a, b, c].map(u64::from));
    };
    linker.func_wrap("", "mix", mix).expect("mix");
    let cold = |mut caller: Caller<'_, Vec<u64>>, a: u32, b: u32| {
        caller.data_mut().extend([a, b].map(u64::from));
        let heap = heap(&mut caller);
        collect(heap.data_mut(&mut caller));
        log_result(b)
    };
    linker.func_wrap("", "cold", cold).expect("cold");
    let instance = linker.instantiate(&mut store, &module).expect("instantiation succeeds");
    (store, instance)
}

/// Emits and runs a function; `data` is what memory starts with from `data_start()` on.
pub fn run(engine: &Engine, func: &Func<'_>, args: &[u64], data: &[u32]) -> Outcome {
    let body = emit(func);
    let wasm = module(func, &body);
    let (mut store, instance) = instantiate(engine, &wasm);
    let heap = instance.get_memory(&mut store, "heap").expect("the heap");
    let map = heap_map();
    let bytes = heap.data_mut(&mut store);
    set_word(bytes, map.sp_cell(), map.stack_top);
    set_word(bytes, map.bump_cell(), map.nursery_start);
    set_word(bytes, map.limit_cell(), map.nursery_start + NURSERY);
    data.iter().enumerate().for_each(|(n, &w)| set_word(bytes, data_start() + 4 * n as u32, w));
    let f = instance.get_func(&mut store, "f").expect("f");
    let params: Vec<Val> = func.params().iter().zip(args).map(|(&v, &arg)| val(func.ty(v), arg)).collect();
    let mut results = vec![Val::I32(0); func.results.len()];
    let ok = f.call(&mut store, &params, &mut results);
    let bytes = heap.data(&store);
    if ok.is_ok() {
        let sp = word(bytes, map.sp_cell());
        assert_eq!(sp, map.stack_top, "stack pointer is restored\n{}", wasmprinter::print_bytes(&wasm).unwrap());
    }
    let data = (0..data.len() as u32).map(|n| word(bytes, data_start() + 4 * n)).collect();
    let results = ok.is_ok().then(|| results.iter().map(bits).collect());
    Outcome { results, log: store.into_data(), data }
}

fn val(ty: ValType, arg: u64) -> Val {
    match ty {
        ValType::I64 => Val::I64(arg as i64),
        _ => Val::I32(arg as i32),
    }
}

fn bits(val: &Val) -> u64 {
    match *val {
        Val::I32(v) => u64::from(v as u32),
        Val::I64(v) => v as u64,
        _ => panic!("a result of another type"),
    }
}

/// The text of what is emitted for a function.
pub fn text(func: &Func<'_>) -> String {
    wasmprinter::print_bytes(module(func, &emit(func))).expect("a valid module")
}
