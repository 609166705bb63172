//! The frame of root slots, and inline allocation.
//!
//! A frame of `n` slots lies at `frame .. frame + 4n` on the shadow stack, slot 0 nearest the top, so
//! that slots `0..k` are published by moving the stack pointer down by `4k`. A callee leaves the stack
//! pointer as it found it: a section of the frame (`frame.rs`) computes the frame's address where it
//! begins and stores the pointer back where it is left. The cold path of an allocation, or a cold call, outside
//! all sections does both itself, so that nothing is left of the frame on the hot path.
//!
//! Inline allocation:
//!
//! ```text
//! object = bump; end = object + bytes
//! if end > limit
//!   store the references that are alive to their slots; publish
//!   object = alloc(bytes)
//!   load the references again, each to its own local
//! else
//!   bump = end; object -= BIAS
//! end
//! ```

use super::body::Emitter;
use super::locals::Place;
use super::reindex;
use crate::fault::Error;
use crate::ir::{HeapOp, Inst, TrapCode};
use crate::layout::object::LARGE_OBJECT_BYTES;
use crate::layout::{map, reference};
use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Instruction, MemArg};

impl Emitter<'_, '_> {
    /// Whether the frame can be as the plan says.
    pub fn check_frame(&mut self) -> Result<(), Error> {
        if u64::from(self.frame.slots) * 4 > u64::from(map::MAX_FRAME_BYTES) {
            let what = format!("it needs {} root slots", self.frame.slots);
            return Err(Error::TooComplex { func: self.func.index, what });
        }
        if self.frame.exists() || self.frame.allocates {
            self.reindex.memory_index(self.cx.index.heap_memory).map_err(reindex::error)?;
        }
        Ok(())
    }

    /// In front of the code at a position: computes the frame's address if a section begins.
    pub fn begin_section(&mut self, at: usize) {
        if let Some(section) = self.frame.sections.get(self.begun)
            && section.start == at
        {
            self.section = Some(section.clone());
            self.begun += 1;
            self.compute_frame();
        }
    }

    /// Behind the code at a position.
    pub fn end_section(&mut self, at: usize) {
        self.section = self.section.take().filter(|section| at + 1 < section.end);
    }

    /// Whether control leaves the frame's section by falling out of the end at an instruction, or by a
    /// branch to it.
    pub fn leaves(&self, inst: Inst) -> bool {
        let at = self.flat.at[inst] as usize;
        self.section.as_ref().is_some_and(|section| at < section.start || at + 1 == section.end)
    }

    /// Gives the stack pointer back to the caller, if a frame exists here.
    pub fn restore(&mut self) {
        if self.section.is_some() {
            self.set_top(0);
        }
    }

    /// A heap operation, with its operands fetched.
    pub fn heap(&mut self, inst: Inst, op: HeapOp) -> Result<(), Error> {
        match op {
            HeapOp::Alloc { .. } | HeapOp::AllocDynamic => return self.alloc(inst, op),
            HeapOp::Spill { slot } => self.spill(inst, slot)?,
            HeapOp::Clear { slot } => self.clear(inst, slot)?,
            HeapOp::Reload { slot } => self.reload(slot)?,
            HeapOp::SetTop { slots } => {
                self.check_slots(slots)?;
                self.set_top(slots);
            }
        }
        self.set_results(inst);
        Ok(())
    }

    /// The frame's address and the operand are on the stack.
    fn spill(&mut self, inst: Inst, slot: u32) -> Result<(), Error> {
        let arg = self.slot(slot)?;
        self.slot_site(inst);
        self.code.put(Instruction::I32Store(arg));
        Ok(())
    }

    fn clear(&mut self, inst: Inst, slot: u32) -> Result<(), Error> {
        let arg = self.slot(slot)?;
        self.code.get(self.locals.frame);
        self.code.put(Instruction::I32Const(reference::NULL as i32));
        self.slot_site(inst);
        self.code.put(Instruction::I32Store(arg));
        Ok(())
    }

    fn reload(&mut self, slot: u32) -> Result<(), Error> {
        let arg = self.slot(slot)?;
        self.code.get(self.locals.frame);
        self.code.put(Instruction::I32Load(arg));
        Ok(())
    }

    fn slot_site(&mut self, inst: Inst) {
        self.code.site(self.func.insts[inst].loc, Some(TrapCode::StackOverflow));
    }

    /// Slots that are published wherever the frame is.
    fn reserved(&self) -> u32 {
        if self.frame.exists() { self.func.frame.reserved } else { 0 }
    }

    fn check_slots(&self, slots: u32) -> Result<(), Error> {
        if slots <= self.frame.slots {
            return Ok(());
        }
        Err(Error::bug(format!("{slots} root slots in a frame of {}", self.frame.slots)))
    }

    fn slot(&self, slot: u32) -> Result<MemArg, Error> {
        self.check_slots(slot.saturating_add(1))?;
        Ok(self.at(4 * (self.frame.slots - 1 - slot)))
    }

