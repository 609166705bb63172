//! The body of a function: folded instructions, constructs, and the scopes of labels and locals.
//!
//! Folding is undone with an explicit stack, so that text may nest as deep as it likes. What single instructions are is
//! in `instr.rs`.

use super::module::Reader;
use super::tokens::Cursor;
use crate::fault::Result;
use crate::rtt::ast::{Expr, Instr, Op};

/// The names of the locals: those of the function, then those of each open `let`.
pub(super) struct Locals {
    pub(super) scopes: Vec<Vec<Option<String>>>,
}

impl Locals {
    /// Those of a function.
    pub fn new(names: Vec<Option<String>>) -> Locals {
        Locals { scopes: vec![names] }
    }

    /// The number of a local: those of the innermost `let` are the first.
    pub fn index(&self, name: &str) -> Option<u32> {
        let mut before = 0;
        for scope in self.scopes.iter().rev() {
            if let Some(at) = scope.iter().position(|local| local.as_deref() == Some(name)) {
                return Some((before + at) as u32);
            }
            before += scope.len();
        }
        None
    }
}

/// What a `)` ends.
enum Open {
    /// An instruction, which comes behind its operands.
    Folded(Op, usize),
    /// A construct.
    Block,
    /// An `if` of which the operand is not complete.
    Condition(Op, usize),
    /// An `if` behind its first arm, and whether it has a second.
    If(bool),
    /// An arm.
    Arm,
}

/// Reads a body.
pub(super) struct Bodies<'r> {
    pub(super) reader: &'r mut Reader,
    pub(super) locals: Locals,
    /// Names of the labels, and whether the construct is a `let`.
    pub(super) labels: Vec<(Option<String>, bool)>,
    code: Expr,
}

impl<'r> Bodies<'r> {
    pub fn new(reader: &'r mut Reader, locals: Locals) -> Bodies<'r> {
        Bodies { reader, locals, labels: Vec::new(), code: Vec::new() }
    }

    /// Everything up to the end of the cursor.
    pub fn run(mut self, cur: &mut Cursor<'_, '_>) -> Result<Expr> {
        let mut open: Vec<Open> = Vec::new();
        // How many constructs that are not folded are open in each folded one.
        let mut flat = vec![0usize];
        loop {
            let at = cur.offset();
            if cur.is_empty() {
                break;
            } else if cur.is_close() {
                cur.skip();
                if flat.pop() != Some(0) {
                    return Err(cur.error("unexpected token `)`, expected `end`"));
                }
                self.close(open.pop(), cur, at)?;
            } else if cur.is_open() {
                cur.skip();
                self.open(&mut open, cur, at)?;
                flat.push(0);
            } else {
                let top = flat.last_mut().ok_or_else(|| cur.error("unexpected end"))?;
                if !matches!(open.last(), None | Some(Open::Block | Open::Arm)) {
                    return cur.unexpected("`(`");
                }
                match cur.peek_keyword() {
                    Some("end") if *top > 0 => *top -= 1,
                    Some("end") => return cur.unexpected("an instruction"),
                    Some("else") if *top == 0 => return cur.unexpected("an instruction"),
                    Some("block" | "loop" | "if" | "let") => *top += 1,
                    _ => {}
                }
                let op = self.op(cur)?;
                self.code.push(Instr { op, at });
            }
        }
        if flat != [0] {
            return Err(cur.error("unexpected end, expected `end`"));
        }
        Ok(self.code)
    }

    /// Behind a `(`.
    fn open(&mut self, open: &mut Vec<Open>, cur: &mut Cursor<'_, '_>, at: usize) -> Result<()> {
        match (cur.peek_keyword(), open.last_mut()) {
            (Some("then"), Some(top @ Open::Condition(..))) => {
                cur.skip();
                if let Open::Condition(op, at) = std::mem::replace(top, Open::If(false)) {
                    self.code.push(Instr { op, at });
                }
                open.push(Open::Arm);
            }
            (Some("else"), Some(Open::If(second @ false))) => {
                cur.skip();
                *second = true;
                self.code.push(Instr { op: Op::Else, at });
                open.push(Open::Arm);
            }
            (_, Some(Open::If(_))) => return cur.unexpected("`)`"),
            (Some("then" | "else" | "end"), _) => return cur.unexpected("an instruction"),
            (Some("if"), _) => {
                let op = self.op(cur)?;
                open.push(Open::Condition(op, at));
            }
            (Some("block" | "loop" | "let"), _) => {
                let op = self.op(cur)?;
                self.code.push(Instr { op, at });
                open.push(Open::Block);
            }
            _ => {
                let op = self.op(cur)?;
                open.push(Open::Folded(op, at));
            }
        }
        Ok(())
    }

    fn close(&mut self, open: Option<Open>, cur: &Cursor<'_, '_>, at: usize) -> Result<()> {
        match open {
            Some(Open::Folded(op, at)) => self.code.push(Instr { op, at }),
            Some(Open::Block | Open::If(_)) => {
                self.leave();
                self.code.push(Instr { op: Op::End, at });
            }
            Some(Open::Arm) => {}
            Some(Open::Condition(..)) => return Err(cur.error("`if` without `(then`")),
            None => return Err(cur.error("unexpected token `)`")),
        }
        Ok(())
    }

    /// Ends the innermost construct.
    pub(super) fn leave(&mut self) {
        if let Some((_, true)) = self.labels.pop() {
            self.locals.scopes.pop();
        }
    }
}
