//! Profiles of calls: from a module that was compiled to be profiled.

pub use crate::runtime::call_profile::CallProfile;

use crate::api::Module;

impl CallProfile {
    /// What the instances of a module have counted so far, in all stores; `None` for a module that was not lowered by
    /// an engine with [`Config::gc_profile_calls`](crate::Config::gc_profile_calls): one of another engine, one without
    /// references, one that was loaded, and one of the explicit-RTT dialect.
    pub fn of(module: &Module) -> Option<CallProfile> {
        let engine = module.engine().state();
        let code = &module.code;
        let is_profiled = engine.options.profile_calls && !engine.options.debug && code.lowered.is_some();
        let wasm = code.original().filter(|_| is_profiled)?;
        Some(CallProfile::new(wasm, &code.counts))
    }

    /// Whether the profile is of this module, which was compiled by this process and not loaded.
    pub fn is_of_module(&self, module: &Module) -> bool {
        module.code.original().is_some_and(|wasm| self.is_of(wasm))
    }
}
