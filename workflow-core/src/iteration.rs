//! Iteration in an order that is another in each process, found by type (WF012).
//! The `#[workflow]` macro writes the two methods behind whatever is iterated; it must not know of which type that is.

use std::collections::{HashMap, HashSet, hash_map, hash_set};

/// What is iterated in a workflow.
pub struct Iterated<T>(T);

/// Gives every expression the first method that the macro writes behind it.
pub trait IterationExt: Sized {
    #[doc(hidden)]
    fn __iterated(self) -> Iterated<Self> {
        Iterated(self)
    }
}

impl<T> IterationExt for T {}

/// The second method, for all that has an order.
pub trait InOrder<T> {
    #[doc(hidden)]
    fn __in_order(self) -> T;
}

impl<T> InOrder<T> for Iterated<T> {
    fn __in_order(self) -> T {
        self.0
    }
}

impl<T: HashOrdered> Iterated<T> {
    /// Never compiles. It comes before the method of [`InOrder`], and so tells WF012.
    #[doc(hidden)]
    pub fn __in_order(self) -> T
    where
        T: ReplayedInOrder,
    {
        self.0
    }
}

/// That a replay meets the values in the same order. Nothing that hashes its keys by chance has it.
#[diagnostic::on_unimplemented(
    message = "WF012: a `HashMap` or `HashSet` is iterated in a `#[workflow]`",
    label = "a replay meets the values in another order, and may ask for other operations",
    note = "use a `BTreeMap` or `BTreeSet`, or collect into a `Vec` in a `#[step]`",
    note = "if the order is irrelevant: `#[allow_workflow(hash_iteration, reason = \"..\")]` above the statement",
    note = "see docs/errors/WF012.md"
)]
pub trait ReplayedInOrder {}

/// What is ordered by hashes with keys of the process's own.
pub trait HashOrdered {}

macro_rules! hash_ordered {
    ($([$($parameter:tt)*] $ordered:ty),* $(,)?) => {
        $(impl<$($parameter)*> HashOrdered for $ordered {})*
    };
}

hash_ordered! {
    [K, V, S] HashMap<K, V, S>,
    [K, V, S] &HashMap<K, V, S>,
    [K, V, S] &mut HashMap<K, V, S>,
    [K, V] hash_map::Iter<'_, K, V>,
    [K, V] hash_map::IterMut<'_, K, V>,
    [K, V] hash_map::IntoIter<K, V>,
    [K, V] hash_map::Keys<'_, K, V>,
    [K, V] hash_map::IntoKeys<K, V>,
    [K, V] hash_map::Values<'_, K, V>,
    [K, V] hash_map::ValuesMut<'_, K, V>,
    [K, V] hash_map::IntoValues<K, V>,
    [K, V] hash_map::Drain<'_, K, V>,
    [K, V, F] hash_map::ExtractIf<'_, K, V, F>,
    [T, S] HashSet<T, S>,
    [T, S] &HashSet<T, S>,
    [T, S] &mut HashSet<T, S>,
    [T] hash_set::Iter<'_, T>,
    [T] hash_set::IntoIter<T>,
    [T] hash_set::Drain<'_, T>,
    [T, F] hash_set::ExtractIf<'_, T, F>,
    [T, S] hash_set::Union<'_, T, S>,
    [T, S] hash_set::Intersection<'_, T, S>,
    [T, S] hash_set::Difference<'_, T, S>,
    [T, S] hash_set::SymmetricDifference<'_, T, S>,
}

/// The method that the macro writes for the receiver of `.retain(..)`, which it cannot take out of its place.
pub trait RetainsByHash {
    #[doc(hidden)]
    fn __retains(&self)
    where
        Self: ReplayedInOrder,
    {
    }
}

impl<K, V, S> RetainsByHash for HashMap<K, V, S> {}
impl<K, V, S> RetainsByHash for &mut HashMap<K, V, S> {}
impl<T, S> RetainsByHash for HashSet<T, S> {}
impl<T, S> RetainsByHash for &mut HashSet<T, S> {}

/// The same method, for all that retains in an order; it is found last.
pub trait RetainsInOrder {
    #[doc(hidden)]
    fn __retains(&self) {}
}

impl<T: ?Sized> RetainsInOrder for &T {}
