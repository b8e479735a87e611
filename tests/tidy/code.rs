//! Rust files as tokens with their lines, so that a word in a comment or in a text is not taken for code.
//! Knows tokens; must not know which of them are allowed.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::rule::Finding;

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The tokens of a file without its comments; brackets are tokens of their own.
///
/// # Errors
/// A finding when the file cannot be split into tokens: what cannot be read cannot obey.
pub(crate) fn tokens(path: &str, text: &str) -> Result<Vec<Token>, Finding> {
    let stream: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| {
        Finding::new(path, error.span().start().line, "this cannot be read as Rust")
    })?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    Ok(tokens)
}

/// Whether the tokens begin with these texts.
pub(crate) fn begins_with(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && tokens.iter().zip(texts).all(|(token, text)| token.text == *text)
}

/// The tokens that are compiled without tests: items under `#[cfg(test)]` are left out.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some((first, others)) = rest.split_first() {
        if begins_with(rest, &CFG_TEST) {
            rest = after_item(&rest[CFG_TEST.len()..]);
        } else {
            kept.push(first.clone());
            rest = others;
        }
    }
    kept
}

/// What follows the item at the beginning: it ends with `;`, or with the brace that closes its body.
fn after_item(tokens: &[Token]) -> &[Token] {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" if depth <= 1 => return &tokens[index + 1..],
            "}" => depth -= 1,
            ";" if depth == 0 => return &tokens[index + 1..],
            _ => {}
        }
    }
    &[]
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(Token { line, text: open.to_owned() });
                flatten(group.stream(), tokens);
                tokens.push(Token { line: group.span_close().start().line, text: close.to_owned() });
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
                tokens.push(Token { line, text: tree.to_string() });
            }
        }
    }
}

#[cfg(test)]
fn joined(tokens: &[Token]) -> String {
    tokens.iter().map(|token| format!("{}{} ", token.line, token.text)).collect()
}

#[test]
fn comments_are_no_tokens_and_texts_are_one() {
    let tokens = tokens("a.rs", "// sqlx\n/* sqlx */ fn f() {\n  g(\"sqlx\");\n}").unwrap();
    assert_eq!(joined(&tokens), "2fn 2f 2( 2) 2{ 3g 3( 3\"sqlx\" 3) 3; 4} ");
}

#[test]
fn what_is_only_for_tests_is_left_out() {
    let text = "a; #[cfg(test)] mod tests { fn f() { b; } } c; #[cfg(test)] mod more; d; #[cfg(test)] use x::{y}; e;";
    let kept = without_tests(&tokens("a.rs", text).unwrap());
    assert_eq!(joined(&kept).replace('1', ""), "a ; c ; d ; ; e ; ");
}

#[test]
fn a_file_that_is_not_rust_is_a_finding() {
    let finding = tokens("a.rs", "fn f() {").unwrap_err();
    assert_eq!(finding.to_string(), "a.rs:1: this cannot be read as Rust");
}
