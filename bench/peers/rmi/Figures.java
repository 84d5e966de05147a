// The figures of one run, and their JSON line.

import java.util.Locale;

/** Figures that were not taken are null. */
record Figures(long calls, double seconds, Long p50, Long p99, Double megabytes) {
    /** Returns the figures of a run whose latencies are sorted. */
    static Figures of(long calls, double seconds, long[] latencies) {
        return new Figures(calls, seconds, percentile(latencies, 50), percentile(latencies, 99), null);
    }

    /** Adds the rate of that many bytes one way in each turn. */
    Figures withPayload(int bytes) {
        return new Figures(calls, seconds, p50, p99, (double) bytes * calls / seconds / 1e6);
    }

    String line() {
        return String.format(Locale.ROOT, "{\"calls\":%d,\"secs\":%.9f,\"p50_ns\":%s,\"p99_ns\":%s,\"mb_per_s\":%s}",
                calls, seconds, p50, p99, megabytes);
    }

    private static Long percentile(long[] sorted, int percent) {
        return sorted.length == 0 ? null : sorted[(int) ((sorted.length * (long) percent + 99) / 100) - 1];
    }
}
