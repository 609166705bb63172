//! The engine's table of canonical types: hash-consing of recursion groups.
//!
//! Types are never forgotten while the engine lives: an id stays valid, and the collector's records
//! for it stay where they are. Equal groups share ids, so that loading the same module again adds
//! nothing.

use super::rec_group::{RecGroup, RecRef, SubType};
use super::val_type::TypeId;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// A canonical type definition.
#[derive(Debug)]
pub struct TypeDef {
    /// Its identity.
    pub id: TypeId,
    /// The definition, in canonical ids.
    pub sub: SubType,
    /// All proper supertypes, the topmost first, then this type itself: the *display* of Cohen's
    /// subtype test (N. Cohen, "Type-extension type tests can be performed in constant time", 1991).
    pub display: Arc<[TypeId]>,
    /// A digest of the whole group and of the position in it, equal in every engine and process.
    pub digest: [u8; 32],
    /// How many types the recursion group has.
    pub group_len: u32,
    /// Position in the recursion group.
    pub group_pos: u32,
}

impl TypeDef {
    /// How many declared supertypes lie above this type.
    pub fn depth(&self) -> u32 {
        self.display.len() as u32 - 1
    }

    /// The first type of the recursion group that this one is in.
    pub fn group_start(&self) -> TypeId {
        TypeId(self.id.0 - self.group_pos)
    }
}

/// Why a recursion group was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypesError {
    /// The engine's 2^31 - 1 canonical types are used up.
    #[error("the engine holds too many types; create a new `Engine`")]
    Full,
    /// A type names another that is neither canonical nor in its own group.
    #[error("recursion group refers to unknown type {0}")]
    UnknownType(u32),
    /// A type could not be written down for its digest: a bug.
    #[error("a type of the recursion group could not be written down (please report this bug)")]
    Unwritable,
}

#[derive(Default)]
struct Inner {
    defs: Vec<Arc<TypeDef>>,
    groups: HashMap<Arc<RecGroup>, TypeId>,
}

/// Hash-conses recursion groups. Shared by all modules of an engine; safe to use from any thread.
#[derive(Default)]
pub struct TypeRegistry {
    inner: RwLock<Inner>,
}

impl std::fmt::Debug for TypeRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TypeRegistry").field("types", &self.len()).finish()
    }
}

impl TypeRegistry {
    /// An empty registry.
    pub fn new() -> TypeRegistry {
        TypeRegistry::default()
    }

    /// How many types are canonical so far; ids are below this number.
    pub fn len(&self) -> usize {
        self.read().defs.len()
    }

    /// Whether no type was interned yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The definition of a canonical type, if there is one with this id.
    pub fn get(&self, id: TypeId) -> Option<Arc<TypeDef>> {
        self.read().defs.get(id.0 as usize).cloned()
    }

