//! What tables and memories are addressed with: numbers of 32 or 64 bits (memory64, in WebAssembly 3.0).

use super::source::Source;

/// The width of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// `i32`
    Narrow,
    /// `i64`
    Wide,
}

impl Width {
    pub fn any(s: &mut Source<'_>) -> Width {
        if s.chance(20) { Width::Wide } else { Width::Narrow }
    }

    /// The one that a length is of, where two tables take part.
    pub fn min(self, other: Width) -> Width {
        if self == other { self } else { Width::Narrow }
    }

    /// Its name in front of the limits.
    pub fn declared(self) -> &'static str {
        match self {
            Width::Narrow => "",
            Width::Wide => "i64 ",
        }
    }

    pub fn number(self, n: usize) -> String {
        match self {
            Width::Narrow => format!("(i32.const {n})"),
            Width::Wide => format!("(i64.const {n})"),
        }
    }

    /// A number that is seldom far out of bounds, by what 32 bits of it would not tell.
    pub fn near(self, s: &mut Source<'_>, n: usize) -> String {
        match self {
            Width::Wide if s.chance(3) => format!("(i64.const {})", n as u64 + (1 << s.between(32, 62))),
            _ => self.number(n),
        }
    }

    /// An `i32` as an address.
    pub fn of(self, expr: String) -> String {
        match self {
            Width::Narrow => expr,
            Width::Wide => format!("(i64.extend_i32_u {expr})"),
        }
    }

    /// An address as an `i32`.
    pub fn wrapped(self, expr: String) -> String {
        match self {
            Width::Narrow => expr,
            Width::Wide => format!("(i32.wrap_i64 {expr})"),
        }
    }
}
