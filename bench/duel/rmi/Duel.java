// The contestant `rmi`: Java RMI, used as in its tutorial, with a registry, an exported factory, and objects whose lifetime is
// managed by RMI's distributed garbage collector. It follows the contract in ../README.md, and must not know the faults.

import java.lang.ref.Cleaner;
import java.rmi.Remote;
import java.rmi.RemoteException;
import java.rmi.registry.LocateRegistry;
import java.rmi.server.UnicastRemoteObject;
import java.rmi.server.Unreferenced;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

public final class Duel {
    private static final long INTERVAL_MILLISECONDS = 200;

    /** Creates the objects. */
    public interface Maker extends Remote {
        Item make() throws RemoteException;
    }

    /** An object; its name has its owner's incarnation and a number. */
    public interface Item extends Remote {
        String name() throws RemoteException;
    }

    public static void main(String[] arguments) throws Exception {
        endWithInput();
        int port = Integer.parseInt(arguments[1]);
        switch (arguments[0]) {
            case "owner" -> own(port, arguments[2]);
            case "holder" -> hold(maker(port));
            case "churner" -> churn(maker(port), Long.parseLong(arguments[2]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    /** Never dropped, so that RMI keeps it exported. */
    private static Remote published;

    private static void own(int port, String life) throws Exception {
        AtomicInteger made = new AtomicInteger();
        Maker maker = () -> new Named(port, life + "." + made.incrementAndGet());
        published = maker;
        LocateRegistry.createRegistry(port).bind("maker", UnicastRemoteObject.exportObject(maker, port));
        say("ready");
    }

    private static Maker maker(int port) throws Exception {
        return (Maker) LocateRegistry.getRegistry("127.0.0.1", port).lookup("maker");
    }

    private static void hold(Maker maker) throws Exception {
        Item item = maker.make();
        String name = item.name();
        say("holds " + name);
        while (true) {
            Thread.sleep(INTERVAL_MILLISECONDS);
            try {
                String answer = item.name();
                say(answer.equals(name) ? "alive" : "wrong " + answer);
            } catch (RemoteException error) {
                say("failed " + error.getClass().getSimpleName());
            }
        }
    }

    private static void churn(Maker maker, long milliseconds) throws Exception {
        long end = System.nanoTime() + milliseconds * 1_000_000;
        while (System.nanoTime() < end) {
            Thread.sleep(INTERVAL_MILLISECONDS);
            try {
                say("dropped " + maker.make().name());
            } catch (RemoteException error) {
                say("failed " + error.getClass().getSimpleName());
            }
        }
        say("done");
        Thread.currentThread().join();
    }

    private static final class Named extends UnicastRemoteObject implements Item, Unreferenced {
        private static final Cleaner CLEANER = Cleaner.create();
        private final String name;
        private final Runnable freed;

        Named(int port, String name) throws RemoteException {
            super(port);
            this.name = name;
            this.freed = once(() -> say("freed " + name));
            CLEANER.register(this, freed);
            say("made " + name);
        }

        @Override
        public String name() {
            return name;
        }

        /** RMI knows of no remote reference any more; the memory is freed by the next collection. */
        @Override
        public void unreferenced() {
            freed.run();
        }
    }

    /** Returns an action that runs once: when the object is unreferenced or when it is collected, whichever is first. */
    private static Runnable once(Runnable action) {
        AtomicBoolean done = new AtomicBoolean();
        return () -> {
            if (done.compareAndSet(false, true)) {
                action.run();
            }
        };
    }

    /** Exits at the end of standard input. The parent process has the other end, so that no process outlives it. */
    private static void endWithInput() {
        Thread watcher = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {}
            } catch (java.io.IOException closed) {
                // The same as the end of input.
            }
            Runtime.getRuntime().halt(0);
        });
        watcher.setDaemon(true);
        watcher.start();
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        if (System.out.checkError()) {
            Runtime.getRuntime().halt(1);
        }
    }
}
