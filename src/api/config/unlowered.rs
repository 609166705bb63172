//! An engine for what is not lowered: components, whose modules are Wasmtime's to compile.
//!
//! The engine inside of ours has no GC types, and other proposals than were asked for, since it is made for what lowering
//! leaves. For a component it must have those that were asked for, GC types among them, and so Wasmtime's own collector.
//! Only the command makes such an engine: it runs one program, and knows which kind.

use super::Config;
use crate::api::Strategy;
use wasmtime::WasmFeatures;

/// What lowering decides about in other engines. Not those that only lowering understands.
const DECIDED: WasmFeatures = WasmFeatures::GC
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXCEPTIONS);

impl Config {
    /// Makes the engine one that runs the proposals that were asked for as they are, on the collector that was chosen.
    /// No module is lowered for it.
    ///
    /// Winch compiles none of what is different, so nothing changes there.
    pub(crate) fn unlowered(&mut self) -> &mut Config {
        if matches!(self.strategy, Strategy::Winch) {
            return self;
        }
        let asked = self.features & DECIDED;
        self.inner.wasm_features(asked, true).wasm_features(DECIDED - asked, false);
        let stock = &self.stock;
        if let Some(collector) = stock.collector {
            self.inner.collector(collector);
        }
        if let Some(bytes) = stock.initial_size {
            self.inner.gc_heap_initial_size(bytes);
        }
        if let Some(bytes) = stock.reservation {
            self.inner.gc_heap_reservation(bytes);
        }
        if let Some(bytes) = stock.guard_size {
            self.inner.gc_heap_guard_size(bytes);
        }
        if let Some(enable) = stock.may_move {
            self.inner.gc_heap_may_move(enable);
        }
        if let Some(bytes) = stock.reservation_for_growth {
            self.inner.gc_heap_reservation_for_growth(bytes);
        }
        self
    }
}
