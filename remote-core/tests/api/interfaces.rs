//! Tests of interfaces: arguments and results, default methods, superinterfaces, several interfaces on one class,
//! mocks. Each test calls through two nodes, as from another process.

mod arguments;
mod inheritance;
mod scopes;

use remote_core::{Call, Error, Interface, Node, Ref, Remote, Result, remote};
use serde::{Deserialize, Serialize};

/// Two nodes, and a reference that one of them looked up at the other.
struct Far<T: ?Sized + Interface> {
    object: Ref<T>,
    _nodes: [Node; 2],
}

impl<T: ?Sized + Interface> std::ops::Deref for Far<T> {
    type Target = Ref<T>;

    fn deref(&self) -> &Ref<T> {
        &self.object
    }
}

/// Publishes an object at one node and looks it up from another, through an interface that may be another version.
async fn far<T: ?Sized + Interface, U: ?Sized + Interface>(object: Ref<T>) -> Result<Far<U>> {
    let (owner, client) = (Node::listen("tcp://127.0.0.1:0").await?, Node::new());
    owner.publish("object", object).await?;
    let object = client.lookup(&owner.uri("object")).await?;
    Ok(Far { object, _nodes: [owner, client] })
}

/// The interface in an older program.
mod older {
    use super::*;

    #[remote]
    pub(crate) trait Greeter {
        async fn greet(&self, name: &str) -> Result<String>;
    }

    #[derive(Remote)]
    #[remote(Greeter, name = "older.English")]
    pub(crate) struct English;

    #[remote]
    impl Greeter for English {
        async fn greet(&self, name: &str) -> Result<String> {
            Ok(format!("hello, {name}"))
        }
    }
}

/// The interface in a newer program: it has messages that the older one does not have.
mod newer {
    use super::*;

    #[remote]
    pub(crate) trait Greeter {
        async fn greet(&self, name: &str) -> Result<String>;

        async fn greet_all(&self, names: Vec<String>, mut between: String) -> Result<String> {
            between.push(' ');
            let mut greetings = Vec::new();
            for name in &names {
                greetings.push(self.greet(name).await?);
            }
            Ok(greetings.join(&between))
        }

        async fn wave(&self) -> Result<String>;
    }

    #[derive(Remote)]
    #[remote(Greeter, name = "newer.Loud")]
    pub(crate) struct Loud;

    #[remote]
    impl Greeter for Loud {
        async fn greet(&self, name: &str) -> Result<String> {
            Ok(format!("HELLO, {name}"))
        }

        async fn greet_all(&self, names: Vec<String>, between: String) -> Result<String> {
            Ok(format!("{} of you{between}", names.len()))
        }

        async fn wave(&self) -> Result<String> {
            Ok("~".to_owned())
        }
    }

    #[derive(Remote)]
    #[remote(Greeter, name = "newer.Plain")]
    pub(crate) struct Plain(pub(crate) std::sync::atomic::AtomicU64);

    #[remote]
    impl Greeter for Plain {
        async fn greet(&self, name: &str) -> Result<String> {
            let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(format!("{number}: {name}"))
        }

        async fn wave(&self) -> Result<String> {
            Ok("~".to_owned())
        }
    }
}

fn names() -> Vec<String> {
    vec!["Ann".to_owned(), "Bob".to_owned()]
}

#[tokio::test]
async fn a_default_method_is_a_message_that_the_class_may_answer_itself() -> Result<()> {
    use newer::Greeter;
    let loud = far::<dyn Greeter, dyn Greeter>(Ref::new(newer::Loud)).await?;
    assert_eq!(loud.greet_all(names(), "!".to_owned()).await?, "2 of you!");
    let plain = far::<dyn Greeter, dyn Greeter>(Ref::new(newer::Plain(0.into()))).await?;
    assert_eq!(plain.greet_all(names(), ";".to_owned()).await?, "0: Ann; 1: Bob");
    Ok(())
}

