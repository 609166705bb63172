//! The side table as a relocatable object file, for `wasm-ld`.
//!
//! Source: "WebAssembly Object File Linking" of the tool conventions, version 2 of the section `linking`. What is
//! here is what the template needs: functions, globals and tables as symbols, relocations in code only, the program's
//! memory as `env` `__linear_memory`, and no data.
//!
//! Code is copied but for the indices that the linker changes. These take five bytes, so that any index fits, and
//! each has a relocation.

use super::{Error, Result};
use wasmparser::{FunctionBody, KnownCustom, Operator, Parser, Payload};

/// What is in front of the names of operations.
const PREFIX: &str = "wgc_";

/// `WASM_SYM_BINDING_LOCAL` and `WASM_SYM_VISIBILITY_HIDDEN`.
const LOCAL: u32 = 0x2;
const HIDDEN: u32 = 0x4;

/// What a symbol is: its number among symbols, and that of relocations of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function = 0,
    Global = 2,
    Table = 5,
}

impl Kind {
    /// `R_WASM_FUNCTION_INDEX_LEB`, `R_WASM_GLOBAL_INDEX_LEB` or `R_WASM_TABLE_NUMBER_LEB`.
    fn relocation(self) -> u8 {
        match self {
            Kind::Function => 0,
            Kind::Global => 7,
            Kind::Table => 20,
        }
    }
}

struct Symbol {
    kind: Kind,
    index: u32,
    flags: u32,
    name: String,
}

/// A place in the code section that the linker writes an index to.
struct Relocation {
    offset: usize,
    kind: Kind,
    index: u32,
}

