//! Whether new code can go on with runs of old code, on graphs made by hand: each change that people make, and what
//! becomes of it. That the engine agrees is shown where the engine is.

mod changes;
mod constants;
mod files;
mod regions;
mod sketch;
mod text;
