//! What an exploration tries: made once, read by every execution.
//! It chooses nothing itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use workflow_core::{Definition, Payload, explain_unknown_message};
use workflow_graph::suggest::closest;

use crate::driver::{Call, Wait};
use crate::errands::known_from;
use crate::explore::faults::{Limits, Menu};
use crate::explore::gaps::{Gaps, Wanted};
use crate::oracle::Oracles;
use crate::script::SharedScripts;
use crate::violation::{Oracle, Violation};

/// See the module.
pub(crate) struct Plan {
    pub(crate) definition: Definition,
    /// The workflow, and those of its children.
    pub(crate) known: Rc<[Definition]>,
    pub(crate) before_patches: Arc<[String]>,
    pub(crate) input: Payload,
    pub(crate) scripts: SharedScripts,
    pub(crate) oracles: Oracles,
    /// What can go wrong, by step, where the call says nothing else.
    pub(crate) menus: BTreeMap<&'static str, (Limits, Rc<Menu>)>,
    /// What can go wrong with calls that say otherwise, made when the first of them comes.
    pub(crate) menus_of_calls: RefCell<BTreeMap<(&'static str, Limits), Rc<Menu>>>,
    /// How much may go wrong in one execution.
    pub(crate) faults: u32,
    /// Whether a cancel may come after each write.
    pub(crate) cancels: bool,
    /// Whether only timers are punctual, and all orders of the rest are tried.
    pub(crate) interleaves: bool,
    pub(crate) messages: Vec<Sample>,
    /// What was made up so far, by message and key; `None` where it cannot be done.
    pub(crate) made_up: RefCell<BTreeMap<(&'static str, String), Option<Payload>>>,
    /// What executions came to and could not try.
    pub(crate) gaps: RefCell<Gaps>,
}

/// A message that may come.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) value: SampleValue,
}

#[derive(Clone)]
pub(crate) enum SampleValue {
    Given {
        key: String,
        payload: Payload,
    },
    /// Made up for the key that is waited for, where that can be done.
    MadeUp(fn(&str) -> Option<Payload>),
}

impl Plan {
    pub(crate) fn new(
        definition: Definition,
        input: Payload,
        scripts: SharedScripts,
    ) -> Result<Plan, Violation> {
        let known = known_from(definition);
        let oracles = Oracles::of(&known)?;
        scripts.borrow().check_complete(&definition)?;
        let steps = known.iter().flat_map(|definition| definition.steps());
        let menus = steps.map(|def| {
            let name = def.facts.name.as_ref();
            let limits = Limits::of(def);
            (name, (limits, Rc::new(Menu::of(def, limits, scripts.borrow().get(name)))))
        });
        let menus = menus.collect();
        Ok(Plan {
            definition,
            known,
            before_patches: Arc::from([]),
            input,
            scripts,
            oracles,
            menus,
            menus_of_calls: RefCell::default(),
            faults: 0,
            cancels: false,
            interleaves: false,
            messages: Vec::new(),
            made_up: RefCell::default(),
            gaps: RefCell::default(),
        })
    }

    /// What can go wrong with this call; `None` for a step that is not known.
    pub(crate) fn menu_of(&self, call: &Call<'_>) -> Option<Rc<Menu>> {
        let (name, def) = (call.def.facts.name.as_ref(), call.def);
        let (of_step, menu) = self.menus.get(name)?;
        let limits = Limits { most_attempts: call.most_attempts, timeout_ms: call.timeout_ms };
        if limits == *of_step {
            return Some(Rc::clone(menu));
        }
        let mut menus = self.menus_of_calls.borrow_mut();
        let make = || Rc::new(Menu::of(def, limits, self.scripts.borrow().get(name)));
        Some(Rc::clone(menus.entry((name, limits)).or_insert_with(make)))
    }

    /// Whether what this wait waits for is one of several things of which the first wins; so is all that is waited for
    /// in a child that may lose.
    pub(crate) fn is_in_race(&self, wait: &Wait<'_>) -> bool {
        let mut next = Some(wait.place);
        while let Some((journal, op)) = next {
            let head = &wait.heads[*journal];
            let walker = self.oracles.walker_of(&head.definition);
            if walker.is_some_and(|walker| walker.is_in_race(op)) {
                return true;
            }
            next = head.parent.as_ref().filter(|_| !head.is_detached);
        }
        false
    }

    /// That no name of a message that may come is a slip of the pen. One that is like no other may be said of many
    /// workflows alike, and never comes to this one.
    pub(crate) fn check_messages(&self) -> Result<(), Violation> {
        let known: Vec<&str> = self.known.iter().flat_map(Definition::messages).collect();
        let slips = self.messages.iter().filter(|sample| closest(sample.name, &known).is_some());
        let unknown =
            slips.map(|sample| sample.name).find_map(|name| explain_unknown_message(name, &self.known));
        unknown.map_or(Ok(()), |text| Err(Violation::new(Oracle::Setup, text)))
    }

