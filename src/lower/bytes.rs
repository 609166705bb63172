//! The functions of lowering's own that copy and fill bytes of the heap.
//!
//! The engine calls its runtime for each `memory.copy` and `memory.fill` whose length it does not know. That takes longer than
//! to move the few bytes of which most strings and arrays consist:
//!
//! ```wat
//! (func $copy (param $to i32) (param $from i32) (param $bytes i32)
//!   ;; 8 to 16 bytes: the first eight and the last eight, which may overlap
//!   (local.set $first (i64.load (local.get $from)))
//!   (local.set $last (i64.load offset=-8 (i32.add (local.get $from) (local.get $bytes))))
//!   (i64.store (local.get $to) (local.get $first))
//!   (i64.store offset=-8 (i32.add (local.get $to) (local.get $bytes)) (local.get $last)))
//! ```
//!
//! A copy loads all before it stores anything, so the ranges may overlap. What this is not: for copies of lengths that are known, of
//! which the engine makes such code itself, and for fills that are known to be long.

use super::env::{ModuleEnv, RuntimeFunc};
use crate::ir::{Callee, Cursor, Func, Op, SrcLoc, Value, memarg};
use crate::types::ValType;
use wasmparser::Operator;

/// Fills of more bytes are the engine's.
pub const MAX_FILLED: u32 = 64;

/// Copies of more bytes are the engine's.
pub const MAX_COPIED: u32 = 64;

/// Calls the function for few bytes, up to a number of them, or does what is right for any number. The last of the operands is how
/// many there are.
pub fn by_length<'a>(c: &mut Cursor<'_, 'a>, (few, most): (u32, u32), any: Operator<'a>, operands: [Value; 3]) {
    let call = |c: &mut Cursor<'_, 'a>| {
        c.push(Op::Call(Callee::Func(few)), &operands, &[]);
    };
    match c.constant(operands[2]) {
        Some(bytes) if bytes <= most => call(c),
        Some(_) => {
            c.effect(any, &operands);
        }
        None => {
            let limit = c.i32(most);
            let is_short = c.i32_op(Operator::I32LeU, operands[2], limit);
            c.if_else(
                is_short,
                &[],
                |c| {
                    call(c);
                    c.yield_(&[]);
                },
                |c| {
                    c.effect(any, &operands);
                    c.yield_(&[]);
                },
            );
        }
    }
}

/// What is moved or set at once.
#[derive(Clone, Copy)]
enum Word {
    I8,
    I32,
    I64,
}

impl Word {
    fn bytes(self) -> u32 {
        match self {
            Word::I8 => 1,
            Word::I32 => 4,
            Word::I64 => 8,
        }
    }
}

/// A function of three numbers that gives nothing, filled by a closure.
fn func<'a>(
    env: &ModuleEnv<'_, 'a>,
    of: RuntimeFunc,
    fill: impl FnOnce(&mut Bytes<'_, '_, 'a>, [Value; 3]),
) -> Func<'a> {
    let mut func = Func::new(env.runtime(of), &[ValType::I32; 3], &[]);
    let body = func.body;
    let params = [0, 1, 2].map(|n| func.params()[n]);
    let c = &mut Cursor::at(&mut func, body, SrcLoc::NONE);
    fill(&mut Bytes { c, heap: env.heap() }, params);
    c.push(Op::Return, &[], &[]);
    func
}

struct Bytes<'c, 'f, 'a> {
    c: &'c mut Cursor<'f, 'a>,
    heap: u32,
}

impl Bytes<'_, '_, '_> {
    fn add(&mut self, base: Value, to: Value) -> Value {
        self.c.i32_op(Operator::I32Add, base, to)
    }

    /// Half of a number, without its rest.
    fn half(&mut self, of: Value) -> Value {
        let one = self.c.i32(1);
        self.c.i32_op(Operator::I32ShrU, of, one)
    }

    /// `base + distance - back`.
    fn at(&mut self, base: Value, distance: Value, back: u32) -> Value {
        let end = self.add(base, distance);
        let back = self.c.i32(back);
        self.c.i32_op(Operator::I32Sub, end, back)
    }

    fn load(&mut self, word: Word, from: Value, offset: u64) -> Value {
        let memarg = memarg(self.heap, offset);
        let (op, ty) = match word {
            Word::I8 => (Operator::I32Load8U { memarg }, ValType::I32),
            Word::I32 => (Operator::I32Load { memarg }, ValType::I32),
            Word::I64 => (Operator::I64Load { memarg }, ValType::I64),
        };
        self.c.load(op, from, ty, None)
    }

    fn store(&mut self, word: Word, to: Value, offset: u64, value: Value) {
        let memarg = memarg(self.heap, offset);
        let op = match word {
            Word::I8 => Operator::I32Store8 { memarg },
            Word::I32 => Operator::I32Store { memarg },
            Word::I64 => Operator::I64Store { memarg },
        };
        self.c.store(op, to, value, None);
    }
}

