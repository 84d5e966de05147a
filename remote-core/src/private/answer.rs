//! The encoding of a method's result into a reply, and the decoding of a reply into a result. It must not know the method.

use std::{any::TypeId, future::Pending, marker::PhantomData};

use serde::{Serialize, de::DeserializeOwned};

use super::codec::{BySerde, Codec, Shaped, Whole};
use crate::{
    Error,
    object::message::{Payload, Reply},
    reference::{
        call::{Call, Executing},
        interface::Proxy,
        later::MakeReply,
    },
    wire::{method::Method, shape::Shape},
};

/// The return type of a method of an interface.
#[diagnostic::on_unimplemented(
    message = "a remote method returns a `Result`, not `{Self}`",
    label = "every call can fail, because a connection can be lost: write `Result<{Self}>`"
)]
pub trait Outcome {
    /// Named by generated code to assert that the type implements this trait.
    const CARRIED: () = ();
}

#[diagnostic::do_not_recommend]
impl<V, E> Outcome for Result<V, E> {}

/// An error type that has a value for a lost connection.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no value for a lost connection",
    label = "the error type of a remote method needs `From<remote_core::Error>`",
    note = "write `impl From<remote_core::Error> for {Self}`, for example as a variant `Remote(remote_core::Error)`"
)]
pub trait Failure {
    /// Called by generated code to assert that a type implements this trait if the macro does not see how it is written.
    fn carried(_: PhantomData<Self>) {}
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> Failure for E {}

/// The identity alias. Generated code writes it around a type so that an error about the type is shown over all tokens of
/// it.
pub type Itself<T> = T;

/// A query to the compiler: how a result of this type is encoded.
pub struct Returned<R>(PhantomData<fn() -> R>);

/// Answers a query: the value is encoded by the codec `C`, the error by serde.
pub struct Answered<V, E, C>(PhantomData<fn(C) -> Result<V, E>>);

/// Answers a query about a type that an assertion has already refused.
pub struct Refused<R>(PhantomData<fn() -> R>);

/// Encodes and decodes the result of a method.
pub trait Answer {
    /// The method's return type.
    type Result;

    /// Returns the call that sends a message whose reply is the result.
    fn message<'a, I: ?Sized>(
        proxy: &'a Proxy<I>,
        method: &'static Method,
        arguments: Result<Payload, Error>,
    ) -> Call<'a, Self::Result>;

    /// Returns the same call, which executes the method's default body if the far class does not know the message.
    fn message_or_default<'a, I: ?Sized>(
        proxy: &'a Proxy<I>,
        method: &'static Method,
        arguments: Result<Payload, Error>,
        default: impl FnOnce() -> Call<'a, Self::Result> + Send + 'a,
    ) -> Call<'a, Self::Result>;

    /// Encodes a result into a reply.
    fn reply(result: Self::Result) -> Reply;

    /// Adds the type of the value, as serde sees it, to a shape.
    fn value_shape(shape: &mut Shape);

    /// Adds the type of the error, as serde sees it, to a shape.
    fn error_shape(shape: &mut Shape);
}

/// Returns the call that sends a message whose reply is the result.
pub fn message<'a, A: Answer, I: ?Sized>(
    _: A,
    proxy: &'a Proxy<I>,
    method: &'static Method,
    arguments: Result<Payload, Error>,
) -> Call<'a, A::Result> {
    A::message(proxy, method, arguments)
}

/// Returns the same call, which executes the method's default body if the far class does not know the message.
pub fn message_or_default<'a, A: Answer, I: ?Sized>(
    _: A,
    proxy: &'a Proxy<I>,
    method: &'static Method,
    arguments: Result<Payload, Error>,
    default: impl FnOnce() -> Call<'a, A::Result> + Send + 'a,
) -> Call<'a, A::Result> {
    A::message_or_default(proxy, method, arguments, default)
}

/// Encodes the result of a method that has returned.
pub fn reply<A: Answer>(_: A, result: A::Result) -> Reply {
    A::reply(result)
}

/// Returns the function that makes a deferred reply.
pub fn deferred_reply<A: Answer<Result: Send + 'static>>(_: A) -> MakeReply<A::Result> {
    |deferred| Box::pin(async { deferred.await.map_or(Reply::Fault(Error::Unanswered), A::reply) })
}

/// Adds the type of the value to a shape.
pub fn value_shape<A: Answer>(_: A, shape: &mut Shape) {
    A::value_shape(shape);
}

/// Adds the type of the error to a shape.
pub fn error_shape<A: Answer>(_: A, shape: &mut Shape) {
    A::error_shape(shape);
}

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<R> Returned<R> {
    /// Makes the query.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<V, E> Returned<Result<V, E>> {
    /// Returns the type of the value.
    pub fn value(&self) -> PhantomData<V> {
        PhantomData
    }

    /// Returns the type of the error, to assert that it has a value for a lost connection.
    pub fn failure(&self) -> PhantomData<E> {
        PhantomData
    }
}

impl<V, E: From<Error>> Returned<Result<V, E>> {
    /// Returns the type of the error, to assert that serde supports it. Not for a type that [`Self::failure`] refuses: each
    /// type gets one error.
    pub fn error(&self) -> PhantomData<E> {
        PhantomData
    }

