// The workloads and their notation. This file owns what a turn is and what its reply must be.

import java.util.Arrays;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** A workload that can be played. */
interface Workload {
    /** Plays for that long, and returns the figures. */
    Figures play(Interfaces.Root root, long nanoseconds) throws Exception;

    /** Calls are short under load; elsewhere each is timed. */
    int TIMED_UNDER_LOAD = 16;

    /** Each caller takes a thread and a connection here, and both again at the server. */
    int MOST_CALLERS = 2048;

    /** Returns the workload of that notation, or null if it is unknown or cannot be played. */
    static Workload of(String text) {
        Matcher matcher = Pattern.compile("([a-z]+)(?::(\\d{1,9})(?:x(\\d{1,9}))?)?").matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        String name = matcher.group(1);
        if (matcher.group(2) == null) {
            return name.equals("lat") ? (root, length) -> add(root, length, 1, 1) : null;
        }
        int first = Integer.parseInt(matcher.group(2));
        if (matcher.group(3) == null) {
            boolean callers = name.equals("tput") || name.equals("obj");
            if (first < (name.equals("chainseq") ? 2 : 1) || (callers && first > MOST_CALLERS)) {
                return null;
            }
            return switch (name) {
                case "tput" -> (root, length) -> add(root, length, first, TIMED_UNDER_LOAD);
                case "obj" -> (root, length) -> load(length, first, task -> () -> make(root));
                case "hold" -> (root, length) -> Hold.play(root, first, length);
                case "chainseq" -> (root, length) -> load(length, 1, task -> () -> chain(root, first - 2));
                default -> null;
            };
        }
        int second = Integer.parseInt(matcher.group(3));
        long callers = name.equals("conns") ? (long) first * second : second;
        if (callers < 1 || callers > MOST_CALLERS) {
            return null;
        }
        return switch (name) {
            // RMI opens a connection for each concurrent call, so that the number of calls is all there is to choose.
            case "conns" -> (root, length) -> add(root, length, first * second, TIMED_UNDER_LOAD);
            case "echo", "echob" -> (root, length) -> load(length, second, task -> echo(root, task, first))
                    .withPayload(first);
            default -> null;
        };
    }

    private static Figures load(long length, int tasks, IntFunction<Load.Turn> turn) throws Exception {
        return new Load(length, 1).drive(IntStream.range(0, tasks).mapToObj(turn).toList()).figures();
    }

    private static Figures add(Interfaces.Root root, long length, int tasks, int timedOneIn) throws Exception {
        Interfaces.Counter counter = root.counter();
        long before = counter.add(0);
        Load.Run run = new Load(length, timedOneIn)
                .drive(IntStream.range(0, tasks).mapToObj(task -> adding(counter)).toList());
        long added = counter.add(0) - before;
        check(added == run.turns(), run.turns() + " calls were answered, but the counter rose by " + added);
        return run.figures();
    }

    private static Load.Turn adding(Interfaces.Counter counter) {
        long[] last = {-1};
        return () -> {
            long sum = counter.add(1);
            check(sum > last[0], "the sum did not rise: " + sum + " after " + last[0]);
            last[0] = sum;
        };
    }

    private static Load.Turn echo(Interfaces.Root root, int task, int bytes) {
        // Two different ones alternate, so that a reply to the call before is noticed.
        byte[][] outgoing = {new byte[bytes], new byte[bytes]};
        new Random(2L * task).nextBytes(outgoing[0]);
        new Random(2L * task + 1).nextBytes(outgoing[1]);
        int[] turn = {0};
        return () -> {
            byte[] sent = outgoing[turn[0]++ & 1];
            check(Arrays.equals(root.echo(sent), sent), "the echo came back as other bytes");
        };
    }

    private static void make(Interfaces.Root root) throws Exception {
        long sum = root.make().add(1);
        check(sum == 1, "a fresh counter answered " + sum);
    }

    private static void chain(Interfaces.Root root, int steps) throws Exception {
        Interfaces.Node node = root.node();
        for (int step = 0; step < steps; step++) {
            node = node.next();
        }
        long value = node.value();
        check(value == steps, "the chain ended at " + value + " instead of " + steps);
    }

    /** Throws if a reply was wrong. */
    static void check(boolean right, String otherwise) {
        if (!right) {
            throw new IllegalStateException(otherwise);
        }
    }
}
