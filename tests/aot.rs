//! Ahead of time: modules as bytes, in other engines and beside other modules.

use std::num::NonZeroU32;
use wasmtime_gc::*;

/// A library that makes lists, whose type other modules share, and has all that lowering treats in its own way: casts,
/// a table, a global, exceptions, function references.
const LISTS: &str = r#"(module $lists
    (rec (type $list (sub (struct (field i32) (field (ref null $list)))))
         (type $leaf (sub final $list (struct (field i32) (field (ref null $list)) (field i64)))))
    (type $bytes (array (mut i8)))
    (type $step (func (param i32) (result i32)))
    (tag $stop (export "stop") (param (ref $list)))
    (table $table (export "table") 2 (ref null $list))
    (global $last (export "last") (mut (ref null $list)) (ref.null $list))
    (elem declare func $double)
    (func $double (type $step) (i32.mul (local.get 0) (i32.const 2)))
    (func (export "stepper") (result (ref $step)) (ref.func $double))
    (func $make (export "make") (param $n i32) (result (ref null $list))
        (local $list (ref null $list))
        (local.set $list (struct.new $leaf (i32.const 0) (ref.null $list) (i64.const 7)))
        (loop $again
            (local.set $list (struct.new $list (local.get $n) (local.get $list)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n)))
        (global.set $last (local.get $list))
        (table.set $table (i32.const 1) (local.get $list))
        (local.get $list))
    (func (export "throw") (throw $stop (call $make (i32.const 3)) (ref.as_non_null)))
    (func (export "bytes") (param i32) (result i32)
        (local $a (ref $bytes))
        (local.set $a (array.new $bytes (i32.const 3) (local.get 0)))
        (array.get_u $bytes (local.get $a) (i32.sub (local.get 0) (i32.const 1))))
    (func (export "null") (result i32) (struct.get $list 0 (ref.null $list))))"#;

/// A program that uses the library.
const USER: &str = r#"(module $user
    (type $before (struct (field f32)))
    (rec (type $list (sub (struct (field i32) (field (ref null $list)))))
         (type $leaf (sub final $list (struct (field i32) (field (ref null $list)) (field i64)))))
    (type $step (func (param i32) (result i32)))
    (import "lists" "make" (func $make (param i32) (result (ref null $list))))
    (import "lists" "throw" (func $throw))
    (import "lists" "stepper" (func $stepper (result (ref $step))))
    (import "lists" "last" (global $last (mut (ref null $list))))
    (import "lists" "table" (table $table 2 (ref null $list)))
    (import "lists" "stop" (tag $stop (param (ref $list))))
    (func $sum (param $list anyref) (result i32)
        (local $sum i32) (local $node (ref null $list))
        (drop (struct.new $before (f32.const 1)))
        (local.set $node (ref.cast (ref null $list) (local.get $list)))
        (loop $again
            (local.set $sum (i32.add (local.get $sum) (struct.get $list 0 (local.get $node))))
            (if (ref.test (ref $leaf) (local.get $node))
                (then (return (i32.add (local.get $sum)
                    (i32.wrap_i64 (struct.get $leaf 2 (ref.cast (ref $leaf) (local.get $node))))))))
            (local.set $node (struct.get $list 1 (local.get $node)))
            (br $again))
        (unreachable))
    (func (export "run") (result i32)
        (local $caught (ref $list))
        (call $sum (call $make (i32.const 10)))                      ;; 62
        (i32.add (call $sum (global.get $last)))                     ;; 62
        (i32.add (call $sum (table.get $table (i32.const 1))))       ;; 62
        (local.set $caught (block $catch (result (ref $list))
            (try_table (catch $stop $catch) (call $throw))
            (unreachable)))
        (i32.add (call $sum (local.get $caught)))                    ;; 13
        (call_ref $step (call $stepper))))"#;

const RESULT: i32 = 2 * (62 + 62 + 62 + 13);

fn config() -> Config {
    let mut config = Config::new();
    config.gc_zeal(NonZeroU32::new(1)).gc_verify(true).gc_poison(true);
    config
}

fn engine() -> Engine {
    Engine::new(&config()).unwrap()
}

