//! Exception tags.
//!
//! A tag is an identity and a signature. Lowered modules compare identities; the engine's own tags are
//! never used.

use super::foreign;
use crate::api::Result;
use crate::api::store::{AsContext, AsContextMut, StoreContext};
use crate::api::types::{FuncType, TagType, check_same};
use crate::types::TypeId;

/// A tag of an exception.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    pub(crate) store: u64,
    pub(crate) identity: u32,
}

impl Tag {
    /// A new tag, different from all others.
    ///
    /// # Errors
    ///
    /// When the type's signature has results, or the type is of another engine.
    pub fn new(mut store: impl AsContextMut, ty: &TagType) -> Result<Tag> {
        if ty.ty().results().len() > 0 {
            return Err(super::Error::msg("a tag's signature has no results"));
        }
        let mut cx = store.as_context_mut();
        check_same(ty.ty().engine(), cx.engine())?;
        let gc = &mut cx.inner.data_mut().gc;
        Ok(Tag { store: gc.id, identity: gc.add_tags(&[ty.ty().id()]) })
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn ty(&self, store: impl AsContext) -> TagType {
        let cx = store.as_context();
        match self.type_id(&cx) {
            Ok(id) => TagType::new(FuncType::of(cx.engine(), id)),
            Err(err) => panic!("{err}"),
        }
    }

    /// Whether two tags are the same.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn eq(a: &Tag, b: &Tag, store: impl AsContext) -> bool {
        let cx = store.as_context();
        for tag in [a, b] {
            if let Err(err) = tag.type_id(&cx) {
                panic!("{err}");
            }
        }
        a.identity == b.identity
    }

    /// The canonical type of its signature.
    pub(crate) fn type_id<T: 'static>(&self, cx: &StoreContext<'_, T>) -> Result<TypeId> {
        let gc = &cx.inner.data().gc;
        if gc.id != self.store {
            return Err(foreign());
        }
        gc.tag_type(self.identity).ok_or_else(foreign)
    }
}
