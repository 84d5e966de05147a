// The workload `hold`: objects that are made and kept. It owns the order of rests and marks.

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

final class Hold {
    private static final int THREADS = 64;
    /** So many are made and dropped first, so that what is allocated once is not counted. */
    private static final int REHEARSED = 500;
    private static final long SETTLE_MILLISECONDS = 200;
    private static final long PAUSE_MILLISECONDS = 300;

    /** Makes that many, holds them for that long, and at the end calls each. */
    static Figures play(Interfaces.Root root, int objects, long nanoseconds) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        make(threads, root, REHEARSED);
        Thread.sleep(SETTLE_MILLISECONDS);

        Peer.say("MARK begin");
        long begun = System.nanoTime();
        List<List<Interfaces.Counter>> held = make(threads, root, objects);
        double seconds = (System.nanoTime() - begun) / 1e9;
        Thread.sleep(SETTLE_MILLISECONDS);
        Peer.say("MARK end");

        Thread.sleep(PAUSE_MILLISECONDS);
        Peer.say("MARK idle0");
        Thread.sleep(nanoseconds / 1_000_000);
        Peer.say("MARK idle1");

        List<Callable<Void>> calls = new ArrayList<>();
        for (List<Interfaces.Counter> share : held) {
            calls.add(() -> {
                for (Interfaces.Counter counter : share) {
                    long sum = counter.add(1);
                    Workload.check(sum == 1, "a held counter answered " + sum);
                }
                return null;
            });
        }
        all(threads, calls);
        return Figures.of(objects, seconds, new long[0]);
    }

    private static List<List<Interfaces.Counter>> make(ExecutorService threads, Interfaces.Root root, int objects)
            throws Exception {
        List<Callable<List<Interfaces.Counter>>> shares = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            int share = objects / THREADS + (thread < objects % THREADS ? 1 : 0);
            shares.add(() -> {
                List<Interfaces.Counter> made = new ArrayList<>(share);
                for (int object = 0; object < share; object++) {
                    made.add(root.make());
                }
                return made;
            });
        }
        return all(threads, shares);
    }

    private static <T> List<T> all(ExecutorService threads, List<Callable<T>> tasks) throws Exception {
        List<T> results = new ArrayList<>();
        for (Future<T> task : threads.invokeAll(tasks)) {
            results.add(task.get());
        }
        return results;
    }

    private Hold() {}
}
