//! Functions of another store, and types and modules of another engine.

use super::wasmtime::*;
use super::{Log, engine, store};

/// A function of another store as a value.
pub fn functions(log: &mut Log) {
    let (mut other, mut store) = (store(), store());
    let engine = store.engine().clone();
    let strange = Func::wrap(&mut other, || 5);
    let own = Func::wrap(&mut store, || 6);
    for (name, func) in [("strange", strange), ("own", own)] {
        let value = Val::FuncRef(Some(func));
        let ty = GlobalType::new(ValType::FUNCREF, Mutability::Var);
        log.put(&format!("{name}: new global"), Global::new(&mut store, ty.clone(), value).map(|_| ()));
        let global = Global::new(&mut store, ty, Val::FuncRef(None)).unwrap();
        log.put(&format!("{name}: global"), global.set(&mut store, value));
        let ty = TableType::new(RefType::FUNCREF, 2, Some(4));
        log.put(&format!("{name}: new table"), Table::new(&mut store, ty.clone(), Ref::Func(Some(func))).map(|_| ()));
        let table = Table::new(&mut store, ty, Ref::Func(None)).unwrap();
        log.put(&format!("{name}: table"), table.set(&mut store, 0, Ref::Func(Some(func))));
        log.put(&format!("{name}: grown table"), table.grow(&mut store, 1, Ref::Func(Some(func))));
        log.put(&format!("{name}: filled table"), table.fill(&mut store, 0, Ref::Func(Some(func)), 1));
        log.see(&format!("{name}: elements"), [0, 1].map(|n| table.get(&mut store, n).unwrap().is_null()));

        let text = r#"(module (func (export "take") (param funcref) (result i32) (ref.is_null (local.get 0))))"#;
        let module = Module::new(&engine, text).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let take = instance.get_func(&mut store, "take").unwrap();
        let mut results = [Val::I32(7)];
        log.put(&format!("{name}: argument"), take.call(&mut store, &[value], &mut results));
        log.see("result", results[0].i32());

        let ty = FuncType::new(&engine, [], [ValType::FUNCREF]);
        let give = Func::new(&mut store, ty, move |_, _, results| {
            results[0] = value;
            Ok(())
        });
        let called = give.call(&mut store, &[], &mut [Val::FuncRef(None)]);
        log.put(&format!("{name}: result of a host function"), called);
    }
}

/// Items of another store as imports, of modules with references and without. Where references are, asking such an item for
/// its type panicked.
pub fn items(log: &mut Log) {
    let (mut other, mut store) = (store(), store());
    let func = Func::wrap(&mut other, || {});
    let global = GlobalType::new(ValType::I32, Mutability::Const);
    let global = Global::new(&mut other, global, Val::I32(0)).unwrap();
    let table = Table::new(&mut other, TableType::new(RefType::FUNCREF, 1, None), Ref::Func(None)).unwrap();
    let items: [(&str, Extern); 5] = [
        ("(func)", func.into()),
        ("(global i32)", global.into()),
        ("(global anyref)", global.into()),
        ("(table 1 funcref)", table.into()),
        ("(table 1 anyref)", table.into()),
    ];
    for (import, item) in items {
        for more in ["", "(type $s (struct)) (func (drop (struct.new $s)))"] {
            let text = format!(r#"(module (import "" "" {import}) {more})"#);
            let module = Module::new(store.engine(), text).unwrap();
            let made = Instance::new(&mut store, &module, std::slice::from_ref(&item)).map(|_| ());
            log.put(&format!("{import} {more}"), made);
            if matches!(item, Extern::Table(_)) {
                // The engine's linker panics.
                continue;
            }
            let mut linker = Linker::new(store.engine());
            linker.define(&other, "", "", item.clone()).unwrap();
            let linked = linker.instantiate(&mut store, &module).map(|_| ());
            log.see(&format!("{import} {more}: linked"), linked.is_err());
        }
    }
}

/// Types and modules of another engine.
pub fn engines(log: &mut Log) {
    let mut store = store();
    let other = engine();
    let ty = FuncType::new(&other, [ValType::I32], []);
    let strange = RefType::new(true, HeapType::ConcreteFunc(ty.clone()));
    let global = GlobalType::new(ValType::Ref(strange.clone()), Mutability::Var);
    log.put("global", Global::new(&mut store, global, Val::FuncRef(None)).map(|_| ()));
    let table = TableType::new(strange, 1, None);
    log.put("table", Table::new(&mut store, table, Ref::Func(None)).map(|_| ()));
    log.put("tag", Tag::new(&mut store, &TagType::new(ty)).map(|_| ()));
    let func = Func::wrap(&mut store, || 5);
    let module = Module::new(&other, r#"(module (import "" "" (func (result i32))))"#).unwrap();
    log.put("module", Instance::new(&mut store, &module, &[func.into()]).map(|_| ()));
    let mut strange = Store::new(&other, 0);
    let func = Func::wrap(&mut strange, || 5);
    let mut linker = Linker::<u32>::new(&other);
    linker.define(&strange, "", "", func).unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    log.put("resolved", pre.instantiate(&mut store).map(|_| ()));
}
