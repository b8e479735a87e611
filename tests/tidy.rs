//! The code checks its own rules: the borders of the architecture and the form of the house style.
//! Knows the rules' names; what each one looks for is in `tidy/`, beside tests that show that it can fail.

mod tidy {
    pub(crate) mod borders;
    pub(crate) mod code;
    pub(crate) mod codes;
    pub(crate) mod form;
    pub(crate) mod guide;
    pub(crate) mod leftovers;
    pub(crate) mod manifests;
    pub(crate) mod migrations;
    pub(crate) mod rule;
    pub(crate) mod tree;
}

use tidy::{borders, codes, form, guide, leftovers, manifests, migrations};

#[test]
fn only_the_store_names_a_database() {
    borders::DATABASE.holds();
}

#[test]
fn the_pure_crates_name_no_clock_no_randomness_and_no_runtime() {
    borders::PURE.holds();
}

#[test]
fn unsafe_code_has_two_places() {
    borders::SAFE.holds();
}

#[test]
fn crates_depend_on_each_other_in_one_direction() {
    manifests::EDGES.holds();
}

#[test]
fn the_graph_has_no_dependencies() {
    manifests::GRAPH.holds();
}

#[test]
fn manifests_keep_the_borders_of_the_code() {
    manifests::FOREIGN.holds();
}

#[test]
fn every_file_says_what_it_is_for() {
    form::MODULE_DOC.holds();
}

#[test]
fn no_file_is_too_long() {
    form::LENGTH.holds();
}

#[test]
fn no_line_is_too_wide() {
    form::WIDTH.holds();
}

#[test]
fn no_file_is_named_after_nothing() {
    form::NAMES.holds();
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    form::MACHINE_PATHS.holds();
}

#[test]
fn nothing_is_left_unfinished() {
    leftovers::UNFINISHED.holds();
}

#[test]
fn no_test_and_no_example_is_ignored() {
    leftovers::IGNORED.holds();
}

#[test]
fn only_tests_unwrap() {
    leftovers::UNWRAP.holds();
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    codes::PAGES.holds();
}

#[test]
fn every_compile_time_code_has_tests_that_fail_and_pass() {
    codes::UI_TESTS.holds();
}

#[test]
fn migrations_pair_up() {
    migrations::PAIRS.holds();
}

#[test]
fn every_page_of_the_guide_is_listed() {
    guide::LISTED.holds();
}

#[test]
fn relative_links_lead_somewhere() {
    guide::LINKS.holds();
}
