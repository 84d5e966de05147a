// The interfaces that client and server share.

import java.rmi.Remote;
import java.rmi.RemoteException;

final class Interfaces {
    /** What there is one of on a server. */
    interface Root extends Remote {
        /** Returns the counter that all clients share. */
        Counter counter() throws RemoteException;

        /** Returns a fresh counter, which starts at 0. */
        Counter make() throws RemoteException;

        /** Returns its argument. */
        byte[] echo(byte[] bytes) throws RemoteException;

        /** Returns the first node of a chain. */
        Node node() throws RemoteException;
    }

    /** Adds up. */
    interface Counter extends Remote {
        /** Adds, and returns the sum. */
        long add(long amount) throws RemoteException;
    }

    /** One node of a chain. */
    interface Node extends Remote {
        /** Returns a node whose value is one more. */
        Node next() throws RemoteException;

        /** Returns the number of nodes before this one. */
        long value() throws RemoteException;
    }

    private Interfaces() {}
}
