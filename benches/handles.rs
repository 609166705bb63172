//! `cargo bench --bench handles`: what a handle costs, by the ways to hold references.
//!
//! One program interns a reference, gets it back and releases its handle, over and over; 100 other handles are live.
//! It is the same text for all contenders; what answers its imports differs:
//!
//! | contender | what answers |
//! |---|---|
//! | merged | the side table, linked into the program, checked; `fast`: not checked |
//! | instance | the side table as an instance of its own (`Linker::side_table`) |
//! | host slab | host functions over a `Vec` of `OwnedRooted` with a freelist |
//! | host table | host functions over an `externref` table of the engine, with a freelist of the host |
//!
//! on ours and, where that can be, on stock Wasmtime, in one process and in interleaved rounds. Without `--bench`, as
//! under `cargo test --benches`, each runs a few times and results are checked.

#[path = "compare/clock.rs"]
mod clock;

use std::process::ExitCode;
use wasmtime_gc::intrinsics::{LinkOptions, Links, link};

/// Live handles beside the one that comes and goes.
const LIVE: i32 = 100;
/// Rounds, of which the median counts.
const ROUNDS: usize = 9;

const PROGRAM: &str = r#"(module
  (import "wasmtime-gc:side-table" "intern" (func $intern (param externref) (result i32)))
  (import "wasmtime-gc:side-table" "get" (func $get (param i32) (result externref)))
  (import "wasmtime-gc:side-table" "release" (func $release (param i32)))
  (func (export "fill") (param $value externref) (param $n i32)
    (loop $next
      (drop (call $intern (local.get $value)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "run") (param $value externref) (param $n i32) (result i32)
    (local $handle i32) (local $found i32)
    (loop $next
      (local.set $handle (call $intern (local.get $value)))
      (local.set $found
        (i32.add (local.get $found) (i32.eqz (ref.is_null (call $get (local.get $handle))))))
      (call $release (local.get $handle))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $found)))"#;

/// What answers the imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Merged { checked: bool },
    Instance,
    HostSlab,
    HostTable,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Merged { checked: true } => "merged",
            Way::Merged { checked: false } => "merged, fast",
            Way::Instance => "instance",
            Way::HostSlab => "host slab",
            Way::HostTable => "host table",
        }
    }

    /// The program, with the intrinsic or without.
    fn program(self) -> Vec<u8> {
        let wasm = wat::parse_str(PROGRAM).expect("the program can be parsed");
        match self {
            Way::Merged { checked } => {
                let linked = link(&wasm, &LinkOptions { checked, links: Links::Own });
                linked.expect("it can be linked").expect("it imports intrinsics").wasm
            }
            _ => wasm,
        }
    }
}

/// A slab of the host: the entries, and the free ones.
struct Slab<R> {
    entries: Vec<Option<R>>,
    free: Vec<u32>,
}

impl<R> Slab<R> {
    fn new() -> Slab<R> {
        Slab { entries: Vec::new(), free: Vec::new() }
    }

    fn insert(&mut self, value: R) -> i32 {
        match self.free.pop() {
            Some(slot) => {
                self.entries[slot as usize] = Some(value);
                slot as i32
            }
            None => {
                self.entries.push(Some(value));
                self.entries.len() as i32 - 1
            }
        }
    }

    fn remove(&mut self, slot: i32) -> Option<R> {
        let value = self.entries.get_mut(slot as usize)?.take()?;
        self.free.push(slot as u32);
        Some(value)
    }
}

/// One contender: runs the program so many times; gives how often it got its reference back.
type Contender = Box<dyn FnMut(i32) -> i32>;

