//! Profiles of calls: what is counted, and that a profile changes nothing but speed, right or wrong.

use wasmtime_gc::ext::CallProfile;
use wasmtime_gc::{Config, Engine, Func, Instance, Module, Store, Val};

/// Calls through a field and a table; `(export "swap")` changes the other table.
const WAT: &str = r#"(module
    (type $op (func (param i32) (result i32)))
    (type $node (struct (field (mut (ref null $op)))))
    (table $ops 4 4 funcref)
    (table $mutable 4 4 funcref)
    (elem (table $ops) (i32.const 0) func $inc $dec $twice)
    (elem (table $mutable) (i32.const 0) func $inc $dec $twice)
    (func $inc (type $op) (i32.add (local.get 0) (i32.const 1)))
    (func $dec (type $op) (i32.sub (local.get 0) (i32.const 1)))
    (func $twice (type $op) (i32.shl (local.get 0) (i32.const 1)))
    (func $through (param $n (ref $node)) (param i32) (result i32)
        (call_ref $op (local.get 1) (struct.get $node 0 (local.get $n))))
    (func (export "through") (param $f funcref) (param i32) (result i32)
        (call $through (struct.new $node (ref.cast (ref null $op) (local.get $f))) (local.get 1)))
    (func (export "at") (param i32 i32) (result i32)
        (drop (struct.new_default $node))
        (call_indirect $ops (type $op) (local.get 1) (local.get 0)))
    (func (export "at_mutable") (param i32 i32) (result i32)
        (drop (struct.new_default $node))
        (call_indirect $mutable (type $op) (local.get 1) (local.get 0)))
    (func (export "swap")
        (table.copy $mutable $ops (i32.const 0) (i32.const 1) (i32.const 2)))
    (func (export "function") (param i32) (result funcref) (table.get $ops (local.get 0))))"#;

struct Guest {
    store: Store<()>,
    instance: Instance,
    module: Module,
}

impl Guest {
    fn new(config: &Config) -> Guest {
        let engine = Engine::new(config).unwrap();
        let module = Module::new(&engine, WAT).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        Guest { store, instance, module }
    }

    fn call(&mut self, name: &str, args: &[Val]) -> Result<i32, String> {
        let func = self.instance.get_func(&mut self.store, name).unwrap();
        let mut results = [Val::I32(0)];
        let results = &mut results[..func.ty(&self.store).results().len()];
        match func.call(&mut self.store, args, results) {
            Ok(()) => Ok(results.first().map_or(0, Val::unwrap_i32)),
            Err(err) => Err(err.downcast_ref::<wasmtime_gc::Trap>().unwrap().to_string()),
        }
    }

    fn function(&mut self, index: i32) -> Option<Func> {
        let func = self.instance.get_typed_func::<i32, Option<Func>>(&mut self.store, "function").unwrap();
        func.call(&mut self.store, index).unwrap()
    }

    /// Everything that the module can do, with what comes of it.
    fn all(&mut self) -> Vec<Result<i32, String>> {
        let mut out = vec![];
        for index in 0..4 {
            let func = self.function(index);
            out.push(self.call("through", &[Val::FuncRef(func), Val::I32(20)]));
        }
        for _ in 0..2 {
            for index in 0..5 {
                out.push(self.call("at", &[Val::I32(index), Val::I32(20)]));
                out.push(self.call("at_mutable", &[Val::I32(index), Val::I32(20)]));
            }
            self.call("swap", &[]).unwrap();
        }
        out
    }
}

/// The profile of a run that calls the first function of the tables, mostly.
fn recorded() -> CallProfile {
    let mut guest = Guest::new(Config::new().gc_profile_calls(true));
    // A call that reaches nothing counts for nothing, nor does it for what the host calls next.
    guest.call("at", &[Val::I32(3), Val::I32(20)]).unwrap_err();
    for index in [0, 0, 0, 0, 1] {
        let func = guest.function(index);
        guest.call("through", &[Val::FuncRef(func), Val::I32(20)]).unwrap();
        guest.call("at", &[Val::I32(index), Val::I32(20)]).unwrap();
        guest.call("at_mutable", &[Val::I32(index), Val::I32(20)]).unwrap();
    }
    CallProfile::of(&guest.module).unwrap()
}

