//! The C programs of `examples/c`, built by their Makefile, on ours and on stock Wasmtime.
//!
//! They need clang and wasm-ld. Where those are missing the tests say that they are skipped, unless
//! `WASMTIME_GC_REQUIRE_CLANG` is set: then they fail.

use super::{Ran, folder, ran, wasmtime_gc};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

/// The first release of LLVM that knows the types of references.
const LEAST_LLVM: u32 = 17;

/// The name by which a tool can be called that is not too old. (Debian 12 has clang 14 by that name, with which the
/// tests failed that should have been skipped.)
fn tool(names: &[&str]) -> Option<String> {
    let works = |name: &&&str| {
        let Ok(out) = Command::new(name).arg("--version").output() else { return false };
        let text = String::from_utf8_lossy(&out.stdout);
        let text = text.lines().next().unwrap_or_default();
        let llvm = text.split_once(" version ").or_else(|| text.split_once("LLD "));
        let release =
            llvm.and_then(|(_, number)| number.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok());
        out.status.success() && release.is_none_or(|release| release >= LEAST_LLVM)
    };
    names.iter().find(works).map(|name| name.to_string())
}

/// The built programs; nothing if the tools are missing.
fn programs() -> Option<&'static Path> {
    static BUILT: LazyLock<Option<PathBuf>> = LazyLock::new(build);
    BUILT.as_deref()
}

fn build() -> Option<PathBuf> {
    let tools = [&["clang-19", "clang-20", "clang"][..], &["wasm-ld-19", "wasm-ld-20", "wasm-ld"], &["make"]];
    let [Some(clang), Some(wasm_ld), Some(make)] = tools.map(tool) else {
        let message = "the C programs were skipped: clang or wasm-ld of LLVM 17 or newer, or make, is missing (Debian: clang-19 lld-19 make)";
        assert!(std::env::var_os("WASMTIME_GC_REQUIRE_CLANG").is_none(), "{message}");
        eprintln!("{message}");
        return None;
    };
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("c");
    let make = ran(Command::new(make).arg("-C").arg(folder("examples/c")).args([
        format!("OUT={}", out.display()),
        format!("CLANG={clang}"),
        format!("WASM_LD={wasm_ld}"),
        format!("WASMTIME_GC={}", env!("CARGO_BIN_EXE_wasmtime-gc")),
    ]));
    assert_eq!(make.code, 0, "{}\n{}", make.stdout, make.stderr);
    Some(out)
}

fn run(program: &str, export: &str) -> Option<Ran> {
    let program = programs()?.join(program).display().to_string();
    Some(match export {
        "_start" => wasmtime_gc(&["run", "-S", "gc", &program]),
        _ => wasmtime_gc(&["run", "-S", "gc", "--invoke", export, &program]),
    })
}

/// What the milestone prints for its hundred rounds.
fn rounds(finalized: bool) -> String {
    let round = |n: i32| {
        let (first, all) = (n * 1000 + 1, (n + 1) * 1000);
        let live = if finalized { 1000 } else { all };
        format!("Callback after {first} allocated.\n{all} total allocated, {live} still live.\n")
    };
    (0..100).map(round).collect()
}

fn pages(stdout: &str) -> i32 {
    let line = stdout.lines().find_map(|line| line.strip_prefix("Linear memory has ")).expect("it tells its pages");
    line.trim_end_matches(" pages.").parse().expect("they are a number")
}

#[test]
fn the_milestone_succeeds() {
    for program in ["milestone.wasm", "milestone-linked.wasm"] {
        let Some(ran) = run(program, "_start") else { return };
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{program}: {}", ran.stdout);
        let (log, end) = ran.stdout.split_at(rounds(true).len());
        assert_eq!(log, rounds(true), "{program}");
        assert!(end.starts_with("100000 objects finalized, 0 live.\n"), "{program}: {end}");
        assert!(end.contains("The table has 1064 slots; at most 1000 were live, and 0 are.\n"), "{program}: {end}");
        assert!(end.ends_with("Success; max 1000 objects live.\n"), "{program}: {end}");
        assert!(pages(end) <= 10, "{program}: {end}");
    }
}

/// A callback that captures its wrapper is held by the table, and so is the wrapper: nothing is ever garbage. Nor is
/// anything freed without finalizers.
#[test]
fn the_mistakes_run_out_of_linear_memory() {
    for program in ["milestone.wasm", "milestone-linked.wasm"] {
        for mistake in ["no_finalizer", "cycle"] {
            let Some(ran) = run(program, mistake) else { return };
            assert_eq!(ran.code, 1, "{program} {mistake}: {ran:?}");
            assert!(rounds(false).starts_with(ran.stdout.split("error:").next().unwrap()), "{program} {mistake}");
            let line = ran.stdout.lines().last().unwrap_or_default();
            let (_, rest) = line.split_once("error: out of linear memory with ").expect(line);
            let objects: i32 = rest.split_once(' ').expect(line).0.parse().expect(line);
            // Eight pages of blocks of eight bytes, but for those that hold links.
            assert!((30_000..=65_536).contains(&objects), "{program} {mistake}: {line}");
        }
    }
}

