//! Which passes run: a set of names, so that one can be switched off to be measured, or run alone to be tested.
//!
//! ```text
//! all-inline-hoist        everything but these two
//! none+type_flow          this one alone
//! ```

/// A set of passes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Passes(u32);

/// The passes by name: those of the whole module first. The bit of each is its place.
const NAMES: [&str; 16] = [
    "devirtualize",
    "inline",
    "scalars",
    "loop_globals",
    "loop_fields",
    "redundant_loads",
    "calls",
    "type_flow",
    "arithmetic",
    "conditions",
    "fold",
    "dce",
    "hoist",
    "bounds",
    "blocks",
    "rotate",
];

impl Passes {
    /// All passes.
    pub const ALL: Passes = Passes((1 << NAMES.len()) - 1);
    /// No pass.
    pub const NONE: Passes = Passes(0);
    pub(super) const SCALARS: Passes = Passes(1 << 2);
    pub(super) const LOOP_GLOBALS: Passes = Passes(1 << 3);
    pub(super) const LOOP_FIELDS: Passes = Passes(1 << 4);
    pub(super) const REDUNDANT_LOADS: Passes = Passes(1 << 5);
    pub(super) const TYPE_FLOW: Passes = Passes(1 << 7);
    pub(super) const ARITHMETIC: Passes = Passes(1 << 8);
    pub(super) const CONDITIONS: Passes = Passes(1 << 9);
    pub(super) const FOLD: Passes = Passes(1 << 10);
    pub(super) const DCE: Passes = Passes(1 << 11);
    pub(super) const HOIST: Passes = Passes(1 << 12);
    /// Calls through fields, made direct.
    pub const DEVIRTUALIZE: Passes = Passes(1);
    /// Small functions in the place of calls.
    pub const INLINE: Passes = Passes(1 << 1);
    /// Not a rewrite of its own: what calls write, for those that follow values across them.
    pub const CALLS: Passes = Passes(1 << 6);
    /// Done while operations are lowered: no check of an index that is known to be in bounds.
    pub const BOUNDS: Passes = Passes(1 << 13);

    pub(super) const BLOCKS: Passes = Passes(1 << 14);
    /// Done when operations are lowered: loops that begin with a test end with it.
    pub const ROTATE: Passes = Passes(1 << 15);

    /// Whether all of some passes are in the set.
    pub fn has(self, others: Passes) -> bool {
        self.0 & others.0 == others.0
    }

    /// What is left of the set at a level of optimisation: nothing at 0, what makes code smaller at 1, all above.
    pub fn at_level(self, level: u8) -> Passes {
        match level {
            0 => Passes::NONE,
            1 => Passes(self.0 & (Passes::TYPE_FLOW.0 | Passes::FOLD.0 | Passes::DCE.0)),
            _ => self,
        }
    }

    /// The names of all passes.
    pub fn names() -> &'static [&'static str] {
        &NAMES
    }

    /// One pass, by name.
    pub fn named(name: &str) -> Option<Passes> {
        NAMES.iter().position(|&known| known == name).map(|bit| Passes(1 << bit))
    }

    /// `all` or `none`, and then any number of `+name` and `-name`.
    ///
    /// # Errors
    ///
    /// When it is something else; the error lists the names.
    pub fn parse(text: &str) -> Result<Passes, String> {
        let end = text.find(['+', '-']).unwrap_or(text.len());
        let (start, mut rest) = text.split_at(end);
        let mut passes = match start {
            "all" => Passes::ALL,
            "none" => Passes::NONE,
            other => return Err(format!("`{other}` is no set of passes; begin with `all` or `none`")),
        };
        while let Some(sign) = rest.chars().next() {
            let tail = &rest[1..];
            let end = tail.find(['+', '-']).unwrap_or(tail.len());
            let (name, others) = tail.split_at(end);
            let Some(pass) = Passes::named(name) else {
                return Err(format!("`{name}` is no pass; there are {}", NAMES.join(", ")));
            };
            passes.0 = if sign == '+' { passes.0 | pass.0 } else { passes.0 & !pass.0 };
            rest = others;
        }
        Ok(passes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_as_differences() {
        let all_but = Passes::parse("all-inline-hoist").unwrap();
        assert!(all_but.has(Passes::SCALARS) && !all_but.has(Passes::INLINE) && !all_but.has(Passes::HOIST));
        assert_eq!(Passes::parse("none+type_flow").unwrap(), Passes::TYPE_FLOW);
        assert_eq!(Passes::parse("all").unwrap(), Passes::ALL);
        assert!(Passes::parse("inline").unwrap_err().contains("begin with"));
        assert!(Passes::parse("all-unknown").unwrap_err().contains("type_flow"));
    }

    #[test]
    fn bits_are_places_in_the_list() {
        let known = [
            ("devirtualize", Passes::DEVIRTUALIZE),
            ("inline", Passes::INLINE),
            ("scalars", Passes::SCALARS),
            ("loop_globals", Passes::LOOP_GLOBALS),
            ("loop_fields", Passes::LOOP_FIELDS),
            ("redundant_loads", Passes::REDUNDANT_LOADS),
            ("calls", Passes::CALLS),
            ("type_flow", Passes::TYPE_FLOW),
            ("arithmetic", Passes::ARITHMETIC),
            ("conditions", Passes::CONDITIONS),
            ("fold", Passes::FOLD),
            ("dce", Passes::DCE),
            ("hoist", Passes::HOIST),
            ("bounds", Passes::BOUNDS),
            ("blocks", Passes::BLOCKS),
            ("rotate", Passes::ROTATE),
        ];
        assert!(known.iter().all(|&(name, pass)| Passes::named(name) == Some(pass)));
        assert_eq!(known.len(), Passes::names().len());
        assert_eq!(Passes::ALL.at_level(1), Passes(Passes::TYPE_FLOW.0 | Passes::FOLD.0 | Passes::DCE.0));
    }
}
