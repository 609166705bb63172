//! The names of a module, collected before anything is read: everything may be named before it is defined.

use super::tokens::Cursor;
use crate::fault::Result;
use std::collections::HashMap;

/// An index space.
#[derive(Default)]
pub struct Space {
    /// Indices by name.
    by_name: HashMap<String, u32>,
    /// How many entries there are.
    pub len: u32,
}

impl Space {
    /// A new entry, perhaps with the name that is next.
    pub fn define(&mut self, cur: &mut Cursor<'_, '_>, what: &str) -> Result<()> {
        let before = *cur;
        if let Some(name) = cur.id()?
            && self.by_name.insert(name.into_owned(), self.len).is_some()
        {
            return Err(before.error(format_args!("duplicate {what}")));
        }
        self.len += 1;
        Ok(())
    }

    /// The index that is next, as a name or a number.
    pub fn index(&self, cur: &mut Cursor<'_, '_>, what: &str) -> Result<u32> {
        let before = *cur;
        match cur.id()? {
            Some(name) => {
                let index = self.by_name.get(name.as_ref()).copied();
                index.ok_or_else(|| before.error(format_args!("unknown {what} `${name}`")))
            }
            None => cur.u32(),
        }
    }

    /// The same, or a default if no index is next.
    pub fn index_or(&self, cur: &mut Cursor<'_, '_>, what: &str, default: u32) -> Result<u32> {
        if cur.is_index() { self.index(cur, what) } else { Ok(default) }
    }
}

/// All names of a module but those of locals and labels.
#[derive(Default)]
pub struct Names {
    pub types: Space,
    pub funcs: Space,
    pub tables: Space,
    pub memories: Space,
    pub globals: Space,
    pub elems: Space,
    pub data: Space,
    /// Fields by type.
    pub fields: Vec<HashMap<String, u32>>,
}

impl Names {
    /// Collects the names in the fields of a module.
    pub fn collect(fields: Cursor<'_, '_>) -> Result<Names> {
        let mut names = Names::default();
        let (mut rest, mut defined) = (fields, None);
        while !rest.is_empty() {
            let before = rest;
            let mut field = rest.form()?;
            let mut word = field.keyword()?;
            let mut inner = field;
            if word == "import" {
                if let Some(defined) = defined {
                    return Err(before.error(format_args!("import after {defined}")));
                }
                inner.string()?;
                inner.string()?;
                inner = inner.form()?;
                word = inner.keyword()?;
            } else if matches!(word, "func" | "table" | "memory" | "global") {
                let mut after = inner;
                after.id()?;
                while after.eat_form("export").is_some() {}
                if after.peek_form() != Some("import") {
                    defined = Some(word);
                } else if let Some(defined) = defined {
                    return Err(before.error(format_args!("import after {defined}")));
                }
            }
            names.define(word, &mut inner)?;
        }
        Ok(names)
    }

    fn define(&mut self, word: &str, cur: &mut Cursor<'_, '_>) -> Result<()> {
        match word {
            "type" => self.types.define(cur, "type"),
            "func" => self.funcs.define(cur, "func"),
            "global" => self.globals.define(cur, "global"),
            "elem" => self.elems.define(cur, "elem"),
            "data" => self.data.define(cur, "data"),
            "table" => {
                self.tables.define(cur, "table")?;
                self.elems.len += u32::from(has_form(*cur, "elem"));
                Ok(())
            }
            "memory" => {
                self.memories.define(cur, "memory")?;
                self.data.len += u32::from(has_form(*cur, "data"));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn has_form(mut cur: Cursor<'_, '_>, word: &str) -> bool {
    while !cur.is_empty() {
        if cur.peek_form() == Some(word) {
            return true;
        }
        cur.skip_form();
    }
    false
}
