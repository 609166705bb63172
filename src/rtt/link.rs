//! Type imports and exports: a module that imports types is a pattern, and linking gives it the types.
//!
//! An imported type is abstract while the module is checked: below its bound, and equal to nothing else. When the
//! module is instantiated, the exported definition takes the import's place, the bound is asked for, and the module is
//! compiled again, now with all that the exporter knows of its type: that is how the functions and globals that speak
//! of it come to have equal types on both sides. Definitions travel whole, with everything that they refer to.
//!
//! Source: the type imports proposal, in its form of 2021.

use super::ast::{Def, Heap, Item, Module};
use super::structural::{Structural, map};
use crate::fault::{Error, Result};
use std::sync::Arc;

/// A type that a module exports, with all definitions around it.
#[derive(Clone, Debug)]
pub struct TypeExport {
    /// Its name.
    pub name: String,
    module: Arc<Module>,
    heap: Heap,
}

/// A type that a module imports.
#[derive(Clone, Copy, Debug)]
pub struct TypeImport<'a> {
    /// Module name.
    pub module: &'a str,
    /// Field name.
    pub name: &'a str,
}

/// The types that a module imports, in order.
pub fn imports(module: &Module) -> impl Iterator<Item = TypeImport<'_>> {
    module.types.iter().filter_map(|(def, _)| match def {
        Def::Import { module, name, .. } => Some(TypeImport { module, name }),
        _ => None,
    })
}

/// The types that a module exports.
pub fn exports(module: &Arc<Module>) -> Vec<TypeExport> {
    let exports = module.exports.iter().filter_map(|export| match export.item {
        Item::Type(heap) => Some(TypeExport { name: export.name.clone(), module: module.clone(), heap }),
        _ => None,
    });
    exports.collect()
}

/// The module with a type for each of its imports.
///
/// # Errors
///
/// `Invalid` when a type does not match its bound.
pub fn specialize(module: &Module, given: &[TypeExport]) -> Result<Module> {
    let mut out = module.clone();
    let mut given = given.iter();
    let mut bounds = Vec::new();
    for (index, (def, at)) in module.types.iter().enumerate() {
        let Def::Import { module: from, name, exact, bound } = def else { continue };
        let refused = |why: &str| Error::Invalid {
            offset: *at,
            message: format!("incompatible import type for `{from}::{name}`: {why}"),
        };
        let export = given.next().ok_or_else(|| Error::bug("a type import without a type"))?;
        let Heap::Type(root) = export.heap else { return Err(refused("only defined types can be imported")) };
        let base = out.types.len() as u32;
        out.types.extend(export.module.types.iter().map(|(def, _)| (map(def, &|index| index + base), *at)));
        let root = out.types.get((base + root) as usize).map(|(def, _)| def.clone());
        let root = root.ok_or_else(|| Error::bug("a type export without its type"))?;
        if matches!(root, Def::Import { .. }) {
            return Err(refused("the exporter does not know the type itself"));
        }
        if let Some(slot) = out.types.get_mut(index) {
            slot.0 = root;
        }
        bounds.push((index as u32, *exact, *bound, refused("the type does not match the bound")));
    }
    let types = Structural::new(&out.types, out.types.len())?;
    let class = |index: u32| types.class_of.get(index as usize).copied().unwrap_or(0);
    for (index, exact, bound, refused) in bounds {
        let (given, bound) = (Heap::Type(class(index)), super::structural::map_heap(bound, &mut |index| class(index)));
        if !types.is_sub(given, bound) || exact && given != bound {
            return Err(refused);
        }
    }
    Ok(out)
}
