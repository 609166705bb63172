//! What is run: a module, how to start it, and what it must give.

use std::path::PathBuf;

/// A module to be measured.
pub struct Program {
    /// `group/name`, with the parameter behind a colon where there are several.
    pub name: String,
    pub group: Group,
    /// The binary.
    pub wasm: Vec<u8>,
    /// Where the binary is a file.
    pub file: Option<PathBuf>,
    pub entry: Entry,
    /// The parameter in test mode.
    pub test: i32,
    pub class: Class,
}

/// Where a program comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A `large` case of the corpus: a whole program in a new store each time.
    Large,
    /// A module of the corpus that is only compiled.
    CompileOnly,
    /// A program of `benches/programs/`: a steady state.
    Micro,
}

/// Which of the targets a program counts for beside the general ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Other,
    VirtualCalls,
    Casts,
}

/// How a program is started.
#[derive(Debug, Clone)]
pub enum Entry {
    /// Calls an export with numbers.
    Invoke { export: String, args: Vec<i32>, returns: Option<i32> },
    /// Calls `_start` with WASI preview 1 and a folder as `.`.
    Wasi { args: Vec<String>, dir: Option<PathBuf>, stdout: Vec<u8> },
    /// Is not started.
    CompileOnly,
}

/// What a run gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Number(i32),
    Text(Vec<u8>),
}

impl Program {
    pub fn is_compile_only(&self) -> bool {
        matches!(self.entry, Entry::CompileOnly)
    }

    /// What a run must give, where that is known beforehand.
    pub fn expected(&self) -> Option<Outcome> {
        match &self.entry {
            Entry::Invoke { returns, .. } => returns.map(Outcome::Number),
            Entry::Wasi { stdout, .. } => Some(Outcome::Text(stdout.clone())),
            Entry::CompileOnly => None,
        }
    }

    /// The entry with the small parameter.
    pub fn test_entry(&self) -> Entry {
        match &self.entry {
            Entry::Invoke { export, .. } => {
                Entry::Invoke { export: export.clone(), args: vec![self.test], returns: None }
            }
            entry => entry.clone(),
        }
    }
}

impl Entry {
    /// The function that is called.
    pub fn export(&self) -> &str {
        match self {
            Entry::Invoke { export, .. } => export,
            Entry::Wasi { .. } | Entry::CompileOnly => "_start",
        }
    }

    /// Its arguments.
    pub fn args(&self) -> &[i32] {
        match self {
            Entry::Invoke { args, .. } => args,
            Entry::Wasi { .. } | Entry::CompileOnly => &[],
        }
    }
}
