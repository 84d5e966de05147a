//! Keeping sessions alive while a method blocks a worker thread of the runtime.
//!
//! # The design
//!
//! A call is executed by the session's *reader task*: it polls the method once, in place, and spawns a task only if the method
//! is then pending. A task per call would cost a fifth of the throughput. The disadvantage is that a method that blocks (a long
//! computation, `std::thread::sleep`, a lock) blocks the reader of its session, and everything else that depends on that worker
//! thread. Three things must continue nevertheless: the acknowledgements, pings and lease renewals of the session; the replies
//! and calls that were ready before; the tasks that were woken on the blocked worker.
//!
//! - [`lifo_slot`]: before the reader starts a method, it empties the LIFO slot of its worker, if a task may be in it.
//! - `node/session/pump.rs`: the reader writes the replies of a batch itself, in place, instead of waking the writer task.
//! - [`wake_batch`]: callers whose replies arrived together are woken together.
//! - [`watchdog`]: a thread of its own, which detects that a reader has not returned from a method. It then drives the session
//!   from outside: reads, writes, handles timers, and wakes the session's tasks.
//!
//! # The facts about tokio that this rests on
//!
//! They apply to tokio 1.x and are tested here and in `tests/api/serial.rs` and `tests/api/life.rs`.
//!
//! 1. *The LIFO slot cannot be stolen from.* A task that is woken on a worker enters that worker's LIFO slot. Idle workers
//!    steal from its queue, but never from the slot. If the worker blocks, the task in the slot waits until the method returns.
//!    Spawning another task displaces it into the queue.
//! 2. *The blocked worker may own the I/O and time driver.* One worker at a time polls it. While that worker runs a task, no
//!    other worker takes over the driver before it parks, and a parked worker does so only when it is woken. So neither a timer
//!    nor a socket of the runtime can detect the blocked worker. A spawn from a thread outside of the runtime wakes a parked
//!    worker, which then takes over the driver.
//! 3. *Each wake-up of a task on a worker may wake another worker*, which then searches for work to steal. If many tasks are
//!    woken one by one, each may cause such a search: on two cores this took a third of the throughput. Tasks that call
//!    [`yield_now`](tokio::task::yield_now) are *deferred* instead: the worker wakes them all when it next polls its driver,
//!    with a single notification.
//! 4. *A socket keeps one waker per direction: that of the last poll.* After the watchdog has polled a socket, the reader
//!    task's waker is no longer registered and would never be woken. So the watchdog wakes the session's tasks after it has
//!    used their socket, and they poll it again. A socket whose readiness the driver has not seen yet reports nothing to read;
//!    therefore `read_now` asks the operating system.
//!
//! # Locks
//!
//! The watchdog and the tasks of a session share the halves of its connection. The lock of a half is taken before the lock of
//! the session. All but the task that owns the half use `try_lock`: if the lock is held, another thread does the work.

pub(crate) mod lifo_slot;
pub(crate) mod wake_batch;
pub(crate) mod watchdog;
