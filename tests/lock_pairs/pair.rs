//! A pair: the code as it was, the code as it is, and what runs of it begin with.
//! It is only data; what becomes of the runs is for the walks, and what the lock says of it for the verdict.

use std::future::Future;
use std::pin::Pin;

use workflow_core::{Definition, Payload};
use workflow_runtime::{Engine, EngineBuilder};

/// See the module.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    /// What was changed, in a sentence.
    pub(crate) about: &'static str,
    /// The code with which runs began that the old code has gone on with, if there was one before it.
    pub(crate) before: Option<Definition>,
    pub(crate) old: Definition,
    pub(crate) new: Definition,
    /// That runs end with values of both codes, because the change alters values alone.
    pub(crate) mixes: bool,
    /// The old code is kept beside the new one.
    pub(crate) keeps_old: bool,
    /// The arguments of the runs.
    pub(crate) inputs: Vec<Payload>,
    pub(crate) register_old: fn(EngineBuilder) -> EngineBuilder,
    pub(crate) register_new: fn(EngineBuilder) -> EngineBuilder,
    /// Starts a run of the old code with one of the inputs.
    pub(crate) start: Start,
}

pub(crate) type Start = fn(Engine, usize) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// The codes that an engine knows.
pub(crate) type Code = Vec<Definition>;

impl Pair {
    pub(crate) fn old_code(&self) -> Code {
        vec![self.old]
    }

    pub(crate) fn new_code(&self) -> Code {
        if self.keeps_old { vec![self.old, self.new] } else { vec![self.new] }
    }
}

/// Pairs, each as `/// what was changed` `name on (arguments) (arguments): old { .. } new { .. }`. Before the colon may
/// stand `, mixes` (the change alters values, so runs end with some of both) or `, keeps_old` (both are registered);
/// before the old code may stand `before { .. }`.
macro_rules! pairs {
    ($(
        #[doc = $about:literal]
        $name:ident on $(($($argument:expr),+))+ $(, $how:ident)?:
        $(before { $($before:tt)* })?
        old { $($old:tt)* }
        new { $($new:tt)* }
    )+) => {
        $(
            mod $name {
                $(pub(super) mod before {
                    #[allow(unused_imports)]
                    use super::super::*;
                    $($before)*
                })?
                pub(super) mod old {
                    #[allow(unused_imports)]
                    use super::super::*;
                    $($old)*
                }
                pub(super) mod new {
                    #[allow(unused_imports)]
                    use super::super::*;
                    $($new)*
                }
            }
        )+

        pub(crate) fn pairs() -> Vec<$crate::lock_pairs::pair::Pair> {
            vec![$({
                use $name::{new, old};
                $crate::lock_pairs::pair::Pair {
                    name: stringify!($name),
                    about: $about,
                    before: {
                        let mut _before = None;
                        $({
                            let _ = stringify!($($before)*);
                            _before = Some($name::before::flow.definition());
                        })?
                        _before
                    },
                    old: old::flow.definition(),
                    new: new::flow.definition(),
                    mixes: [$(stringify!($how))?].contains(&"mixes"),
                    keeps_old: [$(stringify!($how))?].contains(&"keeps_old"),
                    inputs: vec![$(workflow_core::Payload::of(&($($argument,)+)).unwrap()),+],
                    register_old: |engine| engine.register(old::flow),
                    register_new: |engine| engine.register(new::flow),
                    start: |engine, number| Box::pin(async move {
                        let mut calls = vec![$(old::flow($($argument),+)),+];
                        engine.start(calls.remove(number)).id("run").await.unwrap();
                    }),
                }
            }),+]
        }
    };
}
pub(crate) use pairs;
