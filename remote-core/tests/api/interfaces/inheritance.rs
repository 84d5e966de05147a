//! Interfaces that extend interfaces, several of them on one class, and casts between them.

use remote_core::{Error, Ref, Remote, Result, remote};

use super::far;

#[remote]
trait Top {
    async fn top(&self) -> Result<String>;
    async fn described(&self) -> Result<String> {
        Ok(format!("<{}>", self.top().await?))
    }
}

#[remote]
trait Left: Top {
    async fn left(&self, number: u64) -> Result<u64>;
}

#[remote]
trait Right: Send + Top + 'static {
    async fn right(&self) -> Result<String> {
        Ok(format!("right of {}", self.top().await?))
    }
}

#[remote]
trait Bottom: Left + self::Right + Sync {
    async fn bottom(&self, other: Ref<dyn Top>) -> Result<String>;
}

/// Has a method with the name of a method of its superinterface.
#[remote]
trait Again: Top {
    async fn described(&self) -> Result<String> {
        Ok(format!("[{}]", Top::described(self).await?))
    }
}

#[remote]
trait Aside {
    async fn aside(&self) -> Result<u64>;
}

#[remote]
trait Unlisted {
    async fn unlisted(&self) -> Result<()>;
}

#[derive(Remote)]
#[remote(Bottom, self::Aside, Top)]
struct Diamond(&'static str);

#[remote]
impl Top for Diamond {
    async fn top(&self) -> Result<String> {
        Ok(self.0.to_owned())
    }
}

#[remote]
impl Left for Diamond {
    async fn left(&self, number: u64) -> Result<u64> {
        Ok(number + 1)
    }
}

#[remote]
impl Right for Diamond {}

#[derive(Remote)]
#[remote(Again)]
struct Twofold;

#[remote]
impl Top for Twofold {
    async fn top(&self) -> Result<String> {
        Ok("t".to_owned())
    }
}

#[remote]
impl Again for Twofold {}

#[remote]
impl Bottom for Diamond {
    async fn bottom(&self, other: Ref<dyn Top>) -> Result<String> {
        Ok(format!("{} over {}", self.described().await?, other.described().await?))
    }
}

#[remote]
impl Aside for Diamond {
    async fn aside(&self) -> Result<u64> {
        Ok(42)
    }
}

#[remote]
impl Unlisted for Diamond {
    async fn unlisted(&self) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_interface_includes_those_that_it_extends() -> Result<()> {
    let diamond = far::<dyn Bottom, dyn Bottom>(Ref::new(Diamond("d"))).await?;
    assert_eq!(diamond.top().await?, "d");
    assert_eq!(diamond.described().await?, "<d>");
    assert_eq!(diamond.left(1).await?, 2);
    assert_eq!(diamond.right().await?, "right of d");
    assert_eq!(diamond.bottom(Ref::new(Diamond("e"))).await?, "<d> over <e>");
    let top: &dyn Top = &**diamond;
    assert_eq!(top.top().await?, "d");
    Ok(())
}

#[tokio::test]
async fn methods_of_one_name_are_distinguished_by_their_interfaces() -> Result<()> {
    let again = far::<dyn Again, dyn Again>(Ref::new(Twofold)).await?;
    assert_eq!(Again::described(&**again).await?, "[<t>]");
    assert_eq!(Top::described(&**again).await?, "<t>");
    Ok(())
}

#[tokio::test]
async fn a_class_is_reached_through_each_of_its_interfaces() -> Result<()> {
    let diamond = far::<dyn Aside, dyn Aside>(Ref::new(Diamond("d"))).await?;
    assert_eq!(diamond.aside().await?, 42);
    // It is listed, and extended by another listed interface.
    let bottom: Ref<dyn Bottom> = Ref::cast(&diamond).await?;
    let right: Ref<dyn Right> = Ref::cast(&bottom).await?;
    let top: Ref<dyn Top> = Ref::cast(&right).await?;
    assert_eq!(bottom.bottom(top.clone()).await?, "<d> over <d>");
    assert_eq!(right.right().await?, "right of d");
    let again: Ref<dyn Aside> = Ref::cast(&top).await?;
    assert!(again == *diamond);
    Ok(())
}

#[tokio::test]
async fn a_class_refuses_interfaces_that_it_does_not_list() -> Result<()> {
    for object in [
        Ref::<dyn Top>::new(Diamond("near")),
        far::<dyn Top, dyn Top>(Ref::new(Diamond("far"))).await?.clone(),
    ] {
        let error =
            Ref::cast::<dyn Unlisted>(&object).await.expect_err("the class does not list it");
        assert!(
            matches!(&error, Error::WrongInterface { wanted, .. } if wanted == "Unlisted"),
            "{error}"
        );
    }
    Ok(())
}
