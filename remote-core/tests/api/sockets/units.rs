//! Work units: how arriving bytes are split, which bytes close a socket because they cannot be split, and that other
//! sockets are not affected.

use remote_core::socket::WorkUnits;

use super::*;

#[tokio::test]
async fn the_kind_of_units_can_be_changed() {
    let mut line = Line::new().await;
    line.says(b"a line\r\n\0\0\0\x05hello").await;
    within(line.socket.issue_credit(1)).await.unwrap();
    assert_eq!(line.messages.line().await, "a line");
    within(line.socket.work_units(WorkUnits::prefixed())).await.unwrap();
    within(line.socket.issue_credit(1)).await.unwrap();
    assert_eq!(line.messages.bytes().await, b"hello");
    within(line.socket.work_units(WorkUnits::raw())).await.unwrap();
    within(line.socket.issue_credit(1)).await.unwrap();
    line.says(b"\xff\n").await;
    assert_eq!(line.messages.bytes().await, b"\xff\n");
}

#[tokio::test]
async fn frames_are_encoded_as_documented() {
    let mut line = Line::new().await;
    within(line.socket.send(b"as it is")).await.unwrap();
    within(line.socket.send(b"")).await.unwrap();
    within(line.socket.send_line("")).await.unwrap();
    within(line.socket.send_prefixed(b"abc")).await.unwrap();
    let two = within(line.socket.send_line("one\ntwo")).await.unwrap_err();
    assert!(matches!(two.root(), Error::Refused(_)), "{two:?}");
    within(line.socket.close()).await.unwrap();
    assert_eq!(line.rest().await, "as it is\n\0\0\0\x03abc");
}

#[tokio::test]
async fn an_invalid_unit_closes_its_socket_only() {
    let wrong: [(&[u8], WorkUnits, &str); 3] = [
        (b"12345678901\n", WorkUnits::Lines { longest: 10 }, "a line of more than 10 bytes"),
        (b"caf\xe9\n", WorkUnits::lines(), "UTF-8"),
        (b"\0\0\0\x0b", WorkUnits::Prefixed { longest: 10 }, "a byte string of 11 bytes"),
    ];
    let mut other = Line::new().await;
    for (bytes, units, problem) in wrong {
        let mut line = Line::new().await;
        within(line.socket.work_units(units)).await.unwrap();
        line.says(bytes).await;
        within(line.socket.send_line("before")).await.unwrap();
        within(line.socket.issue_credit(1)).await.unwrap();
        let failure = line.messages.closed().await.unwrap();
        assert!(matches!(&failure, Error::Decode(said) if said.contains(problem)), "{failure:?}");
        assert_eq!(line.rest().await, "before\n");
        let after = within(line.socket.send_line("after")).await;
        assert!(matches!(&after, Err(Error::Ended(said)) if said.contains(problem)), "{after:?}");
    }
    other.says("still here\n").await;
    within(other.socket.issue_credit(1)).await.unwrap();
    assert_eq!(other.messages.line().await, "still here");
}

#[tokio::test]
async fn a_line_without_an_end_is_not_kept() {
    let mut line = Line::new().await;
    within(line.socket.issue_credit(1)).await.unwrap();
    // Only a part is read; then the socket is closed, while the peer goes on.
    let endless = vec![b'x'; 1 << 20];
    while line.peer.write_all(&endless).await.is_ok() {}
    let failure = line.messages.closed().await.unwrap();
    assert!(matches!(failure, Error::Decode(_)), "{failure:?}");
}

#[tokio::test]
async fn lengths_that_cannot_be_are_refused() {
    let line = Line::new().await;
    for longest in [0, u32::MAX] {
        let refused = within(line.socket.work_units(WorkUnits::Lines { longest })).await;
        assert!(matches!(refused.unwrap_err().root(), Error::Refused(_)));
    }
}
