//! The byte buffer of one function: locals, instructions, sites.
//!
//! Two peepholes, both on the instruction that was written last: `local.set x; local.get x` is
//! `local.tee x`, and `i32.eqz` before a condition that is to be inverted disappears. A label between
//! would be bytes between, so the buffer's length tells whether an instruction is still the last.

use super::EmittedBody;
use crate::ir::{Func, SrcLoc, TrapCode};
use crate::lower::output::Site;
use wasm_encoder::{Encode, Instruction, ValType};

const LOCAL_TEE: u8 = 0x22;

/// An instruction: where it starts, and the buffer's length behind it.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

/// Code under construction.
pub(super) struct Code {
    /// Everything so far.
    pub bytes: Vec<u8>,
    sites: Vec<Site>,
    hints: Vec<(u32, bool)>,
    /// The call in whose place the code is that was written last.
    call: Option<SrcLoc>,
    last_set: Option<(u32, Span)>,
    last_eqz: Option<Span>,
}

impl Code {
    /// A body with these locals, as runs of one type.
    pub fn new(locals: &[(u32, ValType)]) -> Code {
        let mut bytes = Vec::new();
        locals.len().encode(&mut bytes);
        for (count, ty) in locals {
            count.encode(&mut bytes);
            ty.encode(&mut bytes);
        }
        Code { bytes, sites: Vec::new(), hints: Vec::new(), call: None, last_set: None, last_eqz: None }
    }

    /// Appends an instruction.
    pub fn put(&mut self, inst: Instruction<'_>) {
        inst.encode(&mut self.bytes);
    }

    /// Says where the next instruction comes from and what its fault means.
    pub fn site(&mut self, loc: SrcLoc, trap: Option<TrapCode>) {
        // A function is far below 4 GiB: engines take at most some megabytes.
        let lowered = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.sites.pop_if(|last| last.lowered == lowered);
        self.sites.push(Site { lowered, original: loc.0, trap, heap_offset: None, is_branch: false });
    }

    /// The same for an access to the heap memory.
    pub fn heap_site(&mut self, loc: SrcLoc, trap: Option<TrapCode>, offset: u64) {
        self.site(loc, trap);
        if let Some(site) = self.sites.last_mut() {
            site.heap_offset = u32::try_from(offset).ok();
        }
    }

    /// The same for a branch around a trap.
    pub fn branch_site(&mut self, loc: SrcLoc, trap: Option<TrapCode>) {
        self.site(loc, trap);
        if let Some(site) = self.sites.last_mut() {
            site.is_branch = true;
        }
    }

    /// The next instruction comes from here. Where a function begins or ends that was put in the place of a
    /// call, something is noted even without anything that traps: a backtrace can be asked for
    /// anywhere, and takes what was noted last.
    pub fn enter(&mut self, func: &Func<'_>, loc: SrcLoc) {
        if func.inlined.is_empty() || loc == SrcLoc::NONE {
            return;
        }
        let call = func.inlined_at(loc).map(|place| place.call);
        if call != self.call {
            self.call = call;
            self.branch_site(loc, None);
        }
    }

    /// The next instruction is a branch that is nearly always, or hardly ever, taken.
    pub fn hint(&mut self, likely: Option<bool>) {
        if let (Some(likely), Ok(at)) = (likely, u32::try_from(self.bytes.len())) {
            self.hints.push((at, likely));
        }
    }

    /// `local.set`
    pub fn set(&mut self, local: u32) {
        let start = self.bytes.len();
        self.put(Instruction::LocalSet(local));
        self.last_set = Some((local, Span { start, end: self.bytes.len() }));
    }

    /// `local.get`
    pub fn get(&mut self, local: u32) {
        match self.last_set {
            Some((last, span)) if last == local && span.end == self.bytes.len() => {
                if let Some(opcode) = self.bytes.get_mut(span.start) {
                    *opcode = LOCAL_TEE;
                }
                self.last_set = None;
            }
            _ => self.put(Instruction::LocalGet(local)),
        }
    }

    /// `i32.eqz`
    pub fn eqz(&mut self) {
        let start = self.bytes.len();
        self.put(Instruction::I32Eqz);
        self.last_eqz = Some(Span { start, end: self.bytes.len() });
    }

    /// Inverts the condition on top of the stack.
    pub fn invert(&mut self) {
        match self.last_eqz {
            Some(span) if span.end == self.bytes.len() => {
                self.bytes.truncate(span.start);
                self.last_eqz = None;
            }
            _ => self.eqz(),
        }
    }

    /// The finished body.
    pub fn finish(self) -> EmittedBody {
        EmittedBody { body: self.bytes, sites: self.sites, inlined: Vec::new(), hints: self.hints, debug: None }
    }
}
