//! Instantiation of a module that brings a megabyte of objects: what a plugin costs before it does anything.
//!
//! The start function makes arrays of data segments: half of the megabyte in eight large arrays of bytes, half in 2048
//! small arrays of integers, and keeps all of them. Each sample is a new store with a new instance. Memory is what is
//! resident for each of some instances that live together; and the length of the GC heap, of which nobody may ever have
//! touched most.

use super::contender::{self, Compiled, Contender, HeapFigures};
use super::options::Options;
use super::program::Entry;
use super::record::median;
use super::{memory, report};
use std::time::Instant;
use wasmtime::Result;

/// By which name it is asked for.
const NAME: &str = "instantiate";
/// Instances that live together when memory is measured.
const TOGETHER: usize = 8;

fn module() -> Result<Vec<u8>> {
    let byte = |i: u32| format!("\\{:02x}", (i * 7 + i / 251) & 0xff);
    let data: String = (0..1 << 19).map(byte).collect();
    Ok(wat::parse_str(format!(
        r#"(module
            (type $bytes (array i8))
            (type $ints (array i32))
            (type $all (array (mut (ref null array))))
            (data $large "{data}")
            (data $small "{data}")
            (global $all (ref $all) (array.new_default $all (i32.const 2056)))
            (func $start (local $i i32)
                (loop $large
                    (array.set $all (global.get $all) (local.get $i)
                        (array.new_data $bytes $large
                            (i32.shl (local.get $i) (i32.const 16)) (i32.const 65536)))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $large (i32.lt_u (local.get $i) (i32.const 8))))
                (loop $small
                    (array.set $all (global.get $all) (local.get $i)
                        (array.new_data $ints $small
                            (i32.shl (i32.sub (local.get $i) (i32.const 8)) (i32.const 8)) (i32.const 64)))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $small (i32.lt_u (local.get $i) (i32.const 2056)))))
            (start $start)
            (func (export "check") (param i32) (result i32)
                (i32.add
                    (array.get_u $bytes
                        (ref.cast (ref $bytes) (array.get $all (global.get $all) (local.get 0))) (i32.const 1000))
                    (array.get $ints
                        (ref.cast (ref $ints) (array.get $all (global.get $all) (i32.const 2055))) (i32.const 63)))))"#
    ))?)
}

fn entry() -> Entry {
    Entry::Invoke { export: "check".to_string(), args: vec![7], returns: None }
}

/// Measures and prints a table, if it was asked for.
pub fn bench(options: &Options, contenders: &[Box<dyn Contender>]) -> Result<()> {
    if !options.selects(NAME) {
        return Ok(());
    }
    let wasm = module()?;
    let compiled = contenders.iter().map(|contender| contender.compile(&wasm)).collect::<Result<Vec<_>>>()?;
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..10 * options.rounds() {
        for (code, times) in compiled.iter().zip(&mut times) {
            let start = Instant::now();
            let instance = code.instantiate(&entry())?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            drop(instance);
        }
    }
    println!("\nInstantiation with 1 MiB of objects: ms; resident memory and length of the GC heap, MiB each.\n");
    println!("{:30}{:>10}{:>10}{:>10}", "", "time", "resident", "heap");
    for ((contender, code), times) in contenders.iter().zip(&compiled).zip(&times) {
        let (resident, heap) = memory(code.as_ref())?;
        let mib = |bytes: f64| Some(bytes / f64::from(1 << 20));
        print!("{:30}{:>10}", contender.name(), report::cell(median(times), 3, ""));
        print!("{:>10}", report::cell(resident.and_then(|kib| mib(kib * 1024.0)), 2, ""));
        println!("{:>10}", report::cell(mib(heap.peak_bytes as f64), 2, ""));
    }
    Ok(())
}

/// KiB that an instance adds to what is resident, where the system tells; its heap.
fn memory(code: &dyn Compiled) -> Result<(Option<f64>, HeapFigures)> {
    let before = memory::resident().ok();
    let instances = (0..TOGETHER).map(|_| code.instantiate(&entry())).collect::<Result<Vec<_>>>()?;
    let after = memory::resident().ok();
    let heap = instances.last().map(|instance| instance.heap()).unwrap_or_default();
    let added = before.zip(after).map(|(before, after)| after.saturating_sub(before) as f64 / TOGETHER as f64);
    Ok((added, heap))
}

/// Whether all contenders make the same objects.
pub fn test(options: &Options) -> Result<bool> {
    if !options.selects(NAME) {
        return Ok(true);
    }
    let wasm = module()?;
    let once = |contender: &dyn Contender| contender.compile(&wasm)?.instantiate(&entry())?.run();
    let outcomes = contender::all()?.iter().map(|contender| once(contender.as_ref())).collect::<Result<Vec<_>>>()?;
    let agree = outcomes.iter().all(|outcome| *outcome == outcomes[0]);
    println!("test {NAME} ... {}", if agree { "ok" } else { "FAILED" });
    Ok(agree)
}
