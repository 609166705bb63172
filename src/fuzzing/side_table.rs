//! A side table agrees with a model, linked into a program, on ours and on stock Wasmtime.
//!
//! An input is a choice of the variant (type of elements, checked or not, where links live) and a sequence of
//! operations. After each, the model says what it has to give, how many handles are live and how many slots
//! there may be; both engines have to agree with it, and so with each other. Handles that are not valid are used
//! only where they are checked, and have to trap with the right number. Not compared are the handles' own values:
//! any that is not live is a good one.

use super::generate::Source;
use crate::intrinsics::{LinkOptions, Links, link};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// Operations of one input.
const MOST: usize = 400;

/// Variants of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Variant {
    element: usize,
    checked: bool,
    program_links: bool,
}

/// Types of elements: definitions, the type, a value from a number, a number from a value.
const ELEMENTS: [[&str; 4]; 5] = [
    ["", "i31ref", "(ref.i31 (local.get $n))", "(i31.get_s (local.get $it))"],
    [
        "(type $box (sub (struct (field i32))))",
        "(ref null $box)",
        "(struct.new $box (local.get $n))",
        "(struct.get $box 0 (local.get $it))",
    ],
    [
        "",
        "externref",
        "(extern.convert_any (ref.i31 (local.get $n)))",
        "(i31.get_s (ref.cast (ref i31) (any.convert_extern (local.get $it))))",
    ],
    [
        "(type $box (struct (field i32)))",
        "anyref",
        "(struct.new $box (local.get $n))",
        "(struct.get $box 0 (ref.cast (ref $box) (local.get $it)))",
    ],
    [
        "(type $f (func (result i32)))
         (table $fs funcref (elem $f0 $f1 $f2))
         (func $f0 (type $f) (i32.const 0)) (func $f1 (type $f) (i32.const 1)) (func $f2 (type $f) (i32.const 2))",
        "funcref",
        "(table.get $fs (local.get $n))",
        "(call_ref $f (ref.cast (ref $f) (local.get $it)))",
    ],
];

/// The operations behind functions of numbers.
fn program(element: usize) -> String {
    let [definitions, ty, make, number] = ELEMENTS[element];
    let m = "wasmtime-gc:side-table";
    format!(
        r#"(module
          (import "{m}" "intern" (func $intern (param {ty}) (result i32)))
          (import "{m}" "get" (func $get (param i32) (result {ty})))
          (import "{m}" "release" (func $release (param i32)))
          (import "{m}" "retain" (func $retain (param i32) (result i32)))
          (import "{m}" "size" (func $size (result i32)))
          (import "{m}" "capacity" (func $capacity (result i32)))
          (import "{m}" "fault" (func $fault (result i32)))
          {definitions}
          (memory 1)
          (data (i32.const 0) "0123456789abcdef")
          (func (export "intern") (param $n i32) (result i32) (call $intern {make}))
          (func (export "null") (param i32) (result i32) (call $intern (ref.null {heap})))
          (func (export "get") (param $handle i32) (result i32)
            (local $it {ty})
            (local.set $it (call $get (local.get $handle)))
            (if (result i32) (ref.is_null (local.get $it)) (then (i32.const -1)) (else {number})))
          (func (export "release") (param i32) (result i32) (call $release (local.get 0)) (i32.const 0))
          (func (export "retain") (param i32) (result i32) (call $retain (local.get 0)))
          (func (export "size") (param i32) (result i32) (call $size))
          (func (export "capacity") (param i32) (result i32) (call $capacity))
          (func (export "fault") (param i32) (result i32) (call $fault))
          (func (export "take-pages") (param i32) (result i32) (memory.grow (local.get 0)))
          (func (export "memory") (param i32) (result i32) (i32.load (local.get 0))))"#,
        heap = ty.trim_start_matches("(ref null ").trim_end_matches(')').trim_end_matches("ref"),
    )
}

fn linked(variant: Variant) -> Vec<u8> {
    let text = program(variant.element);
    let wasm = wat::parse_str(&text).unwrap_or_else(|err| panic!("{err}\n{text}"));
    let links = if variant.program_links { Links::Program } else { Links::Own };
    match link(&wasm, &LinkOptions { checked: variant.checked, links }) {
        Ok(Some(linked)) => linked.wasm,
        other => panic!("{variant:?}: {other:?}"),
    }
}

/// One of the two engines.
trait Side {
    /// The result of an exported function; nothing if it traps at `unreachable`.
    fn call(&mut self, name: &str, argument: i32) -> Option<i32>;
}

