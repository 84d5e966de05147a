//! Owns the door through which generated code reaches the library, one module for each version of what the macros
//! generate. It must not be used by hand: nothing behind it is promised to anybody but `remote-derive`.
//!
//! The macros know only how a type is spelled. What it *is* the compiler tells them, by what is known as autoref
//! specialisation: of two methods of one name, the one found with fewer borrows is taken, and only if its bounds hold. So
//! byte strings are copied whole whatever their alias, and a type that serde cannot carry is one error, at the
//! assertion made for it, instead of one in each place that uses it.

mod answer;
mod carried;
mod codec;
mod interface;
mod parameter;

pub mod v1 {
    //! What the macros of this version generate speaks to.

    pub use std::{
        boxed::Box,
        primitive::str,
        result::Result::{Err, Ok},
        vec::Vec,
    };

    pub use inventory;

    pub use super::{
        answer::{
            Failure, Itself, Outcome, Returned, error_shape, message, message_or_default, reply,
            reply_when_given, value_shape,
        },
        carried::{Borrowing, ByReference, ByValue},
        codec::{next, push, shape},
        interface::{Registering, Upcasting, methods},
        parameter::{Lent, Passed, PassedBorrowing},
    };
    pub use crate::{
        object::{
            class::{Class, ClassBuilder, ClassInfo, Incoming, Invoke, Near, Registration},
            message::{Payload, Reply},
        },
        reference::{
            call::Call,
            interface::{Hosts, Implements, Interface, Proxy},
            later::{Given, Keep},
        },
        wire::{
            codec::{Decoder, Encoder},
            method::{Method, Parameter, Type},
            shape::Shape,
        },
    };

    pub mod probes {
        //! The traits that answer the questions of generated code, without their names.

        pub use super::super::{
            answer::{AnswersBySerde as _, AnswersNothing as _},
            interface::{RegistersNothing as _, RegistersObject as _, UpcastsNothing as _},
            parameter::{
                LendsBySerde as _, LendsNothing as _, PassesBorrowed as _, PassesBySerde as _,
                PassesNothing as _,
            },
        };
    }
}
