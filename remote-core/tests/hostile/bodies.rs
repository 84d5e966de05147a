//! Malformed bodies: nested too deep, with too many or too large elements, with unknown classes, or with bytes left
//! over.

use remote_core::{Error, Node, Ref};

use super::outcome::fault;
use super::peer::Peer;
use super::setup::{LEASE, Setup, patient, run, serve, soon};
use super::target::{Framed, Shape, Square, Target, TargetObject};
use super::wire::Bytes;

/// Returns a polymorphic value with this number of levels.
fn shapes(levels: usize) -> Bytes {
    let framed = Bytes::new().count(1).string("Framed").0;
    let square = Bytes::new().count(1).string("Square").count(4).0;
    Bytes([framed.repeat(levels - 1), square].concat())
}

#[test]
fn nesting_is_refused_past_its_limit_and_never_overflows_a_stack() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        assert_eq!(peer.answer_to(target, "shape", shapes(16)).await.value(), 15 + 4);
        for levels in [17, 68, 1000, 100_000] {
            let answer = peer.answer_to(target, "shape", shapes(levels)).await;
            assert_eq!(
                answer.fault(),
                fault::QUOTA,
                "{levels} polymorphic values: {}",
                answer.text()
            );
        }
        // Enums, options, vectors: each level is a byte, and the innermost enum or option is another.
        for (method, deepest) in [("enums", 60), ("options", 30), ("vectors", 30)] {
            let nested = |levels: usize| Bytes([vec![1; levels], vec![0]].concat());
            let answer = peer.answer_to(target, method, nested(deepest)).await;
            assert_eq!(answer.value(), deepest as u64, "{method}");
            for levels in [65, 68, 1000, 100_000] {
                let answer = peer.answer_to(target, method, nested(levels)).await;
                assert_eq!(answer.fault(), fault::QUOTA, "{levels} {method}: {}", answer.text());
            }
            // The same without an end.
            let answer = peer.answer_to(target, method, Bytes(vec![1; 100_000])).await;
            assert_eq!(answer.fault(), fault::QUOTA, "{method} without end: {}", answer.text());
        }
        assert_eq!(peer.answer_to(target, "length", Bytes::new().string("on")).await.value(), 2);
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn values_nested_too_deep_are_refused_before_they_are_sent_too() {
    run(async {
        let server = serve(patient(), LEASE).await.unwrap();
        server.publish("target", Ref::<dyn Target>::new(TargetObject::default())).await.unwrap();
        let client = Node::new();
        let target: Ref<dyn Target> = client.lookup(server.uri("target")).await.unwrap();
        let nested = |levels| {
            (1..levels)
                .fold(Box::new(Square(4)) as Box<dyn Shape>, |inner, _| Box::new(Framed(inner)))
        };
        assert_eq!(target.shape(nested(16)).await, Ok(15 + 4));
        for levels in [17, 68, 1000] {
            let answer = soon("a refusal", target.shape(nested(levels))).await;
            assert!(matches!(answer, Err(Error::Quota(_))), "{levels}: {answer:?}");
        }
        assert_eq!(target.add(0).await, Ok(0));
    });
}

#[test]
fn lengths_beyond_the_bytes_are_refused() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        for method in ["length", "bytes", "words", "vectors"] {
            for claim in [u64::MAX, 1 << 63, 1 << 32, 1 << 31, 4] {
                // One element too many: three bytes follow.
                let body = Bytes::new().count(claim).raw(&[0; 3]);
                let answer = peer.answer_to(target, method, body).await;
                assert_eq!(answer.fault(), fault::DECODE, "{method} of {claim}: {}", answer.text());
            }
        }
        // Each vector in the last one claims all elements that there can be.
        let greedy = Bytes(Bytes::new().count(u64::MAX).0.repeat(30));
        let answer = peer.answer_to(target, "vectors", greedy).await;
        assert!([fault::DECODE, fault::QUOTA].contains(&answer.fault()), "{}", answer.text());
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn elements_without_bytes_are_counted() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        assert_eq!(peer.answer_to(target, "units", Bytes::new().count(1000)).await.value(), 1000);
        for claim in [(1 << 21) + 1, 1_000_000_000, 1 << 40, u64::MAX] {
            let answer = peer.answer_to(target, "units", Bytes::new().count(claim)).await;
            assert_eq!(answer.fault(), fault::QUOTA, "{claim}: {}", answer.text());
        }
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn tags_of_no_class_are_refused_by_name() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let tagged = |tag: &str| Bytes::new().count(1).string(tag).count(4);
        for tag in ["Hexagon", "Bell", "", "square"] {
            let answer = peer.answer_to(target, "shape", tagged(tag)).await;
            assert_eq!(answer.fault(), fault::UNKNOWN_CLASS, "`{tag}`: {}", answer.text());
            assert!(answer.text().contains(tag), "{}", answer.text());
        }
        // A tag of nearly 4 MiB is neither kept nor sent back.
        let answer = peer.answer_to(target, "shape", tagged(&"x".repeat((4 << 20) - 100))).await;
        assert_eq!(answer.fault(), fault::UNKNOWN_CLASS);
        assert!(answer.body.len() < 500, "an answer of {} bytes", answer.body.len());
        for wrong in [
            Bytes::new().count(0),
            Bytes::new().count(2).string("Square").count(4).string("Square").count(4),
            Bytes::new().count(1).count(2).raw(&[0xff, 0xff]).count(4),
            Bytes::new().count(u64::MAX).string("Square").count(4),
        ] {
            let answer = peer.answer_to(target, "shape", wrong.clone()).await;
            assert_eq!(answer.fault(), fault::DECODE, "{wrong:?}: {}", answer.text());
        }
        peer.close().await;
        setup.is_alone_again().await;
    });
}

#[test]
fn bodies_are_read_to_their_last_byte_and_no_further() {
    run(async {
        let setup = Setup::new().await;
        let mut peer = Peer::connect(&setup.address()).await;
        let target = peer.target().await;
        let bodies = [
            ("add", Bytes::new().count(7)),
            ("add", Bytes::new().count(1 << 40)),
            ("length", Bytes::new().string("text")),
            ("bytes", Bytes::new().string("bytes")),
            ("words", Bytes::new().count(2).string("one").string("two")),
            ("shape", shapes(3)),
            ("enums", Bytes(vec![1, 1, 0])),
        ];
        for (method, body) in bodies {
            assert_eq!(peer.answer_to(target, method, body.clone()).await.status, 0, "{method}");
            for end in 0..body.0.len() {
                let cut = Bytes(body.0[..end].to_vec());
                let answer = peer.answer_to(target, method, cut).await;
                assert_eq!(answer.status, 2, "{method} cut after {end} bytes");
            }
            let answer = peer.answer_to(target, method, body.clone().byte(0)).await;
            assert_eq!(answer.fault(), fault::DECODE, "{method} and a byte: {}", answer.text());
            let answer = peer.answer_to(target, method, body.raw(&[1; 100_000])).await;
            assert_eq!(answer.fault(), fault::DECODE, "{method} and many: {}", answer.text());
        }
        // Invalid UTF-8, and an index without a variant.
        for (method, body) in
            [("length", vec![2, 0xff, 0xfe]), ("enums", vec![9]), ("options", vec![7])]
        {
            let answer = peer.answer_to(target, method, Bytes(body)).await;
            assert_eq!(answer.fault(), fault::DECODE, "{method}: {}", answer.text());
        }
        peer.close().await;
        setup.is_alone_again().await;
    });
}
