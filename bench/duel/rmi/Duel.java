// The contestant that is Java RMI, as its tutorial has it: a registry, an exported factory, objects that RMI's own
// collector keeps and lets go. It speaks the contract of ../README.md, and must not know what is done to it.

import java.lang.ref.Cleaner;
import java.rmi.Remote;
import java.rmi.RemoteException;
import java.rmi.registry.LocateRegistry;
import java.rmi.server.UnicastRemoteObject;
import java.rmi.server.Unreferenced;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

public final class Duel {
    private static final long TURN_MILLISECONDS = 200;

    /** Makes the objects that are held. */
    public interface Maker extends Remote {
        Item make() throws RemoteException;
    }

    /** An object that is held: its answer says which one it is, of which life of its owner. */
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

    /** Kept for ever, so that RMI does not let it go. */
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
            Thread.sleep(TURN_MILLISECONDS);
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
            Thread.sleep(TURN_MILLISECONDS);
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

        /** Nobody holds it any more, as RMI sees it; its memory goes with the next collection. */
        @Override
        public void unreferenced() {
            freed.run();
        }
    }

    /** Whatever comes first: that nobody holds it, or that it is collected. */
    private static Runnable once(Runnable action) {
        AtomicBoolean done = new AtomicBoolean();
        return () -> {
            if (done.compareAndSet(false, true)) {
                action.run();
            }
        };
    }

    /** Whoever started this process holds the other end of its input, so nothing outlives it. */
    private static void endWithInput() {
        Thread watcher = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {}
            } catch (java.io.IOException closed) {
                // As good as its end.
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
