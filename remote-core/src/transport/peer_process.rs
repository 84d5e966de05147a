//! The process at the other end of a connection within one machine.
//!
//! It must not know sessions. Only Linux tells of the end of a process that is not a child.

pub(crate) use platform::PeerProcess;

#[cfg(target_os = "linux")]
mod platform {
    use std::os::fd::OwnedFd;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use crate::id::ProcessId;

    /// A process, by a descriptor: its number may be assigned again after its end.
    pub(crate) struct PeerProcess {
        id: ProcessId,
        descriptor: OwnedFd,
    }

    impl PeerProcess {
        /// Returns the process with a number. `None` if there is none, or none that this process may see.
        pub(crate) fn open(id: i32) -> Option<PeerProcess> {
            let descriptor = pidfd_open(Pid::from_raw(id)?, PidfdFlags::empty()).ok()?;
            Some(PeerProcess { id: ProcessId::new(id.try_into().ok()?)?, descriptor })
        }

        pub(crate) fn id(&self) -> ProcessId {
            self.id
        }

        /// Returns true if the process has ended, whether or not its parent has taken notice.
        pub(crate) fn has_ended(&self) -> bool {
            let mut descriptors = [PollFd::new(&self.descriptor, PollFlags::IN)];
            matches!(poll(&mut descriptors, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1..))
        }
    }

    #[cfg(test)]
    mod tests {
        use std::process::{Command, Stdio};

        use super::*;

        #[test]
        fn the_end_of_a_process_is_noticed_before_its_parent_takes_notice() {
            let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
            let process = PeerProcess::open(child.id().try_into().unwrap()).unwrap();
            assert_eq!(process.id().get(), child.id());
            assert!(!process.has_ended());
            drop(child.stdin.take());
            while !process.has_ended() {
                std::thread::yield_now();
            }
            assert!(child.wait().unwrap().success());
            assert!(process.has_ended());
            assert!(PeerProcess::open(0).is_none());
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::convert::Infallible;

    use crate::id::ProcessId;

    /// A process whose end is not noticed.
    pub(crate) struct PeerProcess(Infallible);

    impl PeerProcess {
        #[cfg(unix)]
        pub(crate) fn open(_: i32) -> Option<PeerProcess> {
            None
        }

        pub(crate) fn id(&self) -> ProcessId {
            match self.0 {}
        }

        pub(crate) fn has_ended(&self) -> bool {
            match self.0 {}
        }
    }
}
