//! How much time, processor and memory something takes, and how much of the machine others used meanwhile.
//! Knows processes and Linux's /proc; must not know what is measured. Elsewhere what /proc tells is 0.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The unit of processor time in /proc, whatever the kernel counts in.
const TICKS_PER_SECOND: f64 = 100.0;

/// Measures from [`Meter::start`] to [`Meter::read`].
pub struct Meter {
    service: Option<u32>,
    began: Instant,
    own: f64,
    of_service: f64,
    of_all: f64,
}

/// What a [`Meter`] has counted, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// By the clock.
    pub seconds: f64,
    /// Processor time of this process.
    pub cpu_seconds: f64,
    /// Processor time of the service, with its children.
    pub service_cpu_seconds: f64,
    /// Processor time that all other processes used meanwhile, on all processors.
    pub others_cpu_seconds: f64,
}

impl Meter {
    /// Begins to measure this process and its service.
    pub fn start(service: Option<u32>) -> Meter {
        Meter {
            service,
            of_service: service.map_or(0.0, tree_cpu_seconds),
            of_all: busy_seconds(),
            own: own_cpu_seconds(),
            began: Instant::now(),
        }
    }

    /// What was used since the start.
    pub fn read(&self) -> Reading {
        let seconds = self.began.elapsed().as_secs_f64();
        let cpu_seconds = own_cpu_seconds() - self.own;
        let of_all = busy_seconds() - self.of_all;
        let service_cpu_seconds = self.service.map_or(0.0, tree_cpu_seconds) - self.of_service;
        let others_cpu_seconds = (of_all - cpu_seconds - service_cpu_seconds).max(0.0);
        Reading { seconds, cpu_seconds, service_cpu_seconds, others_cpu_seconds }
    }
}

fn own_cpu_seconds() -> f64 {
    getrusage(UsageWho::RUSAGE_SELF).map_or(0.0, |usage| {
        (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6
    })
}

/// How long all processors together have been busy, also with what the host of a virtual machine gave to others.
fn busy_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<f64> = ticks.filter_map(|ticks| ticks.parse().ok()).collect();
    // user, nice, system; then idle and waiting for the disk; then interrupts and stolen time.
    let busy = [0, 1, 2, 5, 6, 7].map(|at| ticks.get(at).copied().unwrap_or_default());
    busy.iter().sum::<f64>() / TICKS_PER_SECOND
}

/// Processor time of a process and all its descendants, also of those that have ended.
pub fn tree_cpu_seconds(root: u32) -> f64 {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut seconds: BTreeMap<u32, f64> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Some((parent, ticks)) = parent_and_ticks(process) else { continue };
        children.entry(parent).or_default().push(process);
        seconds.insert(process, ticks / TICKS_PER_SECOND);
    }
    let mut sum = 0.0;
    let mut to_do = vec![root];
    while let Some(process) = to_do.pop() {
        sum += seconds.get(&process).copied().unwrap_or_default();
        to_do.extend(children.get(&process).into_iter().flatten());
    }
    sum
}

fn parent_and_ticks(process: u32) -> Option<(u32, f64)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program comes before, in brackets, and may have any characters in it.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 2..].split(' ').collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Some((fields.get(1)?.parse().ok()?, ticks))
}

/// How much memory of this process is in the machine's memory.
pub fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    kilobytes.and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok()).unwrap_or_default() * 1024
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_of_this_process_is_counted_as_its_own() {
        let meter = Meter::start(None);
        let mut sum = 0_u64;
        while meter.read().cpu_seconds < 0.02 {
            sum = std::hint::black_box(sum.wrapping_mul(31) + 7);
        }
        assert!(meter.read().seconds >= meter.read().cpu_seconds / 2.0);
        assert!(resident_bytes() > 0);
    }

    #[test]
    fn a_process_is_part_of_its_own_tree() {
        while tree_cpu_seconds(std::process::id()) == 0.0 {
            std::hint::black_box(resident_bytes());
        }
    }
}
