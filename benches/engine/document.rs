//! Puts the results into the page that explains them.
//! Knows the page and its marks; must not know what the results say.

use std::path::Path;

use crate::results::Results;
use crate::{Failure, table};

const PAGE: &str = "docs/performance.md";
const BEGIN: &str = "<!-- results: written by `cargo xtask bench --document` -->\n";
const END: &str = "<!-- end of results -->";

/// Replaces what stands between the two marks of the page.
///
/// # Errors
/// When the page cannot be read or written, or has no marks.
pub(crate) fn write(results: &Results) -> Result<(), Failure> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let text = std::fs::read_to_string(&page)?;
    let (before, rest) = text.split_once(BEGIN).ok_or(format!("{PAGE} has no line `{}`", BEGIN.trim()))?;
    let (_, after) = rest.split_once(END).ok_or(format!("{PAGE} has no line `{END}`"))?;
    std::fs::write(&page, format!("{before}{BEGIN}\n{}\n{END}{after}", table::markdown(results).trim_end()))?;
    println!("written into {PAGE}");
    Ok(())
}
