//! What the compiler says about wrong workflows and steps, and that it says nothing about right ones.
//! Every `ui/WFnnn/fail/*.rs` must be refused with the text beside it; every `ui/WFnnn/pass/*.rs` must compile.

use std::path::Path;

#[test]
fn wrong_programs_are_refused_with_words_that_help() {
    bring_locks();
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*/fail/*.rs");
    cases.pass("tests/ui/*/pass/*.rs");
}

/// The cases are compiled in a package of their own: that is where their locks have to be.
fn bring_locks() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let package = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME")).join("workflows");
    std::fs::create_dir_all(&package).unwrap();
    for lock in std::fs::read_dir("tests/ui/WF050/workflows").unwrap() {
        let lock = lock.unwrap();
        std::fs::copy(lock.path(), package.join(lock.file_name())).unwrap();
    }
}