/// `if bytes >= least { then } else { els }`.
fn from_on<'a>(
    b: &mut Bytes<'_, '_, 'a>,
    (bytes, least): (Value, u32),
    then: impl FnOnce(&mut Bytes<'_, '_, 'a>),
    els: impl FnOnce(&mut Bytes<'_, '_, 'a>),
) {
    let heap = b.heap;
    let least = b.c.i32(least);
    let enough = b.c.i32_op(Operator::I32GeU, bytes, least);
    b.c.if_else(
        enough,
        &[],
        |c| {
            then(&mut Bytes { c, heap });
            c.yield_(&[]);
        },
        |c| {
            els(&mut Bytes { c, heap });
            c.yield_(&[]);
        },
    );
}

/// `(func $copy (param $to i32) (param $from i32) (param $bytes i32))`: up to [`MAX_COPIED`]. The ranges may overlap and are in
/// bounds.
pub fn copy<'a>(env: &ModuleEnv<'_, 'a>) -> Func<'a> {
    func(env, RuntimeFunc::CopyBytes, |b, [to, from, bytes]| {
        // The first words and the last, so many of each.
        let ends = |b: &mut Bytes<'_, '_, 'a>, word: Word, each: u32| {
            let back = word.bytes() * each;
            let (far, near) = (b.at(from, bytes, back), b.at(to, bytes, back));
            let offsets = (0..each).map(|n| u64::from(n * word.bytes()));
            let places: Vec<_> = offsets.flat_map(|offset| [(from, to, offset), (far, near, offset)]).collect();
            let words: Vec<Value> = places.iter().map(|&(from, _, offset)| b.load(word, from, offset)).collect();
            for (&(_, to, offset), value) in places.iter().zip(words) {
                b.store(word, to, offset, value);
            }
        };
        // One to three: the first, the middle and the last.
        let few = |b: &mut Bytes<'_, '_, 'a>| {
            let half = b.half(bytes);
            let (middle, to_middle) = (b.add(from, half), b.add(to, half));
            let (last, to_last) = (b.at(from, bytes, 1), b.at(to, bytes, 1));
            let words = [from, middle, last].map(|at| b.load(Word::I8, at, 0));
            for (at, value) in [to, to_middle, to_last].into_iter().zip(words) {
                b.store(Word::I8, at, 0, value);
            }
        };
        from_on(
            b,
            (bytes, 8),
            |b| {
                let more = |b: &mut Bytes<'_, '_, 'a>| {
                    from_on(b, (bytes, 33), |b| ends(b, Word::I64, 4), |b| ends(b, Word::I64, 2))
                };
                from_on(b, (bytes, 17), more, |b| ends(b, Word::I64, 1));
            },
            |b| {
                let rest = |b: &mut Bytes<'_, '_, 'a>| from_on(b, (bytes, 1), few, |_| {});
                from_on(b, (bytes, 4), |b| ends(b, Word::I32, 1), rest);
            },
        );
    })
}

/// `(func $fill (param $to i32) (param $byte i32) (param $bytes i32))`: up to [`MAX_FILLED`]. The range is in bounds.
pub fn fill<'a>(env: &ModuleEnv<'_, 'a>) -> Func<'a> {
    func(env, RuntimeFunc::FillBytes, |b, [to, byte, bytes]| {
        let repeated = |b: &mut Bytes<'_, '_, 'a>| {
            let mask = b.c.i32(0xFF);
            let once = b.c.i32_op(Operator::I32And, byte, mask);
            let once = b.c.core(Operator::I64ExtendI32U, &[once], ValType::I64);
            let every = b.c.core(Operator::I64Const { value: 0x0101_0101_0101_0101 }, &[], ValType::I64);
            b.c.core(Operator::I64Mul, &[once, every], ValType::I64)
        };
        let ends = |b: &mut Bytes<'_, '_, 'a>, word: Word, each: u32, value: Value| {
            let near = b.at(to, bytes, word.bytes() * each);
            for offset in (0..each).map(|n| u64::from(n * word.bytes())) {
                b.store(word, to, offset, value);
                b.store(word, near, offset, value);
            }
        };
        let few = |b: &mut Bytes<'_, '_, 'a>| {
            let half = b.half(bytes);
            let (middle, last) = (b.add(to, half), b.at(to, bytes, 1));
            [to, middle, last].into_iter().for_each(|at| b.store(Word::I8, at, 0, byte));
        };
        from_on(
            b,
            (bytes, 8),
            |b| {
                let value = repeated(b);
                from_on(
                    b,
                    (bytes, 33),
                    |b| ends(b, Word::I64, 4, value),
                    |b| from_on(b, (bytes, 17), |b| ends(b, Word::I64, 2, value), |b| ends(b, Word::I64, 1, value)),
                );
            },
            |b| {
                let four = |b: &mut Bytes<'_, '_, 'a>| {
                    let value = repeated(b);
                    let value = b.c.core(Operator::I32WrapI64, &[value], ValType::I32);
                    ends(b, Word::I32, 1, value);
                };
                from_on(b, (bytes, 4), four, |b| from_on(b, (bytes, 1), few, |_| {}));
            },
        );
    })
}
