//! IR to Wasm bytes.
