//! The cases of the frames about objects: releases, names, and ends.

use remote_core::Ref;

use super::FRAMES;
use super::peer::announcement;
use super::setup::{Setup, first_numbers};
use super::wire::{Bytes, ENDED, Frame, RELEASE, UNWATCH, WATCH};

/// `Release` of one of many objects.
pub(crate) fn release(size: u64) -> u64 {
    let mut setup = Setup::new();
    let objects = setup.export(size + FRAMES);
    let release = |object: &u64| Frame::numbers(RELEASE, &[*object, 1]);
    setup.count(&objects[size as usize..].iter().map(release).collect::<Vec<_>>());
    FRAMES
}

/// `Name`, with many names in the table.
pub(crate) fn name(size: u64) -> u64 {
    let mut setup = Setup::new();
    // The peer has already announced names for the lookup.
    let known = setup.drive(async |peer| peer.name("Target.add").await);
    let name = |id| announcement(id, id.into(), &format!("name-{id}"));
    setup.send(&(known + 1..=known + size).map(name).collect::<Vec<_>>());
    setup.count(&(known + size + 1..=known + size + FRAMES).map(name).collect::<Vec<_>>());
    FRAMES
}

/// `Watch` of one of many objects, each of which is watched once.
pub(crate) fn watch(size: u64) -> u64 {
    let mut setup = Setup::new();
    let objects = setup.export(size + FRAMES);
    let (watched, last) = objects.split_at(size as usize);
    setup.watch(watched, size);
    let watch = |(watch, object): (u64, &u64)| Frame::numbers(WATCH, &[watch, *object]);
    setup.count(&(size + 1..).zip(last).map(watch).collect::<Vec<_>>());
    FRAMES
}

/// `Watch` of an object that is watched many times.
pub(crate) fn watch_one(size: u64) -> u64 {
    let mut setup = Setup::new();
    let object = setup.target;
    setup.watch(&[object], size);
    let watch = |watch| Frame::numbers(WATCH, &[watch, object]);
    setup.count(&(size + 1..=size + FRAMES).map(watch).collect::<Vec<_>>());
    FRAMES
}

fn unwatch_last(setup: Setup, watches: &[u64]) -> u64 {
    let unwatch = |watch: &u64| Frame::numbers(UNWATCH, &[*watch]);
    let last = &watches[watches.len() - FRAMES as usize..];
    setup.count(&last.iter().map(unwatch).collect::<Vec<_>>());
    FRAMES
}

/// `Unwatch` of one of many objects, each of which is watched once.
pub(crate) fn unwatch(size: u64) -> u64 {
    let mut setup = Setup::new();
    let objects = setup.export(size + FRAMES);
    let watches = setup.watch(&objects, size + FRAMES);
    unwatch_last(setup, &watches)
}

/// `Unwatch` of an object that is watched many times.
pub(crate) fn unwatch_one(size: u64) -> u64 {
    let mut setup = Setup::new();
    let object = setup.target;
    let watches = setup.watch(&[object], size + FRAMES);
    unwatch_last(setup, &watches)
}

fn count_ends(mut setup: Setup, objects: &[Ref<dyn super::target::Target>], size: u64) -> u64 {
    let of = objects.iter().cycle().take((size + FRAMES) as usize);
    let monitors: Vec<_> = of.map(Ref::monitor).collect();
    let watches = first_numbers(WATCH, setup.settle());
    let ended =
        |watch: &u64| Frame::new(ENDED, Bytes::new().number(*watch).byte(1).text("it was enough"));
    setup.count(&watches[size as usize..].iter().map(ended).collect::<Vec<_>>());
    std::mem::forget(monitors);
    FRAMES
}

/// `Ended` of one of many objects that the node watches.
pub(crate) fn ended(size: u64) -> u64 {
    let mut setup = Setup::new();
    let objects = setup.import(size + FRAMES);
    count_ends(setup, &objects, size)
}

/// `Ended` of one of many watches of one object.
pub(crate) fn ended_one(size: u64) -> u64 {
    let mut setup = Setup::new();
    let objects = setup.import(1);
    count_ends(setup, &objects, size)
}
