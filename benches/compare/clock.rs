//! The clock of run times: processor time of this thread, user and system.
//!
//! Programs and collectors run on the thread that calls them (our major collections on a second one too, whose time is
//! not in here), so on an idle machine this is the time that
//! passes; on a busy one it leaves out what others took. Elsewhere than on Linux it is the time that passes.

use std::time::Duration;

/// Time since a fixed point.
#[cfg(target_os = "linux")]
pub fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Time since a fixed point.
#[cfg(not(target_os = "linux"))]
pub fn now() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}
