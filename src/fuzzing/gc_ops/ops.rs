//! The operations on objects, handles, globals, tables and the guest.

use super::STEPS;
use super::compare;
use super::model::{Object, Value};
use super::weak_ops;
use super::world::{Any, Cx, Host, World};
use crate::api::{
    AnyRef, ArrayRef, AsContextMut, Error, ExternRef, I31, Ref, Result, RootScope, Rooted, Store, StructRef, Val,
    WasmParams, WasmResults,
};
use crate::ext::{self, Member};
use crate::fuzzing::generate::Source;

/// How deep scopes nest.
const SCOPES: usize = 4;

/// Runs a program.
pub fn run(store: &mut Store<()>, world: &mut World, s: &mut Source<'_>) -> Result<()> {
    let mut scope = RootScope::new(store.as_context_mut());
    let outcome = scoped(&mut scope.as_context_mut(), world, s, 0);
    drop(scope);
    world.stack.clear();
    outcome
}

fn scoped(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>, depth: usize) -> Result<()> {
    while !s.is_empty() && world.log.len() < STEPS {
        match s.below(40) {
            0..=1 if depth < SCOPES => {
                let below = world.stack.len();
                world.log.push("{".into());
                let mut scope = RootScope::new(cx.as_context_mut());
                let outcome = scoped(&mut scope.as_context_mut(), world, s, depth + 1);
                drop(scope);
                world.stack.truncate(below);
                outcome?;
            }
            2..=3 if depth > 0 => {
                world.log.push("}".into());
                return Ok(());
            }
            4..=15 => make(cx, world, s)?,
            16..=23 => access(cx, world, s)?,
            24..=27 => roots(cx, world, s)?,
            28..=34 => weak_ops::step(cx, world, s)?,
            35..=37 => call(cx, world, s)?,
            38 => compare::compare(cx, world)?,
            _ => collect(cx, world, s)?,
        }
    }
    Ok(())
}

fn collect(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>) -> Result<()> {
    match s.below(6) {
        4..=5 => {
            world.log.push("gc_step".into());
            ext::gc_step(&mut *cx, std::time::Duration::ZERO).map(drop)
        }
        0 => {
            world.log.push("gc".into());
            cx.gc(None)
        }
        1 => {
            world.log.push("run_finalizers".into());
            ext::run_finalizers(&mut *cx).map(drop)
        }
        _ => {
            world.log.push("gc_young".into());
            ext::gc_young(&mut *cx)
        }
    }
}

fn i31(cx: &mut Cx<'_>, n: u32) -> Any {
    AnyRef::from_i31(&mut *cx, I31::wrapping_u32(n))
}

/// Makes an object and keeps a handle to it.
fn make(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>) -> Result<()> {
    let number = world.model.objects.len();
    let (any, object) = match s.below(9) {
        0..=2 => {
            let [(a, va), (b, vb)] = [world.any(s), world.any(s)];
            let fields = [Val::AnyRef(a), Val::AnyRef(b), Val::I32(number as i32)];
            let node = StructRef::new(&mut *cx, &world.node, &fields)?;
            (node.to_anyref(), Object::Node([va, vb]))
        }
        3 => {
            let len = s.between(0, 5);
            let (any, value) = world.any(s);
            let first = i31(cx, number as u32);
            let mut elems = vec![Val::AnyRef(any); len + 1];
            elems[0] = Val::AnyRef(Some(first));
            (ArrayRef::new_fixed(&mut *cx, &world.refs, &elems)?.to_anyref(), Object::Refs(vec![value; len]))
        }
        4 => {
            // Now and then a large object.
            let len = if s.chance(15) { s.between(2040, 2060) } else { s.between(0, 40) };
            let (any, value) = world.any(s);
            let array = ArrayRef::new(&mut *cx, &world.refs, &Val::AnyRef(any), len as u32 + 1)?;
            let first = i31(cx, number as u32);
            array.set(&mut *cx, 0, Val::AnyRef(Some(first)))?;
            (array.to_anyref(), Object::Refs(vec![value; len]))
        }
        5 => {
            let len = if s.chance(15) { s.between(8170, 8200) } else { s.between(4, 60) };
            let bytes = compare::bytes(number, len);
            (ArrayRef::new_from_i8_slice(&mut *cx, &world.bytes, &bytes)?.to_anyref(), Object::Bytes(len))
        }
        6 => {
            let host = world.host(vec![]);
            let host = ExternRef::new(&mut *cx, host)?;
            (AnyRef::convert_extern(&mut *cx, host)?, Object::Host)
        }
        7 => {
            let (mut members, mut values) = (vec![], vec![]);
            for _ in 0..s.below(4) {
                let (any, value) = world.any(s);
                members.push(Member::new(&mut *cx, any)?);
                values.push(value);
            }
            let host = ExternRef::new_traced(&mut *cx, world.host(members))?;
            (AnyRef::convert_extern(&mut *cx, host)?, Object::Traced(values))
        }
        _ => {
            let n = (s.below(1 << 16) as u32 * 32749) & 0x7FFF_FFFF;
            world.log.push(format!("i31 {n}"));
            let any = i31(cx, n);
            return world.push(Some(any), Value::I31(n));
        }
    };
    world.log.push(format!("#{number} = {object:?}"));
    let value = world.model.add(object);
    world.push(Some(any), value)
}

