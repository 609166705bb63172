//! Resident memory of this process. Linux only.

use wasmtime::Result;
use wasmtime::error::Context;

/// From here on, the most that was resident beyond what is now.
pub struct Watch {
    before: u64,
}

impl Watch {
    /// Resets the kernel's high-water mark.
    pub fn start() -> Result<Watch> {
        std::fs::write("/proc/self/clear_refs", "5")?;
        Ok(Watch { before: resident()? })
    }

    /// KiB.
    pub fn most(&self) -> Result<u64> {
        Ok(status("VmHWM:")?.saturating_sub(self.before))
    }
}

/// What is resident of this process, in KiB.
pub fn resident() -> Result<u64> {
    status("VmRSS:")
}

/// A line of `/proc/self/status`, in KiB.
fn status(key: &str) -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)).context("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
