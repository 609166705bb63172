//! Exceptions on their way through modules that have none of their own, and that lowering leaves alone where it
//! can.

use super::exceptions::{engines, exception};
use super::*;
use wasmtime_gc::api::{Caller, Extern, Func, Result, ThrownException, Val};

/// Throws 40 and more; hands out what throws.
const THROWER: &str = r#"(module
    (tag $t (export "t") (param i32))
    (elem declare func $throw)
    (func $throw (export "throw") (param i32) (result i32)
        (throw $t (i32.add (local.get 0) (i32.const 40))))
    (func (export "ref") (result funcref) (ref.func $throw)))"#;

/// Catches what comes through `run`.
const CATCHER: &str = r#"(module
    (import "" "t" (tag $t (param i32)))
    (import "" "run" (func $run (param i32) (result i32)))
    (func (export "catch") (param i32) (result i32)
        (block $h (result i32)
            (try_table (catch $t $h) (return (call $run (local.get 0))))
            (unreachable))))"#;

/// Calls an import, and does something behind that.
const THROUGH: &str = r#"(module
    (import "" "throw" (func $f (param i32) (result i32)))
    (global $reached (export "reached") (mut i32) (i32.const 0))
    (func $inner (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))
    (func (export "run") (param i32) (result i32)
        (local i32)
        (local.set 1 (call $inner (local.get 0)))
        (global.set $reached (i32.const 1))
        (local.get 1)))"#;

struct World {
    store: Store<()>,
    thrower: Instance,
}

impl World {
    fn new(engine: &Engine) -> World {
        let mut store = Store::new(engine, ());
        let thrower = Module::new(engine, THROWER).unwrap();
        let thrower = Instance::new(&mut store, &thrower, &[]).unwrap();
        World { store, thrower }
    }

    fn instance(&mut self, text: &str, imports: &[Extern]) -> Instance {
        let module = Module::new(self.store.engine(), text).unwrap();
        Instance::new(&mut self.store, &module, imports).unwrap()
    }

    fn export(&mut self, instance: &Instance, name: &str) -> Extern {
        instance.get_export(&mut self.store, name).unwrap()
    }

    /// What an instance that catches gets from `run` of another.
    fn catch(&mut self, run: &Instance, param: i32) -> Result<i32> {
        let thrower = self.thrower;
        let imports = [self.export(&thrower, "t"), self.export(run, "run")];
        let catcher = self.instance(CATCHER, &imports);
        let catch = catcher.get_typed_func::<i32, i32>(&mut self.store, "catch").unwrap();
        catch.call(&mut self.store, param)
    }

    fn reached(&mut self, instance: &Instance) -> bool {
        let global = instance.get_global(&mut self.store, "reached").unwrap();
        global.get(&mut self.store).unwrap_i32() == 1
    }

    /// Whether the engine runs the instance's module as it is.
    fn is_left_alone(&self, instance: &Instance) -> bool {
        let module = instance.module(&self.store);
        module.wasmtime().imports().len() == module.imports().len()
    }
}

#[test]
fn an_exception_goes_through_a_module_that_imports_the_thrower() {
    for engine in engines() {
        let mut world = World::new(&engine);
        let thrower = world.thrower;
        let throw = world.export(&thrower, "throw");
        let through = world.instance(THROUGH, &[throw]);
        assert!(!world.is_left_alone(&through));
        assert_eq!(world.catch(&through, 1).unwrap(), 41);
        assert!(!world.reached(&through));
        // Two of them.
        let run = world.export(&through, "run");
        let second = world.instance(THROUGH, &[run]);
        assert_eq!(world.catch(&second, 2).unwrap(), 42);
        assert!(!world.reached(&second));
    }
}

#[test]
fn an_exception_goes_through_a_table_of_a_module() {
    for engine in engines() {
        let mut world = World::new(&engine);
        let through = world.instance(
            r#"(module
                (type $f (func (param i32) (result i32)))
                (table (export "table") 4 funcref)
                (global $reached (export "reached") (mut i32) (i32.const 0))
                (func (export "run") (param i32) (result i32)
                    (call_indirect (type $f) (local.get 0) (i32.const 2))
                    (global.set $reached (i32.const 1))))"#,
            &[],
        );
        let thrower = world.thrower;
        let imports = [world.export(&through, "table"), world.export(&thrower, "throw")];
        world.instance(
            r#"(module
                (import "" "table" (table 4 funcref))
                (import "" "throw" (func $throw (param i32) (result i32)))
                (elem (i32.const 2) $throw))"#,
            &imports,
        );
        assert_eq!(world.catch(&through, 3).unwrap(), 43);
        assert!(!world.reached(&through));
    }
}

