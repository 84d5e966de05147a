//! The surroundings of an interface: shadowed names, names like those of generated code, conditions and attributes,
//! functions and macros that contain it. Most of the test is that it compiles without a warning.

#![deny(warnings, clippy::pedantic)]

use remote_core::{Error, Ref, Remote, remote};

use super::far;

/// All names that generated code could use.
mod shadowed {
    #![allow(dead_code, unused_macros, non_camel_case_types)]

    use remote_core::{Ref, Remote, remote};

    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct Box;
    pub(crate) struct Vec;
    pub(crate) struct Call;
    pub(crate) struct Proxy;
    pub(crate) struct Class;
    pub(crate) struct Interface;
    pub(crate) struct Method;
    pub(crate) struct Reply;
    pub(crate) trait Send {}
    pub(crate) trait Sync {}
    pub(crate) trait Sized {}
    pub(crate) trait From {}
    pub(crate) trait Future {}
    pub(crate) trait Serialize {}
    pub(crate) trait Fn {}
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod serde {}
    pub(crate) mod tokio {}
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Some;
    pub(crate) struct None;
    pub(crate) struct u64;
    pub(crate) struct str;
    pub(crate) struct bool;
    macro_rules! concat {
        () => {};
    }
    macro_rules! unreachable {
        () => {};
    }

    #[remote]
    pub(crate) trait Plain {
        async fn add(
            &self,
            step: ::core::primitive::u64,
        ) -> remote_core::Result<::core::primitive::u64>;
        async fn twice(
            &self,
            step: &::core::primitive::u64,
        ) -> remote_core::Result<::core::primitive::u64> {
            self.add(*step * 2).await
        }
    }

    #[remote]
    pub(crate) trait Extended: Plain {
        async fn other(&self, other: Ref<dyn Plain>) -> remote_core::Result<()>;
    }

    #[derive(Remote)]
    #[remote(Plain, Extended)]
    pub(crate) struct S;

    #[remote]
    impl Plain for S {
        async fn add(
            &self,
            step: ::core::primitive::u64,
        ) -> remote_core::Result<::core::primitive::u64> {
            remote_core::Result::Ok(step + 1)
        }
    }

    #[remote]
    impl Extended for S {
        async fn other(&self, other: Ref<dyn Plain>) -> remote_core::Result<()> {
            other.add(1).await?;
            remote_core::Result::Ok(())
        }
    }
}

#[tokio::test]
async fn shadowed_names_change_nothing() -> remote_core::Result<()> {
    use shadowed::Extended;
    let object = far::<dyn Extended, dyn Extended>(Ref::new(shadowed::S)).await?;
    assert_eq!(object.add(1).await?, 2);
    assert_eq!(object.twice(&4).await?, 9);
    object.other(Ref::new(shadowed::S)).await
}

/// Names that generated code uses itself, as methods and as parameters.
mod alike {
    use remote_core::{Remote, Result, remote};

    #[remote]
    pub(crate) trait Names {
        async fn new(&self, encoder: u64, decoder: &str) -> Result<u64>;
        async fn push(&self, arguments: u64, incoming: &[u64]) -> Result<u64>;
        async fn message(
            &self,
            near: u64,
            class: u64,
            object: &u64,
            result: u64,
            shape: u64,
        ) -> Result<u64>;
        async fn register(&self, argument_0: u64, argument_1: u64) -> Result<u64> {
            Ok(argument_0 - argument_1)
        }
        async fn codec(&self, error: u64, proxy: &u64) -> Result<u64> {
            self.register(error, *proxy).await
        }
        async fn methods(&self) -> Result<u64>;
        async fn from_proxy(&self) -> Result<u64>;
        async fn get(&self, __remote: u64, name: &str) -> Result<u64>;
        async fn r#type(&self, r#match: u64) -> Result<u64>;
        async fn r#loop(&self, r#ref: &u64) -> Result<u64> {
            self.r#type(*r#ref).await
        }
    }

    #[derive(Remote)]
    #[remote(Names)]
    pub(crate) struct Same;

    #[remote]
    impl Names for Same {
        async fn new(&self, encoder: u64, decoder: &str) -> Result<u64> {
            Ok(encoder + decoder.len() as u64)
        }

        async fn push(&self, arguments: u64, incoming: &[u64]) -> Result<u64> {
            Ok(arguments + incoming[0])
        }

        async fn message(
            &self,
            near: u64,
            class: u64,
            object: &u64,
            result: u64,
            shape: u64,
        ) -> Result<u64> {
            Ok(near + 10 * class + 100 * object + 1000 * result + 10_000 * shape)
        }

        async fn methods(&self) -> Result<u64> {
            Ok(1)
        }

        async fn from_proxy(&self) -> Result<u64> {
            Ok(2)
        }

        async fn get(&self, __remote: u64, name: &str) -> Result<u64> {
            Ok(__remote + name.len() as u64)
        }

        async fn r#type(&self, r#match: u64) -> Result<u64> {
            Ok(r#match)
        }
    }
}

