//! The engine under attack: processes that are killed, stopped and cut off, full disks, clocks that jump.
//! Steps keep a ledger of their own, and a judge that knows no engine holds it against the journals.
//!
//! `WORKFLOW_ATTACK=long` attacks ten times as long; `WORKFLOW_SEED` repeats the chance of a run that has failed.

mod chance;
mod clocks;
mod conductor;
mod database;
mod disk;
mod evidence;
mod fleet;
mod judge;
mod kills;
mod ledger;
mod load;
mod mutations;
mod network;
mod protocol;
mod proxy;
mod quiet;
mod storm;
mod worker;
