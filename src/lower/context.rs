//! What lowering needs to know of the engine.

use crate::ir::LikelyTargets;
use crate::layout::{GcTypes, HeapMap};
use crate::opt::Passes;
use crate::types::TypeRegistry;
use crate::workers::Workers;
use wasmparser::WasmFeatures;

/// The engine, as far as lowering sees it.
#[derive(Clone, Copy)]
pub struct LowerContext<'e> {
    /// Canonical types.
    pub registry: &'e TypeRegistry,
    /// Object layouts and RTT records.
    pub gc_types: &'e GcTypes,
    /// The fixed addresses.
    pub map: HeapMap,
    /// Features that modules may use.
    pub features: WasmFeatures,
    /// Check for null before an access instead of relying on a fault: for engines without guard
    /// pages.
    pub explicit_null_checks: bool,
    /// Make code that works in other engines with the same map and features too.
    pub relocatable: bool,
    /// 0: no optimisation passes, and allocations by a call; 1: passes that make code smaller; 2 and more: all.
    pub opt_level: u8,
    /// Who works on the functions.
    pub workers: Workers,
    /// Which passes run where the level lets them.
    pub passes: Passes,
    /// Check the root slots of every function after they were assigned (`roots/check/`).
    pub check_roots: bool,
    /// Make code for debuggers: not optimised, with marks before each operator.
    pub debug: bool,
    /// Make code that counts whom calls through references and tables reach.
    pub profile_calls: bool,
    /// Add no typed function references, which Winch does not compile.
    pub winch: bool,
    /// Whom they reach by a profile of earlier runs.
    pub likely: Option<&'e LikelyTargets>,
}
