// The load and the clock: keeps threads taking turns, and counts and times what falls into the measured time.

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

final class Load {
    private static final long WARM_UP_MILLISECONDS = 300;
    /** The load stays up while the runner looks at the processes. */
    private static final long COOL_DOWN_MILLISECONDS = 30;

    private enum Phase { UNMEASURED, MEASURED, OVER }

    private final long nanoseconds;
    private final int timedOneIn;
    private volatile Phase phase = Phase.UNMEASURED;

    /** Measures for that long, and times one turn in so many. */
    Load(long nanoseconds, int timedOneIn) {
        this.nanoseconds = nanoseconds;
        this.timedOneIn = timedOneIn;
    }

    /** One turn of one thread; throws if a reply was wrong. */
    interface Turn {
        void take() throws Exception;
    }

    /** The turns of a run, those outside the measured time included, and the figures of those within. */
    record Run(long turns, Figures figures) {}

    /** Warms up, measures between the marks, cools down; a turn that fails ends the process. */
    Run drive(List<Turn> turns) throws InterruptedException {
        List<Worker> workers = new ArrayList<>();
        for (Turn turn : turns) {
            Worker worker = new Worker(turn);
            workers.add(worker);
            worker.start();
        }
        Thread.sleep(WARM_UP_MILLISECONDS);
        long begun = System.nanoTime();
        long before = total(workers);
        phase = Phase.MEASURED;
        Peer.say("MARK begin");
        for (long left = nanoseconds; left > 0; left = begun + nanoseconds - System.nanoTime()) {
            Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
        }
        phase = Phase.UNMEASURED;
        double seconds = (System.nanoTime() - begun) / 1e9;
        long measured = total(workers) - before;
        Peer.say("MARK end");
        Thread.sleep(COOL_DOWN_MILLISECONDS);
        phase = Phase.OVER;
        for (Worker worker : workers) {
            worker.join();
        }
        long[] latencies = workers.stream().flatMapToLong(Worker::latencies).sorted().toArray();
        return new Run(total(workers), Figures.of(measured, seconds, latencies));
    }

    private static long total(List<Worker> workers) {
        return workers.stream().mapToLong(worker -> worker.taken.get()).sum();
    }

    private final class Worker extends Thread {
        private final Turn turn;
        private final AtomicLong taken = new AtomicLong();
        private long[] latencies = new long[64];
        private int timed;
        private long measured;

        Worker(Turn turn) {
            this.turn = turn;
        }

        @Override
        public void run() {
            try {
                for (long next = 1; phase != Phase.OVER; next++) {
                    take(next);
                }
            } catch (Throwable error) {
                Peer.fail(error);
            }
        }

        private void take(long next) throws Exception {
            // The first is timed: a slow contestant takes few turns.
            if (phase == Phase.MEASURED && measured++ % timedOneIn == 0) {
                long begun = System.nanoTime();
                turn.take();
                if (timed == latencies.length) {
                    latencies = Arrays.copyOf(latencies, timed * 2);
                }
                latencies[timed++] = System.nanoTime() - begun;
            } else {
                turn.take();
            }
            taken.setRelease(next);
        }

        private java.util.stream.LongStream latencies() {
            return Arrays.stream(latencies, 0, timed);
        }
    }
}
