//! The cases of the frames about objects: releases, names, and ends.

use remote_core::Ref;

use super::FRAMES;
use super::peer::announcement;
use super::stage::{Stage, first_numbers};
use super::wire::{Bytes, ENDED, Frame, RELEASE, UNWATCH, WATCH};

/// `Release` of one of many objects.
pub(crate) fn release(size: u64) -> u64 {
    let mut stage = Stage::new();
    let objects = stage.export(size + FRAMES);
    let release = |object: &u64| Frame::numbers(RELEASE, &[*object, 1]);
    stage.count(&objects[size as usize..].iter().map(release).collect::<Vec<_>>());
    FRAMES
}

/// `Name`, with many names in the table.
pub(crate) fn name(size: u64) -> u64 {
    let mut stage = Stage::new();
    // The peer has already announced names for the lookup.
    let known = stage.drive(async |peer| peer.name("Target.add").await);
    let name = |id| announcement(id, id, &format!("name-{id}"));
    stage.send(&(known + 1..=known + size).map(name).collect::<Vec<_>>());
    stage.count(&(known + size + 1..=known + size + FRAMES).map(name).collect::<Vec<_>>());
    FRAMES
}

/// `Watch` of one of many objects, each of which is watched once.
pub(crate) fn watch(size: u64) -> u64 {
    let mut stage = Stage::new();
    let objects = stage.export(size + FRAMES);
    let (watched, last) = objects.split_at(size as usize);
    stage.watch(watched, size);
    let watch = |(watch, object): (u64, &u64)| Frame::numbers(WATCH, &[watch, *object]);
    stage.count(&(size + 1..).zip(last).map(watch).collect::<Vec<_>>());
    FRAMES
}

/// `Watch` of an object that is watched many times.
pub(crate) fn watch_one(size: u64) -> u64 {
    let mut stage = Stage::new();
    let object = stage.target;
    stage.watch(&[object], size);
    let watch = |watch| Frame::numbers(WATCH, &[watch, object]);
    stage.count(&(size + 1..=size + FRAMES).map(watch).collect::<Vec<_>>());
    FRAMES
}

fn unwatch_last(stage: Stage, watches: &[u64]) -> u64 {
    let unwatch = |watch: &u64| Frame::numbers(UNWATCH, &[*watch]);
    let last = &watches[watches.len() - FRAMES as usize..];
    stage.count(&last.iter().map(unwatch).collect::<Vec<_>>());
    FRAMES
}

/// `Unwatch` of one of many objects, each of which is watched once.
pub(crate) fn unwatch(size: u64) -> u64 {
    let mut stage = Stage::new();
    let objects = stage.export(size + FRAMES);
    let watches = stage.watch(&objects, size + FRAMES);
    unwatch_last(stage, &watches)
}

/// `Unwatch` of an object that is watched many times.
pub(crate) fn unwatch_one(size: u64) -> u64 {
    let mut stage = Stage::new();
    let object = stage.target;
    let watches = stage.watch(&[object], size + FRAMES);
    unwatch_last(stage, &watches)
}

fn count_ends(mut stage: Stage, objects: &[Ref<dyn super::target::Target>], size: u64) -> u64 {
    let of = objects.iter().cycle().take((size + FRAMES) as usize);
    let monitors: Vec<_> = of.map(Ref::monitor).collect();
    let watches = first_numbers(WATCH, stage.settle());
    let ended =
        |watch: &u64| Frame::new(ENDED, Bytes::new().number(*watch).byte(1).text("it was enough"));
    stage.count(&watches[size as usize..].iter().map(ended).collect::<Vec<_>>());
    std::mem::forget(monitors);
    FRAMES
}

/// `Ended` of one of many objects that the node watches.
pub(crate) fn ended(size: u64) -> u64 {
    let mut stage = Stage::new();
    let objects = stage.import(size + FRAMES);
    count_ends(stage, &objects, size)
}

/// `Ended` of one of many watches of one object.
pub(crate) fn ended_one(size: u64) -> u64 {
    let mut stage = Stage::new();
    let objects = stage.import(1);
    count_ends(stage, &objects, size)
}
