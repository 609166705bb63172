//! A component from bytes, and the compiled form of one.

use crate::api::component::Component;
use crate::api::{Engine, Result, WasmFeatures};
use crate::cli::input::{Input, allow_compiled};
use crate::cli::settings::Settings;
use std::path::Path;
use wasmtime::bail;
use wasmtime::error::Context;

/// A component that is compiled, or with `precompiled` may have been.
pub(super) fn load(engine: &Engine, path: &Path, input: &Input, precompiled: bool) -> Result<Component> {
    if !engine.wasmtime().get_wasm_features().contains(WasmFeatures::COMPONENT_MODEL) {
        bail!("{path:?} is a component, and `-W component-model=n` allows none");
    }
    if !input.compiled {
        let component = Component::from_binary(engine.wasmtime(), &input.bytes);
        return component.with_context(|| format!("failed to compile component {path:?}"));
    }
    allow_compiled(precompiled)?;
    #[expect(unsafe_code, reason = "machine code can not be checked")]
    // SAFETY: with `--allow-precompiled` the user vouches for the file.
    let component = unsafe { Component::deserialize(engine.wasmtime(), &input.bytes) };
    component.with_context(|| format!("failed to load compiled component {path:?}"))
}

/// The compiled form of a component, for an engine of the same options.
///
/// # Errors
///
/// An invalid component, or options that a component has no use for.
pub(in crate::cli) fn precompile(settings: &mut Settings, wasm: &[u8], path: &Path) -> Result<Vec<u8>> {
    super::refused::check_options(settings)?;
    settings.config.unlowered();
    let compiled = Engine::new(&settings.config)?.precompile_component(wasm);
    compiled.with_context(|| format!("failed to compile {path:?}"))
}
