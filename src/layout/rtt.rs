//! The RTT record: the run-time type that an object's header points to.
//!
//! ```text
//!  record + 0   header: the record of records (an RTT value is a reference to this very object)
//!         + 4   type id: the collector's index for the trace descriptor
//!         + 8   kind
//!         + 12  depth: how many proper supertypes
//!         + 16  display: the records of the supertypes, topmost first, then this record, then
//!               zeroes up to at least `MIN_DISPLAY` entries
//! ```
//!
//! A subtype test against a type of depth `d` loads display entry `d` and compares it with the
//! address of that type's record (Cohen 1991; the display of the explicit-RTT proposal). For
//! `d < MIN_DISPLAY` the entry always exists, so no bounds check on the depth is needed.
//!
//! The records of types are immortal (those of descriptors and of `rtt.sub` are not), and their addresses are the same in
//! every store of an engine: lowered code holds them as constants.

use super::object::ObjectLayout;
use crate::types::{CompositeKind, TypeDef, TypeId, TypeRegistry};
use std::sync::{Arc, RwLock};

/// Offset of the type id in a record.
pub const RTT_TYPE_ID: u32 = 4;
/// Offset of the kind.
pub const RTT_KIND: u32 = 8;
/// Offset of the depth.
pub const RTT_DEPTH: u32 = 12;
/// Offset of the display.
pub const RTT_DISPLAY: u32 = 16;
/// Every record has at least this many display entries.
pub const MIN_DISPLAY: u32 = 6;

/// The longest display: as deep as subtyping goes (63 supertypes), and the type itself.
pub const MAX_DISPLAY: u32 = 64;
/// Offset of the first field of a *descriptor* (custom descriptors proposal): an object that is an RTT
/// record as well, with a display of the greatest length, so that fields are where those of the
/// supertype are.
pub const DESCRIPTOR_FIELDS: u32 = RTT_DISPLAY + 4 * MAX_DISPLAY;

/// What an object is, as its record tells. `Kind as u32` is what the record holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u32)]
pub enum Kind {
    /// A struct.
    Struct = 1,
    /// An array.
    Array = 2,
    /// An RTT record itself.
    Rtt = 3,
    /// A host value: one word, a slot of the store's host table.
    Host = 4,
    /// A function: there are records of function types, but no objects.
    Func = 5,
}

/// Kinds up to this one are in the `eq` hierarchy.
pub const LAST_EQ_KIND: u32 = Kind::Rtt as u32;

/// Offset from the header of a host object's slot number.
pub const HOST_SLOT: u32 = 4;
/// Size of a host object in bytes.
pub const HOST_BYTES: u32 = 8;

/// The address of an RTT record in the heap memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct RttAddr(pub u32);

/// A type that has objects: what the collector traces by and lowered code compares with.
#[derive(Debug)]
pub struct GcType {
    /// The collector's number for it: its position in [`GcTypes`].
    pub index: u32,
    /// The canonical type; `None` for the built-in kinds.
    pub id: Option<TypeId>,
    /// Its definition; `None` for the built-in kinds.
    pub def: Option<Arc<TypeDef>>,
    /// What its objects are.
    pub kind: Kind,
    /// Its objects have records of their own: custom descriptors.
    pub has_descriptor: bool,
    /// Where its record is.
    pub rtt: RttAddr,
    /// Records of its supertypes, topmost first, then its own.
    pub display: Box<[RttAddr]>,
    /// The layout of its objects.
    pub layout: ObjectLayout,
}

impl GcType {
    /// Whether its objects are RTT records, which never move.
    pub fn is_record(&self) -> bool {
        self.kind == Kind::Rtt || self.def.as_ref().is_some_and(|def| def.sub.describes.is_some())
    }

    /// How many proper supertypes it has.
    pub fn depth(&self) -> u32 {
        self.display.len() as u32 - 1
    }

    /// Size of its record in bytes.
    pub fn record_bytes(&self) -> u32 {
        RTT_DISPLAY + 4 * (self.display.len() as u32).max(MIN_DISPLAY)
    }

    /// The words of its record, header first.
    pub fn record(&self, rtt_of_rtts: RttAddr) -> Vec<u32> {
        let mut words = vec![rtt_of_rtts.0, self.index, self.kind as u32, self.depth()];
        words.extend(self.display.iter().map(|rtt| rtt.0));
        words.resize((self.record_bytes() / 4) as usize, 0);
        words
    }
}

/// Index of the record of records.
pub const RTT_OF_RTTS: u32 = 0;
/// Index of the record of host values.
pub const RTT_OF_HOSTS: u32 = 1;
/// Index of the array type of the runtime's own reference arrays (lowered tables, element segments).
pub const RTT_OF_TABLES: u32 = 2;

/// An engine's types that have objects, each with the address of its record. Only grows.
#[derive(Debug)]
pub struct GcTypes {
    registry: Arc<TypeRegistry>,
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    types: Vec<Arc<GcType>>,
    by_id: Vec<Option<u32>>,
    end: u32,
}

