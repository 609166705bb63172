//! Where everything goes: which imports become which functions, and the indices of what is added.
//!
//! What is added goes behind what the program has, in each index space. So nothing of the program moves but
//! functions, which close the gaps that imports leave.

use super::library::{self, Library};
use super::piece::Piece;
use super::program::{ImportedFunc, Program};
use super::{Error, LinkOptions, Result, template};
use wasmparser::{CompositeInnerType, FuncType, HeapType, RefType, ValType};

/// An intrinsic that a program uses, assembled.
pub(super) struct Use {
    pub(super) library: Library,
    pub(super) wasm: Vec<u8>,
    /// The imports that it answers: indices of the program's imported functions.
    asked: Vec<usize>,
}

/// Finds out which intrinsics a program uses.
pub(super) fn uses(program: &Program, options: &LinkOptions) -> Result<Vec<Use>> {
    for (module, name) in &program.other_imports {
        if library::find(module, options)?.is_some() {
            return Err(Error::Type {
                module: module.clone(),
                name: name.clone(),
                remedy: "all that intrinsics have are functions".to_string(),
            });
        }
    }
    let mut found: Vec<(&str, Library, Vec<usize>)> = Vec::new();
    for (index, import) in program.imported.iter().enumerate() {
        if let Some((_, _, asked)) = found.iter_mut().find(|(module, ..)| *module == import.module) {
            asked.push(index);
        } else if let Some(library) = library::find(&import.module, options)? {
            found.push((&import.module, library, vec![index]));
        }
    }
    let assemble = |(_, mut library, asked): (&str, Library, Vec<usize>)| {
        if asked.iter().filter_map(|&index| program.imported.get(index)).any(|import| import.name == "retain") {
            library.features.push("counted");
        }
        // What a weak table converts to and from is a matter of the hierarchy.
        if library.features.contains(&"weak") && asked.iter().any(|&index| is_internal(program, index)) {
            library.features.push("internal");
        }
        let wasm = template::assemble(library.text, &library.features)?;
        Ok(Use { library, wasm, asked })
    };
    found.into_iter().map(assemble).collect()
}

/// Whether an import of a table has to do with `anyref`.
fn is_internal(program: &Program, index: usize) -> bool {
    let ty = program.imported.get(index).and_then(|import| program.types.get(import.ty as usize));
    match ty.map(|ty| &ty.composite_type.inner) {
        Some(CompositeInnerType::Func(ty)) => {
            ty.params().iter().chain(ty.results()).any(|ty| *ty == ValType::Ref(RefType::ANYREF))
        }
        _ => false,
    }
}

/// A function that is added: one of a piece, with its type in the program that results.
pub(super) struct Added {
    pub(super) func: u32,
    pub(super) ty: u32,
    pub(super) index: u32,
}

/// A piece and where it goes.
pub(super) struct Placed<'a> {
    pub(super) piece: Piece<'a>,
    pub(super) label: &'a str,
    /// What `externref` stands for.
    pub(super) element: Option<HeapType>,
    pub(super) added: Vec<Added>,
    pub(super) first_import: u32,
    pub(super) first_type: u32,
    pub(super) first_table: u32,
    pub(super) first_memory: u32,
    pub(super) first_global: u32,
}

/// Where everything goes.
pub(super) struct Plan<'a> {
    /// New indices of the program's functions.
    pub(super) functions: Vec<u32>,
    /// Which of the program's imported functions are answered.
    pub(super) answered: Vec<bool>,
    pub(super) placed: Vec<Placed<'a>>,
}

impl<'a> Plan<'a> {
    /// Places the intrinsics.
    pub(super) fn new(program: &Program, uses: &'a [Use]) -> Result<Plan<'a>> {
        let mut answered = vec![false; program.imported.len()];
        for &index in uses.iter().flat_map(|one| &one.asked) {
            answered[index] = true;
        }
        let pieces: Vec<Piece<'a>> = uses.iter().map(|one| Piece::parse(&one.wasm)).collect::<Result<_>>()?;
        let mut kept = 0..;
        let mut functions: Vec<u32> =
            answered.iter().map(|&gone| if gone { 0 } else { kept.next().unwrap_or(0) }).collect();
        let import = kept.start;
        kept.start += pieces.iter().map(|piece| piece.imports.len() as u32).sum::<u32>();
        functions.extend(kept.by_ref().take(program.defined as usize));
        let mut plan = Plan { functions, answered, placed: Vec::new() };
        let mut next = Next {
            ty: program.types.len() as u32,
            import,
            func: kept.start,
            table: program.tables,
            memory: program.memories.len() as u32,
            global: program.globals,
        };
        for (one, piece) in uses.iter().zip(pieces) {
            let placed = plan.place(program, one, piece, &mut next)?;
            plan.placed.push(placed);
        }
        next.check()?;
        Ok(plan)
    }

    fn place(&mut self, program: &Program, one: &'a Use, piece: Piece<'a>, next: &mut Next) -> Result<Placed<'a>> {
        if piece.uses_memory {
            check_memory(program)?;
        }
        let element = element(program, &piece, one)?;
        let mut added = Vec::new();
        for func in (piece.imports.len() as u32..piece.functions.len() as u32).filter(|&func| !piece.is_operation(func))
        {
            added.push(Added { func, ty: next.ty + piece.functions[func as usize], index: next.function() });
        }
        // An operation has the type of the import that it replaces, which may be declared a subtype, for instance.
        for &asked in &one.asked {
            let import = &program.imported[asked];
            let func = operation(&piece, import)?;
            let index = next.function();
            added.push(Added { func, ty: import.ty, index });
            self.functions[asked] = index;
        }
        let placed = Placed {
            label: &one.library.label,
            element,
            added,
            first_import: next.import,
            first_type: next.ty,
            first_table: next.table,
            first_memory: next.memory,
            first_global: next.global,
            piece,
        };
        next.import += placed.piece.imports.len() as u32;
        next.ty += placed.piece.types.len() as u32;
        next.table += placed.piece.tables.len() as u32;
        next.memory += placed.piece.memories.len() as u32;
        next.global += placed.piece.globals.len() as u32;
        Ok(placed)
    }
}

