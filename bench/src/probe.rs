//! CPU time and memory of a process, from `/proc`.

use std::fs;
use std::time::Duration;

use contract::Result;
use rustix::param::clock_ticks_per_second;

/// One reading.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Probe {
    /// User and kernel time of all threads, including ended ones, in units of the kernel's clock tick (1/100 s).
    pub(crate) cpu: Duration,
    /// Resident anonymous memory (`RssAnon`), in bytes. 0 for a process that has ended.
    pub(crate) memory: u64,
}

impl Probe {
    pub(crate) fn of(process: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        Ok(Self {
            cpu: cpu(&stat, clock_ticks_per_second()).ok_or("no CPU time in /proc/PID/stat")?,
            memory: memory(&status).unwrap_or(0),
        })
    }
}

fn cpu(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    // The second field is the command in parentheses, which may contain any character; utime and stime are the 14th
    // and 15th.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let ticks = times.next()?.ok()? + times.next()?.ok()?;
    Some(Duration::from_secs_f64(ticks as f64 / ticks_per_second as f64))
}

fn memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_after_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 7 7 20 0 3 0 99 1 1";
        assert_eq!(cpu(stat, 100), Some(Duration::from_secs(2)));
        assert_eq!(cpu("42 (a) S 1 42", 100), None);
        assert_eq!(cpu("", 100), None);
    }

    #[test]
    fn memory_is_found_among_other_lines() {
        assert_eq!(
            memory("VmRSS:\t    9 kB\nRssAnon:\t    3 kB\nRssFile:\t    6 kB\n"),
            Some(3 << 10)
        );
        assert_eq!(memory("VmRSS:\t    9 kB\n"), None);
    }

    #[test]
    fn an_ended_process_can_be_read_until_it_is_waited_for() {
        let mut child = std::process::Command::new("/bin/true").spawn().expect("there");
        let stat = format!("/proc/{}/stat", child.id());
        while !fs::read_to_string(&stat).expect("not waited for").contains(") Z ") {
            std::thread::yield_now();
        }
        assert_eq!(Probe::of(child.id()).expect("still listed").memory, 0);
        child.wait().expect("a child");
        assert!(Probe::of(child.id()).is_err());
    }

    #[test]
    fn this_process_can_be_read() {
        let probe = Probe::of(std::process::id()).expect("it runs");
        assert!(probe.memory > 0);
    }
}
