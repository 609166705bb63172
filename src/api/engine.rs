//! Engines.

mod getters;

use super::{Config, Result};
pub use crate::runtime::engine::Engine;
use crate::runtime::engine::EngineState;
pub use getters::EngineWeak;
use std::sync::Arc;

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
