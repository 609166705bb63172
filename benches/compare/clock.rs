//! The clock of run times: processor time of this thread, user and system. That of compile times is that of all threads.
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

/// Processor time of all threads of this process, since a fixed point.
#[cfg(target_os = "linux")]
pub fn all_threads() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Processor time of all threads of this process, since a fixed point.
#[cfg(not(target_os = "linux"))]
pub fn all_threads() -> Duration {
    now()
}

/// Processor time of processes that were waited for, in steps of a hundredth of a second; not known everywhere.
pub fn children() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may have spaces in it; the fields are counted in `proc_pid_stat(5)`.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(16)? + ticks(17)?)))
}
