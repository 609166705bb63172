//! A host that hands its own objects to a plugin, and looks into the plugin's.
//!
//! The host's objects are `externref`s: the plugin can hold, pass and compare them, and give them back to functions of
//! the host. The plugin's are structs, whose fields the host reads and writes. Neither has to say when it is done with
//! the other's: the collector finds out.

use wasmtime_gc::{
    Caller, Engine, ExternRef, FieldType, Linker, Module, Mutability, Result, RootScope, Rooted, Store, StructRef,
    StructRefPre, StructType, Val, ValType, bail,
};

/// What the host has and the plugin does not see.
struct Document {
    title: String,
    words: Vec<String>,
}

const PLUGIN: &str = r#"(module
    (type $report (struct (field $document externref) (field $words i32) (field $stars (mut i32))))
    (import "document" "words" (func $words (param externref) (result i32)))
    (import "document" "append" (func $append (param externref externref)))
    (global $longest (export "longest") (mut (ref null $report)) (ref.null $report))
    (func (export "read") (param $document externref) (param $suffix externref) (result (ref $report))
        (local $report (ref $report))
        (call $append (local.get $document) (local.get $suffix))
        (local.set $report
            (struct.new $report (local.get $document) (call $words (local.get $document)) (i32.const 1)))
        (if (ref.is_null (global.get $longest))
            (then (global.set $longest (local.get $report)))
            (else (if (i32.gt_u
                    (struct.get $report $words (local.get $report))
                    (struct.get $report $words (ref.as_non_null (global.get $longest))))
                (then (global.set $longest (local.get $report))))))
        (local.get $report))
    (func (export "stars") (param (ref $report)) (result i32) (struct.get $report $stars (local.get 0))))"#;

/// The host's object behind a reference of the plugin's.
fn document<'a>(caller: &'a mut Caller<'_, ()>, of: Option<Rooted<ExternRef>>) -> Result<&'a mut Document> {
    let Some(of) = of else { bail!("a document is expected, not null") };
    match of.data_mut(caller)?.and_then(|data| data.downcast_mut()) {
        Some(document) => Ok(document),
        None => bail!("this is no document"),
    }
}

fn define(linker: &mut Linker<()>) -> Result<()> {
    linker.func_wrap("document", "words", |mut caller: Caller<'_, ()>, of: Option<Rooted<ExternRef>>| {
        Ok(document(&mut caller, of)?.words.len() as u32)
    })?;
    linker.func_wrap(
        "document",
        "append",
        |mut caller: Caller<'_, ()>, of: Option<Rooted<ExternRef>>, text: Option<Rooted<ExternRef>>| -> Result<()> {
            let text = text.map(|text| text.data(&caller)).transpose()?.flatten();
            let Some(text) = text.and_then(|text| text.downcast_ref::<String>()).cloned() else {
                bail!("this is no text");
            };
            document(&mut caller, of)?.words.push(text);
            Ok(())
        },
    )?;
    Ok(())
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    define(&mut linker)?;
    let mut store = Store::new(&engine, ());
    let plugin = linker.instantiate(&mut store, &Module::new(&engine, PLUGIN)?)?;
    let read =
        plugin.get_typed_func::<(Rooted<ExternRef>, Rooted<ExternRef>), Rooted<StructRef>>(&mut store, "read")?;
    let stars = plugin.get_typed_func::<Rooted<StructRef>, i32>(&mut store, "stars")?;

    for text in ["short", "not quite as short", "of middle length"] {
        // The host's handles end with the scope; what the plugin keeps stays.
        let mut scope = RootScope::new(&mut store);
        let words = text.split(' ').map(str::to_string).collect();
        let document = ExternRef::new(&mut scope, Document { title: text.to_string(), words })?;
        let suffix = ExternRef::new(&mut scope, String::from("!"))?;
        let report = read.call(&mut scope, (document, suffix))?;
        // The plugin's object, seen and changed by the host.
        let words = report.field(&mut scope, 1)?.unwrap_i32();
        report.set_field(&mut scope, 2, Val::I32(words / 2))?;
        println!("{words} words, {} stars", stars.call(&mut scope, report)?);
    }
    store.gc(None)?;
    let longest = plugin.get_global(&mut store, "longest").expect("exported").get(&mut store);
    let longest = longest.unwrap_anyref().expect("one is the longest").unwrap_struct(&store)?;
    let of = *longest.field(&mut store, 0)?.unwrap_externref().expect("of a document");
    let document = of.data(&store)?.and_then(|data| data.downcast_ref::<Document>());
    println!("the longest is {:?}", document.map(|document| &document.title));

    // An object of the same type, made by the host.
    let field = |mutability, ty: ValType| FieldType::new(mutability, ty.into());
    let fields = [
        field(Mutability::Const, ValType::EXTERNREF),
        field(Mutability::Const, ValType::I32),
        field(Mutability::Var, ValType::I32),
    ];
    let pre = StructRefPre::new(&mut store, StructType::new(&engine, fields)?);
    let own = StructRef::new(&mut store, &pre, &[of.into(), Val::I32(0), Val::I32(5)])?;
    println!("the host's own has {} stars", stars.call(&mut store, own)?);
    Ok(())
}
