// The contestant that is Java RMI, as its tutorial has it: a registry, an exported root, objects that RMI's own collector
// keeps and frees. This file owns the command line; the contract it keeps is that of ../../README.md.

public final class Peer {
    public static void main(String[] arguments) {
        try {
            run(arguments);
        } catch (Exception error) {
            fail(error);
        }
    }

    private static void run(String[] arguments) throws Exception {
        // References name the host of the server's objects.
        System.setProperty("java.rmi.server.hostname", "127.0.0.1");
        if (arguments.length == 1 && arguments[0].equals("serve")) {
            say("PORT " + Server.serve());
        } else if (arguments.length == 4 && arguments[0].equals("client")) {
            int port = Integer.parseInt(arguments[1]);
            Workload workload = Workload.of(arguments[2]);
            long nanoseconds = (long) (Double.parseDouble(arguments[3]) * 1e9);
            say(workload == null ? "{\"unsupported\":true}" : workload.play(Server.at(port), nanoseconds).line());
            // Threads may wait in a call still, and the runner reads nothing after this line.
            Runtime.getRuntime().halt(0);
        } else {
            System.err.println("usage: serve | client PORT WORKLOAD SECONDS");
            System.exit(2);
        }
    }

    /** Ends the process as failed. */
    static void fail(Throwable error) {
        error.printStackTrace();
        Runtime.getRuntime().halt(1);
    }

    /** Prints one line at once, also into a pipe. */
    static synchronized void say(String line) {
        System.out.println(line);
        if (System.out.checkError()) {
            Runtime.getRuntime().halt(1);
        }
    }
}