#[test]
fn calls_are_counted_by_place_and_function() {
    let json: serde_json::Value = serde_json::from_str(&recorded().to_json()).unwrap();
    let calls = json["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 3, "{json}");
    for call in calls {
        let expected = serde_json::json!([{ "function": 0, "calls": 4 }, { "function": 1, "calls": 1 }]);
        assert_eq!(call["targets"], expected, "{json}");
    }
    let plain = Guest::new(&Config::new());
    assert!(CallProfile::of(&plain.module).is_none());
}

#[test]
fn with_a_profile_a_module_does_what_it_does_without() {
    let expected = Guest::new(&Config::new()).all();
    assert!(expected.contains(&Ok(21)) && expected.contains(&Ok(40)) && expected.iter().any(Result::is_err));
    let profile = recorded();
    let json = profile.to_json();
    // The same profile with functions that are not, or are hardly ever, what is called.
    let wrong =
        |function: u32| CallProfile::from_json(&json.replace("\"function\": 0", &format!("\"function\": {function}")));
    for profile in [profile, wrong(2).unwrap(), wrong(3).unwrap(), wrong(4_000_000_000).unwrap()] {
        for zeal in [None, std::num::NonZeroU32::new(1)] {
            let mut config = Config::new();
            config.gc_call_profile(&profile).gc_zeal(zeal).gc_verify(zeal.is_some());
            assert_eq!(Guest::new(&config).all(), expected);
            assert_eq!(Guest::new(config.gc_profile_calls(true)).all(), expected);
        }
    }
}

#[test]
fn what_is_no_profile_is_told_so() {
    let profile = recorded();
    assert!(profile.is_of(&wat::parse_str(WAT).unwrap()) && !profile.is_of(b"\0asm") && profile.len() == 3);
    assert_eq!(CallProfile::from_json(&profile.to_json()).unwrap(), profile);
    for (json, message) in [
        ("", "no call profile"),
        ("{}", "missing field `version`"),
        (r#"{"version":2,"module":"","calls":[]}"#, "record it again"),
        (r#"{"version":1,"module":"","calls":[{"offset":-1,"targets":[]}]}"#, "invalid value"),
    ] {
        let err = CallProfile::from_json(json).unwrap_err().to_string();
        assert!(err.contains(message), "{err}");
    }
}

/// Marks once stayed until the next function began: what was called directly behind a call of the host, or by the host
/// itself, counted as reached.
#[test]
fn what_does_not_reach_a_function_of_the_module_counts_for_none() {
    let wat = r#"(module
        (type $f (func))
        (type $holder (struct (field (mut (ref null $f)))))
        (import "host" "f" (func $host (type $f)))
        (elem declare func $host)
        (func $direct (export "direct"))
        (func $through (param $h (ref $holder)) (call_ref $f (struct.get $holder 0 (local.get $h))))
        (func (export "run")
            (call $through (struct.new $holder (ref.func $host)))
            (call $direct)))"#;
    let engine = Engine::new(Config::new().gc_profile_calls(true)).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store: Store<Option<Instance>> = Store::new(&engine, None);
    // The host calls back.
    let host = Func::wrap(&mut store, |mut caller: wasmtime_gc::Caller<'_, Option<Instance>>| {
        let instance = caller.data().unwrap();
        let direct = instance.get_typed_func::<(), ()>(&mut caller, "direct").unwrap();
        direct.call(&mut caller, ())
    });
    let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    *store.data_mut() = Some(instance);
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    run.call(&mut store, ()).unwrap();
    let profile = CallProfile::of(&module).unwrap();
    assert!(profile.is_empty() && profile.is_of_module(&module), "{}", profile.to_json());
}