fn load(engine: &Engine, bytes: &[u8]) -> Result<Module> {
    // SAFETY: what is no module of ours is found out by its digest.
    unsafe { Module::deserialize(engine, bytes) }
}

fn run(engine: &Engine, lists: &Module, user: &Module) -> i32 {
    let mut store = Store::new(engine, ());
    let mut linker = Linker::new(engine);
    linker.module(&mut store, "lists", lists).unwrap();
    let instance = linker.instantiate(&mut store, user).unwrap();
    instance.get_typed_func::<(), i32>(&mut store, "run").unwrap().call(&mut store, ()).unwrap()
}

/// Modules that move the addresses of everything that comes after them.
fn others(engine: &Engine, n: usize) -> Vec<Module> {
    let module = |i: usize| {
        let fields = "(field i64) ".repeat(i + 1);
        Module::new(engine, format!("(module (type $t (struct {fields})) (func (drop (struct.new_default $t))))"))
            .unwrap()
    };
    (0..n).map(module).collect()
}

#[test]
fn modules_work_in_any_engine_with_any_other_modules() {
    let maker = engine();
    let _others = others(&maker, 5);
    let lists = maker.precompile_module(LISTS.as_bytes()).unwrap();
    let user = Engine::new(&config()).unwrap().precompile_module(USER.as_bytes()).unwrap();
    for n in [0, 1, 20] {
        let engine = engine();
        let _others = others(&engine, n);
        let (loaded_lists, loaded_user) = (load(&engine, &lists).unwrap(), load(&engine, &user).unwrap());
        assert_eq!(run(&engine, &loaded_lists, &loaded_user), RESULT);
        // With ones that the engine has compiled itself, either way round.
        let (own_lists, own_user) = (Module::new(&engine, LISTS).unwrap(), Module::new(&engine, USER).unwrap());
        assert_eq!(run(&engine, &loaded_lists, &own_user), RESULT);
        assert_eq!(run(&engine, &own_lists, &loaded_user), RESULT);
        assert_eq!(run(&engine, &own_lists, &own_user), RESULT);
    }
}

#[test]
fn a_module_can_be_serialized_however_it_came_to_be() {
    let engine = engine();
    let first = Module::new(&engine, LISTS).unwrap().serialize().unwrap();
    let same = first == engine.precompile_module(LISTS.as_bytes()).unwrap();
    assert!(same, "the same module is the same bytes");
    let loaded = load(&engine, &first).unwrap();
    let again = load(&Engine::new(&config()).unwrap(), &loaded.serialize().unwrap()).unwrap();
    let names = |module: &Module| module.exports().map(|e| (e.name().to_string(), format!("{:?}", e.ty()))).count();
    assert_eq!((again.name(), names(&again)), (Some("lists"), names(&loaded)));
    let user = Module::new(&engine, USER).unwrap();
    assert_eq!(run(&engine, &loaded, &user), RESULT);
}

#[test]
fn traps_and_backtraces_are_those_of_the_original() {
    let engine = engine();
    let bytes = engine.precompile_module(LISTS.as_bytes()).unwrap();
    let frames = |module: &Module| {
        let mut store = Store::new(module.engine(), ());
        let instance = Instance::new(&mut store, module, &[]).unwrap();
        let call = instance.get_typed_func::<(), i32>(&mut store, "null").unwrap();
        let err = call.call(&mut store, ()).unwrap_err();
        assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::NullReference));
        err.downcast_ref::<WasmBacktrace>().unwrap().to_string()
    };
    assert_eq!(frames(&load(&engine, &bytes).unwrap()), frames(&Module::new(&engine, LISTS).unwrap()));
}

/// What was left alone is lowered when it is linked to something that may throw; the original comes along for that.
#[test]
fn a_module_without_references_lets_exceptions_through() {
    let user = r#"(module (import "lists" "throw" (func $throw)) (func (export "run") (call $throw) (unreachable)))"#;
    let bytes = engine().precompile_module(user.as_bytes()).unwrap();
    let engine = engine();
    let (lists, user) = (Module::new(&engine, LISTS).unwrap(), load(&engine, &bytes).unwrap());
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.module(&mut store, "lists", &lists).unwrap();
    let instance = linker.instantiate(&mut store, &user).unwrap();
    let err = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ()).unwrap_err();
    assert!(err.is::<ThrownException>(), "{err:?}");
}

