//! Exception references.

use super::rooting::{GcRef, sealed};

/// A caught exception.
#[derive(Debug)]
pub struct ExnRef(());

impl sealed::Sealed for ExnRef {}
impl GcRef for ExnRef {}