#[tokio::test]
async fn names_like_those_of_generated_code_change_nothing() -> remote_core::Result<()> {
    use alike::Names;
    let object = far::<dyn Names, dyn Names>(Ref::new(alike::Same)).await?;
    assert_eq!(object.new(1, "ab").await?, 3);
    assert_eq!(object.push(1, &[2]).await?, 3);
    assert_eq!(object.message(1, 2, &3, 4, 5).await?, 54321);
    assert_eq!(object.register(3, 1).await?, 2);
    assert_eq!(object.codec(3, &2).await?, 1);
    assert_eq!(object.methods().await?, 1);
    assert_eq!(object.from_proxy().await?, 2);
    assert_eq!(object.get(1, "ab").await?, 3);
    assert_eq!(object.r#type(7).await?, 7);
    assert_eq!(object.r#loop(&8).await?, 8);
    Ok(())
}

/// The attributes of a method apply to all code that is generated for it.
mod conditional {
    use remote_core::{Remote, Result, remote};

    #[remote]
    #[cfg(test)]
    pub(crate) trait Conditional {
        #[cfg(not(test))]
        async fn absent(
            &self,
            missing: NoSuchType,
            file: include_str!("none"),
        ) -> Result<NoSuchTypeEither>;
        #[cfg(not(test))]
        async fn absent_default(&self, missing: &NoSuchType) -> Result<()> {
            no_such_function(missing)
        }
        #[cfg(test)]
        #[must_use = "to be waited for"]
        #[deprecated = "to see that nothing generated is warned of"]
        async fn present(&self, text: &str) -> Result<usize>;
        #[allow(clippy::unused_self, clippy::ptr_arg, clippy::too_many_arguments)]
        async fn many(
            &self,
            a: u8,
            b: u8,
            c: u8,
            d: u8,
            e: u8,
            f: u8,
            g: u8,
            h: &String,
        ) -> Result<usize>;
    }

    #[derive(Remote)]
    #[remote(Conditional)]
    pub(crate) struct Both;

    #[remote]
    #[allow(clippy::many_single_char_names)]
    impl Conditional for Both {
        #[cfg(not(test))]
        async fn absent(&self, missing: NoSuchType) -> Result<NoSuchTypeEither> {
            no_such_function(missing)
        }

        // On one line, where nested braces would cause a warning.
        #[rustfmt::skip]
        async fn present(&self, text: &str) -> Result<usize> { Ok(text.len()) }

        async fn many(
            &self,
            a: u8,
            b: u8,
            c: u8,
            d: u8,
            e: u8,
            f: u8,
            g: u8,
            h: &String,
        ) -> Result<usize> {
            Ok([a, b, c, d, e, f, g].map(usize::from).iter().sum::<usize>() + h.len())
        }
    }

    #[remote]
    #[cfg(not(test))]
    pub(crate) trait Never {
        async fn absent(&self) -> Result<NoSuchType>;
    }
}

#[tokio::test]
async fn conditions_follow_to_all_that_is_generated() -> remote_core::Result<()> {
    use conditional::Conditional;
    let object = far::<dyn Conditional, dyn Conditional>(Ref::new(conditional::Both)).await?;
    #[allow(deprecated)]
    let present = object.present("four");
    assert_eq!(present.await?, 4);
    assert_eq!(object.many(1, 2, 3, 4, 5, 6, 7, &String::new()).await?, 28);
    Ok(())
}

#[tokio::test]
async fn an_interface_may_stand_in_a_function_with_its_class() -> remote_core::Result<()> {
    use remote_core::Result;

    #[remote]
    trait Inner {
        async fn inner(&self) -> Result<u64>;
    }

    #[derive(Remote)]
    #[remote(Inner, name = "scopes.Local")]
    struct Local;

    #[remote]
    impl Inner for Local {
        async fn inner(&self) -> Result<u64> {
            Ok(5)
        }
    }

    assert_eq!(far::<dyn Inner, dyn Inner>(Ref::new(Local)).await?.inner().await?, 5);
    Ok(())
}

/// Bodies that do not end in a value.
mod endings {
    use remote_core::{Error, Remote, Result, remote};

    #[remote]
    pub(crate) trait Endings {
        async fn never(&self) -> Result<u64>;
        async fn early(&self, number: u64) -> Result<Vec<String>>;
        async fn inferred(&self, _unused: u64) -> Result<Vec<u64>> {
            Ok("1 2".split(' ').map(|number| number.parse().unwrap_or_default()).collect())
        }
        async fn panics(&self) -> Result<Box<[u8]>> {
            panic!("it ends here")
        }
    }

    #[derive(Remote)]
    #[remote(Endings)]
    pub(crate) struct Ends;

    #[remote]
    impl Endings for Ends {
        async fn never(&self) -> Result<u64> {
            std::future::pending().await
        }

        async fn early(&self, number: u64) -> Result<Vec<String>> {
            if number == 0 {
                return Err(Error::Cancelled);
            }
            let mut found = Vec::new();
            loop {
                if found.len() as u64 == number {
                    return Ok(found);
                }
                tokio::task::yield_now().await;
                found.push(number.to_string());
            }
        }
    }
}

#[tokio::test]
async fn bodies_may_end_as_they_like() -> remote_core::Result<()> {
    use endings::Endings;
    let object = far::<dyn Endings, dyn Endings>(Ref::new(endings::Ends)).await?;
    assert_eq!(object.early(0).await, Err(Error::Nested(Box::new(Error::Cancelled))));
    assert_eq!(object.early(1).await?, ["1"]);
    assert_eq!(object.early(2).await?, ["2", "2"]);
    assert_eq!(object.inferred(0).await?, [1, 2]);
    assert_eq!(object.panics().await, Err(Error::Panicked("it ends here".to_owned())));
    let never = tokio::time::timeout(std::time::Duration::from_millis(1), object.never());
    assert!(never.await.is_err());
    Ok(())
}

macro_rules! cell {
    ($interface:ident, $class:ident, $value:ty, $method:ident) => {
        #[remote]
        #[allow(clippy::ptr_arg)]
        trait $interface {
            async fn $method(&self, value: $value, lent: &$value) -> remote_core::Result<$value>;
            async fn both(&self, value: $value) -> remote_core::Result<$value> {
                self.$method(value.clone(), &value).await
            }
        }

        #[derive(Remote)]
        #[remote($interface)]
        struct $class;

        #[remote]
        impl $interface for $class {
            async fn $method(&self, value: $value, lent: &$value) -> remote_core::Result<$value> {
                assert_eq!(&value, lent);
                Ok(value)
            }
        }
    };
}

cell!(TextCell, TextHolder, String, keep);
cell!(ByteCell, ByteHolder, Vec<u8>, hold);

#[tokio::test]
async fn an_interface_may_come_from_a_macro() -> remote_core::Result<()> {
    let text = far::<dyn TextCell, dyn TextCell>(Ref::new(TextHolder)).await?;
    assert_eq!(text.both("t".to_owned()).await?, "t");
    let bytes = far::<dyn ByteCell, dyn ByteCell>(Ref::new(ByteHolder)).await?;
    assert_eq!(bytes.both(vec![1, 2]).await?, [1, 2]);
    Ok(())
}