macro_rules! engine {
    ($name:ident, $($api:ident)::+, $table:ident) => {
        mod $name {
            use super::{Contender, LIVE, Slab, Way, $table};
            use $($api)::+::{
                Caller, Engine, ExternRef, Linker, Module, OwnedRooted, Ref, Rooted, RootScope, Store, Table, TableType,
                RefType,
            };

            pub struct Host {
                slab: Slab<OwnedRooted<ExternRef>>,
                table: Option<Table>,
                free: Vec<u64>,
            }

            type External = Option<Rooted<ExternRef>>;

            pub fn contender(way: Way) -> Contender {
                let engine = Engine::default();
                let mut store = Store::new(&engine, Host { slab: Slab::new(), table: None, free: Vec::new() });
                let mut linker = Linker::new(&engine);
                match way {
                    Way::Merged { .. } => {}
                    Way::Instance => $table(&mut linker, &mut store),
                    Way::HostSlab => slab(&mut linker),
                    Way::HostTable => table(&mut linker, &mut store),
                }
                let module = Module::new(&engine, way.program()).expect("it can be compiled");
                let instance = linker.instantiate(&mut store, &module).expect("it can be instantiated");
                let fill = instance.get_typed_func::<(External, i32), ()>(&mut store, "fill").expect("it is exported");
                let run = instance.get_typed_func::<(External, i32), i32>(&mut store, "run").expect("it is exported");
                let value = ExternRef::new(&mut store, 1u32).expect("there is room");
                fill.call(&mut store, (Some(value), LIVE)).expect("it runs");
                let value = value.to_owned_rooted(&mut store).expect("it is alive");
                Box::new(move |n| {
                    let mut scope = RootScope::new(&mut store);
                    let value = value.to_rooted(&mut scope);
                    run.call(&mut scope, (Some(value), n)).expect("it runs")
                })
            }

            const M: &str = "wasmtime-gc:side-table";

            fn slab(linker: &mut Linker<Host>) {
                let intern = |mut caller: Caller<'_, Host>, value: External| -> i32 {
                    let Some(value) = value else { return -1 };
                    let value = value.to_owned_rooted(&mut caller).expect("it is alive");
                    caller.data_mut().slab.insert(value)
                };
                let get = |mut caller: Caller<'_, Host>, handle: i32| -> External {
                    let value = caller.data().slab.entries.get(handle as usize)?.clone()?;
                    Some(value.to_rooted(&mut caller))
                };
                let release = |mut caller: Caller<'_, Host>, handle: i32| drop(caller.data_mut().slab.remove(handle));
                linker.func_wrap(M, "intern", intern).expect("the name is free");
                linker.func_wrap(M, "get", get).expect("the name is free");
                linker.func_wrap(M, "release", release).expect("the name is free");
            }

            fn table(linker: &mut Linker<Host>, store: &mut Store<Host>) {
                let ty = TableType::new(RefType::EXTERNREF, 0, None);
                let table = Table::new(&mut *store, ty, Ref::Extern(None)).expect("there is room");
                store.data_mut().table = Some(table);
                let intern = |mut caller: Caller<'_, Host>, value: External| -> i32 {
                    let Some(table) = caller.data().table else { return -1 };
                    if let Some(slot) = caller.data_mut().free.pop() {
                        table.set(&mut caller, slot, Ref::Extern(value)).expect("there is such a slot");
                        return slot as i32;
                    }
                    table.grow(&mut caller, 1, Ref::Extern(value)).expect("there is room") as i32
                };
                let get = |mut caller: Caller<'_, Host>, handle: i32| -> External {
                    let table = caller.data().table?;
                    match table.get(&mut caller, handle as u64)? {
                        Ref::Extern(value) => value,
                        _ => None,
                    }
                };
                let release = |mut caller: Caller<'_, Host>, handle: i32| {
                    let Some(table) = caller.data().table else { return };
                    table.set(&mut caller, handle as u64, Ref::Extern(None)).expect("there is such a slot");
                    caller.data_mut().free.push(handle as u64);
                };
                linker.func_wrap(M, "intern", intern).expect("the name is free");
                linker.func_wrap(M, "get", get).expect("the name is free");
                linker.func_wrap(M, "release", release).expect("the name is free");
            }
        }
    };
}

engine!(ours, wasmtime_gc, side_table);
engine!(stock, wasmtime, stock_side_table);

fn side_table(linker: &mut wasmtime_gc::Linker<ours::Host>, store: &mut wasmtime_gc::Store<ours::Host>) {
    let ty = wasmtime_gc::RefType::EXTERNREF;
    linker.side_table(store, "wasmtime-gc:side-table", ty).expect("there is room");
}

fn stock_side_table(linker: &mut wasmtime::Linker<stock::Host>, store: &mut wasmtime::Store<stock::Host>) {
    let wasm = wasmtime_gc::intrinsics::side_table("extern", true).expect("there is such a table");
    let module = wasmtime::Module::new(store.engine(), wasm).expect("it can be compiled");
    linker.module(store, "wasmtime-gc:side-table", &module).expect("it can be instantiated");
}

fn main() -> ExitCode {
    let bench = std::env::args().any(|arg| arg == "--bench");
    let ways =
        [Way::Merged { checked: true }, Way::Merged { checked: false }, Way::Instance, Way::HostSlab, Way::HostTable];
    let mut contenders: Vec<(String, Contender)> = Vec::new();
    for way in ways {
        contenders.push((format!("{}, ours", way.name()), ours::contender(way)));
        contenders.push((format!("{}, stock", way.name()), stock::contender(way)));
    }
    let mut times = vec![Vec::new(); contenders.len()];
    let mut failed = false;
    for _ in 0..if bench { ROUNDS } else { 1 } {
        for ((name, run), times) in contenders.iter_mut().zip(&mut times) {
            // Host calls are slower by orders of magnitude.
            let n = match (bench, name.starts_with("host")) {
                (false, _) => 50,
                (true, true) => 200_000,
                (true, false) => 10_000_000,
            };
            let start = clock::now();
            let found = run(n);
            times.push((clock::now() - start).as_secs_f64() * 1e9 / f64::from(n));
            if found != n {
                eprintln!("{name}: {found} of {n} references came back");
                failed = true;
            }
        }
    }
    if bench {
        report(&contenders, times);
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn report(contenders: &[(String, Contender)], mut times: Vec<Vec<f64>>) {
    println!("ns for intern + get + release, {LIVE} other handles live; median of {ROUNDS} rounds");
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        })
        .collect();
    for ((name, _), median) in contenders.iter().zip(&medians) {
        println!("{name:<22} {median:>9.2}  {:>7.1}x", median / medians[0]);
    }
}
