//! Arithmetic on constants, and comparisons of three outcomes.
//!
//! ```text
//! before                                  after
//!   v2 = i32.ge_s v0 v1                     v4 = i32.ge_s v0 v1
//!   v3 = i32.le_s v0 v1
//!   v4 = i32.ge_s (i32.sub v2 v3) 0
//! ```
//!
//! Compilers write `compare(a, b)` as such a difference, which is 1, 0 or -1, and ask for its sign. Constants meet each
//! other where functions were put in the place of calls. The engine folds constants too, but not the control that
//! hangs on them, and not across blocks.
//!
//! Obligations: what may trap is computed only if it does not; floating-point numbers are left alone, as two of them may
//! be neither greater nor less.

use crate::ir::{Func, Inst, Op, Value};
use crate::opt::type_flow::constant;
use wasmparser::Operator;

/// Runs the pass.
pub fn run(func: &mut Func<'_>) {
    // What a value depends on was nearly always made before it; what is missed is only missed.
    for inst in func.insts.keys() {
        let Some((op, args)) = known(func, inst).or_else(|| three_way(func, inst)) else { continue };
        func.insts[inst].op = Op::Core(op);
        match args {
            Some(args) => func.set_args(inst, &args),
            None => func.set_args(inst, &[]),
        }
    }
}

/// An operator with its operands, if it has any.
type New = (Operator<'static>, Option<[Value; 2]>);

/// An operation on constants: its result.
fn known(func: &Func<'_>, inst: Inst) -> Option<New> {
    let Op::Core(op) = &func.insts[inst].op else { return None };
    let value = match *func.args(inst) {
        [a] if matches!(op, Operator::I32Eqz) => i32::from(constant(func, a)? == 0),
        [a, b] => binary(op, constant(func, a)?, constant(func, b)?)?,
        _ => return None,
    };
    Some((Operator::I32Const { value }, None))
}

fn binary(op: &Operator<'_>, a: i32, b: i32) -> Option<i32> {
    use Operator::*;
    let (x, y) = (a as u32, b as u32);
    Some(match op {
        I32Add => a.wrapping_add(b),
        I32Sub => a.wrapping_sub(b),
        I32Mul => a.wrapping_mul(b),
        // None where it would trap.
        I32DivS => a.checked_div(b)?,
        I32DivU => x.checked_div(y)? as i32,
        I32RemU => x.checked_rem(y)? as i32,
        I32And => a & b,
        I32Or => a | b,
        I32Xor => a ^ b,
        I32Shl => a.wrapping_shl(y),
        I32ShrS => a.wrapping_shr(y),
        I32ShrU => x.wrapping_shr(y) as i32,
        I32Eq => i32::from(a == b),
        I32Ne => i32::from(a != b),
        I32LtS => i32::from(a < b),
        I32LtU => i32::from(x < y),
        I32GtS => i32::from(a > b),
        I32GtU => i32::from(x > y),
        I32LeS => i32::from(a <= b),
        I32LeU => i32::from(x <= y),
        I32GeS => i32::from(a >= b),
        I32GeU => i32::from(x >= y),
        _ => return None,
    })
}

/// A kind of integers that are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    I32S,
    I32U,
    I64S,
    I64U,
}

/// How a number stands to another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Less,
    AtMost,
    Equal,
    Unequal,
    AtLeast,
    Greater,
}

/// The sign of a comparison of three outcomes: a comparison.
fn three_way(func: &Func<'_>, inst: Inst) -> Option<New> {
    let asked = match (&func.insts[inst].op, func.args(inst)) {
        (Op::Core(Operator::I32Eqz), &[difference]) => (Order::Equal, difference),
        (Op::Core(op), &[difference, zero]) if constant(func, zero) == Some(0) => {
            let (Kind::I32S, order) = order(op)? else { return None };
            (order, difference)
        }
        _ => return None,
    };
    let (order, difference) = asked;
    let (Op::Core(Operator::I32Sub), &[up, down]) = operation(func, difference)? else { return None };
    let ((kind, above, [a, b]), (other, below, [c, d])) = (comparison(func, up)?, comparison(func, down)?);
    let same = |a: Value, b: Value| a == b || constant(func, a).is_some_and(|a| Some(a) == constant(func, b));
    if kind != other || !same(a, c) || !same(b, d) {
        return None;
    }
    let (a, b) = match (above, below) {
        (Order::AtLeast, Order::AtMost) | (Order::Greater, Order::Less) => (a, b),
        (Order::AtMost, Order::AtLeast) | (Order::Less, Order::Greater) => (b, a),
        _ => return None,
    };
    Some((operator(kind, order), Some([a, b])))
}

fn operation<'f, 'a>(func: &'f Func<'a>, value: Value) -> Option<(&'f Op<'a>, &'f [Value])> {
    let inst = func.def_inst(value)?;
    Some((&func.insts[inst].op, func.args(inst)))
}

fn comparison(func: &Func<'_>, value: Value) -> Option<(Kind, Order, [Value; 2])> {
    let (Op::Core(op), &[a, b]) = operation(func, value)? else { return None };
    let (kind, order) = order(op)?;
    Some((kind, order, [a, b]))
}

fn order(op: &Operator<'_>) -> Option<(Kind, Order)> {
    use Kind::*;
    use Operator::*;
    use Order::*;
    Some(match op {
        I32Eq => (I32S, Equal),
        I32Ne => (I32S, Unequal),
        I32LtS => (I32S, Less),
        I32LeS => (I32S, AtMost),
        I32GeS => (I32S, AtLeast),
        I32GtS => (I32S, Greater),
        I32LtU => (I32U, Less),
        I32LeU => (I32U, AtMost),
        I32GeU => (I32U, AtLeast),
        I32GtU => (I32U, Greater),
        I64LtS => (I64S, Less),
        I64LeS => (I64S, AtMost),
        I64GeS => (I64S, AtLeast),
        I64GtS => (I64S, Greater),
        I64LtU => (I64U, Less),
        I64LeU => (I64U, AtMost),
        I64GeU => (I64U, AtLeast),
        I64GtU => (I64U, Greater),
        _ => return None,
    })
}

fn operator(kind: Kind, order: Order) -> Operator<'static> {
    use Kind::*;
    use Operator::*;
    use Order::*;
    match (kind, order) {
        (I32S | I32U, Equal) => I32Eq,
        (I32S | I32U, Unequal) => I32Ne,
        (I64S | I64U, Equal) => I64Eq,
        (I64S | I64U, Unequal) => I64Ne,
        (I32S, Less) => I32LtS,
        (I32S, AtMost) => I32LeS,
        (I32S, AtLeast) => I32GeS,
        (I32S, Greater) => I32GtS,
        (I32U, Less) => I32LtU,
        (I32U, AtMost) => I32LeU,
        (I32U, AtLeast) => I32GeU,
        (I32U, Greater) => I32GtU,
        (I64S, Less) => I64LtS,
        (I64S, AtMost) => I64LeS,
        (I64S, AtLeast) => I64GeS,
        (I64S, Greater) => I64GtS,
        (I64U, Less) => I64LtU,
        (I64U, AtMost) => I64LeU,
        (I64U, AtLeast) => I64GeU,
        (I64U, Greater) => I64GtU,
    }
}
