// The server and its objects, all of them behind one port.

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.rmi.Remote;
import java.rmi.RemoteException;
import java.rmi.registry.LocateRegistry;
import java.rmi.registry.Registry;
import java.rmi.server.RMIServerSocketFactory;
import java.rmi.server.UnicastRemoteObject;
import java.util.concurrent.atomic.AtomicLong;

final class Server {
    private static final String NAME = "root";

    /** Referenced for as long as the process lives: the registry alone does not keep what is local to it. */
    private static Registry registry;
    private static Remote published;

    /** Serves until the process is killed, and returns the port. */
    static int serve() throws Exception {
        LoopbackSockets sockets = new LoopbackSockets();
        registry = LocateRegistry.createRegistry(0, null, sockets);
        published = export(new RootObject(sockets), sockets);
        registry.bind(NAME, published);
        return sockets.port();
    }

    /** Looks up the root of the server on that port. */
    static Interfaces.Root at(int port) throws Exception {
        return (Interfaces.Root) LocateRegistry.getRegistry("127.0.0.1", port).lookup(NAME);
    }

    /** Listens on one free port of the loopback, for the registry and for every object. */
    private static final class LoopbackSockets implements RMIServerSocketFactory {
        /** Every concurrent call has a connection, and all of them connect at once. */
        private static final int BACKLOG = 4096;
        private volatile int port;

        @Override
        public ServerSocket createServerSocket(int requested) throws IOException {
            ServerSocket socket = new ServerSocket(requested, BACKLOG, InetAddress.getLoopbackAddress());
            port = socket.getLocalPort();
            return socket;
        }

        int port() {
            return port;
        }
    }

    /** Makes an object callable; it is kept for as long as a client references it. */
    private static <T extends Remote> T export(T object, LoopbackSockets sockets) throws RemoteException {
        UnicastRemoteObject.exportObject(object, sockets.port(), null, sockets);
        return object;
    }

    private static final class RootObject implements Interfaces.Root {
        private final LoopbackSockets sockets;
        private final Interfaces.Counter shared;

        RootObject(LoopbackSockets sockets) throws RemoteException {
            this.sockets = sockets;
            this.shared = make();
        }

        @Override
        public Interfaces.Counter counter() {
            return shared;
        }

        @Override
        public Interfaces.Counter make() throws RemoteException {
            return export(new CounterObject(), sockets);
        }

        @Override
        public byte[] echo(byte[] bytes) {
            return bytes;
        }

        @Override
        public Interfaces.Node node() throws RemoteException {
            return export(new NodeObject(sockets, 0), sockets);
        }
    }

    private static final class CounterObject implements Interfaces.Counter {
        private final AtomicLong sum = new AtomicLong();

        @Override
        public long add(long amount) {
            return sum.addAndGet(amount);
        }
    }

    private record NodeObject(LoopbackSockets sockets, long before) implements Interfaces.Node {
        @Override
        public Interfaces.Node next() throws RemoteException {
            return export(new NodeObject(sockets, before + 1), sockets);
        }

        @Override
        public long value() {
            return before;
        }
    }

    private Server() {}
}
