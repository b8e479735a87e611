//! Documentation comments as people wrote them: the first line is a label, the rest is documentation.
//! It must not know what is documented.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// A documentation comment, taken apart.
#[derive(Debug, PartialEq)]
pub(crate) struct Docs {
    /// The first line; `None` when there is no comment.
    pub(crate) label: Option<String>,
    /// What follows it, without the empty lines around it.
    pub(crate) documentation: String,
}

/// Takes the documentation comment of an item apart.
pub(crate) fn split(attributes: &[Attribute]) -> Docs {
    let comments = attributes.iter().filter_map(comment);
    let lines: Vec<String> = comments.flat_map(|comment| lines_of(&comment)).collect();
    let mut lines = lines.iter().map(String::as_str).skip_while(|line| line.is_empty());
    let label = lines.next().map(|line| line.trim().to_owned());
    let rest: Vec<&str> = lines.collect();
    Docs { label, documentation: rest.join("\n").trim_matches('\n').trim_end().to_owned() }
}

/// The text of a `///` line, a `/** .. */` comment or a `#[doc = ".."]`.
fn comment(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn lines_of(comment: &str) -> Vec<String> {
    if !comment.contains('\n') {
        return vec![without_margin(comment).to_owned()];
    }
    let without_star = |line: &str| {
        let line = line.trim();
        without_margin(line.strip_prefix('*').unwrap_or(line)).to_owned()
    };
    comment.lines().map(without_star).collect()
}

fn without_margin(line: &str) -> &str {
    line.strip_prefix(' ').unwrap_or(line).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn docs(item: &str) -> Docs {
        split(&syn::parse_str::<syn::ItemStruct>(item).unwrap().attrs)
    }

    #[test]
    fn the_first_line_is_the_label_and_the_rest_the_documentation() {
        let docs =
            docs("/// Ship the order\n///\n/// By parcel,\n///   or by letter.\n#[allow(x)] struct A;");
        assert_eq!(docs.label.as_deref(), Some("Ship the order"));
        assert_eq!(docs.documentation, "By parcel,\n  or by letter.");
    }

    #[test]
    fn a_block_comment_reads_the_same() {
        let docs = docs("/**\n * Ship the order\n *\n * By parcel.\n */\nstruct A;");
        assert_eq!(docs.label.as_deref(), Some("Ship the order"));
        assert_eq!(docs.documentation, "By parcel.");
    }

    #[test]
    fn no_comment_gives_no_label() {
        let docs = docs("#[doc(hidden)] struct A;");
        assert_eq!(docs, Docs { label: None, documentation: String::new() });
    }
}
