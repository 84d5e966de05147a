//! Keeping sessions alive while a method blocks a worker thread of the runtime.
//!
//! # The design
//!
//! A call is executed by the session's *reader task*: it polls the method once, in place, and spawns a task only if the method
//! is then pending. A task per call would cost a fifth of the throughput. The price is that a method that blocks (a long
//! computation, `std::thread::sleep`, a lock) blocks the reader of its session, and whatever else depends on that worker
//! thread. Three things must go on all the same: the session's acknowledgements, pings and lease renewals; the replies and
//! calls that were made ready before; the tasks that were woken on the blocked worker.
//!
//! - [`lifo_slot`]: before the reader begins a method, it empties the LIFO slot of its worker, if a task may be in it.
//! - `node/session/pump.rs`: the reader writes the replies of a batch itself, in place, instead of waking the writer task.
//! - [`wake_batch`]: callers that got their replies together are woken together.
//! - [`watchdog`]: a thread of the process's own that notices a reader that does not come back from a method. It then drives
//!   the session from outside: reads, writes, runs timers, and wakes the session's tasks.
//!
//! # The facts about tokio that this rests on
//!
//! They hold for tokio 1.x and are tested here and in `tests/turns.rs` and `tests/life.rs`.
//!
//! 1. *The LIFO slot is not stealable.* A task that is woken on a worker goes to that worker's LIFO slot. Other idle workers
//!    steal from its queue and never from its slot. A task in the slot of a worker that blocks waits until the method
//!    returns. Spawning another task displaces the occupant into the queue.
//! 2. *The blocked worker may own the I/O and time driver.* One worker at a time polls it. While that worker runs a task, no
//!    other worker takes the driver over before it parks, and a worker that is parked on something else does so only when it is
//!    woken. So neither a timer nor a socket of the runtime can be what notices the blockage. A spawn from a thread outside
//!    of the runtime wakes a parked worker, which then takes the driver over.
//! 3. *Each wake-up of a task on a worker may wake another worker*, which looks for work to steal. Of many wake-ups one by
//!    one, each costs such a look: on two cores this took a third of the throughput. Tasks that call
//!    [`yield_now`](tokio::task::yield_now) are *deferred* instead: the worker wakes them all when it next polls its driver,
//!    with a single notification.
//! 4. *A socket keeps one waker per direction: the last that polled it.* When the watchdog has polled a socket, the reader
//!    task's waker is no longer registered and would never be woken. So the watchdog wakes the session's tasks after it
//!    touched their socket, and they poll it anew. A socket whose readiness was not yet seen by the driver reports nothing to
//!    read, hence `read_now`, which asks the operating system.
//!
//! # Locks
//!
//! The watchdog and the tasks of a session share the halves of its connection. The lock of a half is taken before the lock
//! of the session, and with `try_lock` by whoever is not the task that owns it: if the half is in use, somebody is at work.

pub(crate) mod lifo_slot;
pub(crate) mod wake_batch;
pub(crate) mod watchdog;
