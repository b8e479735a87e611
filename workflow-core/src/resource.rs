//! What steps need from the process they run in: connections, gateways, clients.
//! Supplied when the engine starts; never part of the call and never in the journal.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A shared value that a step asks for by its type.
///
/// ```
/// use workflow_core::{Resource, Resources};
/// let mut resources = Resources::default();
/// resources.insert(42_u32);
/// let answer: Resource<u32> = resources.get().unwrap();
/// assert_eq!(*answer, 42);
/// ```
pub struct Resource<T: ?Sized>(Arc<T>);

impl<T> Resource<T> {
    /// Wraps a value, for calling a step's body by hand.
    pub fn new(value: T) -> Resource<T> {
        Resource(Arc::new(value))
    }
}

impl<T: ?Sized> Deref for Resource<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> Clone for Resource<T> {
    fn clone(&self) -> Resource<T> {
        Resource(Arc::clone(&self.0))
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// All resources of a process, one per type.
#[derive(Clone, Default)]
pub struct Resources {
    by_type: BTreeMap<TypeId, Supplied>,
}

/// A value with the name of its type, for people.
#[derive(Clone)]
struct Supplied {
    name: &'static str,
    value: Arc<dyn Any + Send + Sync>,
}

impl Resources {
    /// Adds a resource; one of the same type is replaced.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        let supplied = Supplied { name: std::any::type_name::<T>(), value: Arc::new(value) };
        self.by_type.insert(TypeId::of::<T>(), supplied);
    }

    /// The resource of that type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Resource<T>> {
        let value = Arc::clone(&self.by_type.get(&TypeId::of::<T>())?.value);
        Some(Resource(value.downcast::<T>().expect("resources are kept under their own type")))
    }

    /// Whether this need can be met.
    pub fn meets(&self, need: &ResourceNeed) -> bool {
        self.by_type.contains_key(&need.type_id())
    }

    /// The type of a resource that may be meant to meet this need and does not: it wraps what is asked for, or has the
    /// same name in another module, or almost the same name.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use workflow_core::{ResourceNeed, Resources};
    /// let mut resources = Resources::default();
    /// resources.insert(Arc::new(42_u32));
    /// assert_eq!(resources.closest_to(&ResourceNeed::of::<u32>()), Some("alloc::sync::Arc<u32>"));
    /// ```
    pub fn closest_to(&self, need: &ResourceNeed) -> Option<&'static str> {
        let needed = need.type_name();
        let names = || self.by_type.values().map(|supplied| supplied.name);
        let last = |name: &'static str| name.split('<').next()?.rsplit("::").next();
        let wraps = |name: &&str| {
            let parts = name.split(['<', '>', ',', '&']).map(str::trim);
            name.contains('<') && parts.into_iter().any(|part| part == needed)
        };
        let is_namesake = |name: &&'static str| last(name) == last(needed);
        let names_of_all: Vec<&'static str> = names().collect();
        let short: Vec<&str> = names_of_all.iter().filter_map(|name| last(name)).collect();
        let resembles = || {
            let meant = workflow_graph::suggest::closest(last(needed)?, &short)?;
            names().find(|name| last(name) == Some(meant))
        };
        names().find(wraps).or_else(|| names().find(is_namesake)).or_else(resembles)
    }
}

/// That a step asks for a resource of some type.
#[derive(Clone, Copy, Debug)]
pub struct ResourceNeed {
    id: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl ResourceNeed {
    /// The need for a `Resource<T>`.
    pub const fn of<T: Send + Sync + 'static>() -> ResourceNeed {
        ResourceNeed { id: TypeId::of::<T>, name: std::any::type_name::<T> }
    }

    /// The type.
    pub fn type_id(&self) -> TypeId {
        (self.id)()
    }

    /// The name of the type.
    pub fn type_name(&self) -> &'static str {
        (self.name)()
    }
}