/// Reads or writes something inside of an object.
fn access(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>) -> Result<()> {
    let inside = |object: &Object| match object {
        Object::Node(_) => true,
        Object::Refs(values) | Object::Traced(values) => !values.is_empty(),
        _ => false,
    };
    let Some((any, id)) = world.object(s, inside) else { return Ok(()) };
    let write = s.chance(60).then(|| world.any(s));
    let at = s.below(1 << 12);
    world.log.push(format!("#{id}[{at}] {:?}", write.map(|(_, value)| value)));
    let read = match &mut world.model.objects[id] {
        Object::Node(values) => {
            let node = any.as_struct(&*cx)?.ok_or_else(|| Error::msg("a node is no struct"))?;
            let at = at % 2;
            match write {
                Some((any, value)) => {
                    node.set_field(&mut *cx, at, Val::AnyRef(any))?;
                    values[at] = value;
                    return Ok(());
                }
                None => (node.field(&mut *cx, at)?, values[at]),
            }
        }
        Object::Refs(values) => {
            let array = any.as_array(&*cx)?.ok_or_else(|| Error::msg("an array is no array"))?;
            let at = at % values.len();
            match write {
                Some((any, value)) => {
                    array.set(&mut *cx, at as u32 + 1, Val::AnyRef(any))?;
                    values[at] = value;
                    return Ok(());
                }
                None => (array.get(&mut *cx, at as u32 + 1)?, values[at]),
            }
        }
        Object::Traced(values) => {
            let members = members(cx, any)?;
            let at = at % values.len();
            let member = members.get(at).ok_or_else(|| Error::msg("a member is missing"))?;
            match write {
                Some((any, value)) => {
                    member.set(&mut *cx, any)?;
                    values[at] = value;
                    return Ok(());
                }
                None => (Val::AnyRef(member.get(&mut *cx)?), values[at]),
            }
        }
        Object::Bytes(_) | Object::Host => return Ok(()),
    };
    world.push(read.0.unwrap_anyref().copied(), read.1)
}

/// The members of a host value.
pub fn members(cx: &mut Cx<'_>, any: Any) -> Result<std::sync::Arc<Vec<Member<AnyRef>>>> {
    host(cx, any, |host| host.members.clone())
}

/// Looks at a host value.
pub fn host<R>(cx: &mut Cx<'_>, any: Any, look: impl FnOnce(&Host) -> R) -> Result<R> {
    let outside = ExternRef::convert_any(&mut *cx, any)?;
    let data = outside.data(&*cx)?.and_then(|data| data.downcast_ref::<Host>());
    data.map(look).ok_or_else(|| Error::msg("a host value is none"))
}

