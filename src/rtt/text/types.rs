//! Types in the text: the spellings of the slides and of the documents of 2019 to 2021, all at once.

use super::names::Names;
use super::tokens::Cursor;
use crate::fault::Result;
use crate::rtt::ast::{Def, Field, Heap, Nulls, Sig, Storage, Val};
use std::collections::{HashMap, HashSet};

/// Whether a value type is next.
pub fn is_val(cur: &Cursor<'_, '_>) -> bool {
    match cur.peek_form() {
        Some(form) => matches!(form, "ref" | "optref" | "rtt"),
        None => cur.peek_keyword().is_some_and(|word| keyword(word).is_some()),
    }
}

fn keyword(word: &str) -> Option<Val> {
    Some(match word {
        "i32" => Val::I32,
        "i64" => Val::I64,
        "f32" => Val::F32,
        "f64" => Val::F64,
        "v128" => Val::V128,
        "anyref" => Val::Ref(true, Heap::Any),
        "eqref" => Val::Ref(true, Heap::Eq),
        // Not null in the documents, nor on the slides; the reference interpreter reads them like this, and its tests rely on it.
        "i31ref" => Val::Ref(true, Heap::I31),
        "dataref" => Val::Ref(true, Heap::Data),
        "funcref" => Val::Ref(true, Heap::Func),
        "externref" => Val::Ref(true, Heap::Extern),
        "optref" => Val::Ref(true, Heap::Any),
        _ => return None,
    })
}

/// A value type.
pub fn val(cur: &mut Cursor<'_, '_>, names: &Names) -> Result<Val> {
    if let Some(mut form) = cur.eat_form("ref") {
        let null = form.eat("null") || form.eat("opt");
        let heap = heap(&mut form, names)?;
        form.finish()?;
        return Ok(Val::Ref(null, heap));
    }
    if let Some(mut form) = cur.eat_form("optref") {
        let heap = heap(&mut form, names)?;
        form.finish()?;
        return Ok(Val::Ref(true, heap));
    }
    if cur.peek_form() == Some("rtt") {
        return Ok(Val::Ref(false, heap(cur, names)?));
    }
    let Some(ty) = cur.peek_keyword().and_then(keyword) else { return cur.unexpected("a value type") };
    cur.skip();
    match (ty, names.nulls) {
        (Val::Ref(_, Heap::I31), Nulls::Slides) => Ok(Val::Ref(false, Heap::I31)),
        _ => Ok(ty),
    }
}

/// A heap type.
pub fn heap(cur: &mut Cursor<'_, '_>, names: &Names) -> Result<Heap> {
    if let Some(mut form) = cur.eat_form("rtt") {
        let rtt = rtt(&mut form, names)?;
        form.finish()?;
        return Ok(rtt);
    }
    if cur.is_index() {
        return Ok(Heap::Type(names.types.index(cur, "type")?));
    }
    let heap = match cur.peek_keyword() {
        Some("any") => Heap::Any,
        Some("eq") => Heap::Eq,
        Some("i31") => Heap::I31,
        Some("data") => Heap::Data,
        Some("func") => Heap::Func,
        Some("extern") => Heap::Extern,
        _ => return cur.unexpected("a heap type"),
    };
    cur.skip();
    Ok(heap)
}

/// `n? $t` or `n? any`: one number alone is a type.
fn rtt(cur: &mut Cursor<'_, '_>, names: &Names) -> Result<Heap> {
    let mut after = *cur;
    let depth = match cur.is_integer() {
        true => {
            after.skip();
            let more = after.is_index() || after.peek_keyword() == Some("any");
            if more { Some(cur.u32()?) } else { None }
        }
        false => None,
    };
    if cur.eat("any") {
        return Ok(Heap::Rtt(depth, None));
    }
    Ok(Heap::Rtt(depth, Some(names.types.index(cur, "type")?)))
}

fn storage(cur: &mut Cursor<'_, '_>, names: &Names) -> Result<Storage> {
    if cur.eat("i8") {
        return Ok(Storage::I8);
    }
    if cur.eat("i16") {
        return Ok(Storage::I16);
    }
    Ok(Storage::Val(val(cur, names)?))
}

/// `storage`, `(mut storage)`, and the slides' `(const storage)` and `(var storage)`.
fn field(cur: &mut Cursor<'_, '_>, names: &Names) -> Result<Field> {
    for (word, mutable) in [("mut", true), ("var", true), ("const", false)] {
        if let Some(mut form) = cur.eat_form(word) {
            let storage = storage(&mut form, names)?;
            form.finish()?;
            return Ok(Field { storage, mutable });
        }
    }
    Ok(Field { storage: storage(cur, names)?, mutable: false })
}

/// A type definition, behind `(type $name?`. Names of fields go to `fields` with their positions; those in `taken` are
/// taken.
pub fn def(
    cur: &mut Cursor<'_, '_>,
    names: &Names,
    fields: &mut HashMap<String, u32>,
    taken: &mut HashSet<String>,
) -> Result<Def> {
    if let Some(mut form) = cur.eat_form("struct") {
        let mut all = Vec::new();
        while !form.is_empty() {
            let Some(mut one) = form.eat_form("field") else { return form.unexpected("`(field`") };
            let before = one;
            if let Some(name) = one.id()? {
                if !taken.insert(name.to_string()) {
                    return Err(before.error("duplicate field"));
                }
                fields.insert(name.into_owned(), all.len() as u32);
                all.push(field(&mut one, names)?);
                one.finish()?;
            }
            while !one.is_empty() {
                all.push(field(&mut one, names)?);
            }
        }
        return Ok(Def::Struct(all));
    }
    if let Some(mut form) = cur.eat_form("array") {
        let elem = match form.eat_form("field") {
            Some(mut inner) => field(&mut inner, names)?,
            None => field(&mut form, names)?,
        };
        form.finish()?;
        return Ok(Def::Array(elem));
    }
    if let Some(mut form) = cur.eat_form("func") {
        let sig = sig(&mut form, names, &mut Vec::new())?;
        form.finish()?;
        return Ok(Def::Func(sig));
    }
    cur.unexpected("`(struct`, `(array` or `(func`")
}

/// `(param …)* (result …)*`; names of parameters go to `params`.
pub fn sig(cur: &mut Cursor<'_, '_>, names: &Names, params: &mut Vec<Option<String>>) -> Result<Sig> {
    let mut sig = Sig::default();
    while let Some(mut form) = cur.eat_form("param") {
        declare(&mut form, names, &mut sig.params, params)?;
    }
    while let Some(mut form) = cur.eat_form("result") {
        while !form.is_empty() {
            sig.results.push(val(&mut form, names)?);
        }
    }
    Ok(sig)
}

/// The inside of a `(param …)` or `(local …)`.
pub fn declare(
    form: &mut Cursor<'_, '_>,
    names: &Names,
    types: &mut Vec<Val>,
    locals: &mut Vec<Option<String>>,
) -> Result<()> {
    let before = *form;
    if let Some(name) = form.id()? {
        if locals.iter().flatten().any(|other| *other == name) {
            return Err(before.error("duplicate local"));
        }
        types.push(val(form, names)?);
        locals.push(Some(name.into_owned()));
        return form.finish();
    }
    while !form.is_empty() {
        types.push(val(form, names)?);
        locals.push(None);
    }
    Ok(())
}
