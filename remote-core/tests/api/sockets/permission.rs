//! Permission: whatever a node does not allow is refused, with an error that says how to allow it, and what it allows
//! is bounded.

use super::*;
use crate::support::address::Reserved;

/// Returns the error inside the method of a far object.
fn inner<V: std::fmt::Debug>(result: Result<V>) -> Error {
    result.unwrap_err().root().clone()
}

#[tokio::test]
async fn a_node_that_allows_nothing_refuses() {
    let node = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    for sockets in [node.sockets(), from_afar(&node).await] {
        let listening = within(sockets.listen("127.0.0.1:0", Ref::new(controller().0))).await;
        let connecting = within(sockets.connect("127.0.0.1:9", Ref::new(controller().0))).await;
        for refused in [inner(listening), inner(connecting)] {
            let Error::Refused(said) = &refused else { panic!("{refused:?}") };
            assert!(said.contains("`NodeBuilder::sockets`"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_node_permits_only_what_its_policy_allows() {
    let only = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let policy = Policy::none().listen(move |address| address == only);
    let node = Node::builder().listen("tcp://127.0.0.1:0").sockets(policy).start().await.unwrap();
    let sockets = from_afar(&node).await;
    let listen =
        async |address: &str| within(sockets.listen(address, Ref::new(controller().0))).await;
    let server = listen(&only.to_string()).await.unwrap();
    assert!(matches!(inner(listen("127.0.0.1:0").await), Error::Refused(_)));
    assert!(matches!(inner(listen(&format!("0.0.0.0:{}", only.port())).await), Error::Refused(_)));
    let connecting = within(sockets.connect(&only.to_string(), Ref::new(controller().0))).await;
    assert!(matches!(inner(connecting), Error::Refused(_)));
    drop(server);
}

#[tokio::test]
async fn impossible_requests_fail_with_a_specific_error() {
    let (_gateway, sockets) = gateway().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let listening = inner(within(sockets.listen(&address, Ref::new(controller().0))).await);
    assert!(matches!(&listening, Error::Io(said) if said.contains(&address)), "{listening:?}");
    let reserved = Reserved::new();
    let address = reserved.socket_address().to_string();
    let connecting = inner(within(sockets.connect(&address, Ref::new(controller().0))).await);
    assert!(matches!(connecting, Error::NotConnected { .. }), "{connecting:?}");
    let nonsense = inner(within(sockets.connect("no port", Ref::new(controller().0))).await);
    assert!(matches!(nonsense, Error::NotConnected { .. }), "{nonsense:?}");
}

#[tokio::test]
async fn there_are_no_more_sockets_than_allowed() {
    let policy = Policy::loopback().at_most(2);
    let node = Node::builder().listen("tcp://127.0.0.1:0").sockets(policy).start().await.unwrap();
    let sockets = from_afar(&node).await;
    let (service, mut messages) = controller();
    let server = within(sockets.listen("127.0.0.1:0", Ref::new(service))).await.unwrap();
    let ControllerMessage::Ready(address) = messages.next().await else {
        panic!("it is ready first")
    };
    within(server.issue_credit(2)).await.unwrap();
    let mut first = within(TcpStream::connect(&address)).await.unwrap();
    let second = within(TcpStream::connect(&address)).await.unwrap();
    let connection = messages.accepted().await;

    let one_more = inner(within(sockets.connect(&address, Ref::new(controller().0))).await);
    assert!(matches!(&one_more, Error::Quota(said) if said.contains("`Policy::at_most`")));
    // The second connection waits for the permit of the first.
    within(connection.close()).await.unwrap();
    assert_eq!(within(first.read(&mut [0])).await.unwrap(), 0);
    let connection = messages.accepted().await;
    assert_eq!(within(connection.peer()).await.unwrap(), second.local_addr().unwrap().to_string());
}
