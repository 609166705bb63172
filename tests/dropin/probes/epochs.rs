//! What embedders do where code asks whether an epoch has come, and how much fuel there is.

use super::wasmtime::*;
use super::{Log, config};

/// What a callback does with the heap.
#[derive(Clone, Copy, Debug)]
enum Does {
    Nothing,
    Collects,
    Allocates,
    Calls,
}

const TEXT: &str = r#"(module
    (type $s (struct (field (mut i32)) (field (mut anyref))))
    (func (export "make") (param i32) (result (ref $s)) (struct.new $s (local.get 0) (ref.null any)))
    (func (export "same") (param anyref) (result anyref) (local.get 0))
    (func (export "get") (param (ref $s)) (result i32) (struct.get $s 0 (local.get 0)))
    (func $deep (export "deep") (param (ref $s)) (result i32)
        (drop (struct.new $s (i32.const 1) (local.get 0)))
        (struct.get $s 0 (local.get 0)))
    (func (export "turns") (param (ref $s)) (result i32) (local $i i32) (local $t (ref null $s))
        (local.set $t (struct.new $s (i32.const 5) (local.get 0)))
        (loop $l
            (local.set $t (struct.new $s (i32.const 6) (local.get $t)))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10))))
        (i32.add (struct.get $s 0 (local.get 0)) (struct.get $s 0 (local.get $t)))))"#;

/// A collection in a callback once made the references stale that code had in its locals there.
pub fn callbacks(log: &mut Log) {
    let mut interrupted = config();
    interrupted.epoch_interruption(true);
    let engine = Engine::new(&interrupted).unwrap();
    let module = Module::new(&engine, TEXT).unwrap();
    for does in [Does::Nothing, Does::Collects, Does::Allocates, Does::Calls] {
        let mut store = Store::new(&engine, 0);
        store.set_epoch_deadline(1);
        let made = Instance::new(&mut store, &module, &[]).unwrap();
        let make = made.get_typed_func::<i32, Rooted<StructRef>>(&mut store, "make").unwrap();
        store.epoch_deadline_callback(move |mut cx| {
            *cx.data_mut() += 1;
            let mut scope = RootScope::new(&mut cx);
            match does {
                Does::Nothing => {}
                Does::Collects => scope.as_context_mut().gc(None)?,
                Does::Allocates => {
                    let ty = ArrayType::new(
                        scope.as_context().engine(),
                        FieldType::new(Mutability::Var, StorageType::ValType(ValType::ANYREF)),
                    );
                    let pre = ArrayRefPre::new(&mut scope, ty);
                    let mut list = None;
                    for n in 0..20_000 {
                        let mut inner = RootScope::new(&mut scope);
                        let array = ArrayRef::new(&mut inner, &pre, &Val::AnyRef(None), 40 + n % 50)?;
                        list = (n % 2000 == 0).then(|| array.to_owned_rooted(&mut inner)).transpose()?.or(list);
                    }
                    list.map_or(Ok(0), |array| array.to_rooted(&mut scope).len(&scope))?;
                }
                Does::Calls => {
                    scope.as_context_mut().set_epoch_deadline(1_000_000);
                    for n in 0..100 {
                        make.call(scope.as_context_mut(), n)?;
                    }
                    scope.as_context_mut().gc(None)?;
                }
            }
            Ok(UpdateDeadline::Continue(0))
        });
        let make = made.get_typed_func::<i32, Rooted<StructRef>>(&mut store, "make").unwrap();
        for name in ["get", "deep", "turns"] {
            store.set_epoch_deadline(1000);
            let object = make.call(&mut store, 31337).unwrap();
            store.set_epoch_deadline(0);
            let func = made.get_typed_func::<Rooted<StructRef>, i32>(&mut store, name).unwrap();
            log.put(&format!("{does:?}: {name}"), func.call(&mut store, object));
            log.put(&format!("{does:?}: field"), object.field(&mut store, 0).map(|field| field.i32()));
        }
        store.set_epoch_deadline(1000);
        let object = make.call(&mut store, 5).unwrap();
        store.set_epoch_deadline(0);
        let same = made.get_typed_func::<Option<Rooted<AnyRef>>, Option<Rooted<AnyRef>>>(&mut store, "same").unwrap();
        let back = same.call(&mut store, Some(object.to_anyref())).unwrap().unwrap();
        log.put("same object", Rooted::ref_eq(&store, &back, &object.to_anyref()));
        store.gc(None).unwrap();
        log.put("after all", object.field(&mut store, 0).map(|field| field.i32()));
        log.see("callbacks", *store.data() > 3);
    }
}