    /// The messages that may come for this wait: those that were given, else one that is made up.
    pub(crate) fn messages_for(&self, message: &str, key: &str) -> Vec<Payload> {
        let of_name = || self.messages.iter().filter(|sample| sample.name == message);
        let given = of_name().filter_map(|sample| match &sample.value {
            SampleValue::Given { key: own, payload } if own == key => Some(payload.clone()),
            _ => None,
        });
        let given: Vec<Payload> = given.collect();
        if !given.is_empty() {
            return given;
        }
        let make = of_name().find_map(|sample| match &sample.value {
            SampleValue::MadeUp(make) => Some((sample.name, make)),
            SampleValue::Given { .. } => None,
        });
        let Some((name, make)) = make else { return Vec::new() };
        let mut made_up = self.made_up.borrow_mut();
        made_up.entry((name, key.to_owned())).or_insert_with(|| make(key)).iter().cloned().collect()
    }

    /// What executions came to and could not try, with what the test can say about it.
    pub(crate) fn not_tried(&self) -> Vec<String> {
        let gaps = self.gaps.borrow();
        let mut told: Vec<String> = gaps.waits_in_vain().map(|wait| self.explain_wait(wait)).collect();
        let scripts = self.scripts.borrow();
        for child in gaps.children() {
            told.extend(scripts.unsampled_of_child(child).iter().map(|error| {
                let variant = &error.variant;
                format!(
                    "no value is known for the error `{variant}` of the child `{child}`: say `.sample_child({child}, \
                     Err(..))`"
                )
            }));
        }
        told.extend(gaps.endless().map(|workflow| {
            format!(
                "`{workflow}` goes on and on behind the end of the run, and was left: say how it is with \
                 `kit.on_child({workflow})`, and explore it in a test of its own"
            )
        }));
        told
    }

    /// Why nothing comes to this wait.
    fn explain_wait(&self, Wanted { node, message, key, .. }: &Wanted) -> String {
        match self.keys_of(message) {
            Keys::Unsaid => format!(
                "no `{message}` comes to `{node}`: say `.messages::<{message}>()`, or `.message(|| ..)`"
            ),
            Keys::NotMadeUp => not_made_up(message, key),
            Keys::Given(keys) => format!(
                "no `{message}` with the key \"{key}\" comes to `{node}`, those that may come have {keys}: say \
                 `.message(|| ..)`"
            ),
        }
    }

    /// What the test says of messages with this name.
    fn keys_of(&self, message: &str) -> Keys {
        let of_name = || self.messages.iter().filter(|sample| sample.name == message);
        let keys: Vec<String> = of_name()
            .filter_map(|sample| match &sample.value {
                SampleValue::Given { key, .. } => Some(format!("\"{key}\"")),
                SampleValue::MadeUp(_) => None,
            })
            .collect();
        match of_name().next() {
            None => Keys::Unsaid,
            Some(_) if keys.is_empty() => Keys::NotMadeUp,
            Some(_) => Keys::Given(keys.join(", ")),
        }
    }

    /// Errors that are not explored, since no value of them is known.
    pub(crate) fn unsampled(&self) -> Vec<String> {
        if self.faults == 0 {
            return Vec::new();
        }
        // The steps of children that are mocked themselves need no mock, and are not called.
        let scripts = self.scripts.borrow();
        let menus = self.menus.iter().filter(|(step, _)| scripts.get(step).is_some());
        let named = menus.flat_map(|(step, (_, menu))| {
            menu.unsampled.iter().map(move |error| {
                let variant = &error.variant;
                format!(
                    "no value is known for the error `{variant}` of `{step}`: say `.sample({step}, Err(..))`"
                )
            })
        });
        named.collect()
    }

    /// What comes of a run that waits though nothing can come, with the reason if it is the test's.
    pub(crate) fn explain(&self, deadlock: Violation, waits_for: &[(String, String)]) -> Violation {
        let Some((message, key)) = waits_for.first() else { return deadlock };
        let why = match self.keys_of(message) {
            Keys::Unsaid => {
                format!("no `{message}` can come: say `.messages::<{message}>()`, or `.message(|| ..)`")
            }
            Keys::NotMadeUp => not_made_up(message, key),
            Keys::Given(keys) => {
                format!("it waits for the key \"{key}\"; the messages that may come have {keys}")
            }
        };
        Violation::new(Oracle::Deadlock, format!("{}; {why}", deadlock.text))
    }
}

/// What a test says of the messages with one name, when none of them has the key that is waited for.
enum Keys {
    Unsaid,
    NotMadeUp,
    /// Those that were given, in words.
    Given(String),
}

fn not_made_up(message: &str, key: &str) -> String {
    format!("no `{message}` with the key \"{key}\" can be made up: say `.message(|| ..)`")
}
