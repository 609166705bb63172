//! The rows, as a macro over the crate that is called `wasmtime` where it is used.

/// What is measured.
pub const NAMES: [&str; 5] = [
    "host to guest, numbers",
    "guest to host, numbers",
    "host to guest, one anyref",
    "guest to host, one anyref",
    "StructRef::new and a field",
];

/// How much longer it may take than with Wasmtime.
pub const BOUNDS: [f64; 5] = [1.1, 1.1, 1.0, 1.0, 1.0];

macro_rules! rows {
    () => {
        use wasmtime::{
            AnyRef, Caller, Config, Engine, FieldType, Instance, Linker, Module, Mutability, RootScope, Rooted, Store,
            StructRef, StructRefPre, StructType, Val, ValType,
        };

        const GUEST: &str = r#"(module
            (type $s (struct (field i32)))
            (import "host" "number" (func $number (param i32) (result i32)))
            (import "host" "any" (func $any (param anyref)))
            (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
            (func (export "take") (param anyref))
            (func (export "make") (result anyref) (struct.new $s (i32.const 1)))
            (func (export "numbers") (param $n i32) (result i32)
                (local $sum i32)
                (loop $again
                    (local.set $sum (i32.add (local.get $sum) (call $number (i32.const 1))))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum))
            (func (export "anys") (param $n i32)
                (local $any anyref)
                (local.set $any (struct.new $s (i32.const 1)))
                (loop $again
                    (call $any (local.get $any))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;

        fn guest() -> (Store<u32>, Instance) {
            let mut config = Config::new();
            config.wasm_gc(true).wasm_function_references(true);
            let engine = Engine::new(&config).unwrap();
            let module = Module::new(&engine, GUEST).unwrap();
            let mut linker: Linker<u32> = Linker::new(&engine);
            linker.func_wrap("host", "number", |_: Caller<'_, u32>, n: i32| n).unwrap();
            linker
                .func_wrap("host", "any", |mut caller: Caller<'_, u32>, any: Option<Rooted<AnyRef>>| {
                    *caller.data_mut() += u32::from(any.is_some());
                })
                .unwrap();
            let mut store = Store::new(&engine, 0);
            let instance = linker.instantiate(&mut store, &module).unwrap();
            (store, instance)
        }

        /// In the order of their names.
        pub fn rows() -> Vec<super::Run> {
            vec![host_to_guest(), guest_to_host(), host_to_guest_any(), guest_to_host_any(), structs()]
        }

        fn host_to_guest() -> super::Run {
            let (mut store, instance) = guest();
            let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add").unwrap();
            Box::new(move |n| (0..n).fold(0, |sum, _| add.call(&mut store, (sum, 1)).unwrap()) as u32)
        }

        fn guest_to_host() -> super::Run {
            let (mut store, instance) = guest();
            let numbers = instance.get_typed_func::<i32, i32>(&mut store, "numbers").unwrap();
            Box::new(move |n| numbers.call(&mut store, n as i32).unwrap() as u32)
        }

        fn host_to_guest_any() -> super::Run {
            let (mut store, instance) = guest();
            let make = instance.get_typed_func::<(), Option<Rooted<AnyRef>>>(&mut store, "make").unwrap();
            let take = instance.get_typed_func::<Option<Rooted<AnyRef>>, ()>(&mut store, "take").unwrap();
            let any = make.call(&mut store, ()).unwrap();
            Box::new(move |n| {
                for _ in 0..n {
                    take.call(&mut store, any).unwrap();
                }
                n
            })
        }

        fn guest_to_host_any() -> super::Run {
            let (mut store, instance) = guest();
            let anys = instance.get_typed_func::<i32, ()>(&mut store, "anys").unwrap();
            Box::new(move |n| {
                *store.data_mut() = 0;
                anys.call(&mut store, n as i32).unwrap();
                *store.data()
            })
        }

        fn structs() -> super::Run {
            let (mut store, _) = guest();
            let field = FieldType::new(Mutability::Var, ValType::I32.into());
            let ty = StructType::new(store.engine(), [field]).unwrap();
            let pre = StructRefPre::new(&mut store, ty);
            Box::new(move |n| {
                let mut sum = 0;
                for _ in 0..n {
                    let mut scope = RootScope::new(&mut store);
                    let object = StructRef::new(&mut scope, &pre, &[Val::I32(1)]).unwrap();
                    sum += object.field(&mut scope, 0).unwrap().unwrap_i32() as u32;
                }
                sum
            })
        }
    };
}

pub(crate) use rows;