    /// The canonical ids of a group's types: the first of them, the others follow in order.
    ///
    /// # Errors
    ///
    /// When a type is named that does not exist, or when the engine is full.
    pub fn intern(&self, group: RecGroup) -> Result<TypeId, TypesError> {
        if let Some(&first) = self.read().groups.get(&group) {
            return Ok(first);
        }
        let mut inner = match self.inner.write() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(&first) = inner.groups.get(&group) {
            return Ok(first);
        }
        inner.insert(group)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        match self.inner.read() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

impl Inner {
    fn insert(&mut self, group: RecGroup) -> Result<TypeId, TypesError> {
        let first = self.defs.len() as u32;
        let len = group.types.len() as u32;
        if first.checked_add(len).is_none_or(|end| end >= RecGroup::LOCAL) {
            return Err(TypesError::Full);
        }
        let group_digest = self.digest(&group)?;
        for (pos, sub) in (0u32..).zip(&group.types) {
            let mut sub = sub.clone();
            let mut unknown = None;
            sub.map_ids(&mut |id| match RecGroup::classify(id) {
                RecRef::Canon(id) => id,
                RecRef::Group(n) if n < len => TypeId(first + n),
                RecRef::Group(n) => {
                    unknown = Some(n);
                    id
                }
            });
            if let Some(n) = unknown {
                self.defs.truncate(first as usize);
                return Err(TypesError::UnknownType(n));
            }
            let id = TypeId(first + pos);
            let mut display = match sub.supertype {
                // The supertype of a valid module comes earlier, so its definition is there.
                Some(sup) => match self.defs.get(sup.0 as usize) {
                    Some(def) => def.display.to_vec(),
                    None => {
                        self.defs.truncate(first as usize);
                        return Err(TypesError::UnknownType(sup.0));
                    }
                },
                None => Vec::new(),
            };
            display.push(id);
            let digest = Sha256::new().chain_update(group_digest).chain_update(pos.to_le_bytes()).finalize().into();
            self.defs.push(Arc::new(TypeDef {
                id,
                sub,
                display: display.into(),
                digest,
                group_len: len,
                group_pos: pos,
            }));
        }
        self.groups.insert(Arc::new(group), TypeId(first));
        Ok(TypeId(first))
    }

    /// The digest of a rolled-up group: of its types as `postcard` writes them, which is the same on every platform and
    /// can be read back, so that no two groups share it. Canonical ids in it are replaced by the digests of what they
    /// name.
    fn digest(&self, group: &RecGroup) -> Result<[u8; 32], TypesError> {
        let mut hash = Sha256::new();
        let mut unknown = None;
        for sub in &group.types {
            let mut shape = sub.clone();
            let mut outside = Vec::new();
            shape.map_ids(&mut |id| match RecGroup::classify(id) {
                RecRef::Group(_) => id,
                RecRef::Canon(canon) => {
                    match self.defs.get(canon.0 as usize) {
                        Some(def) => outside.extend_from_slice(&def.digest),
                        None => unknown = Some(canon.0),
                    }
                    TypeId(0)
                }
            });
            hash.update(postcard::to_allocvec(&shape).map_err(|_| TypesError::Unwritable)?);
            hash.update((outside.len() as u64).to_le_bytes());
            hash.update(outside);
        }
        match unknown {
            Some(id) => Err(TypesError::UnknownType(id)),
            None => Ok(hash.finalize().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

    fn point(sup: Option<TypeId>) -> SubType {
        let field = FieldType { storage: StorageType::Val(ValType::I32), mutable: true };
        SubType::new(false, sup, CompositeType::Struct([field].into()))
    }

    #[test]
    fn equal_groups_share_ids_and_position_matters() {
        let reg = TypeRegistry::new();
        let a = reg.intern(RecGroup { types: vec![point(None)] }).unwrap();
        let b = reg.intern(RecGroup { types: vec![point(None)] }).unwrap();
        assert_eq!(a, b);
        let two = reg.intern(RecGroup { types: vec![point(None), point(None)] }).unwrap();
        assert_ne!(a, two);
        assert_eq!(reg.len(), 3);
        assert_ne!(reg.get(two).unwrap().digest, reg.get(TypeId(two.0 + 1)).unwrap().digest);
    }

    #[test]
    fn digests_agree_between_engines_whatever_came_before() {
        let (one, other) = (TypeRegistry::new(), TypeRegistry::new());
        other.intern(RecGroup { types: vec![point(None), point(None)] }).unwrap();
        let digest = |reg: &TypeRegistry| {
            let base = reg.intern(RecGroup { types: vec![point(None)] }).unwrap();
            let sub = reg.intern(RecGroup { types: vec![point(Some(base))] }).unwrap();
            reg.get(sub).unwrap().digest
        };
        assert_eq!(digest(&one), digest(&other));
    }

    #[test]
    fn display_lists_supertypes_top_down() {
        let reg = TypeRegistry::new();
        let base = reg.intern(RecGroup { types: vec![point(None)] }).unwrap();
        let group = RecGroup { types: vec![point(Some(base)), point(Some(RecGroup::local(0)))] };
        let sub = reg.intern(group).unwrap();
        let leaf = reg.get(TypeId(sub.0 + 1)).unwrap();
        assert_eq!(&*leaf.display, &[base, sub, leaf.id]);
        assert_eq!(leaf.depth(), 2);
    }

    #[test]
    fn unknown_types_are_refused_and_leave_nothing_behind() {
        let reg = TypeRegistry::new();
        let bad = RecGroup { types: vec![point(None), point(Some(RecGroup::local(9)))] };
        assert_eq!(reg.intern(bad), Err(TypesError::UnknownType(9)));
        assert!(reg.is_empty());
    }
}
