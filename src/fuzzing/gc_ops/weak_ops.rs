//! The operations on weak references, the ephemeron map and finalizers.

use super::compare::{note_finalized, same};
use super::model::{Object, Value, Watched};
use super::world::{Cx, Ran, World};
use crate::api::{AsContextMut, Result, RootScope, StructRef, Val};
use crate::ext::{self, WeakRef};
use crate::fuzzing::generate::Source;

pub fn step(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>) -> Result<()> {
    let (op, n) = (s.below(12), s.below(1 << 10));
    match op {
        0..=1 => {
            let (Some(any), value) = world.any(s) else { return Ok(()) };
            world.log.push(format!("weak to {value:?}"));
            world.weak.push((WeakRef::new(&mut *cx, &any)?, value));
            Ok(())
        }
        2..=3 => upgrade(cx, world, n),
        4 => {
            if let Some(n) = n.checked_rem(world.weak.len()) {
                world.log.push(format!("drop weak {n}"));
                world.weak.swap_remove(n);
            }
            Ok(())
        }
        5..=7 => ephemeron(cx, world, s, op),
        8..=9 => register(cx, world, s),
        10 => unregister(cx, world, n),
        _ => once(cx, world, s),
    }
}

fn upgrade(cx: &mut Cx<'_>, world: &mut World, n: usize) -> Result<()> {
    let Some(n) = n.checked_rem(world.weak.len()) else { return Ok(()) };
    let value = world.weak[n].1;
    world.log.push(format!("upgrade {value:?}"));
    match world.weak[n].0.upgrade(&mut *cx)? {
        Some(any) => world.push(Some(any), value),
        None => {
            let Value::Object(id) = value else { return same("a weak i31", true, false) };
            same("alive, but dead for a weak reference", world.model.alive(&world.roots()).contains(&id), false)
        }
    }
}

/// An operation on a key that is an object.
fn ephemeron(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>, op: usize) -> Result<()> {
    let Some((key, id)) = world.object(s, |_| true) else { return Ok(()) };
    let (any, value) = world.any(s);
    world.log.push(format!("ephemeron {op}, key #{id}, {value:?}"));
    let former = world.model.ephemerons.get(&id).copied().unwrap_or(Value::Null);
    match op {
        5 => {
            let Some(any) = any else { return Ok(()) };
            let found = world.ephemerons.insert(&mut *cx, &key, &any)?;
            world.model.ephemerons.insert(id, value);
            world.push(found, former)
        }
        6 => {
            let found = world.ephemerons.get(&mut *cx, &key)?;
            world.push(found, former)
        }
        _ => {
            let found = world.ephemerons.remove(&mut *cx, &key)?;
            world.model.ephemerons.remove(&id);
            world.push(found, former)
        }
    }
}

/// Registers a target, and a new node to hold for it that refers to something.
fn register(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>) -> Result<()> {
    let Some((target, id)) = world.object(s, |_| true) else { return Ok(()) };
    let (any, value) = world.any(s);
    let number = world.model.objects.len();
    world.log.push(format!("finalize #{id} with #{number}, which holds {value:?}"));
    let mut scope = RootScope::new(cx.as_context_mut());
    let fields = [Val::AnyRef(any), Val::AnyRef(None), Val::I32(number as i32)];
    let held = StructRef::new(&mut scope, &world.node, &fields)?.to_anyref();
    let registration = world.registry.register(&mut scope, &target, Some(held))?;
    world.model.add(Object::Node([value, Value::Null]));
    let (dead, cancelled) = (false, false);
    let registration = Some(registration);
    world.model.watched.push(Watched { target: id, held: Some(number), registration, dead, cancelled });
    Ok(())
}

fn unregister(cx: &mut Cx<'_>, world: &mut World, n: usize) -> Result<()> {
    note_finalized(world)?;
    let Some(n) = n.checked_rem(world.model.watched.len()) else { return Ok(()) };
    let Some(registration) = world.model.watched[n].registration else { return Ok(()) };
    world.log.push(format!("unregister {n}"));
    let watched = &world.model.watched[n];
    let (expected, done) = (!watched.dead && !watched.cancelled, watched.target);
    let found = world.registry.unregister(&mut *cx, registration)?;
    if found {
        same("unregistered what was", expected, true)?;
        world.model.watched[n].cancelled = true;
    } else if expected {
        // It was found dead, and its finalizer has not run yet.
        same("a target that is alive", world.model.alive(&world.roots()).contains(&done), false)?;
    }
    Ok(())
}

fn once(cx: &mut Cx<'_>, world: &mut World, s: &mut Source<'_>) -> Result<()> {
    let Some((target, id)) = world.object(s, |_| true) else { return Ok(()) };
    let n = world.model.watched.len();
    world.log.push(format!("finalize #{id} once"));
    let ran = world.ran.clone();
    ext::finalize(&mut *cx, &target, move |_| {
        if let Ok(mut ran) = ran.lock() {
            ran.push(Ran::Once(n));
        }
    })?;
    world.model.watched.push(Watched { target: id, held: None, registration: None, dead: false, cancelled: false });
    Ok(())
}
