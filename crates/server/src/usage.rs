//! What this process takes of its machine, as Linux tells it; elsewhere nothing is told.

use std::fs;

/// Ticks a second in which Linux counts processor time for programs, whatever the kernel's own clock.
const TICKS: f64 = 100.0;

/// What a process takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Usage {
    /// Memory that is really occupied.
    pub memory_bytes: u64,
    /// Processor time since the start.
    pub cpu_seconds: f64,
    /// Open files and connections.
    pub n_files: u64,
}

impl Usage {
    /// What this process takes now; `None` where the system does not tell.
    pub fn read() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let n_files = fs::read_dir("/proc/self/fd").ok()?.count();
        Some(Self {
            memory_bytes: memory(&status)?,
            cpu_seconds: cpu(&stat)?,
            n_files: n_files as u64,
        })
    }
}

fn memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

fn cpu(stat: &str) -> Option<f64> {
    // The program's name stands in brackets and may hold blanks and brackets itself.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut ticks = rest.split_whitespace().skip(11);
    let user: u64 = ticks.next()?.parse().ok()?;
    let system: u64 = ticks.next()?.parse().ok()?;
    Some((user + system) as f64 / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_read() {
        assert_eq!(memory("Name:\tx\nVmRSS:\t   12 kB\nThreads:\t1\n"), Some(12_288));
        assert_eq!(memory("Name:\tx\n"), None);
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 4 0 100 1 1";
        assert_eq!(cpu(stat), Some(3.0));
        assert_eq!(cpu("7 (a"), None);
    }
}
