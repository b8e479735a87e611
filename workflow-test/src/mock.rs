//! `kit.on(step)`: says what a step answers, in the step's own types.
//! It only writes scripts; when an attempt is made is decided elsewhere.

use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use workflow_core::{Answer, Payload, Resources, Step, StepError};

use crate::script::{Behaviour, Entry, Script, SharedScripts};
use crate::shape::Shape;

/// The mock of one step. Its script is served attempt by attempt: first everything that is said `_once`, in
/// the order in which it was said; then, for ever, the last thing said without `_once`.
///
/// Answers go the way they go in production: an error that is transient is retried by the step's own policy,
/// in virtual time.
pub struct Mock<S: Step, Args = <S as Step>::Args> {
    scripts: SharedScripts,
    shape: Shape,
    /// Whether what was said last was said `_once`.
    last_is_once: Option<bool>,
    _step: PhantomData<fn(Args) -> S>,
}

impl<S: Step, Args> Mock<S, Args> {
    pub(crate) fn new(scripts: &SharedScripts) -> Mock<S, Args> {
        let shape = Shape::of::<S>();
        scripts.borrow_mut().of(&shape);
        Mock { scripts: Rc::clone(scripts), shape, last_is_once: None, _step: PhantomData }
    }

    /// Comes back with this value.
    #[track_caller]
    pub fn returns(self, output: S::Output) -> Self {
        let answer = self.answer(&output);
        self.lasting(Behaviour::Answer(answer))
    }

    /// One attempt comes back with this value.
    #[track_caller]
    pub fn returns_once(self, output: S::Output) -> Self {
        let answer = self.answer(&output);
        self.once(Behaviour::Answer(answer))
    }

    /// Fails with this error. For steps whose errors never reach the workflow (`retriable`, compensations), too.
    #[track_caller]
    pub fn fails<E: StepError>(self, error: E) -> Self {
        let answer = self.refusal(error);
        self.lasting(Behaviour::Answer(answer))
    }

    /// One attempt fails with this error.
    #[track_caller]
    pub fn fails_once<E: StepError>(self, error: E) -> Self {
        let answer = self.refusal(error);
        self.once(Behaviour::Answer(answer))
    }

    /// That many attempts fail with this error, then all come back with this value: what the step returns,
    /// without its `Ok`. [`Mock::takes`] after it is about the value; the failures take no time.
    #[track_caller]
    pub fn fails_then_ok<E: StepError, T: Serialize>(mut self, attempts: u32, error: E, value: T) -> Self {
        let name = &self.shape.def.facts.name;
        let is_seen = self.shape.def.returns_result && !error.facts().transient;
        let variant = &error.facts().variant;
        assert!(
            !is_seen,
            "`{variant}` is not transient, so `{name}` would not be retried: say `.returns_once(Err(..))`"
        );
        let good = if self.shape.def.returns_result {
            Payload::of(&Ok::<T, ()>(value))
        } else {
            Payload::of(&value)
        };
        let good = good.unwrap_or_else(|error| panic!("the value for `{name}` cannot be stored: {error}"));
        let answer = self.shape.answer(good).unwrap_or_else(|violation| panic!("{violation}"));
        let refusal = self.refusal(error);
        for _ in 0..attempts {
            self = self.once(Behaviour::Answer(refusal.clone()));
        }
        self.lasting(Behaviour::Answer(answer))
    }

    /// Runs the step's own body, with what it asks for as `Resource<T>`. It takes no virtual time, and it is run
    /// here: a blocking body inline, an async one only if it has to wait for nothing.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_test::{Kit, Resources};
    /// #[step(read_only)]
    /// fn weigh(scales: Resource<u32>, item: u32) -> u32 {
    ///     *scales + item
    /// }
    /// #[workflow]
    /// async fn pack(item: u32) -> u32 {
    ///     weigh(item).await
    /// }
    /// let kit = Kit::new();
    /// let mut resources = Resources::default();
    /// resources.insert(40_u32);
    /// kit.on(weigh).runs(resources);
    /// assert_eq!(kit.start(pack(2)).value(), 42);
    /// ```
    pub fn runs(self, resources: Resources) -> Self {
        self.lasting(Behaviour::Body(resources))
    }

    /// One attempt runs the step's own body.
    pub fn runs_once(self, resources: Resources) -> Self {
        self.once(Behaviour::Body(resources))
    }

    /// Panics: whether it took effect is unknown, and it is retried by policy.
    pub fn panics(self) -> Self {
        self.lasting(Behaviour::Panic)
    }

    /// One attempt panics.
    pub fn panics_once(self) -> Self {
        self.once(Behaviour::Panic)
    }

    /// Takes longer than the timeout of the step, or of this call of it: whether it took effect is unknown, and it is
    /// retried by policy.
    pub fn times_out(self) -> Self {
        self.lasting(Behaviour::TimeOut)
    }

    /// One attempt takes longer than the step's timeout.
    pub fn times_out_once(self) -> Self {
        self.once(Behaviour::TimeOut)
    }

