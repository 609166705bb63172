//! Processor time of more than one thread: of all of this process, for compile times, and of processes that have ended.

use std::time::Duration;

/// Processor time of all threads of this process, since a fixed point.
#[cfg(target_os = "linux")]
pub fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Processor time of all threads of this process, since a fixed point.
#[cfg(not(target_os = "linux"))]
pub fn now() -> Duration {
    super::clock::now()
}

/// Processor time of processes that were waited for, in steps of a hundredth of a second; not known everywhere.
pub fn children() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may have spaces in it; the fields are counted in `proc_pid_stat(5)`.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(16)? + ticks(17)?)))
}
