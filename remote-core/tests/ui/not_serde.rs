//! Types that serde cannot carry: parameters, references, lists, values, errors.

use remote_core::{Ref, Remote, Result, remote};

#[derive(Debug)]
struct Picture;

#[derive(Debug)]
struct Torn;

impl From<remote_core::Error> for Torn {
    fn from(_: remote_core::Error) -> Torn {
        Torn
    }
}

#[derive(serde::Serialize)]
struct HalfWay;

#[remote]
trait Album {
    async fn add(&self, picture: Picture) -> Result<()>; //~
    async fn show(&self, picture: &Picture) -> Result<()>; //~
    async fn several(&self, pictures: &[Picture]) -> Result<()>; //~
    async fn perhaps(&self, picture: Option<&Picture>) -> Result<()>; //~
    async fn first(&self) -> Result<Picture>; //~
    async fn all(&self) -> Result<Vec<Picture>>; //~
    async fn tear(&self) -> Result<u64, Torn>; //~
    async fn half(&self, half: HalfWay) -> Result<()>; //~
    async fn dynamic(&self, object: Box<dyn std::fmt::Debug + Send>) -> Result<()>; //~
    async fn default_body(&self, picture: Picture) -> Result<()> { //~
        self.add(picture).await
    }
}

#[derive(Remote)]
#[remote(Album)]
struct Mine;

#[remote]
impl Album for Mine {
    async fn add(&self, _picture: Picture) -> Result<()> {
        Ok(())
    }

    async fn show(&self, _picture: &Picture) -> Result<()> {
        Ok(())
    }

    async fn several(&self, _pictures: &[Picture]) -> Result<()> {
        Ok(())
    }

    async fn perhaps(&self, _picture: Option<&Picture>) -> Result<()> {
        Ok(())
    }

    async fn first(&self) -> Result<Picture> {
        Ok(Picture)
    }

    async fn all(&self) -> Result<Vec<Picture>> {
        Ok(Vec::new())
    }

    async fn tear(&self) -> Result<u64, Torn> {
        Err(Torn)
    }

    async fn half(&self, _half: HalfWay) -> Result<()> {
        Ok(())
    }

    async fn dynamic(&self, _object: Box<dyn std::fmt::Debug + Send>) -> Result<()> {
        Ok(())
    }
}

async fn use_it() -> Result<()> {
    let album = Ref::<dyn Album>::new(Mine);
    album.add(Picture).await
}

fn main() {}