/// To make a table longer costs as much as it gets longer.
pub fn fuel_of_tables(log: &mut Log) {
    let mut fueled = config();
    fueled.consume_fuel(true);
    let engine = Engine::new(&fueled).unwrap();
    for (ty, null) in [("anyref", "any"), ("externref", "extern"), ("funcref", "func")] {
        let text = format!(
            r#"(module (table $t 0 {ty}) (func (export "f") (param i32) (result i32)
                (table.grow $t (ref.null {null}) (local.get 0))))"#
        );
        let module = Module::new(&engine, text).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(10_000).unwrap();
        let made = Instance::new(&mut store, &module, &[]).unwrap();
        let func = made.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
        for by in [100, 9_000, 20_000] {
            log.put(
                &format!("{ty} {by}"),
                func.call(&mut store, by).map_err(|err| err.downcast::<Trap>().unwrap().into()),
            );
            log.see("much is left", store.get_fuel().unwrap() > 5000);
        }
    }
}

/// What a guest that a callback calls has on its stack was once put over what the waiting function had there: it tells its
/// stack's pointer before calls only, and spills before loops.
pub fn frames(log: &mut Log) {
    let mut interrupted = config();
    interrupted.epoch_interruption(true);
    let engine = Engine::new(&interrupted).unwrap();
    let text = r#"(module
        (type $s (struct (field i32) (field anyref)))
        (import "" "" (func $collect))
        (global $kept (mut anyref) (ref.null any))
        (func (export "make") (param i32) (result (ref $s)) (struct.new $s (local.get 0) (ref.null any)))
        (func (export "other") (local $a (ref null $s)) (local $b (ref null $s))
            (local.set $a (struct.new $s (i32.const 8) (ref.null any)))
            (local.set $b (struct.new $s (i32.const 9) (local.get $a)))
            (call $collect)
            (global.set $kept (struct.new $s (struct.get $s 0 (local.get $a)) (local.get $b)))
            (call $collect))
        (func (export "turns") (param $x (ref $s)) (param $n i32) (result i32)
            (local $y (ref null $s)) (local $sum i32)
            (loop $l
                (if (i32.and (local.get $n) (i32.const 1))
                    (then (call $collect))
                    (else
                        (local.set $y (struct.new $s (local.get $n) (local.get $x)))
                        (global.set $kept (local.get $y))
                        (call $collect)
                        (local.set $sum (i32.add (local.get $sum) (struct.get $s 0 (local.get $y))))))
                (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (i32.add (local.get $sum) (struct.get $s 0 (local.get $x)))))"#;
    let module = Module::new(&engine, text).unwrap();
    for calls in [false, true] {
        let mut store = Store::new(&engine, 0);
        store.set_epoch_deadline(1_000_000);
        let collect = Func::wrap(&mut store, |mut cx: Caller<'_, i32>| cx.gc(None));
        let made = Instance::new(&mut store, &module, &[collect.into()]).unwrap();
        let other = made.get_typed_func::<(), ()>(&mut store, "other").unwrap();
        let make = made.get_typed_func::<i32, Rooted<StructRef>>(&mut store, "make").unwrap();
        let turns = made.get_typed_func::<(Rooted<StructRef>, i32), i32>(&mut store, "turns").unwrap();
        let object = make.call(&mut store, 100_000).unwrap();
        store.epoch_deadline_callback(move |mut cx| {
            *cx.data_mut() += 1;
            if calls {
                cx.set_epoch_deadline(1_000_000);
                other.call(&mut cx, ())?;
            }
            Ok(UpdateDeadline::Continue(0))
        });
        for n in [1, 4, 7] {
            store.set_epoch_deadline(0);
            log.put(&format!("{calls} {n}"), turns.call(&mut store, (object, n)));
        }
        log.put("object", object.field(&mut store, 0).map(|field| field.i32()));
        log.see("called back", *store.data() > 0);
    }
}
