//! Both sides are walked together, from all roots.

use super::model::{Object, Value};
use super::ops::host;
use super::world::{Any, Cx, Ran, World, node_number};
use crate::api::{AsContextMut, Error, Ref, Result, RootScope, Rooted, Store, Val};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::Ordering;

/// Fails unless both are equal.
pub fn same<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(Error::msg(format!("{what}: {found:?}, expected {expected:?}"))),
    }
}

/// The elements of an array of bytes: its number, then what follows from it.
pub fn bytes(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|n| if n < 4 { (number >> (8 * n)) as u8 } else { (number * 31 + n) as u8 }).collect()
}

/// Takes note of the finalizers that have run, and checks that they might.
pub fn note_finalized(world: &mut World) -> Result<()> {
    let ran = world.ran.lock().map(|mut ran| std::mem::take(&mut *ran)).unwrap_or_default();
    for ran in ran {
        let mut all = world.model.watched.iter_mut().enumerate();
        let found = all.find(|(n, watched)| match ran {
            Ran::Once(once) => *n == once,
            Ran::Held(held) => watched.held == Some(held),
        });
        let Some((_, watched)) = found else { return Err(Error::msg(format!("{ran:?} was not registered"))) };
        same("finalized twice, or after it was unregistered", watched.dead || watched.cancelled, false)?;
        watched.dead = true;
    }
    let alive = world.model.alive(&world.roots());
    let mut dead = world.model.watched.iter().filter(|watched| watched.dead);
    match dead.find(|watched| alive.contains(&watched.target)) {
        Some(watched) => Err(Error::msg(format!("finalized, but alive: {watched:?}"))),
        None => Ok(()),
    }
}

/// Compares everything that the program can reach.
pub fn compare(cx: &mut Cx<'_>, world: &mut World) -> Result<()> {
    world.log.push("compare".into());
    note_finalized(world)?;
    let mut scope = RootScope::new(cx.as_context_mut());
    walk(&mut scope.as_context_mut(), world).map(drop)
}

/// Objects that were found.
type Found = HashMap<usize, Any>;

/// What is to be compared: what was read, and what it must be.
type Both = (Option<Any>, Value);

fn walk(cx: &mut Cx<'_>, world: &World) -> Result<Found> {
    let mut todo: Vec<Both> = world.stack.iter().map(|&(any, value)| (Some(any), value)).collect();
    for (owned, value) in &world.owned {
        todo.push((Some(owned.try_to_rooted(&mut *cx)?), *value));
    }
    for (global, value) in world.globals.iter().zip(world.model.globals) {
        todo.push((global.get(&mut *cx).unwrap_anyref().copied(), value));
    }
    same("the size of the table", world.table.size(&*cx), world.model.table.len() as u64)?;
    for (n, &value) in (0..).zip(&world.model.table) {
        let Some(Ref::Any(any)) = world.table.get(&mut *cx, n) else { return Err(Error::msg("no such cell")) };
        todo.push((any, value));
    }
    let (mut found, mut keys) = (Found::new(), vec![]);
    loop {
        while let Some((any, value)) = todo.pop() {
            if let Some(id) = visit(cx, world, &mut found, (any, value), &mut todo)?
                && world.model.ephemerons.contains_key(&id)
            {
                keys.push(id);
            }
        }
        let Some(key) = keys.pop() else { break };
        todo.push((world.ephemerons.get(&mut *cx, &found[&key])?, world.model.ephemerons[&key]));
    }
    weak(cx, world, &mut found)?;
    Ok(found)
}

/// Weak references to what was found are to the same; others may be dead, or are as good as new.
fn weak(cx: &mut Cx<'_>, world: &World, found: &mut Found) -> Result<()> {
    let alive = world.model.alive(&world.roots());
    for (weak, value) in &world.weak {
        match (weak.upgrade(&mut *cx)?, value) {
            (None, Value::Object(id)) => same("alive, but dead for a weak reference", alive.contains(id), false)?,
            (any, &value) => {
                let mut todo = vec![(any, value)];
                while let Some(next) = todo.pop() {
                    visit(cx, world, found, next, &mut todo)?;
                }
            }
        }
    }
    Ok(())
}

