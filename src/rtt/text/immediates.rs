//! Constants, and the immediates of operators that are today's, too: alignments, offsets, lanes.

use super::fold::Bodies;
use super::tokens::Cursor;
use crate::fault::{Error, Result};
use crate::rtt::plain::Shape;
use wasmparser::{MemArg, Operator};
use wast::core::V128Const;
use wast::token::{F32, F64};

impl Bodies<'_> {
    /// The immediates of an operator of this shape.
    pub(super) fn plain(&self, word: &str, shape: Shape, cur: &mut Cursor<'_, '_>) -> Result<Operator<'static>> {
        Ok(match shape {
            Shape::Bare(make) => make(),
            Shape::Memory(make) => make(self.memarg(word, cur)?),
            Shape::MemoryLane(make) => {
                let memarg = self.memarg(word, cur)?;
                make(memarg, cur.parse::<u8>(1)?)
            }
            Shape::Lane(make) => make(cur.parse::<u8>(1)?),
        })
    }

    fn memarg(&self, word: &str, cur: &mut Cursor<'_, '_>) -> Result<MemArg> {
        let lane = word.ends_with("_lane");
        let mut after = *cur;
        after.skip();
        let named = cur.is_index() && (!lane || after.is_index() || after.peek_keyword().is_some());
        let memory = if named { self.reader.names.memories.index(cur, "memory")? } else { 0 };
        let natural = natural_align(word);
        let (mut offset, mut align) = (0, 1 << natural);
        if let Some(text) = cur.peek_keyword().and_then(|word| word.strip_prefix("offset=")) {
            offset = number(text).ok_or_else(|| cur.error("malformed offset"))?;
            cur.skip();
        }
        if let Some(text) = cur.peek_keyword().and_then(|word| word.strip_prefix("align=")) {
            align = number(text).filter(|n| n.is_power_of_two()).ok_or_else(|| cur.error("malformed alignment"))?;
            cur.skip();
        }
        Ok(MemArg { align: align.trailing_zeros() as u8, max_align: natural, offset, memory })
    }
}

/// A constant, or a shuffle.
pub(super) fn constants(word: &str, cur: &mut Cursor<'_, '_>) -> Result<Option<Operator<'static>>> {
    Ok(Some(match word {
        "i32.const" => Operator::I32Const { value: cur.parse(1)? },
        "i64.const" => Operator::I64Const { value: cur.parse(1)? },
        "f32.const" => {
            Operator::F32Const { value: wasmparser::Ieee32::from(f32::from_bits(cur.parse::<F32>(1)?.bits)) }
        }
        "f64.const" => {
            Operator::F64Const { value: wasmparser::Ieee64::from(f64::from_bits(cur.parse::<F64>(1)?.bits)) }
        }
        "v128.const" => {
            let lanes = cur.peek_keyword().and_then(|shape| shape.split_once('x')?.1.parse::<usize>().ok());
            let lanes = lanes.ok_or_else(|| cur.error("unexpected token, expected a shape of lanes"))?;
            let value = cur.parse::<V128Const>(lanes.min(16) + 1)?;
            Operator::V128Const { value: v128(value.to_le_bytes())? }
        }
        "i8x16.shuffle" => {
            let mut lanes = [0; 16];
            for lane in &mut lanes {
                *lane = cur.parse(1)?;
            }
            Operator::I8x16Shuffle { lanes }
        }
        _ => return Ok(None),
    }))
}

/// A vector as the decoder has it, which has no other way in than its own bytes.
fn v128(bytes: [u8; 16]) -> Result<wasmparser::V128> {
    let mut code = vec![0xfd, 0x0c];
    code.extend(bytes);
    let mut reader = wasmparser::OperatorsReader::new(wasmparser::BinaryReader::new(&code, 0));
    match reader.read() {
        Ok(Operator::V128Const { value }) => Ok(value),
        _ => Err(Error::bug("a vector constant that can not be decoded")),
    }
}

/// The alignment of an access when none is given: the logarithm of its bytes.
pub(in crate::rtt) fn natural_align(word: &str) -> u8 {
    let tail = ["load", "store", "rmw", "wait"].iter().find_map(|verb| word.split_once(verb)).map(|(_, tail)| tail);
    let digits: String = tail.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    let bits = match (digits.parse::<u32>(), word.get(..4)) {
        (Ok(_), _) if tail.is_some_and(|tail| tail[digits.len()..].starts_with('x')) => 64,
        (Ok(bits), _) => bits,
        (_, Some("i64." | "f64.")) => 64,
        (_, Some("v128")) => 128,
        _ => 32,
    };
    (bits / 8).max(1).trailing_zeros() as u8
}

fn number(text: &str) -> Option<u64> {
    let text = text.replace('_', "");
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
