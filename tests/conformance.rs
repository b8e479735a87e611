//! The code against models that analysts drew, in the styles of several modellers: what agrees, what does not, and how
//! that is told. Each model is text; a test changes it in one place and reads the words.
#![allow(missing_docs, unreachable_pub)]

#[path = "conformance/flows.rs"]
mod flows;
#[path = "conformance/judge.rs"]
mod judge;
#[path = "conformance/levels.rs"]
mod levels;
#[path = "conformance/models.rs"]
mod models;
#[path = "conformance/refused.rs"]
mod refused;
#[path = "conformance/styles.rs"]
mod styles;