/// Compares a value, and appends what it refers to. The number of an object that was not found before.
fn visit(
    cx: &mut Cx<'_>,
    world: &World,
    found: &mut Found,
    (any, value): Both,
    todo: &mut Vec<Both>,
) -> Result<Option<usize>> {
    let (any, id) = match (any, value) {
        (None, Value::Null) => return Ok(None),
        (Some(any), Value::I31(n)) => {
            same("an i31", any.as_i31(&*cx)?.map(|i31| i31.get_u32()), Some(n))?;
            return Ok(None);
        }
        (Some(any), Value::Object(id)) => (any, id),
        (any, value) => return Err(Error::msg(format!("{any:?}, expected {value:?}"))),
    };
    if let Some(other) = found.insert(id, any) {
        same("one object is another at another place", Rooted::ref_eq(&*cx, &other, &any)?, true)?;
        return Ok(None);
    }
    let object = &world.model.objects[id];
    let kinds = [any.is_struct(&*cx)?, any.is_array(&*cx)?, any.is_i31(&*cx)?, any.is_eqref(&*cx)?];
    let (number, children) = contents(cx, any, object)?;
    let expected = match object {
        Object::Node(_) => [true, false, false, true],
        Object::Refs(_) | Object::Bytes(_) => [false, true, false, true],
        Object::Host | Object::Traced(_) => [false; 4],
    };
    same("the kind of an object", kinds, expected)?;
    same("the number of an object", number, id)?;
    todo.extend(children);
    Ok(Some(id))
}

/// The number of an object, and what it refers to.
fn contents(cx: &mut Cx<'_>, any: Any, object: &Object) -> Result<(usize, Vec<Both>)> {
    let array = |cx: &mut Cx<'_>| any.as_array(&*cx)?.ok_or_else(|| Error::msg("an array is no array"));
    match object {
        Object::Node(values) => {
            let node = any.as_struct(&*cx)?.ok_or_else(|| Error::msg("a node is no struct"))?;
            let fields: Vec<Val> = node.fields(&mut *cx)?.collect();
            let children = fields.iter().zip(values).map(|(field, &value)| (field.unwrap_anyref().copied(), value));
            let children = children.collect();
            Ok((node_number(cx, any)?, children))
        }
        Object::Refs(values) => {
            let elems: Vec<Val> = array(cx)?.elems(&mut *cx)?.collect();
            same("the length of an array", elems.len(), values.len() + 1)?;
            let number = elems[0].unwrap_anyref().map(|first| first.as_i31(&*cx)).transpose()?.flatten();
            let elems = elems[1..].iter().map(|elem| elem.unwrap_anyref().copied());
            Ok((
                number.map_or(usize::MAX, |number| number.get_u32() as usize),
                elems.zip(values.iter().copied()).collect(),
            ))
        }
        Object::Bytes(len) => {
            let array = array(cx)?;
            same("the length of an array", array.len(&*cx)? as usize, *len)?;
            let mut found = vec![0; *len];
            array.copy_to_i8_slice(&mut *cx, &mut found)?;
            let number = (0..4).fold(0, |number, n| number | usize::from(found[n]) << (8 * n));
            same("the bytes of an array", found == bytes(number, *len), true)?;
            Ok((number, vec![]))
        }
        Object::Host => Ok((host(cx, any, |host| host.number)?, vec![])),
        Object::Traced(values) => {
            let (number, members) = host(cx, any, |host| (host.number, host.members.clone()))?;
            let handles: Result<Vec<Option<Any>>> = members.iter().map(|member| member.get(&mut *cx)).collect();
            Ok((number, handles?.into_iter().zip(values.iter().copied()).collect()))
        }
    }
}

/// Collects until nothing more dies, and compares: then everything is gone that the model can not reach.
pub fn settled(store: &mut Store<()>, world: &mut World) -> Result<()> {
    let mut quiet = 0;
    while quiet < 2 {
        store.gc(None)?;
        let ran = world.ran.lock().map_or(0, |ran| ran.len());
        note_finalized(world)?;
        quiet = if ran == 0 { quiet + 1 } else { 0 };
    }
    compare(&mut store.as_context_mut(), world)?;
    let alive = world.model.alive(&world.roots());
    for (weak, value) in &world.weak {
        let mut scope = RootScope::new(&mut *store);
        let upgraded = weak.upgrade(&mut scope)?.is_some();
        let expected = matches!(value, Value::I31(_)) || matches!(value, Value::Object(id) if alive.contains(id));
        same(&format!("a weak reference to {value:?} at the end"), upgraded, expected)?;
    }
    for watched in &world.model.watched {
        let waits = !watched.dead && !watched.cancelled;
        same(&format!("dead, but not finalized: {watched:?}"), waits && !alive.contains(&watched.target), false)?;
    }
    let keys = world.model.ephemerons.keys().filter(|key| alive.contains(key)).count();
    same("the entries of the ephemeron map", world.ephemerons.len(&mut *store)?, keys)?;
    let hosts = alive.iter().filter(|&&id| matches!(world.model.objects[id], Object::Host | Object::Traced(_))).count();
    same("host values", world.living.load(Ordering::Relaxed), hosts)
}
