//! Arguments and results of all kinds arrive as they were sent: owned, borrowed, byte strings, references.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use remote_core::{Ref, Remote, Result, remote};
use serde::{Deserialize, Serialize};

use super::far;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Point {
    x: f64,
    y: f64,
    tags: Vec<String>,
}

/// Borrows from the message itself.
#[derive(Serialize, Deserialize)]
struct Label<'a> {
    text: &'a str,
    #[serde(borrow)]
    more: Vec<&'a str>,
}

type Blob = Vec<u8>;
type Text<'a> = &'a str;

#[remote]
trait Echo {
    async fn nothing(&self) -> Result<()>;
    async fn text(&self, text: &str) -> Result<String>;
    async fn value(&self, point: Point) -> Result<Point>;
    async fn lent(&self, point: &Point) -> Result<Point>;
    async fn list(&self, points: &[Point]) -> Result<Vec<Point>>;
    async fn words(&self, words: &[String], more: Vec<&str>) -> Result<Vec<String>>;
    async fn perhaps(&self, text: Option<&str>, point: Option<Point>) -> Result<Option<String>>;
    async fn tuple(
        &self,
        pair: (&str, u8),
        array: [u16; 3],
        scalar: &u64,
    ) -> Result<(String, u8, u16, u64)>;
    async fn cow(&self, text: Cow<'_, str>) -> Result<Cow<'static, str>>;
    async fn label(&self, label: Label<'_>) -> Result<String>;
    async fn alias(&self, text: Text<'_>) -> Result<usize>;
    async fn map(&self, counts: HashMap<&str, u64>, sorted: &BTreeMap<String, u64>) -> Result<u64>;
    async fn path(&self, path: &Path) -> Result<PathBuf>;
    async fn owned_bytes(&self, bytes: Vec<u8>) -> Result<Vec<u8>>;
    #[allow(clippy::ptr_arg, reason = "a byte string like others")]
    async fn lent_bytes(&self, bytes: &[u8], vector: &Vec<u8>) -> Result<Vec<u8>>;
    async fn aliased_bytes(&self, bytes: Blob) -> Result<Blob>;
    async fn shared_bytes(&self, bytes: Bytes) -> Result<Bytes>;
    async fn nested_bytes(
        &self,
        bytes: Option<&[u8]>,
        all: Vec<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>>;
    async fn references(
        &self,
        all: Vec<Option<Ref<dyn Echo>>>,
    ) -> Result<HashMap<String, Ref<dyn Echo>>>;
}

#[derive(Remote)]
#[remote(Echo)]
struct Wall;

#[remote]
impl Echo for Wall {
    async fn nothing(&self) -> Result<()> {
        Ok(())
    }

    async fn text(&self, text: &str) -> Result<String> {
        // The parameter still exists after another task has run.
        tokio::task::yield_now().await;
        Ok(text.to_owned())
    }

    async fn value(&self, Point { x, y, tags }: Point) -> Result<Point> {
        Ok(Point { x, y, tags })
    }

    async fn lent(&self, point: &Point) -> Result<Point> {
        tokio::task::yield_now().await;
        Ok(point.clone())
    }

    async fn list(&self, points: &[Point]) -> Result<Vec<Point>> {
        Ok(points.to_vec())
    }

    async fn words(&self, words: &[String], mut more: Vec<&str>) -> Result<Vec<String>> {
        more.reverse();
        Ok(words.iter().map(String::as_str).chain(more).map(str::to_owned).collect())
    }

    async fn perhaps(&self, text: Option<&str>, point: Option<Point>) -> Result<Option<String>> {
        Ok(text.map(|text| format!("{text} {}", point.unwrap_or_default().x)))
    }

    async fn tuple(
        &self,
        (text, number): (&str, u8),
        [_, second, _]: [u16; 3],
        scalar: &u64,
    ) -> Result<(String, u8, u16, u64)> {
        Ok((text.to_owned(), number, second, *scalar))
    }

    async fn cow(&self, text: Cow<'_, str>) -> Result<Cow<'static, str>> {
        Ok(text.into_owned().into())
    }

    async fn label(&self, label: Label<'_>) -> Result<String> {
        Ok(format!("{}: {}", label.text, label.more.join(", ")))
    }

    async fn alias(&self, text: Text<'_>) -> Result<usize> {
        Ok(text.len())
    }

    async fn map(&self, counts: HashMap<&str, u64>, sorted: &BTreeMap<String, u64>) -> Result<u64> {
        Ok(counts.into_values().chain(sorted.values().copied()).sum())
    }

    async fn path(&self, path: &Path) -> Result<PathBuf> {
        Ok(path.join("more"))
    }

    async fn owned_bytes(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
        bytes.reverse();
        Ok(bytes)
    }

    async fn lent_bytes(&self, bytes: &[u8], vector: &Vec<u8>) -> Result<Vec<u8>> {
        Ok([bytes, vector].concat())
    }

    async fn aliased_bytes(&self, bytes: Blob) -> Result<Blob> {
        Ok(bytes)
    }

    async fn shared_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        Ok(bytes)
    }

    async fn nested_bytes(
        &self,
        bytes: Option<&[u8]>,
        all: Vec<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>> {
        Ok(bytes.map(|bytes| [bytes, &all.concat()].concat()))
    }

    async fn references(
        &self,
        all: Vec<Option<Ref<dyn Echo>>>,
    ) -> Result<HashMap<String, Ref<dyn Echo>>> {
        let all = all.into_iter().enumerate();
        Ok(all.filter_map(|(place, found)| Some((place.to_string(), found?))).collect())
    }
}

fn point() -> Point {
    Point { x: 1.5, y: -2.0, tags: vec!["a".to_owned(), String::new()] }
}

#[tokio::test]
async fn values_round_trip() -> Result<()> {
    let wall = far::<dyn Echo, dyn Echo>(Ref::new(Wall)).await?;
    wall.nothing().await?;
    assert_eq!(wall.text("grüß dich").await?, "grüß dich");
    assert_eq!(wall.text("").await?, "");
    assert_eq!(wall.value(point()).await?, point());
    assert_eq!(wall.lent(&point()).await?, point());
    assert_eq!(wall.list(&[point(), Point::default()]).await?, [point(), Point::default()]);
    assert_eq!(wall.words(&["a".to_owned()], vec!["b", "c"]).await?, ["a", "c", "b"]);
    assert_eq!(wall.perhaps(Some("x"), Some(point())).await?.as_deref(), Some("x 1.5"));
    assert_eq!(wall.perhaps(None, None).await?, None);
    assert_eq!(wall.tuple(("t", 7), [1, 2, 3], &u64::MAX).await?, ("t".to_owned(), 7, 2, u64::MAX));
    assert_eq!(wall.cow("borrowed".into()).await?, "borrowed");
    assert_eq!(wall.label(Label { text: "l", more: vec!["m", "n"] }).await?, "l: m, n");
    assert_eq!(wall.alias("four").await?, 4);
    assert_eq!(wall.map([("a", 1), ("b", 2)].into(), &[("c".to_owned(), 4)].into()).await?, 7);
    assert_eq!(wall.path(Path::new("some")).await?, Path::new("some/more"));
    Ok(())
}

#[tokio::test]
async fn byte_strings_round_trip_in_every_encoding() -> Result<()> {
    let wall = far::<dyn Echo, dyn Echo>(Ref::new(Wall)).await?;
    for length in [0, 1, 250, 251, 70_000, 1 << 20] {
        let bytes: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        assert_eq!(wall.owned_bytes(bytes.clone()).await?, reversed);
        assert_eq!(wall.lent_bytes(&bytes, &reversed).await?, [&bytes[..], &reversed].concat());
        assert_eq!(wall.aliased_bytes(bytes.clone()).await?, bytes);
        assert_eq!(wall.shared_bytes(bytes.clone().into()).await?, bytes);
    }
    let bytes = [9; 70_000];
    let nested = wall.nested_bytes(Some(&bytes), vec![vec![1; 300]; 2]).await?;
    assert_eq!(nested, Some([&bytes[..], &[1; 600]].concat()));
    Ok(())
}

#[tokio::test]
async fn references_to_own_objects_are_restored() -> Result<()> {
    let wall = far::<dyn Echo, dyn Echo>(Ref::new(Wall)).await?;
    let mine = Ref::<dyn Echo>::new(Wall);
    let found = wall.references(vec![None, Some(mine.clone()), Some(wall.clone())]).await?;
    assert_eq!(found.len(), 2);
    assert!(found["1"] == mine && found["2"] == *wall && found["1"] != found["2"]);
    assert_eq!(found["1"].text("still here").await?, "still here");
    Ok(())
}