impl GcTypes {
    /// The built-in types, with records from address `start` on.
    pub fn new(registry: Arc<TypeRegistry>, start: u32) -> GcTypes {
        use super::object::{ArrayLayout, FieldLayout, StructLayout, Width};
        let word = FieldLayout { offset: HOST_SLOT, width: Width::I32 };
        let mut inner = Inner { types: Vec::new(), by_id: Vec::new(), end: start };
        let fixed = |fields: &[FieldLayout], bytes| {
            ObjectLayout::Struct(StructLayout { bytes, fields: fields.into(), refs: [].into() })
        };
        inner.push(None, Kind::Rtt, &[], fixed(&[], RTT_DISPLAY));
        inner.push(None, Kind::Host, &[], fixed(&[word], HOST_BYTES));
        inner.push(None, Kind::Array, &[], ObjectLayout::Array(ArrayLayout { element: Width::Ref }));
        GcTypes { registry, inner: RwLock::new(inner) }
    }

    /// The registry of canonical types behind it.
    pub fn registry(&self) -> &Arc<TypeRegistry> {
        &self.registry
    }

    /// The type with this canonical id, entered if it is new; `None` for a function type or an
    /// unknown id, or when the address space of records is used up.
    pub fn ensure(&self, id: TypeId) -> Option<Arc<GcType>> {
        if let Some(ty) = self.read().get(id) {
            return Some(ty);
        }
        let def = self.registry.get(id)?;
        let mut inner = match self.inner.write() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        inner.ensure(&def, &self.registry)
    }

    /// The same for a type of any kind. The record of a function type is an RTT that no object has.
    pub fn ensure_record(&self, id: TypeId) -> Option<Arc<GcType>> {
        if let Some(ty) = self.ensure(id) {
            return Some(ty);
        }
        let def = self.registry.get(id).filter(|def| def.sub.composite.is_func())?;
        let mut inner = match self.inner.write() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(ty) = inner.get(id) {
            return Some(ty);
        }
        let layout = ObjectLayout::Struct(super::object::StructLayout::new(&[], super::object::HEADER_BYTES));
        Some(inner.push(Some(def), Kind::Func, &[], layout))
    }

    /// A built-in type, by one of the `RTT_OF_…` indices.
    pub fn builtin(&self, index: u32) -> Arc<GcType> {
        self.read().types[index as usize].clone()
    }

    /// The type with an index.
    pub fn at(&self, index: u32) -> Option<Arc<GcType>> {
        self.read().types.get(index as usize).cloned()
    }

    /// All types from index `from` on: what a store that knows `from` types has yet to learn.
    pub fn since(&self, from: usize) -> Vec<Arc<GcType>> {
        self.read().types.get(from..).unwrap_or_default().to_vec()
    }

    /// The first address behind all records.
    pub fn end(&self) -> u32 {
        self.read().end
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        match self.inner.read() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

impl Inner {
    fn get(&self, id: TypeId) -> Option<Arc<GcType>> {
        let index = (*self.by_id.get(id.0 as usize)?)?;
        Some(self.types[index as usize].clone())
    }

    fn ensure(&mut self, def: &Arc<TypeDef>, registry: &TypeRegistry) -> Option<Arc<GcType>> {
        if let Some(ty) = self.get(def.id) {
            return Some(ty);
        }
        let layout = ObjectLayout::of(&def.sub)?;
        let mut supers = Vec::new();
        for &sup in &def.display[..def.depth() as usize] {
            supers.push(self.ensure(&registry.get(sup)?, registry)?.rtt);
        }
        let kind = match def.sub.composite.kind() {
            CompositeKind::Struct => Kind::Struct,
            CompositeKind::Array => Kind::Array,
            CompositeKind::Func => return None,
        };
        // Keep records below 1 GiB: far more than any engine can hold types.
        if self.end > 1 << 30 {
            return None;
        }
        Some(self.push(Some(def.clone()), kind, &supers, layout))
    }

    fn push(&mut self, def: Option<Arc<TypeDef>>, kind: Kind, supers: &[RttAddr], layout: ObjectLayout) -> Arc<GcType> {
        let rtt = RttAddr(self.end);
        let index = self.types.len() as u32;
        let display = supers.iter().copied().chain([rtt]).collect();
        let id = def.as_ref().map(|def| def.id);
        let has_descriptor = kind == Kind::Func || def.as_ref().is_some_and(|def| def.sub.descriptor.is_some());
        let ty = Arc::new(GcType { index, id, def, kind, has_descriptor, rtt, display, layout });
        self.end += ty.record_bytes();
        if let Some(id) = id {
            let slot = id.0 as usize;
            if self.by_id.len() <= slot {
                self.by_id.resize(slot + 1, None);
            }
            self.by_id[slot] = Some(index);
        }
        self.types.push(ty.clone());
        ty
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CompositeType, RecGroup, SubType};

    #[test]
    fn records_hold_their_display_and_addresses_are_stable() {
        let registry = Arc::new(TypeRegistry::new());
        let ty = |sup| SubType::new(false, sup, CompositeType::Struct([].into()));
        let base = registry.intern(RecGroup { types: vec![ty(None)] }).unwrap();
        let sub = registry.intern(RecGroup { types: vec![ty(Some(base))] }).unwrap();
        let types = GcTypes::new(registry, 4096);
        let sub = types.ensure(sub).unwrap();
        let base = types.ensure(base).unwrap();
        assert_eq!(&*sub.display, &[base.rtt, sub.rtt]);
        let words = sub.record(types.builtin(RTT_OF_RTTS).rtt);
        assert_eq!(&words[..6], &[4096, sub.index, 1, 1, base.rtt.0, sub.rtt.0]);
        assert_eq!(words.len() as u32 * 4, sub.record_bytes());
        assert_eq!(types.since(3).len(), 2);
    }
}
