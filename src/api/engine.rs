//! Engines.

mod getters;

use super::{Config, Dialect, Result};
use crate::runtime::artifact;
pub use crate::runtime::engine::Engine;
use crate::runtime::engine::EngineState;
pub use getters::EngineWeak;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use wasmtime::Precompiled;

impl Default for Engine {
    /// An engine with the default configuration.
    ///
    /// # Panics
    ///
    /// When the host is not one that Wasmtime supports.
    fn default() -> Engine {
        match Engine::new(&Config::default()) {
            Ok(engine) => engine,
            Err(err) => panic!("the default configuration is not supported here: {err:?}"),
        }
    }
}

impl Engine {
    /// An engine.
    ///
    /// # Errors
    ///
    /// When options contradict each other or the host does not support them.
    pub fn new(config: &Config) -> Result<Engine> {
        let (wasmtime, options) = config.build()?;
        Ok(Engine { state: Arc::new(EngineState::new(wasmtime, options, Box::new(config.clone()))) })
    }

    /// The options that it was made with.
    pub fn config(&self) -> &Config {
        self.state.embedder.downcast_ref().expect("an engine is made with a configuration")
    }

    pub(crate) fn state(&self) -> &Arc<EngineState> {
        &self.state
    }

    /// Whether two handles are of the same engine.
    pub fn same(a: &Engine, b: &Engine) -> bool {
        Arc::ptr_eq(&a.state, &b.state)
    }

    /// Compiles a module, in the binary or the text format, to bytes for [`Module::deserialize`].
    ///
    /// # Errors
    ///
    /// As [`Module::new`].
    ///
    /// [`Module::deserialize`]: super::Module::deserialize
    /// [`Module::new`]: super::Module::new
    pub fn precompile_module(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let wasm = super::module::binary(bytes, None)?;
        artifact::precompile(&self.state, &wasm).map_err(|err| super::module::explain(err, &wasm))
    }

    /// Compiles a module that is written in a dialect, in the binary or the text format, to bytes for
    /// [`Module::deserialize`].
    ///
    /// # Errors
    ///
    /// As [`Module::with_dialect`].
    ///
    /// [`Module::deserialize`]: super::Module::deserialize
    /// [`Module::with_dialect`]: super::Module::with_dialect
    pub fn precompile_with_dialect(&self, bytes: impl AsRef<[u8]>, dialect: Dialect) -> Result<Vec<u8>> {
        let bytes = bytes.as_ref();
        let Some(nulls) = dialect.nulls() else { return self.precompile_module(bytes) };
        let compiled = artifact::precompile_dialect(&self.state, &crate::rtt::read(bytes, nulls)?);
        compiled.map_err(|err| super::module::rtt_error(err, bytes))
    }

    /// What of this engine's configuration is compiled in: engines with the same hash load each other's modules.
    pub fn precompile_compatibility_hash(&self) -> impl std::hash::Hash + '_ {
        (artifact::compatibility(&self.state), self.state.wasmtime.precompile_compatibility_hash())
    }

    /// Whether bytes begin like a module that this crate has compiled, or like a compiled component. Modules that
    /// Wasmtime itself has compiled are none for this crate.
    pub fn detect_precompiled(bytes: &[u8]) -> Option<Precompiled> {
        if artifact::is_artifact(bytes) {
            return Some(Precompiled::Module);
        }
        component(wasmtime::Engine::detect_precompiled(bytes))
    }

    /// Whether a file begins like a module that this crate has compiled, or like a compiled component.
    ///
    /// # Errors
    ///
    /// When the file can not be read, or is nothing of this kind at all.
    pub fn detect_precompiled_file(path: impl AsRef<Path>) -> Result<Option<Precompiled>> {
        let mut start = Vec::new();
        std::fs::File::open(&path)?.take(64).read_to_end(&mut start)?;
        if artifact::is_artifact(&start) {
            return Ok(Some(Precompiled::Module));
        }
        wasmtime::Engine::detect_precompiled_file(path).map(component)
    }

    /// Advances the epoch by one. Stores whose deadline it reaches are interrupted.
    pub fn increment_epoch(&self) {
        self.state.wasmtime.increment_epoch();
    }

    /// Whether the host is interpreting code instead of running it.
    pub fn is_pulley(&self) -> bool {
        self.state.wasmtime.is_pulley()
    }

    /// The engine that runs lowered modules.
    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.state.wasmtime
    }
}

/// What Wasmtime finds in bytes that are not of this crate, without its modules.
fn component(found: Option<Precompiled>) -> Option<Precompiled> {
    found.filter(|found| matches!(found, Precompiled::Component))
}
