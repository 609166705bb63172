//! Passes on GC-level IR (being written).

/// Runs the passes.
pub fn optimize(_: &mut crate::ir::Func<'_>, _: &crate::types::TypeTable, _: u8) {}
