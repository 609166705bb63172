//! Values without a collector, and what is alive among them.

use crate::ext::Registration;
use std::collections::{HashMap, HashSet};

/// A reference. Objects are numbered in the order in which they were made, and hold their number.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Value {
    #[default]
    Null,
    I31(u32),
    Object(usize),
}

/// What an object holds beside its number.
#[derive(Debug)]
pub enum Object {
    Node([Value; 2]),
    /// Elements behind the first, which is the number.
    Refs(Vec<Value>),
    Bytes(usize),
    Host,
    /// A host value with members.
    Traced(Vec<Value>),
}

impl Object {
    fn values(&self) -> &[Value] {
        match self {
            Object::Node(values) => values,
            Object::Refs(values) | Object::Traced(values) => values,
            Object::Bytes(_) | Object::Host => &[],
        }
    }
}

/// A registered finalizer.
#[derive(Debug)]
pub struct Watched {
    pub target: usize,
    /// The object that is held for the target, in a registry.
    pub held: Option<usize>,
    pub registration: Option<Registration>,
    /// It has run.
    pub dead: bool,
    pub cancelled: bool,
}

/// The model's side of a store. Handles on the stack are in `World`, with their values.
#[derive(Debug, Default)]
pub struct Model {
    pub objects: Vec<Object>,
    pub globals: [Value; 2],
    pub table: Vec<Value>,
    pub ephemerons: HashMap<usize, Value>,
    pub watched: Vec<Watched>,
}

impl Model {
    pub fn add(&mut self, object: Object) -> Value {
        self.objects.push(object);
        Value::Object(self.objects.len() - 1)
    }

    /// What is reachable from globals, the table, what finalizers hold, and `handles`.
    pub fn alive(&self, handles: &[Value]) -> HashSet<usize> {
        let held = self.watched.iter().filter(|watched| !watched.dead && !watched.cancelled);
        let held = held.filter_map(|watched| watched.held.map(Value::Object));
        let mut todo: Vec<Value> = self.globals.iter().chain(&self.table).chain(handles).copied().chain(held).collect();
        let mut alive = HashSet::new();
        while !todo.is_empty() {
            while let Some(next) = todo.pop() {
                if let Value::Object(id) = next
                    && alive.insert(id)
                {
                    todo.extend(self.objects[id].values());
                }
            }
            let values = self.ephemerons.iter().filter(|(key, _)| alive.contains(key)).map(|(_, &value)| value);
            todo = values.filter(|value| matches!(value, Value::Object(id) if !alive.contains(id))).collect();
        }
        alive
    }
}
