//! The few colours of a diagram: black on white, one tint for undoing, one for people.
//! Colour repeats what shape and symbol already say; it never says anything alone.

/// Lines and symbols.
pub(crate) const LINE: &str = "#22242a";
/// The card that the drawing lies on, so that it reads the same on light and dark pages.
pub(crate) const PAPER: &str = "#ffffff";
/// Inside of what belongs to undoing.
pub(crate) const UNDO_FILL: &str = "#fdf3e1";
/// Inside of what a person does.
pub(crate) const HUMAN_FILL: &str = "#e8f1fa";
/// Border of what a person does.
pub(crate) const HUMAN_LINE: &str = "#1f4e79";
/// Border of what belongs to undoing.
pub(crate) const UNDO_LINE: &str = "#8a5300";
