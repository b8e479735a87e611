//! What the exporter promises: sound files, and drawings that a person would not mind having made.
//! It sees the public interface only.

mod committed;
mod deadlines;
mod errors;
mod family;
mod files;
mod flavours;
mod gallery;
mod gates;
mod highlights;
mod kinds;
mod levels;
mod mapping;
mod parallel;
mod pictures;
mod samples;
mod sketch;
mod stability;
mod wording;
