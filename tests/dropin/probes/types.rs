//! Types: how they are shown, and what they match.

use super::wasmtime::*;
use super::{Log, engine};

fn heap_types(engine: &Engine) -> Vec<(&'static str, HeapType)> {
    let field = FieldType::new(Mutability::Var, ValType::I32.into());
    let func = FuncType::new(engine, [ValType::I32], [ValType::I64]);
    let array = ArrayType::new(engine, field.clone());
    let object = StructType::new(engine, [field]).unwrap();
    vec![
        ("extern", HeapType::Extern),
        ("noextern", HeapType::NoExtern),
        ("func", HeapType::Func),
        ("nofunc", HeapType::NoFunc),
        ("any", HeapType::Any),
        ("eq", HeapType::Eq),
        ("i31", HeapType::I31),
        ("array", HeapType::Array),
        ("struct", HeapType::Struct),
        ("none", HeapType::None),
        ("exn", HeapType::Exn),
        ("noexn", HeapType::NoExn),
        ("cont", HeapType::Cont),
        ("nocont", HeapType::NoCont),
        ("concrete func", func.into()),
        ("concrete array", array.into()),
        ("concrete struct", object.into()),
        ("concrete exn", ExnType::new(engine, [ValType::I32]).unwrap().into()),
    ]
}

/// Heap types.
pub fn heaps(log: &mut Log) {
    let engine = engine();
    let all = heap_types(&engine);
    for (name, ty) in &all {
        if ty.is_abstract() {
            log.see(name, (format!("{ty}"), format!("{ty:?}"), format!("{}", RefType::new(false, ty.clone()))));
        }
        log.see(
            name,
            (format!("{}", ty.top()), format!("{}", ty.bottom()), ty.is_top(), ty.is_bottom(), ty.is_concrete()),
        );
        log.see("is", (ty.is_any(), ty.is_func(), ty.is_no_func(), ty.is_extern(), ty.is_i31(), ty.is_none()));
        log.see("is more", (ty.is_exn(), ty.is_no_exn(), ty.is_cont(), ty.is_concrete_cont(), ty.is_concrete_func()));
        for (other, of) in &all {
            log.see(&format!("{name} <= {other}"), (ty.matches(of), HeapType::eq(ty, of)));
        }
    }
}

/// Value types.
pub fn values(log: &mut Log) {
    let all = [
        ValType::I32,
        ValType::I64,
        ValType::F32,
        ValType::F64,
        ValType::V128,
        ValType::EXTERNREF,
        ValType::NULLEXTERNREF,
        ValType::FUNCREF,
        ValType::NULLFUNCREF,
        ValType::ANYREF,
        ValType::EQREF,
        ValType::I31REF,
        ValType::ARRAYREF,
        ValType::STRUCTREF,
        ValType::NULLREF,
        ValType::EXNREF,
        ValType::NULLEXNREF,
        ValType::CONTREF,
        ValType::NULLCONTREF,
        ValType::Ref(RefType::new(false, HeapType::Eq)),
    ];
    for ty in &all {
        log.see("type", format!("{ty} {ty:?}"));
        log.see(
            "is",
            (
                ty.is_num(),
                ty.is_ref(),
                ty.is_anyref(),
                ty.is_funcref(),
                ty.is_externref(),
                ty.is_contref(),
                ty.is_v128(),
            ),
        );
        // Wasmtime panics for continuations.
        if !matches!(ty, ValType::Ref(ty) if ty.heap_type().top().is_cont()) {
            log.see("default", ty.default_value().map(|val| format!("{val:?}")));
        }
        log.see("matches", all.iter().map(|of| ty.matches(of)).collect::<Vec<_>>());
    }
}

/// Defined types.
pub fn defined(log: &mut Log) {
    let engine = engine();
    let var = FieldType::new(Mutability::Var, StorageType::I8);
    let fixed = FieldType::new(Mutability::Const, ValType::ANYREF.into());
    let object = StructType::new(&engine, [var.clone(), fixed.clone()]).unwrap();
    let array = ArrayType::new(&engine, fixed.clone());
    let func = FuncType::new(&engine, [ValType::I32, ValType::ANYREF], [ValType::F64]);
    log.see("shown", format!("{object} | {array} | {func} | {var} | {fixed}"));
    log.see("of nothing", format!("{} | {}", FuncType::new(&engine, [], []), StructType::new(&engine, []).unwrap()));
    log.see("globals", format!("{:?}", GlobalType::new(ValType::ANYREF, Mutability::Var)));
    log.see("memories", format!("{:?}", MemoryType::new(1, Some(2))));
    log.see("tags", TagType::new(func.clone()).ty().params().len());
    log.see("exceptions", format!("{}", ExnType::new(&engine, [ValType::I32]).unwrap()));
    let open = StructType::with_finality_and_supertype(&engine, Finality::NonFinal, None, [var.clone()]).unwrap();
    let refused = [
        (
            "of final",
            StructType::with_finality_and_supertype(
                &engine,
                Finality::Final,
                Some(&object),
                [var.clone(), fixed.clone()],
            )
            .map(|_| ()),
        ),
        (
            "other fields",
            StructType::with_finality_and_supertype(&engine, Finality::Final, Some(&open), [fixed.clone()]).map(|_| ()),
        ),
        (
            "well",
            StructType::with_finality_and_supertype(
                &engine,
                Finality::Final,
                Some(&open),
                [var.clone(), fixed.clone()],
            )
            .map(|_| ()),
        ),
        (
            "array of final",
            ArrayType::with_finality_and_supertype(&engine, Finality::Final, Some(&array), fixed.clone()).map(|_| ()),
        ),
        (
            "func of final",
            FuncType::with_finality_and_supertype(&engine, Finality::Final, Some(&func), [], []).map(|_| ()),
        ),
    ];
    for (name, result) in refused {
        log.put(name, result);
    }
    let base =
        FuncType::with_finality_and_supertype(&engine, Finality::NonFinal, None, [ValType::I32], [ValType::ANYREF])
            .unwrap();
    log.put(
        "func",
        FuncType::with_finality_and_supertype(&engine, Finality::Final, Some(&base), [ValType::I64], [ValType::ANYREF])
            .map(|_| ()),
    );
    let base = ArrayType::with_finality_and_supertype(&engine, Finality::NonFinal, None, var.clone()).unwrap();
    log.put("array", ArrayType::with_finality_and_supertype(&engine, Finality::Final, Some(&base), fixed).map(|_| ()));
    log.panics("wrong unwrap", || HeapType::Any.unwrap_concrete_struct().fields().len());
    log.panics("type of another engine", || FuncType::new(&super::engine(), [object.clone().into_val()], []));
    log.panics("unwrap func", || ExternType::Memory(MemoryType::new(1, None)).unwrap_func().params().len());
}

trait IntoVal {
    fn into_val(self) -> ValType;
}

impl IntoVal for StructType {
    fn into_val(self) -> ValType {
        ValType::Ref(RefType::new(true, HeapType::ConcreteStruct(self)))
    }
}