/// The object file that the command writes, in place of the one that clang makes of `side_table.c`.
#[test]
fn the_commands_object_file_links() {
    let Some(programs) = programs() else { return };
    for mode in [&[][..], &["--fast"]] {
        let [object, program] =
            ["side_table_of_ours.o", "object.wasm"].map(|name| programs.join(name).display().to_string());
        let written = wasmtime_gc(&[&["link", "--object", "-o", &object], mode].concat());
        assert_eq!((written.code, written.stderr.as_str()), (0, ""));
        let wasm_ld = tool(&["wasm-ld-19", "wasm-ld-20", "wasm-ld"]).unwrap();
        let flags = ["--no-entry", "--stack-first", "--initial-memory=131072", "--max-memory=655360"];
        let parts = ["milestone.o", "object.o", "io.o", "side_table_of_ours.o"].map(|name| programs.join(name));
        let linked = ran(Command::new(wasm_ld).args(flags).args(parts).args(["-o", &program]));
        assert_eq!((linked.code, linked.stderr.as_str()), (0, ""));
        let ran = wasmtime_gc(&["run", "-S", "gc", &program]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
        assert!(ran.stdout.contains("The table has 1064 slots; at most 1000 were live, and 0 are."), "{}", ran.stdout);
        assert!(ran.stdout.ends_with("Success; max 1000 objects live.\n"), "{}", ran.stdout);
    }
}

/// A negative number was good where a free slot had the generation in it. Releasing it damaged the list of free slots,
/// also of the table in C, which was written after the other.
#[test]
fn numbers_that_are_no_handles_trap_in_object_files() {
    use wasmtime_gc::{Engine, ExternRef, Instance, Module, Store};
    let Some(programs) = programs() else { return };
    let files = tempfile::tempdir().unwrap();
    let ours = files.path().join("ours.o").display().to_string();
    assert_eq!(wasmtime_gc(&["link", "--object", "-o", &ours]).code, 0);
    let exports = ["intern", "release", "size", "fault"].map(|name| format!("--export=wgc_{name}"));
    for object in [programs.join("side_table.o").display().to_string(), ours] {
        let wasm_ld = tool(&["wasm-ld-19", "wasm-ld-20", "wasm-ld"]).unwrap();
        let table = files.path().join("table.wasm");
        let linked = ran(Command::new(wasm_ld).arg("--no-entry").args(&exports).arg(&object).arg("-o").arg(&table));
        assert_eq!((linked.code, linked.stderr.as_str()), (0, ""));
        let module = Module::from_file(&Engine::default(), &table).unwrap();
        let mut store = Store::new(module.engine(), ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let value = ExternRef::new(&mut store, 7u32).unwrap();
        let intern = instance.get_typed_func::<Option<wasmtime_gc::Rooted<ExternRef>>, i32>(&mut store, "wgc_intern");
        let release = instance.get_typed_func::<i32, ()>(&mut store, "wgc_release").unwrap();
        let [size, fault] = ["wgc_size", "wgc_fault"].map(|name| instance.get_typed_func::<(), i32>(&mut store, name));
        let handle = intern.unwrap().call(&mut store, Some(value)).unwrap();
        release.call(&mut store, handle).unwrap();
        for generation in 0..1024 {
            let number = handle | (generation << 22);
            assert!(release.call(&mut store, number).is_err(), "{object}: {number}");
            assert_eq!(fault.as_ref().unwrap().call(&mut store, ()).unwrap(), 2, "{object}: {number}");
        }
        assert_eq!(size.unwrap().call(&mut store, ()).unwrap(), 0);
    }
}

/// With both edges in the heap, the cycle is garbage like everything else.
#[test]
fn the_cycle_is_bounded_where_the_collector_sees_it() {
    for program in ["milestone.wasm", "milestone-linked.wasm"] {
        let Some(ran) = run(program, "traced") else { return };
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{program}: {}", ran.stdout);
        assert!(ran.stdout.starts_with(&rounds(true)), "{program}");
        assert!(ran.stdout.contains("The table has 0 slots"), "{program}: {}", ran.stdout);
        assert!(ran.stdout.ends_with("Success; max 1000 objects live.\n"), "{program}");
    }
}

/// The cycle through the table is bounded too where the way back is a weak handle.
#[test]
fn the_cycle_is_bounded_where_it_is_weak() {
    let Some(ran) = run("weak.wasm", "_start") else { return };
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let expected = "100000 objects finalized, 0 live.\n\
                    100000 callbacks met their wrappers; 0 weak handles are left.\n\
                    The table has 1064 slots. Linear memory has ";
    assert!(ran.stdout.starts_with(expected), "{}", ran.stdout);
}

#[test]
fn objects_of_the_heap_need_no_linear_memory() {
    let Some(ran) = run("list.wasm", "_start") else { return };
    let sums = 1000 * 4950 + (0..1000).map(|round| 2 * round + 2).sum::<i32>();
    let expected =
        format!("{sums} in a thousand lists and rings, 499500 in the one that was kept.\nLinear memory has 2 pages.\n");
    assert_eq!((ran.code, ran.stdout, ran.stderr.as_str()), (0, expected, ""));
}

#[test]
fn destructors_release() {
    let Some(ran) = run("handles.wasm", "_start") else { return };
    let expected = "2 handles for three people, initials 65066.\n\
                    Exchanged: 66065, with 2 handles.\n\
                    0 handles at the end.\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, expected, ""));
}

/// The finished module, with nothing of ours but two imports of its host, on stock Wasmtime and its collector.
#[test]
fn the_milestone_runs_on_stock_wasmtime() {
    let Some(programs) = programs() else { return };
    for program in ["milestone.wasm", "milestone-linked.wasm"] {
        let wasm = std::fs::read(programs.join(program)).unwrap();
        let options = wasmtime_gc::intrinsics::LinkOptions::default();
        let wasm = wasmtime_gc::intrinsics::link(&wasm, &options).unwrap().map_or(wasm, |linked| linked.wasm);
        let printed = stock(&wasm);
        assert!(printed.starts_with(&rounds(true)), "{program}: {printed}");
        assert!(printed.ends_with("Success; max 1000 objects live.\n"), "{program}: {printed}");
        assert!(printed.contains("The table has 1064 slots"), "{program}: {printed}");
    }
}

type Reports = Arc<Mutex<VecDeque<i32>>>;

struct Token(i32, Reports);

impl Drop for Token {
    fn drop(&mut self) {
        self.1.lock().unwrap().push_back(self.0);
    }
}

/// What a program prints on stock Wasmtime, with a host of a few lines.
fn stock(wasm: &[u8]) -> String {
    use wasmtime::{Caller, Engine, ExternRef, Linker, Module, Result, Store};
    let engine = Engine::default();
    let module = Module::new(&engine, wasm).unwrap();
    let (reports, printed) = (Reports::default(), Arc::new(Mutex::new(Vec::new())));
    let mut linker: Linker<()> = Linker::new(&engine);
    let queue = reports.clone();
    let token = move |caller: Caller<'_, ()>, n: i32| ExternRef::new(caller, Token(n, queue.clone())).map(Some);
    linker.func_wrap("wasmtime-gc:finalizers", "token", token).unwrap();
    let queue = reports.clone();
    let pending = move || queue.lock().unwrap().len() as i32;
    linker.func_wrap("wasmtime-gc:finalizers", "pending", pending).unwrap();
    let next = move || reports.lock().unwrap().pop_front().unwrap_or(-1);
    linker.func_wrap("wasmtime-gc:finalizers", "next", next).unwrap();
    let collect = |mut caller: Caller<'_, ()>| -> Result<()> {
        caller.gc(None)?;
        Ok(())
    };
    linker.func_wrap("wasmtime-gc:heap", "collect", collect).unwrap();
    let out = printed.clone();
    let write = move |mut caller: Caller<'_, ()>, _: i32, at: u32, _: u32, _: u32| -> i32 {
        let memory = caller.get_export("memory").unwrap().into_memory().unwrap();
        let bytes = memory.data(&caller);
        let word = |at: u32| u32::from_le_bytes(bytes[at as usize..at as usize + 4].try_into().unwrap()) as usize;
        out.lock().unwrap().extend_from_slice(&bytes[word(at)..word(at) + word(at + 4)]);
        0
    };
    linker.func_wrap("wasi_snapshot_preview1", "fd_write", write).unwrap();
    let exit = |code: i32| -> Result<()> { wasmtime::bail!("the program ended with {code}") };
    linker.func_wrap("wasi_snapshot_preview1", "proc_exit", exit).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap().call(&mut store, ()).unwrap();
    let printed = printed.lock().unwrap();
    String::from_utf8_lossy(&printed).into_owned()
}
