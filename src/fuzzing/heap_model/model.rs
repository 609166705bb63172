//! The heap and a model of it in plain Rust values, which run the same program side by side.
//!
//! The model never collects. After every few steps the two graphs are walked together from their
//! roots: same shapes, same numbers, and the same sharing in both directions.

use super::world::{Types, World};
use crate::heap::*;
use crate::layout::object::ARRAY_ELEMENTS;
use crate::layout::rtt::HOST_SLOT;
use crate::layout::{GcType, ObjectLayout, Width, reference};
use std::collections::HashMap;
use std::sync::Arc;

/// A reference of the model.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Ref {
    Null,
    I31(u32),
    Object(usize),
}

#[derive(Debug)]
struct Object {
    ty: Arc<GcType>,
    /// References: all of an array's, or those of a struct's traced fields.
    refs: Vec<Ref>,
    /// What fills the rest of the object.
    number: u32,
    len: u32,
}

/// What a program does. Indices are taken modulo what there is; a step that makes no sense does nothing.
#[derive(Clone, Debug)]
pub enum Step {
    /// Pushes a new object with a number: one of the types of the world.
    Pair(u32),
    Wide(u32),
    Huge,
    /// ... an array of a length.
    Bytes(u32),
    Refs(u32),
    /// ... a host value, with its slot.
    Host(u32),
    PushNull,
    PushI31(u32),
    PushCopy(usize),
    Pop,
    /// Pushes what a slot of an object of the stack holds: object, slot.
    Load(usize, usize),
    /// Stores a value of the stack: object, slot, value.
    Store(usize, usize, usize),
    /// Stores into many slots at once and remembers them: the elements of an array from one on, or a struct as a whole: object, value.
    Fill(usize, usize),
    /// Words of a root area and of the host: slot, value.
    StoreArea(usize, usize),
    LoadArea(usize),
    StoreHost(usize, usize),
    LoadHost(usize),
    /// Allocates so many objects that nothing refers to.
    Garbage(u32),
    /// A weak reference to a value of the stack.
    Weak(usize),
    /// Pushes what a weak reference refers to.
    LoadWeak(usize),
    DropWeak(usize),
    /// Sets a key of the ephemeron map: key, value.
    SetEphemeron(usize, usize),
    /// Pushes the value of a key.
    LoadEphemeron(usize),
    RemoveEphemeron(usize),
    /// A finalizer for an object of the stack, with a value that is held: target, value.
    Finalizer(usize, usize),
    Minor,
    Major,
    /// A step of a major collection.
    Mark,
    /// The buffer of remembered slots gets full.
    Lose,
    /// Collections wait from here on, if they do not already, or no longer.
    Hold,
    Release,
}

const AREA_WORDS: usize = 5;

/// The heap and its model.
pub struct Pair {
    w: World,
    area: u32,
    objects: Vec<Object>,
    stack: Vec<Ref>,
    area_refs: [Ref; AREA_WORDS],
    host_refs: [Ref; 3],
    weak: super::weak::Model,
    held: bool,
}

impl Pair {
    /// Both empty.
    pub fn new(options: HeapOptions) -> Pair {
        let nursery_bytes = if options.verify { 65536 } else { 4 * 65536 };
        Pair::over(World::with_nursery(options, nursery_bytes))
    }

    fn over(mut w: World) -> Pair {
        let area = w.heap.alloc_root_area(&mut w.mem, AREA_WORDS as u32).unwrap();
        w.host.words = vec![reference::NULL; 3];
        let (area_refs, host_refs) = ([Ref::Null; AREA_WORDS], [Ref::Null; 3]);
        let weak = super::weak::Model::new(&mut w.heap);
        Pair { w, area, objects: vec![], stack: vec![], area_refs, host_refs, weak, held: false }
    }

