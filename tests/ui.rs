//! What the compiler says about wrong workflows and steps, and that it says nothing about right ones.
//! Every `ui/WFnnn/fail/*.rs` must be refused with the text beside it; every `ui/WFnnn/pass/*.rs` must compile.

#[test]
fn wrong_programs_are_refused_with_words_that_help() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*/fail/*.rs");
    cases.pass("tests/ui/*/pass/*.rs");
}
