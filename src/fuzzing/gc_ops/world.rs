//! A store with its handles, beside the model.

use super::model::{Model, Object, Value};
use crate::api::{
    AnyRef, ArrayRefPre, ArrayType, Error, FieldType, Global, Instance, Mutability, OwnedRooted, Result, Rooted,
    StorageType, Store, StoreContextMut, StructRefPre, StructType, Table, ValType,
};
use crate::ext::{EphemeronMap, FinalizationRegistry, Member, Trace, Tracer, WeakRef};
use crate::fuzzing::generate::Source;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

pub type Any = Rooted<AnyRef>;
pub type Cx<'a> = StoreContextMut<'a, ()>;

/// A host value: the number of its object. The count is of those that were not dropped.
pub struct Host {
    pub number: usize,
    pub members: Arc<Vec<Member<AnyRef>>>,
    living: Arc<AtomicUsize>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.living.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Trace for Host {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.members.iter().for_each(|member| tracer.visit(member));
    }
}

/// What the program has in its hands.
pub struct World {
    pub model: Model,
    pub guest: Instance,
    pub globals: [Global; 2],
    pub table: Table,
    pub node: StructRefPre,
    pub refs: ArrayRefPre,
    pub bytes: ArrayRefPre,
    /// Handles of the scopes that are open.
    pub stack: Vec<(Any, Value)>,
    pub owned: Vec<(OwnedRooted<AnyRef>, Value)>,
    pub weak: Vec<(WeakRef<AnyRef>, Value)>,
    pub ephemerons: EphemeronMap<AnyRef, AnyRef>,
    pub registry: FinalizationRegistry<AnyRef>,
    /// Indices of `Model::watched` whose finalizer has run since this was last looked at: by the index itself, or by
    /// the number of the object that was held.
    pub ran: Arc<Mutex<Vec<Ran>>>,
    /// How many host values there are.
    pub living: Arc<AtomicUsize>,
    pub log: Vec<String>,
}

/// Which finalizer has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    Once(usize),
    Held(usize),
}

fn var(ty: StorageType) -> FieldType {
    FieldType::new(Mutability::Var, ty)
}

impl World {
    pub fn new(store: &mut Store<()>, guest: Instance) -> Result<World> {
        let engine = store.engine().clone();
        let anyref = || var(ValType::ANYREF.into());
        let number = FieldType::new(Mutability::Const, ValType::I32.into());
        let node = StructType::new(&engine, [anyref(), anyref(), number])?;
        let (refs, bytes) = (ArrayType::new(&engine, anyref()), ArrayType::new(&engine, var(StorageType::I8)));
        let missing = || Error::msg("an export of the guest is missing");
        let globals = [guest.get_global(&mut *store, "a"), guest.get_global(&mut *store, "b")];
        let [Some(a), Some(b)] = globals else { return Err(missing()) };
        let table = guest.get_table(&mut *store, "t").ok_or_else(missing)?;
        let ran: Arc<Mutex<Vec<Ran>>> = Arc::default();
        let registry = registry(store, ran.clone())?;
        Ok(World {
            model: Model { table: vec![Value::Null; 4], ..Model::default() },
            guest,
            globals: [a, b],
            table,
            node: StructRefPre::new(&mut *store, node),
            refs: ArrayRefPre::new(&mut *store, refs),
            bytes: ArrayRefPre::new(&mut *store, bytes),
            stack: vec![],
            owned: vec![],
            weak: vec![],
            ephemerons: EphemeronMap::new(&mut *store)?,
            registry,
            ran,
            living: Arc::default(),
            log: vec![],
        })
    }

    /// A handle of the stack, or null.
    pub fn any(&self, s: &mut Source<'_>) -> (Option<Any>, Value) {
        match s.below(self.stack.len() + 1).checked_sub(1).and_then(|n| self.stack.get(n)) {
            Some(&(any, value)) => (Some(any), value),
            None => (None, Value::Null),
        }
    }

    /// A handle to an object that is `wanted`.
    pub fn object(&self, s: &mut Source<'_>, wanted: impl Fn(&Object) -> bool) -> Option<(Any, usize)> {
        let fits = |&(any, value): &(Any, Value)| match value {
            Value::Object(id) if wanted(&self.model.objects[id]) => Some((any, id)),
            _ => None,
        };
        let all: Vec<(Any, usize)> = self.stack.iter().filter_map(fits).collect();
        s.pick(&all)
    }

    /// Takes note of a handle, if it is one.
    pub fn push(&mut self, any: Option<Any>, value: Value) -> Result<()> {
        match (any, value) {
            (None, Value::Null) => Ok(()),
            (Some(any), value) if value != Value::Null => {
                self.stack.push((any, value));
                Ok(())
            }
            (any, value) => Err(Error::msg(format!("got {any:?}, expected {value:?}"))),
        }
    }

    /// A new host value for the next object.
    pub fn host(&self, members: Vec<Member<AnyRef>>) -> Host {
        self.living.fetch_add(1, Ordering::Relaxed);
        Host { number: self.model.objects.len(), members: Arc::new(members), living: self.living.clone() }
    }

    /// Values of all handles.
    pub fn roots(&self) -> Vec<Value> {
        self.stack.iter().map(|entry| entry.1).chain(self.owned.iter().map(|entry| entry.1)).collect()
    }
}

/// A registry whose finalizer notes the number of the node that was held, and collects.
fn registry(store: &mut Store<()>, ran: Arc<Mutex<Vec<Ran>>>) -> Result<FinalizationRegistry<AnyRef>> {
    FinalizationRegistry::new(store, move |mut cx: Cx<'_>, held: Option<Any>| {
        let number = held.and_then(|held| node_number(&mut cx, held).ok());
        // One that is lost is missed later.
        if let (Some(number), Ok(mut ran)) = (number, ran.lock()) {
            ran.push(Ran::Held(number));
        }
        if number.is_some_and(|number| number % 3 == 0) {
            cx.gc(None).unwrap_or_else(|err| panic!("a collection in a finalizer failed: {err:?}"));
        }
    })
}

/// The number that a node holds.
pub fn node_number(cx: &mut Cx<'_>, any: Any) -> Result<usize> {
    let node = any.as_struct(&*cx)?.ok_or_else(|| Error::msg("a node is no struct"))?;
    let number = node.field(&mut *cx, 2)?;
    number.i32().map(|number| number as usize).ok_or_else(|| Error::msg("a number is no number"))
}