#[test]
fn an_exception_goes_through_a_function_reference() {
    for engine in engines() {
        let mut world = World::new(&engine);
        let through = world.instance(
            r#"(module
                (type $f (func (param i32) (result i32)))
                (table $table 1 funcref)
                (global $reached (export "reached") (mut i32) (i32.const 0))
                (func (export "give") (param funcref) (table.set $table (i32.const 0) (local.get 0)))
                (func (export "run") (param i32) (result i32)
                    (call_indirect $table (type $f) (local.get 0) (i32.const 0))
                    (global.set $reached (i32.const 1))))"#,
            &[],
        );
        let thrower = world.thrower;
        let mut func = [Val::I32(0)];
        thrower.get_func(&mut world.store, "ref").unwrap().call(&mut world.store, &[], &mut func).unwrap();
        through.get_func(&mut world.store, "give").unwrap().call(&mut world.store, &func, &mut []).unwrap();
        assert_eq!(world.catch(&through, 4).unwrap(), 44);
        assert!(!world.reached(&through));
        // A host function through the same reference: there are checks.
        let (_, exn) = exception(&mut world.store, 0);
        let exn = exn.to_owned_rooted(&mut world.store).unwrap();
        let host = Func::wrap(&mut world.store, move |mut caller: Caller<'_, ()>, _: i32| -> Result<i32> {
            let exn = exn.to_rooted(&mut caller);
            caller.throw(exn)
        });
        through.get_func(&mut world.store, "give").unwrap().call(&mut world.store, &[host.into()], &mut []).unwrap();
        assert!(world.catch(&through, 5).unwrap_err().is::<ThrownException>(), "another tag");
        assert!(!world.reached(&through) && world.store.take_pending_exception().is_some());
    }
}

#[test]
fn an_exception_of_the_host_leaves_a_module_that_was_left_alone() {
    for engine in engines() {
        let mut world = World::new(&engine);
        let thrower = world.thrower;
        let throw = thrower.get_typed_func::<i32, i32>(&mut world.store, "throw").unwrap();
        let host = Func::wrap(&mut world.store, move |mut caller: Caller<'_, ()>, param: i32| -> Result<i32> {
            throw.call(&mut caller, param)
        });
        let through = world.instance(THROUGH, &[host.into()]);
        assert!(world.is_left_alone(&through));
        let err = world.catch(&through, 6).unwrap_err();
        assert!(err.is::<ThrownException>(), "no handler is asked");
        assert!(!world.reached(&through));
        let exn = world.store.take_pending_exception().unwrap();
        assert_eq!(exn.field(&mut world.store, 0).unwrap().unwrap_i32(), 46);
        // The store is as it was: the same function throws what is caught where there are checks.
        let run = thrower_as_run(&mut world);
        assert_eq!(world.catch(&run, 7).unwrap(), 47);
        // Though that calls nothing and is left alone, its export may throw.
        assert!(world.is_left_alone(&run));
        let run = world.export(&run, "run");
        let through = world.instance(THROUGH, &[run]);
        assert_eq!(world.catch(&through, 8).unwrap(), 48);
    }
}

/// An instance that exports the thrower as `run`.
fn thrower_as_run(world: &mut World) -> Instance {
    let thrower = world.thrower;
    let throw = world.export(&thrower, "throw");
    world.instance(
        r#"(module (import "" "throw" (func $f (param i32) (result i32))) (export "run" (func $f)))"#,
        &[throw],
    )
}

#[test]
fn modules_without_exceptions_around_them_are_left_alone() {
    for engine in engines() {
        let mut world = World::new(&engine);
        let host = Func::wrap(&mut world.store, |param: i32| param * 2);
        let first = world.instance(THROUGH, &[host.into()]);
        let run = world.export(&first, "run");
        let second = world.instance(THROUGH, &[run]);
        assert!(world.is_left_alone(&first) && world.is_left_alone(&second));
        assert_eq!(world.catch(&second, 8).unwrap(), 18);
        let mut config = Config::new();
        config.wasm_exceptions(false).wasm_legacy_exceptions(false);
        let engine = Engine::new(&config).unwrap();
        let table = r#"(module
            (type $f (func))
            (table (export "table") 4 funcref)
            (func (export "run") (call_indirect (type $f) (i32.const 2))))"#;
        let module = Module::new(&engine, table).unwrap();
        assert_eq!(module.wasmtime().imports().len(), 0);
    }
}
