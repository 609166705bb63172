//! The types of continuations, which programs may name and nobody can make.
//!
//! Stack switching is a proposal that Wasmtime has names for and refuses together with GC. The names are here, so that a
//! program that matches on types and values compiles; no module defines a type of continuations.

use crate::api::Engine;
use std::convert::Infallible;

/// A defined type of continuations: there is none.
#[derive(Debug, Clone, Hash)]
pub struct ContType {
    none: Infallible,
}

impl ContType {
    /// The engine that it belongs to.
    pub fn engine(&self) -> &Engine {
        self.never()
    }

    /// Whether it is the other type.
    pub fn matches(&self, _other: &ContType) -> bool {
        self.never()
    }

    /// What follows from having one.
    pub(crate) fn never(&self) -> ! {
        match self.none {}
    }
}

/// A continuation. It stands for nothing: a guest can neither take nor give one.
#[derive(Debug, Clone, Copy)]
pub struct ContRef;
