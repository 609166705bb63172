//! How much IR a body may become.
//!
//! Every branch out of a block hands over each local that the block assigns, so a body of n bytes can
//! ask for n² values. Compilers do not write such code; it is refused instead of compiled for hours.
//! The bound grows with the number of operators seen, so that honest code of any size passes.

use crate::fault::Error;
use crate::fault::Result;

/// What is granted to the smallest body, in operands.
const BASE: u64 = 16_000_000;
/// What each operator adds, in operands.
const PER_OP: u64 = 128;
/// What a value costs, in operands: it has a type, an origin, and a place in a list.
const VALUE: u64 = 8;

/// Counts values and operands.
pub(super) struct Budget {
    func: u32,
    spent: u64,
}

impl Budget {
    /// For a function with this index.
    pub(super) fn new(func: u32) -> Budget {
        Budget { func, spent: 0 }
    }

    /// Spends on so many new values and operands, in a body of which so many operators are read.
    ///
    /// # Errors
    ///
    /// `TooComplex` when there is nothing left.
    pub(super) fn spend(&mut self, values: usize, operands: usize, ops: u64) -> Result<()> {
        self.spent = self.spent.saturating_add(values as u64 * VALUE + operands as u64);
        if self.spent > BASE.saturating_add(ops.saturating_mul(PER_OP)) {
            let what = "its branches carry too many locals and operands; split it, or give it fewer locals";
            return Err(Error::TooComplex { func: self.func, what: what.to_string() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends() {
        let mut budget = Budget::new(0);
        assert!(budget.spend(1_000_000, 1_000_000, 0).is_ok());
        assert!(matches!(budget.spend(1_000_000, 0, 0), Err(Error::TooComplex { func: 0, .. })));
        assert!(budget.spend(0, 0, 1 << 20).is_ok());
    }
}