macro_rules! side {
    ($name:ident, $($api:ident)::+, $collect:expr) => {
        mod $name {
            use super::{HashMap, LazyLock, Mutex, Side, Variant, linked};
            use $($api)::+::{Engine, Error, Instance, Module, Store, Trap};

            static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::default);
            static MODULES: LazyLock<Mutex<HashMap<Variant, Module>>> = LazyLock::new(Mutex::default);

            pub struct Running(Store<()>, Instance);

            impl Running {
                pub fn new(variant: Variant) -> Running {
                    let mut modules = MODULES.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    let module = modules.entry(variant).or_insert_with(|| {
                        Module::new(&ENGINE, linked(variant)).unwrap_or_else(|err| panic!("{variant:?}: {err:?}"))
                    });
                    let mut store = Store::new(&ENGINE, ());
                    let instance = Instance::new(&mut store, module, &[]);
                    let instance = instance.unwrap_or_else(|err| panic!("{variant:?}: {err:?}"));
                    Running(store, instance)
                }
            }

            impl Side for Running {
                fn call(&mut self, name: &str, argument: i32) -> Option<i32> {
                    let Running(store, instance) = self;
                    let run = |store: &mut Store<()>| -> Result<i32, Error> {
                        if name == "collect" {
                            let collect: fn(&mut Store<()>) -> Result<(), Error> = $collect;
                            return collect(store).map(|()| 0);
                        }
                        instance.get_typed_func::<i32, i32>(&mut *store, name)?.call(&mut *store, argument)
                    };
                    match run(store) {
                        Ok(result) => Some(result),
                        Err(err) if err.downcast_ref() == Some(&Trap::UnreachableCodeReached) => None,
                        Err(err) => panic!("{} {name}({argument}): {err:?}", stringify!($name)),
                    }
                }
            }
        }
    };
}

side!(ours, crate::api, |store| store.gc(None));
side!(stock, wasmtime, |store| {
    store.gc(None)?;
    Ok(())
});

/// What a table has to be like.
#[derive(Default)]
struct Model {
    /// Value and count of live handles.
    live: HashMap<i32, (i32, u32)>,
    /// The live handles, in no order that means anything.
    handles: Vec<i32>,
    /// Handles that were live and, the newest last, are gone; some are live again.
    gone: Vec<i32>,
    capacity: i32,
    peak: usize,
}

impl Model {
    fn add(&mut self, handle: i32, value: i32) {
        assert!(handle != -1 && self.live.insert(handle, (value, 1)).is_none(), "{handle} is given out twice");
        self.handles.push(handle);
        self.peak = self.peak.max(self.handles.len());
        // By half and one, and only when all slots are taken.
        while (self.capacity as usize) < self.peak {
            self.capacity += self.capacity / 2 + 1;
        }
    }

    fn release(&mut self, at: usize) {
        let handle = self.handles[at];
        if let Some((_, count)) = self.live.get_mut(&handle) {
            *count -= 1;
            if *count == 0 {
                self.live.remove(&handle);
                self.handles.swap_remove(at);
                self.gone.push(handle);
            }
        }
    }
}

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    let mut s = Source::new(data);
    let variant = Variant { element: s.below(ELEMENTS.len()), checked: s.chance(60), program_links: s.chance(50) };
    let mut sides: [(&str, Box<dyn Side>); 2] =
        [("ours", Box::new(ours::Running::new(variant))), ("stock", Box::new(stock::Running::new(variant)))];
    let operations = s.between(1, MOST);
    // Few releases at first, so that the table grows.
    let growing = s.below(operations);
    let script: Vec<(usize, usize, i64)> = (0..operations)
        .map(|n| (if n < growing { s.below(8) } else { s.below(16) }, s.below(1 << 16), s.integer()))
        .collect();
    for (name, side) in &mut sides {
        let mut model = Model::default();
        for (n, &step) in script.iter().enumerate() {
            let what = format!("{variant:?} on {name}, operation {n} of {script:?}");
            operation(side.as_mut(), &mut model, variant, step, &what);
        }
    }
}

