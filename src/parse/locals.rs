//! Locals as values: what each holds at the point of translation.
//!
//! A local that was not assigned yet holds its default, which is made only when somebody reads it, once
//! for each type, at the entry of the function. A local without a default is unset until assigned,
//! and unset again behind the block that assigned it.

use crate::fault::Error;
use crate::fault::Result;
use crate::ir::{Func, Inst, Op, RefOp, SrcLoc, Value, zero};
use crate::types::ValType;
use cranelift_entity::packed_option::PackedOption;
use std::collections::HashMap;

/// The locals of a function, parameters first.
#[derive(Default)]
pub(super) struct Locals {
    /// Runs of equal types: the index behind the run, and the type.
    types: Vec<(u32, ValType)>,
    now: Vec<PackedOption<Value>>,
    defaults: HashMap<ValType, Value>,
    /// What makes the defaults.
    prologue: Vec<Inst>,
}

impl Locals {
    /// Declares a parameter that holds a value.
    pub(super) fn param(&mut self, ty: ValType, value: Value) {
        self.now.push(value.into());
        self.types.push((self.now.len() as u32, ty));
    }

    /// Declares more locals.
    pub(super) fn declare(&mut self, count: u32, ty: ValType) {
        self.now.resize(self.now.len() + count as usize, None.into());
        self.types.push((self.now.len() as u32, ty));
    }

    /// How many locals there are.
    pub(super) fn count(&self) -> u32 {
        self.now.len() as u32
    }

    /// The declared type of a local.
    pub(super) fn ty(&self, local: u32) -> Result<ValType> {
        let at = self.types.partition_point(|&(end, _)| end <= local);
        match self.types.get(at) {
            Some(&(_, ty)) => Ok(ty),
            None => Err(Error::bug("unknown local after validation")),
        }
    }

    /// Whether a local holds a value, if only its default.
    pub(super) fn is_set(&self, local: u32) -> Result<bool> {
        Ok(self.raw(local).is_some() || self.ty(local)?.is_defaultable())
    }

    /// What a local was assigned.
    pub(super) fn raw(&self, local: u32) -> PackedOption<Value> {
        self.now.get(local as usize).copied().unwrap_or_default()
    }

    /// Assigns a local, or makes it as before its first assignment.
    pub(super) fn set(&mut self, local: u32, value: PackedOption<Value>) {
        if let Some(now) = self.now.get_mut(local as usize) {
            *now = value;
        }
    }

    /// The value of a local.
    pub(super) fn get(&mut self, func: &mut Func<'_>, local: u32) -> Result<Value> {
        match self.raw(local).expand() {
            Some(value) => Ok(value),
            None => self.default(func, local),
        }
    }

    /// The value that was saved with [`Locals::raw`].
    pub(super) fn saved(&mut self, func: &mut Func<'_>, local: u32, saved: PackedOption<Value>) -> Result<Value> {
        match saved.expand() {
            Some(value) => Ok(value),
            None => self.default(func, local),
        }
    }

    #[cold]
    fn default(&mut self, func: &mut Func<'_>, local: u32) -> Result<Value> {
        let ty = self.ty(local)?;
        if let Some(&value) = self.defaults.get(&ty) {
            return Ok(value);
        }
        let op = match (zero(ty), ty) {
            (Some(zero), _) => Op::Core(zero),
            (None, ValType::Ref(r)) if r.nullable => Op::Ref(RefOp::Null(r.heap)),
            (None, _) => return Err(Error::bug("read of an unset local after validation")),
        };
        let inst = func.make_inst(op, &[], &[], SrcLoc::NONE);
        let value = func.add_result(inst, ty);
        self.prologue.push(inst);
        self.defaults.insert(ty, value);
        Ok(value)
    }

    /// Puts the defaults that were read at the entry of the function.
    pub(super) fn finish(self, func: &mut Func<'_>) {
        let body = func.body;
        func.regions[body].insts.splice(0..0, self.prologue);
    }
}
