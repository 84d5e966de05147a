//! Owns how what a method returns travels, and how the reply becomes it again. It must not know which method.

use std::{any::type_name, future::Pending, marker::PhantomData};

use serde::{Serialize, de::DeserializeOwned};

use super::codec::{BySerde, Codec, Shaped, Whole};
use crate::{
    Error,
    object::message::{Payload, Reply},
    reference::{
        call::{Call, Executing},
        interface::Proxy,
        later::Keep,
    },
    wire::{method::Method, shape::Shape},
};

/// What a method of an interface returns.
#[diagnostic::on_unimplemented(
    message = "a remote method returns a `Result`, not `{Self}`",
    label = "every call can fail, because a connection can be lost: write `Result<{Self}>`"
)]
pub trait Outcome {
    /// Named to assert it.
    const CARRIED: () = ();
}

#[diagnostic::do_not_recommend]
impl<V, E> Outcome for Result<V, E> {}

/// An error that can say that the connection was lost.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no value for a lost connection",
    label = "the error type of a remote method needs `From<remote_core::Error>`",
    note = "write `impl From<remote_core::Error> for {Self}`, for example as a variant `Remote(remote_core::Error)`"
)]
pub trait Failure {
    /// Called to assert it of a type whose spelling is not known.
    fn carried(_: PhantomData<Self>) {}
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> Failure for E {}

/// A type itself, spelled so that an error about it can be shown over the whole of what the user wrote.
pub type Itself<T> = T;

/// Asks how a result travels.
pub struct Returned<R>(PhantomData<fn() -> R>);

/// Value and error both travel, the value in the way of `C`.
pub struct Answered<V, E, C>(PhantomData<fn(C) -> Result<V, E>>);

/// They do not: an assertion made for the method has been refused.
pub struct Refused<R>(PhantomData<fn() -> R>);

/// A way in which a result travels.
pub trait Answer {
    /// The result.
    type Result;

    /// Sends a message that is answered with the result.
    fn message<'a, I: ?Sized>(
        proxy: &'a Proxy<I>,
        method: &'static Method,
        arguments: Result<Payload, Error>,
    ) -> Call<'a, Self::Result>;

    /// Sends a message, and runs the method's default body if the far class does not know it.
    fn message_or_default<'a, I: ?Sized>(
        proxy: &'a Proxy<I>,
        method: &'static Method,
        arguments: Result<Payload, Error>,
        default: impl FnOnce() -> Call<'a, Self::Result> + Send + 'a,
    ) -> Call<'a, Self::Result>;

    /// Makes the reply.
    fn reply(result: Self::Result) -> Reply;

    /// What serde sees of the value.
    fn value_shape(shape: &mut Shape);

    /// What serde sees of the error.
    fn error_shape(shape: &mut Shape);
}

/// Sends a message that is answered with the result.
pub fn message<'a, A: Answer, I: ?Sized>(
    _: A,
    proxy: &'a Proxy<I>,
    method: &'static Method,
    arguments: Result<Payload, Error>,
) -> Call<'a, A::Result> {
    A::message(proxy, method, arguments)
}

/// Sends a message, and runs the method's default body if the far class does not know it.
pub fn message_or_default<'a, A: Answer, I: ?Sized>(
    _: A,
    proxy: &'a Proxy<I>,
    method: &'static Method,
    arguments: Result<Payload, Error>,
    default: impl FnOnce() -> Call<'a, A::Result> + Send + 'a,
) -> Call<'a, A::Result> {
    A::message_or_default(proxy, method, arguments, default)
}

/// Makes the reply of a method that returned.
pub fn reply<A: Answer>(_: A, result: A::Result) -> Reply {
    A::reply(result)
}

/// How the reply is made of a result that is given when the method has returned.
pub fn reply_when_given<A: Answer<Result: Send + 'static>>(_: A) -> Keep<A::Result> {
    |given| Box::pin(async { given.await.map_or(Reply::Fault(Error::Unanswered), A::reply) })
}

/// Writes down what serde sees of the value.
pub fn value_shape<A: Answer>(_: A, shape: &mut Shape) {
    A::value_shape(shape);
}

/// Writes down what serde sees of the error.
pub fn error_shape<A: Answer>(_: A, shape: &mut Shape) {
    A::error_shape(shape);
}

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<R> Returned<R> {
    /// The question.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<V, E> Returned<Result<V, E>> {
    /// The type of the value.
    pub fn value(&self) -> PhantomData<V> {
        PhantomData
    }

    /// The type of the error, to ask whether it can carry a lost connection.
    pub fn failure(&self) -> PhantomData<E> {
        PhantomData
    }
}

impl<V, E: From<Error>> Returned<Result<V, E>> {
    /// The type of the error, to ask whether it can travel: one that is refused already is not asked.
    pub fn error(&self) -> PhantomData<E> {
        PhantomData
    }

    /// What can be awaited of a call.
    pub fn future<'a>(
        &self,
        call: Call<'a, Result<V, E>>,
        keep: Keep<Result<V, E>>,
    ) -> Executing<'a, Result<V, E>> {
        call.executing(keep)
    }
}

impl<E: From<Error> + Serialize + DeserializeOwned> Returned<Result<Vec<u8>, E>> {
    /// The answer.
    pub fn answer(&self) -> Answered<Vec<u8>, E, Whole> {
        Answered(PhantomData)
    }
}

/// The answer for what serde carries.
pub trait AnswersBySerde<V, E> {
    /// The answer.
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

/// The answer for everything else, with types that no further assertion minds.
pub trait AnswersNothing<R> {
    /// No type.
    fn value(&self) -> PhantomData<()> {
        PhantomData
    }

    /// No type.
    fn failure(&self) -> PhantomData<Error> {
        PhantomData
    }

    /// No type.
    fn error(&self) -> PhantomData<Error> {
        PhantomData
    }

    /// A call with such a result cannot be awaited.
    fn future(&self, _: Call<'_, R>, _: Keep<R>) -> Pending<R> {
        unreachable!("refused when compiled")
    }

    /// The answer.
    fn answer(&self) -> Refused<R> {
        Refused(PhantomData)
    }
}

impl<R> AnswersNothing<R> for &Returned<R> {}

impl<V, E, C> Answer for Answered<V, E, C>
where
    V: DeserializeOwned,
    E: From<Error> + Serialize + DeserializeOwned,
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

fn failure<E: Serialize>(error: &E) -> Reply {
    match Reply::failure(|encoder| encoder.push(error)) {
        // An error of the library's own says what went wrong to whatever was pipelined on the call, too.
        Reply::Failure(payload) if type_name::<E>() == type_name::<Error>() => {
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

/// A reply that cannot be read says all the same that the method was executed.
fn executed<E: From<Error>>(error: Error) -> E {
    E::from(Error::Nested(Box::new(error)))
}
