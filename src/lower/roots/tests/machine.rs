//! A machine that executes functions with a collector that moves every object at every safepoint.
//!
//! A reference is an object's identity and the *epoch* of its address. A collection begins a new
//! epoch: it gives the new address to what is published, and anything else that still holds an old
//! address must not be used again. Branches are taken by a pseudo-random sequence; what a function
//! passes to calls and returns is its trace.

use super::collects;
use crate::ir::{Callee, Func, HeapOp, Inst, Op, RefOp, Region, Value};
use std::collections::HashMap;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Word {
    Plain,
    Null,
    Ref { id: u32, epoch: u32 },
}

/// What is observed: the call or return, and identities.
type Event = (Option<Callee>, Vec<Option<u32>>);

enum Exit {
    Yield(Vec<Word>),
    Branch(Inst, Vec<Word>),
    /// Return, trap, or out of fuel.
    Over,
}

struct Machine<'f> {
    func: &'f Func<'static>,
    /// Root assignment has run: there are collections.
    moving: bool,
    values: HashMap<Value, Word>,
    slots: Vec<Option<Word>>,
    /// The published top; `None` when it is anybody's guess.
    top: Option<u32>,
    epoch: u32,
    ids: u32,
    branches: u64,
    cold: u64,
    fuel: u32,
    trace: Vec<Event>,
}

fn random(state: &mut u64) -> u32 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 33) as u32
}

/// Executes a function whose roots are assigned.
pub fn check(func: &Func<'static>, seed: u64) -> Result<(), String> {
    run(func, true, seed).map(drop)
}

/// Executes a function before and after root assignment, with the same branches.
pub fn same(before: &Func<'static>, after: &Func<'static>, seed: u64) -> Result<(), String> {
    let (expected, found) = (run(before, false, seed)?, run(after, true, seed)?);
    if expected == found { Ok(()) } else { Err(format!("expected {expected:?}\nfound    {found:?}")) }
}

fn run(func: &Func<'static>, moving: bool, seed: u64) -> Result<Vec<Event>, String> {
    let mut machine = Machine {
        func,
        moving,
        values: HashMap::new(),
        slots: vec![None; func.frame.slots as usize],
        top: Some(0),
        epoch: 0,
        ids: 0,
        branches: seed,
        cold: seed.wrapping_mul(31),
        fuel: 60,
        trace: Vec::new(),
    };
    for &param in func.params() {
        let word = machine.new_word(param);
        machine.values.insert(param, word);
    }
    machine.region(func.body)?;
    Ok(machine.trace)
}