/// The next free index of each space.
struct Next {
    ty: u32,
    import: u32,
    func: u32,
    table: u32,
    memory: u32,
    global: u32,
}

impl Next {
    fn function(&mut self) -> u32 {
        self.func += 1;
        self.func - 1
    }

    /// Programs may have as many of everything as engines agree on: the implementation limits of the JavaScript
    /// interface, which Wasmtime has too. What is added must not exceed them.
    fn check(&self) -> Result<()> {
        const MANY: u32 = 1_000_000;
        let spaces = [
            ("types", self.ty, MANY),
            ("functions", self.func, MANY),
            ("tables", self.table, 100),
            ("memories", self.memory, 100),
            ("globals", self.global, MANY),
        ];
        match spaces.into_iter().find(|(_, count, most)| count > most) {
            Some((what, _, most)) => Err(Error::TooMany { what, most }),
            None => Ok(()),
        }
    }
}

fn operation(piece: &Piece<'_>, import: &ImportedFunc) -> Result<u32> {
    piece.operation(&import.name).ok_or_else(|| {
        let mut known: Vec<String> = piece.operations.iter().map(|(name, _)| format!("`{name}`")).collect();
        // Only there if it is asked for: see `uses`.
        if !piece.tables.is_empty() && piece.operation("retain").is_none() {
            known.push("`retain`".to_string());
        }
        Error::UnknownName { module: import.module.clone(), name: import.name.clone(), known: known.join(", ") }
    })
}

/// The program's memory can hold links.
fn check_memory(program: &Program) -> Result<()> {
    let why = match program.memories.first() {
        None => "there is no memory",
        Some(memory) if memory.memory64 => "its addresses have 64 bits",
        Some(memory) if memory.page_size_log2.is_some_and(|log2| log2 != 16) => "its pages are not of 64 KiB",
        Some(_) => return Ok(()),
    };
    Err(Error::Memory { why })
}

/// Checks the types of the imports; gives the type of the elements where the program chooses it.
fn element(program: &Program, piece: &Piece<'_>, one: &Use) -> Result<Option<HeapType>> {
    let mut element: Option<RefType> = None;
    for import in one.asked.iter().map(|&asked| &program.imported[asked]) {
        let func = operation(piece, import)?;
        let wrong = |remedy: String| Error::Type { module: import.module.clone(), name: import.name.clone(), remedy };
        let Some(expected) = piece.type_of(func) else { return Err(Error::bug("an operation has no type")) };
        let found = program.types.get(import.ty as usize).and_then(|ty| match &ty.composite_type.inner {
            CompositeInnerType::Func(ty) => Some(ty),
            _ => None,
        });
        if !found.is_some_and(|found| matches(expected, found, one.library.generic, &mut element)) {
            let note = if one.library.features.contains(&"weak") {
                ", with `externref` or with `anyref`, the same in all operations of one table"
            } else if one.library.generic {
                ", where `externref` is any nullable reference type, the same in all operations of one table"
            } else {
                ""
            };
            return Err(wrong(format!("it has to be {}{note}", signature(expected))));
        }
    }
    Ok(element.map(|element| element.heap_type()))
}

/// Whether a type is that of an operation, if `externref` stands for `element`.
fn matches(expected: &FuncType, found: &FuncType, generic: bool, element: &mut Option<RefType>) -> bool {
    let same = |(expected, found): (&ValType, &ValType)| match (expected, found) {
        (&ValType::EXTERNREF, ValType::Ref(found)) if generic => {
            found.is_nullable() && *element.get_or_insert(*found) == *found
        }
        _ => expected == found,
    };
    let pairs = || expected.params().iter().zip(found.params()).chain(expected.results().iter().zip(found.results()));
    expected.params().len() == found.params().len()
        && expected.results().len() == found.results().len()
        && pairs().all(same)
}

fn signature(ty: &FuncType) -> String {
    let list = |word: &str, types: &[ValType]| match types {
        [] => String::new(),
        _ => format!(" ({word} {})", types.iter().map(ValType::to_string).collect::<Vec<_>>().join(" ")),
    };
    format!("`(func{}{})`", list("param", ty.params()), list("result", ty.results()))
}
