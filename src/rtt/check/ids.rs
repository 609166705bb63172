//! Identities of types, as `wasmparser`'s validator wants them: it keeps no indices on its stack.
//!
//! It gives ids to those who have a module validated, and nobody else. So a module of many types is, once for the
//! process; its ids are as good as any, since only [`super::universe::Universe`] ever says what they stand for.

use std::collections::HashMap;
use std::sync::RwLock;
use wasmparser::types::CoreTypeId;
use wasmparser::{Validator, WasmFeatures};

#[derive(Default)]
struct Ids {
    list: Vec<CoreTypeId>,
    numbers: HashMap<CoreTypeId, u32>,
}

static IDS: RwLock<Option<Ids>> = RwLock::new(None);

/// The id with a number; `None` beyond what there can be.
pub(super) fn at(number: u32) -> Option<CoreTypeId> {
    let known = with(|ids| ids.list.get(number as usize).copied());
    known.or_else(|| {
        grow(number);
        with(|ids| ids.list.get(number as usize).copied())
    })
}

/// The number of an id.
pub(super) fn number(id: CoreTypeId) -> Option<u32> {
    with(|ids| ids.numbers.get(&id).copied())
}

fn with<R>(f: impl FnOnce(&Ids) -> Option<R>) -> Option<R> {
    let guard = match IDS.read() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    };
    guard.as_ref().and_then(f)
}

/// Makes ids up to a number, and as many again.
#[cold]
fn grow(number: u32) {
    let mut guard = match IDS.write() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    };
    let ids = guard.get_or_insert_default();
    let wanted = (number as usize + 1).next_power_of_two().clamp(1024, 1 << 19);
    if ids.list.len() >= wanted {
        return;
    }
    let Some(list) = make(wanted) else { return };
    // A validator counts from the start, so the ids that were there come first again.
    if list.starts_with(&ids.list) {
        ids.numbers = (0u32..).zip(&list).map(|(n, &id)| (id, n)).collect();
        ids.list = list;
    }
}

/// The ids of a recursion group of so many types.
fn make(count: usize) -> Option<Vec<CoreTypeId>> {
    let mut section = wasm_encoder::TypeSection::new();
    let empty = || wasm_encoder::SubType {
        is_final: true,
        supertype_idx: None,
        composite_type: wasm_encoder::CompositeType {
            inner: wasm_encoder::CompositeInnerType::Struct(wasm_encoder::StructType { fields: [].into() }),
            shared: false,
            descriptor: None,
            describes: None,
        },
    };
    section.ty().rec((0..count).map(|_| empty()).collect::<Vec<_>>());
    let mut module = wasm_encoder::Module::new();
    module.section(&section);
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let types = validator.validate_all(&module.finish()).ok()?;
    Some((0..count as u32).map(|n| types.as_ref().core_type_at_in_module(n)).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_stay_what_they_are_when_there_are_more() {
        let (first, some) = (super::at(0).unwrap(), super::at(1000).unwrap());
        assert!(super::at(5000).is_some());
        assert_eq!((super::at(0), super::at(1000)), (Some(first), Some(some)));
        assert_eq!(super::number(some), Some(1000));
    }
}