impl Machine<'_> {
    fn new_word(&mut self, value: Value) -> Word {
        if !self.func.ty(value).is_gc_ref() {
            return Word::Plain;
        }
        self.ids += 1;
        Word::Ref { id: self.ids, epoch: self.epoch }
    }

    fn set(&mut self, value: Value, word: Word) {
        self.values.insert(value, word);
    }

    fn read(&self, value: Value, by: Inst) -> Result<Word, String> {
        let word = *self.values.get(&value).ok_or(format!("{by} uses {value}, which has no value"))?;
        match word {
            Word::Ref { epoch, .. } if epoch != self.epoch => Err(format!("{by} uses {value}, which is stale")),
            _ => Ok(word),
        }
    }

    /// A collection with slots `0..top` as roots.
    fn collect(&mut self, top: u32, by: Inst) -> Result<(), String> {
        for slot in 0..top as usize {
            let word = self.slots.get_mut(slot).ok_or(format!("{by}: slot {slot} is not in the frame"))?;
            match word {
                Some(Word::Null) => {}
                Some(Word::Ref { epoch, .. }) if *epoch == self.epoch => *epoch += 1,
                _ => return Err(format!("{by}: slot {slot} of {top} holds {word:?} in epoch {}", self.epoch)),
            }
        }
        self.epoch += 1;
        for slot in self.slots.iter_mut().skip(top as usize) {
            *slot = None;
        }
        Ok(())
    }

    fn alloc(&mut self, inst: Inst) -> Result<(), String> {
        if !self.moving || random(&mut self.cold).is_multiple_of(2) {
            return Ok(());
        }
        self.cold(inst)
    }

    /// Saves, collects and loads again.
    fn cold(&mut self, inst: Inst) -> Result<(), String> {
        let list = &self.func.refresh[inst];
        let mut seen = Vec::new();
        for &(slot, value) in list {
            if seen.contains(&slot) {
                return Err(format!("{inst} saves two references in slot {slot}"));
            }
            seen.push(slot);
            let word = self.read(value, inst)?;
            *self.slots.get_mut(slot as usize).ok_or(format!("{inst}: slot {slot} is not in the frame"))? = Some(word);
        }
        let top = list.iter().map(|&(slot, _)| slot + 1).max().unwrap_or(0);
        self.collect(top, inst)?;
        for &(slot, value) in list {
            let word = self.slots[slot as usize].unwrap_or(Word::Plain);
            self.values.insert(value, word);
        }
        self.top = if list.is_empty() { Some(0) } else { None };
        Ok(())
    }

    fn region(&mut self, region: Region) -> Result<Exit, String> {
        for &inst in &self.func.regions[region].insts {
            if let Some(exit) = self.inst(inst)? {
                return Ok(exit);
            }
        }
        Err(format!("{region} has no end"))
    }

    fn inst(&mut self, inst: Inst) -> Result<Option<Exit>, String> {
        let func = self.func;
        let mut args = Vec::new();
        for &arg in func.args(inst) {
            args.push(match self.read(arg, inst) {
                Ok(word) => word,
                // Another name for a stale reference is no use of it.
                Err(_) if matches!(func.insts[inst].op, Op::Ref(RefOp::Refine)) => self.values[&arg],
                Err(what) => return Err(what),
            });
        }
        let results = func.results(inst);
        let plain: Vec<Word> = results.iter().map(|_| Word::Plain).collect();
        let words = match &func.insts[inst].op {
            Op::Core(_) => results.iter().map(|_| Word::Null).collect(),
            Op::Call(callee) => {
                self.trace.push((Some(*callee), identities(&args)));
                if self.moving && !func.refresh[inst].is_empty() {
                    self.cold(inst)?;
                } else if self.moving && collects(callee) {
                    let top = if func.frame.slots == 0 { Some(0) } else { self.top };
                    self.collect(top.ok_or(format!("{inst}: the top is unknown"))?, inst)?;
                }
                results.iter().map(|&v| self.new_word(v)).collect()
            }
            Op::Heap(HeapOp::Alloc { .. }) => {
                self.alloc(inst)?;
                results.iter().map(|&v| self.new_word(v)).collect()
            }
            Op::Heap(HeapOp::Spill { slot }) => {
                self.slots[*slot as usize] = Some(args[0]);
                plain
            }
            Op::Heap(HeapOp::Clear { slot }) => {
                self.slots[*slot as usize] = Some(Word::Null);
                plain
            }
            Op::Heap(HeapOp::SetTop { slots }) => {
                self.top = Some(*slots);
                plain
            }
            Op::Heap(HeapOp::Reload { slot }) => {
                vec![self.slots[*slot as usize].ok_or(format!("{inst} reloads slot {slot}, which is garbage"))?]
            }
            Op::Ref(RefOp::Refine) if func.ty(results[0]).is_gc_ref() => args.clone(),
            Op::Ref(RefOp::Refine) => plain,
            Op::Select => vec![args[random(&mut self.branches) as usize % 2]],
            Op::Block { body } => return self.construct(inst, *body),
            Op::If { then, els } => {
                let region = if random(&mut self.branches).is_multiple_of(2) { *then } else { *els };
                return self.construct(inst, region);
            }
            Op::Loop { body } => return self.repeat(inst, *body, args),
            Op::Yield => return Ok(Some(Exit::Yield(args))),
            Op::Br { target } => return Ok(Some(Exit::Branch(*target, args))),
            Op::BrIf { target } => {
                let taken = random(&mut self.branches).is_multiple_of(2);
                return Ok(taken.then(|| Exit::Branch(*target, args[1..].to_vec())));
            }
            Op::BrTable { targets } => {
                let n = random(&mut self.branches) as usize % targets.len();
                let from = 1 + targets[..n].iter().map(|t| t.args as usize).sum::<usize>();
                let mine = args[from..from + targets[n].args as usize].to_vec();
                return Ok(Some(match targets[n].target {
                    Some(target) => Exit::Branch(target, mine),
                    None => self.over(mine),
                }));
            }
            Op::Return => return Ok(Some(self.over(args))),
            Op::Trap(_) => return Ok(Some(Exit::Over)),
            op => return Err(format!("{inst} is not for this machine: {op:?}")),
        };
        results.iter().zip(words).for_each(|(&v, word)| self.set(v, word));
        Ok(None)
    }

    fn over(&mut self, args: Vec<Word>) -> Exit {
        self.trace.push((None, identities(&args)));
        Exit::Over
    }

    fn construct(&mut self, inst: Inst, region: Region) -> Result<Option<Exit>, String> {
        Ok(match self.region(region)? {
            Exit::Yield(words) => self.finish(inst, words),
            Exit::Branch(to, words) if to == inst => self.finish(inst, words),
            exit => Some(exit),
        })
    }

    fn repeat(&mut self, inst: Inst, body: Region, mut words: Vec<Word>) -> Result<Option<Exit>, String> {
        loop {
            if self.fuel == 0 {
                return Ok(Some(Exit::Over));
            }
            self.fuel -= 1;
            let params = &self.func.regions[body].params;
            params.iter().zip(words).for_each(|(&v, word)| self.set(v, word));
            match self.region(body)? {
                Exit::Yield(words) => return Ok(self.finish(inst, words)),
                Exit::Branch(to, args) if to == inst => words = args,
                exit => return Ok(Some(exit)),
            }
        }
    }

    fn finish(&mut self, inst: Inst, words: Vec<Word>) -> Option<Exit> {
        self.func.results(inst).iter().zip(words).for_each(|(&v, word)| self.set(v, word));
        None
    }
}

fn identities(words: &[Word]) -> Vec<Option<u32>> {
    let id = |word: &Word| match word {
        Word::Ref { id, .. } => Some(*id),
        _ => None,
    };
    words.iter().map(id).collect()
}