#[tokio::test]
async fn a_default_method_runs_with_its_caller_where_the_far_class_does_not_know_it() -> Result<()>
{
    let english = far::<dyn older::Greeter, dyn newer::Greeter>(Ref::new(older::English)).await?;
    use newer::Greeter;
    assert_eq!(english.greet_all(names(), ",".to_owned()).await?, "hello, Ann, hello, Bob");
    // Only the trait object, as a function takes it.
    let greeter: &dyn Greeter = &**english;
    assert_eq!(greeter.greet_all(names(), "".to_owned()).await?, "hello, Ann hello, Bob");
    Ok(())
}

#[tokio::test]
async fn a_method_without_a_default_that_the_far_class_does_not_know_is_named() -> Result<()> {
    let english = far::<dyn older::Greeter, dyn newer::Greeter>(Ref::new(older::English)).await?;
    let error = newer::Greeter::wave(&**english).await.expect_err("the class has no such method");
    let (class, selector) = ("older.English".to_owned(), "Greeter.wave".to_owned());
    assert_eq!(error, Error::MessageNotUnderstood { class, selector });
    Ok(())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Refusal {
    Empty { at: u64 },
    Remote(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Remote(error)
    }
}

type Answer<V> = std::result::Result<V, Refusal>;

#[remote]
trait Well {
    async fn draw(&self, litres: u64) -> Answer<u64>;
    async fn water(&self, litres: u64) -> std::result::Result<Vec<u8>, Refusal>;
    async fn other(&self, well: Ref<dyn Well>) -> Answer<u64>;
}

#[derive(Remote)]
#[remote(Well)]
enum Source {
    Dry,
    Deep,
}

#[remote]
impl Well for Source {
    async fn draw(&self, litres: u64) -> Answer<u64> {
        match self {
            Source::Dry => Err(Refusal::Empty { at: litres }),
            Source::Deep => Ok(litres),
        }
    }

    async fn water(&self, litres: u64) -> Answer<Vec<u8>> {
        let litres = self.draw(litres).await?;
        Ok(vec![7; litres as usize])
    }

    async fn other(&self, well: Ref<dyn Well>) -> Answer<u64> {
        well.draw(1).await
    }
}

#[tokio::test]
async fn errors_of_the_interface_arrive_as_themselves() -> Result<()> {
    let deep = far::<dyn Well, dyn Well>(Ref::new(Source::Deep)).await?;
    assert_eq!(deep.draw(3).await, Ok(3));
    assert_eq!(deep.water(3).await, Ok(vec![7; 3]));
    let dry = far::<dyn Well, dyn Well>(Ref::new(Source::Dry)).await?;
    assert_eq!(dry.draw(3).await, Err(Refusal::Empty { at: 3 }));
    assert_eq!(dry.water(4).await, Err(Refusal::Empty { at: 4 }));
    assert_eq!(deep.other(Ref::new(Source::Dry)).await, Err(Refusal::Empty { at: 1 }));
    Ok(())
}

/// Not a class, but an implementation for a test.
struct Mock<V>(V);

#[remote]
impl<V: Send + Sync + 'static + ToString> older::Greeter for Mock<V> {
    async fn greet(&self, name: &str) -> Result<String> {
        Ok(format!("{}: {name}", self.0.to_string()))
    }
}

struct ByHand;

impl older::Greeter for ByHand {
    fn greet<'a>(&'a self, name: &'a str) -> Call<'a, Result<String>> {
        Call::new(async move { Ok(name.to_uppercase()) })
    }
}

#[tokio::test]
async fn the_trait_serves_mocks_and_their_users() -> Result<()> {
    use older::Greeter;
    async fn by_object(greeter: &dyn Greeter) -> Result<String> {
        greeter.greet("you").await
    }
    async fn by_type(greeter: &(impl Greeter + ?Sized)) -> Result<String> {
        greeter.greet("you").await
    }
    assert_eq!(by_object(&Mock(3)).await?, "3: you");
    assert_eq!(by_type(&Mock("x")).await?, "x: you");
    assert_eq!(by_object(&ByHand).await?, "YOU");
    let english = far::<dyn Greeter, dyn Greeter>(Ref::new(older::English)).await?;
    assert_eq!(by_object(&**english).await?, "hello, you");
    assert_eq!(by_type(&**english).await?, "hello, you");
    Ok(())
}