fn operation(side: &mut dyn Side, model: &mut Model, variant: Variant, step: (usize, usize, i64), what: &str) {
    let (choice, pick, number) = step;
    // Functions are three, and 31 bits are kept of the others.
    let value = if variant.element == 4 { (pick % 3) as i32 } else { (number as i32) << 1 >> 1 };
    let live = (!model.handles.is_empty()).then(|| pick % model.handles.len().max(1));
    match (choice, live) {
        (0..=4, _) | (_, None) => {
            let handle = side.call("intern", value).unwrap_or_else(|| panic!("`intern` trapped: {what}"));
            model.add(handle, value);
        }
        (5 | 8, Some(at)) => {
            let handle = model.handles[at];
            assert_eq!(side.call("get", handle), Some(model.live[&handle].0), "`get`: {what}");
        }
        (6, _) => invalid(side, model, variant, number, what),
        (7, Some(at)) => {
            let handle = model.handles[at];
            assert_eq!(side.call("retain", handle), Some(handle), "`retain`: {what}");
            if let Some((_, count)) = model.live.get_mut(&handle) {
                *count += 1;
            }
        }
        (9, _) => {
            for (operation, result) in [("null", -1), ("get", -1), ("release", 0), ("retain", -1)] {
                assert_eq!(side.call(operation, -1), Some(result), "{operation}(-1): {what}");
            }
        }
        (10, _) => _ = side.call("collect", 0),
        // Somebody else takes memory.
        (11, _) => _ = side.call("take-pages", 1),
        (_, Some(at)) => {
            assert_eq!(side.call("release", model.handles[at]), Some(0), "`release`: {what}");
            model.release(at);
        }
    }
    assert_eq!(side.call("size", 0), Some(model.handles.len() as i32), "`size`: {what}");
    assert_eq!(side.call("capacity", 0), Some(model.capacity), "`capacity`: {what}");
    assert_eq!(side.call("memory", 4), Some(i32::from_le_bytes(*b"4567")), "the program's own memory: {what}");
}

/// Uses a handle that is not live.
fn invalid(side: &mut dyn Side, model: &Model, variant: Variant, number: i64, what: &str) {
    if !variant.checked {
        return;
    }
    let gone = model.gone.get(number as usize % model.gone.len().max(1)).copied();
    // A handle that is gone, or what was never one: a number like a handle but for its generation, or any number.
    let handle = match (gone, number & 3) {
        (Some(gone), 0) => gone,
        (Some(gone), 1) => gone ^ ((number as i32 >> 2) << 22),
        _ => number as i32,
    };
    if handle == -1 || model.live.contains_key(&handle) {
        return;
    }
    let slot = handle & 0x3f_ffff;
    let taken = model.handles.iter().any(|live| live & 0x3f_ffff == slot);
    let fault = if slot >= model.capacity { 1 } else { 2 + i32::from(taken) };
    for operation in ["get", "release", "retain"] {
        assert_eq!(side.call(operation, handle), None, "{operation}({handle}): {what}");
        assert_eq!(side.call("fault", 0), Some(fault), "{operation}({handle}): {what}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::replay::replay;

    #[test]
    fn side_tables_agree_with_the_model() {
        replay(run, 120, 3000);
    }

    /// A negative number was good where it differed from the word of a free slot in the bit `live` and in nothing
    /// else: releasing it put the slot into the list a second time, and two owners got one handle.
    #[test]
    fn numbers_that_are_no_handles_are_refused() {
        for program_links in [false, true] {
            let mut side = ours::Running::new(Variant { element: 0, checked: true, program_links });
            let handle = side.call("intern", 7).unwrap();
            for released in [false, true] {
                for generation in (0..1024).filter(|&generation| released || generation != 0) {
                    let number = handle | (generation << 22);
                    for operation in ["get", "release", "retain"] {
                        assert_eq!(side.call(operation, number), None, "{operation}({number})");
                    }
                }
                assert_eq!(side.call("size", 0), Some(i32::from(!released)));
                if !released {
                    side.call("release", handle).unwrap();
                }
            }
            let (first, second) = (side.call("intern", 1).unwrap(), side.call("intern", 2).unwrap());
            assert_ne!(first, second);
            assert_eq!(side.call("get", first), Some(1));
        }
    }

    /// A slot has 512 generations: the handle that is given out after so many is the first again.
    #[test]
    fn generations_wrap() {
        let variant = Variant { element: 0, checked: true, program_links: false };
        let mut side = ours::Running::new(variant);
        let first = side.call("intern", 1).unwrap();
        side.call("release", first).unwrap();
        for n in 1..512 {
            let handle = side.call("intern", n).unwrap();
            assert!(handle != first && handle >= 0, "{n}: {handle}");
            assert_eq!((side.call("get", first), side.call("fault", 0)), (None, Some(3)));
            side.call("release", handle).unwrap();
        }
        assert_eq!(side.call("intern", 2), Some(first));
    }
}