/// Reads or writes a root: a global, a cell of the table, an owned handle.
fn roots(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>) -> Result<()> {
    let (any, value) = world.any(s);
    let (n, op) = (s.below(1 << 10), s.below(9));
    world.log.push(format!("root op {op}, {n}, {value:?}"));
    let cell = n % world.model.table.len();
    match op {
        0 => {
            world.globals[n % 2].set(&mut *cx, Val::AnyRef(any))?;
            world.model.globals[n % 2] = value;
        }
        1 => {
            let read = world.globals[n % 2].get(&mut *cx).unwrap_anyref().copied();
            world.push(read, world.model.globals[n % 2])?;
        }
        2 => {
            world.table.set(&mut *cx, cell as u64, Ref::Any(any))?;
            world.model.table[cell] = value;
        }
        3 => {
            let read = world.table.get(&mut *cx, cell as u64).ok_or_else(|| Error::msg("no such cell"))?;
            world.push(read.unwrap_any().copied(), world.model.table[cell])?;
        }
        4 if world.model.table.len() < 40 => {
            let old = world.table.grow(&mut *cx, n as u64 % 5, Ref::Any(any))?;
            compare::same("the size of the table", old, world.model.table.len() as u64)?;
            world.model.table.extend(std::iter::repeat_n(value, n % 5));
        }
        5 => {
            let len = world.model.table.len() - cell;
            world.table.fill(&mut *cx, cell as u64, Ref::Any(any), len as u64)?;
            world.model.table[cell..].fill(value);
        }
        6 => {
            if let Some(any) = any {
                world.owned.push((any.to_owned_rooted(&mut *cx)?, value));
            }
        }
        7 => {
            if let Some((owned, value)) = n.checked_rem(world.owned.len()).and_then(|n| world.owned.get(n)) {
                let (any, value) = (owned.try_to_rooted(&mut *cx)?, *value);
                world.push(Some(any), value)?;
            }
        }
        _ => {
            if let Some(n) = n.checked_rem(world.owned.len()) {
                world.owned.swap_remove(n);
            }
        }
    }
    Ok(())
}

fn guest<P: WasmParams, R: WasmResults>(cx: &mut Cx<'_>, world: &World, name: &str, params: P) -> Result<R> {
    let func = world.guest.get_typed_func::<P, R>(&mut *cx, name)?;
    func.call(&mut *cx, params)
}

type Maybe = Option<Rooted<AnyRef>>;

/// Calls the guest.
fn call(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>) -> Result<()> {
    let op = s.below(8);
    let [(a, va), (b, vb)] = [world.any(s), world.any(s)];
    let n = s.below(1 << 10);
    world.log.push(format!("call {op} {va:?} {vb:?} {n}"));
    match op {
        0 => {
            let number = world.model.objects.len();
            let made = guest::<(Maybe, Maybe, i32), Maybe>(cx, world, "make", (a, b, number as i32))?;
            let value = world.model.add(Object::Node([va, vb]));
            world.push(made, value)?;
        }
        1..=2 => {
            let Some((at, id)) = world.object(s, |object| matches!(object, Object::Node(_))) else { return Ok(()) };
            let second = n % 2;
            if op == 1 {
                guest::<(Maybe, i32, Maybe), ()>(cx, world, "put", (Some(at), second as i32, a))?;
            }
            let Object::Node(values) = &mut world.model.objects[id] else { return Ok(()) };
            if op == 1 {
                values[second] = va;
            }
            let value = values[second];
            let read = guest::<(Maybe, i32), Maybe>(cx, world, "pick", (Some(at), second as i32))?;
            world.push(read, value)?;
        }
        3 => {
            let cell = n % world.model.table.len();
            guest::<i32, ()>(cx, world, "swap", cell as i32)?;
            std::mem::swap(&mut world.model.globals[0], &mut world.model.table[cell]);
        }
        4 => bulk(cx, world, s, (a, va))?,
        5 => guest::<i32, ()>(cx, world, "churn", 1 + n as i32 % 200)?,
        _ => {
            let back = guest::<(i32, Maybe), Maybe>(cx, world, "down", (n as i32 % 12, a))?;
            world.push(back, va)?;
        }
    }
    Ok(())
}

/// Fills an array, or copies from another.
fn bulk(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>, (any, value): (Option<Any>, Value)) -> Result<()> {
    let is_refs = |object: &Object| matches!(object, Object::Refs(_));
    let (Some((to, id)), Some((from, from_id))) = (world.object(s, is_refs), world.object(s, is_refs)) else {
        return Ok(());
    };
    let len = |world: &World, id: usize| match &world.model.objects[id] {
        Object::Refs(values) => values.len(),
        _ => 0,
    };
    if s.chance(50) {
        let len = s.between(0, len(world, id));
        guest::<(Maybe, Maybe, i32), ()>(cx, world, "fill", (Some(to), any, len as i32))?;
        if let Object::Refs(values) = &mut world.model.objects[id] {
            values[..len].fill(value);
        }
        return Ok(());
    }
    let len = s.between(0, len(world, id).min(len(world, from_id)));
    guest::<(Maybe, Maybe, i32), ()>(cx, world, "copy", (Some(to), Some(from), len as i32))?;
    let Object::Refs(source) = &world.model.objects[from_id] else { return Ok(()) };
    let copied = source[..len].to_vec();
    if let Object::Refs(values) = &mut world.model.objects[id] {
        values[..len].copy_from_slice(&copied);
    }
    Ok(())
}