    /// Returns the future of a call that is executed for a message.
    pub fn future<'a>(
        &self,
        call: Call<'a, Result<V, E>>,
        make_reply: MakeReply<Result<V, E>>,
    ) -> Executing<'a, Result<V, E>> {
        call.executing(make_reply)
    }
}

impl<E: From<Error> + Serialize + DeserializeOwned> Returned<Result<Vec<u8>, E>> {
    /// Returns the encoding: byte strings are copied as a whole.
    pub fn answer(&self) -> Answered<Vec<u8>, E, Whole> {
        Answered(PhantomData)
    }
}

/// Answers a query if serde supports both types.
pub trait AnswersBySerde<V, E> {
    /// Returns the encoding.
    fn answer(&self) -> Answered<V, E, BySerde<V>>;
}

impl<V, E> AnswersBySerde<V, E> for Returned<Result<V, E>>
where
    V: Serialize + DeserializeOwned,
    E: From<Error> + Serialize + DeserializeOwned,
{
    fn answer(&self) -> Answered<V, E, BySerde<V>> {
        Answered(PhantomData)
    }
}

/// Answers every other query, with types that pass the remaining assertions.
pub trait AnswersNothing<R> {
    /// Returns a type that passes.
    fn value(&self) -> PhantomData<()> {
        PhantomData
    }

    /// Returns a type that passes.
    fn failure(&self) -> PhantomData<Error> {
        PhantomData
    }

    /// Returns a type that passes.
    fn error(&self) -> PhantomData<Error> {
        PhantomData
    }

    /// Never called.
    fn future(&self, _: Call<'_, R>, _: MakeReply<R>) -> Pending<R> {
        unreachable!("refused when compiled")
    }

    /// Returns the encoding.
    fn answer(&self) -> Refused<R> {
        Refused(PhantomData)
    }
}

impl<R> AnswersNothing<R> for &Returned<R> {}

impl<V, E, C> Answer for Answered<V, E, C>
where
    V: DeserializeOwned,
    E: From<Error> + Serialize + DeserializeOwned + 'static,
    C: for<'p> Codec<'p, Sent = V, Held = V> + Shaped,
{
    type Result = Result<V, E>;

    fn message<'a, I: ?Sized>(
        proxy: &'a Proxy<I>,
        method: &'static Method,
        arguments: Result<Payload, Error>,
    ) -> Call<'a, Result<V, E>> {
        Call::message(proxy, method, arguments, decode::<V, E, C>)
    }

    fn message_or_default<'a, I: ?Sized>(
        proxy: &'a Proxy<I>,
        method: &'static Method,
        arguments: Result<Payload, Error>,
        default: impl FnOnce() -> Call<'a, Result<V, E>> + Send + 'a,
    ) -> Call<'a, Result<V, E>> {
        Self::message(proxy, method, arguments).or_default(default)
    }

    fn reply(result: Result<V, E>) -> Reply {
        match result {
            Ok(value) => Reply::value(|encoder| C::push(&value, encoder)),
            Err(error) => failure(&error),
        }
    }

    fn value_shape(shape: &mut Shape) {
        C::shape(shape);
    }

    fn error_shape(shape: &mut Shape) {
        shape.of::<E>();
    }
}

impl<R> Answer for Refused<R> {
    type Result = R;

    fn message<'a, I: ?Sized>(
        _: &'a Proxy<I>,
        _: &'static Method,
        _: Result<Payload, Error>,
    ) -> Call<'a, R> {
        unreachable!("refused when compiled")
    }

    fn message_or_default<'a, I: ?Sized>(
        _: &'a Proxy<I>,
        _: &'static Method,
        _: Result<Payload, Error>,
        _: impl FnOnce() -> Call<'a, R> + Send + 'a,
    ) -> Call<'a, R> {
        unreachable!("refused when compiled")
    }

    fn reply(_: R) -> Reply {
        unreachable!("refused when compiled")
    }

    fn value_shape(_: &mut Shape) {
        unreachable!("refused when compiled")
    }

    fn error_shape(_: &mut Shape) {
        unreachable!("refused when compiled")
    }
}

fn failure<E: Serialize + 'static>(error: &E) -> Reply {
    match Reply::failure(|encoder| encoder.push(error)) {
        // An error of the library's own type also becomes the reason for the calls that are pipelined on this one.
        Reply::Failure(payload) if TypeId::of::<E>() == TypeId::of::<Error>() => {
            Reply::Fault(payload.decode(|decoder| decoder.next()).unwrap_or_else(|error| error))
        }
        reply => reply,
    }
}

fn decode<V, E, C>(reply: Reply) -> Result<V, E>
where
    E: From<Error> + DeserializeOwned,
    C: for<'p> Codec<'p, Held = V>,
{
    match reply {
        Reply::Value(payload) => payload.decode(|decoder| C::next(decoder)).map_err(executed),
        Reply::Failure(payload) => {
            Err(payload.decode(|decoder| decoder.next()).unwrap_or_else(executed))
        }
        Reply::Fault(error) => Err(E::from(error)),
    }
}

/// Returns the error for a reply that cannot be decoded. It says that the method was executed.
fn executed<E: From<Error>>(error: Error) -> E {
    E::from(Error::Nested(Box::new(error)))
}
