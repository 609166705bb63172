//! A mutator: a heap, its memory, and the operations of lowered code done by hand.

use crate::heap::*;
use crate::layout::object::{ARRAY_ELEMENTS, LARGE_OBJECT_BYTES};
use crate::layout::rtt::{HOST_SLOT, RTT_OF_HOSTS};
use crate::layout::{GcType, GcTypes, HeapMap, MapParams, ObjectLayout, Width, reference};
use crate::types::{
    CompositeType, FieldType, HeapType, RecGroup, RefType, StorageType, SubType, TypeRegistry, ValType,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

pub fn any() -> StorageType {
    StorageType::Val(ValType::Ref(RefType::new(true, HeapType::Any)))
}

pub fn i32() -> StorageType {
    StorageType::Val(ValType::I32)
}

/// References in the large struct. Miri takes minutes to set up a map of 3000.
pub const HUGE: usize = if cfg!(miri) { LARGE_OBJECT_BYTES as usize / 4 + 8 } else { 3000 };

/// The types of all tests.
pub struct Types {
    pub all: GcTypes,
    /// Two references and an `i32`.
    pub pair: Arc<GcType>,
    /// 100 references between 50 `i64`.
    pub wide: Arc<GcType>,
    /// [`HUGE`] references: a large struct.
    pub huge: Arc<GcType>,
    /// An array of `i8`.
    pub bytes: Arc<GcType>,
    /// An array of references.
    pub refs: Arc<GcType>,
    /// The built-in type of host values.
    pub host: Arc<GcType>,
}

impl Types {
    pub fn new(map: HeapMap) -> Types {
        Types::with_huge(map, HUGE)
    }

    /// As `new`, but for `huge`, whose map takes longer to set up than a short program to run: it is a pair here.
    pub fn without_huge(map: HeapMap) -> Types {
        Types::with_huge(map, 2)
    }

    fn with_huge(map: HeapMap, refs: usize) -> Types {
        let registry = Arc::new(TypeRegistry::new());
        let all = GcTypes::new(registry.clone(), map.rtt_start);
        let make = |composite| {
            let ty = SubType::new(true, None, composite);
            all.ensure(registry.intern(RecGroup { types: vec![ty] }).unwrap()).unwrap()
        };
        let structure = |fields: Vec<StorageType>| {
            let fields = fields.into_iter().map(|storage| FieldType { storage, mutable: true });
            make(CompositeType::Struct(fields.collect()))
        };
        let array = |storage| make(CompositeType::Array(FieldType { storage, mutable: true }));
        let i64 = StorageType::Val(ValType::I64);
        Types {
            pair: structure(vec![any(), any(), i32()]),
            wide: structure((0..150).map(|i| if i % 3 == 1 { i64 } else { any() }).collect()),
            huge: structure(vec![any(); refs]),
            bytes: array(StorageType::I8),
            refs: array(any()),
            host: all.builtin(RTT_OF_HOSTS),
            all,
        }
    }
}

/// The roots of a host with a table of values.
#[derive(Default, Debug)]
pub struct Host {
    pub words: Vec<u32>,
    /// What host objects hold, by slot.
    pub held: BTreeMap<u32, u32>,
    /// The slots whose word was set since the nursery was last empty.
    pub recent: BTreeSet<u32>,
    pub marked: BTreeSet<u32>,
    /// The slots that the last major collection found alive.
    pub alive: BTreeSet<u32>,
}

impl Roots for Host {
    fn each(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        self.words.iter_mut().for_each(visit);
    }

    fn each_recent(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        for slot in &self.recent {
            self.held.get_mut(slot).into_iter().for_each(&mut *visit);
        }
    }

    fn nursery_emptied(&mut self) {
        self.recent.clear();
    }

    fn mark_host_slot(&mut self, slot: u32, visit: &mut dyn FnMut(&mut u32)) {
        self.marked.insert(slot);
        self.held.get_mut(&slot).into_iter().for_each(visit);
    }

    fn sweep_host_slots(&mut self) {
        self.alive = std::mem::take(&mut self.marked);
        self.held.retain(|slot, _| self.alive.contains(slot));
        // Young objects may have stayed where they were.
        self.recent = self.held.keys().copied().collect();
    }
}

/// A memory that counts down to a refusal.
pub struct TestMemory {
    pub inner: VecMemory,
    /// Refuse from this request on.
    pub requests: u64,
}

impl HeapMemory for TestMemory {
    fn bytes(&self) -> &[u8] {
        self.inner.bytes()
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.inner.bytes_mut()
    }

    fn grow_to(&mut self, len: u64) -> Result<(), GrowRefused> {
        if len <= self.inner.bytes().len() as u64 {
            return Ok(());
        }
        self.requests = self.requests.checked_sub(1).ok_or(GrowRefused)?;
        self.inner.grow_to(len)
    }
}

pub struct World {
    pub types: Arc<Types>,
    pub map: HeapMap,
    pub mem: TestMemory,
    pub heap: Heap,
    pub host: Host,
}

/// Small, and with all debugging aids.
pub fn options() -> HeapOptions {
    HeapOptions {
        poison: true,
        verify: true,
        growth_bytes: 65536,
        minimum: 1 << 18,
        step_least: 0,
        ..Default::default()
    }
}

fn smallest() -> HeapMap {
    HeapMap::new(MapParams { stack_bytes: 65536, nursery_bytes: 65536 })
}

impl World {
    /// A world with the smallest nursery that there is.
    pub fn new(options: HeapOptions) -> World {
        /// Worlds do not change their types, and under Miri it takes half a minute to make them.
        static TYPES: LazyLock<Arc<Types>> = LazyLock::new(|| Arc::new(Types::new(smallest())));
        World::with_types(options, smallest(), TYPES.clone())
    }

    pub fn with_nursery(options: HeapOptions, nursery_bytes: u32) -> World {
        let map = HeapMap::new(MapParams { stack_bytes: 65536, nursery_bytes });
        World::with_types(options, map, Arc::new(Types::new(map)))
    }

    /// A world over types that others may have, too.
    pub fn with_types(options: HeapOptions, map: HeapMap, types: Arc<Types>) -> World {
        let mut mem = TestMemory { inner: VecMemory::new(u64::MAX), requests: u64::MAX };
        let heap = Heap::new(&mut mem, map, &types.all.since(0), types.all.end(), options).unwrap();
        World { types, map, mem, heap, host: Host::default() }
    }

    pub fn word(&self, at: u32) -> u32 {
        let at = at as usize;
        self.mem.bytes()[at..at + 4].iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
    }

    pub fn set_word(&mut self, at: u32, value: u32) {
        self.mem.bytes_mut()[at as usize..at as usize + 4].copy_from_slice(&value.to_le_bytes());
    }

    pub fn is_young(&self, object: u32) -> bool {
        self.map.is_young(reference::header(object))
    }

    /// Raw allocation, as lowered code does it.
    pub fn try_alloc(&mut self, size: u32) -> Result<u32, AllocError> {
        let (bump, limit) = (self.word(self.map.bump_cell()), self.word(self.map.limit_cell()));
        if size < LARGE_OBJECT_BYTES && bump + size <= limit {
            self.set_word(self.map.bump_cell(), bump + size);
            return Ok(reference::from_header(bump));
        }
        self.heap.alloc(&mut self.mem, &mut self.host, size)
    }

    /// A struct with null references and a number in its other words.
    pub fn try_struct(&mut self, ty: &GcType, number: u32) -> Result<u32, AllocError> {
        let ObjectLayout::Struct(layout) = &ty.layout else { panic!("no struct") };
        let object = self.try_alloc(layout.bytes)?;
        let at = reference::header(object);
        self.set_word(at, ty.rtt.0);
        for offset in (4..layout.bytes).step_by(4) {
            self.set_word(at + offset, number);
        }
        for &offset in &layout.refs {
            self.set_word(at + offset, reference::NULL);
        }
        Ok(object)
    }

    /// An array of nulls, or of bytes that are a number's lowest.
    pub fn try_array(&mut self, ty: &GcType, len: u32, number: u32) -> Result<u32, AllocError> {
        let ObjectLayout::Array(layout) = &ty.layout else { panic!("no array") };
        let object = self.heap.alloc_array(&mut self.mem, &mut self.host, ty.rtt, len)?;
        let start = (reference::header(object) + ARRAY_ELEMENTS) as usize;
        let end = start + (len * layout.element.bytes()) as usize;
        let byte = if layout.element == Width::Ref { 0xFF } else { number as u8 };
        self.mem.bytes_mut()[start..end].fill(byte);
        Ok(object)
    }

    pub fn pair(&mut self, number: u32) -> u32 {
        let ty = self.types.pair.clone();
        self.try_struct(&ty, number).unwrap()
    }

    pub fn host_object(&mut self, slot: u32) -> u32 {
        let ty = self.types.host.clone();
        let object = self.heap.alloc_object(&mut self.mem, &mut self.host, &ty).unwrap();
        self.set_word(reference::header(object) + HOST_SLOT, slot);
        object
    }

    /// Makes the host object with a slot hold a reference.
    pub fn hold(&mut self, slot: u32, word: u32) {
        self.host.held.insert(slot, word);
        self.host.recent.insert(slot);
    }

    pub fn get(&self, object: u32, offset: u32) -> u32 {
        self.word(reference::header(object) + offset)
    }

    /// A store with the barrier of lowered code.
    pub fn set(&mut self, object: u32, offset: u32, value: u32) {
        let slot = reference::header(object) + offset;
        let refers_to_young = |w: &Self, value| reference::is_object(value) && w.is_young(value);
        let below = reference::is_object(value) && value < self.word(self.map.boundary_cell());
        if !self.is_young(object) && below && !refers_to_young(self, self.word(slot)) {
            self.remember(slot);
        }
        self.set_word(slot, value);
    }

    fn remember(&mut self, slot: u32) {
        let entry = self.word(self.map.remembered_cell());
        self.set_word(entry, slot);
        let has_room = entry < self.word(self.map.remembered_last_cell());
        self.set_word(self.map.remembered_cell(), entry + 4 * u32::from(has_room));
    }

    /// As if so many slots had been remembered that some were lost: they are not what they were.
    pub fn lose_remembered(&mut self) {
        let last = self.word(self.map.remembered_last_cell());
        while self.word(self.map.remembered_cell()) < last {
            self.remember(self.map.pending_cell());
        }
        self.set_word(last - 4, self.map.pending_cell());
    }

    pub fn sp(&self) -> u32 {
        self.word(self.map.sp_cell())
    }

    pub fn push(&mut self, value: u32) {
        let sp = self.sp() - 4;
        self.set_word(sp, value);
        self.set_word(self.map.sp_cell(), sp);
    }

    pub fn pop(&mut self) -> u32 {
        let sp = self.sp();
        self.set_word(self.map.sp_cell(), sp + 4);
        self.word(sp)
    }

    /// The `n`th word from the top of the stack.
    pub fn top(&self, n: u32) -> u32 {
        self.word(self.sp() + 4 * n)
    }

    pub fn minor(&mut self) {
        self.heap.collect(&mut self.mem, &mut self.host, CollectKind::Minor).unwrap();
    }

    pub fn major(&mut self) {
        self.heap.collect(&mut self.mem, &mut self.host, CollectKind::Major).unwrap();
    }

    /// A step of a major collection, or the first.
    pub fn step(&mut self) {
        self.heap.collect(&mut self.mem, &mut self.host, CollectKind::Step).unwrap();
    }

    pub fn verify(&mut self) -> Result<(), VerifyError> {
        self.heap.verify(&self.mem, &mut self.host)
    }

    /// Pushes a list of pairs with the numbers `from .. to`, the first of them at its head.
    pub fn push_list(&mut self, from: u32, to: u32) {
        self.push(reference::NULL);
        for number in (from..to).rev() {
            let head = self.pair(number);
            let tail = self.pop();
            self.set(head, 4, tail);
            self.push(head);
        }
    }

    /// The numbers of a list.
    pub fn list(&self, mut head: u32) -> Vec<u32> {
        let mut numbers = vec![];
        while head != reference::NULL {
            numbers.push(self.get(head, 12));
            head = self.get(head, 4);
        }
        numbers
    }
}