    /// Gives no sign of life for as long as its heartbeat allows, and no answer: whether it took effect is unknown,
    /// and it is retried by policy. With [`Mock::takes`] it goes silent after that time only.
    #[track_caller]
    pub fn goes_silent(self) -> Self {
        self.check_heartbeat();
        self.lasting(Behaviour::Silence)
    }

    /// One attempt goes silent.
    #[track_caller]
    pub fn goes_silent_once(self) -> Self {
        self.check_heartbeat();
        self.once(Behaviour::Silence)
    }

    /// How long that which was said last takes; no time by default. Longer than the step's timeout times out.
    #[track_caller]
    pub fn takes(self, duration: Duration) -> Self {
        let takes_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let last_is_once = self.last_is_once.expect("say what the step answers before how long it takes");
        self.with_script(|script| {
            let last = if last_is_once { script.once.last_mut() } else { script.lasting.as_mut() };
            last.expect("something was said last").takes_ms = takes_ms;
        });
        self
    }

    fn with_script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(self.scripts.borrow_mut().of(&self.shape))
    }

    fn once(mut self, behaviour: Behaviour) -> Self {
        self.with_script(|script| script.once.push(Entry::at_once(behaviour)));
        self.last_is_once = Some(true);
        self
    }

    fn lasting(mut self, behaviour: Behaviour) -> Self {
        self.with_script(|script| script.lasting = Some(Entry::at_once(behaviour)));
        self.last_is_once = Some(false);
        self
    }

    #[track_caller]
    fn answer(&self, output: &S::Output) -> Answer {
        let name = &self.shape.def.facts.name;
        let output = Payload::of(output)
            .unwrap_or_else(|error| panic!("the output for `{name}` cannot be stored: {error}"));
        let answer = self.shape.answer(output).unwrap_or_else(|violation| panic!("{violation}"));
        if let Answer::Refused { output, .. } = &answer {
            self.with_script(|script| script.samples.push(output.clone()));
        }
        answer
    }

    #[track_caller]
    fn refusal<E: StepError>(&self, error: E) -> Answer {
        let facts = &self.shape.def.facts;
        assert!(
            facts.errors.as_ref() == E::ERRORS,
            "`{}` does not fail with `{}`: it has {}",
            facts.name,
            std::any::type_name::<E>(),
            if facts.errors.is_empty() { "no errors" } else { "another error type" },
        );
        let failed = Err::<(), E>(error);
        let answer = if self.shape.def.returns_result {
            Answer::of_result(&failed)
        } else {
            Answer::of_retriable(&failed)
        };
        answer.unwrap_or_else(|fault| panic!("the error for `{}`: {fault}", facts.name))
    }

    #[track_caller]
    fn check_heartbeat(&self) {
        let facts = &self.shape.def.facts;
        assert!(facts.heartbeat_ms.is_some(), "`{}` cannot go silent: it promises no heartbeat", facts.name);
    }

    /// Makes an answer of a function of the recorded arguments.
    fn reply(&self, reply: impl Fn(&Payload) -> Result<S::Output, String> + 'static) -> Behaviour {
        let shape = self.shape.clone();
        Behaviour::Reply(Rc::new(move |args| {
            let mismatch = |text| crate::Violation::new(crate::Oracle::RoundTrip, text);
            let output = reply(args).map_err(mismatch)?;
            shape.answer(Payload::of(&output).map_err(|error| mismatch(error.to_string()))?)
        }))
    }
}

macro_rules! replies {
    ($(($($argument:ident $index:tt)*))*) => {$(
        impl<S: Step<Args = ($($argument,)*)>, $($argument),*> Mock<S, ($($argument,)*)>
        where
            ($($argument,)*): workflow_core::Storable,
        {
            /// Comes back with what this function makes of the arguments.
            pub fn then(self, reply: impl Fn($(&$argument),*) -> S::Output + 'static) -> Self {
                let behaviour = self.calling(reply);
                self.lasting(behaviour)
            }

            /// One attempt comes back with what this function makes of the arguments.
            pub fn then_once(self, reply: impl Fn($(&$argument),*) -> S::Output + 'static) -> Self {
                let behaviour = self.calling(reply);
                self.once(behaviour)
            }

            fn calling(&self, reply: impl Fn($(&$argument),*) -> S::Output + 'static) -> Behaviour {
                self.reply(move |args| {
                    #[allow(unused_variables, clippy::let_unit_value)]
                    let args: ($($argument,)*) = args.read().map_err(|error| error.to_string())?;
                    Ok(reply($(&args.$index),*))
                })
            }
        }
    )*};
}

replies! {
    () (A 0) (A 0 B 1) (A 0 B 1 C 2) (A 0 B 1 C 2 D 3) (A 0 B 1 C 2 D 3 E 4) (A 0 B 1 C 2 D 3 E 4 G 5)
    (A 0 B 1 C 2 D 3 E 4 G 5 H 6) (A 0 B 1 C 2 D 3 E 4 G 5 H 6 I 7)
}