    /// A word of the heap, at a distance from an operand.
    pub fn at(&self, offset: u32) -> MemArg {
        let memory_index = self.cx.index.memories.get(self.cx.index.heap_memory);
        MemArg { offset: u64::from(offset), align: 2, memory_index }
    }

    fn load_cell(&mut self, cell: u32) {
        self.code.put(Instruction::I32Const(0));
        self.code.put(Instruction::I32Load(self.at(cell)));
    }

    fn compute_frame(&mut self) {
        self.load_cell(self.cx.map.sp_cell());
        self.code.put(Instruction::I32Const((4 * self.frame.slots) as i32));
        self.code.put(Instruction::I32Sub);
        self.code.set(self.locals.frame);
    }

    fn set_top(&mut self, slots: u32) {
        self.code.put(Instruction::I32Const(0));
        self.code.get(self.locals.frame);
        let distance = 4 * (self.frame.slots - slots);
        if distance > 0 {
            self.code.put(Instruction::I32Const(distance as i32));
            self.code.put(Instruction::I32Add);
        }
        self.code.put(Instruction::I32Store(self.at(self.cx.map.sp_cell())));
    }

    fn alloc(&mut self, inst: Inst, op: HeapOp) -> Result<(), Error> {
        let func = self.func;
        let place = func.results(inst).first().map_or(Place::None, |&result| self.places.get(result));
        let object = match place {
            Place::Local(local) => local,
            _ => self.locals.object,
        };
        self.load_cell(self.cx.map.bump_cell());
        self.code.set(object);
        self.code.get(object);
        self.bytes(inst, op)?;
        self.code.put(Instruction::I32Add);
        self.code.set(self.locals.end);
        self.code.get(self.locals.end);
        self.load_cell(self.cx.map.limit_cell());
        self.code.put(Instruction::I32GtU);
        if op == HeapOp::AllocDynamic {
            // A large object is the collector's; its size may also have wrapped the sum above.
            self.bytes(inst, op)?;
            self.code.put(Instruction::I32Const(LARGE_OBJECT_BYTES as i32));
            self.code.put(Instruction::I32GeU);
            self.code.put(Instruction::I32Or);
        }
        self.code.hint(Some(false));
        self.open_label(None, Instruction::If(BlockType::Empty));
        self.alloc_cold(inst, op, object)?;
        self.code.put(Instruction::Else);
        self.code.put(Instruction::I32Const(0));
        self.code.get(self.locals.end);
        self.code.put(Instruction::I32Store(self.at(self.cx.map.bump_cell())));
        self.code.get(object);
        self.code.put(Instruction::I32Const(reference::BIAS as i32));
        self.code.put(Instruction::I32Sub);
        self.code.set(object);
        self.close_label();
        if place == Place::Stack {
            self.code.get(object);
        }
        Ok(())
    }

    fn bytes(&mut self, inst: Inst, op: HeapOp) -> Result<(), Error> {
        match op {
            HeapOp::Alloc { bytes } => self.code.put(Instruction::I32Const(bytes as i32)),
            _ => self.fetch(self.ops.of[inst].deferred())?,
        }
        Ok(())
    }

    fn alloc_cold(&mut self, inst: Inst, op: HeapOp, object: u32) -> Result<(), Error> {
        let publishes = self.save(inst)?;
        self.bytes(inst, op)?;
        let alloc = self.reindex.func(self.cx.index.alloc_func)?;
        self.with_site(inst, Instruction::Call(alloc));
        self.code.set(object);
        self.load_again(inst, publishes)
    }

    /// Before a cold safepoint: saves and publishes what it refreshes, in a frame of its own if there is none here.
    /// Whether anything is published.
    pub fn save(&mut self, inst: Inst) -> Result<bool, Error> {
        let func = self.func;
        let refresh = &func.refresh[inst];
        let used = refresh.iter().map(|&(slot, _)| slot.saturating_add(1)).max().unwrap_or(0).max(self.reserved());
        self.check_slots(used)?;
        let publishes = self.frame.exists() && (used > 0 || self.section.is_some());
        if publishes {
            if self.section.is_none() {
                self.compute_frame();
            }
            for &(slot, value) in refresh {
                self.code.get(self.locals.frame);
                self.get_value(self.flat.root(value))?;
                self.spill(inst, slot)?;
            }
            self.set_top(used);
        }
        Ok(publishes)
    }

    /// Behind it: the references may have moved.
    pub fn load_again(&mut self, inst: Inst, published: bool) -> Result<(), Error> {
        for &(slot, value) in &self.func.refresh[inst] {
            if let Place::Local(local) = self.places.get(self.flat.root(value)) {
                self.reload(slot)?;
                self.code.set(local);
            }
        }
        if published && self.section.is_none() {
            self.set_top(0);
        }
        Ok(())
    }
}