#[test]
fn an_engine_that_differs_is_told() {
    let bytes = engine().precompile_module(LISTS.as_bytes()).unwrap();
    let refuse = |change: &dyn Fn(&mut Config), expected: &str| {
        let mut config = config();
        change(&mut config);
        let err = load(&Engine::new(&config).unwrap(), &bytes).unwrap_err();
        let text = format!("{err:#}");
        assert!(text.contains(expected), "{text}");
    };
    refuse(&|c| _ = c.gc_nursery_size(64 << 10), "`gc_nursery_size` 4194304, but the engine has 65536");
    refuse(&|c| _ = c.max_wasm_stack(64 << 10), "`max_wasm_stack` 524288, but the engine has 65536");
    refuse(&|c| _ = c.explicit_null_checks(true), "explicit null checks off");
    refuse(&|c| _ = c.wasm_exceptions(false), "feature EXCEPTIONS on, but the engine has off");
    refuse(&|c| _ = c.consume_fuel(true), "fuel");
    let hash = |config: &Config| {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        Engine::new(config).unwrap().precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    };
    let mut nursery = config();
    nursery.gc_nursery_size(64 << 10);
    assert!(hash(&config()) == hash(&Config::new()) && hash(&nursery) != hash(&config()));
    // What is not compiled in may differ.
    let mut other = Config::new();
    other.gc_max_heap_size(32 << 20).gc_growth_factor(3.0);
    assert!(load(&Engine::new(&other).unwrap(), &bytes).is_ok());
}

#[test]
fn what_is_no_compiled_module_is_told() {
    let engine = engine();
    let refuse = |bytes: &[u8], expected: &str| {
        let text = format!("{:#}", load(&engine, bytes).unwrap_err());
        assert!(text.contains(expected), "{text}");
        assert!(Engine::detect_precompiled(bytes).is_none());
    };
    refuse(b"", "does not begin as one does");
    refuse(&wat::parse_str("(module)").unwrap(), "not compiled; use `Module::new`");
    let theirs = engine.wasmtime().precompile_module(&wat::parse_str("(module)").unwrap()).unwrap();
    refuse(&theirs, "compiled by Wasmtime itself");
    let ours = engine.precompile_module(b"(module)").unwrap();
    assert!(matches!(Engine::detect_precompiled(&ours), Some(Precompiled::Module)));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &ours).unwrap();
    assert!(matches!(Engine::detect_precompiled_file(file.path()), Ok(Some(Precompiled::Module))));
    // SAFETY: this very engine has made the file.
    assert!(unsafe { Module::deserialize_file(&engine, file.path()) }.is_ok());
    // SAFETY: as above.
    assert!(unsafe { Module::deserialize_open_file(&engine, file.reopen().unwrap()) }.is_ok());
    // SAFETY: as above, and the bytes are borrowed.
    assert!(unsafe { Module::deserialize_raw(&engine, std::ptr::NonNull::from(&ours[..])) }.is_ok());
    // SAFETY: as above.
    assert!(unsafe { Module::from_trusted_file(&engine, file.path()) }.is_ok());
    std::fs::write(file.path(), "(module $text)").unwrap();
    // SAFETY: this is no compiled module.
    assert_eq!(unsafe { Module::from_trusted_file(&engine, file.path()) }.unwrap().name(), Some("text"));
    let mut other = ours.clone();
    // The crate's version follows the magic number, the format, and its length.
    other[16] ^= 1;
    let text = format!("{:#}", load(&engine, &other).unwrap_err());
    assert!(text.contains("compiled by wasmtime-gc") && text.contains("compile it again"), "{text}");
}