/// What becomes an object file.
#[derive(Default)]
struct Object<'a> {
    /// Sections that are copied: their id and contents.
    copied: Vec<(u8, &'a [u8])>,
    bodies: Vec<FunctionBody<'a>>,
    operations: Vec<(&'a str, u32)>,
    names: Vec<(u32, &'a str)>,
    functions: u32,
    globals: u32,
    tables: u32,
}

/// A module as an object file: what it exports has a name with a prefix.
pub(super) fn object(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut object = Object::default();
    for payload in Parser::new(0).parse_all(wasm) {
        object.add(wasm, payload?)?;
    }
    object.write(wasm)
}

impl<'a> Object<'a> {
    fn add(&mut self, wasm: &'a [u8], payload: Payload<'a>) -> Result<()> {
        if let Some((id @ (1..=4 | 6), range)) = payload.as_section() {
            let contents = wasm.get(range).ok_or_else(|| Error::bug("a section is out of bounds"))?;
            self.copied.push((id, contents));
        }
        match payload {
            Payload::FunctionSection(section) => self.functions = section.count(),
            Payload::TableSection(section) => self.tables = section.count(),
            Payload::GlobalSection(section) => self.globals = section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.operations.push((export.name, export.index));
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    for subsection in names {
                        if let wasmparser::Name::Function(map) = subsection? {
                            for naming in map {
                                let naming = naming?;
                                self.names.push((naming.index, naming.name));
                            }
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&self, wasm: &[u8]) -> Result<Vec<u8>> {
        let symbols = self.symbols();
        let (code, relocations) = self.code(wasm)?;
        let mut out = b"\0asm\x01\0\0\0".to_vec();
        for (id, contents) in &self.copied {
            section(&mut out, *id, contents);
        }
        section(&mut out, 10, &code);
        custom(&mut out, "linking", &linking(&symbols));
        custom(&mut out, "reloc.CODE", &reloc(self.copied.len() as u32, &relocations, &symbols)?);
        custom(&mut out, "target_features", &features(&["bulk-memory", "reference-types"]));
        Ok(out)
    }

    fn symbols(&self) -> Vec<Symbol> {
        let functions = (0..self.functions).map(|index| {
            let operation = self.operations.iter().find(|(_, operation)| *operation == index);
            let named = self.names.iter().find(|(named, _)| *named == index).map_or("helper", |(_, name)| *name);
            match operation {
                Some((name, _)) => (Kind::Function, index, HIDDEN, format!("{PREFIX}{name}")),
                None => (Kind::Function, index, LOCAL, format!("{PREFIX}side_table.{named}")),
            }
        });
        let globals = (0..self.globals).map(|n| (Kind::Global, n, LOCAL, format!("{PREFIX}side_table.global{n}")));
        let tables = (0..self.tables).map(|n| (Kind::Table, n, LOCAL, format!("{PREFIX}side_table.table{n}")));
        let all = functions.chain(globals).chain(tables);
        all.map(|(kind, index, flags, name)| Symbol { kind, index, flags, name }).collect()
    }

    fn code(&self, wasm: &[u8]) -> Result<(Vec<u8>, Vec<Relocation>)> {
        let (mut code, mut relocations) = (Vec::new(), Vec::new());
        unsigned(&mut code, self.bodies.len() as u32);
        for function in &self.bodies {
            let (contents, inner) = body(wasm, function)?;
            unsigned(&mut code, contents.len() as u32);
            let start = code.len();
            code.extend_from_slice(&contents);
            relocations.extend(inner.into_iter().map(|one| Relocation { offset: start + one.offset, ..one }));
        }
        Ok((code, relocations))
    }
}

/// A function with room for indices, and where they are.
fn body(wasm: &[u8], function: &FunctionBody<'_>) -> Result<(Vec<u8>, Vec<Relocation>)> {
    let outside = || Error::bug("an operation is out of bounds");
    let mut relocations = Vec::new();
    let operations: Vec<(Operator<'_>, usize)> =
        function.get_operators_reader()?.into_iter_with_offsets().collect::<Result<_, _>>()?;
    let range = function.range();
    let first = operations.first().map_or(range.end, |(_, offset)| *offset);
    let mut contents = wasm.get(range.start..first).ok_or_else(outside)?.to_vec();
    let ends = operations.iter().skip(1).map(|(_, offset)| *offset).chain([range.end]);
    for ((operation, offset), end) in operations.iter().zip(ends) {
        let bytes = wasm.get(*offset..end).ok_or_else(outside)?;
        let Some((opcode, kind, index)) = indexed(operation) else {
            contents.extend_from_slice(bytes);
            continue;
        };
        contents.extend_from_slice(opcode);
        relocations.push(Relocation { offset: contents.len(), kind, index });
        padded(&mut contents, index);
    }
    Ok((contents, relocations))
}

/// An operation that names something that the linker moves: its opcode, and what it names.
fn indexed(operation: &Operator<'_>) -> Option<(&'static [u8], Kind, u32)> {
    Some(match *operation {
        Operator::Call { function_index } => (&[0x10], Kind::Function, function_index),
        Operator::GlobalGet { global_index } => (&[0x23], Kind::Global, global_index),
        Operator::GlobalSet { global_index } => (&[0x24], Kind::Global, global_index),
        Operator::TableGet { table } => (&[0x25], Kind::Table, table),
        Operator::TableSet { table } => (&[0x26], Kind::Table, table),
        Operator::TableGrow { table } => (&[0xfc, 15], Kind::Table, table),
        Operator::TableSize { table } => (&[0xfc, 16], Kind::Table, table),
        _ => return None,
    })
}

/// The contents of `linking`: version 2, with a symbol table (subsection 8).
fn linking(symbols: &[Symbol]) -> Vec<u8> {
    let mut table = Vec::new();
    unsigned(&mut table, symbols.len() as u32);
    for symbol in symbols {
        table.push(symbol.kind as u8);
        unsigned(&mut table, symbol.flags);
        unsigned(&mut table, symbol.index);
        text(&mut table, &symbol.name);
    }
    let mut out = vec![2, 8];
    unsigned(&mut out, table.len() as u32);
    out.extend_from_slice(&table);
    out
}

/// The contents of `reloc.CODE`.
fn reloc(code_section: u32, relocations: &[Relocation], symbols: &[Symbol]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    unsigned(&mut out, code_section);
    unsigned(&mut out, relocations.len() as u32);
    for one in relocations {
        let symbol = symbols.iter().position(|symbol| symbol.kind == one.kind && symbol.index == one.index);
        let symbol = symbol.ok_or_else(|| Error::bug("an operation names what has no symbol"))?;
        out.push(one.kind.relocation());
        unsigned(&mut out, one.offset as u32);
        unsigned(&mut out, symbol as u32);
    }
    Ok(out)
}

/// The contents of `target_features`: features that are used.
fn features(names: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    unsigned(&mut out, names.len() as u32);
    for name in names {
        out.push(b'+');
        text(&mut out, name);
    }
    out
}

fn section(out: &mut Vec<u8>, id: u8, contents: &[u8]) {
    out.push(id);
    unsigned(out, contents.len() as u32);
    out.extend_from_slice(contents);
}

fn custom(out: &mut Vec<u8>, name: &str, contents: &[u8]) {
    let mut all = Vec::new();
    text(&mut all, name);
    all.extend_from_slice(contents);
    section(out, 0, &all);
}

fn text(out: &mut Vec<u8>, text: &str) {
    unsigned(out, text.len() as u32);
    out.extend_from_slice(text.as_bytes());
}

/// LEB128.
fn unsigned(out: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// LEB128 of five bytes.
fn padded(out: &mut Vec<u8>, value: u32) {
    for shift in [0, 7, 14, 21] {
        out.push((value >> shift) as u8 | 0x80);
    }
    out.push((value >> 28) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_encoded_as_leb128() {
        for value in [0, 1, 127, 128, 300, 0x3f_ffff, u32::MAX] {
            let (mut short, mut long) = (Vec::new(), Vec::new());
            unsigned(&mut short, value);
            padded(&mut long, value);
            let read = |bytes: &[u8]| wasmparser::BinaryReader::new(bytes, 0).read_var_u32().expect("it is a number");
            assert_eq!((read(&short), read(&long), long.len()), (value, value, 5));
        }
    }
}
