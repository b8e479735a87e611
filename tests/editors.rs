//! What an editor makes of a workflow: rust-analyzer is driven like an editor drives it, over the very text that a
//! person types. Needs `rustup component add rust-analyzer rust-src`; without them it fails and says so.

mod editors {
    pub(crate) mod client;
    pub(crate) mod completion;
    pub(crate) mod navigation;
    pub(crate) mod project;
    pub(crate) mod shop;
    pub(crate) mod text;
}

use editors::project::{Side, editor};
use editors::{completion, navigation, shop};

#[test]
fn in_a_half_typed_body_as_much_is_offered_as_in_an_async_function() {
    let faults = completion::all_faults();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_name_leads_to_its_one_definition() {
    let wrong = navigation::wrong_definitions();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_name_shows_what_it_is_and_nothing_internal() {
    let wrong = navigation::wrong_hovers();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_new_name_reaches_every_use() {
    let wrong = navigation::wrong_renames();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_wrong_with_a_correct_workflow() {
    let mut editor = editor();
    editor.show(Side::Durable, &shop::finished());
    let found = editor.diagnostics(Side::Durable);
    assert!(found.is_empty(), "{found:#?}");
}