/// Damage is found before anything is run, and nothing panics.
#[test]
fn damaged_modules_are_refused() {
    let engine = engine();
    let bytes = engine.precompile_module(LISTS.as_bytes()).unwrap();
    assert!(load(&engine, &bytes).is_ok());
    let mut lens: Vec<usize> = (0..200).chain((200..bytes.len()).step_by(997)).collect();
    lens.push(bytes.len() - 1);
    for len in lens {
        assert!(load(&engine, &bytes[..len]).is_err(), "the first {len} bytes");
    }
    for at in (0..300).chain((300..bytes.len()).step_by(499)) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(load(&engine, &bytes).is_err(), "byte {at} changed");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(load(&engine, &longer).is_err());
}

/// Modules of the explicit-RTT dialect were refused once, as their code held addresses of the engine that compiled it. One
/// exports a type and makes RTTs below another, the other imports the type.
#[test]
fn modules_of_the_dialect_work_in_any_engine_with_any_other_modules() {
    let shapes = r#"(module
        (type $shape (struct (field i32)))
        (type $square (struct (field i32) (field i64)))
        (export "shape" (type $shape))
        (global $of_square (rtt 1 $square) (rtt.sub $square (rtt.canon $shape)))
        (func (export "make") (param i32) (result (ref $shape))
            (if (result (ref $shape)) (local.get 0)
                (then (struct.new_with_rtt $square (i32.const 4) (i64.const 2) (global.get $of_square)))
                (else (struct.new_with_rtt $shape (i32.const 3) (rtt.canon $shape)))))
        (func (export "corners") (param (ref $shape)) (result i32) (struct.get $shape 0 (local.get 0)))
        (func (export "is_square") (param anyref) (result i32)
            (ref.test (local.get 0) (global.get $of_square)))
        (func (export "is_shape") (param anyref) (result i32)
            (ref.test (local.get 0) (rtt.canon $shape))))"#;
    let user = r#"(module
        (import "shapes" "shape" (type $shape (sub any)))
        (import "shapes" "make" (func $make (param i32) (result (ref $shape))))
        (import "shapes" "corners" (func $corners (param (ref $shape)) (result i32)))
        (import "shapes" "is_square" (func $is_square (param anyref) (result i32)))
        (import "shapes" "is_shape" (func $is_shape (param anyref) (result i32)))
        (func (export "run") (result i32)
            (call $corners (call $make (i32.const 0)))
            (i32.add (i32.mul (i32.const 10) (call $corners (call $make (i32.const 1)))))
            (i32.add (i32.mul (i32.const 100) (call $is_square (call $make (i32.const 0)))))
            (i32.add (i32.mul (i32.const 1000) (call $is_square (call $make (i32.const 1)))))
            (i32.add (i32.mul (i32.const 10000) (call $is_shape (call $make (i32.const 1)))))))"#;
    let run = |engine: &Engine, shapes: &Module, user: &Module| {
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new(engine);
        linker.module(&mut store, "shapes", shapes).unwrap();
        let instance = linker.instantiate(&mut store, user).unwrap();
        instance.get_typed_func::<(), i32>(&mut store, "run").unwrap().call(&mut store, ()).unwrap()
    };
    let maker = engine();
    let _others = others(&maker, 5);
    let own = |engine: &Engine, text: &str| Module::with_dialect(engine, text, Dialect::Rtt2020).unwrap();
    let kept = maker.precompile_with_dialect(shapes, Dialect::Rtt2020).unwrap();
    assert!(kept == own(&maker, shapes).serialize().unwrap(), "the same module is the same bytes");
    let kept_user = own(&Engine::new(&config()).unwrap(), user).serialize().unwrap();
    for n in [0, 1, 20] {
        let engine = engine();
        let _others = others(&engine, n);
        let (loaded, loaded_user) = (load(&engine, &kept).unwrap(), load(&engine, &kept_user).unwrap());
        assert_eq!(run(&engine, &loaded, &loaded_user), 11043);
        assert_eq!(run(&engine, &loaded, &own(&engine, user)), 11043);
        assert_eq!(run(&engine, &own(&engine, shapes), &loaded_user), 11043);
        let again = load(&Engine::new(&config()).unwrap(), &loaded.serialize().unwrap()).unwrap();
        assert_eq!(run(again.engine(), &again, &own(again.engine(), user)), 11043);
    }
}