    /// Pushes a new object on both sides; nothing happens when the heap is full.
    fn push_new(&mut self, ty: &Arc<GcType>, result: Result<u32, AllocError>, number: u32, len: u32) {
        let value = match result {
            Ok(value) => value,
            Err(AllocError::Full { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        let refs = match &ty.layout {
            ObjectLayout::Struct(layout) => layout.refs.len(),
            ObjectLayout::Array(layout) => {
                if layout.element == Width::Ref {
                    len as usize
                } else {
                    0
                }
            }
        };
        self.objects.push(Object { ty: ty.clone(), refs: vec![Ref::Null; refs], number, len });
        self.w.push(value);
        self.stack.push(Ref::Object(self.objects.len() - 1));
    }

    fn push(&mut self, value: u32, model: Ref) {
        self.w.push(value);
        self.stack.push(model);
    }

    /// The `n`th word of the stack on both sides, if it has any.
    fn at(&self, n: usize) -> Option<(u32, Ref)> {
        let n = n.checked_rem(self.stack.len())?;
        Some((self.w.top((self.stack.len() - 1 - n) as u32), self.stack[n]))
    }

    /// A slot of an object: the object, the offset, the number of the object and of its slot.
    fn slot(&self, object: usize, n: usize) -> Option<(u32, u32, usize, usize)> {
        let (value, Ref::Object(model)) = self.at(object)? else { return None };
        let Object { ty, refs, .. } = &self.objects[model];
        let n = n.checked_rem(refs.len())?;
        Some((value, offset(ty, n), model, n))
    }

    /// Runs a step on both sides; `None` when it made no sense.
    pub fn step(&mut self, step: &Step) -> Option<()> {
        let types = self.w.types.clone();
        let Types { pair, wide, huge, bytes, refs, host, .. } = &*types;
        match *step {
            Step::Pair(number) => {
                let new = self.w.try_struct(pair, number);
                self.push_new(pair, new, number, 0);
            }
            Step::Wide(number) => {
                let new = self.w.try_struct(wide, number);
                self.push_new(wide, new, number, 0);
            }
            Step::Huge => {
                let new = self.w.try_struct(huge, 0);
                self.push_new(huge, new, 0, 0);
            }
            Step::Bytes(len) => {
                let new = self.w.try_array(bytes, len, len);
                self.push_new(bytes, new, len, len);
            }
            Step::Refs(len) => {
                let new = self.w.try_array(refs, len, 0);
                self.push_new(refs, new, 0, len);
            }
            Step::Host(slot) => {
                let new = self.w.heap.alloc_object(&mut self.w.mem, &mut self.w.host, host);
                let set_up = new.inspect(|&value| self.w.set_word(reference::header(value) + HOST_SLOT, slot));
                self.push_new(host, set_up, slot, 0);
            }
            Step::PushNull => self.push(reference::NULL, Ref::Null),
            Step::PushI31(n) => self.push(reference::i31(n), Ref::I31(n)),
            Step::PushCopy(n) => {
                let (value, model) = self.at(n)?;
                self.push(value, model);
            }
            Step::Pop => {
                self.stack.pop()?;
                self.w.pop();
            }
            Step::Load(object, n) => {
                let (value, offset, model, n) = self.slot(object, n)?;
                self.push(self.w.get(value, offset), self.objects[model].refs[n]);
            }
            Step::Store(object, n, from) => {
                let (value, offset, model, n) = self.slot(object, n)?;
                let (word, new) = self.at(from)?;
                self.w.set(value, offset, word);
                self.objects[model].refs[n] = new;
            }
            Step::Fill(object, from) => {
                let (value, _, model, _) = self.slot(object, 0)?;
                let (word, new) = self.at(from)?;
                let Object { ty, refs: all, .. } = &mut self.objects[model];
                let is_array = ty.index == refs.index;
                let first = if is_array { from % all.len() } else { 0 };
                for (n, slot) in all.iter_mut().enumerate().skip(first) {
                    self.w.set_word(reference::header(value) + offset(ty, n), word);
                    *slot = new;
                }
                let count = (all.len() - first) as u32;
                match is_array {
                    true => self.w.heap.remember_elements(&mut self.w.mem, value, first as u32, count),
                    false => self.w.heap.remember_object(&mut self.w.mem, value),
                }
            }
            Step::StoreArea(n, from) => {
                let (word, new) = self.at(from)?;
                self.w.set_word(self.area + 4 * (n % AREA_WORDS) as u32, word);
                self.area_refs[n % AREA_WORDS] = new;
            }
            Step::LoadArea(n) => {
                let n = n % AREA_WORDS;
                self.push(self.w.word(self.area + 4 * n as u32), self.area_refs[n]);
            }
            Step::StoreHost(n, from) => {
                let (word, new) = self.at(from)?;
                self.w.host.words[n % 3] = word;
                self.host_refs[n % 3] = new;
            }
            Step::LoadHost(n) => self.push(self.w.host.words[n % 3], self.host_refs[n % 3]),
            Step::Garbage(n) => (0..n).for_each(|n| drop(self.w.try_struct(pair, n))),
            Step::Weak(n) => {
                let (word, model) = self.at(n)?;
                self.weak.new_weak(&mut self.w.heap, word, model);
            }
            Step::LoadWeak(n) => {
                let (word, model) = self.weak.load(&self.w.heap, n)?;
                self.push(word, model);
            }
            Step::DropWeak(n) => self.weak.drop_weak(n),
            Step::SetEphemeron(key, value) => {
                let ((key, model), value) = (self.at(key)?, self.at(value)?);
                self.weak.set(&mut self.w.heap, (key, model), value);
            }
            Step::LoadEphemeron(n) => {
                let (key, model) = self.at(n)?;
                let (word, model) = self.weak.get(&self.w.heap, key, model)?;
                self.push(word, model);
            }
            Step::RemoveEphemeron(n) => {
                let (key, model) = self.at(n)?;
                self.weak.remove(&mut self.w.heap, key, model);
            }
            Step::Finalizer(target, held) => {
                let (target, held) = (self.at(target)?, self.at(held)?);
                self.weak.watch(&mut self.w.heap, target, held);
            }
            Step::Minor => self.w.minor(),
            Step::Major => self.w.major(),
            Step::Mark => self.w.step(),
            Step::Lose => self.w.lose_remembered(),
            Step::Hold => self.hold(true),
            Step::Release => self.hold(false),
        }
        Some(())
    }

    fn hold(&mut self, held: bool) {
        match (std::mem::replace(&mut self.held, held), held) {
            (false, true) => self.w.heap.hold(),
            (true, false) => self.w.heap.release(),
            _ => {}
        }
    }

    /// Walks both graphs. `exact`: nothing has happened since a major collection, so that what is not
    /// reachable is known to be dead.
    pub fn compare(&mut self, exact: bool) -> Result<(), String> {
        self.w.verify().map_err(|err| format!("{err:?}"))?;
        let mut todo: Vec<(u32, Ref)> = (0..self.stack.len()).filter_map(|n| self.at(n)).collect();
        for (n, &model) in self.area_refs.iter().enumerate() {
            todo.push((self.w.word(self.area + 4 * n as u32), model));
        }
        todo.extend(self.w.host.words.iter().copied().zip(self.host_refs));
        todo.extend(self.weak.held(&mut self.w.heap));
        let (mut there, mut back) = (HashMap::new(), HashMap::new());
        loop {
            let Some((value, model)) = todo.pop() else {
                todo = self.weak.values_of(&self.w.heap, &there)?;
                if todo.is_empty() {
                    break;
                }
                continue;
            };
            let id = match model {
                Ref::Null => {
                    same("null", value, reference::NULL)?;
                    continue;
                }
                Ref::I31(n) => {
                    same("i31", value, reference::i31(n))?;
                    continue;
                }
                Ref::Object(id) => id,
            };
            let (seen, seen_back) = (there.insert(id, value), back.insert(value, id));
            same("address of the object", seen.unwrap_or(value), value)?;
            same("object at the address", seen_back.unwrap_or(id), id)?;
            if seen.is_some() {
                continue;
            }
            let object = &self.objects[id];
            self.compare_data(value, object)?;
            for (n, &model) in object.refs.iter().enumerate() {
                let word = self.w.get(value, offset(&object.ty, n));
                // Most of a large array is null.
                if model != Ref::Null || word != reference::NULL {
                    todo.push((word, model));
                }
            }
        }
        let objects = &self.objects;
        self.weak.compare(&self.w.heap, &there, exact, |id| &objects[id].refs)
    }

    fn compare_data(&self, value: u32, object: &Object) -> Result<(), String> {
        let ty = self.w.heap.type_of(&self.w.mem, value).ok_or_else(|| format!("{value:#x} has no type"))?;
        same("type", ty.index, object.ty.index)?;
        match &ty.layout {
            ObjectLayout::Struct(layout) => {
                let mut plain = layout.fields.iter().filter(|field| field.width != Width::Ref);
                plain.try_for_each(|field| same("field", self.w.get(value, field.offset), object.number))
            }
            ObjectLayout::Array(layout) => {
                same("length", self.w.heap.array_len(&self.w.mem, value), Some(object.len))?;
                if layout.element == Width::I8 {
                    let start = (reference::header(value) + ARRAY_ELEMENTS) as usize;
                    let elements = &self.w.mem.bytes()[start..start + object.len as usize];
                    let other = elements.iter().copied().filter(|&byte| byte != object.number as u8).max();
                    same("an element that was not stored", other, None)?;
                }
                Ok(())
            }
        }
    }
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:x?}, expected {expected:x?}")) }
}

/// The offset of an object's `n`th reference.
fn offset(ty: &GcType, n: usize) -> u32 {
    match &ty.layout {
        ObjectLayout::Struct(layout) => layout.refs[n],
        ObjectLayout::Array(_) => ARRAY_ELEMENTS + 4 * n as u32,
    }
}

/// Runs a program on both sides; the error says what differs. `requests`: how often memory may still
/// grow.
pub fn run(options: HeapOptions, requests: u64, steps: &[Step]) -> Result<(), String> {
    run_in(Pair::new(options), requests, steps, 8)
}

/// The same in a given world, where both sides are compared at the end.
pub fn run_light(world: World, requests: u64, steps: &[Step]) -> Result<(), String> {
    run_in(Pair::over(world), requests, steps, usize::MAX)
}

/// Both sides are compared after every so many steps.
fn run_in(mut pair: Pair, requests: u64, steps: &[Step], every: usize) -> Result<(), String> {
    pair.w.mem.requests = requests;
    for (n, step) in steps.iter().enumerate() {
        pair.step(step);
        if n % every == every - 1 {
            pair.compare(matches!(step, Step::Major) && !pair.held)
                .map_err(|what| format!("after step {n}: {what}"))?;
        }
    }
    pair.hold(false);
    pair.w.major();
    pair.compare(true).map_err(|what| format!("at the end: {what}"))
}
