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
    by_type: BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>,
}

impl Resources {
    /// Adds a resource; one of the same type is replaced.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.by_type.insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// The resource of that type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Resource<T>> {
        let value = Arc::clone(self.by_type.get(&TypeId::of::<T>())?);
        Some(Resource(value.downcast::<T>().expect("resources are kept under their own type")))
    }

    /// Whether this need can be met.
    pub fn meets(&self, need: &ResourceNeed) -> bool {
        self.by_type.contains_key(&need.type_id())
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
